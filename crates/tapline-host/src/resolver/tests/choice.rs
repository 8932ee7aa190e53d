use expect_test::expect;

use super::Standing::{Available, Locked, Required, Running, Wanted};
use super::*;

#[test]
fn what_a_plugin_needs_comes_before_it() {
    check(
        &[
            (Required, "a 1.0", needs(&["c"])),
            (Required, "b 1.0", needs(&[])),
            (Required, "c 1.2", needs(&[])),
        ],
        expect![[r#"
            b 1.0
            c 1.2
            a 1.0 <- c 1.2
        "#]],
    );
}

#[test]
fn a_version_that_closes_a_circle_gives_way_to_another() {
    check(
        &[
            (Required, "a 1.0", needs(&["b"])),
            (Available, "b 2.0", needs(&["a"])),
            (Available, "b 1.0", needs(&[])),
        ],
        expect![[r#"
            b 1.0
            a 1.0 <- b 1.0
        "#]],
    );
}

#[test]
fn an_optional_need_that_closes_a_circle_is_given_up() {
    check(
        &[
            (Required, "a 1.0", needs(&["b?"])),
            (Required, "b 1.0", needs(&["c?"])),
            (Required, "c 1.0", needs(&["a"])),
        ],
        expect![[r#"
            a 1.0
            c 1.0 <- a 1.0
            b 1.0 <- c 1.0
            a 1.0 does without b 1.0
        "#]],
    );
}

#[test]
fn the_locked_version_is_taken_before_the_highest_and_the_one_that_runs_before_all() {
    let plugins = |c1, c2| {
        [
            (Required, "a 1.0", needs(&["c"])),
            (c1, "c 1.0", needs(&[])),
            (c2, "c 2.0", needs(&[])),
            (Available, "c 3.0", needs(&[])),
        ]
    };
    check(
        &plugins(Available, Available),
        expect![[r#"
        c 3.0
        a 1.0 <- c 3.0
    "#]],
    );
    check(
        &plugins(Available, Locked),
        expect![[r#"
        c 2.0
        a 1.0 <- c 2.0
    "#]],
    );
    check(
        &plugins(Running, Locked),
        expect![[r#"
        a 1.0 <- c 1.0
    "#]],
    );
    check(
        &plugins(Wanted, Locked),
        expect![[r#"
        c 1.0
        a 1.0 <- c 1.0
    "#]],
    );
}

#[test]
fn a_lower_version_is_taken_where_the_higher_one_does_not_fit() {
    check(
        &[
            (Required, "a 1.0", needs(&["b", "c ^1"])),
            (Available, "b 2.0", needs(&["c ^2"])),
            (Available, "b 1.0", needs(&["c"])),
            (Available, "c 2.0", needs(&[])),
            (Available, "c 1.0", needs(&[])),
        ],
        expect![[r#"
            c 1.0
            b 1.0 <- c 1.0
            a 1.0 <- b 1.0, c 1.0
        "#]],
    );
}

#[test]
fn a_capability_is_met_in_the_order_in_which_it_is_looked_up() {
    check(
        &[
            (Required, "a 1.0", needs(&["#chat"])),
            (Available, "low 9.0", offer("chat", 1, "")),
            (Available, "new 2.0", offer("chat", 2, "")),
            (Available, "old 1.0", offer("chat", 2, "")),
        ],
        expect![[r#"
            new 2.0
            a 1.0 <- new 2.0
        "#]],
    );
    // Whoever is there anyway is not joined by another.
    check(
        &[
            (Required, "a 1.0", needs(&["#chat"])),
            (Required, "low 1.0", offer("chat", 1, "")),
            (Available, "high 1.0", offer("chat", 2, "")),
        ],
        expect![[r#"
            low 1.0
            a 1.0 <- low 1.0
        "#]],
    );
}

#[test]
fn a_plugin_does_not_meet_its_own_need() {
    check(
        &[
            (Required, "cache 1.0", offer("chat", 9, &needs(&["#chat"]))),
            (Available, "model 1.0", offer("chat", 0, "")),
        ],
        expect![[r#"
            model 1.0
            cache 1.0 <- model 1.0
        "#]],
    );
    check(
        &[(Required, "cache 1.0", offer("chat", 9, &needs(&["#chat"])))],
        expect![[r#"
        without cache 1.0:
          plugin `cache` needs capability `chat *`, and no plugin offers it
            add a plugin that offers `chat` as `*`, or change `depends_on` of `cache`
    "#]],
    );
}

#[test]
fn another_provider_is_taken_where_the_first_is_in_conflict() {
    check(
        &[
            (Required, "a 1.0", needs(&["#chat"])),
            (Required, "b 1.0", "conflicts = [{ id = 'high' }]".into()),
            (Available, "high 1.0", offer("chat", 2, "")),
            (Available, "low 1.0", offer("chat", 1, "")),
        ],
        expect![[r#"
            b 1.0
            low 1.0
            a 1.0 <- low 1.0
        "#]],
    );
}

#[test]
fn an_optional_need_pulls_nothing_in_and_asks_for_its_versions() {
    check(
        &[
            (Required, "a 1.0", needs(&["b? ^1", "c? ^1"])),
            (Required, "d 1.0", needs(&["b"])),
            (Available, "b 1.0", needs(&[])),
            (Available, "b 2.0", needs(&[])),
            (Available, "c 1.0", needs(&[])),
        ],
        expect![[r#"
            b 1.0
            a 1.0 <- b 1.0
            d 1.0 <- b 1.0
        "#]],
    );
    check(
        &[(Required, "a 1.0", needs(&["b? ^2"])), (Required, "b 1.0", needs(&[]))],
        expect![[r#"
            b 1.0
            without a 1.0:
              plugin `a` needs `b ^2`, and there is 1.0.0
                add a `b` of a version that is `^2`, or widen the range under `depends_on` of `a`
        "#]],
    );
}

#[test]
fn plugins_that_pass_on_what_they_offer_stand_in_the_order_in_which_they_are_looked_up() {
    check(
        &[
            (Required, "a 1.0", needs(&["#chat"])),
            (Required, "cache 1.0", offer("chat", 1, &needs(&["#chat"]))),
            (Required, "log 1.0", offer("chat", 2, &needs(&["#chat"]))),
            (Available, "model 1.0", offer("chat", 0, "")),
        ],
        expect![[r#"
            model 1.0
            cache 1.0 <- model 1.0
            log 1.0 <- cache 1.0
            a 1.0 <- log 1.0
        "#]],
    );
}
