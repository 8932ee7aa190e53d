use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::task::Poll;

use tapline_core::{
    Act, Authority, BoxFuture, CallContext, CallError, DENIED, Denied, Exit, Fault, Figures, Flow, Grants,
    Instances, LayerStats, Limits, Manifest, Object, Operation, Origin, OwnedPass, Phase, Plugin, PluginId,
    RuntimeKind, Scope, Services, Topic, Value,
};
use tokio::sync::{oneshot, watch};
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::bus::Delivery;
use crate::deadline::after;
use crate::shared::Shared;

mod authority;
mod boundary;
mod lease;
mod life;
mod restarts;
mod room;
mod status;
mod succession;
mod turns;

pub use restarts::{Strategy, StrategyError, Supervision};
pub use status::{PluginHealth, PluginState};

pub(crate) use boundary::{SupervisedHandler, SupervisedHook};
pub(crate) use life::Revival;
pub(crate) use restarts::Verdict;
pub(crate) use status::Status;
pub(crate) use succession::Resumed;
pub(crate) use turns::{Turn, Waits};

use authority::Authorities;
use lease::Held;
use restarts::{Ending, Restarts};
use room::Room;
use succession::Succession;
use turns::Turns;

/// Owns the instances of one plugin: starts them, lends one to each call, holds calls to their deadline, never enters an
/// instance again in which something went wrong, and says when the plugin is started again.
pub(crate) struct Supervisor {
    pub(crate) plugin: PluginId,
    pub(crate) stats: Arc<LayerStats>,
    manifest: Arc<Manifest>,
    loaded: Arc<dyn Plugin>,
    config: Value,
    authorities: Authorities,
    limits: Limits,
    services: Arc<dyn Services>,
    host: Weak<Shared>,
    status: watch::Sender<Status>,
    restarts: Mutex<Restarts>,
    idle: Mutex<Vec<Held>>,
    /// Whether all calls meet the same state, so that the plugin has ended when its instance has.
    is_single: bool,
    /// Where the one instance answers one call after the other.
    turns: Option<Turns>,
    /// No instance is added to the pool before this.
    grows_from: Mutex<Instant>,
    /// Answers that nobody waited for any more.
    late: AtomicU64,
    room: Room,
    succession: Succession,
}

/// What came of a call that was begun.
pub(crate) type Answered = Result<Flow, CallError>;

/// What a supervisor watches over.
pub(crate) struct Ward {
    pub(crate) manifest: Arc<Manifest>,
    pub(crate) loaded: Arc<dyn Plugin>,
    pub(crate) config: Value,
    pub(crate) grants: Grants,
    pub(crate) limits: Limits,
    pub(crate) services: Arc<dyn Services>,
}

impl Supervisor {
    pub(crate) fn new(ward: Ward, host: &Arc<Shared>) -> Arc<Self> {
        let Ward { manifest, loaded, config, grants, limits, services } = ward;
        let (plugin, about) = (manifest.id().clone(), &manifest.plugin);
        let is_one = about.instances == Instances::One;
        let room = Room::new(limits.calls);
        Arc::new(Self {
            stats: Arc::default(),
            loaded,
            config,
            authorities: Authorities::new(grants),
            limits,
            services,
            host: Arc::downgrade(host),
            status: watch::Sender::new(Status { state: PluginState::Starting, incarnation: 1 }),
            restarts: Mutex::new(Restarts::new(&plugin, about.restart, &host.supervision)),
            idle: Mutex::default(),
            is_single: is_one || about.runtime == RuntimeKind::Native,
            turns: is_one.then(|| Turns::new(plugin.clone(), Arc::clone(&host.waits))),
            grows_from: Mutex::new(Instant::now()),
            late: AtomicU64::new(0),
            room,
            succession: Succession::default(),
            plugin,
            manifest,
        })
    }

    /// Starts the first instance, so that a plugin that refuses to start is known at once.
    pub(crate) async fn start(&self) -> Result<(), CallError> {
        let incarnation = self.incarnation();
        let instance = self.fresh(incarnation).await?;
        self.idle().push(Held { instance, incarnation });
        Ok(())
    }

