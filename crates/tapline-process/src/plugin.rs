use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use tapline_core::{
    BoxFuture, Bytes, CallContext, CallError, Figures, Flow, Instance, Instances, Operation, Plugin,
};
use tapline_wire as wire;
use tokio::sync::Mutex;
use tokio::time::sleep;

use crate::process::Process;
use crate::runtime::Launch;

/// A plugin that can be started as a process.
pub(crate) struct ProcessPlugin {
    launch: Arc<Launch>,
    /// The one process that answers all calls of a plugin that keeps nothing between them.
    shared: Option<Arc<Shared>>,
}

/// A process that is there while it is needed.
struct Shared {
    launch: Arc<Launch>,
    running: Mutex<Option<Arc<Process>>>,
    /// How many calls have begun.
    begun: AtomicU64,
    /// Whether the plugin has yet to begin its work, because nothing has been asked of it.
    is_dormant: AtomicBool,
}

/// A process, or a handle to one that others use, too.
enum ProcessInstance {
    Own(Arc<Process>),
    Shared { shared: Arc<Shared>, context: Arc<CallContext> },
}

impl ProcessPlugin {
    pub(crate) fn new(launch: Launch, instances: Instances) -> Self {
        let launch = Arc::new(launch);
        let shared = (instances == Instances::Pool).then(|| {
            Arc::new(Shared {
                launch: Arc::clone(&launch),
                running: Mutex::default(),
                begun: AtomicU64::new(0),
                is_dormant: AtomicBool::new(launch.is_lazy),
            })
        });
        Self { launch, shared }
    }
}

impl Plugin for ProcessPlugin {
    fn start<'a>(
        &'a self,
        context: &'a Arc<CallContext>,
    ) -> BoxFuture<'a, Result<Box<dyn Instance>, CallError>> {
        Box::pin(async move {
            let instance = match &self.shared {
                None => ProcessInstance::Own(Process::start(&self.launch, context).await?),
                Some(shared) => {
                    if !self.launch.is_lazy {
                        shared.running(context).await?;
                    }
                    ProcessInstance::Shared { shared: Arc::clone(shared), context: Arc::clone(context) }
                }
            };
            Ok(Box::new(instance) as Box<dyn Instance>)
        })
    }

    fn figures(&self) -> Option<Figures> {
        let totals = &self.launch.totals;
        Some(Figures { taken: totals.taken(), left: totals.left(), memory: Bytes(0), ..Figures::default() })
    }
}

impl Shared {
    /// Whether an operation is nothing to a plugin that has no process: it begins with the first call, and has nothing to
    /// end.
    async fn does_without(&self, operation: &Operation) -> bool {
        match operation {
            Operation::Start => self.is_dormant.load(Ordering::SeqCst),
            Operation::Stop => {
                let running = self.running.lock().await;
                running.as_ref().is_none_or(|process| process.ending.has_ended())
            }
            _ => false,
        }
    }

    /// The process, which is started where there is none.
    async fn running(self: &Arc<Self>, context: &Arc<CallContext>) -> Result<Arc<Process>, CallError> {
        let mut running = self.running.lock().await;
        if let Some(process) = running.as_ref().filter(|process| !process.ending.has_ended()) {
            return Ok(Arc::clone(process));
        }
        let process = Process::start(&self.launch, context).await?;
        if self.is_dormant.load(Ordering::SeqCst) {
            let unready = process.ending.unless_ready();
            process.call(wire::Operation::Start, context).await?;
            unready.ready();
            self.is_dormant.store(false, Ordering::SeqCst);
        }
        *running = Some(Arc::clone(&process));
        if let Some(idle) = self.launch.idle {
            tokio::spawn(end_when_idle(Arc::downgrade(self), Arc::downgrade(&process), idle));
        }
        Ok(process)
    }
}

/// Ends a process that has had nothing to do for so long.
async fn end_when_idle(shared: Weak<Shared>, process: Weak<Process>, idle: Duration) {
    let mut begun = 0;
    loop {
        sleep(idle).await;
        let (Some(shared), Some(process)) = (shared.upgrade(), process.upgrade()) else { return };
        let mut running = shared.running.lock().await;
        let before = std::mem::replace(&mut begun, shared.begun.load(Ordering::SeqCst));
        if before == begun && process.calls.waiting() == 0 {
            process.ending.end("it had nothing to do");
            *running = None;
            return;
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if let Some(process) = self.running.get_mut() {
            process.ending.end("its plugin was unloaded");
        }
    }
}

impl Drop for ProcessInstance {
    fn drop(&mut self) {
        if let Self::Own(process) = self {
            process.ending.end("its plugin was ended");
        }
    }
}

impl Instance for ProcessInstance {
    fn share(&self) -> Option<Box<dyn Instance>> {
        match self {
            Self::Own(_) => None,
            Self::Shared { shared, context } => {
                let (shared, context) = (Arc::clone(shared), Arc::clone(context));
                Some(Box::new(Self::Shared { shared, context }))
            }
        }
    }

    fn call<'a>(
        &'a mut self,
        operation: &'a Operation,
        context: &'a Arc<CallContext>,
    ) -> BoxFuture<'a, Result<Flow, CallError>> {
        Box::pin(async move {
            let process = match self {
                Self::Own(process) => Arc::clone(process),
                // No process is started to be told that.
                Self::Shared { shared, .. } if shared.does_without(operation).await => {
                    return Ok(Flow::Proceed);
                }
                Self::Shared { shared, context } => {
                    shared.begun.fetch_add(1, Ordering::SeqCst);
                    shared.running(context).await?
                }
            };
            process.call(wire_operation(operation), context).await
        })
    }
}

fn wire_operation(operation: &Operation) -> wire::Operation {
    match operation {
        Operation::Start => wire::Operation::Start,
        Operation::Stop => wire::Operation::Stop,
        Operation::Health => wire::Operation::Health,
        Operation::ExportState => wire::Operation::ExportState,
        Operation::ImportState { from } => wire::Operation::ImportState { from: from.to_string() },
        Operation::Before { hook } => wire::Operation::Before { hook: hook.to_string() },
        Operation::After { hook } => wire::Operation::After { hook: hook.to_string() },
        Operation::Around { hook } => wire::Operation::Around { hook: hook.to_string() },
        Operation::Replace { hook } => wire::Operation::Replace { hook: hook.to_string() },
        Operation::Answer { hook } => wire::Operation::Answer { hook: hook.to_string() },
        Operation::Event { subscription } => {
            wire::Operation::Event { subscription: subscription.to_string() }
        }
        Operation::Handle { contribution, method } => {
            wire::Operation::Handle { contribution: contribution.to_string(), method: method.to_string() }
        }
    }
}

impl fmt::Debug for ProcessPlugin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("ProcessPlugin").field(&self.launch.plugin).finish()
    }
}
