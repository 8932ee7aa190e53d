use tapline_core::{CONTRACT, CallError, Fault};
use wasmtime::Store;
use wasmtime::component::{
    Component, ComponentExportIndex, ComponentNamedList, Instance, Lift, Lower, TypedFunc,
};

use crate::guest::Guest;
use crate::guest::bindings::tapline::plugin::types;

pub(crate) type Done = (Result<(), types::Failure>,);
pub(crate) type Flowing = (Result<types::Flow, types::Failure>,);
pub(crate) type Exported = (Result<String, types::Failure>,);

/// The functions that a component exports.
#[derive(Clone)]
pub(crate) struct Exports {
    pub(crate) init: Export<(), Done>,
    pub(crate) start: Export<(), Done>,
    pub(crate) stop: Export<(), Done>,
    pub(crate) before: Export<(String,), Flowing>,
    pub(crate) after: Export<(String,), Done>,
    pub(crate) around: Export<(String,), Done>,
    pub(crate) replace: Export<(String,), Done>,
    pub(crate) answer: Export<(String,), Done>,
    pub(crate) event: Export<(String,), Done>,
    pub(crate) handle: Export<(String, String), Done>,
    pub(crate) health: Export<(), Done>,
    pub(crate) export_state: Export<(), Exported>,
    pub(crate) import_state: Export<(String, String), Done>,
}

/// A function that a component may export. It is found once for the plugin, and made ready once for an instance, when it
/// is first called: most instances are asked for one function alone.
#[derive(Clone)]
pub(crate) struct Export<P, R> {
    index: Option<ComponentExportIndex>,
    ready: Option<TypedFunc<P, R>>,
}

impl Exports {
    pub(crate) fn of(component: &Component) -> Self {
        Self {
            init: Export::of(component, "lifecycle", "init"),
            start: Export::of(component, "lifecycle", "start"),
            stop: Export::of(component, "lifecycle", "stop"),
            before: Export::of(component, "before", "before"),
            after: Export::of(component, "after", "after"),
            around: Export::of(component, "around", "around"),
            replace: Export::of(component, "replace", "replace"),
            answer: Export::of(component, "answer", "answer"),
            event: Export::of(component, "listener", "event"),
            handle: Export::of(component, "handler", "handle"),
            health: Export::of(component, "health", "health"),
            export_state: Export::of(component, "state", "export-state"),
            import_state: Export::of(component, "state", "import-state"),
        }
    }

    /// Makes all of them ready, so that one of another type is known before any is called.
    ///
    /// # Errors
    /// When one has another type, or one that every plugin has is missing.
    pub(crate) fn check(&mut self, store: &mut Store<Guest>, instance: &Instance) -> Result<(), CallError> {
        for required in [&mut self.init, &mut self.start, &mut self.stop] {
            required.ready(store, instance)?;
        }
        self.before.check(store, instance)?;
        for hook in [&mut self.after, &mut self.around, &mut self.replace, &mut self.answer, &mut self.event]
        {
            hook.check(store, instance)?;
        }
        self.handle.check(store, instance)?;
        self.health.check(store, instance)?;
        self.export_state.check(store, instance)?;
        self.import_state.check(store, instance)
    }
}

impl<P, R> Export<P, R>
where
    P: ComponentNamedList + Lower,
    R: ComponentNamedList + Lift,
{
    fn of(component: &Component, interface: &str, function: &str) -> Self {
        let interface = component.get_export_index(None, format!("tapline:plugin/{interface}@{CONTRACT}"));
        let index = interface.and_then(|interface| component.get_export_index(Some(&interface), function));
        Self { index, ready: None }
    }

    /// The function of an instance.
    ///
    /// # Errors
    /// When the component does not export it, or exports something else of that name.
    pub(crate) fn ready(
        &mut self,
        store: &mut Store<Guest>,
        instance: &Instance,
    ) -> Result<TypedFunc<P, R>, CallError> {
        if let Some(ready) = self.ready {
            return Ok(ready);
        }
        let index = self.index.ok_or_else(|| contract("it does not export what its manifest declares"))?;
        let function =
            instance.get_typed_func(store, index).map_err(|error| contract(&format!("{error:#}")))?;
        Ok(*self.ready.insert(function))
    }

    fn check(&mut self, store: &mut Store<Guest>, instance: &Instance) -> Result<(), CallError> {
        if self.index.is_some() {
            self.ready(store, instance)?;
        }
        Ok(())
    }
}

fn contract(message: &str) -> CallError {
    Fault::Contract { message: message.into() }.into()
}
