use futures_util::FutureExt as _;

use super::*;

fn event(topic: &str, payload: i64) -> Event {
    Event { topic: Topic::new(topic).unwrap(), payload: payload.into() }
}

fn subscribe(bus: &Arc<Bus>, pattern: &str, capacity: usize, overflow: Overflow) -> Subscription {
    bus.subscribe(TopicPattern::new(pattern).unwrap(), Queueing { capacity, overflow })
}

/// What has been delivered so far: payloads, and how many were lost as negative numbers.
fn read(subscription: &mut Subscription) -> Vec<i64> {
    let next = |subscription: &mut Subscription| subscription.next().now_or_never().flatten();
    std::iter::from_fn(|| next(subscription))
        .map(|delivery| match delivery {
            Delivery::Event(event) => event.payload.as_i64().unwrap(),
            Delivery::Lagged { missed } => -i64::try_from(missed).unwrap(),
        })
        .collect()
}

#[test]
fn b04_a_full_queue_tells_what_it_lost_in_its_place() {
    let bus = Arc::new(Bus::default());
    let mut oldest = subscribe(&bus, "a", 1, Overflow::DropOldest);
    let mut newest = subscribe(&bus, "a", 1, Overflow::DropNewest);
    for number in 1..=3 {
        assert_eq!(bus.publish(&event("a", number)), 2);
    }
    assert_eq!((read(&mut oldest), read(&mut newest)), (vec![-2, 3], vec![1, -2]));
    bus.publish(&event("a", 4));
    assert_eq!((read(&mut oldest), read(&mut newest)), (vec![4], vec![4]));
}

#[test]
fn a_loss_between_events_is_told_between_them() {
    let bus = Arc::new(Bus::default());
    let mut newest = subscribe(&bus, "a", 2, Overflow::DropNewest);
    for number in 1..=4 {
        bus.publish(&event("a", number));
    }
    let first = newest.next().now_or_never().flatten();
    assert_eq!(first, Some(Delivery::Event(event("a", 1))));
    bus.publish(&event("a", 5));
    assert_eq!(read(&mut newest), [2, -2, 5]);
}

#[test]
fn everyone_gets_what_they_subscribed_to_and_publish_says_how_many_do() {
    let bus = Arc::new(Bus::default());
    let mut all = subscribe(&bus, ">", 9, Overflow::DropOldest);
    let mut some = subscribe(&bus, "run.*", 9, Overflow::DropOldest);
    assert_eq!(bus.publish(&event("run.started", 1)), 2);
    assert_eq!(bus.publish(&event("node.started", 2)), 1);
    drop(some.next());
    assert_eq!((read(&mut all), read(&mut some)), (vec![1, 2], vec![1]));
    drop(all);
    assert_eq!(bus.publish(&event("node.started", 3)), 0);
}

#[test]
fn whoever_subscribes_late_gets_the_latest_state_first_and_no_earlier_event() {
    let bus = Arc::new(Bus::default());
    bus.publish_state(&event("state", 1));
    bus.publish_state(&event("state", 2));
    bus.publish(&event("event", 3));
    let mut late = subscribe(&bus, ">", 9, Overflow::DropOldest);
    bus.publish_state(&event("state", 4));
    assert_eq!(read(&mut late), [2, 4]);
}

#[tokio::test]
async fn b06_after_unsubscribe_no_call_runs_and_drain_delivers_what_waits() {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let bus = Arc::new(Bus::default());
    let listen = || {
        let heard = Arc::clone(&heard);
        subscribe(&bus, "a", 9, Overflow::DropOldest).listen(move |delivery| {
            let heard = Arc::clone(&heard);
            Box::pin(async move {
                tokio::task::yield_now().await;
                heard.lock().unwrap().push(delivery);
            })
        })
    };
    let listener = listen();
    bus.publish(&event("a", 1));
    listener.unsubscribe().await;
    bus.publish(&event("a", 2));
    tokio::task::yield_now().await;
    assert!(heard.lock().unwrap().len() <= 1, "a call that had begun, and no later one");
    heard.lock().unwrap().clear();

    let listener = listen();
    for number in 3..=5 {
        bus.publish(&event("a", number));
    }
    listener.drain().await;
    assert_eq!(bus.publish(&event("a", 6)), 0);
    let expected: Vec<_> = (3..=5).map(|number| Delivery::Event(event("a", number))).collect();
    assert_eq!(*heard.lock().unwrap(), expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everyone_gets_the_events_of_a_topic_in_the_same_order() {
    let bus = Arc::new(Bus::default());
    let mut subscriptions: Vec<_> =
        (0..3).map(|_| subscribe(&bus, "a", 4096, Overflow::DropOldest)).collect();
    let publishers = (0..4_i64).map(|publisher| {
        let bus = Arc::clone(&bus);
        tokio::spawn(async move {
            for number in 0..500 {
                bus.publish(&event("a", publisher * 1000 + number));
            }
        })
    });
    for publisher in publishers.collect::<Vec<_>>() {
        publisher.await.unwrap();
    }
    let read: Vec<_> = subscriptions.iter_mut().map(read).collect();
    assert_eq!(read[0].len(), 2000);
    assert!(read.iter().all(|one| *one == read[0]));
}

#[tokio::test]
async fn a51_a_subscriber_that_never_reads_has_a_bounded_queue_and_delays_nobody() {
    let bus = Arc::new(Bus::default());
    let mut idle = subscribe(&bus, ">", 2, Overflow::DropOldest);
    let mut busy = subscribe(&bus, ">", 4096, Overflow::DropOldest);
    for number in 0..1000 {
        bus.publish(&event("a", number));
    }
    assert_eq!(read(&mut busy).len(), 1000);
    assert_eq!(read(&mut idle), [-998, 998, 999]);
}
