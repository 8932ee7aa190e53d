use std::sync::Arc;
use std::time::Duration;

use tapline_core::{
    CallContext, CallError, Calling, Exit, Failure, FileChange, FolderEntry, HttpBody, HttpRequest, Level,
    Value,
};

use crate::Result;
use crate::http::{HttpResponse, HttpStream};

/// The body of an answer.
pub(crate) struct Body(Box<dyn HttpBody>);

impl Body {
    pub(crate) async fn chunk(&mut self) -> Result<Option<Vec<u8>>> {
        self.0.chunk().await.map_err(|error| error.to_failure())
    }
}

/// The host, reached directly.
#[derive(Debug)]
pub(super) struct Host(pub(super) Arc<CallContext>);

impl Host {
    pub(super) fn get(&self, path: &str) -> Result<Option<Value>> {
        self.0.get(path).map_err(|denied| CallError::from(denied).to_failure())
    }

    pub(super) fn set(&self, path: &str, value: Value) -> Result<()> {
        self.0.set(path, value).map_err(|error| error.to_failure())
    }

    pub(super) async fn next(&self) -> Result<()> {
        self.0.next().await
    }

    pub(super) fn is_streamed(&self) -> bool {
        self.0.is_streamed()
    }

    pub(super) async fn emit(&self, piece: Value) -> Result<()> {
        self.0.emit(piece).await
    }

    pub(super) async fn call(
        &self,
        target: &str,
        method: &str,
        request: Value,
        calling: Calling,
    ) -> Result<Value> {
        self.0.call(target, method, request, calling).await.map_err(|error| error.to_failure())
    }

    pub(super) async fn sleep(&self, time: Duration) {
        self.0.sleep(time).await;
    }

    pub(super) fn cast(&self, target: &str, method: &str, request: Value) -> Result<()> {
        self.0.cast(target, method, request).map_err(|error| error.to_failure())
    }

    pub(super) fn caller(&self) -> Option<String> {
        self.0.caller().map(ToString::to_string)
    }

    pub(super) fn is_given_up(&self) -> bool {
        self.0.is_given_up()
    }

    pub(super) fn exit(&self, error: Option<Failure>) {
        self.0.exit(error.map_or(Exit::Normal, Exit::Error));
    }

    pub(super) fn publish(&self, topic: &str, payload: Value) -> Result<usize> {
        self.0.publish(topic, payload).map_err(|error| error.to_failure())
    }

    pub(super) async fn http(&self, request: HttpRequest) -> Result<HttpResponse> {
        let mut answer = self.0.http(request).await.map_err(|error| error.to_failure())?;
        let body = answer.bytes().await.map_err(|error| error.to_failure())?;
        Ok(HttpResponse { status: answer.status, headers: answer.headers, body })
    }

    pub(super) async fn http_stream(&self, request: HttpRequest) -> Result<HttpStream> {
        let answer = self.0.http(request).await.map_err(|error| error.to_failure())?;
        Ok(HttpStream { status: answer.status, headers: answer.headers, body: Body(answer.body) })
    }

    pub(super) fn log(&self, level: Level, message: &str) {
        self.0.log(level, message);
    }

    pub(super) async fn read_file(&self, path: &str) -> Result<Vec<u8>> {
        self.0.read_file(path).await.map_err(|error| error.to_failure())
    }

    pub(super) async fn write_file(&self, path: &str, bytes: Vec<u8>) -> Result<()> {
        self.change(path, FileChange::Write(bytes)).await
    }

    pub(super) async fn append_file(&self, path: &str, bytes: Vec<u8>) -> Result<()> {
        self.change(path, FileChange::Append(bytes)).await
    }

    pub(super) async fn list_folder(&self, path: &str) -> Result<Vec<FolderEntry>> {
        self.0.list_folder(path).await.map_err(|error| error.to_failure())
    }

    pub(super) async fn remove_file(&self, path: &str) -> Result<()> {
        self.change(path, FileChange::Remove).await
    }

    async fn change(&self, path: &str, change: FileChange) -> Result<()> {
        self.0.change_file(path, change).await.map_err(|error| error.to_failure())
    }

    pub(super) fn now(&self) -> Result<Duration> {
        self.0.now().map_err(|error| error.to_failure())
    }

    pub(super) fn elapsed(&self) -> Result<Duration> {
        self.0.elapsed().map_err(|error| error.to_failure())
    }

    pub(super) fn random(&self, count: usize) -> Result<Vec<u8>> {
        self.0.random(count).map_err(|error| error.to_failure())
    }
}
