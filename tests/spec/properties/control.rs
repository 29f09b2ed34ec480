//! Control requests and answers and their frames: any JSON in, one value or one refusal out.
//! Never opens the socket; `conversation` does.

use std::fmt::Debug;

use quorate::wire::control::{CONTROL_FRAME_MAX, Request, Response};
use quorate::wire::control_frame::{self, FrameError};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Target;

pub(super) const TARGET: Target = Target {
    name: "control",
    check,
    seeds,
    words: &[
        "ask",
        "answer",
        "status",
        "show",
        "transfer",
        "to",
        "step-down",
        "hold_off_ms",
        "events",
        "history",
        "follow",
        "document",
        "handover",
        "event",
        "end-of-events",
        "error",
        "message",
        "retry",
        "{",
        "}",
        "[",
        "]",
        "\"",
        ":",
        ",",
        "null",
        "true",
        "-1",
        "1e9",
        "18446744073709551615",
        "\\u0000",
        "\\ud800",
        "\0\0\0\u{2}",
        "[[[[[[[[",
    ],
};

/// Once as a stream of frames, once as the body of one frame.
fn check(bytes: &[u8]) -> bool {
    let is_stream = check_stream(bytes);
    let framed = framed(bytes);
    let is_request = check_one::<Request>(&framed);
    let is_answer = check_one::<Response>(&framed);
    is_stream || is_request || is_answer
}

/// Bytes as the body of one frame.
pub(super) fn framed(body: &[u8]) -> Vec<u8> {
    let body = &body[..body.len().min(CONTROL_FRAME_MAX)];
    let length = u32::try_from(body.len()).expect("a mebibyte is less than four gibibytes");
    [&length.to_be_bytes()[..], body].concat()
}

/// Reads requests until the stream is of no more use.
fn check_stream(mut stream: &[u8]) -> bool {
    let mut found = false;
    loop {
        let before = stream.len();
        match control_frame::read::<Request>(&mut stream) {
            Ok(_) => found = true,
            Err(FrameError::Closed) => {
                assert_eq!(before, 0);
                return found;
            }
            Err(error) => {
                super::assert_speakable(&error.to_string());
                return found;
            }
        }
    }
}

fn check_one<T: Serialize + DeserializeOwned + PartialEq + Debug>(frame: &[u8]) -> bool {
    let value = match control_frame::read::<T>(&mut &frame[..]) {
        Ok(value) => value,
        Err(error) => {
            super::assert_speakable(&error.to_string());
            return false;
        }
    };
    let mut again = Vec::new();
    control_frame::write(&mut again, &value).expect("what was read may be sent");
    assert_eq!(control_frame::read::<T>(&mut &again[..]).expect("it is whole"), value);
    let cut = &again[..again.len() - 1];
    let outcome = control_frame::read::<T>(&mut &cut[..]);
    assert!(matches!(outcome, Err(FrameError::Stream(_))), "{outcome:?}");
    true
}

fn seeds() -> Vec<Vec<u8>> {
    let bodies: [&[u8]; 9] = [
        br#"{"ask":"status"}"#,
        br#"{"ask":"show"}"#,
        br#"{"ask":"transfer","to":"alpha"}"#,
        br#"{"ask":"transfer","to":null}"#,
        br#"{"ask":"step-down","hold_off_ms":60000}"#,
        br#"{"ask":"events","follow":true}"#,
        br#"{"answer":"error","message":"no","retry":true}"#,
        br#"{"answer":"event","schema":1,"seq":1,"time":"t","node":"a",
            "term":4,"code":"elected","level":"info","message":"m"}"#,
        br#"{"answer":"document","schema":1,"position":{"term":4,"version":17},
            "revision":3,"hash":"00","body":"b"}"#,
    ];
    let mut seeds: Vec<_> = bodies.iter().map(|body| body.to_vec()).collect();
    seeds.push(bodies.iter().take(6).flat_map(|body| framed(body)).collect());
    seeds
}
