use serde_json::json;
use tapline_test_kit::CaseResult;

use crate::output::Output;
use crate::{Ending, error};

/// Says what came of a case, to people.
pub(crate) fn show(result: &CaseResult) {
    Output::Error.text(error::visible(result));
}

/// Says what came of all cases, and how the command ends by it.
pub(crate) fn conclude(results: &[CaseResult], as_json: bool) -> Ending {
    let failed = results.iter().filter(|result| !result.has_passed()).count();
    let passed = results.len() - failed;
    if as_json {
        Output::Standard.line(json!(results.iter().map(described).collect::<Vec<_>>()));
    }
    Output::Error.line(format_args!("{passed} passed, {failed} failed"));
    if failed == 0 { Ending::Done } else { Ending::Failed }
}

fn described(result: &CaseResult) -> serde_json::Value {
    let mismatches: Vec<_> = result.mismatches.iter().map(ToString::to_string).collect();
    json!({
        "name": result.name,
        "place": result.place,
        "passed": result.has_passed(),
        "mismatches": mismatches,
        "log": result.log,
    })
}

/// A number of things, in words: `1 answer`, `2 answers`.
pub(crate) fn counted(number: usize, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}
