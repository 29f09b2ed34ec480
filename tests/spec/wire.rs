//! What goes over the wire and to the disk: it comes back the same, and nothing else is taken.

mod bylines;
mod envelopes;
mod exposition;
mod http;

use std::io::{self, Read};
use std::time::Duration;

use quorate::protocol::durable::{Durable, Identity};
use quorate::protocol::message::{Fetch, Message, Offer, Presence};
use quorate::protocol::units::{ClusterId, Position, Term};
use quorate::wire::codec::{BODY_MAX, WireError, decode, encode, hash_of};
use quorate::wire::frame::{Class, Frame, FrameError, Frames, header};
use quorate::wire::hello::{Hello, HelloError, SPOKEN, Versions};
use quorate::wire::record::{self, RecordError};

use super::properties::any::Any;
pub(super) use super::properties::sample::{charter_of, document, id};

fn read(bytes: &[u8]) -> Result<Message, WireError> {
    decode(bytes, &charter_of)
}

fn read_text(text: &str) -> Result<Message, WireError> {
    read(text.as_bytes())
}

#[test]
fn every_message_comes_back_as_it_went() {
    let mut any = Any::from_seed(1);
    for _ in 0..3_000 {
        let message = any.message();
        assert_eq!(read(&encode(&message)).as_ref(), Ok(&message));
    }
}

#[test]
fn every_message_without_a_document_fits_its_frame() {
    let mut any = Any::from_seed(2);
    for _ in 0..3_000 {
        let mut ack = any.heartbeat_ack();
        ack.presence.hears = vec![id(&"x".repeat(64)); 9].into();
        let size = encode(&Message::HeartbeatAck(ack)).len();
        assert!(size <= Class::Message.limit() / 2, "{size} bytes");
    }
}

#[test]
fn damaged_and_cut_messages_are_refused_or_read_but_never_panic() {
    let mut any = Any::from_seed(3);
    for _ in 0..2_000 {
        let bytes = encode(&any.message());
        let at = any.below(bytes.len());
        let mut damaged = bytes.clone();
        damaged[at] ^= 1 << any.pick(8);
        // A flipped digit is still a number: the transport, not the codec, detects that.
        let _ = read(&damaged);
        let is_inside_the_line = bytes[..at].iter().all(|byte| *byte != b'\n');
        assert!(!is_inside_the_line || read(&bytes[..at]).is_err());
    }
}

