//! Who may act until when: the voter's promise and the master's lease that leans on promises.
//! Never reads a clock and never looks at documents.
//!
//! A voter that answers a heartbeat promises its sender, for P on the voter's slower clock, to
//! vote for nobody else. The sender counts Lm(P) on its faster clock *from before the heartbeat
//! left*. Clocks within the drift bound make the second end before the first (R22), so whoever
//! holds a majority's promises is alone.

use alloc::collections::BTreeMap;
use core::time::Duration;

use crate::protocol::membership::Member;
use crate::protocol::quorum;
use crate::protocol::units::{Moment, NodeId, StorageId, Term};

/// What a voter promised: no vote for anybody else until both its clocks reach `until`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Promise {
    /// To whom. It outlives the holder's term bumps and step-downs (R26).
    pub holder: NodeId,
    /// The holder's term when it last renewed the promise.
    pub term: Term,
    /// Until when.
    pub until: Moment,
    /// When it was last renewed.
    pub renewed: Moment,
    /// Whether the holder said that it acts as master.
    pub is_acting: bool,
}

impl Promise {
    /// What is left of it at `now`, if anything (R21: the clock that ran less).
    #[must_use]
    pub fn remaining(&self, now: Moment) -> Option<Duration> {
        let boot = self.until.boot_ns.saturating_sub(now.boot_ns);
        let raw = self.until.raw_ns.saturating_sub(now.raw_ns);
        (!now.has_surely_reached(self.until)).then(|| Duration::from_nanos(boot.max(raw)))
    }
}

/// What one voter's acknowledgements are worth to the master.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Support {
    /// The disk that remembers them.
    pub(crate) storage: StorageId,
    /// The lease that its promises carry (R25): never earlier than before.
    pub(crate) until: Moment,
    /// When the newest heartbeat it acknowledged was sent.
    pub(crate) sent: Moment,
    /// When its newest acknowledgement came.
    pub(crate) answered: Moment,
}

/// The acknowledgements a master leans on, by voter.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct Lease(BTreeMap<NodeId, Support>);

impl Lease {
    /// Counts what one acknowledgement is worth; a promise never shrinks.
    pub(crate) fn support(&mut self, voter: &NodeId, worth: Support) {
        let support = self.0.entry(voter.clone()).or_insert(worth);
        if support.storage != worth.storage {
            *support = worth;
        }
        support.until = support.until.latest(worth.until);
        support.sent = support.sent.latest(worth.sent);
        support.answered = worth.answered;
    }

    pub(crate) fn of(&self, voter: &NodeId) -> Option<&Support> {
        self.0.get(voter)
    }

    /// The lease's end by the promises of `others`, where `needed` of them are needed beside the
    /// master itself (R25). Both clocks are judged separately: the lease is over when either is.
    pub(crate) fn end<'a>(
        &self,
        others: impl Iterator<Item = &'a Member>,
        needed: usize,
    ) -> Option<Moment> {
        self.quorum_of(others, needed, |support| support.until)
    }

    /// The sending time of the newest heartbeat that a majority acknowledged.
    pub(crate) fn newest_sent<'a>(
        &self,
        others: impl Iterator<Item = &'a Member>,
        needed: usize,
    ) -> Option<Moment> {
        self.quorum_of(others, needed, |support| support.sent)
    }

    fn quorum_of<'a>(
        &self,
        others: impl Iterator<Item = &'a Member>,
        needed: usize,
        what: impl Fn(&Support) -> Moment,
    ) -> Option<Moment> {
        // A promise is a disk's: one given before the disk was lost is worth nothing (R52).
        let given = |member: &Member| {
            self.0.get(&member.id).filter(|support| support.storage == member.storage)
        };
        let values = others.filter_map(given).map(what);
        let [boot, raw] = {
            let collected: alloc::vec::Vec<Moment> = values.collect();
            [
                quorum::nth_largest(collected.iter().map(|m| m.boot_ns), needed),
                quorum::nth_largest(collected.iter().map(|m| m.raw_ns), needed),
            ]
        };
        Some(Moment { boot_ns: boot?, raw_ns: raw? })
    }
}
