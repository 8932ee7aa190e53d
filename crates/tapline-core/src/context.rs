use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use crate::audit::Act;
use crate::call::{Call, CallTarget, Caller, Calling};
use crate::call_error::CallError;
use crate::failure::Failure;
use crate::file::Files;
use crate::grants::{Denied, Grants};
use crate::http::{HttpCall, HttpResponse};
use crate::id::PluginId;
use crate::plugin::BoxFuture;
use crate::scope::carried;
use crate::stream::Stream;
use crate::topic::{Event, Topic};
use crate::value::{CARRIED, Object, Value};

mod clock;
mod files;
mod http;
mod tree;

use tree::{Place, Tree};

/// What a plugin reads, writes and asks for while it answers one call.
///
/// The host keeps the context as a tree of shared values; the plugin asks for what it looks at, by dotted path, and
/// reaches only the paths that it was granted. The roots `input` and `output` are those of the hook point. What an
/// around hook writes under `carried` is there for whoever is entered in its `next`. The other roots are facts of the
/// call, and nothing that a plugin writes there is read by anyone.
pub struct CallContext {
    plugin: PluginId,
    grants: Arc<Grants>,
    /// Whether `input` and `output` are the plugin's own business: a request made to it, and its answer.
    addressed: bool,
    caller: Option<PluginId>,
    stream: Option<Stream>,
    services: Arc<dyn Services>,
    is_given_up: AtomicBool,
    state: Mutex<State>,
    /// The same call in the hands of the version that it came to first: what is read and written is there.
    passed_on_by: Option<Arc<Self>>,
}

/// How a plugin has ended itself.
#[derive(Debug, Clone)]
pub enum Exit {
    /// It has done what it was there for.
    Normal,
    /// It cannot go on.
    Error(Failure),
}

/// What the host does for a running plugin besides its context. What a host may lack has a default that says so.
pub trait Services: Send + Sync {
    /// Takes notice of a privileged act, or of its refusal, before it is done.
    fn audit(&self, act: &Act<'_>);

    /// Takes a log line of a plugin.
    fn log(&self, plugin: &PluginId, level: Level, message: &str);

    /// Publishes an event of a plugin, whose right to it has been checked; says how many subscriptions it was queued for.
    ///
    /// # Errors
    /// With the code `too-many` when the plugin publishes faster than it may.
    fn publish(&self, event: &Event) -> Result<usize, Failure>;

    /// Calls another plugin for one whose right to it has been checked, and waits so long at most, or the default.
    fn call(&self, call: Call, within: Option<Duration>) -> BoxFuture<'static, Result<Value, CallError>>;

    /// Calls another plugin for one whose right to it has been checked, and waits for nothing.
    ///
    /// # Errors
    /// When nobody can take the call.
    fn cast(&self, call: Call) -> Result<(), CallError>;

    /// The files of the plugin; `None` where there are none.
    fn files(&self) -> Option<Arc<dyn Files>> {
        None
    }

    /// The time since the beginning of 1970; never less than it was before.
    fn time(&self) -> Duration;

    /// The time since the plugin was loaded.
    fn elapsed(&self) -> Duration;

    /// Fills a buffer with random bytes of the operating system.
    ///
    /// # Errors
    /// When the system has none.
    fn fill_random(&self, _bytes: &mut [u8]) -> Result<(), Failure> {
        Err(Failure::new("not-available", "the host has no random numbers"))
    }

    /// Makes a request over http, whose right has been checked and audited.
    fn http(&self, _call: HttpCall) -> BoxFuture<'static, Result<HttpResponse, CallError>> {
        Box::pin(std::future::ready(Err(Failure::new("not-available", "the host has no http").into())))
    }

    /// Waits; a host without timers does not.
    fn sleep(&self, _time: Duration) -> BoxFuture<'static, ()> {
        Box::pin(std::future::ready(()))
    }

    /// The value of a secret, for a place that it was granted for.
    fn secret(&self, _name: &str) -> Option<String> {
        None
    }
}

/// How much a log line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// For whoever looks for a bug.
    Debug,
    /// For whoever follows what happens.
    Info,
    /// Something may be wrong.
    Warn,
    /// Something is wrong.
    Error,
}

struct State {
    tree: Tree,
    input_changed: bool,
    output_changed: bool,
    carried_changed: bool,
    next: Next,
    /// Whether `next` is available again after its answer.
    repeats: bool,
    spent_in_next: Duration,
    exit: Option<Exit>,
}

