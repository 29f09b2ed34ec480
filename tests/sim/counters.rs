//! What happened in a set of runs, counted: a green set in which nothing happened proves nothing.
//! Never judges a single run.

use core::cmp::Ordering;
use core::time::Duration;
use std::collections::BTreeMap;
use std::fmt;

use crate::protocol::effects::{Answer, EditOutcome, Event, Rejection, StopReason};
use crate::protocol::membership::VOTERS_MAX;
use crate::protocol::message::{Message, Refusal, Verdict};
use crate::protocol::units::Position;
use crate::sim::faults::Kind;
use crate::sim::history::{Fact, History};

/// Things worth counting. Each must happen in a large set of runs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Count {
    ElectionsWon,
    ElectionsFailed,
    Activations,
    Failovers,
    HandoversBegun,
    HandoversToTarget,
    Failbacks,
    EditsCommitted,
    EditsRejected,
    EditsUnknown,
    VotersCame,
    VotersWent,
    VoterChangesRefused,
    ClustersThatChurned,
    MachinesJoined,
    BackupsRestored,
    DisksLost,
    VotesFromLaterDisks,
    MastersOnLaterDisks,
    MembersTakenOut,
    LeasesRunOut,
    WinnersThatNeverActed,
    RecordsLostInCrash,
    CrashesWhileActing,
    NapsWhileActing,
    DisksFailed,
    VotesRefusedByPromise,
    VotesRefusedByQuietPeriod,
    VotesRefusedByPosition,
    VotesRefusedWhileStopping,
    DocumentsFetched,
    ChildrenEndedByGuard,
    CalmHandovers,
    CalmFailbacks,
    LosersOfMasterRecovered,
    DeafWinnersRecovered,
    RefusersSuffered,
    FollowersReturned,
    SickMastersRelieved,
}

impl Count {
    /// All of them.
    pub(crate) const ALL: [Self; 39] = [
        Self::ElectionsWon,
        Self::ElectionsFailed,
        Self::Activations,
        Self::Failovers,
        Self::HandoversBegun,
        Self::HandoversToTarget,
        Self::Failbacks,
        Self::EditsCommitted,
        Self::EditsRejected,
        Self::EditsUnknown,
        Self::VotersCame,
        Self::VotersWent,
        Self::VoterChangesRefused,
        Self::ClustersThatChurned,
        Self::MachinesJoined,
        Self::BackupsRestored,
        Self::DisksLost,
        Self::VotesFromLaterDisks,
        Self::MastersOnLaterDisks,
        Self::MembersTakenOut,
        Self::LeasesRunOut,
        Self::WinnersThatNeverActed,
        Self::RecordsLostInCrash,
        Self::CrashesWhileActing,
        Self::NapsWhileActing,
        Self::DisksFailed,
        Self::VotesRefusedByPromise,
        Self::VotesRefusedByQuietPeriod,
        Self::VotesRefusedByPosition,
        Self::VotesRefusedWhileStopping,
        Self::DocumentsFetched,
        Self::ChildrenEndedByGuard,
        Self::CalmHandovers,
        Self::CalmFailbacks,
        Self::LosersOfMasterRecovered,
        Self::DeafWinnersRecovered,
        Self::RefusersSuffered,
        Self::FollowersReturned,
        Self::SickMastersRelieved,
    ];
}

/// Counts of one run or of many.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Counters {
    counts: BTreeMap<Count, u64>,
    strikes: BTreeMap<Kind, u64>,
    /// How much true time passed in the clusters.
    pub(crate) lived: Duration,
}

impl Counters {
    /// One more.
    pub(crate) fn add(&mut self, count: Count) {
        *self.counts.entry(count).or_insert(0) += 1;
    }

    /// One more fault of this kind.
    pub(crate) fn strike(&mut self, kind: Kind) {
        *self.strikes.entry(kind).or_insert(0) += 1;
    }

    /// Adds the counts of another run.
    pub(crate) fn merge(&mut self, other: &Self) {
        for (count, number) in &other.counts {
            *self.counts.entry(*count).or_insert(0) += number;
        }
        self.lived += other.lived;
        for (kind, number) in &other.strikes {
            *self.strikes.entry(*kind).or_insert(0) += number;
        }
    }

    /// What never happened.
    pub(crate) fn missing(&self) -> Vec<String> {
        let counts = Count::ALL.iter().filter(|count| !self.counts.contains_key(count));
        let kinds = Kind::ALL.iter().filter(|kind| !self.strikes.contains_key(kind));
        counts.map(|c| format!("{c:?}")).chain(kinds.map(|k| format!("{k:?}"))).collect()
    }

