//! What is written down is read back the same, and cut anywhere it is refused.
//! Never tries damaged bytes; `search` does.

use quorate::wire::control::Request;
use quorate::wire::control_frame::{self, FrameError};
use quorate::wire::hello::Hello;
use quorate::wire::record::{self, RecordError};
use quorate::wire::{codec, frame};

use super::any::Any;
use super::sample::charter_of;

fn any_hello(any: &mut Any<'_>) -> Hello {
    let durable = any.durable();
    let mut hello = Hello::of(&durable.identity, any.number(), durable.sequence);
    (hello.node, hello.generation) = (any.name(), any.number());
    hello
}

fn any_request(any: &mut Any<'_>) -> Request {
    match any.pick(7) {
        0 => Request::Status {},
        1 => Request::Show {},
        2 => Request::Transfer { to: any.maybe_name().map(|name| name.to_string()) },
        3 => Request::StepDown { hold_off_ms: any.number() },
        4 => Request::SetPosition { position: any.number() },
        5 => Request::History {},
        _ => Request::Events { follow: any.is_so() },
    }
}

#[test]
fn every_hello_comes_back_and_cut_anywhere_is_refused() {
    let mut any = Any::from_seed(11);
    for _ in 0..200 {
        let hello = any_hello(&mut any);
        let bytes = hello.encode();
        assert_eq!(Hello::decode(&bytes), Ok(hello));
        for end in 0..bytes.len() {
            assert!(Hello::decode(&bytes[..end]).is_err(), "{end}");
        }
    }
}

#[test]
fn every_message_cut_anywhere_is_refused() {
    let mut any = Any::from_seed(12);
    for _ in 0..100 {
        let bytes = codec::encode(&any.message());
        for end in 0..bytes.len() {
            assert!(codec::decode(&bytes[..end], &charter_of).is_err(), "{end}");
        }
    }
}

#[test]
fn every_record_comes_back_and_cut_or_damaged_anywhere_is_refused() {
    let mut any = Any::from_seed(13);
    for _ in 0..20 {
        let durable = any.durable();
        let bytes = record::encode(&durable);
        assert_eq!(record::decode(&bytes, &charter_of), Ok(durable));
        for at in 0..bytes.len() {
            let outcome = record::decode(&bytes[..at], &charter_of);
            let is_cut = matches!(outcome, Err(RecordError::Truncated | RecordError::Corrupt));
            assert!(is_cut, "{at}: {outcome:?}");
            let mut damaged = bytes.clone();
            damaged[at] ^= 1 << any.pick(8);
            assert!(record::decode(&damaged, &charter_of).is_err(), "{at}");
        }
    }
}

#[test]
fn every_request_comes_back_and_cut_anywhere_is_refused() {
    let mut any = Any::from_seed(14);
    for _ in 0..200 {
        let request = any_request(&mut any);
        let mut bytes = Vec::new();
        control_frame::write(&mut bytes, &request).unwrap();
        for end in 0..bytes.len() {
            let outcome = control_frame::read::<Request>(&mut &bytes[..end]);
            let is_cut = matches!(outcome, Err(FrameError::Closed | FrameError::Stream(_)));
            assert!(is_cut, "{end}: {outcome:?}");
        }
        assert_eq!(control_frame::read::<Request>(&mut &bytes[..]).unwrap(), request);
    }
}

#[test]
fn every_message_is_found_again_in_its_frame() {
    let mut any = Any::from_seed(15);
    for _ in 0..500 {
        let message = any.message();
        let payload = codec::encode(&message);
        let class = match codec::carries_document(&message) {
            true => frame::Class::Document,
            false => frame::Class::Message,
        };
        let stream = [&frame::header(class, &payload).unwrap()[..], &payload].concat();
        let found = frame::Frames::default().read(&mut &stream[..]).unwrap().unwrap();
        assert_eq!(codec::decode(&found.payload, &charter_of), Ok(message));
    }
}
