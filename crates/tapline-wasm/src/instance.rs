use std::sync::Arc;

use tapline_core::{BoxFuture, CONTRACT, CallContext, CallError, Fault, Flow, Instance, Operation, Value};
use wasmtime::component::{ComponentNamedList, Instance as Component, Lift, Lower, TypedFunc};
use wasmtime::{Store, Trap};

use crate::guest::bindings::tapline::plugin::types;
use crate::guest::{Guest, failure};

/// An instance of a component.
pub(crate) struct WasmInstance {
    store: Store<Guest>,
    exports: Exports,
}

type Done = (Result<(), types::Failure>,);
type Flowing = (Result<types::Flow, types::Failure>,);
type Exported = (Result<String, types::Failure>,);

/// The functions that the component exports.
struct Exports {
    init: TypedFunc<(), Done>,
    start: TypedFunc<(), Done>,
    stop: TypedFunc<(), Done>,
    before: Option<TypedFunc<(String,), Flowing>>,
    after: Option<TypedFunc<(String,), Done>>,
    around: Option<TypedFunc<(String,), Done>>,
    replace: Option<TypedFunc<(String,), Done>>,
    answer: Option<TypedFunc<(String,), Done>>,
    event: Option<TypedFunc<(String,), Done>>,
    handle: Option<TypedFunc<(String, String), Done>>,
    health: Option<TypedFunc<(), Done>>,
    export_state: Option<TypedFunc<(), Exported>>,
    import_state: Option<TypedFunc<(String, String), Done>>,
}

impl WasmInstance {
    pub(crate) fn new(mut store: Store<Guest>, component: &Component) -> Result<Self, CallError> {
        let exports = Exports {
            init: required(&mut store, component, "lifecycle", "init")?,
            start: required(&mut store, component, "lifecycle", "start")?,
            stop: required(&mut store, component, "lifecycle", "stop")?,
            before: export(&mut store, component, "before", "before")?,
            after: export(&mut store, component, "after", "after")?,
            around: export(&mut store, component, "around", "around")?,
            replace: export(&mut store, component, "replace", "replace")?,
            answer: export(&mut store, component, "answer", "answer")?,
            event: export(&mut store, component, "listener", "event")?,
            handle: export(&mut store, component, "handler", "handle")?,
            health: export(&mut store, component, "health", "health")?,
            export_state: export(&mut store, component, "state", "export-state")?,
            import_state: export(&mut store, component, "state", "import-state")?,
        };
        Ok(Self { store, exports })
    }

    pub(crate) async fn init(&mut self, context: &Arc<CallContext>) -> Result<(), CallError> {
        self.enter(context);
        let init = self.exports.init;
        let answer = init.call_async(&mut self.store, ()).await;
        self.leave(answer)?;
        Ok(())
    }

    fn enter(&mut self, context: &Arc<CallContext>) {
        let guest = self.store.data_mut();
        guest.call = Some(Arc::clone(context));
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

    async fn run<P>(&mut self, function: Option<TypedFunc<P, Done>>, parameters: P) -> Result<Flow, CallError>
    where
        P: ComponentNamedList + Lower + Send + Sync + 'static,
    {
        let function = function.ok_or_else(not_exported)?;
        let answer = function.call_async(&mut self.store, parameters).await;
        self.leave(answer).map(|()| Flow::Proceed)
    }

    async fn run_before(&mut self, hook: String) -> Result<Flow, CallError> {
        let function = self.exports.before.ok_or_else(not_exported)?;
        let answer = function.call_async(&mut self.store, (hook,)).await;
        self.leave(answer).map(|flow| match flow {
            types::Flow::Proceed => Flow::Proceed,
            types::Flow::Finish => Flow::Finish,
        })
    }

    async fn run_export(&mut self, context: &Arc<CallContext>) -> Result<Flow, CallError> {
        let function = self.exports.export_state.ok_or_else(not_exported)?;
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
        Some(trap) => Fault::Trap { message: trap.to_string() },
        None => Fault::Trap { message: trap.root_cause().to_string() },
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
            Operation::Start => Box::pin(self.run(Some(self.exports.start), ())),
            Operation::Stop => Box::pin(self.run(Some(self.exports.stop), ())),
            Operation::Before { hook } => Box::pin(self.run_before(hook.to_string())),
            Operation::After { hook } => Box::pin(self.run(self.exports.after, (hook.to_string(),))),
            Operation::Around { hook } => Box::pin(self.run(self.exports.around, (hook.to_string(),))),
            Operation::Replace { hook } => Box::pin(self.run(self.exports.replace, (hook.to_string(),))),
            Operation::Answer { hook } => Box::pin(self.run(self.exports.answer, (hook.to_string(),))),
            Operation::Event { subscription } => {
                Box::pin(self.run(self.exports.event, (subscription.to_string(),)))
            }
            Operation::Handle { contribution, method } => {
                let parameters = (contribution.to_string(), method.to_string());
                Box::pin(self.run(self.exports.handle, parameters))
            }
            Operation::Health => Box::pin(self.run(self.exports.health, ())),
            Operation::ExportState => Box::pin(self.run_export(context)),
            Operation::ImportState { from } => {
                let state = context.get("input").ok().flatten().unwrap_or_default();
                Box::pin(self.run(self.exports.import_state, (state.to_json(), from.to_string())))
            }
        }
    }
}

/// The function of an interface, if the component exports the interface.
fn export<P, R>(
    store: &mut Store<Guest>,
    component: &Component,
    interface: &str,
    function: &str,
) -> Result<Option<TypedFunc<P, R>>, CallError>
where
    P: ComponentNamedList + Lower,
    R: ComponentNamedList + Lift,
{
    let name = format!("tapline:plugin/{interface}@{CONTRACT}");
    let Some(interface) = component.get_export_index(&mut *store, None, &name) else { return Ok(None) };
    let Some(index) = component.get_export_index(&mut *store, Some(&interface), function) else {
        return Ok(None);
    };
    let function = component.get_typed_func(store, index);
    function.map(Some).map_err(|error| Fault::Contract { message: format!("`{name}`: {error:#}") }.into())
}

fn required<P, R>(
    store: &mut Store<Guest>,
    component: &Component,
    interface: &str,
    function: &str,
) -> Result<TypedFunc<P, R>, CallError>
where
    P: ComponentNamedList + Lower,
    R: ComponentNamedList + Lift,
{
    export(store, component, interface, function)?.ok_or_else(not_exported)
}

fn not_exported() -> CallError {
    Fault::Contract { message: "it does not export what its manifest declares".into() }.into()
}
