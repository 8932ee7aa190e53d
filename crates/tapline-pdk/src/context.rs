use std::any::{Any, TypeId};
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tapline_core::{Calling, Failure, HttpRequest, Level, Value};
use tapline_roles::NodeRequest;

use crate::Result;
use crate::http::{HttpResponse, HttpStream};

mod outside;
#[cfg(not(target_family = "wasm"))]
mod native;
#[cfg(target_family = "wasm")]
mod sandboxed;

pub use outside::{EntryKind, FolderEntry};

#[cfg(not(target_family = "wasm"))]
use native::Host;
#[cfg(target_family = "wasm")]
use sandboxed::Host;

#[cfg(not(target_family = "wasm"))]
pub(crate) use native::Body;
#[cfg(target_family = "wasm")]
pub(crate) use sandboxed::Body;

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

    /// Whether somebody reads the answer to this request while it is made.
    #[must_use]
    pub fn is_streamed(&self) -> bool {
        self.0.is_streamed()
    }

    /// Gives a piece of the answer to whoever reads along, and waits until there is room for it. The handler answers with
    /// the whole of it in the end all the same.
    ///
    /// # Errors
    /// With the code `not-streamed` when nobody reads along, `reader-gone` when nobody does any more, `too-large` when the
    /// piece has more than a mebibyte.
    pub async fn emit<T: Serialize + ?Sized>(&self, piece: &T) -> Result<()> {
        let piece = Value::from_serialize(piece)
            .map_err(|error| Failure::new("wrong-type", format!("a piece of the answer: {error}")))?;
        self.0.emit(piece).await
    }

    /// Calls another plugin, under `requires.call`, and waits five seconds at most. The target is `point/key` for a
    /// contribution, a plugin's id for its methods, or `capability:name` for those of the first that offers it.
    ///
    /// # Errors
    /// With the code `denied` without a grant; `no-such-plugin`, `no-such-contribution`, `no-provider` or
    /// `no-such-method` when nobody answers to it; `deadline-exceeded` when it takes too long, `deadlock` when it would
    /// wait for this plugin; or with what it answers.
    pub async fn call<T: Serialize + ?Sized, R: DeserializeOwned>(
        &self,
        target: &str,
        method: &str,
        request: &T,
    ) -> Result<R> {
        self.call_for(target, method, request, Calling::default()).await
    }

    /// As [`call`](Self::call), and waits so long at most.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    pub async fn call_within<T: Serialize + ?Sized, R: DeserializeOwned>(
        &self,
        time: Duration,
        target: &str,
        method: &str,
        request: &T,
    ) -> Result<R> {
        let calling = Calling { within: Some(time), ..Calling::default() };
        self.call_for(target, method, request, calling).await
    }

    /// As [`call_within`](Self::call_within), and whoever reads along with the answer of this plugin reads along with
    /// that one: its pieces are given to them as if they were this plugin's own. Where nobody does, it is a call.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    pub async fn relay<T: Serialize + ?Sized, R: DeserializeOwned>(
        &self,
        time: Duration,
        target: &str,
        method: &str,
        request: &T,
    ) -> Result<R> {
        let calling = Calling { within: Some(time), relays: true };
        self.call_for(target, method, request, calling).await
    }

    /// Waits, and not longer than the call that this plugin is answering may take: then the call ends.
    pub async fn sleep(&self, time: Duration) {
        self.0.sleep(time).await;
    }

    async fn call_for<T: Serialize + ?Sized, R: DeserializeOwned>(
        &self,
        target: &str,
        method: &str,
        request: &T,
        calling: Calling,
    ) -> Result<R> {
        let request = Self::outgoing(target, method, request)?;
        let answer = self.0.call(target, method, request, calling).await?;
        answer.to().map_err(|error| Self::wrong(target, method, &error))
    }

    /// Calls another plugin and waits for nothing: whatever it answers is dropped.
    ///
    /// # Errors
    /// As [`call`](Self::call), when nobody can take it.
    pub fn cast<T: Serialize + ?Sized>(&self, target: &str, method: &str, request: &T) -> Result<()> {
        self.0.cast(target, method, Self::outgoing(target, method, request)?)
    }

    fn outgoing<T: Serialize + ?Sized>(target: &str, method: &str, request: &T) -> Result<Value> {
        Value::from_serialize(request).map_err(|error| Self::wrong(target, method, &error))
    }

    fn wrong(target: &str, method: &str, error: &dyn std::fmt::Display) -> Failure {
        Failure::new("wrong-type", format!("`{method}` of `{target}`: {error}"))
    }

    /// The id of the plugin that makes the request; `None` when it is the application's own, and in a hook.
    #[must_use]
    pub fn caller(&self) -> Option<String> {
        self.0.caller()
    }

    /// Whether nobody waits for the answer any more: long work can be left off.
    #[must_use]
    pub fn is_given_up(&self) -> bool {
        self.0.is_given_up()
    }

    /// Ends this plugin once the call has been answered: it has done what it was there for. It is started again when its
    /// manifest says `restart = "permanent"`.
    pub fn exit(&self) {
        self.0.exit(None);
    }

    /// Ends this plugin once the call has been answered: it cannot go on. It is started again unless its manifest says
    /// `restart = "temporary"`.
    pub fn exit_with(&self, error: Failure) {
        self.0.exit(Some(error));
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

    /// Makes a request over http, under `requires.http`, and waits for all of its answer, whatever its status. In the
    /// value of a header, `${secret:name}` stands for a secret under `requires.secrets`.
    ///
    /// # Errors
    /// With the code `denied` without a grant; `not-available` when the host has no http, or a secret no value;
    /// `invalid-request`, `unreachable`, `invalid-response`, `too-many-redirects`, `too-large` or `deadline-exceeded`.
    pub async fn http(&self, request: HttpRequest) -> Result<HttpResponse> {
        self.0.http(request).await
    }

    /// As [`http`](Self::http), and waits for the begin of the answer alone; the body is read piece by piece, within the
    /// call.
    ///
    /// # Errors
    /// As [`http`](Self::http), and with the code `too-many-handles` when 64 bodies are open.
    pub async fn http_stream(&self, request: HttpRequest) -> Result<HttpStream> {
        self.0.http_stream(request).await
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
        // A handler that takes values as they are gets them shared, not copied.
        let shared = if TypeId::of::<T>() == TypeId::of::<NodeRequest>() {
            NodeRequest::shared(&request).and_then(same)
        } else {
            same(request.clone())
        };
        let copied = || request.to().map_err(|error| Failure::new("invalid-request", error.to_string()));
        shared.map_or_else(copied, Ok)
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
        match (&answer as &dyn Any).downcast_ref::<Value>() {
            Some(value) => self.set("output", value.clone()),
            None => self.write("output", answer),
        }
    }
}

/// The value, if it is of the type that is asked for.
fn same<T: 'static, Wanted: 'static>(value: T) -> Option<Wanted> {
    (&mut Some(value) as &mut dyn Any).downcast_mut::<Option<Wanted>>()?.take()
}
