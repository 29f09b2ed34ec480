//! Names what a program that quorate starts finds in its environment: hooks, and what runs under
//! `quorate run`. Never knows a value.

/// Where a hook's programs are looked for.
pub const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// The language a hook speaks.
pub const LANG: &str = "C.UTF-8";
/// Where a hook is at home.
pub const HOME: &str = "/";

/// Why it was started: `master`, `backup`, `no_quorum`, or the code of an event.
pub const EVENT: &str = "QUORATE_EVENT";
/// What this node is: `master`, `backup` or `no_quorum`.
pub const ROLE: &str = "QUORATE_ROLE";
/// What it was before.
pub const PREV_ROLE: &str = "QUORATE_PREV_ROLE";
/// This node's name.
pub const NODE: &str = "QUORATE_NODE";
/// The cluster's name.
pub const CLUSTER: &str = "QUORATE_CLUSTER";
/// The cluster's identity, hexadecimal.
pub const CLUSTER_ID: &str = "QUORATE_CLUSTER_ID";
/// The master's name.
pub const MASTER: &str = "QUORATE_MASTER";
/// Where the master is reached by its peers.
pub const MASTER_ADDRESS: &str = "QUORATE_MASTER_ADDRESS";
/// The name of the master before.
pub const PREV_MASTER: &str = "QUORATE_PREV_MASTER";
/// The fencing token (R35).
pub const TERM: &str = "QUORATE_TERM";
/// Counts what hooks are told, for each node.
pub const SEQ: &str = "QUORATE_SEQ";
/// The code of why this happened.
pub const REASON: &str = "QUORATE_REASON";
/// How long the lease lasts from now, milliseconds.
pub const LEASE_MS: &str = "QUORATE_LEASE_MS";
/// When it happened: RFC 3339, UTC.
pub const TIMESTAMP: &str = "QUORATE_TIMESTAMP";
/// Where the daemon answers.
pub const SOCKET: &str = "QUORATE_SOCKET";
/// The daemon's version.
pub const VERSION: &str = "QUORATE_VERSION";

/// All names of ours, in the order people read them.
pub const NAMES: [&str; 16] = [
    EVENT,
    ROLE,
    PREV_ROLE,
    NODE,
    CLUSTER,
    CLUSTER_ID,
    MASTER,
    MASTER_ADDRESS,
    PREV_MASTER,
    TERM,
    SEQ,
    REASON,
    LEASE_MS,
    TIMESTAMP,
    SOCKET,
    VERSION,
];

/// What every such program finds that is not started in somebody's shell.
#[must_use]
pub fn plain() -> [(&'static str, String); 3] {
    [("PATH", PATH), ("LANG", LANG), ("HOME", HOME)].map(|(name, value)| (name, value.to_owned()))
}

/// The key of the JSON object a hook reads that belongs to one of our [`NAMES`].
#[must_use]
pub fn key(name: &str) -> String {
    name.strip_prefix("QUORATE_").unwrap_or(name).to_ascii_lowercase()
}
