//! The state file: what is taken is whole, does not contradict itself and comes back the same.
//! Never touches a disk.

use quorate::settings::cluster;
use quorate::wire::codec::hash_of;
use quorate::wire::record::{RecordError, decode, encode};
use serde_json::Value;

use super::any::Any;
use super::cluster_yaml::{LATER, SHOP};
use super::sample::document;
use super::{JSON_WORDS, Target};

pub(super) const TARGET: Target = Target { name: "record", check, seeds, words: &JSON_WORDS };

/// Once as it is, and once with the checksum and hashes that the content really has.
fn check(bytes: &[u8]) -> bool {
    let is_taken = check_file(bytes);
    let content = bytes.iter().position(|byte| *byte == b'\n').map(|end| &bytes[end + 1..]);
    let repaired = content.map(|content| sealed(&with_true_hashes(content)));
    let is_taken_repaired = repaired.is_some_and(|file| check_file(&file));
    is_taken || is_taken_repaired
}

fn check_file(bytes: &[u8]) -> bool {
    let read = |bytes: &[u8]| {
        decode(bytes, &|body| {
            cluster::parse_agreed(body, "cluster.yaml").map_err(|problem| problem.to_string())
        })
    };
    let durable = match read(bytes) {
        Ok(durable) => durable,
        Err(error) => {
            super::assert_speakable(&error.to_string());
            return false;
        }
    };
    assert!(durable.accepted.position >= durable.committed.position);
    assert!(durable.accepted.position.term <= durable.term);
    let again = encode(&durable);
    assert_eq!(read(&again).as_ref(), Ok(&durable));
    assert_eq!(encode(&durable), again);
    let mut next = durable.clone();
    next.sequence = next.sequence.saturating_add(1);
    assert_eq!(next.may_follow(&durable), next.sequence > durable.sequence);
    // A checksum leaves no room for a second spelling of the same bytes.
    assert_eq!(read(&[bytes, b"\n"].concat()), Err(RecordError::Corrupt));
    assert!(read(&bytes[..bytes.len() - 1]).is_err());
    true
}

/// `content` below a first line that fits it.
pub(super) fn sealed(content: &[u8]) -> Vec<u8> {
    [format!("quorate-state 1 {}\n", hash_of(content)).as_bytes(), content].concat()
}

/// The same content with the hash of each body where a body stands.
fn with_true_hashes(content: &[u8]) -> Vec<u8> {
    let Ok(mut value) = serde_json::from_slice::<Value>(content) else { return content.to_vec() };
    let hash_in = |document: &Value| {
        let body = document.get("body")?.as_str()?;
        Some(Value::from(hash_of(body.as_bytes()).to_string()))
    };
    let accepted = hash_in(&value["accepted"]);
    let committed = hash_in(&value["committed"]).or_else(|| accepted.clone());
    for (name, hash) in [("accepted", accepted), ("committed", committed)] {
        if let (Some(Value::Object(document)), Some(hash)) = (value.get_mut(name), hash) {
            document.insert("hash".to_owned(), hash);
        }
    }
    value.to_string().into_bytes()
}

fn seeds() -> Vec<Vec<u8>> {
    let mut any = Any::from_seed(2);
    any.near.documents = vec![document(SHOP), document(LATER)];
    let mut seeds: Vec<_> = (0..6).map(|_| encode(&any.durable())).collect();
    seeds.push(b"quorate-state 2 00\n{}\n".to_vec());
    seeds.push(sealed(b"{}\n"));
    seeds
}
