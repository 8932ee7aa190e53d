use std::fmt;
use std::sync::Arc;

use crate::call::Caller;
use crate::failure::Failure;
use crate::plugin::BoxFuture;
use crate::value::Value;

/// Where the pieces of an answer go before the answer is whole.
#[derive(Clone)]
pub struct Stream(Arc<dyn Reader>);

/// Whoever reads an answer while it is made.
pub trait Reader: Send + Sync {
    /// Takes a piece, when there is room for it. Cancel safe: a future that is dropped has given nothing.
    ///
    /// # Errors
    /// With the code `reader-gone` when nobody reads any more.
    fn take(&self, piece: Value) -> BoxFuture<'_, Result<(), Failure>>;
}

/// Where a request comes from, and who reads along. The default is the application, which waits for the whole answer.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    /// The plugin that makes the request, and what it may do; `None` when it is the application's own.
    pub caller: Option<Caller>,
    /// Who reads the answer while it is made.
    pub stream: Option<Stream>,
}

impl Stream {
    /// A stream to a reader.
    #[must_use]
    pub fn new(reader: Arc<dyn Reader>) -> Self {
        Self(reader)
    }

    pub(crate) async fn give(&self, piece: Value) -> Result<(), Failure> {
        self.0.take(piece).await
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Stream").finish_non_exhaustive()
    }
}
