//! Every command and example in the docs runs as it stands.

use std::fs;

use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag};

use crate::support::{Workplace, repository};

/// The Markdown files in a folder of the repository, whatever lies below it left out.
fn pages(folder: &str) -> Vec<String> {
    let entries = fs::read_dir(repository().join(folder)).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.ends_with(".md")).map(|name| format!("{folder}/{name}")).collect()
}

/// The code blocks of a language in a page.
pub(crate) fn blocks(page: &str, language: &str) -> Vec<String> {
    let text = fs::read_to_string(repository().join(page)).unwrap();
    let mut found = Vec::new();
    let mut is_inside = false;
    for event in Parser::new(&text) {
        match event {
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) => {
                is_inside = &*info == language;
                if is_inside {
                    found.push(String::new());
                }
            }
            Event::Text(text) if is_inside => found.last_mut().unwrap().push_str(&text),
            Event::End(_) => is_inside = false,
            _ => {}
        }
    }
    found
}

#[test]
fn every_command_in_the_docs_runs_as_it_stands_and_in_its_order() {
    let mut count = 0;
    for page in pages("docs") {
        let workplace = Workplace::triage();
        workplace.shares_builds();
        let commands = blocks(&page, "sh");
        for line in commands.iter().flat_map(|block| block.lines()) {
            let Some(words) = line.strip_prefix("tapline ") else { continue };
            // It goes on until somebody ends it; it has a test of its own.
            if words.starts_with("plugin dev") {
                continue;
            }
            let said = workplace.tapline(words);
            assert_eq!(said.code, 0, "{page}: {line}\n{}", said.err);
            count += 1;
        }
    }
    assert!(count >= 3, "the docs show how the command is used");
}

#[test]
fn every_pipeline_in_the_page_of_a_plugin_runs_and_in_its_order() {
    for page in ["docs/plugin-io.md", "docs/plugin-openai.md", "docs/plugin-schema.md"] {
        let workplace = Workplace::triage();
        for pipeline in blocks(page, "yaml").iter().filter(|block| block.starts_with("name: ")) {
            workplace.write("pipeline.yaml", pipeline);
            let said = workplace.tapline("run pipeline.yaml");
            assert_eq!(said.code, 0, "{page}: {pipeline}\n{}", said.err);
        }
    }
}

#[test]
fn every_command_in_any_page_names_a_verb_and_flags_that_exist() {
    let workplace = Workplace::new();
    for page in [".", "docs", "docs/reference", "fuzz"].into_iter().flat_map(pages) {
        for line in blocks(&page, "sh").iter().flat_map(|block| block.lines()) {
            let starts = ["tapline ", "cargo run --release -- "];
            let Some(words) = starts.iter().find_map(|start| line.strip_prefix(start)) else { continue };
            // Help is shown as soon as all that stands before it is known, whether or not anything is missing.
            let said = workplace.tapline(&format!("{words} --help"));
            assert_eq!(said.code, 0, "{page}: {line}\n{}", said.err);
        }
    }
}

#[test]
fn the_first_pipeline_of_the_docs_is_the_one_that_init_writes() {
    let workplace = Workplace::new();
    workplace.tapline("init hello");
    let written = workplace.read("hello/pipeline.yaml");
    let without_comments: Vec<_> = written.lines().filter(|line| !line.trim().starts_with('#')).collect();
    assert_eq!(blocks("docs/pipeline.md", "yaml")[0].lines().collect::<Vec<_>>(), without_comments);
}

#[test]
fn every_key_of_the_settings_is_documented_and_the_example_is_without_mistakes() {
    let page = fs::read_to_string(repository().join("docs/settings.md")).unwrap();
    for (table, keys) in tapline::host::Settings::KEYS {
        assert!(page.contains(&format!("## `[{table}]`")), "{table} is not documented");
        for key in keys {
            assert!(page.contains(&format!("| `{key}` |")), "{table}.{key} is not documented");
        }
    }
    let workplace = Workplace::triage();
    workplace.write("tapline.toml", &blocks("docs/settings.md", "toml")[0]);
    let said = workplace.tapline("check pipeline.yaml");
    assert_eq!(said.err, "pipeline.yaml: no mistakes\n");
}

/// What stands in a page below the heading of a verb.
fn section<'p>(page: &'p str, heading: &str) -> &'p str {
    let parts = page.split_once(&format!("## `{heading}`\n"));
    assert!(parts.is_some(), "{heading} is not documented");
    parts.unwrap().1.split("\n## ").next().unwrap()
}

#[test]
fn every_verb_and_flag_is_documented() {
    let guide = fs::read_to_string(repository().join("docs/command.md")).unwrap();
    let reference = fs::read_to_string(repository().join("docs/reference/command.md")).unwrap();
    let everywhere = [section(&reference, "tapline"), section(&guide, "--help` and `--version")].concat();
    let workplace = Workplace::new();
    let mut open = vec![Vec::<String>::new()];
    while let Some(verb) = open.pop() {
        let help = workplace.start(verb.iter().map(String::as_str).chain(["--help"]));
        assert_eq!(help.code, 0);
        let heading = format!("tapline {}", verb.join(" "));
        let commands = help.out.split("Commands:\n").nth(1).and_then(|rest| rest.split("\n\n").next());
        let verbs: Vec<_> =
            commands.into_iter().flat_map(str::lines).filter_map(|l| l.split_whitespace().next()).collect();
        for inner in verbs.iter().filter(|inner| **inner != "help") {
            open.push(verb.iter().cloned().chain([(*inner).to_owned()]).collect());
        }
        assert!(
            !verbs.is_empty() || guide.contains(&format!("## `{heading}")),
            "{heading} is not documented"
        );
        let section = section(&reference, heading.trim());
        for flag in help.out.split_whitespace().filter(|word| word.starts_with("--")) {
            let flag = flag.trim_end_matches([',', '.', ']', '`']);
            let is_documented = section.contains(flag) || everywhere.contains(flag);
            assert!(is_documented, "{heading} {flag} is not documented");
        }
    }
}

#[test]
fn the_guide_of_each_family_shows_what_the_command_writes() {
    let workplace = Workplace::new();
    let families = [
        ("words", "handler"),
        ("backwards", "provider"),
        ("brief", "validator"),
        ("stopwatch", "extension"),
        ("survey", "integration"),
    ];
    let mut written = String::new();
    for (name, family) in families {
        assert_eq!(workplace.tapline(&format!("plugin new {name} --type {family}")).code, 0);
        for file in ["src/lib.rs", &format!("cases/{name}.yaml")] {
            written.push_str(&workplace.read(&format!("{name}/{file}")));
        }
    }
    written.push_str(&fs::read_to_string(repository().join("examples/triage/pipeline.test.yaml")).unwrap());
    // Who gives no capability has an empty list of them, which a guide need not show.
    for (page, language) in [
        ("docs/plugin-types.md", "rust,ignore"),
        ("docs/first-plugin.md", "rust,ignore"),
        ("docs/testing.md", "yaml"),
    ] {
        for block in blocks(page, language) {
            assert!(written.contains(&*block), "{page} shows what is not written:\n{block}");
        }
    }
}
