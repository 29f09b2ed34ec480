//! What a program that acts only under mastership is told by the daemon, and since when and until
//! when it may. Never carries an order to start anything: a grant allows, it does not command.
//!
//! ```text
//! program                                daemon
//!    │── hold ─────────────────────────────►│
//!    │◄───────────────────────── not-master │  at once, if so; then it waits on
//!    │◄──── granted {term, until, kill, …} │  this node acts from now on
//!    │◄────── extended {term, until, kill} │  again and again; only the newest counts
//!    │◄──────────────── stop {term, kill} │  end now; what is left is dead at `kill`
//!    │── gone {term} ─────────────────────►│  nothing of it lives any more
//! ```
//!
//! After `gone` the program may wait for the next grant on the same stream. A stream that ends
//! without `gone` counts as alive until the last `kill` it was told has surely passed. A program
//! that says `gathers` is a subreaper (prctl(2)) and stays one: if it does not say `gone` after
//! `kill`, it is woken (SIGCONT), and killed a second later with everything below it. It says
//! `kept` whenever a process begins to act that kills in its stead when it dies itself.

use serde::{Deserialize, Serialize};

use crate::protocol::units::Moment;

/// A reading of both clocks of this machine (R20), nanoseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct MomentReport {
    /// `CLOCK_BOOTTIME`.
    pub boot_ns: u64,
    /// `CLOCK_MONOTONIC_RAW`.
    pub raw_ns: u64,
}

impl From<Moment> for MomentReport {
    fn from(moment: Moment) -> Self {
        Self { boot_ns: moment.boot_ns, raw_ns: moment.raw_ns }
    }
}

impl From<MomentReport> for Moment {
    fn from(report: MomentReport) -> Self {
        Self { boot_ns: report.boot_ns, raw_ns: report.raw_ns }
    }
}

/// How long a program may go on; whichever clock reaches a moment first decides (R21).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct SpanReport {
    /// The fencing token (R35).
    pub term: u64,
    /// Then it has to begin to end, unless extended before.
    pub until: MomentReport,
    /// Then whatever of it lives is killed.
    pub kill: MomentReport,
}

/// While what a program runs.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum While {
    /// This node acts as master: its lease waits for the program's end.
    #[default]
    Master,
    /// This node follows a master, in a majority: nothing waits.
    Backup,
}

/// That a program may act, and what it should know.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct GrantReport {
    /// From when to when.
    pub span: SpanReport,
    /// The daemon's clocks when it said so: a program with other clocks must not believe the span.
    pub at: MomentReport,
    /// This node's name.
    pub node: String,
    /// The master's name.
    pub master: String,
    /// The cluster's name.
    pub cluster: String,
    /// The cluster's identity, hexadecimal.
    pub cluster_id: String,
    /// The daemon's version.
    pub version: String,
}
