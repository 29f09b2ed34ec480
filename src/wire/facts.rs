//! What a daemon knows about itself and its surroundings for `quorate doctor`.
//! Never judges any of it; the doctor does.

use alloc::collections::BTreeMap;

use serde::Serialize;

use crate::wire::control::StatusReport;

/// The answer to `Request::Doctor`. Durations are whole milliseconds unless their name says other.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct FactsReport {
    /// Everything that `quorate status` shows.
    pub status: StatusReport,
    /// What this node is in the document: `voter`, `witness` or `observer`; null if nothing.
    pub member: Option<String>,
    /// Where the document says it listens.
    pub address: Option<String>,
    /// Where it listens.
    pub listens: String,
    /// The versions of the protocol between nodes that it speaks, in words.
    pub speaks: String,
    /// Whether this release knows all that the document says.
    pub understands: bool,
    /// The timing in force.
    pub timing: TimingReport,
    /// How long its last writes took.
    pub writes: WritesReport,
    /// The alarms among the kept events, by code.
    pub alarms: BTreeMap<String, AlarmReport>,
    /// How many files it may open; null is without limit.
    pub files_max: Option<u64>,
    /// How many bytes it may lock in memory; null is without limit.
    pub locked_max: Option<u64>,
    /// The user it runs as.
    pub user: u32,
    /// Whether a guard keeps hooks for it.
    pub has_guard: bool,
}

/// The timing of the committed document, in microseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct TimingReport {
    /// heartbeat.
    pub heartbeat_us: u64,
    /// dead_after.
    pub dead_after_us: u64,
    /// stop.
    pub stop_us: u64,
    /// drift, in parts per million.
    pub drift_ppm: u64,
    /// stagger.
    pub stagger_us: u64,
}

/// How long the last writes of the state file took, fsyncs and all, in microseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct WritesReport {
    /// How many are counted here.
    pub count: usize,
    /// The newest one.
    pub last_us: u64,
    /// Half of them were faster.
    pub median_us: u64,
    /// The slowest one.
    pub worst_us: u64,
    /// How long one has been under way, if one is; milliseconds.
    pub under_way_ms: Option<u64>,
}

/// One kind of alarm.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct AlarmReport {
    /// How often.
    pub count: u64,
    /// How long ago the last time.
    pub last_ms: u64,
}
