use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tapline_core::{Failure, Level, Value};

use crate::Result;

#[cfg(not(target_family = "wasm"))]
mod native;
#[cfg(target_family = "wasm")]
mod sandboxed;

#[cfg(not(target_family = "wasm"))]
use native::Host;
#[cfg(target_family = "wasm")]
use sandboxed::Host;

/// What a subscription brings: an event, or the word that some were lost because the queue was full.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Event {
    /// An event.
    Event {
        /// What kind of thing happened.
        topic: String,
        /// What is to be known of it.
        payload: Value,
    },
    /// So many events were lost here.
    Lagged {
        /// How many.
        missed: u64,
    },
}

/// What an answer hook may answer with: an `Option` of a value, or `()` where no answer is expected.
pub trait Answer {
    #[doc(hidden)]
    fn give(self, context: &Context) -> Result<()>;
}

impl Answer for () {
    fn give(self, _: &Context) -> Result<()> {
        Ok(())
    }
}

impl<T: Serialize + 'static> Answer for Option<T> {
    fn give(self, context: &Context) -> Result<()> {
        self.map_or(Ok(()), |answer| context.answer(answer))
    }
}

/// What a plugin reads, writes and asks for while it answers one call.
///
/// Paths are dotted: `input.user.name`, `output.items.0`. A plugin reaches the paths under `requires.context` that
/// it was granted; the request and answer of a handler need no grant. Use it within the call that it was given for,
/// and await [`next`](Self::next) there: in another task, nothing answers.
#[derive(Debug)]
pub struct Context(Host);

impl Context {
    #[cfg(not(target_family = "wasm"))]
    pub(crate) const fn new(context: std::sync::Arc<tapline_core::CallContext>) -> Self {
        Self(Host(context))
    }

    #[cfg(target_family = "wasm")]
    pub(crate) const fn new() -> Self {
        Self(Host)
    }

    /// The value at a path; `None` when there is nothing.
    ///
    /// # Errors
    /// With the code `denied` when the path is not granted for reading.
    pub fn get(&self, path: &str) -> Result<Option<Value>> {
        self.0.get(path)
    }

    /// The value at a path, as a type of the plugin's; nothing counts as `null`.
    ///
    /// # Errors
    /// As [`get`](Self::get), and with the code `wrong-type` when the value has not the shape of the type.
    pub fn read<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        let value = self.get(path)?.unwrap_or_default();
        value.to().map_err(|error| Failure::new("wrong-type", format!("`{path}`: {error}")))
    }

    /// Puts a value at a path, creating objects on the way.
    ///
    /// # Errors
    /// With the code `denied` when the path is not granted for writing, and `no-such-path` when it goes through a
    /// value without parts.
    pub fn set(&self, path: &str, value: Value) -> Result<()> {
        self.0.set(path, value)
    }

    /// Puts a value of the plugin's own types at a path.
    ///
    /// # Errors
    /// As [`set`](Self::set), and with the code `wrong-type` when the value cannot be expressed as JSON.
    pub fn write<T: Serialize>(&self, path: &str, value: T) -> Result<()> {
        let value = Value::from_serialize(&value)
            .map_err(|error| Failure::new("wrong-type", format!("`{path}`: {error}")))?;
        self.set(path, value)
    }

    /// Runs what is inside an around hook. What comes out is then at `output`.
    ///
    /// # Errors
    /// The inner error: return it to pass it on. `already-called` the second time, `no-next` elsewhere.
    pub async fn next(&self) -> Result<()> {
        self.0.next().await
    }

    /// Calls a contribution of another plugin, under `requires.call`, and waits five seconds at most.
    ///
    /// # Errors
    /// With the code `denied` without a grant, `no-such-contribution` when nobody makes it, `deadline-exceeded` when it
    /// takes too long and is ended, or with what it answers.
    pub async fn call<T: Serialize, R: DeserializeOwned>(
        &self,
        point: &str,
        key: &str,
        method: &str,
        request: &T,
    ) -> Result<R> {
        let wrong = |error| Failure::new("wrong-type", format!("`{method}` of `{point}/{key}`: {error}"));
        let request = Value::from_serialize(request).map_err(wrong)?;
        self.0.call(point, key, method, request).await?.to().map_err(wrong)
    }

    /// Publishes an event, under `requires.events.publish`, and says how many subscriptions it was queued for.
    ///
    /// # Errors
    /// With the code `denied` without a grant, `no-such-topic` when the topic is none.
    pub fn publish<T: Serialize>(&self, topic: &str, payload: &T) -> Result<usize> {
        let payload = Value::from_serialize(payload)
            .map_err(|error| Failure::new("wrong-type", format!("event `{topic}`: {error}")))?;
        self.0.publish(topic, payload)
    }

    /// Writes a line to the host's log.
    pub fn log(&self, level: Level, message: &str) {
        self.0.log(level, message);
    }

    #[doc(hidden)]
    pub fn configuration<T: DeserializeOwned>(&self) -> Result<T> {
        let config = match self.get("input")? {
            None | Some(Value::Null) => Value::Object(std::sync::Arc::default()),
            Some(config) => config,
        };
        config.to().map_err(|error| Failure::new("invalid-config", error.to_string()))
    }

    #[doc(hidden)]
    pub fn request<T: DeserializeOwned + 'static>(&self) -> Result<T> {
        let request = self.get("input")?.unwrap_or_default();
        // A handler that takes the value as it is gets it shared, not copied.
        let mut request = Some(request);
        if let Some(same) =
            (&mut request as &mut dyn std::any::Any).downcast_mut::<Option<T>>().and_then(Option::take)
        {
            return Ok(same);
        }
        request.unwrap_or_default().to().map_err(|error| Failure::new("invalid-request", error.to_string()))
    }

    #[doc(hidden)]
    pub fn event(&self) -> Result<Event> {
        self.read("input")
    }

    #[doc(hidden)]
    pub fn answer_if_any(&self, answer: impl Answer) -> Result<()> {
        answer.give(self)
    }

    #[doc(hidden)]
    pub fn answer<T: Serialize + 'static>(&self, answer: T) -> Result<()> {
        match (&answer as &dyn std::any::Any).downcast_ref::<Value>() {
            Some(value) => self.set("output", value.clone()),
            None => self.write("output", answer),
        }
    }
}
