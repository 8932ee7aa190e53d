use jsonschema::Validator;
use serde_json::Value;
use tapline::pipeline::{Draft, Source};

use crate::support::{Workplace, repository};

/// The schema that the command writes.
fn schema(workplace: &Workplace, words: &str) -> Validator {
    let said = workplace.tapline(words);
    assert_eq!(said.code, 0, "{}", said.err);
    let schema: Value = serde_json::from_str(&said.out).unwrap();
    jsonschema::meta::validate(&schema).unwrap();
    jsonschema::options().offline().build(&schema).unwrap()
}

/// A YAML file as an editor reads it.
fn written(text: &str) -> Value {
    Value::from(&Draft::read(&Source::new("pipeline.yaml", text.as_bytes())).document().value("").unwrap())
}

#[test]
fn the_example_and_all_that_the_command_writes_follow_the_schema() {
    let workplace = Workplace::triage();
    let known = schema(&workplace, "schema");
    let mut files = vec![workplace.read("pipeline.yaml")];
    workplace.tapline("init hello");
    files.push(workplace.read("hello/pipeline.yaml"));
    let templates = repository().join("crates/tapline-cli/templates/common/pipelines");
    for template in std::fs::read_dir(templates).unwrap() {
        let text = std::fs::read_to_string(template.unwrap().path()).unwrap();
        files.push(text.replace("<< id >>", "some-plugin"));
    }
    assert_eq!(files.len(), 7);
    for file in &files {
        let mistakes: Vec<_> = known.iter_errors(&written(file)).map(|error| error.to_string()).collect();
        assert!(mistakes.is_empty(), "{file}\n{mistakes:?}");
    }
    let whole = schema(&workplace, "schema pipeline.yaml");
    assert!(whole.is_valid(&written(&files[0])));
}

#[test]
fn files_with_mistakes_do_not_follow_it() {
    let known = schema(&Workplace::new(), "schema");
    for (right, wrong) in [
        ("name: triage", "nmae: triage"),
        ("nodes:", "node:"),
        ("type: filter", "tpye: filter"),
        ("parallel: 8", "parallel: many"),
        ("  load:", "  Load:"),
        ("where: \"item.status == 'open'\"", "wher: x"),
        ("descending: true", "descending: 1"),
        ("count: true", "count: maybe"),
        ("type: string, default: tickets.jsonl", "type: text"),
        ("enabled: true", "enabled: sometimes"),
    ] {
        let triage = Workplace::triage();
        triage.edit("pipeline.yaml", right, wrong);
        assert!(!known.is_valid(&written(&triage.read("pipeline.yaml"))), "{wrong}");
    }
}

#[test]
fn with_a_file_its_plugins_are_known_and_types_of_others_are_mistakes() {
    let workplace =
        Workplace::with("name: x\nplugins: { words: { path: words } }\nnodes: { a: { type: words } }\n");
    let manifest = "[plugin]\nid = 'words'\nversion = '1.0.0'\nhost = '^1'\nruntime = 'wasm'\n\
                    [[provides]]\npoint = 'node'\nkey = 'words'\nschema = 'words.json'\n";
    workplace.write("words/plugin.toml", manifest);
    workplace.write("words/plugin.wasm", "");
    let settings = r##"{ "type": "object", "required": ["most"], "properties": { "most": { "$ref": "#/$defs/n" } }, "$defs": { "n": { "type": "integer" } } }"##;
    workplace.write("words/words.json", settings);
    let node = |node: &str| {
        written(&format!("name: x\nplugins: {{ words: {{ path: words }} }}\nnodes: {{ a: {node} }}\n"))
    };
    // The file itself has a mistake: the settings are missing.
    let known = schema(&workplace, "schema pipeline.yaml");
    assert!(known.is_valid(&node("{ type: words, with: { most: 3 } }")));
    assert!(known.is_valid(&node("{ type: words, with: { most: '{{ 1 + 2 }}' } }")));
    assert!(known.is_valid(&node("{ type: limit, with: { items: [], max: 3 } }")));
    assert!(!known.is_valid(&node("{ type: words, with: { most: three } }")));
    assert!(!known.is_valid(&node("{ type: words }")));
    assert!(!known.is_valid(&node("{ type: wrods }")));
    assert!(schema(&workplace, "schema").is_valid(&node("{ type: wrods }")));
}
