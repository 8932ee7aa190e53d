use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tapline_core::{
    BoxFuture, CallContext, CallError, Figures, Instance, Limits, Manifest, Plugin, Totals, Traffic,
};
use wasmtime::component::InstancePre;
use wasmtime::{Store, Trap, UpdateDeadline};

use crate::clock::CpuClock;
use crate::exports::Exports;
use crate::guest::{Bodies, Guest};
use crate::instance::{WasmInstance, fault};
use crate::meter::{Allowance, MemoryMeter};

/// A component that is compiled and linked.
pub(crate) struct WasmPlugin {
    name: String,
    linked: InstancePre<Guest>,
    exports: Exports,
    /// Whether the types of the exports have been looked at, on the first instance.
    are_checked: AtomicBool,
    limits: Limits,
    allowance: Arc<Allowance>,
    totals: Arc<Totals>,
}

/// What one crossing of the boundary may carry, in bytes.
pub(crate) const LARGEST_CROSSING: usize = 64 << 20;

impl WasmPlugin {
    pub(crate) fn new(manifest: &Manifest, linked: InstancePre<Guest>, limits: &Limits) -> Self {
        let allowance = Allowance::new(limits.memory);
        Self {
            name: manifest.id().to_string(),
            exports: Exports::of(linked.component()),
            are_checked: AtomicBool::new(false),
            linked,
            limits: limits.clone(),
            allowance,
            totals: Arc::default(),
        }
    }

    fn store(&self) -> Store<Guest> {
        let guest = Guest {
            call: None,
            clock: CpuClock::new(self.limits.cpu),
            memory: MemoryMeter::new(Arc::clone(&self.allowance)),
            traffic: Traffic::new(Arc::clone(&self.totals), &self.limits),
            bodies: Bodies::default(),
            last_error: None,
        };
        let mut store = Store::new(self.linked.engine(), guest);
        store.limiter(|guest| &mut guest.memory);
        store.set_hostcall_fuel(LARGEST_CROSSING);
        store.set_max_component_handles(self.limits.handles as usize);
        // The code gives way at every tick, so that others run and a caller can drop the call.
        store.epoch_deadline_callback(|mut store| {
            if store.data_mut().clock.is_over_budget() {
                Err(Trap::Interrupt.into())
            } else {
                Ok(UpdateDeadline::Yield(1))
            }
        });
        store
    }

    /// Why there is no instance: for what the component does, or for what others hold.
    fn not_instantiated(&self, guest: &Guest, error: &wasmtime::Error) -> CallError {
        let others = guest.memory.held_by_others();
        let reason = match guest.memory.was_refused() {
            true if others.0 > 0 => {
                format!("the others hold {others} of its {} of memory", guest.memory.limit())
            }
            false if !error.is::<Trap>() => format!("{error:#}"),
            _ => return fault(guest, error).into(),
        };
        CallError::Exhausted { plugin: self.name.clone(), reason }
    }
}

impl Plugin for WasmPlugin {
    fn start<'a>(
        &'a self,
        context: &'a Arc<CallContext>,
    ) -> BoxFuture<'a, Result<Box<dyn Instance>, CallError>> {
        Box::pin(async move {
            let mut store = self.store();
            store.data_mut().clock.start();
            store.set_epoch_deadline(1);
            let instance = self.linked.instantiate_async(&mut store).await;
            let instance = instance.map_err(|error| self.not_instantiated(store.data(), &error))?;
            let mut exports = self.exports.clone();
            if !self.are_checked.load(Ordering::Relaxed) {
                exports.check(&mut store, &instance)?;
                self.are_checked.store(true, Ordering::Relaxed);
            }
            let mut instance = WasmInstance::new(store, instance, exports);
            instance.init(context).await?;
            Ok(Box::new(instance) as Box<dyn Instance>)
        })
    }

    fn figures(&self) -> Option<Figures> {
        Some(Figures {
            memory: self.allowance.used(),
            most_memory: self.allowance.most(),
            computed: self.totals.computed(),
            taken: self.totals.taken(),
            left: self.totals.left(),
        })
    }
}

impl fmt::Debug for WasmPlugin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("WasmPlugin").field(&self.name).finish()
    }
}
