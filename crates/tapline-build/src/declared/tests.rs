use super::*;

const PLACES: &str =
    r#"{ "plugin": "/p/plugin.py:3", "hook[0]": "/p/plugin.py:9", "hook[1]": "/p/plugin.py:14" }"#;

fn declared(parts: &str) -> Result<Manifest, String> {
    let printed = format!(
        r#"{{ "manifest": {{ "plugin": {{ "id": "shout", "version": "1.0.0" }} {parts} }}, "places": {PLACES} }}"#
    );
    manifest(printed.as_bytes(), Path::new("/p")).map_err(|error| error.to_string())
}

#[track_caller]
fn refused(parts: &str, expected: &str) {
    assert_eq!(declared(parts).unwrap_err(), expected);
}

#[test]
fn a_declaration_becomes_a_manifest_of_this_contract_for_the_sandbox() {
    let manifest = declared(r#", "hook": [{ "name": "a", "point": "p", "kind": "around" }]"#).unwrap();
    assert_eq!(manifest.plugin.host.to_string(), format!("^{CONTRACT}"));
    assert_eq!(toml::from_str::<Manifest>(&text(&manifest).unwrap()).unwrap(), manifest);
}

#[test]
fn a_mistake_is_told_with_the_line_of_the_innermost_part_that_has_one() {
    let hooks =
        |second: &str| format!(r#", "hook": [{{ "name": "a", "point": "p", "kind": "around" }}, {second}]"#);
    refused(
        &hooks(r#"{ "name": "b", "point": "p", "kind": "around", "priority": 101 }"#),
        "plugin.py:14: `priority`: 101 is not a priority: a whole number from 0 (outermost) to 100",
    );
    refused(
        &hooks(r#"{ "name": "b", "point": "p", "kind": "before", "repeats": true }"#),
        "plugin.py:14: `repeats` is for hooks of kind around, and `b` is of kind before",
    );
    refused(
        r#", "requires": { "disk": true }"#,
        "`requires.disk`: unknown field `disk`, expected one of `context`, `call`, `events`, `fs`, `clock`, `random`, \
         `network`, `processes`, `env`, `folders`, `http`, `secrets`",
    );
}

#[test]
fn what_the_authors_code_does_wrong_is_told_as_it_is_with_files_as_the_author_calls_them() {
    let printed = br#"{ "error": "File \"/p/plugin.py\", line 2\nValueError: no" }"#;
    let error = manifest(printed, Path::new("/p")).unwrap_err();
    assert_eq!(error.to_string(), "File \"plugin.py\", line 2\nValueError: no");
}
