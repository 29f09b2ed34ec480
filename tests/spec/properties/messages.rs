//! Peer messages: what is taken goes out again as it came in, and fits its frame.
//! Never says what a message does; `member` does.

use quorate::protocol::message::Message;
use quorate::settings::cluster;
use quorate::wire::codec::{BODY_MAX, carries_document, decode, encode, hash_of};
use quorate::wire::frame::Class;

use super::any::Any;
use super::cluster_yaml::{LATER, SHOP};
use super::sample::document;
use super::{JSON_WORDS, Target};

pub(super) const TARGET: Target = Target { name: "messages", check, seeds, words: &JSON_WORDS };

/// Once as it is, and once with the hash a document's body really has: no search finds that one.
fn check(bytes: &[u8]) -> bool {
    let is_taken = check_spelling(bytes);
    let is_taken_repaired = repaired(bytes).is_some_and(|bytes| check_spelling(&bytes));
    is_taken || is_taken_repaired
}

fn check_spelling(bytes: &[u8]) -> bool {
    let read = |bytes: &[u8]| {
        decode(bytes, &|body| {
            cluster::parse_agreed(body, "cluster.yaml").map_err(|problem| problem.to_string())
        })
    };
    let message = match read(bytes) {
        Ok(message) => message,
        Err(error) => {
            super::assert_speakable(&error.to_string());
            return false;
        }
    };
    let again = encode(&message);
    assert_eq!(read(&again).as_ref(), Ok(&message));
    assert_eq!(encode(&message), again);
    let class = if carries_document(&message) { Class::Document } else { Class::Message };
    let names_max = 64 * 70;
    assert!(again.len() <= class.limit() + names_max, "{} bytes", again.len());
    true
}

/// The same bytes with a hash that fits what follows the line.
fn repaired(bytes: &[u8]) -> Option<Vec<u8>> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let (line, body) = (std::str::from_utf8(&bytes[..end]).ok()?, &bytes[end + 1..]);
    let (before, after) = line.split_once("\"hash\":\"")?;
    let (_, after) = after.split_once('"')?;
    let body = &body[..body.len().min(BODY_MAX)];
    let line = format!("{before}\"hash\":\"{}\"{after}\n", hash_of(body));
    Some([line.as_bytes(), body].concat())
}

fn seeds() -> Vec<Vec<u8>> {
    let mut any = Any::from_seed(1);
    any.near.documents = vec![document(SHOP), document(LATER)];
    let mut found: Vec<Message> = Vec::new();
    // Every kind of message twice.
    while found.len() < 30 {
        let message = any.message();
        let kind = std::mem::discriminant(&message);
        let known = found.iter().filter(|one| std::mem::discriminant(*one) == kind).count();
        if known < 2 {
            found.push(message);
        }
    }
    found.iter().map(encode).collect()
}