#[test]
fn unknown_fields_are_skipped_and_unknown_messages_refused() {
    let fetch = r#"{"fetch":{"have":{"term":4,"version":17,"new":[{"deep":[1]}]},"newer":null}}"#;
    let have = Position { term: Term(4), version: 17 };
    assert_eq!(read_text(fetch), Ok(Message::Fetch(Fetch { have })));
    let outcome = read_text(r#"{"gossip":{}}"#);
    assert!(matches!(outcome, Err(WireError::Unknown { kind, .. }) if kind == "gossip"));
}

#[test]
fn a_node_of_the_first_release_which_knows_no_health_is_well() {
    let presence = Any::from_seed(6).presence();
    let spelled = String::from_utf8(encode(&Message::Beat(presence.clone()))).unwrap();
    let says = format!("\"healthy\":{},", presence.is_healthy);
    assert!(spelled.contains(&says), "{spelled}");
    let outcome = read_text(&spelled.replace(&says, ""));
    assert_eq!(outcome, Ok(Message::Beat(Presence { is_healthy: true, ..presence })));
}

#[test]
fn missing_repeated_and_trailing_parts_are_refused() {
    for text in [
        "",
        "{}",
        "null",
        r#"{"fetch":{}}"#,
        r#"{"fetch":{"have":{"term":4}}}"#,
        r#"{"fetch":{"have":{"term":4,"term":4,"version":1}}}"#,
        r#"{"fetch":{"have":{"term":4,"version":1}},"fetch":{"have":{"term":4,"version":1}}}"#,
        r#"{"fetch":{"have":{"term":4,"version":1}}}x"#,
        r#"{"fetch":{"have":{"term":-1,"version":1}}}"#,
        r#"{"fetch":{"have":{"term":18446744073709551616,"version":1}}}"#,
        r#"{"fetch":{"have":{"term":1e3,"version":1}}}"#,
    ] {
        let outcome = read_text(text);
        let is_refused =
            matches!(outcome, Err(WireError::Malformed(_) | WireError::Unknown { .. }));
        assert!(is_refused, "{text}: {outcome:?}");
    }
    let trailing = "{\"fetch\":{\"have\":{\"term\":4,\"version\":1}}}\n";
    assert_eq!(read_text(trailing), Err(WireError::Trailing));
}

#[test]
fn forbidden_names_are_refused_and_not_repeated() {
    for name in ["", "a b", "a\\u0000", "\\u202eab", "a/b", &"x".repeat(65), &"y".repeat(3_000)] {
        let text = format!(r#"{{"handover":{{"nonce":1,"to":"{name}"}}}}"#);
        let Err(WireError::Unknown { why, .. }) = read_text(&text) else {
            panic!("{name} was taken")
        };
        assert!(why.is_ascii() && why.len() < 300, "{why}");
    }
}

#[test]
fn control_characters_of_a_peer_never_reach_the_log() {
    let error = read(b"{\"\\u001b[2J\\n\":{}}").unwrap_err().to_string();
    assert!(!error.contains(['\u{1b}', '\n']), "{error:?}");
    let outcome = read(b"{\"\\u001b[2J\\n\":{}}");
    let Err(WireError::Unknown { kind, .. }) = outcome else { panic!("{outcome:?}") };
    assert!(!kind.contains(['\u{1b}', '\n']), "{kind:?}");
    let error = read(&encode(&Message::Offer(Offer { document: document("bad") }))).unwrap_err();
    assert!(error.to_string().contains("line 1: bad\\u{1b}[2J"), "{error}");
}

#[test]
fn more_than_64_names_are_refused() {
    let mut presence = Any::from_seed(4).presence();
    presence.hears = vec![id("a"); 64].into();
    assert!(read(&encode(&Message::Beat(presence.clone()))).is_ok());
    presence.hears = vec![id("a"); 65].into();
    assert!(read(&encode(&Message::Beat(presence))).is_err());
}

#[test]
fn a_promise_of_nothing_or_of_years_is_refused() {
    for promise in [Duration::ZERO, Duration::from_secs(301), Duration::from_secs(315_360_000)] {
        let mut heartbeat = Any::from_seed(5).heartbeat();
        heartbeat.promise = promise;
        let outcome = read(&encode(&Message::Heartbeat(heartbeat)));
        assert_eq!(outcome, Err(WireError::PromiseOutOfRange));
    }
}

#[test]
fn a_document_whose_bytes_are_not_those_of_its_hash_is_refused() {
    let mut bytes = encode(&Message::Offer(Offer { document: document("cluster: shop") }));
    *bytes.last_mut().unwrap() ^= 1;
    assert_eq!(read(&bytes), Err(WireError::HashMismatch));
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap();
    assert_eq!(read(&bytes[..end]), Err(WireError::NoBody));
    *bytes.last_mut().unwrap() = 0xff;
    assert_eq!(read(&bytes), Err(WireError::BodyNotText));
}

#[test]
fn a_document_of_one_mebibyte_fits_and_a_larger_one_is_refused() {
    let largest = encode(&Message::Offer(Offer { document: document(&"\n".repeat(BODY_MAX)) }));
    assert!(header(Class::Document, &largest).is_ok());
    assert!(read(&largest).is_ok());
    let body = "\n".repeat(BODY_MAX + 1);
    let outcome = read(&encode(&Message::Offer(Offer { document: document(&body) })));
    assert_eq!(outcome, Err(WireError::BodyTooLarge(BODY_MAX + 1)));
}

#[test]
fn brackets_a_hundred_thousand_deep_are_refused_without_recursion() {
    let deep = "[".repeat(100_000);
    assert!(read_text(&deep).is_err());
    let skipped = format!(r#"{{"fetch":{{"have":{{"term":4,"version":1}},"new":{deep}"#);
    assert!(read_text(&skipped).is_err());
}
