//! Several versions of a plugin beside each other, while one takes the place of another.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tapline_core::{
    BoxFuture, CallContext, CallError, Contribution, Fault, Flow, Gate, HookDeclaration, Manifest, Object,
    Operation, OwnedPass, Value, Version,
};
use tokio::sync::watch;

use super::lease::Held;
use super::status::{PluginState, Status};
use super::{Supervisor, Turn};

/// Where a supervisor stands among those of other versions of its plugin.
#[derive(Debug, Default)]
pub(super) struct Succession {
    /// Whether another version is what the plugin's name stands for: this one is not yet, or not any more.
    is_aside: AtomicBool,
    /// The entrance to what is registered of it.
    entrance: Mutex<Weak<Gate>>,
    /// How often it has broken or ended itself with an error; as often as can be when one of its hooks is in quarantine.
    faults: watch::Sender<usize>,
}

/// How a version that had been replaced has come back.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Resumed {
    /// With the state that it had.
    AsItWas,
    /// Begun anew.
    Anew,
}

impl Supervisor {
    /// Whether another version is what the plugin's name stands for.
    pub(crate) fn is_aside(&self) -> bool {
        self.succession.is_aside.load(Ordering::Acquire)
    }

    /// From now on another version is what the plugin's name stands for.
    pub(crate) fn step_aside(&self) {
        self.succession.is_aside.store(true, Ordering::Release);
    }

    /// From now on this version is what the plugin's name stands for.
    pub(crate) fn take_place(&self) {
        self.succession.is_aside.store(false, Ordering::Release);
    }

    /// Has calls that come by way of another version go through this entrance.
    pub(crate) fn enter_by(&self, gate: &Arc<Gate>) {
        *self.entrance() = Arc::downgrade(gate);
    }

    fn entrance(&self) -> std::sync::MutexGuard<'_, Weak<Gate>> {
        self.succession.entrance.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets no call in that has not begun: the version that is in place answers it.
    pub(crate) fn rest(&self) {
        self.change(|status| match status.state {
            PluginState::Backoff => {
                *status = Status { state: PluginState::Stopped, incarnation: status.incarnation + 1 };
            }
            // Absent are the calls that were ended.
            PluginState::Starting | PluginState::Active | PluginState::Absent => {
                status.state = PluginState::Replaced;
            }
            _ => {}
        });
    }

    /// Lets calls in again, with the state that there is, or begun anew where there is none any more.
    pub(crate) async fn resume(self: &Arc<Self>) -> Result<Resumed, CallError> {
        let status = self.status();
        let is_there =
            !self.is_single || self.idle().iter().any(|held| held.incarnation == status.incarnation);
        if status.state == PluginState::Active || status.state == PluginState::Replaced && is_there {
            self.change(|status| status.state = PluginState::Active);
            return Ok(Resumed::AsItWas);
        }
        self.restarts().forget();
        let incarnation = self.end_life(PluginState::Starting);
        let (instance, _) = self.start_again(incarnation).await?;
        self.idle().push(Held { instance, incarnation });
        self.change(|status| status.state = PluginState::Active);
        Ok(Resumed::Anew)
    }

    /// Asks the plugin whether it is well, if it can tell.
    pub(crate) async fn probe(self: &Arc<Self>) -> Result<(), CallError> {
        if !self.manifest.plugin.health {
            return Ok(());
        }
        self.do_once(&Operation::Health, self.context(Object::new())).await.map(drop)
    }

    /// Waits until all calls that have come before are answered, and keeps others out for as long as the turn is there.
    /// `None` where calls do not take turns.
    pub(crate) async fn turn(&self) -> Result<Option<Turn>, CallError> {
        let Some(turns) = &self.turns else { return Ok(None) };
        turns.take_after_all().await.map(Some)
    }

    /// What the plugin knows, to be handed over. The caller has its turn.
    pub(crate) async fn export_state(self: &Arc<Self>) -> Result<Value, CallError> {
        let context = self.do_once(&Operation::ExportState, self.context(Object::new())).await?;
        let state = context.output();
        state.ok_or_else(|| Fault::Contract { message: "`export-state` set no output".into() }.into())
    }

    /// Gives the plugin what another version knew.
    pub(crate) async fn import_state(
        self: &Arc<Self>,
        state: Value,
        from: &Version,
    ) -> Result<(), CallError> {
        let operation = Operation::ImportState { from: from.clone() };
        self.do_once(&operation, self.context(Object::new()).asked(state)).await.map(drop)
    }