/// Where an around hook stands with its `next`.
enum Next {
    /// There is none, or it has been used.
    Unavailable(&'static str),
    Ready,
    Asked(Waker),
    Running(Instant, Waker),
    Answered(Result<(), Failure>),
}

const NO_NEXT: &str = "no-next";
const ALREADY_CALLED: &str = "already-called";

impl CallContext {
    /// A context whose `input` and `output` are reached by grant.
    #[must_use]
    #[inline]
    pub fn new(plugin: PluginId, grants: Arc<Grants>, services: Arc<dyn Services>, root: Object) -> Self {
        let state = State {
            tree: root.into(),
            input_changed: false,
            output_changed: false,
            carried_changed: false,
            next: Next::Unavailable(NO_NEXT),
            repeats: false,
            spent_in_next: Duration::ZERO,
            exit: None,
        };
        let (is_given_up, state) = (AtomicBool::new(false), Mutex::new(state));
        let (caller, stream, passed_on_by) = (None, None, None);
        Self { plugin, grants, addressed: false, caller, stream, services, is_given_up, state, passed_on_by }
    }

    /// The same call for another version of the plugin, which answers it with what it was granted itself.
    #[must_use]
    pub fn passed_on(self: &Arc<Self>, grants: Arc<Grants>, services: Arc<dyn Services>) -> Self {
        let by = Some(Arc::clone(self));
        Self { passed_on_by: by, ..Self::new(self.plugin.clone(), grants, services, Object::new()) }
    }

    /// The same context for a request addressed to the plugin: its `input` and `output` need no grant.
    #[must_use]
    #[inline]
    pub const fn addressed(mut self) -> Self {
        self.addressed = true;
        self
    }

    /// The same context with something that the plugin is asked, or told.
    #[must_use]
    #[inline]
    pub fn asked(self, input: Value) -> Self {
        self.state().tree.input = Some(input);
        self
    }

    /// The same context for a request that a plugin makes.
    #[must_use]
    #[inline]
    pub fn made_by(mut self, caller: Option<PluginId>) -> Self {
        self.caller = caller;
        self
    }

    /// The same context for a request whose answer is read while it is made.
    #[must_use]
    #[inline]
    pub fn read_along(mut self, stream: Option<Stream>) -> Self {
        self.stream = stream;
        self
    }

    /// Whether the answer is read while it is made.
    #[must_use]
    pub const fn is_streamed(&self) -> bool {
        self.stream.is_some()
    }

    /// Gives a piece of the answer to whoever reads along, when there is room for it. Cancel safe.
    ///
    /// # Errors
    /// With the code `not-streamed` when the whole answer alone is asked for, `reader-gone` when nobody reads any more.
    pub async fn emit(&self, piece: Value) -> Result<(), Failure> {
        match &self.stream {
            Some(stream) => stream.give(piece).await,
            None => {
                Err(Failure::new("not-streamed", "nobody reads along: the whole answer alone is asked for"))
            }
        }
    }

    /// The plugin that makes the request; `None` when it is the application's own, and in a hook.
    #[must_use]
    pub const fn caller(&self) -> Option<&PluginId> {
        self.caller.as_ref()
    }

    /// Says that nobody waits for the answer any more.
    pub fn give_up(&self) {
        self.is_given_up.store(true, Ordering::Relaxed);
    }

    /// Whether nobody waits for the answer any more.
    #[must_use]
    pub fn is_given_up(&self) -> bool {
        self.is_given_up.load(Ordering::Relaxed)
    }

    /// Ends the plugin once this call has been answered; whether it is started again is for its manifest's `restart`.
    pub fn exit(&self, how: Exit) {
        self.state().exit = Some(how);
    }

    /// How the plugin has ended itself in this call, if it has.
    #[must_use]
    pub fn take_exit(&self) -> Option<Exit> {
        self.state().exit.take()
    }

    /// The plugin that is called.
    #[must_use]
    pub const fn plugin(&self) -> &PluginId {
        &self.plugin
    }

    /// What the plugin is granted.
    #[must_use]
    pub fn grants(&self) -> &Grants {
        &self.grants
    }

