//! A model server that answers as it is told, and keeps what it was asked.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Barrier, Mutex};

use serde_json::{Value, json};

/// The server; its thread ends with the process.
pub(crate) struct Server {
    port: u16,
    asked: Arc<Mutex<Vec<Asked>>>,
}

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) path: String,
    pub(crate) authorization: Option<String>,
    pub(crate) body: Value,
}

/// What the server does with a request.
#[derive(Clone)]
pub(crate) enum Reply {
    /// Sends this, and closes the connection.
    Bytes(Vec<u8>),
    /// Sends this again and again, for as long as somebody takes it.
    Endless(Vec<u8>, Vec<u8>),
    /// Sends this when so many are asked at once.
    Together(Arc<Barrier>, Vec<u8>),
    /// Sends nothing and keeps the connection open.
    Nothing,
}

impl Server {
    /// Answers each request with the next reply; the last one answers all that follow.
    pub(crate) fn start(replies: impl IntoIterator<Item = Reply>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (seen, mut replies) = (Arc::clone(&asked), replies.into_iter().collect::<VecDeque<_>>());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let stream = stream.unwrap();
                seen.lock().unwrap().push(read(&stream));
                let next = if replies.len() > 1 { replies.pop_front() } else { replies.front().cloned() };
                std::thread::spawn(move || answer(stream, next.unwrap()));
            }
        });
        Self { port, asked }
    }

    pub(crate) fn base_url(&self) -> String {
        format!("http://127.0.0.1:{}/v1", self.port)
    }

    /// As `tapline.toml` names it.
    pub(crate) fn host(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

fn read(stream: &TcpStream) -> Asked {
    let mut reader = BufReader::new(stream);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let header = |name: &str| {
        let found = lines.iter().filter_map(|line| line.split_once(": "));
        found.into_iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned())
    };
    let length = header("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    Asked {
        path: lines[0].split(' ').nth(1).unwrap().to_owned(),
        authorization: header("authorization"),
        body: serde_json::from_slice(&body).unwrap_or_default(),
    }
}

/// A client that has gone takes nothing more.
fn answer(mut stream: TcpStream, reply: Reply) {
    match reply {
        Reply::Bytes(bytes) => drop(stream.write_all(&bytes)),
        Reply::Endless(head, part) => {
            let mut sent = stream.write_all(&head);
            while sent.is_ok() {
                sent = stream.write_all(&part);
            }
        }
        Reply::Together(all, bytes) => {
            all.wait();
            drop(stream.write_all(&bytes));
        }
        Reply::Nothing => drop(stream.read(&mut [0])),
    }
}

/// A whole answer with a status and further headers.
pub(crate) fn status(status: u16, headers: &str, body: impl AsRef<str>) -> Reply {
    let body = body.as_ref();
    let head = format!("HTTP/1.1 {status} Some\r\ncontent-type: application/json\r\n{headers}");
    let rest = format!("content-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
    Reply::Bytes((head + &rest).into_bytes())
}

/// A model's answer in one piece.
pub(crate) fn said(message: &Value) -> Reply {
    let finish = if message["tool_calls"].is_array() { "tool_calls" } else { "stop" };
    let body = json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1_750_000_000, "model": "small-1",
        "choices": [{ "index": 0, "message": message, "logprobs": null, "finish_reason": finish }],
        "usage": { "prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15 },
    });
    status(200, "", body.to_string())
}

/// A model's answer in one piece that is text.
pub(crate) fn text(text: &str) -> Reply {
    said(&json!({ "role": "assistant", "content": text, "refusal": null }))
}

pub(crate) const STREAM: &str =
    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";

/// The events of an answer in pieces, without their end.
pub(crate) fn pieces(words: &[&str]) -> String {
    let mut events = ": keep-alive\n\n".to_owned();
    for word in words {
        let piece = json!({
            "id": "chatcmpl-1", "object": "chat.completion.chunk", "model": "small-1",
            "choices": [{ "index": 0, "delta": { "content": word }, "finish_reason": null }],
        });
        let _ = write!(events, "data: {piece}\n\n");
    }
    events
}

/// A whole answer in pieces.
pub(crate) fn streamed(words: &[&str]) -> Reply {
    let end =
        json!({ "model": "small-1", "choices": [{ "index": 0, "delta": {}, "finish_reason": "stop" }] });
    let usage = json!({
        "model": "small-1", "choices": [],
        "usage": { "prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15 },
    });
    let events = pieces(words);
    Reply::Bytes(format!("{STREAM}{events}data: {end}\n\ndata: {usage}\n\ndata: [DONE]\n\n").into_bytes())
}
