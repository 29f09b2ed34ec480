//! Switches for rules, so that tests can see an oracle notice when a rule is missing.
//! Never does anything outside tests: there every rule always holds, at no cost.

/// Names the rules once, for the enum and for the list of all.
macro_rules! rules {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// A rule that the simulator may switch off. Each must be missed by some oracle; what is
        /// said of each is what goes wrong without it.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Rule {
            $($(#[$doc])* $name,)*
        }

        impl Rule {
            /// Every rule that has a switch.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];
        }
    };
}

rules! {
    /// R2: votes and candidacies are said before they are on disk.
    DurableVote,
    /// R2: a document is acknowledged before it is on disk.
    DurableAck,
    /// R2: the master counts its own copy of a document before it is on disk.
    DurableCommit,
    /// R2: a longer promise than ever before is given before M is on disk.
    DurablePromise,
    /// R3, R71: a pulled document does not raise the term.
    FetchTerm,
    /// R3, R71: an older document replaces a newer one.
    NewerDocument,
    /// R4: a node whose disk failed goes on as if it had not.
    FailedDisk,
    /// R8: there is no pre-vote; whoever stands takes a new term at once.
    PreVote,
    /// R8: votes are granted in spite of a promise to another node.
    PromiseBinds,
    /// R9: votes are granted to candidates with older documents.
    PositionCheck,
    /// P3: a second vote in one term.
    OneVotePerTerm,
    /// R9: a vote refused for a promise, a quiet period or a lease still moves the term.
    RefusedTerm,
    /// R10: the first heartbeat of a master takes neither its term nor the vote in it.
    HeartbeatTakesVote,
    /// R10: a second master of one term is followed like the first.
    OneMasterPerTerm,
    /// R11: a node stands in spite of its own promise or quiet period.
    OwnPromiseBinds,
    /// R11, R13: a node stands while what it ran is still alive.
    OwnChildrenBind,
    /// R12: a restarted voter votes at once.
    QuietPeriod,
    /// R12: the quiet period is as long as the present promise, not as the longest ever given.
    HighWater,
    /// R12: M follows the present promise down at once, while longer promises still run.
    HighWaterStays,
    /// R12, R13: M covers what this node promised and not what others promised it: a restarted
    /// master votes and stands while what its last process let run may still live.
    HighWaterOfLeases,
    /// R13, R68: whoever votes stands, a witness and a node with incomplete data too.
    LeadersMayLead,
    /// R14, R70: a node that knows of a newer document does not ask for it.
    FetchWhenBehind,
    /// R13, R15: a candidate goes on although its document, and with it the voters, changed.
    CandidacyOfOneDocument,
    /// R15: answers to earlier questions count as votes.
    AnswerToQuestion,
    /// R16: a winner without a lease goes on heartbeating for ever.
    CheckQuorumForWinner,
    /// R17: a lease holder gives way to every later term it is told of.
    DisruptionLimit,
    /// R18: an own-term document is not needed; the old one counts as committed.
    Restamp,
    /// R18: an acknowledgement of any document counts for the present one.
    ExactCopy,
    /// R21: a lease, and what runs under it, lasts until the slower clock says that it is over.
    LeaseByFasterClock,
    /// R21: a promise lasts until the faster clock says that it is over.
    PromiseBySlowerClock,
    /// R22: a lease is as long as the promise, as if all clocks ran alike.
    DriftMargin,
    /// R24, R25: voters promise what the heartbeat names; instead, what their own document says.
    LeaseNamedByHeartbeat,
    /// R25: a lease counts from the arrival of the acknowledgement.
    LeaseFromSend,
    /// R25: acknowledgements given in an earlier term of the same master count.
    LeaseOfOwnTerm,
    /// R26: a promise ends with the term it was given in.
    PromiseOutlivesTerm,
    /// R27: a voter whose clock runs off is leant on like any other.
    ClockRateWatch,
    /// R30: a node begins to act a second time in one term.
    OneActivation,
    /// R30: a node begins to act although its lease is nearly over.
    ActivationReserve,
    /// R30, R19: a node acts before a document of its own term is committed.
    CommitBeforeActing,
    /// R31: a master whose lease runs out does not stop.
    StopBeforeExpiry,
    /// R19: an edit is taken before a document of the master's own term is committed.
    EditAfterOwnCommit,
    /// R43: an edit whose message comes twice is judged twice.
    EditOnce,
    /// R25: a lease once granted is never shortened by a change of voters.
    LeaseOfPresentVoters,
    /// R31: stopping begins at the lease's end, not early enough to be over by then.
    StopBudget,
    /// R34: a node votes while what it ran is still alive.
    VoteWhileStopping,
    /// R37: a release goes out before what ran is dead.
    StopBeforeRelease,
    /// R37: a handover's candidate gets votes in spite of promises to others.
    HandoverBound,
    /// R38: heartbeats of a released term are honoured, and a release is not final.
    FinalRelease,
    /// R39: a `TimeoutNow` is good in any term.
    TimeoutNowTerm,
    /// R45: two voters come and go in one edit.
    OneVoterAtATime,
    /// R52: a vote or an acknowledgement counts from whatever disk it comes.
    StorageCounts,
}

/// Which rule is switched off, if any.
#[derive(Clone, Hash, Debug, Default)]
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
