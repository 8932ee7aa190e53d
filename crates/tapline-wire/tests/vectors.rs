//! The example bytes of the specification, which every implementation is held against.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use data_encoding::HEXLOWER;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_bytes::ByteBuf;
use serde_json::{Value, json};
use tapline_wire::{
    Answer, Ask, Call, Decoder, Done, Entry, EntryKind, Flow, FromHost, FromPlugin, HostHello, Level,
    Operation, PluginHello, Reply, Request, Slot, WireFailure, encode,
};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/vectors.json");
const FRAME: u32 = 64 << 20;

#[test]
fn messages_are_the_bytes_that_the_specification_shows() {
    let lines: Vec<_> = from_host().iter().chain(&from_plugin()).map(ToString::to_string).collect();
    let text = format!("[\n{}\n]\n", lines.join(",\n"));
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(FILE, &text).unwrap();
    }
    let written = std::fs::read_to_string(FILE).unwrap();
    assert!(written == text, "{FILE} is not up to date: run this with UPDATE_EXPECT=1");
}

#[test]
#[expect(clippy::disallowed_methods, reason = "another implementation is another program")]
fn a_second_implementation_reads_and_writes_the_same_bytes() {
    let peer = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/guests/peer/peer.py");
    let output = match std::process::Command::new("python3").args([peer, "vectors", FILE]).output() {
        Ok(output) => output,
        Err(error) => return eprintln!("skipped: there is no python3: {error}"),
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stdout).ends_with(" messages\n"));
}

/// One vector, once its bytes have been read back.
fn vector<T>(from: &str, message: &T) -> Value
where
    T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug,
{
    let mut bytes = Vec::new();
    encode(message, FRAME, &mut bytes).unwrap();
    let mut decoder = Decoder::new(FRAME);
    decoder.push(&bytes);
    assert_eq!(decoder.next::<T>().unwrap().as_ref(), Some(message));
    assert_eq!(decoder.waiting(), 0);
    json!({ "from": from, "message": message, "bytes": HEXLOWER.encode(&bytes) })
}

fn from_host() -> Vec<Value> {
    let messages =
        [hello(), calls(), answers(), vec![FromHost::Cancel { call: 2 }, FromHost::Ping { number: 3 }]];
    messages.concat().iter().map(|message| vector("host", message)).collect()
}

fn hello() -> Vec<FromHost<Value>> {
    let hello =
        HostHello { versions: (1, 1), plugin: "shout".into(), frame: FRAME, asks: 64, within: 10_000 };
    vec![FromHost::Hello(hello)]
}

fn calls() -> Vec<FromHost<Value>> {
    let hook = || "shout".to_owned();
    let operations = [
        (Operation::Init, Some(json!({ "suffix": "!" }))),
        (Operation::Start, None),
        (Operation::Stop, None),
        (Operation::Health, None),
        (Operation::ExportState, None),
        (Operation::ImportState { from: "1.2.0".into() }, Some(Value::Null)),
        (Operation::Before { hook: hook() }, None),
        (Operation::After { hook: hook() }, None),
        (Operation::Around { hook: hook() }, None),
        (Operation::Replace { hook: hook() }, None),
        (Operation::Answer { hook: hook() }, None),
        (
            Operation::Event { subscription: "on".into() },
            Some(json!({ "topic": "a.b", "payload": [1, -1, 0.5] })),
        ),
        (
            Operation::Handle { contribution: "node/shout".into(), method: "run".into() },
            Some(json!({ "text": "grüß", "count": u64::MAX, "off": i64::MIN, "is": [true, false, null] })),
        ),
    ];
    let mut calls = Vec::new();
    for (number, (operation, input)) in operations.into_iter().enumerate() {
        let is_request = matches!(operation, Operation::Handle { .. });
        calls.push(FromHost::Call(Call {
            call: number as u64 + 1,
            operation,
            input,
            caller: is_request.then(|| "chat".into()),
            streamed: is_request,
        }));
    }
    calls
}

