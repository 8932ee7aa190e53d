//! Processes that end, say what is against the protocol, or nothing: the host says which plugin it was, loses no other call,
//! and leaves nothing behind.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![cfg(target_os = "linux")]

use std::error::Error;
use std::fs;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tapline::process::{ProcessRuntime, Walls};
use tapline::{Host, HostBuilder, Limits, Value};
use tapline_test_kit::Peer;

fn builder() -> HostBuilder {
    let runtime = ProcessRuntime::builder(Walls::none()).path(Peer::path());
    Host::builder().runtime(runtime.grace(Duration::from_millis(200)).build())
}

/// What an error says, with what it comes from.
fn told(error: &dyn Error) -> String {
    let mut texts = vec![error.to_string()];
    let mut cause = error.source();
    while let Some(error) = cause {
        texts.push(error.to_string());
        cause = error.source();
    }
    texts.join(": ")
}

/// Has a process do something against the protocol while another one answers, and tells what is said of it.
async fn misbehaving(method: &str) -> Option<String> {
    let [bad, good] = [Peer::new("bad", "well")?, Peer::new("good", "well")?];
    let host = builder().build();
    host.load_all(vec![bad.load(), good.load()]).await.unwrap();
    let (broken, answered) =
        tokio::join!(bad.ask(&host, method, Value::Null), good.ask(&host, "echo", "hello"));
    assert_eq!(answered.unwrap(), Value::from("hello"));
    let error = broken.unwrap_err();
    assert_eq!(error.to_failure().code(), "fault", "{error:?}");
    // It was ended, and is started again.
    assert_eq!(bad.ask(&host, "echo", "hi").await.unwrap(), Value::from("hi"));
    host.shut_down().await.unwrap();
    Some(told(&error))
}

/// What is said of a plugin whose process behaves in this way from its start.
async fn refused(mode: &str) -> Option<String> {
    let peer = Peer::new("peer", mode)?;
    let runtime = ProcessRuntime::builder(Walls::none()).path(Peer::path());
    let runtime = runtime.grace(Duration::from_millis(200)).hello_within(Duration::from_millis(500));
    let host = Host::builder().runtime(runtime.build()).build();
    let error = host.load(peer.load()).await.unwrap_err();
    let text = told(&error);
    assert!(text.contains("plugin `peer`"), "{text}");
    Some(text)
}

macro_rules! says {
    ($($name:ident: $of:ident($how:literal) => $expected:literal;)+) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let Some(text) = $of($how).await else { return };
                assert!(text.contains($expected), "{text}");
            }
        )+
    };
}

says! {
    a_process_that_dies_within_a_call_is_told_with_its_last_words: misbehaving("dies") => "its process ended; the last that it wrote:\nthe last words";
    half_a_message_is_told: misbehaving("half") => "its process ended in the middle of a message";
    a_length_of_four_gigabytes_is_refused: misbehaving("long") => "a frame of 4294967295 bytes is longer than";
    what_is_no_message_is_refused: misbehaving("garbage") => "its process broke the protocol: a frame is no message";
    an_unknown_message_is_named: misbehaving("unknown") => "unknown variant `shout`";
    who_speaks_of_calls_that_it_has_not_is_ended: misbehaving("strangers") => "it spoke of calls that it has not";
    who_asks_for_too_much_at_once_is_ended: misbehaving("greedy") => "it asked for more than 64 things at once";
    a_process_that_says_nothing_is_not_loaded: refused("silent") => "its process did not say hello within 500ms";
    a_process_that_dies_at_once_is_not_loaded: refused("dies-first") => "its process ended";
    a_process_that_dies_before_it_is_ready_is_not_loaded: refused("dies-greeted") => "its process ended";
    a_process_of_another_protocol_is_not_loaded: refused("newer") => "its process speaks version 99 of the protocol, and this host 1";
}

#[tokio::test]
async fn a45_an_answer_to_another_call_is_dropped() {
    let Some(peer) = Peer::new("peer", "well") else { return };
    let host = builder().build();
    host.load(peer.load()).await.unwrap();
    assert_eq!(peer.ask(&host, "another's", Value::Null).await.unwrap(), Value::from("answered"));
    assert_eq!(peer.ask(&host, "echo", "hi").await.unwrap(), Value::from("hi"));
}

