use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use tapline::PluginId;
use tapline::core::Priority;
use tapline::host::write_file;
use tapline::pipeline::Engine;

use super::traffic::{Exchange, to_lines};

/// Notes what providers are asked and answer.
#[derive(Debug, Default)]
pub(super) struct Recorder(Mutex<Vec<Exchange>>);

/// The name under which the recorder stands in explanations.
const NAME: &str = "tapline-test-recorder";

impl Recorder {
    /// Joins in around the requests of an engine: innermost, so that what hooks take out of a request is not recorded.
    pub(super) fn join(self: &Arc<Self>, engine: &Engine) -> Result<()> {
        let recorder = Arc::clone(self);
        let hook = engine.provider_request().around("record", move |request, next| {
            let recorder = Arc::clone(&recorder);
            // Its place is taken when it is asked: requests that ask the same are replayed in this order.
            let place = recorder.begin(Exchange::of(&request));
            Box::pin(async move {
                let outcome = next.call(request).await;
                if let Some(exchange) = recorder.exchanges().get_mut(place) {
                    exchange.answered(&outcome);
                }
                outcome
            })
        });
        Ok(engine.host().join(&PluginId::new(NAME)?, vec![hook.priority(Priority::new(100)?)])?)
    }

    /// Writes all requests that have been answered, and says how many they are.
    pub(super) fn write(&self, file: &Path) -> io::Result<usize> {
        let mut exchanges = std::mem::take(&mut *self.exchanges());
        exchanges.retain(Exchange::is_answered);
        let count = exchanges.len();
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder)?;
        }
        write_file(file, to_lines(exchanges)?.as_bytes())?;
        Ok(count)
    }

    fn begin(&self, exchange: Exchange) -> usize {
        let mut exchanges = self.exchanges();
        exchanges.push(exchange);
        exchanges.len() - 1
    }

    fn exchanges(&self) -> std::sync::MutexGuard<'_, Vec<Exchange>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
