//! Servers that run elsewhere, over streamable HTTP.

#![expect(clippy::disallowed_methods, reason = "somebody else has started the server")]

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use crate::rig::{How, SERVER, json, python};
use tapline_core::{Request, Value};

/// A server that somebody else has started.
struct Elsewhere(Child, String);

impl Elsewhere {
    /// Starts it, and says how it is reached.
    fn started(arguments: &[&str]) -> Option<(Self, How)> {
        let python = python()?;
        let mut command = Command::new(&python);
        command.arg(SERVER).arg("http").args(arguments).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut port = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut port).unwrap();
        let url = format!("http://127.0.0.1:{}/mcp", port.trim());
        let host = format!("http://127.0.0.1:{}", port.trim());
        let how = How { url: Some(url), ..How::new(python) };
        Some((Self(child, host), how))
    }

    /// What a manifest asks for to reach it.
    fn requires(&self) -> String {
        format!(
            "[requires]\nhttp = [{{ hosts = ['{}'], methods = ['POST', 'DELETE'], paths = ['/mcp'], private = true }}]",
            self.1
        )
    }
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

#[tokio::test]
async fn a_server_elsewhere_has_tools_resources_and_progress_too() {
    let Some((server, how)) = Elsewhere::started(&[]) else { return };
    let how = how.rest(&server.requires());
    let rig = how.accepted().await;
    assert_eq!(rig.call("echo", json(r#"{"text":"hello"}"#)).await, Ok("hello".into()));
    let read = rig.call("resources", json(r#"{"uri":"mock://one"}"#)).await;
    assert_eq!(read, Ok("content of mock://one".into()));
    let request = Request::new("node", "mock.slow", "handle", json(r#"{"with":{"steps":2}}"#));
    let (mut pieces, answer) = rig.host.request_streamed(request);
    let answer = tokio::spawn(answer);
    let mut told = 0;
    while pieces.next().await.is_some() {
        told += 1;
    }
    assert_eq!((answer.await.unwrap().unwrap(), told), ("done".into(), 2));
}

#[tokio::test]
async fn a_server_elsewhere_is_reached_only_where_it_was_granted() {
    let Some((_server, how)) = Elsewhere::started(&[]) else { return };
    let refused = how.refused(&how.manifest()).await;
    assert!(refused.contains("plugin `mock` may not request"), "{refused}");
}

#[tokio::test]
async fn a_secret_is_sent_to_a_server_elsewhere_and_one_that_wants_it_says_so() {
    let Some((server, how)) = Elsewhere::started(&["locked"]) else { return };
    let how = how.rest(&server.requires());
    let refused = how.refused(&how.manifest()).await;
    assert!(refused.contains("status 401: who are you?"), "{refused}");
    let allowed = how.mcp("headers = { Authorization = 'Bearer a-secret' }");
    assert_eq!(allowed.accepted().await.call("echo", json("{}")).await, Ok("".into()));
}

#[tokio::test]
async fn a_server_elsewhere_that_forgets_the_session_is_connected_to_again() {
    let Some((server, how)) = Elsewhere::started(&[]) else { return };
    let rig = how.rest(&server.requires()).accepted().await;
    let forgotten = rig.call("exit", json("{}")).await.unwrap_err();
    assert!(forgotten.contains("it has forgotten the session"), "{forgotten}");
    while rig.call("echo", json("{}")).await != Ok("".into()) {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_server_elsewhere_that_is_gone_cannot_be_reached() {
    let Some((server, how)) = Elsewhere::started(&[]) else { return };
    let rig = how.rest(&server.requires()).accepted().await;
    drop(server);
    let gone = rig.call("echo", Value::Null).await.unwrap_err();
    assert!(gone.contains("the server cannot be reached"), "{gone}");
}
