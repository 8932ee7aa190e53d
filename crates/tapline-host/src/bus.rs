use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tapline_core::{BoxFuture, Event, Overflow, Topic, TopicPattern, Value};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// Carries events from whoever publishes them to everyone who subscribed.
///
/// Each subscription has a queue of its own, so that a slow one delays nobody; what it loses it is told in its place.
/// All of them get the events of a topic in the same order. What must outlive the process is a broker's work.
#[derive(Default)]
pub(crate) struct Bus(Mutex<State>);

#[derive(Default)]
struct State {
    queues: Vec<Arc<Queue>>,
    /// The latest event of each topic whose events are states.
    kept: BTreeMap<Topic, Value>,
}

/// What a subscription brings.
#[derive(Debug, Clone, PartialEq)]
pub enum Delivery {
    /// An event.
    Event(Event),
    /// So many events were lost here, because the queue was full.
    Lagged {
        /// How many.
        missed: u64,
    },
}

/// How a subscription is queued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Queueing {
    /// How many events may wait.
    pub capacity: usize,
    /// Which event is lost when one more comes.
    pub overflow: Overflow,
}

/// A subscription, to be read by whoever holds it. Dropping it ends it.
#[derive(Debug)]
pub struct Subscription {
    queue: Arc<Queue>,
    bus: std::sync::Weak<Bus>,
}

/// A subscription that calls a function with what it brings, one after the other, in a task of its own. Dropping it ends
/// it; a call that has begun goes on.
#[derive(Debug)]
pub struct Listener {
    queue: Arc<Queue>,
    task: JoinHandle<()>,
}

struct Queue {
    pattern: TopicPattern,
    queueing: Queueing,
    waiting: Mutex<Waiting>,
    arrived: Notify,
}

#[derive(Default)]
struct Waiting {
    deliveries: VecDeque<Delivery>,
    /// How many of the deliveries are events.
    events: usize,
    is_closed: bool,
}

impl Default for Queueing {
    /// 256 events; the oldest is lost.
    fn default() -> Self {
        Self { capacity: 256, overflow: Overflow::DropOldest }
    }
}

impl Bus {
    /// Queues an event for everyone who subscribed to its topic, and says how many do.
    pub(crate) fn publish(&self, event: &Event) -> usize {
        let mut state = self.state();
        state.queues.retain(|queue| !queue.waiting().is_closed);
        if let Some(kept) = state.kept.get_mut(&event.topic) {
            *kept = event.payload.clone();
        }
        // All of it under one lock, so that everyone gets two events of a topic in the same order.
        state.queues.iter().filter(|queue| queue.push(event)).count()
    }

    /// As [`publish`](Self::publish), and keeps the event: whoever subscribes later gets the latest one first.
    pub(crate) fn publish_state(&self, event: &Event) -> usize {
        self.state().kept.insert(event.topic.clone(), event.payload.clone());
        self.publish(event)
    }

    /// As [`publish`](Self::publish), and forgets the state that was kept of the topic.
    pub(crate) fn publish_last(&self, event: &Event) -> usize {
        self.state().kept.remove(&event.topic);
        self.publish(event)
    }

    pub(crate) fn subscribe(self: &Arc<Self>, pattern: TopicPattern, queueing: Queueing) -> Subscription {
        self.state().subscribe(self, pattern, queueing)
    }

    /// Subscribes, and in the same moment ends subscriptions in whose place the new ones come: no event is missed by both or
    /// taken by both. What waits for those that end is still delivered.
    pub(crate) fn exchange(
        self: &Arc<Self>,
        ending: &[Listener],
        beginning: impl IntoIterator<Item = (TopicPattern, Queueing)>,
    ) -> Vec<Subscription> {
        let mut state = self.state();
        ending.iter().for_each(|listener| listener.queue.close(Rest::Deliver));
        let subscribe = |(pattern, queueing)| state.subscribe(self, pattern, queueing);
        beginning.into_iter().map(subscribe).collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn subscribe(&mut self, bus: &Arc<Bus>, pattern: TopicPattern, queueing: Queueing) -> Subscription {
        let queue = Arc::new(Queue::new(pattern, queueing));
        for (topic, payload) in &self.kept {
            queue.push(&Event { topic: topic.clone(), payload: payload.clone() });
        }
        self.queues.push(Arc::clone(&queue));
        Subscription { queue, bus: Arc::downgrade(bus) }
    }
}

impl Subscription {
    /// Waits for what comes next; `None` when the subscription has been ended and everything was read, or the host is
    /// gone. Cancel safe: dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<Delivery> {
        loop {
            let arrived = self.queue.arrived.notified();
            if let Some(delivery) = self.queue.pop() {
                return Some(delivery);
            }
            if self.queue.waiting().is_closed || self.bus.strong_count() == 0 {
                return None;
            }
            arrived.await;
        }
    }