    /// Counts what a fact shows; `history` does not hold it yet.
    pub(crate) fn observe(&mut self, history: &History, fact: &Fact<'_>) {
        match fact {
            Fact::Began { node, .. } => {
                self.add(Count::Activations);
                if history.disks[*node] >= VOTERS_MAX {
                    self.add(Count::MastersOnLaterDisks);
                }
                if history.activations.last().is_some_and(|last| last.node != *node) {
                    self.add(Count::Failovers);
                }
            }
            Fact::Told { event, .. } => self.told(event),
            Fact::Answered { answer, .. } => self.answered(history, answer),
            Fact::Said { node, message, .. } => {
                let disk = history.disks[*node];
                let is_voter = history.voters(history.accepted[*node]) & 1 << disk != 0;
                if is_voter && disk >= VOTERS_MAX && is_vote(message) {
                    self.add(Count::VotesFromLaterDisks);
                }
                self.said(message);
            }
            Fact::Crashed { lost_record: true, .. } => self.add(Count::RecordsLostInCrash),
            Fact::DiskFailed => self.add(Count::DisksFailed),
            _ => {}
        }
    }

    fn told(&mut self, event: &Event) {
        match event {
            Event::Won { .. } => self.add(Count::ElectionsWon),
            Event::ElectionFailed { .. } => self.add(Count::ElectionsFailed),
            Event::Demoted { reason: StopReason::LeaseRanOut, .. } => self.add(Count::LeasesRunOut),
            Event::Demoted { reason: StopReason::NeverActivated, .. } => {
                self.add(Count::WinnersThatNeverActed);
            }
            Event::HandoverBegun { reason, .. } => {
                self.add(Count::HandoversBegun);
                if *reason == StopReason::Failback {
                    self.add(Count::Failbacks);
                }
            }
            _ => {}
        }
    }

    fn answered(&mut self, history: &History, answer: &Answer) {
        match answer {
            Answer::HandedOver { .. } => self.add(Count::HandoversToTarget),
            Answer::Edited(EditOutcome::Committed { position, .. }) => {
                self.add(Count::EditsCommitted);
                let parent = history.documents.get(position).and_then(|known| known.parent);
                let before = parent.map_or(0, |parent| history.voters(parent)).count_ones();
                let members = |at: Position| history.documents.get(&at).map_or(0, |d| d.members);
                if parent.is_some_and(|parent| members(parent) & !members(*position) != 0) {
                    self.add(Count::MembersTakenOut);
                }
                match history.voters(*position).count_ones().cmp(&before) {
                    Ordering::Greater => self.add(Count::VotersCame),
                    Ordering::Less => self.add(Count::VotersWent),
                    Ordering::Equal => {}
                }
            }
            Answer::Edited(EditOutcome::Rejected(Rejection::Members(_))) => {
                self.add(Count::VoterChangesRefused);
            }
            Answer::Edited(EditOutcome::Rejected(_)) => self.add(Count::EditsRejected),
            Answer::Edited(EditOutcome::Unknown) => self.add(Count::EditsUnknown),
            Answer::SteppedDown | Answer::HandoverRefused(_) | Answer::HandoverUnknown => {}
        }
    }

    fn said(&mut self, message: &Message) {
        match message {
            Message::Offer(_) => self.add(Count::DocumentsFetched),
            Message::PreVoteReply(ballot) | Message::VoteReply(ballot) => match ballot.verdict {
                Verdict::Refused(Refusal::Promised { .. }) => {
                    self.add(Count::VotesRefusedByPromise);
                }
                Verdict::Refused(Refusal::QuietPeriod { .. }) => {
                    self.add(Count::VotesRefusedByQuietPeriod);
                }
                Verdict::Refused(Refusal::PositionBehind { .. }) => {
                    self.add(Count::VotesRefusedByPosition);
                }
                Verdict::Refused(Refusal::StillStopping) => {
                    self.add(Count::VotesRefusedWhileStopping);
                }
                _ => {}
            },
            _ => {}
        }
    }
}

fn is_vote(message: &Message) -> bool {
    matches!(message, Message::VoteReply(ballot) if ballot.verdict == Verdict::Granted)
}

impl fmt::Display for Counters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (count, number) in &self.counts {
            writeln!(f, "{number:>10}  {count:?}")?;
        }
        for (kind, number) in &self.strikes {
            writeln!(f, "{number:>10}  fault: {kind:?}")?;
        }
        Ok(())
    }
}
