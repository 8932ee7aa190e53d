use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tapline_core::{CallError, Phase, PluginId};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

/// The queue before the one instance of a plugin: calls take turns, in the order in which they came.
#[derive(Debug)]
pub(crate) struct Turns {
    plugin: PluginId,
    turn: Arc<Semaphore>,
    waiting: AtomicUsize,
    waits: Arc<Waits>,
}

/// The right to enter the one instance of a plugin; the next call gets it when it is dropped.
pub(crate) type Turn = OwnedSemaphorePermit;

/// So many calls may wait for a plugin.
const LONGEST_QUEUE: usize = 1024;

/// Who waits for whom, among the plugins that answer one call at a time.
#[derive(Debug, Default)]
pub(crate) struct Waits(Mutex<BTreeMap<PluginId, Vec<PluginId>>>);

impl Turns {
    pub(crate) fn new(plugin: PluginId, waits: Arc<Waits>) -> Self {
        Self { plugin, turn: Arc::new(Semaphore::new(1)), waiting: AtomicUsize::new(0), waits }
    }

    /// Waits for the turn of a call, not longer than the calls around it may take. Cancel safe: a call that is given up
    /// leaves the queue.
    ///
    /// # Errors
    /// When the queue is full, the time is over, or the one who has the turn waits for this call.
    pub(crate) async fn take(&self) -> Result<Turn, CallError> {
        if let Ok(turn) = Arc::clone(&self.turn).try_acquire_owned() {
            return Ok(turn);
        }
        let _waiting = self.queue()?;
        let _edges = self.waits.wait(tapline_core::held(), &self.plugin)?;
        let begun = Instant::now();
        let turn = Arc::clone(&self.turn).acquire_owned();
        let turn = match tapline_core::deadline() {
            None => turn.await,
            Some(deadline) => timeout_at(deadline.into(), turn)
                .await
                .map_err(|_| CallError::DeadlineExceeded { limit: begun.elapsed(), phase: Phase::Queued })?,
        };
        turn.map_err(|_| CallError::NotActive { plugin: self.plugin.to_string() })
    }

    /// Waits for a turn behind all calls that have come, however many they are and however long it takes.
    pub(crate) async fn take_after_all(&self) -> Result<Turn, CallError> {
        let turn = Arc::clone(&self.turn).acquire_owned().await;
        turn.map_err(|_| CallError::NotActive { plugin: self.plugin.to_string() })
    }

    fn queue(&self) -> Result<Waiting<'_>, CallError> {
        let waiting = self.waiting.fetch_add(1, Ordering::Relaxed);
        let place = Waiting(&self.waiting);
        if waiting < LONGEST_QUEUE {
            return Ok(place);
        }
        Err(CallError::MailboxFull { plugin: self.plugin.to_string(), waiting })
    }
}

/// A place in the queue.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A call that waits, as those see it who look for circles.
#[derive(Debug)]
struct Edges {
    waits: Arc<Waits>,
    holding: Vec<PluginId>,
    target: PluginId,
}

impl Waits {
    /// Notes that a call which holds some plugins waits for another.
    fn wait(self: &Arc<Self>, holding: Vec<PluginId>, target: &PluginId) -> Result<Edges, CallError> {
        let mut waits = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(path) = path(&waits, target, &holding) {
            let path = path.into_iter().chain([target]).map(ToString::to_string).collect();
            return Err(CallError::Deadlock { path });
        }
        for held in &holding {
            waits.entry(held.clone()).or_default().push(target.clone());
        }
        Ok(Edges { waits: Arc::clone(self), holding, target: target.clone() })
    }
}

impl Drop for Edges {
    fn drop(&mut self) {
        let mut waits = self.waits.0.lock().unwrap_or_else(PoisonError::into_inner);
        for held in &self.holding {
            let Some(targets) = waits.get_mut(held) else { continue };
            if let Some(place) = targets.iter().position(|target| *target == self.target) {
                targets.swap_remove(place);
            }
            if targets.is_empty() {
                waits.remove(held);
            }
        }
    }
}

/// The plugins from one that is waited for to one of those that are held, each waiting for the next.
fn path<'a>(
    waits: &'a BTreeMap<PluginId, Vec<PluginId>>,
    from: &'a PluginId,
    held: &[PluginId],
) -> Option<Vec<&'a PluginId>> {
    let mut seen = std::collections::BTreeSet::new();
    let mut paths = std::collections::VecDeque::from([vec![from]]);
    while let Some(path) = paths.pop_front() {
        let last = *path.last()?;
        if held.contains(last) {
            return Some(path);
        }
        for next in waits.get(last).into_iter().flatten() {
            if seen.insert(next) {
                paths.push_back(path.iter().copied().chain([next]).collect());
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    fn id(name: &str) -> PluginId {
        PluginId::new(name).unwrap()
    }

    #[tokio::test]
    async fn a_queue_that_is_full_takes_no_more_and_one_that_was_left_does() {
        let turns = Turns::new(id("one"), Arc::default());
        let _turn = turns.take().await.unwrap();
        let mut queue: Vec<_> = (0..LONGEST_QUEUE).map(|_| Box::pin(turns.take())).collect();
        for waiting in &mut queue {
            assert!(waiting.as_mut().now_or_never().is_none());
        }
        let full = turns.take().await.unwrap_err();
        assert_eq!(full.to_string(), "plugin `one` has 1024 calls waiting, and takes no more");
        queue.pop();
        assert!(turns.take().now_or_never().is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_whose_time_is_over_before_its_turn_was_not_begun() {
        let turns = Turns::new(id("one"), Arc::default());
        let _turn = turns.take().await.unwrap();
        let deadline = Instant::now() + std::time::Duration::from_secs(2);
        let late = tapline_core::within_deadline(deadline.into_std(), turns.take()).await.unwrap_err();
        assert_eq!(late.to_string(), "the call was not begun within 2s");
    }

    #[test]
    fn whoever_closes_a_circle_is_told_its_path_and_nobody_else_is() {
        let waits = Arc::new(Waits::default());
        let wait = |holding: &[&str], target: &str| {
            waits.wait(holding.iter().map(|held| id(held)).collect(), &id(target))
        };
        let a_for_b = wait(&["a"], "b").unwrap();
        let _b_for_c = wait(&["x", "b"], "c").unwrap();
        let refused = wait(&["c"], "a").unwrap_err();
        assert_eq!(refused.to_string(), "plugins would wait for each other: a → b → c → a");
        assert_eq!(wait(&["a"], "a").unwrap_err().to_string(), "plugins would wait for each other: a → a");
        drop(a_for_b);
        drop(wait(&["c"], "a").unwrap());
        assert_eq!(waits.0.lock().unwrap().len(), 2);
    }
}
