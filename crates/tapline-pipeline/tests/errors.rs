//! The page of the docs that shows every kind of mistake: each is made here, and shown as a person reads it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

// The renderer of the command finds the engine under the name that the facade gives it.
extern crate self as tapline;
pub use tapline_pipeline as pipeline;

#[expect(dead_code, reason = "other tests use the rest")]
#[path = "../../tapline-cli/src/diagnostics.rs"]
mod diagnostics;
#[expect(dead_code, reason = "other tests use the rest")]
#[path = "check/support.rs"]
mod check_support;
#[expect(dead_code, reason = "other tests use the rest")]
#[path = "run/support.rs"]
mod run_support;
#[path = "errors/samples.rs"]
mod samples;

use std::fmt::Write as _;

use expect_test::expect_file;
use tapline_pipeline::Code;

use samples::{Sample, before, during};

const HEAD: &str = "# Errors

<!-- Written by `UPDATE_EXPECT=1 cargo test -p tapline-pipeline --test errors`. -->

Every kind of mistake that a pipeline file can have, and of failure that a run can end with, by its code.
Each is shown as `tapline` shows it; `--format json` and `--json` have the same as fields.
`tapline check` finds all of the first part in one pass, without running anything.
";

#[tokio::test(start_paused = true)]
async fn the_page_shows_every_code_as_a_person_reads_it() {
    let mut page = HEAD.to_owned();
    let (checks, runs) = (before(), during());
    section(&mut page, "Before a run", checks.iter().map(|sample| (sample, sample.shown_by_check())));
    let mut shown = Vec::new();
    for sample in &runs {
        shown.push((sample, sample.shown_by_run().await));
    }
    section(&mut page, "During a run", shown.into_iter());
    expect_file!["../../../docs/errors.md"].assert_eq(&page);

    let samples = checks.iter().chain(&runs).map(|sample| sample.code);
    let mut codes: Vec<_> = samples.collect();
    codes.dedup();
    assert_eq!(codes, Code::ALL, "one sample for each code, in their order");
}

fn section<'s>(page: &mut String, title: &str, samples: impl Iterator<Item = (&'s Sample, String)>) {
    writeln!(page, "\n## {title}").unwrap();
    for (sample, shown) in samples {
        let marker = format!("[{}]", sample.code);
        assert!(shown.contains(&marker), "{marker} is not in\n{shown}");
        let shown =
            shown.trim_end().lines().map(|line| line.trim_end().to_owned() + "\n").collect::<String>();
        write!(page, "\n### `{}`\n\n{}\n\n```text\n{shown}```\n", sample.code, sample.meaning).unwrap();
    }
}
