//! Switches for rules, so that tests can see an oracle notice when a rule is missing.
//! Never does anything outside tests: there every rule always holds, at no cost.

/// A rule that the simulator may switch off. Each must be missed by some oracle.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Rule {
    /// R12: a restarted voter votes at once.
    QuietPeriod,
    /// R25: a lease counts from the arrival of the acknowledgement.
    LeaseFromSend,
    /// R24, R25: voters promise what the heartbeat names; instead, what their own document says.
    LeaseNamedByHeartbeat,
    /// R18: an own-term document is not needed; the old one counts as committed.
    Restamp,
    /// R2: votes and candidacies are said before they are on disk.
    DurableVote,
    /// R34: a node votes while what it ran is still alive.
    VoteWhileStopping,
    /// R38: heartbeats of a released term are honoured, and a release is not final.
    FinalRelease,
    /// R37: a release goes out before what ran is dead.
    StopBeforeRelease,
    /// R16: a winner without a lease goes on heartbeating for ever.
    CheckQuorumForWinner,
    /// R3, R71: a pulled document does not raise the term.
    FetchTerm,
    /// R8: votes are granted in spite of a promise to another node.
    PromiseBinds,
    /// R9: votes are granted to candidates with older documents.
    PositionCheck,
    /// P3: a second vote in one term.
    OneVotePerTerm,
    /// R31: a master whose lease runs out does not stop.
    StopBeforeExpiry,
    /// R19: an edit is taken before a document of the master's own term is committed.
    EditAfterOwnCommit,
    /// R45: two voters come and go in one edit.
    OneVoterAtATime,
    /// R25: a lease once granted is never shortened by a change of voters.
    LeaseOfPresentVoters,
    /// R37: a release that a third node passes on is believed of any term.
    RelayedReleaseOfOwnTime,
    /// R25: a new time to stop is applied to a lease that has no room for it.
    StopFitsLease,
}

impl Rule {
    /// Every rule that has a switch.
    pub const ALL: [Self; 19] = [
        Self::QuietPeriod,
        Self::LeaseFromSend,
        Self::LeaseNamedByHeartbeat,
        Self::Restamp,
        Self::DurableVote,
        Self::VoteWhileStopping,
        Self::FinalRelease,
        Self::StopBeforeRelease,
        Self::CheckQuorumForWinner,
        Self::FetchTerm,
        Self::PromiseBinds,
        Self::PositionCheck,
        Self::OneVotePerTerm,
        Self::StopBeforeExpiry,
        Self::EditAfterOwnCommit,
        Self::OneVoterAtATime,
        Self::LeaseOfPresentVoters,
        Self::RelayedReleaseOfOwnTime,
        Self::StopFitsLease,
    ];
}

/// Which rule is switched off, if any.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mutation {
    #[cfg(test)]
    broken: Option<Rule>,
}

impl Mutation {
    /// Whether `rule` holds; outside tests always.
    #[cfg(not(test))]
    #[expect(clippy::unused_self, reason = "the test build looks at it")]
    pub(crate) fn keeps(&self, _rule: Rule) -> bool {
        true
    }

    /// Whether `rule` holds.
    #[cfg(test)]
    pub(crate) fn keeps(&self, rule: Rule) -> bool {
        self.broken != Some(rule)
    }

    /// Switches `rule` off.
    #[cfg(test)]
    pub(crate) fn breaking(rule: Rule) -> Self {
        Self { broken: Some(rule) }
    }
}
