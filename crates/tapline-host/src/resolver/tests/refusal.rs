use expect_test::expect;

use super::Standing::{Available, Required, Running, Wanted};
use super::*;

#[test]
fn everything_that_is_missing_is_named_at_once() {
    check(
        &[
            (Required, "a 1.0", needs(&["b", "c ^2", "#chat", "#text ^2"])),
            (Required, "c 1.0", "capabilities = ['text']".into()),
        ],
        expect![[r#"
            c 1.0
            without a 1.0:
              plugin `a` needs `b *`, and there is no such plugin
                add `b`, or make it optional under `depends_on` of `a`
              plugin `a` needs `c ^2`, and there is 1.0.0
                add a `c` of a version that is `^2`, or widen the range under `depends_on` of `a`
              plugin `a` needs capability `chat *`, and no plugin offers it
                add a plugin that offers `chat` as `*`, or change `depends_on` of `a`
              plugin `a` needs capability `text ^2`, and it is offered as 1.0.0 by `c`
                add a plugin that offers `text` as `^2`, or change `depends_on` of `a`
        "#]],
    );
}

#[test]
fn all_versions_that_are_there_are_named() {
    check(
        &[
            (Required, "a 1.0", needs(&["c ^3"])),
            (Available, "c 2.0", needs(&[])),
            (Available, "c 1.0", needs(&[])),
        ],
        expect![[r#"
            without a 1.0:
              plugin `a` needs `c ^3`, and there are 1.0.0 and 2.0.0
                add a `c` of a version that is `^3`, or widen the range under `depends_on` of `a`
        "#]],
    );
}

#[test]
fn a_cycle_is_printed_with_who_needs_whom_and_for_what() {
    check(
        &[(Required, "a 1.0", needs(&["b"])), (Required, "b 1.0", needs(&["a"]))],
        expect![[r#"
        without a 1.0:
          plugins need each other: b needs a needs b
            take one of these needs out of `depends_on`, or make it optional
        without b 1.0:
          plugins need each other: b needs a needs b
            take one of these needs out of `depends_on`, or make it optional
    "#]],
    );
    check(
        &[
            (Wanted, "a 1.0", needs(&["#chat"])),
            (Wanted, "b 1.0", format!("{}capabilities = ['chat']", needs(&["a"]))),
            (Wanted, "c 1.0", needs(&["b"])),
            (Wanted, "d 1.0", needs(&[])),
        ],
        expect![[r#"
            d 1.0
            without a 1.0:
              plugins need each other: b needs a needs b (`chat`)
                take one of these needs out of `depends_on`, or make it optional
            without b 1.0:
              plugins need each other: b needs a needs b (`chat`)
                take one of these needs out of `depends_on`, or make it optional
            without c 1.0:
              plugin `c` is left out, because `b` is: c needs b
        "#]],
    );
}

#[test]
fn there_is_one_plugin_of_an_id() {
    check(
        &[(Running, "a 1.0", needs(&[])), (Required, "a 2.0", needs(&[])), (Available, "a 3.0", needs(&[]))],
        expect![[r#"
            without a 2.0:
              there are two plugins `a`: 1.0.0 and 2.0.0
                load one `a`, or unload the one that is there first
        "#]],
    );
    check(
        &[
            (Wanted, "a 2.0", needs(&[])),
            (Wanted, "a 1.0", needs(&[])),
            (Wanted, "b 1.0", needs(&["a"])),
            (Wanted, "c 1.0", needs(&[])),
        ],
        expect![[r#"
            c 1.0
            without a 2.0:
              there are two plugins `a`: 1.0.0 and 2.0.0
                load one `a`, or unload the one that is there first
            without a 1.0:
              there are two plugins `a`: 1.0.0 and 2.0.0
                load one `a`, or unload the one that is there first
            without b 1.0:
              plugin `b` is left out, because `a` is: b needs a
        "#]],
    );
}

#[test]
fn plugins_in_conflict_are_not_loaded_together_whoever_says_so() {
    check(
        &[
            (Required, "a 1.0", needs(&[])),
            (Wanted, "b 1.0", "conflicts = [{ id = 'a', version = '<2' }]".into()),
            (Wanted, "c 1.0", needs(&["b"])),
        ],
        expect![[r#"
            a 1.0
            without b 1.0:
              plugins `b` and `a 1.0.0` cannot be loaded together: `conflicts` of `b` names `a <2`
                leave out `b` or `a`, or take another version of one of them
            without c 1.0:
              plugin `c` is left out, because `b` is: c needs b
        "#]],
    );
    check(
        &[
            (Running, "a 1.0", "conflicts = [{ capability = 'chat' }]".into()),
            (Wanted, "b 1.0", offer("chat", 0, "")),
            (Wanted, "c 1.0", needs(&["d"])),
            (Available, "d 1.0", needs(&["e"])),
            (Available, "e 1.0", offer("chat", 0, "")),
            (Wanted, "f 1.0", needs(&["c"])),
        ],
        expect![[r#"
            without b 1.0:
              plugins `a` and `b 1.0.0` cannot be loaded together: `conflicts` of `a` names capability `chat *`
                leave out `a` or `b`, or take another version of one of them
            without c 1.0:
              plugins `a` and `e 1.0.0` cannot be loaded together: `conflicts` of `a` names capability `chat *`
                leave out `a` or `e`, or take another version of one of them
              plugin `c` is left out, because `e` is: c needs d needs e
            without f 1.0:
              plugin `f` is left out, because `e` is: f needs c needs d needs e
        "#]],
    );
}

#[test]
fn ranges_that_no_version_satisfies_name_all_who_ask() {
    check(
        &[
            (Required, "a 1.0", needs(&["x ^1"])),
            (Required, "b 1.0", needs(&["x ^2"])),
            (Available, "x 1.0", needs(&[])),
            (Available, "x 2.0", needs(&[])),
        ],
        expect![[r#"
            x 1.0
            a 1.0 <- x 1.0
            without b 1.0:
              no version of `x` will do for all who ask for it: `a` needs `x ^1` and `b` needs `x ^2`, and there are 1.0.0 and 2.0.0
                add a version of `x` that all of them accept, or change `depends_on` of `a` or `b`
        "#]],
    );
    // The cause lies deeper.
    check(
        &[
            (Required, "a 1.0", needs(&["x ^1"])),
            (Wanted, "b 1.0", needs(&["c"])),
            (Available, "c 1.0", needs(&["x ^2"])),
            (Available, "x 1.0", needs(&[])),
            (Available, "x 2.0", needs(&[])),
        ],
        expect![[r#"
            x 1.0
            a 1.0 <- x 1.0
            without b 1.0:
              no version of `x` will do for all who ask for it: `a` needs `x ^1` and `c` needs `x ^2`, and there are 1.0.0 and 2.0.0
                add a version of `x` that all of them accept, or change `depends_on` of `a` or `c`
              plugin `b` is left out, because `c` is: b needs c
        "#]],
    );
    // No two ranges are in each other's way, but all three are.
    check(
        &[
            (Required, "a 1.0", needs(&["x >=1, <3"])),
            (Required, "b 1.0", needs(&["x >=2, <4"])),
            (Required, "c 1.0", needs(&["#y"])),
            (Available, "x 1.0", offer("y", 0, "")),
            (Available, "x 2.0", needs(&[])),
            (Available, "x 3.0", offer("y", 0, "")),
        ],
        expect![[r#"
            x 2.0
            a 1.0 <- x 2.0
            b 1.0 <- x 2.0
            without c 1.0:
              no version of `x` will do for all who ask for it: `a` needs `x >=1, <3`, `b` needs `x >=2, <4` and `c` needs capability `y *`, and there are 1.0.0, 2.0.0 and 3.0.0
                add a version of `x` that all of them accept, or change `depends_on` of `a` or `b` or `c`
        "#]],
    );
}

#[test]
fn what_is_required_goes_before_what_is_wanted() {
    check(
        &[
            (Wanted, "a 1.0", "conflicts = [{ id = 'z' }]".into()),
            (Wanted, "b 2.0", needs(&[])),
            (Available, "b 1.0", needs(&[])),
            (Required, "z 1.0", needs(&["b ^1"])),
        ],
        expect![[r#"
            b 1.0
            z 1.0 <- b 1.0
            without a 1.0:
              plugins `a` and `z 1.0.0` cannot be loaded together: `conflicts` of `a` names `z *`
                leave out `a` or `z`, or take another version of one of them
            without b 2.0:
              no version of `b` will do for all who ask for it: the application loads `b 2.0.0` and `z` needs `b ^1`, and there are 1.0.0 and 2.0.0
                load another version of `b`, or change `depends_on` of `z`
        "#]],
    );
}

#[test]
fn the_path_to_what_is_missing_leads_through_those_that_are_not_asked_for() {
    check(
        &[
            (Wanted, "a 1.0", needs(&["b"])),
            (Available, "b 1.0", needs(&["c"])),
            (Available, "c 1.0", needs(&["nobody"])),
            (Wanted, "d 1.0", needs(&["a"])),
        ],
        expect![[r#"
            without a 1.0:
              plugin `c` needs `nobody *`, and there is no such plugin
                add `nobody`, or make it optional under `depends_on` of `c`
              plugin `a` is left out, because `c` is: a needs b needs c
            without d 1.0:
              plugin `c` needs `nobody *`, and there is no such plugin
                add `nobody`, or make it optional under `depends_on` of `c`
              plugin `d` is left out, because `c` is: d needs a needs b needs c
        "#]],
    );
}

#[test]
fn of_a_long_circle_the_middle_is_left_out_of_the_text() {
    let next = |index: usize| needs(&[&format!("p{:02}", (index + 1) % 40)]);
    let names: Vec<_> = (0..40).map(|index| format!("p{index:02} 1.0")).collect();
    let plugins: Vec<_> = (0..40).map(|index| (Wanted, &*names[index], next(index))).collect();
    with_resolution(&plugins, |_, resolution| {
        assert_eq!((resolution.order.len(), resolution.left_out.len()), (0, 40));
        let told = resolution.left_out[0].reasons[0].to_string();
        assert!(told.contains(" needs … (24 more) needs "), "{told}");
        assert_eq!(told.matches(" needs ").count(), 17);
    });
}
