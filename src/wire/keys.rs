//! The JSON of what a node says of its own key. Never holds a private one.

use serde::Serialize;

/// `quorate key show --json`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct KeyReport {
    /// Always `SCHEMA`.
    pub schema: u32,
    /// This node.
    pub node: String,
    /// The fingerprint of the key it shows: `SHA256:` and 64 digits.
    pub key: String,
    /// When its file was made, by this machine's clock, as for an event; null if unknown.
    pub made: Option<String>,
    /// While its key changes: the one to follow, until it is shown.
    pub next: Option<String>,
    /// `settled`, `making-known` or `taking-out-old`.
    pub state: String,
    /// Which voters have not shown yet that they know the next one.
    pub waits_for: Vec<String>,
    /// What it waits for, in words; empty if it does not wait.
    pub why: String,
}
