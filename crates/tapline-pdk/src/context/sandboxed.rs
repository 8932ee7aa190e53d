use std::time::Duration;

use tapline_core::{Calling, EntryKind, Failure, FolderEntry, HttpRequest, Level, Value};

use crate::Result;
use crate::guest::bindings::tapline::plugin::{
    chain, clock, context, events, files, http, life, log, peers, random, stream, types,
};
use crate::http::{HttpResponse, HttpStream};

/// The body of an answer, by its number.
pub(crate) struct Body(u32);

impl Body {
    pub(crate) async fn chunk(&mut self) -> Result<Option<Vec<u8>>> {
        http::read(self.0).map_err(failure)
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        http::close(self.0);
    }
}

/// The host, reached through the imports of the contract.
#[derive(Debug)]
pub(super) struct Host;

impl Host {
    pub(super) fn get(&self, path: &str) -> Result<Option<Value>> {
        context::get(path).map_err(failure)?.map(|json| value(&json)).transpose()
    }

    pub(super) fn set(&self, path: &str, value: Value) -> Result<()> {
        context::set(path, &value.to_json()).map_err(failure)
    }

    pub(super) async fn next(&self) -> Result<()> {
        chain::next().map_err(failure)
    }

    pub(super) fn is_streamed(&self) -> bool {
        stream::is_read()
    }

    pub(super) async fn emit(&self, piece: Value) -> Result<()> {
        stream::emit(&piece.to_json()).map_err(failure)
    }

    pub(super) async fn call(
        &self,
        target: &str,
        method: &str,
        request: Value,
        calling: Calling,
    ) -> Result<Value> {
        let within = calling.within.map(milliseconds);
        let ask = if calling.relays { peers::relay } else { peers::call };
        value(&ask(target, method, &request.to_json(), within).map_err(failure)?)
    }

    pub(super) async fn sleep(&self, time: Duration) {
        life::sleep(milliseconds(time));
    }

    pub(super) fn cast(&self, target: &str, method: &str, request: Value) -> Result<()> {
        peers::cast(target, method, &request.to_json()).map_err(failure)
    }

    pub(super) fn caller(&self) -> Option<String> {
        context::caller()
    }

    pub(super) fn is_given_up(&self) -> bool {
        context::is_given_up()
    }

    pub(super) fn exit(&self, error: Option<Failure>) {
        let error = error.map(crate::guest::wire_failure);
        life::exit(error.as_ref());
    }

    pub(super) fn publish(&self, topic: &str, payload: Value) -> Result<usize> {
        let count = events::publish(topic, &payload.to_json()).map_err(failure)?;
        Ok(usize::try_from(count).unwrap_or(usize::MAX))
    }

    pub(super) async fn http(&self, request: HttpRequest) -> Result<HttpResponse> {
        let answer = http::send(&outgoing(request)).map_err(failure)?;
        Ok(HttpResponse { status: answer.status, headers: headers(answer.headers), body: answer.body })
    }

    pub(super) async fn http_stream(&self, request: HttpRequest) -> Result<HttpStream> {
        let head = http::open(&outgoing(request)).map_err(failure)?;
        Ok(HttpStream { status: head.status, headers: headers(head.headers), body: Body(head.body) })
    }

    pub(super) fn log(&self, level: Level, message: &str) {
        let level = match level {
            Level::Debug => log::Level::Debug,
            Level::Info => log::Level::Info,
            Level::Warn => log::Level::Warn,
            Level::Error => log::Level::Error,
        };
        log::log(level, message);
    }

    pub(super) async fn read_file(&self, path: &str) -> Result<Vec<u8>> {
        files::read(path).map_err(failure)
    }

    pub(super) async fn write_file(&self, path: &str, bytes: Vec<u8>) -> Result<()> {
        files::write(path, &bytes).map_err(failure)
    }

    pub(super) async fn append_file(&self, path: &str, bytes: Vec<u8>) -> Result<()> {
        files::append(path, &bytes).map_err(failure)
    }

    pub(super) async fn list_folder(&self, path: &str) -> Result<Vec<FolderEntry>> {
        let entry = |entry: files::Entry| {
            let kind = match entry.kind {
                files::Kind::File => EntryKind::File,
                files::Kind::Folder => EntryKind::Folder,
            };
            FolderEntry { name: entry.name, kind, size: entry.size }
        };
        Ok(files::list_folder(path).map_err(failure)?.into_iter().map(entry).collect())
    }

    pub(super) async fn remove_file(&self, path: &str) -> Result<()> {
        files::remove(path).map_err(failure)
    }

    pub(super) fn now(&self) -> Result<Duration> {
        Ok(Duration::from_nanos(clock::now()))
    }

    pub(super) fn elapsed(&self) -> Result<Duration> {
        Ok(Duration::from_nanos(clock::monotonic()))
    }

    pub(super) fn random(&self, count: usize) -> Result<Vec<u8>> {
        // The host would end the instance.
        match u32::try_from(count) {
            Ok(count) if count <= 64 << 10 => Ok(random::bytes(count)),
            _ => {
                let message = format!("{count} random bytes are more than the 65536 that can be had at once");
                Err(Failure::new("too-large", message))
            }
        }
    }
}

fn outgoing(request: HttpRequest) -> http::Request {
    let HttpRequest { method, url, headers, body, timeout, limit } = request;
    let headers = headers.into_iter().map(|(name, value)| http::Header { name, value }).collect();
    let timeout_milliseconds = timeout.map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
    http::Request { method, url, headers, body, timeout_milliseconds, limit }
}

fn headers(headers: Vec<http::Header>) -> Vec<(String, String)> {
    headers.into_iter().map(|http::Header { name, value }| (name, value)).collect()
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn value(json: &str) -> Result<Value> {
    Value::from_json(json).map_err(|error| Failure::from_error("contract", error))
}

fn failure(failure: types::Failure) -> Failure {
    let details = failure.details.and_then(|json| Value::from_json(&json).ok());
    Failure::new(failure.code, failure.message).with_details(details.unwrap_or_default())
}
