//! What an operator denies is done by nobody, whoever else allows it.

use std::sync::{Arc, Mutex};

use tapline::core::{CallPattern, Grants, METHODS, Request, Topic, TopicPattern, TopicSet};
use tapline::{Host, Policy, Value, WasmRuntime};
use tapline_test_kit::{Native, Sandboxed, Scripted, Step, Subject};
use tempfile::TempDir;

const REASON: &str = "the operator denies it";

/// A host that allows what these tests ask for, and denies this; and what it audits.
fn host(denied: &Grants) -> (Host, Arc<Mutex<Vec<String>>>) {
    let topics = |topics| TopicPattern::new(topics).unwrap();
    let call = |target: &str| target.parse::<CallPattern>().unwrap();
    let policy = ["nobody", "plugin/*", "capability:chat"].map(call).into_iter().fold(
        Policy::default().allow_publish(topics("a.>")).allow_subscribe(topics("a.>")),
        Policy::allow_call,
    );
    let audit: Arc<Mutex<Vec<String>>> = Arc::default();
    let lines = Arc::clone(&audit);
    let host = Host::builder().runtime(WasmRuntime::new().unwrap()).policy(policy.deny(denied));
    let host = host.audit(move |act| {
        if let Some(reason) = act.refusal {
            lines.lock().unwrap().push(format!("{} {} {}: {reason}", act.plugin, act.action, act.target));
        }
    });
    (host.build(), audit)
}

async fn load(host: &Host, subject: impl Subject, plugins: &[Scripted]) {
    for plugin in plugins {
        let folder = TempDir::new().unwrap();
        host.load(subject.load(plugin, &folder)).await.unwrap();
    }
}

async fn asked(host: &Host, method: &str) -> Result<Value, String> {
    let request = Request::new(METHODS, "asking", method, Value::Null);
    host.request(request).await.map_err(|error| error.to_failure().code().to_owned())
}

async fn a_denied_call_is_refused(subject: impl Subject) {
    let denied = Grants { call: vec!["secret".parse().unwrap()], ..Grants::default() };
    let (host, audit) = host(&denied);
    let answering = |id: &str| Scripted::new(id).calls("nobody").method("who", [Step::Set(id.into())]);
    let call = |target: &str| [Step::Call(target.into(), "who".into())];
    let asking = Scripted::new("asking")
        .calls("plugin/*")
        .calls("capability:chat")
        .method("secret", call("secret"))
        .method("other", call("other"))
        .method("chat", call("capability:chat"));
    load(&host, subject, &[answering("secret").offers("chat", 1), answering("other"), asking]).await;
    assert_eq!(asked(&host, "other").await.unwrap(), "other".into());
    assert_eq!(asked(&host, "secret").await, Err("denied".into()));
    // A capability is no way around it.
    assert_eq!(asked(&host, "chat").await, Err("denied".into()));
    let expected = ["secret", "capability:chat"].map(|target| format!("asking call {target}: {REASON}"));
    assert_eq!(*audit.lock().unwrap(), expected);
}

#[tokio::test]
async fn a_call_that_is_denied_is_refused_though_a_wider_one_is_granted() {
    a_denied_call_is_refused(Native).await;
    a_denied_call_is_refused(Sandboxed).await;
}

#[tokio::test]
async fn an_event_that_is_denied_is_neither_published_nor_delivered() {
    let mut denied = Grants::default();
    denied.events.subscribe = TopicSet::new(["a.secret"]).unwrap();
    denied.events.publish = TopicSet::new(["a.bill"]).unwrap();
    let (host, audit) = host(&denied);
    let asking = Scripted::new("asking")
        .publishes("a.>")
        .listens("a.*", 9, [Step::Note("input.topic".into())])
        .seen_as("asking")
        .method("bill", [Step::Publish("a.bill".into())]);
    load(&host, Sandboxed, &[asking.one_instance()]).await;
    assert_eq!(asked(&host, "bill").await, Err("denied".into()));
    for topic in ["a.secret", "a.other"] {
        host.publish(Topic::new(topic).unwrap(), Value::Null);
    }
    let noted = loop {
        let seen = host.request(Request::new("seen", "asking", "handle", Value::Null)).await.unwrap();
        if seen.as_array().is_some_and(|seen| !seen.is_empty()) {
            break seen;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(noted, Value::from_iter([Value::from("a.other")]));
    let expected =
        [format!("asking publish a.bill: {REASON}"), format!("asking subscribe to a.secret: {REASON}")];
    assert_eq!(*audit.lock().unwrap(), expected);
}
