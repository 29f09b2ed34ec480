//! The one test binary. It holds the rooms; each room's `mod.rs` says what it proves.
//! Never holds a test itself.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(clippy::cast_possible_truncation, clippy::wildcard_enum_match_arm, reason = "in tests")]

extern crate alloc;

/// The protocol once more, from source: only here do its rules have switches (`cfg(test)`).
#[path = "../src/protocol/mod.rs"]
#[allow(dead_code, unreachable_pub, reason = "the library uses all of it; the rooms use a part")]
mod protocol;

mod process;
mod sim;
mod spec;
mod tidy;
