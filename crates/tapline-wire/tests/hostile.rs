//! Bytes that are no messages.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::prelude::*;
use serde_json::Value;
use tapline_wire::{Ask, Decoder, FromPlugin, WireError, encode};

const FRAME: u32 = 1 << 20;

type Message = FromPlugin<Value>;

fn read(bytes: &[u8]) -> Result<Option<Message>, WireError> {
    let mut decoder = Decoder::new(FRAME);
    decoder.push(bytes);
    decoder.next()
}

fn framed(body: &[u8]) -> Vec<u8> {
    [&u32::try_from(body.len()).unwrap().to_le_bytes(), body].concat()
}

#[test]
fn a_length_that_is_not_taken_is_refused_before_anything_comes() {
    let error = read(&u32::MAX.to_le_bytes()).unwrap_err();
    assert_eq!(error.to_string(), "a frame of 4294967295 bytes is longer than the 1048576 that are taken");
}

#[test]
fn half_a_frame_is_none_yet() {
    let mut bytes = Vec::new();
    encode(&Message::Pong { number: 1 }, FRAME, &mut bytes).unwrap();
    let mut decoder = Decoder::new(FRAME);
    for byte in &bytes {
        assert!(decoder.next::<Message>().unwrap().is_none());
        decoder.push(&[*byte]);
    }
    assert_eq!(decoder.next::<Message>().unwrap(), Some(Message::Pong { number: 1 }));
}

#[test]
fn what_follows_a_message_in_its_frame_is_refused() {
    let mut bytes = Vec::new();
    encode(&Message::Pong { number: 1 }, FRAME, &mut bytes).unwrap();
    let body = [&bytes[4..], b"x"].concat();
    assert!(matches!(read(&framed(&body)).unwrap_err(), WireError::Trailing { count: 1 }));
}

#[test]
fn an_unknown_message_is_named() {
    // {"shout": {}}
    let error = read(&framed(b"\x81\xa5shout\x80")).unwrap_err().to_string();
    assert!(error.starts_with("a frame is no message: unknown variant `shout`"), "{error}");
}

#[test]
fn a_value_that_is_nested_too_deep_is_refused() {
    // {"done": {"call": 1, "output": [[[…]]]}}
    let body = [b"\x81\xa4done\x82\xa4call\x01\xa6output".to_vec(), vec![0x91; 100_000], vec![0xc0]].concat();
    let error = read(&framed(&body)).unwrap_err().to_string();
    assert!(error.contains("depth limit"), "{error}");
}

#[test]
fn a_list_that_claims_to_be_long_takes_no_memory() {
    // {"done": {"call": 1, "output": a list of four billion}}
    let body = b"\x81\xa4done\x82\xa4call\x01\xa6output\xdd\xff\xff\xff\xff";
    assert!(matches!(read(&framed(body)).unwrap_err(), WireError::NoMessage { .. }));
}

#[test]
fn a_message_that_is_too_long_to_be_sent_leaves_what_was_there() {
    let mut bytes = b"before".to_vec();
    let ask = Ask::Set { path: "output".into(), value: Value::from("x".repeat(FRAME as usize)) };
    let message = Message::Ask { call: 1, ask: 1, what: ask };
    assert!(matches!(encode(&message, FRAME, &mut bytes), Err(WireError::TooLong { .. })));
    assert_eq!(bytes, b"before");
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..256)) {
        let _ = read(&bytes);
        let _ = read(&framed(&bytes));
    }
}