    /// Lets the plugin begin its work, after which it is active.
    pub(crate) async fn begin(self: &Arc<Self>) -> Result<(), CallError> {
        let incarnation = self.incarnation();
        let context = Arc::new(self.context(Object::new()));
        let start = async { Ok(self.enter(incarnation, &Operation::Start, &context).await) };
        let (answer, ending) = tapline_core::in_lifecycle(self.in_turn(start)).await?;
        answer?;
        self.has_begun()?;
        if let Some(ending) = ending {
            self.end(incarnation, ending);
        }
        Ok(())
    }

    /// Runs one operation on one instance, once the plugin can take it. Dropping the future ends the operation.
    pub(crate) async fn run(
        self: &Arc<Self>,
        operation: &Operation,
        context: &Arc<CallContext>,
    ) -> Result<Flow, CallError> {
        // What most calls do not come to is kept out of the future of every call, which is moved.
        if let Some(turns) = &self.turns {
            return Box::pin(self.run_in_turn(turns, operation, context)).await;
        }
        match self.admitted().await {
            Ok(incarnation) => self.run_in(incarnation, operation, context).await,
            Err(refusal) => self.run_elsewhere(refusal, operation, context).await,
        }
    }

    async fn run_in_turn(
        self: &Arc<Self>,
        turns: &Turns,
        operation: &Operation,
        context: &Arc<CallContext>,
    ) -> Result<Flow, CallError> {
        let turn = match turns.take().await {
            Ok(turn) => turn,
            Err(refusal) => return self.run_elsewhere(refusal, operation, context).await,
        };
        match self.admitted().await {
            Ok(incarnation) => {
                let call = self.run_in(incarnation, operation, context);
                tapline_core::holding(self.plugin.clone(), call).await
            }
            Err(refusal) => {
                drop(turn);
                self.run_elsewhere(refusal, operation, context).await
            }
        }
    }

    /// Does something when it has its turn, if calls take turns.
    async fn in_turn<T>(&self, call: impl Future<Output = Result<T, CallError>>) -> Result<T, CallError> {
        let Some(turns) = &self.turns else { return call.await };
        let _turn = turns.take().await?;
        tapline_core::holding(self.plugin.clone(), call).await
    }

    /// Answers a request. Where one instance keeps the plugin's state, the answer comes to its end though the caller has
    /// gone: whoever gives up calls could otherwise end the state that others rely on. Until then it is inside the plugin.
    ///
    /// # Errors
    /// When it was not begun.
    pub(crate) async fn answer(
        self: &Arc<Self>,
        operation: Operation,
        context: &Arc<CallContext>,
        pass: OwnedPass,
    ) -> Result<Answered, CallError> {
        match &self.turns {
            None => {
                let incarnation = self.admitted().await?;
                Ok(self.run_in(incarnation, &operation, context).await)
            }
            Some(turns) => Box::pin(self.answer_in_turn(turns, operation, context, pass)).await,
        }
    }

    async fn answer_in_turn(
        self: &Arc<Self>,
        turns: &Turns,
        operation: Operation,
        context: &Arc<CallContext>,
        pass: OwnedPass,
    ) -> Result<Answered, CallError> {
        let turn = turns.take().await?;
        let incarnation = self.admitted().await?;
        let begun = Instant::now();
        let (caller, gone) = oneshot::channel();
        let rights = Rights { _turn: turn, _pass: pass, gone };
        let task = tokio::spawn(Arc::clone(self).answer_alone(rights, incarnation, operation, context));
        let mut waiting = WhoWaits { context, _caller: caller, has_answer: false };
        let answer = match tapline_core::deadline() {
            None => task.await,
            Some(deadline) => match timeout_at(deadline.into(), task).await {
                Ok(answer) => answer,
                Err(_) => {
                    let (limit, phase) = (begun.elapsed(), Phase::Running);
                    return Ok(Err(CallError::DeadlineExceeded { limit, phase }));
                }
            },
        };
        waiting.has_answer = true;
        // A task is cancelled only when the runtime ends.
        Ok(answer.unwrap_or(Err(CallError::Cancelled)))
    }

