//! The words of settings: durations, shares, addresses, names, identities. What is taken is what
//! is written; what is not, is refused with a reason. Never reads a file.

use quorate::protocol::units::{ClusterId, Hash, NodeId};
use quorate::settings::address::Address;
use quorate::settings::{duration, percent, suggest};

use super::Target;

pub(super) const TARGET: Target = Target {
    name: "words",
    check,
    seeds,
    words: &[
        "h",
        "m",
        "s",
        "ms",
        "us",
        "ns",
        "1",
        "0",
        "99999999999999999999",
        "%",
        ".",
        "0.0001%",
        "100%",
        "[",
        "]",
        ":",
        "::1",
        "fe80::1%eth0",
        ":0",
        ":65535",
        ":65536",
        "127.0.0.1",
        "-",
        "_",
        "00000000000000000000000000000000",
        "SHA256:",
        "é",
        "\0",
        " ",
        "+",
    ],
};

fn check(bytes: &[u8]) -> bool {
    let Ok(word) = std::str::from_utf8(bytes) else { return false };
    let taken = [check_duration(word), check_share(word), check_address(word), check_names(word)];
    let near = suggest::nearest(word, ["heartbeat", "dead_after", "stop"]);
    assert!(near.is_none_or(|near| !near.is_empty()));
    taken.contains(&true)
}

fn check_duration(word: &str) -> bool {
    match duration::parse(word) {
        Ok(span) => {
            assert!(span <= duration::LONGEST);
            assert_eq!(duration::parse(&duration::show(span)), Ok(span));
            true
        }
        Err(error) => {
            assert!(!error.to_string().contains(char::is_control), "{error}");
            false
        }
    }
}

fn check_share(word: &str) -> bool {
    let Some(ppm) = percent::parse(word) else { return false };
    assert!(ppm <= 1_000_000);
    assert_eq!(percent::parse(&percent::show(ppm)), Some(ppm));
    true
}

fn check_address(word: &str) -> bool {
    let Ok(address) = Address::parse(word) else { return false };
    assert!(address.port > 0 && !address.host.is_empty());
    let Address { host, port } = address;
    let again =
        if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
    assert_eq!(Address::parse(&again), Ok(address));
    let is_plain = |c: char| c.is_ascii_alphanumeric() || ".:-_[]".contains(c);
    assert!(word.chars().all(is_plain), "{word:?} would not be safe between quotes");
    true
}

fn check_names(word: &str) -> bool {
    if let Some(name) = NodeId::new(word) {
        assert_eq!(name.as_str(), word);
        assert!(!word.contains(char::is_control) && word.is_ascii());
        return true;
    }
    let cluster = ClusterId::from_hex(word).map(|id| id.to_string());
    let hash = Hash::from_hex(word).map(|hash| hash.to_string());
    assert!(cluster.iter().chain(&hash).all(|shown| shown == word));
    false
}

fn seeds() -> Vec<Vec<u8>> {
    let long_name = "a.".repeat(127);
    [
        "250ms",
        "1h30m",
        "1m30s",
        "366d",
        "8784h",
        "5",
        "1%",
        "0.0001%",
        "100%",
        "alpha",
        "10.0.0.1:9901",
        "[2001:db8::1]:9901",
        "0.0.0.0:1",
        "node-1.example_net.:65535",
        "7d1c0000000000000000000000000001",
        "heartbeet",
        &long_name,
    ]
    .map(|text| text.as_bytes().to_vec())
    .into()
}
