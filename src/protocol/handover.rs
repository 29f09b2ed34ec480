//! May mastership move to that node now, and which node would be best?
//! Never stops anything; a refusal costs nothing (R36).

use crate::protocol::lease::Lease;
use crate::protocol::membership::Member;
use crate::protocol::message::HandoverRefusal;
use crate::protocol::preference;
use crate::protocol::publication::Publication;
use crate::protocol::units::{Moment, NodeId};
use crate::protocol::voter::Voter;

/// What a master knows when it wonders whom to hand over to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Prospect<'a> {
    pub(crate) voter: &'a Voter,
    pub(crate) lease: &'a Lease,
    pub(crate) publication: &'a Publication,
    pub(crate) now: Moment,
}

impl Prospect<'_> {
    /// Every precondition of R36 for `target`, each judged by answers younger than two heartbeats.
    pub(crate) fn check(&self, target: &NodeId) -> Result<(), HandoverRefusal> {
        let voter = self.voter;
        if *target == voter.me {
            return Err(HandoverRefusal::AlreadyMaster);
        }
        let members = voter.members();
        if !members.find(target).is_some_and(Member::may_lead) {
            return Err(HandoverRefusal::NotElectable);
        }
        if !self.is_fresh(target) {
            return Err(HandoverRefusal::NotFresh);
        }
        let presence = match voter.peers.get(target) {
            Some(peer) => &peer.presence,
            None => return Err(HandoverRefusal::NotFresh),
        };
        let has_it = presence.position == voter.durable().committed.position
            || self.publication.is_held_by(target);
        if !has_it {
            return Err(HandoverRefusal::Behind);
        }
        if !presence.is_vote_ready {
            return Err(HandoverRefusal::NotReady);
        }
        if !presence.is_electable && presence.is_healthy {
            return Err(HandoverRefusal::HeldOff);
        }
        let hears = |id: &NodeId| presence.hears.contains(id) || id == target;
        if members.voters().filter(|m| hears(&m.id)).count() < members.majority() {
            return Err(HandoverRefusal::SeesNoMajority);
        }
        if self.vote_ready(target) < members.majority() {
            return Err(HandoverRefusal::TooFewVoters);
        }
        // The last question, so that who fails only here is ready but for its health.
        if presence.is_healthy { Ok(()) } else { Err(HandoverRefusal::Unhealthy) }
    }

    /// The most preferred node that could take over now.
    pub(crate) fn best(&self) -> Option<NodeId> {
        self.first(|outcome| outcome.is_ok())
    }

    /// The same, and where no work is in order one that is not healthy: for a master that ends
    /// whatever comes (R69).
    pub(crate) fn last_resort(&self) -> Option<NodeId> {
        let is_sick = |outcome| outcome == Err(HandoverRefusal::Unhealthy);
        self.best().or_else(|| self.first(is_sick))
    }

    fn first(&self, fits: impl Fn(Result<(), HandoverRefusal>) -> bool) -> Option<NodeId> {
        let ordered = preference::order(self.voter, self.voter.other_voters(), self.now);
        ordered.iter().find(|member| fits(self.check(&member.id))).map(|m| m.id.clone())
    }

    /// Voters that could vote for the target, and hear it: this node too, once it has stopped.
    fn vote_ready(&self, target: &NodeId) -> usize {
        let ready = self.voter.other_voters().filter(|member| {
            let presence = self.voter.peers.get(&member.id).map(|peer| &peer.presence);
            let is_ready = presence.is_some_and(|presence| {
                let hears = member.id == *target || presence.hears.contains(target);
                presence.is_vote_ready && hears
            });
            self.is_fresh(&member.id) && is_ready
        });
        ready.count() + usize::from(!self.voter.is_storage_failed())
    }

    fn is_fresh(&self, id: &NodeId) -> bool {
        let limit = self.voter.timing().heartbeat() * 2;
        let answered = self.lease.of(id).map(|support| support.answered);
        answered.is_some_and(|at| self.now.held_since(at) < limit)
    }
}
