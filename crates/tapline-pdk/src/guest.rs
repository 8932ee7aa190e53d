//! A plugin's side of the contract when it runs in a sandbox. Used by what `#[plugin]` writes.

use std::pin::pin;
use std::sync::{Arc, OnceLock};
use std::task::{Poll, Waker};

use tapline_core::{BoxFuture, Failure, Flow, Operation};

use crate::context::Context;
use crate::define::Define;
use crate::{Level, Result};

/// The imports.
pub mod bindings {
    #![allow(missing_docs, unsafe_code, reason = "generated from the contract")]
    wit_bindgen::generate!({ world: "imports", path: "../../wit/v1" });
}

/// The exports, one module each, so that a plugin exports what it implements and no more.
macro_rules! exports {
    ($($module:ident = $world:literal,)*) => {
        $(
            /// One export.
            pub mod $module {
                #![allow(missing_docs, unsafe_code, reason = "generated from the contract")]
                wit_bindgen::generate!({
                    world: $world,
                    path: "../../wit/v1",
                    pub_export_macro: true,
                    default_bindings_module: "::tapline_pdk::guest",
                    with: {
                        "tapline:plugin/types@1.0.0": crate::guest::bindings::tapline::plugin::types,
                        "tapline:plugin/context@1.0.0": crate::guest::bindings::tapline::plugin::context,
                        "tapline:plugin/chain@1.0.0": crate::guest::bindings::tapline::plugin::chain,
                        "tapline:plugin/log@1.0.0": crate::guest::bindings::tapline::plugin::log,
                        "tapline:plugin/life@1.0.0": crate::guest::bindings::tapline::plugin::life,
                        "tapline:plugin/peers@1.0.0": crate::guest::bindings::tapline::plugin::peers,
                        "tapline:plugin/events@1.0.0": crate::guest::bindings::tapline::plugin::events,
                        "tapline:plugin/files@1.0.0": crate::guest::bindings::tapline::plugin::files,
                        "tapline:plugin/clock@1.0.0": crate::guest::bindings::tapline::plugin::clock,
                        "tapline:plugin/random@1.0.0": crate::guest::bindings::tapline::plugin::random,
                        "tapline:plugin/http@1.0.0": crate::guest::bindings::tapline::plugin::http,
                    },
                });
            }
        )*
    };
}

exports! {
    lifecycle = "exports-lifecycle",
    before = "exports-before",
    after = "exports-after",
    around = "exports-around",
    replace = "exports-replace",
    answer = "exports-answer",
    listener = "exports-listener",
    handler = "exports-handler",
    health = "exports-health",
    state = "exports-state",
}

pub use bindings::tapline::plugin::types::{Failure as WireFailure, Flow as WireFlow};

/// The one plugin of the component.
static PLUGIN: OnceLock<Box<dyn Running>> = OnceLock::new();

trait Running: Send + Sync {
    fn call<'a>(&'a self, operation: &'a Operation, context: &'a Context) -> BoxFuture<'a, Result<Flow>>;
}

impl<T: Define> Running for T {
    fn call<'a>(&'a self, operation: &'a Operation, context: &'a Context) -> BoxFuture<'a, Result<Flow>> {
        Define::call(self, operation, context)
    }
}

/// Makes the plugin.
pub fn init<T: Define>() -> Result<(), WireFailure> {
    // The text of a panic is lost on this target unless it is passed on.
    std::panic::set_hook(Box::new(|panic| Context::new().log(Level::Error, &panic.to_string())));
    let plugin = finished(T::init(&Context::new())).map_err(wire_failure)?;
    let _ = PLUGIN.set(Box::new(plugin));
    Ok(())
}

/// Answers one call.
pub fn call(operation: Operation) -> Result<WireFlow, WireFailure> {
    let Some(plugin) = PLUGIN.get() else {
        return Err(wire_failure(Failure::new("not-active", "`init` has not run")));
    };
    match finished(plugin.call(&operation, &Context::new())) {
        Ok(Flow::Proceed) => Ok(WireFlow::Proceed),
        Ok(Flow::Finish) => Ok(WireFlow::Finish),
        Err(failure) => Err(wire_failure(failure)),
    }
}

/// Hands over the state, which is then the output of the call.
pub fn export_state() -> Result<String, WireFailure> {
    call(Operation::ExportState)?;
    let state = Context::new().get("output").map_err(wire_failure)?;
    Ok(state.unwrap_or_default().to_json())
}

/// Takes over a state, which is the input of the call.
pub fn import_state(from: &str) -> Result<(), WireFailure> {
    let from = from.parse().map_err(|error| wire_failure(Failure::from_error("contract", error)))?;
    call(Operation::ImportState { from }).map(|_| ())
}

/// A name that came through the contract.
pub fn name(text: String) -> Arc<str> {
    text.into()
}

/// Every import returns at once, so a future that is not ready waits for something that cannot come.
fn finished<T>(future: BoxFuture<'_, Result<T>>) -> Result<T> {
    let mut future = pin!(future);
    match future.as_mut().poll(&mut std::task::Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => answer,
        Poll::Pending => {
            Err(Failure::new("waits-for-nothing", "it awaits something that no host will bring"))
        }
    }
}

