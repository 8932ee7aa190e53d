use std::fmt;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;

use tapline_core::{
    Boundary, BoxFuture, CallContext, CallError, Fault, Flow, Gate, Grants, Handler, Instance, LayerStats,
    Limits, Object, Operation, Plugin, PluginId, Services, Value, configuration,
};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::bus::Delivery;

/// Owns the instances of one plugin: starts them, lends one to each call, holds calls to their deadline, and never
/// enters an instance again in which something went wrong.
pub(crate) struct Supervisor {
    pub(crate) plugin: PluginId,
    loaded: Arc<dyn Plugin>,
    config: Value,
    grants: Arc<Grants>,
    limits: Limits,
    services: Arc<dyn Services>,
    idle: Mutex<Vec<Box<dyn Instance>>>,
    /// Becomes true when calls that are under way have to end.
    ended: watch::Sender<bool>,
    pub(crate) stats: Arc<LayerStats>,
}

/// An instance on loan.
struct Lease<'a> {
    supervisor: &'a Supervisor,
    instance: Option<Box<dyn Instance>>,
    /// Whether this is a handle to an instance that others use, too.
    is_shared: bool,
    /// Whether the call ended well; until then the instance is not trusted.
    keep: bool,
}

/// No pool keeps more instances than this between calls; a burst may use more.
const IDLE_INSTANCES: usize = 16;

impl Supervisor {
    pub(crate) fn new(
        plugin: PluginId,
        loaded: Arc<dyn Plugin>,
        config: Value,
        grants: Grants,
        limits: Limits,
        services: Arc<dyn Services>,
    ) -> Self {
        Self {
            plugin,
            loaded,
            config,
            grants: Arc::new(grants),
            limits,
            services,
            idle: Mutex::default(),
            ended: watch::Sender::new(false),
            stats: Arc::default(),
        }
    }

    /// Starts the first instance, so that a plugin that refuses to start is known at once.
    pub(crate) async fn start(&self) -> Result<(), CallError> {
        let instance = self.fresh().await?;
        self.idle().push(instance);
        Ok(())
    }

    /// Runs one operation that carries no input.
    pub(crate) async fn run_lifecycle(&self, operation: &Operation) -> Result<(), CallError> {
        let context = Arc::new(self.context(Object::new()));
        self.run(operation, &context).await.map(|_| ())
    }

    /// Runs one operation on one instance, within the plugin's wall time.
    pub(crate) async fn run(
        &self,
        operation: &Operation,
        context: &Arc<CallContext>,
    ) -> Result<Flow, CallError> {
        let mut lease = self.lease().await?;
        let Some(instance) = lease.instance.as_mut() else { return Err(self.not_active()) };
        let entered = std::time::Instant::now();
        let answer = self.within(context, instance.call(operation, context)).await;
        self.stats.record(entered, context.spent_in_next(), answer.is_err());
        let broke = answer.as_ref().is_err_and(CallError::is_fault);
        if broke && lease.is_shared {
            self.retire();
        }
        // After anything but an answer of its own, its code was left in the middle.
        lease.keep = matches!(answer, Ok(_) | Err(CallError::Failure(_)));
        answer
    }

    /// Calls the plugin with what one of its subscriptions brings. What it answers with reaches the log alone.
    pub(crate) async fn deliver(&self, subscription: Arc<str>, delivery: Delivery) {
        let input = match delivery {
            Delivery::Event(event) => {
                Value::from_iter([("topic", event.topic.as_str().into()), ("payload", event.payload)])
            }
            Delivery::Lagged { missed } => Value::from_iter([("missed", missed.into())]),
        };
        let context = Arc::new(self.context(configuration(input)).addressed());
        let operation = Operation::Event { subscription: Arc::clone(&subscription) };
        if let Err(error) = self.run(&operation, &context).await {
            tracing::warn!(plugin = %self.plugin, %subscription, %error, "an event was not taken well");
        }
    }

    pub(crate) fn context(&self, root: Object) -> CallContext {
        CallContext::new(self.plugin.clone(), Arc::clone(&self.grants), Arc::clone(&self.services), root)
    }

