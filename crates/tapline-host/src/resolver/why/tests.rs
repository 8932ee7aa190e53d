use expect_test::{Expect, expect};

use super::*;
use crate::resolver::Standing::{Available, Locked, Required, Running, Wanted};
use crate::resolver::tests::{Named, needs, with_resolution};

#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "as it is made")]
fn check(plugins: &[Named<'_>], subject: &str, expected: Expect) {
    let told = with_resolution(plugins, |candidates, resolution| why(candidates, resolution, subject));
    expected.assert_eq(&told.unwrap().to_string());
}

#[test]
fn the_version_that_is_chosen_is_told_with_who_asks_for_it_and_the_others_with_what_is_against_them() {
    let plugins = [
        (Required, "a 1.0", needs(&["c"])),
        (Required, "b 1.0", needs(&["c? <4"])),
        (Required, "d 1.0", "conflicts = [{ id = 'c', version = '^3' }]".into()),
        (Available, "c 4.0", needs(&[])),
        (Available, "c 3.0", needs(&["nobody"])),
        (Available, "c 2.0", needs(&[])),
        (Available, "c 1.0", needs(&[])),
    ];
    check(
        &plugins,
        "c",
        expect![[r#"
        `c 2.0.0` is loaded
          `a` needs `c *`
          `b` can use `c <4`
        `c 4.0.0` is not: `b` asks for `<4`
        `c 3.0.0` is not: in conflict with `d`; needs `nobody *`, and there is none
        `c 1.0.0` is not: lower version than the one chosen"#]],
    );
    check(
        &plugins,
        "a",
        expect![[r#"
        `a 1.0.0` is loaded
          the application asks for it"#]],
    );
}

#[test]
fn what_runs_and_what_is_locked_is_said_to_be() {
    let others = |standing| {
        [
            (Required, "a 1.0", needs(&["c"])),
            (standing, "c 1.0", needs(&[])),
            (Available, "c 2.0", needs(&[])),
        ]
    };
    check(
        &others(Running),
        "c",
        expect![[r#"
        `c 1.0.0` is loaded
          it runs already
          `a` needs `c *`
        `c 2.0.0` is not: 1.0.0 runs already"#]],
    );
    check(
        &others(Locked),
        "c",
        expect![[r#"
        `c 1.0.0` is loaded
          `a` needs `c *`
        `c 2.0.0` is not: 1.0.0 is locked"#]],
    );
    check(
        &others(Wanted),
        "c",
        expect![[r#"
        `c 1.0.0` is loaded
          the application asks for it
          `a` needs `c *`
        `c 2.0.0` is not: the application asks for 1.0.0"#]],
    );
}

#[test]
fn what_is_left_out_is_told_with_its_reasons() {
    check(
        &[(Wanted, "a 1.0", needs(&["b"]))],
        "a",
        expect![[r#"
        `a` is not loaded
        `a 1.0.0` is not: plugin `a` needs `b *`, and there is no such plugin"#]],
    );
    check(
        &[(Available, "a 1.0", needs(&[]))],
        "a",
        expect![[r#"
        `a` is not loaded
        `a 1.0.0` is not: nobody needs it"#]],
    );
}

#[test]
fn of_a_capability_all_who_offer_it_are_told() {
    let offers = |rank| format!("capabilities = [{{ name = 'chat', rank = {rank} }}]");
    let plugins = [
        (Required, "a 1.0", needs(&["#chat"])),
        (Available, "high 1.0", offers(2)),
        (Available, "new 2.0", offers(1)),
        (Available, "x 1.0", offers(2)),
        (Required, "y 1.0", "conflicts = [{ id = 'new' }]".into()),
    ];
    check(
        &plugins,
        "chat",
        expect![[r#"
        `high 1.0.0` is loaded
          `a` needs capability `chat *`
        `x 1.0.0` is not: later by name
        `new 2.0.0` is not: in conflict with `y`"#]],
    );
}

#[test]
fn what_nobody_knows_is_none() {
    assert_eq!(why(&[], &Resolution::default(), "a"), None);
}