fn answers() -> Vec<FromHost<Value>> {
    let reply = Reply {
        status: 200,
        headers: vec![("content-type".into(), "text/plain".into())],
        content: ByteBuf::from(b"hello".to_vec()),
        body: None,
    };
    let entries = vec![
        Entry { name: "a.txt".into(), kind: EntryKind::File, size: 5 },
        Entry { name: "b".into(), kind: EntryKind::Folder, size: 0 },
    ];
    let answers = [
        Answer::Nothing,
        Answer::Value(Value::Null),
        Answer::Value(json!({ "a": "b" })),
        Answer::Values(vec![
            Slot { value: Some(json!(1)) },
            Slot { value: Some(Value::Null) },
            Slot { value: None },
        ]),
        Answer::Flag(true),
        Answer::Number(1_700_000_000_000_000_000),
        Answer::Bytes(ByteBuf::from(vec![0, 255])),
        Answer::Entries(entries),
        Answer::Reply(reply.clone()),
        Answer::Reply(Reply { content: ByteBuf::new(), body: Some(1), ..reply }),
        Answer::Failure(failure()),
    ];
    let answer = |(ask, with)| FromHost::Answer { call: 12, ask: ask as u64, with };
    answers.into_iter().enumerate().map(answer).collect()
}

fn failure() -> WireFailure<Value> {
    WireFailure {
        code: "denied".into(),
        message: "plugin `shout` may not read `input`".into(),
        details: Some(json!({ "path": "input" })),
    }
}

fn from_plugin() -> Vec<Value> {
    let hello = PluginHello { version: 1, sdk: "tapline-python 0.1.0".into() };
    let log = FromPlugin::Log { level: Level::Info, message: "ready".into() };
    let messages =
        [vec![FromPlugin::Hello(hello)], asks(), done(), vec![log, FromPlugin::Pong { number: 3 }]];
    messages.concat().iter().map(|message| vector("plugin", message)).collect()
}

fn asks() -> Vec<FromPlugin<Value>> {
    let path = || "data:/notes/today.txt".to_owned();
    let (target, method) = (|| "provider/echo".to_owned(), || "complete".to_owned());
    let content = || ByteBuf::from(b"hello".to_vec());
    let request = Request {
        method: "POST".into(),
        url: "https://api.example/v1/chat".into(),
        headers: vec![("authorization".into(), "Bearer ${secret:key}".into())],
        body: content(),
        timeout: Some(30_000),
        limit: None,
    };
    let asks = [
        Ask::Get { path: "input.text".into() },
        Ask::GetMany { paths: vec!["input".into(), "output".into()] },
        Ask::Set { path: "output".into(), value: json!("GRÜSS") },
        Ask::IsGivenUp,
        Ask::Next,
        Ask::Emit { piece: json!("to") },
        Ask::Log { level: Level::Warn, message: "slow".into() },
        Ask::Exit { error: None },
        Ask::Exit { error: Some(failure()) },
        Ask::Sleep { milliseconds: 250 },
        Ask::Call { target: target(), method: method(), request: json!({}), within: None, relays: false },
        Ask::Call {
            target: target(),
            method: method(),
            request: json!({}),
            within: Some(5000),
            relays: true,
        },
        Ask::Cast { target: "counter".into(), method: "add".into(), request: Value::Null },
        Ask::Publish { topic: "search.done".into(), payload: json!({ "hits": 3 }) },
        Ask::ReadFile { path: path() },
        Ask::WriteFile { path: path(), content: content() },
        Ask::AppendFile { path: path(), content: content() },
        Ask::ListFolder { path: "data:/notes".into() },
        Ask::RemoveFile { path: path() },
        Ask::Now,
        Ask::Elapsed,
        Ask::Random { count: 16 },
        Ask::HttpSend(request.clone()),
        Ask::HttpOpen(Request { body: ByteBuf::new(), timeout: None, limit: Some(1 << 20), ..request }),
        Ask::HttpRead { body: 1 },
        Ask::HttpClose { body: 1 },
    ];
    let ask = |(ask, what)| FromPlugin::Ask { call: 12, ask: ask as u64, what };
    asks.into_iter().enumerate().map(ask).collect()
}

fn done() -> Vec<FromPlugin<Value>> {
    let well = Done { call: 12, output: None, flow: None, failure: None, fault: None };
    let fault = Some("ZeroDivisionError: division by zero".to_owned());
    vec![
        FromPlugin::Done(well.clone()),
        FromPlugin::Done(Done { output: Some(Value::Null), ..well.clone() }),
        FromPlugin::Done(Done { output: Some(json!("HELLO")), flow: Some(Flow::Finish), ..well.clone() }),
        FromPlugin::Done(Done { failure: Some(failure()), ..well.clone() }),
        FromPlugin::Done(Done { fault, ..well }),
    ]
}
