use tapline::Value;
use tapline::core::Object;
use tapline::pipeline::{NodeReport, NodeState, RunReport};
use tapline_test_kit::Mismatch;

use super::file::{Expect, ExpectedNode};
use super::mocks::Mocks;

/// Holds what came of a run against what is expected of it.
pub(super) fn compare(expect: &Expect, report: RunReport, mocks: &Mocks) -> Vec<Mismatch> {
    let RunReport { outputs, nodes, .. } = report;
    let outcome = outputs.map_err(|error| format!("{:#}", anyhow::Error::new(error)));
    check_outcome(expect, outcome).into_iter().chain(check_nodes(expect, &nodes, mocks)).collect()
}

fn check_outcome(expect: &Expect, outcome: Result<Object, String>) -> Option<Mismatch> {
    match (outcome, &expect.error) {
        (Ok(outputs), None) => check_outputs(expect, &outputs),
        (Ok(_), Some(expected)) => {
            Some(Mismatch::other("there is no error", format!("expected: {}", expected.value)))
        }
        (Err(found), Some(expected)) if found.contains(&expected.value) => None,
        (Err(found), Some(expected)) => Some(Mismatch::difference("error", &expected.value, &found)),
        (Err(found), None) => Some(Mismatch::other("an error", found)),
    }
}

fn check_outputs(expect: &Expect, outputs: &Object) -> Option<Mismatch> {
    let expected = expect.outputs.0.iter().map(|(name, value)| (name.value.as_str(), value.clone()));
    let found = expect.outputs.0.iter().map(|(name, _)| {
        (name.value.as_str(), outputs.get(name.value.as_str()).cloned().unwrap_or_default())
    });
    Mismatch::values("outputs", &expected.collect(), &found.collect())
}

fn check_nodes(expect: &Expect, reports: &[NodeReport], mocks: &Mocks) -> Option<Mismatch> {
    let nodes = || expect.nodes.0.iter().map(|(id, node)| (id.value.as_str(), node));
    let expected = nodes().map(|(id, node)| {
        (id, described(node, node.state.map(|state| state.as_str().into()), node.output.clone()))
    });
    let found = nodes().map(|(id, node)| {
        let state = reports.iter().find(|report| *report.id == *id).map(|report| report.state);
        let output = if state == Some(NodeState::Done) { mocks.output(id) } else { None };
        (id, described(node, state.map(|state| state.to_string().into()), output))
    });
    Mismatch::values("nodes", &expected.collect(), &found.collect())
}

/// What the case asks of a node, and nothing else.
fn described(asked: &ExpectedNode, state: Option<Value>, output: Option<Value>) -> Value {
    let state = asked.state.map(|_| ("state", state.unwrap_or_default()));
    let output = asked.output.as_ref().map(|_| ("output", output.unwrap_or_default()));
    state.into_iter().chain(output).collect()
}
