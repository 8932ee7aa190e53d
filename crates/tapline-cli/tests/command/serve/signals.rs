use std::sync::{Arc, Barrier};

use reqwest::Method;
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::openai::server::{Reply, STREAM, Server, pieces};
use crate::openai::{CHAT, project};
use crate::serving::Serving;
use crate::support::Workplace;

/// A model that answers in pieces, each request when everybody is at the barrier.
fn model(barrier: &Arc<Barrier>) -> Server {
    let end = json!({ "choices": [{ "index": 0, "delta": {}, "finish_reason": "stop" }] });
    let events = format!("{STREAM}{}data: {end}\n\ndata: [DONE]\n\n", pieces(&["Good ", "day."]));
    Server::start([Reply::Together(Arc::clone(barrier), events.into_bytes())])
}

fn asked(server: &Server, count: usize) {
    while server.asked().len() < count {
        std::thread::yield_now();
    }
}

const RUN: &str = r#"{ "pipeline": "ask" }"#;

fn run() -> Value {
    serde_json::from_str(RUN).unwrap()
}

/// Without grants the provider could not ask the model.
fn serving(server: &Server, words: &str) -> (Workplace, Serving) {
    let workplace = project(server, "", CHAT);
    let serving = Serving::start(&workplace, &format!("pipeline.yaml {words}"));
    (workplace, serving)
}

#[tokio::test]
async fn runs_that_are_under_way_at_a_signal_come_to_their_end_and_no_others_begin() {
    let barrier = Arc::new(Barrier::new(2));
    let server = model(&barrier);
    let (workplace, mut serving) = serving(&server, "");
    let begun = serving.post("/v1/runs", &run(), 202).await;
    asked(&server, 1);
    serving.signal(Signal::TERM);
    assert!(serving.line("stopping: ").contains("1 come to their end first"));
    assert_eq!(serving.post("/v1/runs", &run(), 503).await["code"], "stopping");
    assert_eq!(serving.get("/health/ready", 503).await["code"], "stopping");
    let id = begun["id"].as_str().unwrap();
    assert_eq!(serving.get(&format!("/v1/runs/{id}"), 200).await["status"], "running");
    barrier.wait();
    assert_eq!(serving.ended().code(), Some(0));
    let shown = workplace.tapline(&format!("runs show {id} --json"));
    let shown: Value = serde_json::from_str(&shown.out).unwrap();
    assert_eq!((&shown["run"]["status"], &shown["outputs"]["answer"]), (&json!("done"), &json!("Good day.")));
}

#[tokio::test]
async fn a_run_that_takes_longer_is_interrupted_and_can_be_resumed() {
    let server = Server::start([Reply::Nothing]);
    let (workplace, mut serving) = serving(&server, "--drain 0s");
    let begun = serving.post("/v1/runs", &run(), 202).await;
    asked(&server, 1);
    serving.signal(Signal::INT);
    serving.line("the runs that took longer were interrupted");
    assert_eq!(serving.ended().code(), Some(0));
    let id = begun["id"].as_str().unwrap();
    let shown = workplace.tapline(&format!("runs show {id}"));
    assert!(shown.out.contains("interrupted"), "{shown:?}");
    // The next server goes on with it.
    let again = Serving::start(&workplace, "pipeline.yaml");
    let resumed = again.post(&format!("/v1/runs/{id}/resume"), &json!({}), 202).await;
    assert_eq!(resumed["id"], id);
    asked(&server, 2);
    let cancelled = again.post(&format!("/v1/runs/{id}/cancel"), &json!({}), 200).await;
    assert_eq!(cancelled["status"], "interrupted");
    assert_eq!(again.post(&format!("/v1/runs/{id}/cancel"), &json!({}), 409).await["code"], "ended");
}

#[tokio::test]
async fn a_second_signal_ends_it_at_once_and_what_was_begun_can_be_resumed() {
    let server = Server::start([Reply::Nothing]);
    let (workplace, mut serving) = serving(&server, "");
    let begun = serving.post("/v1/runs", &run(), 202).await;
    asked(&server, 1);
    serving.signal(Signal::TERM);
    serving.line("stopping: ");
    serving.signal(Signal::TERM);
    assert_eq!(serving.ended().code(), Some(130));
    let shown = workplace.tapline(&format!("runs show {}", begun["id"].as_str().unwrap()));
    assert!(shown.out.contains("killed"), "{shown:?}");
}

#[tokio::test]
async fn who_follows_a_run_gets_its_tokens_and_its_end_and_who_interrupts_the_command_ends_the_run() {
    let barrier = Arc::new(Barrier::new(2));
    let server = model(&barrier);
    let (workplace, serving) = serving(&server, "");
    let begun = serving.post("/v1/runs", &run(), 202).await;
    let path = format!("/v1/runs/{}/events", begun["id"].as_str().unwrap());
    let events = serving.request(Method::GET, &path).send().await.unwrap();
    asked(&server, 1);
    barrier.wait();
    let events = events.text().await.unwrap();
    assert!(events.contains("event: token") && events.contains("\"piece\":\"Good \""), "{events}");
    let late = serving.request(Method::GET, &path).header("last-event-id", "3").send().await.unwrap();
    let late = late.text().await.unwrap();
    assert!(events.ends_with(&*late) && late.starts_with("event: ") && late.contains("\nid: 4\n"), "{late}");

    let mut command = workplace.going();
    let child = command.args(["run", "ask", "--url", &serving.url]).spawn().unwrap();
    asked(&server, 2);
    rustix::process::kill_process(rustix::process::Pid::from_child(&child), Signal::INT).unwrap();
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(130));
    assert_eq!(serving.get("/v1/runs?limit=1", 200).await["runs"][0]["status"], "interrupted");
}