    fn answer_alone(
        self: Arc<Self>,
        rights: Rights,
        incarnation: u64,
        operation: Operation,
        context: &Arc<CallContext>,
    ) -> impl Future<Output = Result<Flow, CallError>> + Send + use<> {
        let (scope, context) = (Scope::current().without_deadlines(), Arc::clone(context));
        async move {
            let Rights { _turn, _pass, mut gone } = rights;
            let call = self.run_in(incarnation, &operation, &context);
            let mut answer = pin!(tapline_core::holding(self.plugin.clone(), call));
            let answer = tokio::select! {
                biased;
                answer = scope.run(answer.as_mut()) => answer,
                // Who has given it up waits for it no more, nor holds anything for it.
                _ = &mut gone => answer.await,
            };
            self.late.fetch_add(u64::from(context.is_given_up()), Ordering::Relaxed);
            answer
        }
    }

    /// Runs one operation on one instance of this incarnation, and ends the plugin if that is what comes of it.
    async fn run_in(
        self: &Arc<Self>,
        incarnation: u64,
        operation: &Operation,
        context: &Arc<CallContext>,
    ) -> Result<Flow, CallError> {
        let (answer, ending) = self.enter(incarnation, operation, context).await;
        if let Some(ending) = ending {
            tracing::warn!(plugin = %self.plugin, incarnation, ?ending, "a plugin has ended");
            self.end(incarnation, ending);
        }
        answer
    }

    /// Runs one operation on one instance of this incarnation, within the plugin's wall time, and says whether the plugin
    /// has ended with it.
    async fn enter(
        self: &Arc<Self>,
        incarnation: u64,
        operation: &Operation,
        context: &Arc<CallContext>,
    ) -> (Result<Flow, CallError>, Option<Ending>) {
        let (_inside, mut lease) = match self.room(incarnation, operation).await {
            Ok(room) => room,
            Err(error) => return (Err(error), None),
        };
        let Some(instance) = lease.instance.as_mut() else { return (Err(self.not_active()), None) };
        let entered = std::time::Instant::now();
        let answer = self.within(incarnation, context, instance.call(operation, context)).await;
        self.stats.record(entered, context.spent_in_next(), answer.is_err());
        let ending = ending(&answer, context);
        // After anything but an answer of its own, its code was left in the middle.
        lease.keep = ending.is_none() && matches!(answer, Ok(_) | Err(CallError::Failure(_)));
        if ending.is_some() && lease.is_shared {
            self.forget_idle(incarnation);
        }
        (answer, ending)
    }

    /// Calls the plugin with what one of its subscriptions brings. What it answers with reaches the log alone.
    pub(crate) async fn deliver(self: &Arc<Self>, subscription: Arc<str>, delivery: Delivery) {
        let input = match delivery {
            Delivery::Event(event) if self.is_denied(&event.topic) => return,
            Delivery::Event(event) => {
                Value::from_iter([("topic", event.topic.as_str().into()), ("payload", event.payload)])
            }
            Delivery::Lagged { missed } => Value::from_iter([("missed", missed.into())]),
        };
        let context = Arc::new(self.context(Object::new()).addressed().asked(input));
        let operation = Operation::Event { subscription: Arc::clone(&subscription) };
        if let Err(error) = self.run(&operation, &context).await {
            tracing::warn!(plugin = %self.plugin, %subscription, %error, "an event was not taken well");
        }
    }

    /// Whether the plugin may not be told of an event of a topic that it subscribed to; then that is audited.
    fn is_denied(&self, topic: &Topic) -> bool {
        let denied = self.authorities.own().denied.as_deref();
        if !denied.is_some_and(|denied| denied.events.subscribe.matches(topic)) {
            return false;
        }
        let (plugin, target) = (self.plugin.to_string(), topic.to_string());
        let denied = Denied { plugin, action: "subscribe to", target, reason: DENIED };
        self.services.audit(&Act::refused(&self.plugin, &denied));
        true
    }

