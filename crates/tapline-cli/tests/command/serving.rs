//! `tapline serve` as a process, and what is asked of it.

use std::io::{BufRead as _, BufReader};
use std::ops::Deref;
use std::process::{Child, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;

use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::Value;

use crate::openai::KEY;
use crate::support::Workplace;

/// What a server is asked with.
#[derive(Clone)]
pub(crate) struct Api {
    /// `http://127.0.0.1:PORT`.
    pub(crate) url: String,
    pub(crate) token: String,
    pub(crate) client: Client,
}

/// A server, which is killed when it is dropped.
pub(crate) struct Serving {
    pub(crate) child: Child,
    api: Api,
    lines: Receiver<String>,
    said: Vec<String>,
}

impl Serving {
    /// Starts it with these words, and waits until it is ready.
    pub(crate) fn start(workplace: &Workplace, words: &str) -> Self {
        let mut command = workplace.going();
        command.args(["serve", "--listen", "127.0.0.1:0"]).args(words.split_whitespace());
        // Of the tests that ask a model.
        command.env("MODEL_KEY", KEY);
        let mut child = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        let client = Client::builder().no_proxy().tls_backend_preconfigured(tapline::http::tls().unwrap());
        let client = client.build().unwrap();
        let api = Api { url: String::new(), token: String::new(), client };
        let mut serving = Self { child, api, lines, said: Vec::new() };
        let line = serving.line("serving ");
        let address = line.split_whitespace().find(|word| word.starts_with("http://")).unwrap();
        serving.api.url = address.trim_end_matches(';').to_owned();
        serving.api.token = workplace.read(".tapline/token").trim().to_owned();
        serving
    }

    /// The next line on standard error that begins so.
    pub(crate) fn line(&mut self, begin: &str) -> String {
        loop {
            let line = self.lines.recv();
            assert!(line.is_ok(), "no line `{begin}`: {:#?}", self.said);
            let line = line.unwrap();
            self.said.push(line.clone());
            if line.starts_with(begin) {
                return line;
            }
        }
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        let process = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(process, signal).unwrap();
    }

    /// Waits for its end.
    pub(crate) fn ended(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }

    /// How much memory it has, in bytes.
    #[cfg(target_os = "linux")]
    pub(crate) fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() << 10
    }
}

impl Deref for Serving {
    type Target = Api;

    fn deref(&self) -> &Api {
        &self.api
    }
}

impl Api {
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.url)).bearer_auth(&self.token)
    }

    /// Asks for something, and expects this status.
    pub(crate) async fn get(&self, path: &str, status: u16) -> Value {
        answered(self.request(Method::GET, path), status).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value, status: u16) -> Value {
        answered(self.request(Method::POST, path).json(body), status).await
    }

    pub(crate) async fn delete(&self, path: &str, status: u16) -> Value {
        answered(self.request(Method::DELETE, path), status).await
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) async fn answered(request: RequestBuilder, status: u16) -> Value {
    let answer = request.send().await.unwrap();
    let (found, text) = (answer.status(), answer.text().await.unwrap());
    assert_eq!(found, StatusCode::from_u16(status).unwrap(), "{text}");
    serde_json::from_str(&text).unwrap_or(Value::String(text))
}
