//! The command chooses versions with all who need a plugin in view, keeps what is locked, and says why.

use expect_test::{Expect, expect};

use crate::support::{Said, Workplace};

const NODES: &str = "nodes: { one: { type: transform, with: { value: { a: 1 }, set: { b: '1' } } } }";

/// Three versions of `numbers` in two folders, those who need some of them, and two who offer `speech`.
fn workplace(plugins: &str) -> Workplace {
    let workplace = Workplace::with(&format!("name: report\nplugins: {{ {plugins} }}\n{NODES}\n"));
    workplace.write("tapline.toml", "[plugins]\nfolders = ['plugins', 'more']\n");
    for (folder, id, version, more) in [
        ("plugins/numbers-1", "numbers", "1.4.0", ""),
        ("plugins/numbers-3", "numbers", "3.0.0", ""),
        ("more/numbers-2", "numbers", "2.1.0", ""),
        ("plugins/sum", "sum", "1.0.0", "depends_on = [{ id = 'numbers', version = '<3' }]"),
        ("plugins/mean", "mean", "1.0.0", "depends_on = [{ id = 'numbers', version = '^1' }]"),
        ("plugins/mode", "mode", "1.0.0", "depends_on = [{ id = 'numbers', version = '^2' }]"),
        ("plugins/lonely", "lonely", "1.0.0", "depends_on = [{ id = 'nobody' }]"),
        ("plugins/loud", "loud", "1.0.0", "capabilities = [{ name = 'speech', rank = 10 }]"),
        ("more/quiet", "quiet", "1.0.0", "capabilities = ['speech']"),
        ("more/talk", "talk", "1.0.0", "depends_on = [{ capability = 'speech' }]"),
        ("more/sleep", "sleep", "1.0.0", "conflicts = [{ id = 'loud' }]"),
    ] {
        package(&workplace, folder, id, version, more);
    }
    workplace
}

fn package(workplace: &Workplace, folder: &str, id: &str, version: &str, more: &str) {
    let head = format!("[plugin]\nid = '{id}'\nversion = '{version}'\nhost = '^1'\nruntime = 'wasm'\n");
    workplace.write(&format!("{folder}/plugin.toml"), format!("{head}{more}\n"));
    workplace.write(&format!("{folder}/plugin.wasm"), "no component at all: nothing is run");
}

#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "as it is made")]
fn check_why(workplace: &Workplace, subject: &str, expected: Expect) {
    let said = workplace.start(["plugin", "why", subject]);
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    expected.assert_eq(&said.out);
}

#[track_caller]
fn done(workplace: &Workplace, words: &str) -> Said {
    let said = workplace.tapline(words);
    assert_eq!(said.code, 0, "{words}: {}", said.err);
    said
}

