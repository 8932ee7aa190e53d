//! The example prints what the README shows.

#![expect(clippy::disallowed_methods, reason = "a test that starts the example")]

use std::process::Command;

#[test]
fn the_example_prints_what_the_readme_shows() {
    let output = Command::new(env!("CARGO_BIN_EXE_embed")).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let readme = include_str!("../../../README.md");
    let shown =
        readme.split("cargo run -p embed\n```\n\n```text\n").nth(1).unwrap().split("```").next().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), shown);
}