    /// Reads the value at a path: `None` when there is nothing.
    ///
    /// # Errors
    /// When the path is not granted for reading.
    pub fn get(&self, path: &str) -> Result<Option<Value>, Denied> {
        let place = Place::of(path);
        if !(self.addressed && place.is_addressed()) {
            self.grants.check_read(path).map_err(|reason| self.denied("read", path, reason))?;
        }
        let state = self.state();
        if place.root == CARRIED && !state.carried_changed {
            // What those further out have left is looked up when somebody asks, because few do.
            return Ok(carried().and_then(|carried| Value::from(carried).at(place.below).cloned()));
        }
        Ok(state.tree.at(place).cloned())
    }

    /// Writes the value at a path, creating the objects on the way.
    ///
    /// # Errors
    /// When the path is not granted for writing, or goes through a value that has no parts.
    pub fn set(&self, path: &str, value: Value) -> Result<(), CallError> {
        let place = Place::of(path);
        if !(self.addressed && place.is_addressed()) {
            self.grants.check_write(path).map_err(|reason| self.denied("write", path, reason))?;
        }
        let mut state = self.state();
        if place.root == CARRIED && !state.carried_changed {
            // What is carried so far becomes the hook's own, to be changed.
            state.tree.put_carried(carried().unwrap_or_default());
            state.carried_changed = true;
        }
        state.tree.set_at(place, value).map_err(|error| Failure::from_error("no-such-path", error))?;
        match place.root {
            "input" => state.input_changed = true,
            "output" => state.output_changed = true,
            _ => {}
        }
        Ok(())
    }

    /// Calls what is inside an around hook; its output is then the context's `output`. A hook that answers while what is
    /// inside still runs ends it. Cancel safe: a future that is dropped before what is inside has been entered has asked
    /// for nothing.
    ///
    /// # Errors
    /// The inner error; `already-called` the second time; `no-next` outside of an around hook.
    pub async fn next(&self) -> Result<(), Failure> {
        let mut request = NextRequest { context: self, has_asked: false };
        std::future::poll_fn(move |task| request.poll(task.waker())).await
    }

    /// Calls another plugin and waits so long at most, or the default, and never longer than the calls around it may
    /// take. Dropping the future gives the call up.
    ///
    /// # Errors
    /// When the target is none or not granted, and whatever comes instead of an answer.
    pub async fn call(
        &self,
        target: &str,
        method: &str,
        request: Value,
        calling: Calling,
    ) -> Result<Value, CallError> {
        let stream = self.stream.clone().filter(|_| calling.relays);
        let call = Call { stream, ..self.outgoing(target, method, request)? };
        self.services.call(call, calling.within).await
    }

    /// Waits. Dropping the future ends the waiting.
    pub async fn sleep(&self, time: Duration) {
        self.services.sleep(time).await;
    }

    /// Calls another plugin and waits for nothing.
    ///
    /// # Errors
    /// When the target is none or not granted, or nobody can take the call.
    pub fn cast(&self, target: &str, method: &str, request: Value) -> Result<(), CallError> {
        self.services.cast(self.outgoing(target, method, request)?)
    }

    fn outgoing(&self, target: &str, method: &str, request: Value) -> Result<Call, CallError> {
        let wanted: CallTarget =
            target.parse().map_err(|error| Failure::from_error("no-such-target", error))?;
        self.grants.check_call(&wanted).map_err(|reason| self.denied("call", target, reason))?;
        self.services.audit(&Act::granted(&self.plugin, "call", target));
        let caller = Caller { plugin: self.plugin.clone(), grants: Arc::clone(&self.grants) };
        Ok(Call { caller, target: wanted, method: method.into(), request, stream: None })
    }

    /// Publishes an event, and says how many subscriptions it was queued for.
    ///
    /// # Errors
    /// When the topic is none, or not granted; when the plugin publishes faster than it may.
    pub fn publish(&self, topic: &str, payload: Value) -> Result<usize, CallError> {
        let event = Event {
            topic: Topic::new(topic).map_err(|error| Failure::from_error("no-such-topic", error))?,
            payload,
        };
        if event.topic.as_str().starts_with(HOST_TOPICS) {
            return Err(self.denied("publish", topic, "the host alone publishes these events").into());
        }
        self.grants.check_publish(&event.topic).map_err(|reason| self.denied("publish", topic, reason))?;
        self.services.audit(&Act::granted(&self.plugin, "publish", topic));
        Ok(self.services.publish(&event)?)
    }

    /// Writes a line to the host's log.
    pub fn log(&self, level: Level, message: &str) {
        self.services.log(&self.plugin, level, message);
    }

