use std::sync::Arc;
use std::time::Duration;

use tapline_core::{CallContext, CallError, Exit, Failure, Level, Value};
use wasmtime::Result;

use crate::clock::CpuClock;
use crate::meter::MemoryMeter;
use crate::plugin::LARGEST_CROSSING;
use bindings::tapline::plugin::{chain, context, events, life, log, peers, types};

mod files;
mod machine;

/// The contract, as the host's side of it.
pub(crate) mod bindings {
    wasmtime::component::bindgen!({
        path: "../../wit/v1",
        world: "imports",
        imports: {
            "tapline:plugin/chain.next": async | trappable,
            "tapline:plugin/peers.call": async | trappable,
            "tapline:plugin/files": async | trappable,
            default: trappable,
        },
    });
}

/// What the host keeps for one instance.
pub(crate) struct Guest {
    /// The call that the instance is answering.
    pub(crate) call: Option<Arc<CallContext>>,
    pub(crate) clock: CpuClock,
    pub(crate) memory: MemoryMeter,
    /// What the call has left with the host so far, in bytes.
    pub(crate) written: usize,
}

impl Guest {
    fn call(&self) -> Result<&Arc<CallContext>> {
        self.call.as_ref().ok_or_else(|| wasmtime::Error::msg("it used the host outside of a call"))
    }
}

impl types::Host for Guest {}

impl context::Host for Guest {
    fn get(&mut self, path: String) -> Result<Result<Option<String>, types::Failure>> {
        let value =
            self.call()?.get(&path).map_err(|denied| wire_failure(&CallError::from(denied).to_failure()));
        Ok(value.map(|value| value.map(|value| value.to_json())))
    }

    fn get_many(&mut self, paths: Vec<String>) -> Result<Result<Vec<Option<String>>, types::Failure>> {
        let mut values = Vec::new();
        let mut size = 0_usize;
        for path in paths {
            match self.get(path)? {
                Ok(value) => {
                    size += value.as_ref().map_or(0, String::len);
                    values.push(value);
                }
                Err(failure) => return Ok(Err(failure)),
            }
            // A path is short and what stands there may be long, and each can be asked for many times.
            if size > LARGEST_CROSSING {
                return Err(wasmtime::Error::msg(
                    "it asked for more values at once than one crossing may carry",
                ));
            }
        }
        Ok(Ok(values))
    }

    fn set(&mut self, path: String, value: String) -> Result<Result<(), types::Failure>> {
        self.written = self.written.saturating_add(path.len()).saturating_add(value.len());
        if self.written > LARGEST_CROSSING {
            return Err(wasmtime::Error::msg("it wrote more in one call than one crossing may carry"));
        }
        let value = match json(&value) {
            Ok(value) => value,
            Err(failure) => return Ok(Err(wire_failure(&failure))),
        };
        Ok(self.call()?.set(&path, value).map_err(|error| wire_failure(&error.to_failure())))
    }

    fn caller(&mut self) -> Result<Option<String>> {
        Ok(self.call()?.caller().map(ToString::to_string))
    }

    fn is_given_up(&mut self) -> Result<bool> {
        Ok(self.call()?.is_given_up())
    }
}

impl chain::Host for Guest {
    async fn next(&mut self) -> Result<Result<(), types::Failure>> {
        let call = Arc::clone(self.call()?);
        self.clock.pause();
        let answer = call.next().await;
        self.clock.resume();
        Ok(answer.map_err(|failure| wire_failure(&failure)))
    }
}

impl log::Host for Guest {
    fn log(&mut self, level: log::Level, message: String) -> Result<()> {
        let level = match level {
            log::Level::Debug => Level::Debug,
            log::Level::Info => Level::Info,
            log::Level::Warn => Level::Warn,
            log::Level::Error => Level::Error,
        };
        self.call()?.log(level, &message);
        Ok(())
    }
}

impl events::Host for Guest {
    fn publish(&mut self, topic: String, payload: String) -> Result<Result<u32, types::Failure>> {
        let payload = match json(&payload) {
            Ok(payload) => payload,
            Err(failure) => return Ok(Err(wire_failure(&failure))),
        };
        let published = Self::call(self)?.publish(&topic, payload);
        let count = published.map(|count| u32::try_from(count).unwrap_or(u32::MAX));
        Ok(count.map_err(|error| wire_failure(&error.to_failure())))
    }
}

impl life::Host for Guest {
    fn exit(&mut self, error: Option<types::Failure>) -> Result<()> {
        self.call()?.exit(error.map_or(Exit::Normal, |wire| Exit::Error(failure(wire))));
        Ok(())
    }
}

impl peers::Host for Guest {
    async fn call(
        &mut self,
        target: String,
        method: String,
        request: String,
        within: Option<u64>,
    ) -> Result<Result<String, types::Failure>> {
        let request = match json(&request) {
            Ok(request) => request,
            Err(failure) => return Ok(Err(wire_failure(&failure))),
        };
        let call = Arc::clone(Self::call(self)?);
        self.clock.pause();
        let answer = call.call(&target, &method, request, within.map(Duration::from_millis)).await;
        self.clock.resume();
        Ok(answer.map(|value| value.to_json()).map_err(|error| wire_failure(&error.to_failure())))
    }

    fn cast(
        &mut self,
        target: String,
        method: String,
        request: String,
    ) -> Result<Result<(), types::Failure>> {
        let request = match json(&request) {
            Ok(request) => request,
            Err(failure) => return Ok(Err(wire_failure(&failure))),
        };
        let cast = Self::call(self)?.cast(&target, &method, request);
        Ok(cast.map_err(|error| wire_failure(&error.to_failure())))
    }
}

/// A failure as a plugin gets it.
pub(crate) fn wire_failure(failure: &Failure) -> types::Failure {
    types::Failure {
        code: failure.code().to_owned(),
        message: failure.message().to_owned(),
        details: (!failure.details().is_null()).then(|| failure.details().to_json()),
    }
}

/// A failure as a plugin answers it.
pub(crate) fn failure(wire: types::Failure) -> Failure {
    let details = wire.details.and_then(|json| Value::from_json(&json).ok()).unwrap_or_default();
    Failure::new(wire.code, wire.message).with_details(details)
}

fn json(text: &str) -> Result<Value, Failure> {
    Value::from_json(text)
        .map_err(|error| Failure::new("not-json", format!("the value is not JSON: {error}")))
}
