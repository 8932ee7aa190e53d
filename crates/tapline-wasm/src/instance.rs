use std::sync::Arc;

use tapline_core::{BoxFuture, CallContext, CallError, Fault, Flow, Instance, Operation, Value};
use wasmtime::component::{ComponentNamedList, Instance as Component, Lower};
use wasmtime::{Store, Trap};

use crate::exports::{Done, Export, Exports};
use crate::guest::bindings::tapline::plugin::types;
use crate::guest::{Guest, failure};

/// An instance of a component.
pub(crate) struct WasmInstance {
    store: Store<Guest>,
    component: Component,
    exports: Exports,
}

impl WasmInstance {
    pub(crate) const fn new(store: Store<Guest>, component: Component, exports: Exports) -> Self {
        Self { store, component, exports }
    }

    pub(crate) async fn init(&mut self, context: &Arc<CallContext>) -> Result<(), CallError> {
        self.enter(context);
        let init = self.exports.init.ready(&mut self.store, &self.component)?;
        let answer = init.call_async(&mut self.store, ()).await;
        self.leave(answer)?;
        Ok(())
    }

    fn enter(&mut self, context: &Arc<CallContext>) {
        let guest = self.store.data_mut();
        guest.call = Some(Arc::clone(context));
        guest.last_error = None;
        guest.clock.start();
        guest.memory.start();
        self.store.set_epoch_deadline(1);
    }

    fn leave<T>(&mut self, answer: wasmtime::Result<(Result<T, types::Failure>,)>) -> Result<T, CallError> {
        let guest = self.store.data_mut();
        guest.call = None;
        guest.bodies.close_all();
        guest.memory.release();
        let computed = guest.clock.stop();
        guest.traffic.end(computed);
        match answer {
            Ok((Ok(answer),)) => Ok(answer),
            Ok((Err(wire),)) => Err(failure(wire).into()),
            Err(trap) => Err(fault(self.store.data(), &trap).into()),
        }
    }

    async fn run<P>(
        &mut self,
        export: fn(&mut Exports) -> &mut Export<P, Done>,
        parameters: P,
    ) -> Result<Flow, CallError>
    where
        P: ComponentNamedList + Lower + Send + Sync + 'static,
    {
        let function = export(&mut self.exports).ready(&mut self.store, &self.component)?;
        let answer = function.call_async(&mut self.store, parameters).await;
        self.leave(answer).map(|()| Flow::Proceed)
    }

    async fn run_before(&mut self, hook: String) -> Result<Flow, CallError> {
        let function = self.exports.before.ready(&mut self.store, &self.component)?;
        let answer = function.call_async(&mut self.store, (hook,)).await;
        self.leave(answer).map(|flow| match flow {
            types::Flow::Proceed => Flow::Proceed,
            types::Flow::Finish => Flow::Finish,
        })
    }

    async fn run_export(&mut self, context: &Arc<CallContext>) -> Result<Flow, CallError> {
        let function = self.exports.export_state.ready(&mut self.store, &self.component)?;
        let answer = function.call_async(&mut self.store, ()).await;
        let state = Value::from_json(&self.leave(answer)?);
        let state =
            state.map_err(|error| Fault::Contract { message: format!("its state is not JSON: {error}") })?;
        context.set("output", state)?;
        Ok(Flow::Proceed)
    }
}

/// What a trap means.
pub(crate) fn fault(guest: &Guest, trap: &wasmtime::Error) -> Fault {
    match trap.downcast_ref::<Trap>() {
        Some(Trap::Interrupt) => Fault::Cpu { limit: guest.clock.budget() },
        _ if guest.memory.was_refused() => Fault::Memory { limit: guest.memory.limit() },
        Some(trap) => Fault::Trap { message: with_last_error(guest, trap) },
        None => Fault::Trap { message: trap.root_cause().to_string() },
    }
}

/// A plugin that ends itself has nothing to say but what it logged before.
fn with_last_error(guest: &Guest, trap: &Trap) -> String {
    match &guest.last_error {
        Some(error) if *trap == Trap::UnreachableCodeReached => {
            format!("{trap}; the last error that it logged: {error}")
        }
        _ => trap.to_string(),
    }
}

impl Instance for WasmInstance {
    fn call<'a>(
        &'a mut self,
        operation: &'a Operation,
        context: &'a Arc<CallContext>,
    ) -> BoxFuture<'a, Result<Flow, CallError>> {
        self.enter(context);
        match operation {
            Operation::Start => Box::pin(self.run(|exports| &mut exports.start, ())),
            Operation::Stop => Box::pin(self.run(|exports| &mut exports.stop, ())),
            Operation::Before { hook } => Box::pin(self.run_before(hook.to_string())),
            Operation::After { hook } => {
                Box::pin(self.run(|exports| &mut exports.after, (hook.to_string(),)))
            }
            Operation::Around { hook } => {
                Box::pin(self.run(|exports| &mut exports.around, (hook.to_string(),)))
            }
            Operation::Replace { hook } => {
                Box::pin(self.run(|exports| &mut exports.replace, (hook.to_string(),)))
            }
            Operation::Answer { hook } => {
                Box::pin(self.run(|exports| &mut exports.answer, (hook.to_string(),)))
            }
            Operation::Event { subscription } => {
                Box::pin(self.run(|exports| &mut exports.event, (subscription.to_string(),)))
            }
            Operation::Handle { contribution, method } => {
                let parameters = (contribution.to_string(), method.to_string());
                Box::pin(self.run(|exports| &mut exports.handle, parameters))
            }
            Operation::Health => Box::pin(self.run(|exports| &mut exports.health, ())),
            Operation::ExportState => Box::pin(self.run_export(context)),
            Operation::ImportState { from } => {
                let state = context.get("input").ok().flatten().unwrap_or_default();
                Box::pin(self.run(|exports| &mut exports.import_state, (state.to_json(), from.to_string())))
            }
        }
    }
}