    /// Runs an operation that no call asks for.
    async fn do_once(
        self: &Arc<Self>,
        operation: &Operation,
        context: CallContext,
    ) -> Result<Arc<CallContext>, CallError> {
        let context = Arc::new(context.addressed());
        let run = self.run_in(self.incarnation(), operation, &context);
        let run = tapline_core::holding(self.plugin.clone(), run);
        tapline_core::in_lifecycle(run).await?;
        Ok(context)
    }

    pub(super) fn count_fault(&self) {
        self.succession.faults.send_modify(|faults| *faults = faults.saturating_add(1));
    }

    /// Takes notice that a hook of the plugin is in quarantine.
    pub(crate) fn condemn(&self) {
        self.succession.faults.send_replace(usize::MAX);
    }

    /// Waits until the plugin breaks once more than is allowed, or is over; says which.
    pub(crate) async fn fails(&self, allowed: usize) -> String {
        let (mut status, mut faults) = (self.status.subscribe(), self.succession.faults.subscribe());
        let is_over = |state: &PluginState| {
            matches!(state, PluginState::Failed | PluginState::Quarantined | PluginState::Stopped)
        };
        // The senders are the supervisor's own, so this ends in no error.
        tokio::select! {
            biased;
            Ok(faults) = faults.wait_for(|faults| *faults > allowed) => match *faults {
                usize::MAX => "one of its hooks is in quarantine".to_owned(),
                faults => format!("it broke {faults} times"),
            },
            Ok(status) = status.wait_for(|status| is_over(&status.state)) => format!("it is {}", status.state),
            else => "it is gone".to_owned(),
        }
    }

    /// Has the version that is in place run an operation which this one does not begin any more.
    pub(super) fn run_elsewhere<'a>(
        &'a self,
        refusal: CallError,
        operation: &'a Operation,
        context: &'a Arc<CallContext>,
    ) -> BoxFuture<'a, Result<Flow, CallError>> {
        Box::pin(async move {
            let Some((other, _pass)) = self.entered_in_place().await else { return Err(refusal) };
            if !continues(&self.manifest, &other.manifest, operation) {
                return Err(refusal);
            }
            let grants = Arc::clone(other.authorities.own());
            let context = context.passed_on(grants, Arc::clone(&other.services));
            other.run(operation, &Arc::new(context)).await
        })
    }

    /// The version that is what the plugin's name stands for, if it is another one and lets calls in.
    async fn entered_in_place(&self) -> Option<(Arc<Self>, OwnedPass)> {
        loop {
            let other = self.in_place()?;
            let entrance = other.entrance().upgrade();
            if let Some(pass) = entrance.as_ref().and_then(Gate::enter_owned) {
                return Some((other, pass));
            }
            // One that is aside by now has been replaced itself, and may be gone; who is in place is looked up anew.
            let is_leaving = matches!(other.status().state, PluginState::Stopping | PluginState::Absent);
            if !other.is_aside() && (entrance.is_some() || is_leaving) {
                return None;
            }
            // Nobody holds its entrance: yet another version is just taking its place.
            tokio::task::yield_now().await;
        }
    }

    /// The version that is what the plugin's name stands for, if it is another one.
    fn in_place(&self) -> Option<Arc<Self>> {
        let host = self.host.upgrade().filter(|_| self.is_aside())?;
        let plugins = host.plugins();
        let other = &plugins.iter().find(|loaded| *loaded.id() == self.plugin)?.supervisor;
        (!std::ptr::eq(&raw const **other, self)).then(|| Arc::clone(other))
    }

    /// The contribution as the version makes it that is what the plugin's name stands for, if that is another one.
    pub(super) fn contribution_in_place(&self, point: &str, key: &str) -> Option<Arc<Contribution>> {
        let host = self.host.upgrade().filter(|_| self.is_aside())?;
        host.registry.contribution(point, key).filter(|contribution| contribution.plugin == self.plugin)
    }

    /// Ends what was started and is not wanted.
    pub(crate) async fn dismiss(self: &Arc<Self>) {
        if matches!(self.status().state, PluginState::Active | PluginState::Replaced) {
            self.stop().await;
        }
        self.retire();
    }
}

/// Whether what an operation is about is there in another version, too, and is the same thing.
fn continues(this: &Manifest, other: &Manifest, operation: &Operation) -> bool {
    let (Operation::Before { hook }
    | Operation::After { hook }
    | Operation::Around { hook }
    | Operation::Replace { hook }
    | Operation::Answer { hook }) = operation
    else {
        let Operation::Event { subscription } = operation else { return false };
        return other.subscriptions.iter().any(|one| one.name == *subscription);
    };
    let mut hooks = this.hooks.iter().filter(|declaration| declaration.name == *hook);
    let is_same = |one: &HookDeclaration| {
        other.hooks.iter().any(|o| o.name == one.name && o.point == one.point && o.kind == one.kind)
    };
    hooks.any(is_same)
}