#[tokio::test]
async fn what_is_no_value_fails_what_it_was_for_and_nothing_else() {
    let Some(peer) = Peer::new("peer", "well") else { return };
    let host = builder().build();
    host.load(peer.load()).await.unwrap();
    let process = process_of(&peer, &host).await;
    let codes = peer.ask(&host, "unspeakable", Value::Null).await.unwrap();
    assert_eq!(codes.to_json(), r#"["wrong-type","wrong-type","wrong-type"]"#);
    let error = peer.ask(&host, "unspeakable-answer", Value::Null).await.unwrap_err();
    assert_eq!(error.to_failure().code(), "wrong-type", "{error:?}");
    assert_eq!(process_of(&peer, &host).await, process);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_does_not_answer_a_ping_is_ended() {
    let Some(peer) = Peer::new("peer", "deaf") else { return };
    let runtime =
        ProcessRuntime::builder(Walls::none()).path(Peer::path()).alive_within(Duration::from_millis(200));
    let host = Host::builder().runtime(runtime.grace(Duration::from_millis(200)).build()).build();
    host.load(peer.load()).await.unwrap();
    gone(process_of(&peer, &host).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_answers_pings_stays() {
    let Some(peer) = Peer::new("peer", "well") else { return };
    let runtime =
        ProcessRuntime::builder(Walls::none()).path(Peer::path()).alive_within(Duration::from_secs(1));
    let host = Host::builder().runtime(runtime.build()).build();
    host.load(peer.load()).await.unwrap();
    let process = process_of(&peer, &host).await;
    let pings = peer.ask(&host, "pinged", 2_u64).await.unwrap();
    assert_eq!((pings, process_of(&peer, &host).await), (Value::from(2_u64), process));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_with_nothing_to_do_is_ended_and_started_again_by_the_next_call() {
    let Some(peer) = Peer::declaring("peer", "well", "idle = '100ms'") else { return };
    let host = builder().build();
    host.load(peer.load()).await.unwrap();
    let first = process_of(&peer, &host).await;
    gone(first).await;
    assert_ne!(process_of(&peer, &host).await, first);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lazy_process_is_started_by_the_first_call() {
    let Some(peer) = Peer::declaring("peer", "dies-first", "lazy = true") else { return };
    let host = builder().build();
    host.load(peer.load()).await.unwrap();
    let error = peer.ask(&host, "echo", Value::Null).await.unwrap_err();
    assert!(told(&error).contains("its process ended"), "{error:?}");
}

#[tokio::test]
async fn a16_a_process_has_nothing_of_the_environment_of_the_host() {
    let Some(peer) = Peer::new("peer", "well") else { return };
    let host = builder().build();
    host.load(peer.load()).await.unwrap();
    let here = peer.ask(&host, "here", Value::Null).await.unwrap();
    let environment = here.get("environment").unwrap().as_object().unwrap();
    // Python itself says what it makes of the language.
    let names: Vec<_> = environment.keys().map(|name| &**name).filter(|name| *name != "LC_CTYPE").collect();
    assert_eq!(names, ["HOME", "LANG", "PATH"]);
    assert_eq!(here.get("folder").unwrap(), &Value::from_json("[\"peer.py\"]").unwrap());
}

#[tokio::test]
async fn what_is_printed_is_logged_and_breaks_nothing() {
    let Some(peer) = Peer::new("peer", "well") else { return };
    let lines = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&lines);
    let host = builder().log(move |_, _, line| seen.lock().unwrap().push(line.to_owned())).build();
    host.load(peer.load()).await.unwrap();
    assert_eq!(peer.ask(&host, "prints", Value::Null).await.unwrap(), Value::from("printed"));
    assert_eq!(peer.ask(&host, "echo", "hi").await.unwrap(), Value::from("hi"));
    while lines.lock().unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    assert_eq!(lines.lock().unwrap()[0], "x".repeat(99));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_was_killed_with_nothing_to_do_is_started_again_by_the_next_call() {
    let Some(peer) = Peer::new("peer", "well") else { return };
    let host = builder().build();
    host.load(peer.load()).await.unwrap();
    let first = process_of(&peer, &host).await;
    kill_process(first, Signal::KILL).unwrap();
    gone(first).await;
    loop {
        match peer.ask(&host, "here", Value::Null).await {
            Ok(here) => {
                assert_ne!(pid(&here), first);
                break;
            }
            // It was given the call in the moment of its death.
            Err(error) => assert_eq!(error.to_failure().code(), "fault", "{error:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_ends_for_nobody_is_killed_and_another_one_goes_on() {
    let Some(peer) = Peer::new("peer", "well") else { return };
    let limits = Limits { wall: Duration::from_millis(300), ..Limits::default() };
    let host = builder().limits(limits).build();
    host.load(peer.load()).await.unwrap();
    let first = process_of(&peer, &host).await;
    let error = peer.ask(&host, "stubborn", Value::Null).await.unwrap_err();
    assert_eq!(error.to_failure().code(), "fault", "{error:?}");
    gone(first).await;
    assert_eq!(peer.ask(&host, "echo", "hi").await.unwrap(), Value::from("hi"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn starts_and_stops_leave_no_process_behind() {
    #[expect(clippy::disallowed_methods, reason = "how long tests may take is said by who runs them")]
    let times = if std::env::var("TAPLINE_LONG").is_ok() { 1000 } else { 50 };
    let Some(peer) = Peer::new("peer", "well") else { return };
    let host = builder().build();
    let mut processes = Vec::new();
    for _ in 0..times {
        host.load(peer.load()).await.unwrap();
        processes.push(process_of(&peer, &host).await);
        host.unload("peer").await.unwrap();
    }
    for process in processes {
        gone(process).await;
    }
}

async fn process_of(peer: &Peer, host: &Host) -> Pid {
    pid(&peer.ask(host, "here", Value::Null).await.unwrap())
}

fn pid(here: &Value) -> Pid {
    let id = here.get("id").unwrap().as_i64().unwrap();
    Pid::from_raw(i32::try_from(id).unwrap()).unwrap()
}

/// Waits until there is no such process. It was a child of this one, so nobody else has its number meanwhile.
async fn gone(process: Pid) {
    let folder = format!("/proc/{}", process.as_raw_nonzero());
    while fs::exists(&folder).unwrap() {
        tokio::task::yield_now().await;
    }
}