    /// Calls a function with everything that comes, one after the other.
    pub(crate) fn listen(
        mut self,
        listener: impl Fn(Delivery) -> BoxFuture<'static, ()> + Send + Sync + 'static,
    ) -> Listener {
        let queue = Arc::clone(&self.queue);
        let task = tokio::spawn(async move {
            while let Some(delivery) = self.next().await {
                listener(delivery).await;
            }
        });
        Listener { queue, task }
    }
}

impl Listener {
    /// Ends the subscription and drops what waits; when it is done, no call runs and none will.
    pub async fn unsubscribe(mut self) {
        self.queue.close(Rest::Drop);
        let _ = (&mut self.task).await;
    }

    /// Ends the subscription, delivers what waits, and is done when the last call is.
    pub async fn drain(mut self) {
        self.queue.close(Rest::Deliver);
        let _ = (&mut self.task).await;
    }
}

/// What becomes of the events that still wait when a subscription is ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rest {
    Drop,
    Deliver,
}

impl Queue {
    fn new(pattern: TopicPattern, queueing: Queueing) -> Self {
        Self { pattern, queueing, waiting: Mutex::default(), arrived: Notify::new() }
    }

    /// Queues an event, or counts it as lost; `false` when the subscription is not about it.
    fn push(&self, event: &Event) -> bool {
        if !self.pattern.matches(&event.topic) {
            return false;
        }
        let mut waiting = self.waiting();
        if waiting.is_closed {
            return false;
        }
        if waiting.events >= self.queueing.capacity.max(1) {
            match self.queueing.overflow {
                Overflow::DropOldest => waiting.lose_oldest(),
                Overflow::DropNewest => {
                    waiting.lose_newest();
                    return true;
                }
            }
        }
        waiting.deliveries.push_back(Delivery::Event(event.clone()));
        waiting.events += 1;
        drop(waiting);
        self.arrived.notify_one();
        true
    }

    fn pop(&self) -> Option<Delivery> {
        let mut waiting = self.waiting();
        let delivery = waiting.deliveries.pop_front()?;
        waiting.events -= usize::from(matches!(delivery, Delivery::Event(_)));
        Some(delivery)
    }

    fn close(&self, rest: Rest) {
        let mut waiting = self.waiting();
        waiting.is_closed = true;
        if rest == Rest::Drop {
            waiting.deliveries.clear();
            waiting.events = 0;
        }
        drop(waiting);
        self.arrived.notify_one();
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    /// Loses the first event, and tells it in its place.
    fn lose_oldest(&mut self) {
        let earlier = match self.deliveries.front() {
            Some(Delivery::Lagged { missed }) => *missed,
            _ => 0,
        };
        if earlier > 0 {
            self.deliveries.pop_front();
        }
        self.deliveries.pop_front();
        self.events -= 1;
        self.deliveries.push_front(Delivery::Lagged { missed: earlier + 1 });
    }

    /// Loses the event that has come, and tells it in its place.
    fn lose_newest(&mut self) {
        match self.deliveries.back_mut() {
            Some(Delivery::Lagged { missed }) => *missed += 1,
            _ => self.deliveries.push_back(Delivery::Lagged { missed: 1 }),
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.queue.close(Rest::Drop);
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.queue.close(Rest::Drop);
    }
}

impl fmt::Debug for Queue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Queue").field(&self.pattern).finish()
    }
}

#[cfg(test)]
mod tests;
