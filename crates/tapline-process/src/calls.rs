use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tapline_core::Value;
use tapline_wire::{Ask, Done};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// What a process says within a call, and how many bytes that had.
pub(crate) enum Said {
    Ask { ask: u64, what: Ask<Value>, bytes: usize },
    Done { done: Done<Value>, bytes: usize },
}

/// The calls that a process has not ended.
#[derive(Default)]
pub(crate) struct Calls(Mutex<Open>);

#[derive(Default)]
struct Open {
    calls: HashMap<u64, Call>,
    last: u64,
    is_closed: bool,
}

struct Call {
    /// Who waits, until nobody does any more.
    waiting: Option<UnboundedSender<Said>>,
    /// How much is being asked for.
    asked: u32,
}

/// Why something that a process said is against the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Misplaced {
    /// There is no such call, or it has ended.
    NoSuchCall,
    /// It asks for more at once than it may.
    TooMany,
}

impl Calls {
    /// A new call; `None` when the process has ended.
    pub(crate) fn begin(&self) -> Option<(u64, UnboundedReceiver<Said>)> {
        let (sender, receiver) = unbounded_channel();
        let mut open = self.open();
        if open.is_closed {
            return None;
        }
        open.last += 1;
        let number = open.last;
        open.calls.insert(number, Call { waiting: Some(sender), asked: 0 });
        Some((number, receiver))
    }

    /// Hands on what the process said of a call; says whether somebody waits for it.
    pub(crate) fn hand_on(&self, number: u64, said: Said, most: u32) -> Result<bool, Misplaced> {
        let mut open = self.open();
        let call = open.calls.get_mut(&number).ok_or(Misplaced::NoSuchCall)?;
        let waiting = if matches!(said, Said::Done { .. }) {
            open.calls.remove(&number).and_then(|call| call.waiting)
        } else {
            call.asked += 1;
            if call.asked > most {
                return Err(Misplaced::TooMany);
            }
            call.waiting.clone()
        };
        drop(open);
        Ok(waiting.is_some_and(|waiting| waiting.send(said).is_ok()))
    }

    /// Something that was asked for is answered.
    pub(crate) fn answered(&self, number: u64) {
        if let Some(call) = self.open().calls.get_mut(&number) {
            call.asked = call.asked.saturating_sub(1);
        }
    }

    /// Nobody waits for a call any more; says whether the process has yet to end it.
    pub(crate) fn give_up(&self, number: u64) -> bool {
        let mut open = self.open();
        let call = open.calls.get_mut(&number);
        call.map(|call| call.waiting = None).is_some()
    }

    /// Whether the process has not ended a call.
    pub(crate) fn is_open(&self, number: u64) -> bool {
        self.open().calls.contains_key(&number)
    }

    /// How many calls somebody waits for.
    pub(crate) fn waiting(&self) -> usize {
        self.open().calls.values().filter(|call| call.waiting.is_some()).count()
    }

    /// Ends all calls, and lets none begin.
    pub(crate) fn close(&self) {
        let mut open = self.open();
        open.is_closed = true;
        let calls = std::mem::take(&mut open.calls);
        drop(open);
        drop(calls);
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
