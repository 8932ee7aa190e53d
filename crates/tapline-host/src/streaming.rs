use std::sync::Arc;

use tapline_core::{BoxFuture, Failure, HookError, Reader, Request, Stream, Value};
use tokio::sync::mpsc;

use crate::host::Host;

/// The pieces of an answer, as they are made.
#[derive(Debug)]
pub struct Pieces(mpsc::Receiver<Value>);

/// So many pieces may wait to be read; whoever makes more waits.
const WAITING: usize = 16;

impl Host {
    /// Makes a request to a contribution, as [`request`](Self::request) does, and reads the answer while it is made. The
    /// pieces and the whole answer are to be awaited together: who makes pieces waits while nobody reads them.
    /// Dropping the pieces has the plugin told that nobody reads any more.
    pub fn request_streamed(
        &self,
        request: Request,
    ) -> (Pieces, impl Future<Output = Result<Value, HookError>> + Send + use<>) {
        let (sender, receiver) = mpsc::channel(WAITING);
        let answer = self.request(request.read_along(Stream::new(Arc::new(Sender(sender)))));
        (Pieces(receiver), answer)
    }
}

impl Pieces {
    /// The next piece; `None` when the answer is whole, or failed. Cancel safe.
    pub async fn next(&mut self) -> Option<Value> {
        self.0.recv().await
    }
}

struct Sender(mpsc::Sender<Value>);

impl Reader for Sender {
    fn take(&self, piece: Value) -> BoxFuture<'_, Result<(), Failure>> {
        Box::pin(async move {
            self.0
                .send(piece)
                .await
                .map_err(|_| Failure::new("reader-gone", "nobody reads the answer any more"))
        })
    }
}
