use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

/// Events in their order, as lines of JSON, for any number of readers: each reads at its own pace, and one that is too
/// slow misses the oldest instead of holding up whoever writes.
pub(crate) struct Feed {
    state: Mutex<State>,
    changed: watch::Sender<()>,
    /// So many bytes are kept.
    kept: usize,
}

struct State {
    events: VecDeque<Event>,
    bytes: usize,
    /// The number of the next event, counted from 1.
    next: u64,
    has_ended: bool,
}

/// An event.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    /// Its place in the order, counted from 1.
    pub(crate) number: u64,
    /// What kind of event it is.
    pub(crate) kind: Arc<str>,
    /// All of it.
    pub(crate) json: Arc<str>,
}

/// What a reader finds.
#[derive(Debug, Clone)]
pub(crate) enum Found {
    /// The next event.
    Event(Event),
    /// So many events that are not kept any more.
    Missed(u64),
}

/// Somebody who reads a feed.
pub(crate) struct Reader {
    feed: Arc<Feed>,
    changed: watch::Receiver<()>,
    next: u64,
}

impl Feed {
    /// One that keeps as many of the latest events as take so many bytes.
    pub(crate) fn new(kept: usize) -> Arc<Self> {
        let state = State { events: VecDeque::new(), bytes: 0, next: 1, has_ended: false };
        Arc::new(Self { state: Mutex::new(state), changed: watch::Sender::new(()), kept })
    }

    /// Adds an event.
    pub(crate) fn push(&self, kind: &str, json: &serde_json::Value) {
        let json: Arc<str> = json.to_string().into();
        let mut state = self.state();
        let number = state.next;
        state.next += 1;
        state.bytes += json.len();
        state.events.push_back(Event { number, kind: kind.into(), json });
        // The latest is kept, however long it is.
        while state.bytes > self.kept && state.events.len() > 1 {
            state.bytes -= state.events.pop_front().map_or(0, |event| event.json.len());
        }
        drop(state);
        self.changed.send_replace(());
    }

    /// Tells readers that nothing comes any more.
    pub(crate) fn end(&self) {
        self.state().has_ended = true;
        self.changed.send_replace(());
    }

    /// Reads what comes after the event of this number.
    pub(crate) fn after(self: &Arc<Self>, number: u64) -> Reader {
        // A number that has not been given yet is of another life of the server, of which this one begins.
        let next = if number < self.state().next { number + 1 } else { 1 };
        Reader { feed: Arc::clone(self), changed: self.changed.subscribe(), next }
    }

    /// The number of the latest event.
    pub(crate) fn latest(&self) -> u64 {
        self.state().next - 1
    }

    /// How many bytes its events take.
    pub(crate) fn size(&self) -> usize {
        self.state().bytes
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reader {
    /// What comes next, once it is there; `None` at the end. Cancel safe.
    pub(crate) async fn next(&mut self) -> Option<Found> {
        loop {
            self.changed.mark_unchanged();
            match self.look() {
                Ok(found) => return found,
                // The feed is here, so whoever changes it cannot be gone.
                Err(Nothing) => self.changed.changed().await.ok()?,
            }
        }
    }

    fn look(&mut self) -> Result<Option<Found>, Nothing> {
        let state = self.feed.state();
        let first = state.events.front().map_or(state.next, |event| event.number);
        if self.next < first {
            let missed = first - self.next;
            self.next = first;
            return Ok(Some(Found::Missed(missed)));
        }
        let place = usize::try_from(self.next - first).unwrap_or(usize::MAX);
        match state.events.get(place) {
            Some(event) => {
                self.next += 1;
                Ok(Some(Found::Event(event.clone())))
            }
            None if state.has_ended => Ok(None),
            None => Err(Nothing),
        }
    }
}

/// There is nothing to read yet.
struct Nothing;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    async fn rest(mut reader: Reader) -> Vec<String> {
        let mut found = Vec::new();
        while let Some(next) = reader.next().await {
            found.push(match next {
                Found::Event(event) => format!("{} {}", event.number, event.json),
                Found::Missed(count) => format!("missed {count}"),
            });
        }
        found
    }

    #[tokio::test]
    async fn every_reader_gets_all_that_is_kept_in_its_order() {
        let feed = Feed::new(1000);
        let early = feed.after(0);
        for number in 1..=3 {
            feed.push("count", &json!(number * 10));
        }
        let late = feed.after(2);
        feed.end();
        assert_eq!(rest(early).await, ["1 10", "2 20", "3 30"]);
        assert_eq!(rest(late).await, ["3 30"]);
        assert_eq!(rest(feed.after(3)).await, [""; 0]);
        assert_eq!(rest(feed.after(99)).await.len(), 3);
    }

    #[tokio::test]
    async fn who_is_too_slow_learns_how_much_was_missed() {
        let feed = Feed::new(4);
        let slow = feed.after(0);
        for number in 10..20 {
            feed.push("count", &json!(number));
        }
        feed.end();
        assert_eq!(rest(slow).await, ["missed 8", "9 18", "10 19"]);
    }

    #[tokio::test]
    async fn who_waits_is_woken_by_an_event() {
        let feed = Feed::new(1000);
        let mut reader = feed.after(feed.latest());
        let waiting = tokio::spawn(async move { reader.next().await });
        feed.push("count", &json!(1));
        assert!(matches!(waiting.await.unwrap(), Some(Found::Event(event)) if &*event.json == "1"));
    }
}
