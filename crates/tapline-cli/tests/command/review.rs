//! Plugins from outside: the example whose node type, provider and validator are plugins, and one that never ends.

use crate::support::{Workplace, lines, repository};

/// A copy of the example with its plugins.
fn review() -> Workplace {
    let workplace = Workplace::new();
    let example = repository().join("examples/review");
    workplace.write("pipeline.yaml", std::fs::read(example.join("pipeline.yaml")).unwrap());
    for (plugin, files) in [
        ("sentences", &["plugin.toml", "plugin.wasm", "schemas/sentences.json"][..]),
        ("mood", &["plugin.toml", "plugin.wasm"]),
        ("polite", &["plugin.toml", "plugin.wasm"]),
    ] {
        let built = tapline_test_kit::guest(plugin);
        for file in files {
            let place = [&built, &example.join("plugins").join(plugin)].map(|folder| folder.join(file));
            let found = place.iter().find(|place| place.exists()).unwrap();
            workplace.write(&format!("plugins/{plugin}/{file}"), std::fs::read(found).unwrap());
        }
    }
    workplace
}

#[test]
fn a_node_type_a_provider_and_a_validator_from_outside_work_as_any_other() {
    let said = review().tapline("run pipeline.yaml");
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(lines(&said.out)[2..], [" glad      1", " sad       1", " calm      1"]);
}

#[test]
fn what_a_validator_finds_is_the_error_of_the_node() {
    let workplace = review();
    workplace.edit("pipeline.yaml", "words: [damn]", "words: [glad]");
    let said = workplace.tapline("run pipeline.yaml");
    assert_eq!(said.code, 1);
    let told = "error[invalid-output]: node `moods` failed on item 0 after 3 attempts: validator `polite`: it says `glad`";
    assert!(said.err.contains(told), "{}", said.err);
}

#[test]
fn tokens_that_a_provider_in_a_sandbox_uses_up_count() {
    let workplace = review();
    workplace.edit("pipeline.yaml", "tokens: 10_000", "tokens: 5");
    let said = workplace.tapline("run pipeline.yaml");
    assert_eq!(said.code, 1);
    assert!(said.err.contains("error[run-limit]: the run used up its limit of 5 tokens"), "{}", said.err);
}

#[test]
fn a_timeout_stops_a_node_in_a_sandbox_that_computes_without_end() {
    let workplace = Workplace::with(
        "name: spin
plugins: { hostile: { path: hostile } }
nodes: { a: { type: spin, timeout: 5ms } }
",
    );
    let hostile = tapline_test_kit::guest("hostile");
    for file in ["plugin.toml", "plugin.wasm"] {
        workplace.write(&format!("hostile/{file}"), std::fs::read(hostile.join(file)).unwrap());
    }
    workplace.write("tapline.toml", "[policy.plugins.hostile]\npublish = ['flood']\n");
    let said = workplace.tapline("run pipeline.yaml");
    assert_eq!(said.code, 1, "{}", said.err);
    assert!(
        said.err.contains("error[timeout]: node `a` failed: it took longer than its timeout of 5ms"),
        "{}",
        said.err
    );
}