pub(crate) fn wire_failure(failure: Failure) -> WireFailure {
    let details = (!failure.details().is_null()).then(|| failure.details().to_json());
    WireFailure { code: failure.code().to_owned(), message: failure.message().to_owned(), details }
}

/// Exports the plugin's life.
#[macro_export]
macro_rules! export_lifecycle {
    ($plugin:ty) => {
        const _: () = {
            struct Export;
            impl $crate::guest::lifecycle::exports::tapline::plugin::lifecycle::Guest for Export {
                fn init() -> ::std::result::Result<(), $crate::guest::WireFailure> {
                    $crate::guest::init::<$plugin>()
                }
                fn start() -> ::std::result::Result<(), $crate::guest::WireFailure> {
                    $crate::guest::call($crate::Operation::Start).map(|_| ())
                }
                fn stop() -> ::std::result::Result<(), $crate::guest::WireFailure> {
                    $crate::guest::call($crate::Operation::Stop).map(|_| ())
                }
            }
    $crate::guest::lifecycle::export!(Export with_types_in $crate::guest::lifecycle);
        };
    };
}

/// Exports before hooks.
#[macro_export]
macro_rules! export_before {
    ($plugin:ty) => {
        const _: () = {
            struct Export;
            impl $crate::guest::before::exports::tapline::plugin::before::Guest for Export {
                fn before(
                    hook: ::std::string::String,
                ) -> ::std::result::Result<$crate::guest::WireFlow, $crate::guest::WireFailure> {
                    $crate::guest::call($crate::Operation::Before { hook: $crate::guest::name(hook) })
                }
            }
    $crate::guest::before::export!(Export with_types_in $crate::guest::before);
        };
    };
}

/// Writes the macro that exports one kind of hook that has nothing to decide.
macro_rules! hook_export {
    ($dollar:tt $macro:ident, $module:ident, $operation:ident) => {
        /// Exports hooks of one kind.
        #[macro_export]
        macro_rules! $macro {
            ($dollar plugin:ty) => {
                const _: () = {
                    struct Export;
                    impl $dollar crate::guest::$module::exports::tapline::plugin::$module::Guest for Export {
                        fn $module(
                            hook: ::std::string::String,
                        ) -> ::std::result::Result<(), $dollar crate::guest::WireFailure> {
                            let hook = $dollar crate::guest::name(hook);
                            $dollar crate::guest::call($dollar crate::Operation::$operation { hook }).map(|_| ())
                        }
                    }
                    $dollar crate::guest::$module::export!(Export with_types_in $dollar crate::guest::$module);
                };
            };
        }
    };
}

hook_export!($ export_after, after, After);
hook_export!($ export_around, around, Around);
hook_export!($ export_replace, replace, Replace);
hook_export!($ export_answer, answer, Answer);

/// Exports subscriptions to events.
#[macro_export]
macro_rules! export_listener {
    ($plugin:ty) => {
        const _: () = {
            struct Export;
            impl $crate::guest::listener::exports::tapline::plugin::listener::Guest for Export {
                fn event(
                    subscription: ::std::string::String,
                ) -> ::std::result::Result<(), $crate::guest::WireFailure> {
                    let subscription = $crate::guest::name(subscription);
                    $crate::guest::call($crate::Operation::Event { subscription }).map(|_| ())
                }
            }
    $crate::guest::listener::export!(Export with_types_in $crate::guest::listener);
        };
    };
}

/// Exports contributions to extension points.
#[macro_export]
macro_rules! export_handler {
    ($plugin:ty) => {
        const _: () = {
            struct Export;
            impl $crate::guest::handler::exports::tapline::plugin::handler::Guest for Export {
                fn handle(
                    contribution: ::std::string::String,
                    method: ::std::string::String,
                ) -> ::std::result::Result<(), $crate::guest::WireFailure> {
                    let (contribution, method) =
                        ($crate::guest::name(contribution), $crate::guest::name(method));
                    $crate::guest::call($crate::Operation::Handle { contribution, method }).map(|_| ())
                }
            }
    $crate::guest::handler::export!(Export with_types_in $crate::guest::handler);
        };
    };
}

/// Exports how the plugin is.
#[macro_export]
macro_rules! export_health {
    ($plugin:ty) => {
        const _: () = {
            struct Export;
            impl $crate::guest::health::exports::tapline::plugin::health::Guest for Export {
                fn health() -> ::std::result::Result<(), $crate::guest::WireFailure> {
                    $crate::guest::call($crate::Operation::Health).map(|_| ())
                }
            }
    $crate::guest::health::export!(Export with_types_in $crate::guest::health);
        };
    };
}

/// Exports the state that another version takes over.
#[macro_export]
macro_rules! export_state {
    ($plugin:ty) => {
        const _: () = {
            struct Export;
            impl $crate::guest::state::exports::tapline::plugin::state::Guest for Export {
                fn export_state() -> ::std::result::Result<::std::string::String, $crate::guest::WireFailure>
                {
                    $crate::guest::export_state()
                }
                fn import_state(
                    _state: ::std::string::String,
                    from_version: ::std::string::String,
                ) -> ::std::result::Result<(), $crate::guest::WireFailure> {
                    $crate::guest::import_state(&from_version)
                }
            }
    $crate::guest::state::export!(Export with_types_in $crate::guest::state);
        };
    };
}
