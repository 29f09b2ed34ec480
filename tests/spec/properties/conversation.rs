//! Any JSON at all on a real daemon's control socket is answered, and the daemon goes on.
//! Never sends more than it reads back.

use serde_json::{Map, Value, json};

use quorate::wire::control::{Request, Response};
use quorate::wire::control_frame;

use super::super::control::{ask, connect, served};
use super::super::workshop::Workshop;
use super::any::Any;

/// Some JSON, often nearly a request.
fn any_json(any: &mut Any<'_>, depth: u64) -> Value {
    const WORDS: [&str; 10] =
        ["status", "show", "transfer", "events", "step-down", "ask", "", "\0", "\u{202e}é", "a b"];
    match any.pick(if depth == 0 { 5 } else { 8 }) {
        0 => Value::Null,
        1 => any.is_so().into(),
        2 => any.number().into(),
        3 => json!(-1.5e300),
        4 => any.choose(&WORDS).unwrap_or_default().repeat(1 + any.below(3)).into(),
        5 => (0..any.pick(4)).map(|_| any_json(any, depth - 1)).collect(),
        _ => {
            const KEYS: [&str; 5] = ["to", "hold_off_ms", "follow", "more", "answer"];
            let mut object = Map::new();
            if any.pick(4) > 0 {
                let word = any.choose(&WORDS).unwrap_or_default();
                object.insert("ask".to_owned(), word.into());
            }
            for _ in 0..any.pick(3) {
                let key = any.choose(&KEYS).unwrap_or_default().to_owned();
                object.insert(key, any_json(any, depth - 1));
            }
            object.into()
        }
    }
}

#[test]
fn any_json_is_answered_and_the_daemon_goes_on() {
    let workshop = Workshop::new();
    let socket = served(&workshop);
    let mut any = Any::from_seed(16);
    let mut refused = 0;
    for _ in 0..300 {
        let value = any_json(&mut any, 3);
        // What really moves mastership or stays for ever has tests of its own.
        if serde_json::from_value::<Request>(value.clone()).is_ok() {
            continue;
        }
        let mut stream = connect(&socket);
        control_frame::write(&mut stream, &value).unwrap();
        let answer = control_frame::read(&mut stream).unwrap();
        assert!(matches!(answer, Response::Error(_)), "{value} is answered {answer:?}");
        refused += 1;
    }
    assert!(refused > 200, "{refused} refused");
    let answer = ask(&mut connect(&socket), &Request::Status {});
    assert!(matches!(answer, Response::Status(_)), "{answer:?}");
}

#[test]
fn a_request_as_large_as_its_frame_is_answered_in_a_few_words() {
    let workshop = Workshop::new();
    let socket = served(&workshop);
    for text in ["\u{1b}".repeat(100_000), "x".repeat(1_000_000)] {
        for value in [
            json!({ "ask": text }),
            json!({ "ask": "events", "follow": false, &text: 1 }),
            json!({ "ask": "transfer", "to": text }),
            json!(text),
        ] {
            let mut stream = connect(&socket);
            control_frame::write(&mut stream, &value).unwrap();
            let Response::Error(report) = control_frame::read(&mut stream).unwrap() else {
                panic!("it is no request")
            };
            assert!(report.message.len() < 2_500, "{} bytes", report.message.len());
        }
    }
}
