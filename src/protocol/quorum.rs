//! Majority arithmetic: how many must agree, and whether they do yet.
//! Never knows what they agree on.

use alloc::collections::BTreeSet;

use crate::protocol::units::NodeId;

/// ⌊voters/2⌋+1. Any two majorities of the same voters share a voter: that is all of safety.
#[must_use]
pub fn majority(voters: usize) -> usize {
    voters / 2 + 1
}

/// The `rank`-th largest `key` in `values`, counted from 1, if there are that many: the largest
/// that so many reach.
pub fn nth_largest<T, K: Ord>(values: &[T], rank: usize, key: impl Fn(&T) -> K) -> Option<K> {
    let reaching = |least: &K| values.iter().filter(|value| key(value) >= *least).count();
    let is_counted = rank > 0;
    values.iter().map(&key).filter(|key| is_counted && reaching(key) >= rank).max()
}

/// Where a count stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// Answers are missing.
    Pending,
    /// A majority said yes.
    Won,
    /// So many said no that a majority cannot say yes any more.
    Lost,
}

/// Who said yes and who said no to one question; the first answer of each counts.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Tally {
    yes: BTreeSet<NodeId>,
    no: BTreeSet<NodeId>,
}

impl Tally {
    /// Counts a yes, unless `voter` already answered.
    pub fn grant(&mut self, voter: NodeId) {
        if !self.no.contains(&voter) {
            self.yes.insert(voter);
        }
    }

    /// Counts a no, unless `voter` already answered.
    pub fn refuse(&mut self, voter: NodeId) {
        if !self.yes.contains(&voter) {
            self.no.insert(voter);
        }
    }

    /// How many said yes.
    #[must_use]
    pub fn grants(&self) -> usize {
        self.yes.len()
    }

    /// The state of the count among `voters` voters.
    #[must_use]
    pub fn outcome(&self, voters: usize) -> Outcome {
        if self.yes.len() >= majority(voters) {
            Outcome::Won
        } else if voters.saturating_sub(self.no.len()) < majority(voters) {
            Outcome::Lost
        } else {
            Outcome::Pending
        }
    }
}