    /// Waits for an answer within the plugin's wall time and the deadline of the calls around it, until the plugin is
    /// ended. The time spent in `next` is not the plugin's own.
    async fn within(
        &self,
        context: &CallContext,
        mut answer: BoxFuture<'_, Result<Flow, CallError>>,
    ) -> Result<Flow, CallError> {
        // Most calls never wait, and need nobody to wake them.
        let first = poll_fn(|task| Poll::Ready(answer.as_mut().poll(task))).await;
        if let Poll::Ready(answer) = first {
            return answer;
        }
        let (entered, limit) = (Instant::now(), self.limits.wall);
        let inherited = tapline_core::deadline().map(Instant::from_std);
        let mut ended = self.ended.subscribe();
        loop {
            let own = entered + limit + context.spent_in_next();
            let deadline = inherited.map_or(own, |inherited| inherited.min(own));
            tokio::select! {
                biased;
                answer = &mut answer => return answer,
                _ = ended.wait_for(|ended| *ended) => return Err(self.not_active()),
                () = sleep_until(deadline) => {}
            }
            if inherited.is_some_and(|inherited| Instant::now() >= inherited) {
                return Err(CallError::DeadlineExceeded { limit: entered.elapsed() });
            }
            if Instant::now() >= entered + limit + context.spent_in_next() {
                return Err(Fault::Wall { limit }.into());
            }
        }
    }

    /// Ends the calls that are under way; they fail.
    pub(crate) fn end_calls(&self) {
        self.ended.send_replace(true);
    }

    /// Allows calls after others were ended: the last one, to `stop`.
    pub(crate) fn allow_calls(&self) {
        self.ended.send_replace(false);
    }

    /// Forgets all instances that are not on loan.
    pub(crate) fn retire(&self) {
        // Plugins drop their state outside of the lock.
        let idle = std::mem::take(&mut *self.idle());
        drop(idle);
    }

    async fn lease(&self) -> Result<Lease<'_>, CallError> {
        let (waiting, is_shared) = {
            let mut idle = self.idle();
            match idle.last().and_then(|instance| instance.share()) {
                Some(shared) => (Some(shared), true),
                None => (idle.pop(), false),
            }
        };
        let instance = match waiting {
            Some(instance) => instance,
            None => self.fresh().await?,
        };
        Ok(Lease { supervisor: self, instance: Some(instance), is_shared, keep: false })
    }

    async fn fresh(&self) -> Result<Box<dyn Instance>, CallError> {
        let context = Arc::new(self.context(configuration(self.config.clone())).addressed());
        let start = self.loaded.start(&context);
        let deadline = Instant::now() + self.limits.wall;
        let mut ended = self.ended.subscribe();
        tokio::select! {
            biased;
            started = timeout_at(deadline, start) => {
                started.unwrap_or(Err(Fault::Wall { limit: self.limits.wall }.into()))
            }
            _ = ended.wait_for(|ended| *ended) => Err(self.not_active()),
        }
    }

    fn not_active(&self) -> CallError {
        CallError::NotActive { plugin: self.plugin.to_string() }
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Box<dyn Instance>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        let Some(instance) = self.instance.take().filter(|_| self.keep) else { return };
        let mut idle = self.supervisor.idle();
        // A shared instance that had to be started for this call is the one that later calls share.
        let has_room = if instance.share().is_some() { idle.is_empty() } else { idle.len() < IDLE_INSTANCES };
        if has_room && !self.is_shared {
            idle.push(instance);
        }
    }
}

/// One hook of a supervised plugin.
pub(crate) struct SupervisedHook {
    pub(crate) supervisor: Arc<Supervisor>,
    pub(crate) operation: Operation,
}

impl Boundary for SupervisedHook {
    fn context(&self, root: Object) -> Arc<CallContext> {
        Arc::new(self.supervisor.context(root))
    }

    fn enter<'a>(&'a self, context: &'a Arc<CallContext>) -> BoxFuture<'a, Result<Flow, CallError>> {
        Box::pin(self.supervisor.run(&self.operation, context))
    }
}

/// One contribution of a supervised plugin.
pub(crate) struct SupervisedHandler {
    pub(crate) supervisor: Arc<Supervisor>,
    pub(crate) gate: Arc<Gate>,
    pub(crate) contribution: Arc<str>,
}

impl Handler for SupervisedHandler {
    fn handle<'a>(&'a self, method: &'a Arc<str>, request: Value) -> BoxFuture<'a, Result<Value, CallError>> {
        Box::pin(async move {
            let _pass = self.gate.enter().ok_or_else(|| self.supervisor.not_active())?;
            let context = Arc::new(self.supervisor.context(configuration(request)).addressed());
            let operation = Operation::Handle {
                contribution: Arc::clone(&self.contribution),
                method: Arc::clone(method),
            };
            self.supervisor.run(&operation, &context).await?;
            context.output().ok_or_else(|| {
                Fault::Contract { message: format!("`{method}` of `{}` set no output", self.contribution) }
                    .into()
            })
        })
    }
}

impl fmt::Debug for Supervisor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Supervisor").field("plugin", &self.plugin).finish_non_exhaustive()
    }
}