    pub(crate) fn context(&self, root: Object) -> CallContext {
        let grants = Arc::clone(self.authorities.own());
        CallContext::new(self.plugin.clone(), grants, Arc::clone(&self.services), root)
    }

    /// The context of a request: what is done for a caller is done with what both were granted.
    fn context_for(&self, input: Value, authority: Authority, origin: Origin) -> CallContext {
        let Origin { caller, stream } = origin;
        let grants = self.authorities.answering(authority, caller.as_ref());
        CallContext::new(self.plugin.clone(), grants, Arc::clone(&self.services), Object::new())
            .addressed()
            .asked(input)
            .made_by(caller.map(|caller| caller.plugin))
            .read_along(stream)
    }

    /// Waits for an answer within the plugin's wall time and the deadline of the calls around it, until the plugin ends.
    /// The time spent in `next` is not the plugin's own.
    async fn within(
        &self,
        incarnation: u64,
        context: &CallContext,
        mut answer: BoxFuture<'_, Result<Flow, CallError>>,
    ) -> Result<Flow, CallError> {
        // Most calls never wait, and need neither somebody to wake them nor room for what it takes to wait.
        match poll_fn(|task| Poll::Ready(answer.as_mut().poll(task))).await {
            Poll::Ready(answer) => answer,
            Poll::Pending => Box::pin(self.waited_for(incarnation, context, answer)).await,
        }
    }

    async fn waited_for(
        &self,
        incarnation: u64,
        context: &CallContext,
        mut answer: BoxFuture<'_, Result<Flow, CallError>>,
    ) -> Result<Flow, CallError> {
        let (entered, limit) = (Instant::now(), self.limits.wall);
        let inherited = tapline_core::deadline().map(Instant::from_std);
        let mut status = self.status.subscribe();
        loop {
            let own = after(entered, limit.saturating_add(context.spent_in_next()));
            let deadline = inherited.map_or(own, |inherited| inherited.min(own));
            tokio::select! {
                biased;
                answer = &mut answer => return answer,
                _ = status.wait_for(|status| status.incarnation != incarnation) => return Err(self.died()),
                () = sleep_until(deadline) => {}
            }
            if inherited.is_some_and(|inherited| Instant::now() >= inherited) {
                return Err(CallError::DeadlineExceeded { limit: entered.elapsed(), phase: Phase::Running });
            }
            if Instant::now() >= after(entered, limit.saturating_add(context.spent_in_next())) {
                return Err(Fault::Wall { limit }.into());
            }
        }
    }

    /// How many answers came when nobody waited for them any more.
    pub(crate) fn late_answers(&self) -> u64 {
        self.late.load(Ordering::Relaxed)
    }

    /// What the plugin has cost so far.
    pub(crate) fn figures(&self) -> Option<Figures> {
        self.loaded.figures()
    }

    fn not_active(&self) -> CallError {
        CallError::NotActive { plugin: self.plugin.to_string() }
    }

    fn died(&self) -> CallError {
        CallError::TargetDied { plugin: self.plugin.to_string() }
    }
}

/// Whether the plugin has ended with a call, and how.
fn ending(answer: &Result<Flow, CallError>, context: &CallContext) -> Option<Ending> {
    match (answer, context.take_exit()) {
        (Err(error), _) if error.is_fault() => Some(Ending::Fault),
        (_, Some(Exit::Normal)) => Some(Ending::Normal),
        (_, Some(Exit::Error(_))) => Some(Ending::Error),
        (_, None) => None,
    }
}

/// What an answer has that comes to its end though the caller has gone.
struct Rights {
    _turn: Turn,
    _pass: OwnedPass,
    gone: oneshot::Receiver<()>,
}

/// Tells the one who answers when nobody waits any more.
struct WhoWaits<'a> {
    context: &'a CallContext,
    _caller: oneshot::Sender<()>,
    has_answer: bool,
}

impl Drop for WhoWaits<'_> {
    fn drop(&mut self) {
        if !self.has_answer {
            self.context.give_up();
        }
    }
}

impl fmt::Debug for Supervisor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Supervisor").field("plugin", &self.plugin).finish_non_exhaustive()
    }
}
