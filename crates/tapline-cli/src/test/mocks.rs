use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use tapline::core::{Priority, Request, ambient, within_ambient};
use tapline::pipeline::Engine;
use tapline::{Failure, Hook, HookError, HookPoint, PluginId, Value};
use tapline_test_kit::Mismatch;

use super::complaints::Complaints;
use super::file::{Case, Mock};
use crate::results::counted;

/// Answers in the place of nodes, and sees what all nodes have answered.
///
/// The hooks of plugins stay around a node that is mocked, as they are around its handler.
pub(super) struct Mocks {
    answers: HashMap<String, Mock>,
    /// How often each node was asked.
    turns: Mutex<HashMap<String, usize>>,
    outputs: Mutex<HashMap<String, Value>>,
    complaints: Arc<Complaints>,
}

/// Which call of its node the current one is, from 0.
struct Turn(usize);

/// The name under which the hooks of mocks stand in explanations.
const NAME: &str = "tapline-test-mocks";

impl Mocks {
    pub(super) fn new(case: &Case, complaints: Arc<Complaints>) -> Arc<Self> {
        let answers = case.mocks.0.iter().map(|(id, mock)| (id.value.clone(), mock.clone())).collect();
        Arc::new(Self { answers, turns: Mutex::default(), outputs: Mutex::default(), complaints })
    }

    /// Joins in around the nodes of an engine.
    pub(super) fn join(self: &Arc<Self>, engine: &Engine) -> Result<()> {
        let point = engine.node_execute();
        let hooks = vec![self.counting(point)?, self.answering(point)?];
        Ok(engine.host().join(&PluginId::new(NAME)?, hooks)?)
    }

    /// What a node has answered last.
    pub(super) fn output(&self, id: &str) -> Option<Value> {
        self.outputs.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }

    /// Outermost, so that items have their turns in their order, however long the hooks around each take.
    fn counting(self: &Arc<Self>, point: &HookPoint<Request, Value>) -> Result<Hook> {
        let mocks = Arc::clone(self);
        let hook = point.around("count", move |request, next| {
            let (mocks, id) = (Arc::clone(&mocks), id(&request));
            let turn = Arc::new(Turn(mocks.turn(&id)));
            Box::pin(async move {
                let outcome = within_ambient(turn, next.call(request)).await;
                if let Ok(output) = &outcome {
                    let mut outputs = mocks.outputs.lock().unwrap_or_else(PoisonError::into_inner);
                    outputs.insert(id, output.clone());
                }
                outcome
            })
        });
        Ok(hook.priority(Priority::new(0)?))
    }

    /// Innermost, in the place of the handler.
    fn answering(self: &Arc<Self>, point: &HookPoint<Request, Value>) -> Result<Hook> {
        let mocks = Arc::clone(self);
        let hook = point.around("answer", move |request, next| match mocks.answer(&id(&request)) {
            Some(answer) => {
                let answer = answer.map_err(|failure| HookError::arisen_in_core(failure.into()));
                Box::pin(std::future::ready(answer))
            }
            None => next.call(request),
        });
        Ok(hook.priority(Priority::new(100)?))
    }

    fn turn(&self, id: &str) -> usize {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = turns.entry(id.to_owned()).or_default();
        *turn += 1;
        *turn - 1
    }

    fn answer(&self, id: &str) -> Option<Result<Value, Failure>> {
        let mock = self.answers.get(id)?;
        let turn = ambient::<Turn>().map_or(0, |turn| turn.0);
        let answer = match mock {
            Mock::Always(answer) => Some(answer),
            Mock::InTurn(answers) => answers.get(turn),
        };
        let Some(answer) = answer else {
            let answers = counted(mock.answers().len(), "answer");
            let said = format!("node `{id}` is called {} times, and its mock has {answers}", turn + 1);
            self.complaints.add(Mismatch::other("a mock has no answer left", said));
            return Some(Err(Failure::new("no-answer", "its mock has no answer left")));
        };
        Some(match &answer.error {
            Some(error) => Err(Failure::new("mock", error.as_str())),
            None => Ok(answer.output.clone().unwrap_or_default()),
        })
    }
}

fn id(request: &Request) -> String {
    request.subject.get("id").and_then(Value::as_str).unwrap_or_default().to_owned()
}
