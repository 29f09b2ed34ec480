//! What a node knows of each other one: a part of its status.
//! Never says what follows from it.

use serde::Serialize;

use crate::wire::control::PositionReport;

/// One peer as this node sees it.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct PeerReport {
    /// Its name.
    pub id: String,
    /// Where it listens.
    pub address: String,
    /// `voter`, `witness` or `observer`.
    pub role: String,
    /// Whether this node received from it within dead_after.
    pub heard: bool,
    /// Whether it says it receives from this node; null while it is not heard, and on a node that
    /// does not vote, since peers say that of voters only.
    pub hears_us: Option<bool>,
    /// Age of the last message from it; null if there never was one.
    pub last_heard_ms: Option<u64>,
    /// How long it has been heard without a break.
    pub streak_ms: Option<u64>,
    /// The last measured round trip in microseconds.
    pub round_trip_us: Option<u64>,
    /// Its document's position.
    pub position: Option<PositionReport>,
    /// Its term.
    pub term: Option<u64>,
    /// Whether it may vote now.
    pub vote_ready: Option<bool>,
    /// Whom it follows.
    pub follows: Option<String>,
    /// Whom it hears.
    pub hears: Vec<String>,
    /// Whether its clock is too far off to count for a lease.
    pub clock_deviant: bool,
    /// How fast its clock runs beside this node's, as last measured, over 30 s at least.
    pub clock: Option<ClockReport>,
    /// Whether it says that nothing speaks against it as master; null while it is not heard.
    pub healthy: Option<bool>,
    /// How fresh its data is, as it says; null if it does not, or is not heard.
    pub freshness: Option<u64>,
    /// The state of this node's own connection to it, in words: `connected`, or why not.
    pub link: String,
    /// What it said of itself when it was met last.
    pub said: SaidReport,
}

/// How fast a peer's clock runs beside this node's.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct ClockReport {
    /// By so much, in parts per million; above zero it runs faster.
    pub off_ppm: i64,
    /// Give or take so much.
    pub within_ppm: u64,
}

/// What a peer said of itself when a session with it began, and how its own call stands.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct SaidReport {
    /// The release it runs; null before it said so, or if it is too old to.
    pub release: Option<String>,
    /// The version of the protocol between nodes that is spoken with it; null before it was met.
    pub protocol: Option<u32>,
    /// Where it says it listens, if that is not what the document says; it is called there too.
    pub address: Option<String>,
    /// The state of its own connection to this node, in words; null if it never called.
    pub call: Option<String>,
    /// How many of its messages only a later release knows: they are passed over.
    pub passed_over: u64,
    /// What the last of them was called.
    pub unknown: Option<String>,
}