    /// The time that the call has spent in `next`, which is not the plugin's own.
    #[must_use]
    pub fn spent_in_next(&self) -> Duration {
        let state = self.state();
        match state.next {
            Next::Running(since, _) => state.spent_in_next + since.elapsed(),
            _ => state.spent_in_next,
        }
    }

    /// The output, if the plugin or `next` has set one.
    pub fn output(&self) -> Option<Value> {
        self.state().tree.output.clone()
    }

    /// The output, if the plugin has set one since it was last put there by the host.
    pub(crate) fn changed_output(&self) -> Option<Value> {
        let state = self.state();
        if state.output_changed { state.tree.output.clone() } else { None }
    }

    /// The input, if the plugin has changed it.
    pub(crate) fn changed_input(&self) -> Option<Value> {
        let state = self.state();
        if state.input_changed { state.tree.input.clone() } else { None }
    }

    /// What the plugin leaves for those inside, if it does.
    pub(crate) fn changed_carried(&self) -> Option<Object> {
        let state = self.state();
        if state.carried_changed { state.tree.carried().cloned() } else { None }
    }

    /// Puts the output of what is inside there.
    pub(crate) fn put_output(&self, output: Value) {
        let mut state = self.state();
        state.tree.output = Some(output);
        state.output_changed = false;
    }

    /// Makes `next` available, once or any number of times.
    pub(crate) fn offer_next(&self, repeats: bool) {
        let mut state = self.state();
        state.next = Next::Ready;
        state.repeats = repeats;
    }

    /// Whether the plugin waits in `next` for an answer; from then on the clock of `next` runs.
    pub(crate) fn take_next_request(&self) -> bool {
        let mut state = self.state();
        match std::mem::replace(&mut state.next, Next::Unavailable(ALREADY_CALLED)) {
            Next::Asked(waker) => {
                state.next = Next::Running(Instant::now(), waker);
                true
            }
            other => {
                state.next = other;
                false
            }
        }
    }

    /// Answers the plugin that waits in `next`.
    pub(crate) fn answer_next(&self, answer: Result<(), Failure>) {
        let mut state = self.state();
        let Next::Running(since, waker) = std::mem::replace(&mut state.next, Next::Answered(answer)) else {
            return;
        };
        state.spent_in_next += since.elapsed();
        drop(state);
        // Whatever stands between the hook and its `next` may poll it only when woken.
        waker.wake();
    }

    fn denied(&self, action: &'static str, target: &str, reason: &'static str) -> Denied {
        let denied = Denied { plugin: self.plugin.to_string(), action, target: target.to_owned(), reason };
        self.services.audit(&Act::refused(&self.plugin, &denied));
        denied
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        // No plugin code runs under this lock, so it is never poisoned half way through a change.
        let first = std::iter::successors(Some(self), |context| context.passed_on_by.as_deref()).last();
        first.unwrap_or(self).state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A hook that waits in `next`.
struct NextRequest<'a> {
    context: &'a CallContext,
    has_asked: bool,
}

impl NextRequest<'_> {
    /// Asks, and takes the answer: the driver of the layer polls the hook again once it has put one in its place.
    fn poll(&mut self, waker: &Waker) -> Poll<Result<(), Failure>> {
        let mut state = self.context.state();
        match std::mem::replace(&mut state.next, Next::Unavailable(ALREADY_CALLED)) {
            Next::Ready => {
                self.has_asked = true;
                state.next = Next::Asked(waker.clone());
                Poll::Pending
            }
            Next::Answered(answer) if self.has_asked => {
                if state.repeats {
                    state.next = Next::Ready;
                }
                Poll::Ready(answer)
            }
            other if self.has_asked => {
                state.next = other;
                Poll::Pending
            }
            other => {
                let code = if let Next::Unavailable(code) = other { code } else { ALREADY_CALLED };
                state.next = other;
                Poll::Ready(Err(Failure::new(code, "`next` can be called once, by an around hook")))
            }
        }
    }
}

impl Drop for NextRequest<'_> {
    fn drop(&mut self) {
        let mut state = self.context.state();
        if self.has_asked && matches!(state.next, Next::Asked(_)) {
            state.next = Next::Ready;
        }
    }
}

/// What the host says of plugins; nobody else can say it.
const HOST_TOPICS: &str = "host.";

impl fmt::Debug for CallContext {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("CallContext").field("plugin", &self.plugin).finish_non_exhaustive()
    }
}