#[test]
fn the_highest_version_that_all_accept_is_taken_from_whatever_folder() {
    let workplace = workplace("sum: {}");
    assert_eq!(done(&workplace, "check pipeline.yaml").err, "pipeline.yaml: no mistakes\n");
    check_why(
        &workplace,
        "numbers",
        expect![[r#"
            `numbers 2.1.0` is loaded
              `sum` needs `numbers <3`
            `numbers 3.0.0` is not: `sum` asks for `<3`
            `numbers 1.4.0` is not: lower version than the one chosen
        "#]],
    );
    check_why(
        &workplace,
        "transform",
        expect![[r#"
            `transform 0.1.0` is loaded
              the pipeline has nodes of the type `transform`
        "#]],
    );
    let said = done(&workplace, "lock pipeline.yaml");
    assert!(said.err.contains("plugin `numbers` 2.1.0, from more/numbers-2, was added"), "{}", said.err);
    assert!(said.err.ends_with("wrote tapline.lock: 3 plugins\n"), "{}", said.err);
}

#[test]
fn the_range_that_the_pipeline_says_counts_as_that_of_a_plugin() {
    let workplace = workplace("sum: {}, numbers: { version: ^1 }");
    check_why(
        &workplace,
        "numbers",
        expect![[r#"
            `numbers 1.4.0` is loaded
              the pipeline needs `numbers ^1`
              `sum` needs `numbers <3`
            `numbers 3.0.0` is not: the pipeline asks for `^1`; `sum` asks for `<3`
            `numbers 2.1.0` is not: the pipeline asks for `^1`
        "#]],
    );
}

#[test]
fn a_capability_is_met_by_the_higher_rank_and_by_the_other_where_that_one_is_in_conflict() {
    check_why(
        &workplace("talk: {}"),
        "speech",
        expect![[r#"
            `loud 1.0.0` is loaded
              `talk` needs capability `speech *`
            `quiet 1.0.0` is not: lower rank
        "#]],
    );
    let workplace = workplace("talk: {}, sleep: {}");
    done(&workplace, "check pipeline.yaml");
    check_why(
        &workplace,
        "speech",
        expect![[r#"
            `quiet 1.0.0` is loaded
              `talk` needs capability `speech *`
            `loud 1.0.0` is not: in conflict with `sleep`
        "#]],
    );
}

#[test]
fn two_who_ask_for_ranges_without_a_common_version_are_named_with_their_ranges() {
    let workplace = workplace("mean: {}, mode: {}");
    for verb in ["check", "run"] {
        let said = workplace.start([verb, "pipeline.yaml"]);
        assert_eq!((said.code, said.out.as_str()), (2, ""));
        expect![[r#"
            error[missing-dependency]: no version of `numbers` will do for all who ask for it: `mean` needs `numbers ^1` and `mode` needs `numbers ^2`, and there are 1.4.0, 2.1.0 and 3.0.0
             --> pipeline.yaml:2:22
              |
            2 | plugins: { mean: {}, mode: {} }
              |                      ^^^^
              |
              = hint: add a version of `numbers` that all of them accept, or change `depends_on` of `mean` or `mode`

            1 error
        "#]].assert_eq(&said.err);
    }
    check_why(
        &workplace,
        "mode",
        expect![[r#"
            `mode` is not loaded
            `mode 1.0.0` is not: needs `numbers ^2`, and 1.4.0 is chosen
            no version of `numbers` will do for all who ask for it: `mean` needs `numbers ^1` and `mode` needs `numbers ^2`, and there are 1.4.0, 2.1.0 and 3.0.0
        "#]],
    );
}

#[test]
fn a_range_of_the_pipeline_that_does_not_fit_is_told_where_it_stands() {
    let said = workplace("mean: {}, numbers: { version: ^2 }").tapline("check pipeline.yaml");
    assert_eq!(said.code, 2);
    expect![[r#"
        error[missing-dependency]: no version of `numbers` will do for all who ask for it: `mean` needs `numbers ^1` and the pipeline needs `numbers ^2`, and there are 1.4.0, 2.1.0 and 3.0.0
         --> pipeline.yaml:2:42
          |
        2 | plugins: { mean: {}, numbers: { version: ^2 } }
          |                                          ^^
          |
          = hint: add a version of `numbers` that all of them accept, or change its `version` under `plugins`, or `depends_on` of `mean`

        1 error
    "#]].assert_eq(&said.err);
}

#[test]
fn what_an_optional_plugin_lacks_is_a_warning_and_the_run_goes_on_without_it() {
    let workplace = workplace("lonely: { optional: true }");
    for verb in ["check", "run"] {
        let said = workplace.start([verb, "pipeline.yaml"]);
        let warning = "warning[missing-dependency]: plugin `lonely` needs plugin `nobody`, which does not take part\n --> pipeline.yaml:2:12\n";
        assert!(said.code == 0 && said.err.starts_with(warning), "{}", said.err);
        assert_eq!(said.err.matches("`nobody`, which").count(), 1, "{}", said.err);
    }
}

#[test]
fn a_locked_version_is_kept_though_a_higher_one_comes_to_lie_beside_it() {
    let workplace = Workplace::triage();
    workplace.edit("pipeline.yaml", "path: plugins/redact, ", "");
    workplace.write("tapline.toml", "[plugins]\nfolders = ['plugins', 'more']\n");
    workplace.write("more/.keep", "");
    done(&workplace, "lock pipeline.yaml");
    package(&workplace, "more/redact", "redact", "1.5.0", "");
    done(&workplace, "check pipeline.yaml --locked");
    let said = done(&workplace, "run pipeline.yaml --locked --json");
    assert!(said.out.contains(r#""id":"redact","version":"1.0.0""#), "{}", said.out);
    check_why(
        &workplace,
        "redact",
        expect![[r#"
            `redact 1.0.0` is loaded
              the pipeline needs `redact *`
            `redact 1.5.0` is not: 1.0.0 is locked
        "#]],
    );
    // What is not what the lock holds is not preferred for its version.
    workplace.edit("plugins/redact/plugin.toml", "version = \"1.0.0\"", "version = \"1.0.0\" # changed");
    let said = workplace.tapline("check pipeline.yaml --locked");
    assert!(
        said.code == 2 && said.err.contains("plugin `redact` has version 1.5.0, which was 1.0.0"),
        "{}",
        said.err
    );
}

#[test]
fn an_update_of_the_lock_takes_the_higher_version() {
    let workplace = workplace("numbers: {}");
    done(&workplace, "lock pipeline.yaml");
    package(&workplace, "more/numbers-4", "numbers", "4.0.0", "");
    assert!(done(&workplace, "lock pipeline.yaml").err.contains("nothing has changed"));
    let said = done(&workplace, "lock --update pipeline.yaml");
    assert!(said.err.contains("plugin `numbers` has version 4.0.0, which was 3.0.0"), "{}", said.err);
}

#[test]
fn d02_the_lock_is_the_same_in_whatever_order_packages_came_to_lie_there() {
    let names = ["delta", "alpha", "charlie", "bravo", "echo-2"];
    let lock = |names: Vec<&str>| {
        let needs = names.iter().map(|name| format!("{name}: {{}}")).collect::<Vec<_>>();
        let workplace = Workplace::with(&format!("name: n\nplugins: {{ {} }}\n{NODES}\n", needs.join(", ")));
        workplace.write("tapline.toml", "[plugins]\nfolders = ['plugins']\n");
        for name in names {
            let needs = if name == "alpha" { "depends_on = [{ id = 'delta' }]" } else { "" };
            package(&workplace, &format!("plugins/{name}"), name, "1.0.0", needs);
        }
        done(&workplace, "lock pipeline.yaml");
        workplace.read("tapline.lock")
    };
    let expected = lock(names.to_vec());
    for turn in 1..names.len() {
        let mut turned = names.to_vec();
        turned.rotate_left(turn);
        assert_eq!(lock(turned), expected);
    }
}

#[test]
fn a_package_that_lies_there_twice_is_told() {
    let workplace = workplace("numbers: {}");
    package(&workplace, "more/numbers-too", "numbers", "3.0.0", "");
    let said = done(&workplace, "check pipeline.yaml");
    let told = "warning: `numbers` 3.0.0 lies in plugins/numbers-3 and in more/numbers-too, and the first is taken\n";
    assert!(said.err.contains(told), "{}", said.err);
}

#[test]
fn a_broken_package_is_told_where_the_pipeline_means_it() {
    let workplace = workplace("future: {}");
    let manifest = "[plugin]\nid = 'future'\nversion = '1.0.0'\nhost = '^9'\nruntime = 'wasm'\n";
    workplace.write("plugins/future/plugin.toml", manifest);
    let said = workplace.tapline("check pipeline.yaml");
    assert_eq!(said.code, 2);
    let told = "error[missing-plugin]: plugin `future`: plugins/future/plugin.toml:4:8: it was written for contract ^9, and this host speaks 1.0.0\n --> pipeline.yaml:2:12\n";
    assert!(said.err.starts_with(told), "{}", said.err);
}

#[test]
fn a_broken_package_beside_whole_versions_is_a_warning() {
    let workplace = workplace("numbers: {}");
    workplace.write("more/numbers/plugin.toml", "[plugin]\n");
    let said = done(&workplace, "check pipeline.yaml");
    assert!(said.err.starts_with("warning: more/numbers/plugin.toml:1:"), "{}", said.err);
    assert!(said.err.ends_with("pipeline.yaml: no mistakes\n"), "{}", said.err);
}

#[test]
fn a_lower_version_runs_where_the_higher_one_is_not_accepted() {
    let workplace = Workplace::triage();
    workplace.edit("pipeline.yaml", "path: plugins/redact, ", "version: ^1, ");
    workplace.write("tapline.toml", "[plugins]\nfolders = ['more', 'plugins']\n");
    package(&workplace, "more/redact", "redact", "2.0.0", "");
    let said = done(&workplace, "run pipeline.yaml --json");
    assert!(said.out.contains(r#""id":"redact","version":"1.0.0""#), "{}", said.out);
}

#[test]
fn what_comes_before_others_of_its_id_and_what_is_blocked_is_said_in_words() {
    let workplace = workplace("sum: {}, numbers: { path: plugins/numbers-1 }");
    check_why(
        &workplace,
        "numbers",
        expect![[r#"
            `numbers 1.4.0` is loaded
              the pipeline needs `numbers *`
              `sum` needs `numbers <3`
            `numbers 3.0.0` is not: the pipeline names another by its `path`
            `numbers 2.1.0` is not: the pipeline names another by its `path`
        "#]],
    );
    package(&workplace, "more/io", "io", "9.0.0", "");
    check_why(
        &workplace,
        "io",
        expect![[r#"
            `io` is not loaded
            `io 0.1.0` is not: nobody needs it
            `io 9.0.0` is not: another of its id is built in
        "#]],
    );
    workplace.write("tapline.toml", "[plugins]\nfolders = ['plugins', 'more']\nblocked = ['mode']\n");
    check_why(
        &workplace,
        "mode",
        expect![[r#"
            `mode` is not loaded
            `mode 1.0.0` is not: the operator has blocked it
        "#]],
    );
}

#[test]
fn why_says_the_same_to_programs_and_names_what_is_near_to_an_unknown_name() {
    let workplace = workplace("sum: {}");
    let said = done(&workplace, "plugin why numbers pipeline.yaml --json");
    let json: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(json["chosen"][0]["version"], "2.1.0");
    assert_eq!(json["chosen"][0]["asked_by"][0], "`sum` needs `numbers <3`");
    assert_eq!(json["others"][0]["reasons"][0], "`sum` asks for `<3`");
    let said = workplace.tapline("plugin why numbrs");
    let expected = "error: there is no plugin and no capability `numbrs`; did you mean `numbers`?\n";
    assert_eq!((said.code, said.err.as_str()), (2, expected));
    let said = workplace.tapline("plugin why zzzzzz");
    assert!(said.err.contains("`zzzzzz`; there are `chat`, `echo`, "), "{}", said.err);
}

#[test]
fn the_list_holds_all_versions_in_the_folders_of_the_settings_and_marks_what_is_blocked() {
    let workplace = workplace("");
    workplace.write("tapline.toml", "[plugins]\nfolders = ['plugins', 'more']\nblocked = ['mode']\n");
    let said = done(&workplace, "plugin list");
    let rows = |word: &str| said.out.lines().filter(|row| row.contains(word)).collect::<Vec<_>>();
    for version in ["1.4.0", "2.1.0", "3.0.0"] {
        assert_eq!(rows("numbers").iter().filter(|row| row.contains(version)).count(), 1, "{}", said.out);
    }
    assert_eq!(rows("blocked").len(), 1, "{}", said.out);
    assert!(rows("blocked")[0].trim().starts_with("mode "), "{}", said.out);
    let json: serde_json::Value = serde_json::from_str(&done(&workplace, "plugin list --json").out).unwrap();
    let mode = json.as_array().unwrap().iter().find(|plugin| plugin["id"] == "mode").unwrap();
    assert_eq!(mode["blocked"], true);
    let info: serde_json::Value =
        serde_json::from_str(&done(&workplace, "plugin info numbers --json").out).unwrap();
    assert_eq!(info["version"], "3.0.0");
}

#[test]
fn what_the_docs_show_of_a_choice_is_what_the_command_says() {
    let page = std::fs::read_to_string(crate::support::repository().join("docs/dependencies.md")).unwrap();
    let shown: Vec<_> =
        page.split("```text\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert_eq!(workplace("sum: {}").tapline("plugin why numbers").out, shown[0]);
    assert_eq!(workplace("mean: {}, mode: {}").tapline("check pipeline.yaml").err, shown[1]);
    let page = std::fs::read_to_string(crate::support::repository().join("docs/command.md")).unwrap();
    let shown = page.split("```text\n`transform").nth(1).unwrap().split("```").next().unwrap();
    let said = Workplace::triage().tapline("plugin why transform").out;
    assert_eq!(said.strip_prefix("`transform"), Some(shown));
}
