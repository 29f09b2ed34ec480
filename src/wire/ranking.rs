//! Who would lead in whose place: a part of the status that people read with `explain who`.
//! Never decides anything.

use serde::Serialize;

/// The order of those who could lead, and the rules it comes from.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct RankingReport {
    /// `lowest-id`, `priority`, `seniority`, `freshest` or `sticky`.
    pub policy: String,
    /// Whether mastership moves without being asked to; not during maintenance, and not with
    /// `auto_failover: false`.
    pub automatic: bool,
    /// Every member, those who could lead first, best first.
    pub nodes: Vec<RankReport>,
}

/// One member's place.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct RankReport {
    /// Its name.
    pub id: String,
    /// Its place, from 1 on; null for who could not lead now.
    pub rank: Option<u32>,
    /// Why it has that place, or none.
    pub reason: String,
    /// Its priority in the document.
    pub priority: u32,
    /// How fresh its data is, as it says.
    pub freshness: Option<u64>,
    /// How long its daemon has run, as far as this node can tell.
    pub age_ms: u64,
}
