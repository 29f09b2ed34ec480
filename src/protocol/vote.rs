//! May this candidate have my (pre-)vote? Granted, or refused with the reason a person reads.
//! Never changes anything, never looks at rank (R68): preference only decides who asks first.

use core::time::Duration;

use crate::protocol::durable::Durable;
use crate::protocol::lease::Promise;
use crate::protocol::membership::Member;
use crate::protocol::message::{Candidacy, Refusal};
use crate::protocol::mutant::{Mutation, Rule};
use crate::protocol::units::{Moment, NodeId};

/// Everything the decision depends on, as it stands now.
#[derive(Clone, Debug)]
pub(crate) struct Poll<'a> {
    pub(crate) now: Moment,
    pub(crate) durable: &'a Durable,
    pub(crate) promise: Option<&'a Promise>,
    pub(crate) quiet_left: Option<Duration>,
    pub(crate) lease_left: Option<Duration>,
    pub(crate) is_stopping: bool,
    pub(crate) is_storage_failed: bool,
    pub(crate) mutation: &'a Mutation,
}

impl Poll<'_> {
    /// R8. Granting changes nothing and resets no timer (R7).
    pub(crate) fn pre_vote(&self, from: &NodeId, asked: &Candidacy) -> Result<(), Refusal> {
        let mine = self.durable.term;
        if asked.term <= mine {
            return Err(Refusal::StaleTerm { mine });
        }
        self.common(from, asked)?;
        self.position(asked)
    }

    /// R9. The caller makes the grant durable before it is sent.
    pub(crate) fn vote(&self, from: &NodeId, asked: &Candidacy) -> Result<(), Refusal> {
        let mine = self.durable.term;
        if asked.term < mine {
            return Err(Refusal::StaleTerm { mine });
        }
        self.common(from, asked)?;
        let taken = self.durable.vote.as_ref().filter(|by| asked.term == mine && *by != from);
        if let Some(by) = taken.filter(|_| self.mutation.keeps(Rule::OneVotePerTerm)) {
            return Err(Refusal::AlreadyVoted { by: by.clone() });
        }
        self.position(asked)
    }

    /// R11: may this node itself stand?
    pub(crate) fn may_stand(&self, me: &NodeId) -> Result<(), Refusal> {
        self.not_bound(me)
    }

    fn common(&self, from: &NodeId, asked: &Candidacy) -> Result<(), Refusal> {
        let mine = self.durable.term;
        if mine.is_jump_to(asked.term) {
            return Err(Refusal::TermJump { mine });
        }
        let is_forced = asked.release.is_some() && !self.mutation.keeps(Rule::HandoverBound);
        match self.not_bound(from) {
            Err(Refusal::Promised { .. }) if is_forced => {}
            verdict => verdict?,
        }
        let members = &self.durable.accepted.charter.members;
        let is_known_disk = |member: &&Member| {
            member.storage == asked.storage || !self.mutation.keeps(Rule::StorageCounts)
        };
        let may_lead =
            |member: &Member| member.may_lead() || !self.mutation.keeps(Rule::LeadersMayLead);
        let knows = members.find(from).filter(is_known_disk).is_some_and(may_lead);
        if knows { Ok(()) } else { Err(Refusal::NotAVoter) }
    }

    /// What binds this node towards everybody but `candidate`, whatever the candidate has.
    fn not_bound(&self, candidate: &NodeId) -> Result<(), Refusal> {
        if self.is_storage_failed {
            return Err(Refusal::StorageFailed);
        }
        if let Some(remaining) = self.quiet_left.filter(|_| self.mutation.keeps(Rule::QuietPeriod))
        {
            return Err(Refusal::QuietPeriod { remaining });
        }
        if let Some(remaining) = self.lease_left {
            return Err(Refusal::LeaseHolder { remaining });
        }
        if self.is_stopping && self.mutation.keeps(Rule::VoteWhileStopping) {
            return Err(Refusal::StillStopping);
        }
        let is_over = |promise: &Promise| {
            self.now.may_have_reached(promise.until)
                && !self.mutation.keeps(Rule::PromiseBySlowerClock)
        };
        let other = self.promise.filter(|p| p.holder != *candidate && !is_over(p));
        match other.and_then(|p| p.remaining(self.now).map(|left| (p.holder.clone(), left))) {
            Some((to, remaining)) if self.mutation.keeps(Rule::PromiseBinds) => {
                Err(Refusal::Promised { to, remaining })
            }
            Some(_) | None => Ok(()),
        }
    }

    fn position(&self, asked: &Candidacy) -> Result<(), Refusal> {
        let mine = self.durable.accepted.position;
        if asked.position < mine && self.mutation.keeps(Rule::PositionCheck) {
            return Err(Refusal::PositionBehind { mine });
        }
        Ok(())
    }
}
