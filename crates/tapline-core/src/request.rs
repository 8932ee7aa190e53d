use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::call::Caller;
use crate::payload::Payload;
use crate::stream::{Origin, Stream};
use crate::value::{INPUT, Object, Value, ValueError};

/// A request to a contribution, as the hook point around its extension point sees it.
///
/// In a plugin's context the request's body is `input`, and what it is about stands under the extension point's own
/// name: `node.id`, `provider.name`. A hook's `when` can ask for whatever text stands there.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Request {
    /// The extension point.
    pub point: Arc<str>,
    /// The contribution's key there.
    pub key: Arc<str>,
    /// What is asked of it.
    pub method: Arc<str>,
    /// What the request is about: an object.
    pub subject: Value,
    /// The request itself.
    pub input: Value,
    /// Where it comes from, and who reads along.
    #[serde(skip)]
    pub origin: Origin,
}

impl Request {
    /// A request that is about the contribution's name and the method.
    #[must_use]
    pub fn new(point: &str, key: &str, method: &str, input: Value) -> Self {
        let subject = Value::from_iter([("name", key.into()), ("method", method.into())]);
        Self {
            point: point.into(),
            key: key.into(),
            method: method.into(),
            subject,
            input,
            origin: Origin::default(),
        }
    }

    /// The same request, made by a plugin.
    #[must_use]
    pub fn made_by(mut self, caller: Caller) -> Self {
        self.origin.caller = Some(caller);
        self
    }

    /// The same request, whose answer is read while it is made.
    #[must_use]
    pub fn read_along(mut self, stream: Stream) -> Self {
        self.origin.stream = Some(stream);
        self
    }

    /// The same request, about something else.
    #[must_use]
    pub fn about(mut self, subject: Value) -> Self {
        self.subject = subject;
        self
    }
}

impl Payload for Request {
    fn context(&self) -> Result<Object, ValueError> {
        let subject = (Arc::clone(&self.point), self.subject.clone());
        Ok(Object::from_iter([subject, (INPUT.shared(), self.input.clone())]))
    }

    fn absorb(&mut self, input: &Value) -> Result<(), ValueError> {
        self.input = input.clone();
        Ok(())
    }

    fn fact(&self, name: &str) -> Option<&str> {
        self.subject.get(name)?.as_str()
    }
}
