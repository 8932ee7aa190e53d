use std::collections::BTreeMap;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use tapline::core::{BoxFuture, CallTarget, Contribution, Handler, METHODS, Origin, Request};
use tapline::{CallError, Failure, Fault, Host, PluginId, Value};
use tokio::time::sleep;

use super::seen::{Seen, SeenCall};
use super::{RigError, setup::Answering};

/// What somebody answers the plugin that is tested: rightly, or in one of the ways in which neighbours go wrong.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// This value. One of another shape than was asked for is a lie, which the plugin has to notice.
    Value(Value),
    /// An error.
    Failure {
        /// Its code.
        code: String,
        /// What it says.
        message: String,
    },
    /// Nothing, ever: the plugin's patience ends it.
    Never,
    /// This value, so long after it was asked for.
    Slow(Duration, Value),
    /// What a plugin answers that breaks, as by a trap.
    Trap,
    /// A text of so many bytes.
    Oversized(usize),
    /// What the plugin itself answers to another request, so that it is entered a second time meanwhile.
    Reentrant {
        /// The method of the plugin that is called.
        method: String,
        /// What it is asked.
        request: Value,
    },
}

impl From<Value> for Answer {
    fn from(value: Value) -> Self {
        Self::Value(value)
    }
}

/// Answers for all that the plugin may call, as one target.
struct Neighbour {
    target: String,
    methods: BTreeMap<String, Answering>,
    /// The plugin that is tested.
    plugin: PluginId,
    host: Host,
    seen: Seen,
}

/// Has the host answer for the targets that the test answers for.
///
/// # Errors
/// When a target is none that can stand for a plugin.
pub(super) fn contribute(
    host: &Host,
    plugin: &PluginId,
    seen: &Seen,
    answers: BTreeMap<String, BTreeMap<String, Answering>>,
) -> Result<(), RigError> {
    for (number, (target, methods)) in answers.into_iter().enumerate() {
        let CallTarget::Contribution { point, key } = target.parse()? else {
            return Err(RigError::NotAnswerable { target });
        };
        let id = PluginId::new(&format!("neighbour{number}"))?;
        let neighbour =
            Neighbour { target, methods, plugin: plugin.clone(), host: host.clone(), seen: seen.clone() };
        let contribution = Contribution::new(point, key, id.clone(), Arc::new(neighbour));
        host.contribute(&id, vec![contribution])?;
    }
    Ok(())
}

impl Neighbour {
    async fn answer(&self, method: &str, request: Value) -> Result<Value, CallError> {
        let call =
            SeenCall { target: self.target.clone(), method: method.to_owned(), request: request.clone() };
        self.seen.note_call(call);
        let Some(answering) = self.methods.get(method) else {
            return Err(CallError::NoSuchMethod {
                target: self.target.clone(),
                method: method.to_owned(),
                methods: self.methods.keys().map(|name| name.as_str().into()).collect(),
            });
        };
        match answering(&request) {
            Answer::Value(value) => Ok(value),
            Answer::Failure { code, message } => Err(Failure::new(code, message).into()),
            Answer::Never => pending().await,
            Answer::Slow(time, value) => {
                sleep(time).await;
                Ok(value)
            }
            Answer::Trap => Err(trap()),
            Answer::Oversized(bytes) => Ok("x".repeat(bytes).into()),
            Answer::Reentrant { method, request } => {
                let request = Request::new(METHODS, self.plugin.as_str(), &method, request);
                let answer = self.host.request(request).await;
                answer.map_err(|error| error.cause().clone())
            }
        }
    }
}

/// The error of a plugin that broke.
pub(super) fn trap() -> CallError {
    Fault::Trap { message: "on purpose".into() }.into()
}

impl Handler for Neighbour {
    fn handle<'a>(
        &'a self,
        method: &'a Arc<str>,
        request: Value,
        _: Origin,
    ) -> BoxFuture<'a, Result<Value, CallError>> {
        Box::pin(self.answer(method, request))
    }
}
