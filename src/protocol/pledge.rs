//! What a node owes to masters, and what it remembers of theirs: promises, releases, how often a
//! voter may disturb one, how long a preferred node must wait.
//! Never speaks and never writes; the voter does.

use core::time::Duration;

use crate::protocol::effects::Alarm;
use crate::protocol::lease::Promise;
use crate::protocol::membership::Failback;
use crate::protocol::mutant::Rule;
use crate::protocol::units::{Moment, NodeId, Term};
use crate::protocol::voter::Voter;

/// A refusing voter may make a leading master step down this often (R17, L4).
pub(crate) const DISRUPTION_INTERVAL: Duration = Duration::from_secs(60);

/// A cooldown doubles after each short term of a preferred node, up to this many times (R41).
const COOLDOWN_DOUBLINGS_MAX: u32 = 4;

impl Voter {
    /// Whether `holder` gave up `term` or a later one (R38).
    pub(crate) fn has_released(&self, holder: &NodeId, term: Term) -> bool {
        self.releases.get(holder).is_some_and(|released| term <= *released)
            && self.keeps(Rule::FinalRelease)
    }

    /// `holder` gave up `term`: a promise to it for that or an earlier term ends (R37).
    pub(crate) fn note_release(&mut self, holder: &NodeId, term: Term) {
        let released = self.releases.entry(holder.clone()).or_insert(term);
        *released = term.max(*released);
        if self.promise.as_ref().is_some_and(|p| p.holder == *holder && p.term <= term) {
            self.promise = None;
        }
    }

    /// Promises `length` to the master of `term`; never shortens what runs (R24, R26).
    pub(crate) fn promise(&mut self, to: &NodeId, term: Term, length: Duration, now: Moment) {
        let until = now.after(length);
        let until = self.promise.as_ref().map_or(until, |old| until.latest(old.until));
        let is_acting = false;
        self.promise = Some(Promise { holder: to.clone(), term, until, renewed: now, is_acting });
    }

    /// Whether `voter`, in later `term`, may make a master step down now; it may once in `pause`,
    /// and is ignored with an alarm for the rest of it (R17, L4).
    pub(crate) fn may_disrupt(
        &mut self,
        voter: &NodeId,
        term: Term,
        pause: Duration,
        now: Moment,
    ) -> bool {
        let last = self.disruptions.get(voter);
        let is_free = last.is_none_or(|last| now.held_since(*last) >= pause);
        if is_free {
            self.disruptions.insert(voter.clone(), now);
        } else {
            self.alarm(Alarm::VoterIgnored { voter: voter.clone(), term }, now);
        }
        is_free
    }

    /// How long `id` must live before it gets the mastership back (R41). Nothing doubled is
    /// nothing: whoever failed waits for a promise at least.
    pub(crate) fn cooldown(&self, id: &NodeId, once: Duration) -> Duration {
        match self.short_terms.get(id) {
            Some(doublings) => once.max(self.dead_after()).saturating_mul(1 << doublings),
            None => once,
        }
    }

    /// `id` lost the mastership it had for `lasted`, or failed to take it: then its cooldown is
    /// longer, and begins anew (R41).
    pub(crate) fn note_term_length(&mut self, id: &NodeId, lasted: Duration, now: Moment) {
        let Failback::After(once) = self.durable().committed.charter.election.failback else {
            return;
        };
        if lasted >= self.cooldown(id, once).max(self.dead_after()) {
            self.short_terms.remove(id);
        } else {
            self.peers.begin_anew(id, now);
            let doublings = self.short_terms.entry(id.clone()).or_insert(0);
            *doublings = COOLDOWN_DOUBLINGS_MAX.min(*doublings + 1);
        }
    }
}
