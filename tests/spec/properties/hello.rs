//! The hello: whatever a stranger says first is read whole or refused in one short line.
//! Never opens a session.

use quorate::wire::frame::Class;
use quorate::wire::hello::{Hello, HelloError};

use super::Target;
use super::sample::identity;

pub(super) const TARGET: Target = Target {
    name: "hello",
    check,
    seeds,
    words: &[
        "version",
        "newest",
        "release",
        "address",
        "cluster",
        "generation",
        "node",
        "storage",
        "instance",
        "sequence",
        "1",
        "2",
        "{",
        "}",
        "\"",
        ":",
        ",",
        "null",
        "-1",
        "18446744073709551616",
        "\\u0061",
        "alpha",
    ],
};

fn check(bytes: &[u8]) -> bool {
    let hello = match Hello::decode(bytes) {
        Ok(hello) => hello,
        Err(error) => {
            super::assert_speakable(&error.to_string());
            return false;
        }
    };
    let again = hello.encode();
    assert!(again.len() <= Class::Hello.limit(), "{} bytes", again.len());
    assert_eq!(Hello::decode(&again).as_ref(), Ok(&hello));
    assert_eq!(hello.fits(&hello, &hello.node), Ok(()));
    let ours = ours();
    let fits = hello.fits(&ours, &ours.node);
    fits.as_ref().map_or_else(|error| super::assert_speakable(&error.to_string()), |()| ());
    let is_ours = hello.cluster == ours.cluster && hello.generation == ours.generation;
    assert_eq!(fits.is_ok(), is_ours && hello.node == ours.node);
    assert!(!matches!(fits, Err(HelloError::Malformed(_) | HelloError::NoCommonVersion(_))));
    true
}

fn ours() -> Hello {
    Hello::of(&identity(), 9, 7)
}

fn seeds() -> Vec<Vec<u8>> {
    let other = Hello { instance: u64::MAX, sequence: 0, generation: 2, ..ours() };
    let newer = br#"{"version":2,"cluster":[],"more":{"a":[1,2]}}"#;
    let (newest, address) = (Some(7), Some("alpha.example:9901".to_owned()));
    let later = Hello { newest, address, ..ours() };
    let short = b"{\"version\":1}".to_vec();
    vec![ours().encode(), other.encode(), later.encode(), newer.to_vec(), short]
}
