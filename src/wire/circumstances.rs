//! Parts of a status that are about what surrounds an election: what people set for a while, who is
//! on the way to vote, how fit a node is. Never a whole answer; `control` has those.

use serde::Serialize;

/// Something that people set in the document for a while.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct OverrideReport {
    /// `standby` or `maintenance`.
    pub what: String,
    /// For `standby`: the node.
    pub node: Option<String>,
    /// Who set it, if that is written there.
    pub by: Option<String>,
    /// Since when, RFC 3339, UTC, if that is written there.
    pub since: Option<String>,
    /// When it ends by itself; null if it does not.
    pub until: Option<String>,
}

/// An observer that was invited as more.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct NewcomerReport {
    /// Its name.
    pub id: String,
    /// What it becomes: `voter` or `witness`.
    pub becomes: String,
    /// Whether it does so by itself when it is up to date; if not, `quorate approve` is needed.
    pub approved: bool,
    /// Its key's fingerprint.
    pub key: String,
}

/// What the health command of a node says.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct HealthReport {
    /// The program.
    pub command: String,
    /// `unknown`, `healthy` or `unhealthy`.
    pub state: String,
    /// For how long.
    pub since_ms: u64,
    /// Runs in a row that spoke against that state.
    pub against: u32,
    /// How many would turn it.
    pub need: u32,
    /// Why the last run was bad; null if it was good.
    pub reason: Option<String>,
}

/// How fresh a node's data is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct FreshnessReport {
    /// More is fresher; null while it is not known, which counts as the least.
    pub value: Option<u64>,
    /// Who says so: the command of node.yaml, or `set-position`.
    pub from: String,
    /// How long ago.
    pub age_ms: u64,
    /// Why it is not known.
    pub reason: Option<String>,
}
