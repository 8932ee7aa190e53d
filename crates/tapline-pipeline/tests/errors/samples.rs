//! A file for each kind of mistake.

use tapline_pipeline::{Catalog, Code, Origin, RunSettings};

use crate::check_support::{catalog, check_text, plugin};
use crate::diagnostics::{Colour, for_people};
use crate::run_support::{definition_of, run_with};

/// A file with a mistake of a kind.
pub(crate) struct Sample {
    pub(crate) code: Code,
    /// What the code means, in a sentence.
    pub(crate) meaning: &'static str,
    text: Vec<u8>,
    /// Changes what plugins there are.
    catalog: fn(&mut Catalog),
}

fn sample(code: Code, meaning: &'static str, text: impl Into<Vec<u8>>) -> Sample {
    Sample { code, meaning, text: text.into(), catalog: |_| {} }
}

fn with_plugins(code: Code, meaning: &'static str, text: &str, catalog: fn(&mut Catalog)) -> Sample {
    Sample { code, meaning, text: text.into(), catalog }
}

impl Sample {
    pub(crate) fn shown_by_check(&self) -> String {
        let mut known = catalog();
        (self.catalog)(&mut known);
        let (source, checked) = check_text(&self.text, &known);
        for_people(&checked.diagnostics, &[&source], Colour::Off)
    }

    pub(crate) async fn shown_by_run(&self) -> String {
        let text = std::str::from_utf8(&self.text).unwrap();
        let definition = definition_of(text, &[]);
        let folder = tempfile::tempdir().unwrap();
        let settings = RunSettings::default().lists(folder.path());
        let report = run_with(definition.clone(), settings).await;
        let error = report.outputs.unwrap_err();
        let found = error.diagnostic(&definition).unwrap();
        let mut shown = for_people(&[found], &[definition.document().source()], Colour::Off);
        let (mut said, mut cause) = (error.to_string(), std::error::Error::source(&error));
        while let Some(error) = cause {
            if !said.ends_with(&error.to_string()) {
                shown.push_str(&format!("  because: {error}\n"));
            }
            (said, cause) = (error.to_string(), error.source());
        }
        shown
    }
}

const LOAD: &str = "name: sample\nnodes:\n  load: { type: read, with: { path: rows.jsonl } }\n";

