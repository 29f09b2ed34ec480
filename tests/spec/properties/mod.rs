//! What holds for every parser, whatever the bytes, said once for tests and fuzzers.
//! Never opens a file or a socket: a target is a function from bytes to a verdict.
//!
//! ```text
//! seeds, words ──► mutation (cargo test, seeded)   ──┐
//!              └─► libFuzzer (contrib/fuzz, guided) ─┴─► Target::check: panics on a broken promise
//! ```
//!
//! A check answers whether the parser took the bytes, so that a search can show that it saw both
//! sides. `contrib/fuzz` compiles this folder by its path; the tests in it stay here.

pub(crate) mod any;
pub(crate) mod sample;

mod cluster_yaml;
mod command_line;
mod control;
mod frames;
mod handwriting;
mod hello;
mod http;
mod join;
mod member;
mod messages;
mod node_yaml;
mod pen;
mod record;
mod token;
mod words;

#[cfg(test)]
mod conversation;
#[cfg(test)]
mod identities;
#[cfg(test)]
mod search;

/// One parser and what must hold for all bytes given to it.
#[derive(Clone, Copy)]
pub(crate) struct Target {
    /// The fuzz target's name.
    pub(crate) name: &'static str,
    /// Panics if a promise is broken; else says whether the parser took the bytes.
    pub(crate) check: fn(&[u8]) -> bool,
    /// Where a search begins.
    pub(crate) seeds: fn() -> Vec<Vec<u8>>,
    /// What a search puts in.
    pub(crate) words: &'static [&'static str],
}

/// Every parser of bytes that somebody else wrote.
pub(crate) const TARGETS: [Target; 14] = [
    frames::TARGET,
    hello::TARGET,
    http::TARGET,
    token::TARGET,
    join::TARGET,
    messages::TARGET,
    record::TARGET,
    control::TARGET,
    cluster_yaml::TARGET,
    node_yaml::TARGET,
    pen::TARGET,
    words::TARGET,
    command_line::TARGET,
    member::TARGET,
];

/// What JSON is made of.
const JSON_WORDS: [&str; 24] = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\\u0000",
    "\\ud800",
    "null",
    "true",
    "false",
    "-1",
    "0",
    "1e3",
    "1.5",
    "18446744073709551615",
    "18446744073709551616",
    "{\"",
    "\":",
    "[[[[",
    "é",
    "\n",
    "\u{202e}",
];

/// What an error says is one line that changes nothing on a terminal, and is not long.
fn assert_speakable(error: &str) {
    assert!(!error.contains(char::is_control), "{error:?}");
    assert!(error.len() < 2_500, "{} bytes: {error:?}", error.len());
}
