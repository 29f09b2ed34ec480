//! Who may act until when: the voter's promise and the master's lease that leans on promises.
//! Never reads a clock and never looks at documents.
//!
//! A voter that answers a heartbeat promises its sender, for P on the voter's slower clock, to
//! vote for nobody else. The sender counts Lm(P) on its faster clock *from before the heartbeat
//! left*. Clocks within the drift bound make the second end before the first (R22), so whoever
//! holds a majority's promises is alone.

use core::time::Duration;

use crate::protocol::membership::{Member, VOTERS_MAX};
use crate::protocol::quorum;
use crate::protocol::roll::Roll;
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
pub(crate) struct Lease(Roll<Support>);

impl Lease {
    /// Counts what one acknowledgement is worth; a promise never shrinks.
    pub(crate) fn support(&mut self, voter: &NodeId, worth: Support) {
        let support = self.0.get_or_insert_with(voter, || worth);
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

    /// The lease's end by the promises of `others`, who are voters of one document, where `needed`
    /// of them are needed beside the master itself (R25). Both clocks are judged separately: the
    /// lease is over when either is.
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
        let mut values = [Moment::default(); VOTERS_MAX];
        let mut count = 0;
        for (value, support) in values.iter_mut().zip(others.filter_map(given)) {
            *value = what(support);
            count += 1;
        }
        let values = &values[..count];
        let boot_ns = quorum::nth_largest(values, needed, |moment| moment.boot_ns)?;
        let raw_ns = quorum::nth_largest(values, needed, |moment| moment.raw_ns)?;
        Some(Moment { boot_ns, raw_ns })
    }
}