/// Mistakes of a file, in the order of the codes.
#[expect(clippy::too_many_lines, reason = "a table, an entry for each code")]
pub(crate) fn before() -> Vec<Sample> {
    let nodes = |rest: &str| format!("{LOAD}{rest}");
    let head =
        |section: &str| format!("name: sample\n{section}\n{}", LOAD.strip_prefix("name: sample\n").unwrap());
    vec![
        sample(Code::NotUtf8, "The file holds bytes that are no UTF-8.", b"name: caf\xe9\n".to_vec()),
        sample(Code::EmptyFile, "The file holds nothing, or comments alone.", "# later\n"),
        sample(
            Code::InvalidYaml,
            "The file does not follow the grammar of YAML.",
            "name: sample\nnodes: { load: [\n",
        ),
        sample(
            Code::UnsupportedYaml,
            "YAML that has no meaning here, such as tags, merge keys and a second document.",
            nodes("  <<: 1\n"),
        ),
        sample(
            Code::TooLarge,
            "The file is larger, nests deeper or expands to more than is allowed.",
            "[".repeat(100),
        ),
        sample(
            Code::DuplicateKey,
            "A mapping has the same key twice.",
            nodes("  load: { type: read, with: { path: more.jsonl } }\n"),
        ),
        sample(
            Code::UnknownKey,
            "A key that has no meaning in its place.",
            nodes("  more: { type: echo, retries: 3 }\n"),
        ),
        sample(
            Code::MissingKey,
            "A key without which the file has no meaning.",
            nodes("  more: { with: { a: 1 } }\n"),
        ),
        sample(
            Code::WrongType,
            "A value of another type than its key asks for.",
            nodes("  more: { type: echo, needs: load }\n"),
        ),
        sample(
            Code::InvalidValue,
            "A value of the right type that is not one of those allowed.",
            nodes("  more: { type: echo, timeout: soon }\n"),
        ),
        sample(
            Code::InvalidName,
            "A name of a node, a plugin or an item that breaks the rules of names.",
            nodes("  More: { type: echo }\n"),
        ),
        sample(
            Code::Secret,
            "The name of a secret where nothing would put the secret in its place.",
            nodes("  more: { type: echo, with: { key: \"${secret:key}\" } }\n"),
        ),
        sample(
            Code::UnknownNodeType,
            "No active plugin provides the type of a node, or a validator.",
            nodes("  more: { type: eco }\n"),
        ),
        sample(
            Code::InvalidConfig,
            "Settings that do not follow the schema of the plugin, or that a plugin finds wrong.",
            nodes("  more: { type: read, with: { path: 1 } }\n"),
        ),
        with_plugins(
            Code::BrokenSchema,
            "The plugin's own schema is not a JSON Schema.",
            &nodes("  more: { type: odd }\n"),
            |catalog| {
                catalog.plugins.push(plugin(
                    "odd",
                    "",
                    Origin::BuiltIn,
                    &[("odd", r#"{ "type": "thing" }"#)],
                ));
            },
        ),
        sample(
            Code::InvalidTemplate,
            "A template or an expression that does not follow the grammar.",
            nodes("  more: { type: echo, with: { a: \"{{ load. }}\" } }\n"),
        ),
        sample(
            Code::UnknownReference,
            "A node, an input or an item that does not exist where it is named.",
            nodes("  more: { type: echo, with: { a: \"{{ laod.items }}\" } }\n"),
        ),
        sample(
            Code::Cycle,
            "Nodes that wait for each other.",
            "name: sample\nnodes:\n  a: { type: echo, with: { b: \"{{ b }}\" } }\n  b: { type: echo, needs: [a] }\n",
        ),
        sample(
            Code::MissingPlugin,
            "A plugin that is not there, or is broken.",
            head("plugins: { transfrom: {} }"),
        ),
        sample(
            Code::PluginVersion,
            "A plugin in a version that the file does not accept.",
            head("plugins: { redact: { path: plugins/redact, version: ^2 } }"),
        ),
        with_plugins(
            Code::MissingGrant,
            "A plugin asks for what it was not granted.",
            &head("plugins: { redact: { path: plugins/redact, grants: {} } }"),
            |catalog| {
                let redact = catalog.plugins.iter_mut().find(|plugin| plugin.name() == "redact").unwrap();
                redact.refused.push("it may not read `input.with.prompt`, which it needs".into());
            },
        ),
        with_plugins(
            Code::MissingDependency,
            "A plugin needs another one that is not active, or not in that version.",
            &head("plugins: { needy: {} }"),
            |catalog| {
                let needs = r#", "depends_on": [{ "id": "clock", "version": "^9" }]"#;
                catalog.plugins.push(plugin("needy", needs, Origin::BuiltIn, &[]));
            },
        ),
        sample(
            Code::MissingPart,
            "A pipeline in another file that cannot be read, or would run inside itself.",
            nodes("  more: { pipeline: other.yaml }\n"),
        ),
    ]
}

/// What a run can end with, in the order of the codes.
pub(crate) fn during() -> Vec<Sample> {
    let nodes = |nodes: &str| format!("name: sample\nnodes:\n{nodes}");
    vec![
        sample(
            Code::Evaluation,
            "A template or condition that was evaluated, and gave no value.",
            nodes("  a: { value: 1 }\n  b: { type: echo, with: { x: \"{{ a.b }}\" } }\n"),
        ),
        sample(
            Code::NodeFailed,
            "The handler of a node, or a hook around it, answered with an error.",
            nodes("  a: { type: pick, map: { over: [1, 2] }, with: { bad: \"{{ item == 2 }}\" } }\n"),
        ),
        sample(
            Code::NotAList,
            "A node maps over something that is no list.",
            nodes("  a: { value: 1 }\n  b: { type: echo, map: { over: \"{{ a }}\" } }\n"),
        ),
        sample(
            Code::Timeout,
            "A step took longer than it may, or was silent for longer.",
            nodes("  a: { type: slow, with: { ms: 60000 }, timeout: 5s }\n"),
        ),
        sample(
            Code::InvalidOutput,
            "The output of a step does not follow its schema, or a validator finds it wrong.",
            nodes(
                "  a: { type: echo, with: { label: bag }, output_schema: { properties: { label: { enum: [bug, question] } } } }\n",
            ),
        ),
        sample(
            Code::LoopLimit,
            "A loop was not done after as many turns as it may have.",
            nodes("  a: { type: count, while: { when: last != 0, max: 3 } }\n"),
        ),
        sample(
            Code::Budget,
            "A step used up more than it may.",
            nodes("  a: { type: ask, with: { times: 9 }, budget: { tokens: 20 } }\n"),
        ),
        sample(
            Code::TooLong,
            "A step names all rows of a list that is too long for memory.",
            nodes(
                "  a: { type: numbers, with: { rows: 100000, pages: 120 } }\n  b: { value: \"{{ a.items | sum }}\" }\n",
            ),
        ),
        sample(
            Code::DeadLetter,
            "What failed cannot be added to the file of dead letters.",
            nodes("  a: { type: fail, on_error: { dead_letter: failed.jsonl } }\n"),
        ),
        sample(
            Code::RunLimit,
            "A run took or used up more than it may.",
            "name: sample\nlimits: { steps: 3 }\nnodes:\n  a: { type: count, map: { over: [1, 2, 3, 4] } }\n",
        ),
    ]
}
