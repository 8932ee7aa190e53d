use std::sync::Arc;
use std::time::Duration;

use tapline_core::{CallContext, CallError, Calling, Exit, Failure, Level, Traffic, Value};
use wasmtime::Result;

use crate::clock::CpuClock;
use crate::meter::MemoryMeter;
use bindings::tapline::plugin::{chain, context, events, life, log, peers, stream, types};

mod files;
mod machine;
mod http;

pub(crate) use http::Bodies;

/// The contract, as the host's side of it.
pub(crate) mod bindings {
    wasmtime::component::bindgen!({
        path: "../../wit/v1",
        world: "imports",
        imports: {
            "tapline:plugin/chain.next": async | trappable,
            "tapline:plugin/stream.emit": async | trappable,
            "tapline:plugin/peers.call": async | trappable,
            "tapline:plugin/peers.relay": async | trappable,
            "tapline:plugin/life.sleep": async | trappable,
            "tapline:plugin/files": async | trappable,
            "tapline:plugin/http.send": async | trappable,
            "tapline:plugin/http.open": async | trappable,
            "tapline:plugin/http.read": async | trappable,
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
    pub(crate) traffic: Traffic,
    /// The answers that the call is reading.
    pub(crate) bodies: Bodies,
    /// The last error that the plugin has logged within the call: what ends an instance says so there before.
    pub(crate) last_error: Option<String>,
}

/// So much of a logged error is kept, in bytes.
const LONGEST_ERROR: usize = 4 << 10;

impl Guest {
    fn call(&self) -> Result<&Arc<CallContext>> {
        self.call.as_ref().ok_or_else(|| wasmtime::Error::msg("it used the host outside of a call"))
    }

    /// A value that the call takes from the host, as text.
    fn take(&mut self, value: &Value) -> Result<String, Failure> {
        let json = value.to_json();
        self.traffic.take(json.len())?;
        Ok(json)
    }

    /// A piece of the answer, which the host passes on.
    fn piece(&mut self, text: &str) -> Result<Value, Failure> {
        if text.len() > LARGEST_PIECE {
            let message = format!(
                "a piece of an answer has {LARGEST_PIECE} bytes at most, and this one {}",
                text.len()
            );
            return Err(Failure::new("too-large", message));
        }
        self.traffic.leave(text.len())?;
        json(text)
    }

    /// A value that the call leaves with the host, which holds it until the call has ended.
    fn leave(&mut self, name: &str, text: &str) -> Result<Value, Failure> {
        let bytes = name.len() + text.len();
        self.traffic.leave(bytes)?;
        if !self.memory.hold(bytes) {
            let limit = self.memory.limit();
            return Err(Failure::new(
                "too-large",
                format!("the plugin holds more than its {limit} of memory with this"),
            ));
        }
        json(text)
    }
}

/// What a plugin gets from the host: an answer, or an error as the contract has it.
type Answer<T> = Result<T, types::Failure>;

impl types::Host for Guest {}

impl context::Host for Guest {
    fn get(&mut self, path: String) -> Result<Answer<Option<String>>> {
        let value = self.call()?.get(&path).map_err(|denied| CallError::from(denied).to_failure());
        let text = value.and_then(|value| value.map(|value| self.take(&value)).transpose());
        Ok(text.map_err(|failure| wire_failure(&failure)))
    }

    fn get_many(&mut self, paths: Vec<String>) -> Result<Answer<Vec<Option<String>>>> {
        let mut values = Vec::new();
        // A path is short and what stands there may be long, and each can be asked for many times.
        for path in paths {
            match self.get(path)? {
                Ok(value) => values.push(value),
                Err(failure) => return Ok(Err(failure)),
            }
        }
        Ok(Ok(values))
    }

    fn set(&mut self, path: String, value: String) -> Result<Answer<()>> {
        let value = match self.leave(&path, &value) {
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
    async fn next(&mut self) -> Result<Answer<()>> {
        let call = Arc::clone(self.call()?);
        self.clock.pause();
        let answer = call.next().await;
        self.clock.resume();
        Ok(answer.map_err(|failure| wire_failure(&failure)))
    }
}

impl stream::Host for Guest {
    fn is_read(&mut self) -> Result<bool> {
        Ok(self.call()?.is_streamed())
    }

    async fn emit(&mut self, piece: String) -> Result<Answer<()>> {
        let value = match self.piece(&piece) {
            Ok(value) => value,
            Err(failure) => return Ok(Err(wire_failure(&failure))),
        };
        let call = Arc::clone(self.call()?);
        self.clock.pause();
        let given = call.emit(value).await;
        self.clock.resume();
        Ok(given.map_err(|failure| wire_failure(&failure)))
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
        if level == Level::Error {
            self.last_error = Some(message[..message.floor_char_boundary(LONGEST_ERROR)].to_owned());
        }
        Ok(())
    }
}

impl events::Host for Guest {
    fn publish(&mut self, topic: String, payload: String) -> Result<Answer<u32>> {
        let payload = match self.leave(&topic, &payload) {
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

    async fn sleep(&mut self, milliseconds: u64) -> Result<()> {
        let call = Arc::clone(Self::call(self)?);
        self.clock.pause();
        call.sleep(Duration::from_millis(milliseconds)).await;
        self.clock.resume();
        Ok(())
    }
}

impl Guest {
    /// Asks another plugin.
    async fn ask(
        &mut self,
        (target, method): (String, String),
        request: String,
        calling: Calling,
    ) -> Result<Answer<String>> {
        let request = match self.leave(&target, &request) {
            Ok(request) => request,
            Err(failure) => return Ok(Err(wire_failure(&failure))),
        };
        let call = Arc::clone(Self::call(self)?);
        self.clock.pause();
        let answer = call.call(&target, &method, request, calling).await;
        self.clock.resume();
        let answer = answer.map_err(|error| error.to_failure()).and_then(|value| self.take(&value));
        Ok(answer.map_err(|failure| wire_failure(&failure)))
    }
}

impl peers::Host for Guest {
    async fn call(
        &mut self,
        target: String,
        method: String,
        request: String,
        within: Option<u64>,
    ) -> Result<Answer<String>> {
        self.ask((target, method), request, calling(within, false)).await
    }

    async fn relay(
        &mut self,
        target: String,
        method: String,
        request: String,
        within: Option<u64>,
    ) -> Result<Answer<String>> {
        self.ask((target, method), request, calling(within, true)).await
    }

    fn cast(&mut self, target: String, method: String, request: String) -> Result<Answer<()>> {
        let request = match self.leave(&target, &request) {
            Ok(request) => request,
            Err(failure) => return Ok(Err(wire_failure(&failure))),
        };
        let cast = Self::call(self)?.cast(&target, &method, request);
        Ok(cast.map_err(|error| wire_failure(&error.to_failure())))
    }
}

fn calling(within: Option<u64>, relays: bool) -> Calling {
    Calling { within: within.map(Duration::from_millis), relays }
}

/// What a piece of an answer may have, in bytes: many of them may wait to be read.
const LARGEST_PIECE: usize = 1 << 20;

fn json(text: &str) -> Result<Value, Failure> {
    Value::from_json(text)
        .map_err(|error| Failure::new("not-json", format!("the value is not JSON: {error}")))
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
