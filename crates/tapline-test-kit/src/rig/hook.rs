use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use tapline::core::{CollectPoint, HookKind, Manifest, Object, Payload, PointDeclaration, ValueError};
use tapline::{CallError, Failure, HookError, HookPoint, Host, Value};

use super::{Answer, RigError};

/// A call of a hook point: what its hooks see, and what is inside them.
#[derive(Debug, Clone, PartialEq)]
pub struct HookCall {
    input: Value,
    context: Object,
    facts: BTreeMap<String, String>,
    inside: Answer,
}

/// What came of a call of a hook point.
#[derive(Debug, Clone)]
pub struct HookOutcome {
    /// What the caller got.
    pub output: Result<Value, HookError>,
    /// What reached the inside, each time that it was reached.
    pub reached: Vec<Value>,
}

impl HookCall {
    /// A call with this input; what is inside answers with what it gets.
    #[must_use]
    pub fn new(input: impl Into<Value>) -> Self {
        let (context, facts) = (Object::new(), BTreeMap::new());
        Self { input: input.into(), context, facts, inside: Answer::Value(Value::Null) }
    }

    /// Puts a value beside the input, as points do that say what a call is about: `node` at `node.execute`.
    #[must_use]
    pub fn beside(mut self, name: &str, value: Value) -> Self {
        self.context.insert(name.into(), value);
        self
    }

    /// Says what the `when` of a hook can ask for.
    #[must_use]
    pub fn fact(mut self, name: &str, value: &str) -> Self {
        self.facts.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Says what the inside answers.
    #[must_use]
    pub fn inside(mut self, answer: impl Into<Answer>) -> Self {
        self.inside = answer.into();
        self
    }
}

/// A hook point of the kind that the plugin's hooks are for.
#[derive(Debug, Clone)]
pub(super) enum Stage {
    Chain(HookPoint<Staged, Value>),
    Answers(CollectPoint<Staged, Value>),
}

impl Stage {
    /// Declares a point at which everything is that the plugin asks for.
    pub(super) fn declare(host: &Host, point: &str, manifest: &Manifest) -> Result<Self, RigError> {
        let asked = &manifest.requires.context;
        let roots = asked.read.patterns().chain(asked.write.patterns());
        let roots: BTreeSet<_> = roots.filter_map(|path| path.split('.').next()).collect();
        let beside = roots.into_iter().filter(|root| !["input", "output", "error"].contains(root));
        let declaration = beside.fold(PointDeclaration::new(point), |declaration, root| {
            declaration.context(root, Value::Bool(true))
        });
        let mut hooks = manifest.hooks.iter().filter(|hook| *hook.point == *point);
        Ok(match hooks.any(|hook| hook.kind == HookKind::Answer) {
            true => Self::Answers(host.collect_point(declaration)?),
            false => Self::Chain(host.hook_point(declaration)?),
        })
    }

    pub(super) async fn call(&self, call: HookCall) -> HookOutcome {
        let HookCall { input, context, facts, inside } = call;
        let staged = Staged { input, context, facts };
        match self {
            Self::Answers(point) => HookOutcome {
                output: point
                    .call(&staged)
                    .await
                    .map(|answers| answers.into_iter().map(|one| one.value).collect()),
                reached: Vec::new(),
            },
            Self::Chain(point) => {
                let reached = Arc::new(Mutex::new(Vec::new()));
                let core = |staged: Staged| {
                    reached.lock().unwrap_or_else(PoisonError::into_inner).push(staged.input);
                    answered(inside.clone())
                };
                let output = point.call(staged, core).await;
                let reached = std::mem::take(&mut *reached.lock().unwrap_or_else(PoisonError::into_inner));
                HookOutcome { output, reached }
            }
        }
    }
}

async fn answered(inside: Answer) -> Result<Value, CallError> {
    match inside {
        Answer::Value(value) => Ok(value),
        Answer::Failure { code, message } => Err(Failure::new(code, message).into()),
        Answer::Oversized(bytes) => Ok("x".repeat(bytes).into()),
        Answer::Slow(time, value) => {
            tokio::time::sleep(time).await;
            Ok(value)
        }
        Answer::Trap => Err(super::answer::trap()),
        Answer::Never => std::future::pending().await,
        Answer::Reentrant { .. } => {
            Err(Failure::new("not-answerable", "what is inside of a hook has no plugin to call").into())
        }
    }
}

/// The input of a point, with what stands beside it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Staged {
    input: Value,
    #[serde(skip)]
    context: Object,
    #[serde(skip)]
    facts: BTreeMap<String, String>,
}

impl Payload for Staged {
    fn to_value(&self) -> Result<Value, ValueError> {
        Ok(self.input.clone())
    }

    fn from_value(input: &Value) -> Result<Self, ValueError> {
        Ok(Self { input: input.clone(), context: Object::new(), facts: BTreeMap::new() })
    }

    fn context(&self) -> Result<Object, ValueError> {
        let mut context = self.context.clone();
        context.insert("input".into(), self.input.clone());
        Ok(context)
    }

    fn absorb(&mut self, input: &Value) -> Result<(), ValueError> {
        self.input = input.clone();
        Ok(())
    }

    fn fact(&self, name: &str) -> Option<&str> {
        self.facts.get(name).map(String::as_str)
    }
}
