use std::collections::BTreeMap;

use tapline_core::{CallError, Failure, HttpBody};
use tokio::sync::Mutex;

/// The bodies that a call is reading, by their numbers.
#[derive(Default)]
pub(crate) struct Bodies(Mutex<Open>);

#[derive(Default)]
struct Open {
    bodies: BTreeMap<u32, Box<dyn HttpBody>>,
    last: u32,
}

/// So many may be open at once.
const OPEN: usize = 64;

impl Bodies {
    pub(crate) async fn check_room(&self) -> Result<(), Failure> {
        if self.0.lock().await.bodies.len() < OPEN {
            return Ok(());
        }
        Err(Failure::new("too-many-handles", format!("{OPEN} bodies are open, and no more are at once")))
    }

    pub(crate) async fn add(&self, body: Box<dyn HttpBody>) -> u32 {
        let mut open = self.0.lock().await;
        open.last = open.last.wrapping_add(1);
        let number = open.last;
        open.bodies.insert(number, body);
        number
    }

    /// The next piece of a body. Whoever reads one body twice at once is told that it is not open.
    pub(crate) async fn read(&self, number: u32) -> Result<Option<Vec<u8>>, CallError> {
        let body = self.0.lock().await.bodies.remove(&number);
        let Some(mut body) = body else {
            return Err(Failure::new("no-such-body", format!("no body {number} is open")).into());
        };
        let piece = body.chunk().await;
        self.0.lock().await.bodies.insert(number, body);
        piece
    }

    pub(crate) async fn close(&self, number: u32) {
        self.0.lock().await.bodies.remove(&number);
    }
}
