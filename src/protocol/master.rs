//! The master of one term: commits its document, gathers its lease, acts, and stops in time.
//! Never votes and never resumes a term it gave up.
//!
//! ```text
//! won ── own-term document on a majority, lease long enough ──► acting ──► stopping ──► released
//!  └──── neither within dead_after: steps down, falls silent (R16)            (R32: never back)
//! ```

use alloc::vec::Vec;
use core::time::Duration;

use crate::protocol::activity::Activity;
use crate::protocol::deadline::Agenda;
use crate::protocol::docket::{Asker, Docket};
use crate::protocol::edit::{EditOutcome, Rejection};
use crate::protocol::effects::{Alarm, Event, StopReason, Timeline};
use crate::protocol::handover::Prospect;
use crate::protocol::membership::{Failback, Membership};
use crate::protocol::message::{AppendAck, HeartbeatAck, Message, Refusal, Release, Verdict};
use crate::protocol::mutant::Rule;
use crate::protocol::pledge::DISRUPTION_INTERVAL;
use crate::protocol::preference;
use crate::protocol::proposal::Office;
use crate::protocol::publication::Publication;
use crate::protocol::renewal::{self, Renewal};
use crate::protocol::turn::{Patience, Turn, Victory};
use crate::protocol::units::{Moment, NodeId, Term};
use crate::protocol::voter::Voter;

/// A decided end of this mastership, waiting for what acts to die (R37).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Farewell {
    pub(crate) reason: StopReason,
    pub(crate) successor: Option<NodeId>,
}

/// The winner of a term.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Master {
    term: Term,
    victory: Victory,
    won_at: Moment,
    has_acted: bool,
    renewal: Renewal,
    publication: Publication,
    /// Nothing new starts before a heartbeat sent after this was acknowledged (R21).
    fresh_after: Moment,
    farewell: Option<Farewell>,
}

impl Master {
    /// Takes the term just won: re-stamps the document and speaks at once (R18).
    pub(crate) fn begin(voter: &mut Voter, victory: Victory, now: Moment) -> Self {
        let term = victory.term;
        voter.master_of = Some((term, voter.me.clone()));
        let mut master = Self {
            term,
            victory,
            won_at: now,
            has_acted: false,
            renewal: Renewal::new(term, now),
            publication: Publication::begin(voter, term),
            fresh_after: now,
            farewell: None,
        };
        master.renewal.beat(voter, now);
        master.publication.push_to_all(voter, now);
        master
    }

    pub(crate) fn term(&self) -> Term {
        self.term
    }

    /// Whether an own-term document is committed and no other waits (R19).
    pub(crate) fn is_settled(&self) -> bool {
        self.publication.is_settled()
    }

    /// What is left of the lease, if it is valid.
    pub(crate) fn lease_left(&self, voter: &Voter, now: Moment) -> Option<Duration> {
        self.renewal.lease_left(voter, now)
    }

    /// How this master stands towards an edit that names `members`.
    pub(crate) fn office(&self, voter: &Voter, members: &Membership) -> Office<'_> {
        Office {
            term: self.term,
            is_settled: self.is_settled(),
            is_ending: self.is_saying_farewell(),
            round_trip: voter.round_trip_under(members),
            lease_end: self.renewal.lease_end_under(voter, members),
            publication: &self.publication,
        }
    }

    /// Says out of turn that this node lives and leads, to who can hear it only now.
    pub(crate) fn greet(&mut self, voter: &mut Voter, to: &NodeId, now: Moment) {
        self.renewal.greet(voter, to, now);
    }

    /// Begins to spread an edited document; `voter` has accepted it already.
    pub(crate) fn spread(&mut self, voter: &mut Voter, asker: Asker, now: Moment) {
        self.publication.replace(voter, asker);
        self.renewal.beat(voter, now);
        self.publication.push_to_all(voter, now);
    }

    /// The edits it was asked for.
    pub(crate) fn docket(&self) -> &Docket {
        &self.publication.docket
    }

    pub(crate) fn reject_edit(&mut self, voter: &mut Voter, asker: Asker, why: Rejection) {
        self.publication.docket.decide(voter, asker, EditOutcome::Rejected(why));
    }

    /// Mastership ends: the edit under way may still commit (R43).
    pub(crate) fn abandon_edit(&mut self, voter: &mut Voter) {
        self.publication.docket.close(voter, EditOutcome::Unknown);
    }

    pub(crate) fn is_saying_farewell(&self) -> bool {
        self.farewell.is_some()
    }

    pub(crate) fn prospect<'a>(&'a self, voter: &'a Voter, now: Moment) -> Prospect<'a> {
        Prospect { voter, lease: &self.renewal.lease, publication: &self.publication, now }
    }

    // ---- time ------------------------------------------------------------------------------

    /// Looks at the clocks: stops what must stop, says what is due, begins what may begin.
    pub(crate) fn advance(&mut self, voter: &mut Voter, now: Moment) -> Turn {
        if let Some(turn) = self.expire(voter, now) {
            return turn;
        }
        if self.farewell.is_none() {
            if voter.is_storage_failed() {
                self.leave(voter, StopReason::StorageFailed, now);
            } else if self.is_done(voter) && voter.activity == Activity::Idle {
                self.leave(voter, StopReason::ActivityEnded, now);
            }
        }
        if self.may_release(voter) {
            return self.release(voter, now);
        }
        // What cannot be killed would keep everybody waiting for a release that never comes: then
        // the promises run out unrenewed, and another node takes over as if this one had crashed.
        let renews = !voter.activity.is_overdue();
        if self.publication.count_commit(voter) && renews {
            self.renewal.beat(voter, now);
        }
        if self.renewal.is_due(now) {
            if renews {
                self.renewal.beat(voter, now);
            } else {
                self.renewal.hold_back(voter, now);
            }
            if self.farewell.is_none() {
                self.consider_fitness(voter, now);
            }
            if self.farewell.is_none() {
                self.consider_failback(voter, now);
            }
        }
        if let Some(until) = self.renewal.acting_until(voter) {
            if voter.activity == Activity::Idle && self.may_act(voter, now) {
                self.act(voter, until, now);
            }
            voter.extend_acting(until);
        }
        if self.may_release(voter) { self.release(voter, now) } else { Turn::Stay }
    }

    /// A lease that runs out, or one that never came (R16, R31).
    pub(crate) fn expire(&mut self, voter: &mut Voter, now: Moment) -> Option<Turn> {
        let is_over = voter.activity != Activity::Idle
            && self
                .renewal
                .acting_until(voter)
                .is_none_or(|until| renewal::is_over(voter, until, now));
        if voter.activity.is_acting() && is_over {
            let timing = voter.timing();
            let end = self.renewal.lease_end(voter).unwrap_or(now);
            let kill = end.before(timing.kill() + timing.margin());
            voter.stop_acting(StopReason::LeaseRanOut, kill, now);
            return Some(Turn::Follow(Patience::from(now)));
        }
        if voter.activity.is_stopping() && is_over {
            // Whoever was to follow goes first, though there was no time for a release.
            let has_heir = self.farewell.as_ref().is_some_and(|it| it.successor.is_some());
            let floor = if has_heir { now.after(voter.dead_after()) } else { now };
            return Some(Turn::Follow(Patience::from(floor)));
        }
        let limit = self.won_at.after(voter.dead_after());
        let is_late = !self.has_acted && now.has_surely_reached(limit);
        if is_late && voter.keeps(Rule::CheckQuorumForWinner) {
            voter.event(Event::Demoted { term: self.term, reason: StopReason::NeverActivated });
            let pause = voter.chance.span_below(voter.dead_after());
            let fails = self.victory.fails.saturating_add(3);
            // Until its own heartbeats' promises are over, it would be elected by them again.
            let floor = now.after(voter.dead_after()).after(pause);
            return Some(Turn::Follow(Patience { floor, fails, is_eager: false }));
        }
        None
    }

    /// R30, all of it; the activation itself is `act`.
    fn may_act(&self, voter: &Voter, now: Moment) -> bool {
        let reserve = voter.timing().activation_reserve();
        let is_long = self.lease_left(voter, now).is_some_and(|left| left >= reserve)
            || !voter.keeps(Rule::ActivationReserve);
        let newest = self.renewal.newest_answered(voter);
        let is_fresh = newest.is_some_and(|sent| sent.has_surely_reached(self.fresh_after));
        let is_established =
            self.publication.is_established() || !voter.keeps(Rule::CommitBeforeActing);
        is_established
            && is_long
            && is_fresh
            && !self.is_done(voter)
            && self.farewell.is_none()
            && !voter.is_leaving
            && !voter.is_storage_failed()
    }

    /// Whether this term had its one activation (R30).
    fn is_done(&self, voter: &Voter) -> bool {
        self.has_acted && voter.keeps(Rule::OneActivation)
    }

    fn act(&mut self, voter: &mut Voter, until: Moment, now: Moment) {
        self.has_acted = true;
        voter.start_acting(self.term, until);
        let Victory { detect, vote, .. } = self.victory;
        let timeline = Timeline { detect, vote, commit: now.held_since(self.won_at) };
        voter.event(Event::Elected { term: self.term, timeline });
        self.renewal.beat(voter, now);
    }

    /// Clocks or scheduling are suspect: nothing new before a fresh round trip (R21).
    pub(crate) fn distrust(&mut self, voter: &mut Voter, now: Moment) {
        self.fresh_after = now;
        self.renewal.beat(voter, now);
    }

    // ---- heartbeats ------------------------------------------------------------------------

    /// A voter promised, or refused (R17, R25).
    pub(crate) fn on_heartbeat_ack(
        &mut self,
        voter: &mut Voter,
        from: &NodeId,
        ack: &HeartbeatAck,
        now: Moment,
    ) -> Turn {
        if ack.term != self.term && voter.keeps(Rule::LeaseOfOwnTerm) {
            return Turn::Stay;
        }
        match &ack.verdict {
            Verdict::Granted => {
                self.renewal.supported(voter, from, ack, now);
                self.publication.push_if_missing(voter, from, ack, now);
            }
            Verdict::Refused(Refusal::StaleTerm { mine }) if *mine > self.term => {
                // A member or a disk that does not count topples nobody (P10).
                if voter.counts(from, ack.presence.storage) {
                    return self.outdated(voter, from, *mine, now);
                }
            }
            Verdict::Refused(_) => {}
        }
        self.advance(voter, now)
    }

    /// A voter has the document on disk.
    pub(crate) fn on_append_ack(
        &mut self,
        voter: &mut Voter,
        from: &NodeId,
        ack: &AppendAck,
        now: Moment,
    ) -> Turn {
        self.publication.count(voter, from, ack);
        self.advance(voter, now)
    }

    /// Whether a voter in later `term` may end this mastership (R17, L4): once a minute if it
    /// leads. A winner that does not lead yet gives way once per promise, or one voter that
    /// refuses for ever would end every term before it begins.
    fn gives_way(&self, voter: &mut Voter, from: &NodeId, term: Term, now: Moment) -> bool {
        let is_leading = self.has_acted && self.lease_left(voter, now).is_some();
        let pause = if is_leading { DISRUPTION_INTERVAL } else { voter.dead_after() };
        voter.may_disrupt(from, term, pause, now) || !voter.keeps(Rule::DisruptionLimit)
    }

    /// A voter stands in a later term (R17): give way now and then, else go on without it.
    fn outdated(&mut self, voter: &mut Voter, from: &NodeId, term: Term, now: Moment) -> Turn {
        if self.term.is_jump_to(term) {
            voter.alarm(Alarm::TermJump { peer: from.clone(), term }, now);
            return Turn::Stay;
        }
        if self.farewell.is_some() || !self.gives_way(voter, from, term, now) {
            return Turn::Stay;
        }
        let patience = Patience { floor: now, fails: self.victory.fails, is_eager: true };
        if voter.activity == Activity::Idle {
            voter.ledger.adopt(term);
        } else {
            voter.pending_term = Some(term);
            let reason = StopReason::HigherTerm { voter: from.clone(), term };
            let kill = self.renewal.stop_limit(voter, now);
            voter.stop_acting(reason, kill, now);
        }
        Turn::Follow(patience)
    }

    // ---- farewell --------------------------------------------------------------------------

    /// Decides to end: towards `successor`, the best one, or nobody (R37). R32: no way back.
    pub(crate) fn hand_over(
        &mut self,
        voter: &mut Voter,
        successor: Option<NodeId>,
        reason: StopReason,
        now: Moment,
    ) {
        voter.event(Event::HandoverBegun { to: successor.clone(), reason: reason.clone() });
        self.farewell = Some(Farewell { reason: reason.clone(), successor });
        let kill = self.renewal.stop_limit(voter, now);
        voter.stop_acting(reason, kill, now);
    }

    /// Ends towards the best successor there is, or towards nobody.
    pub(crate) fn leave(&mut self, voter: &mut Voter, reason: StopReason, now: Moment) {
        let successor = self.prospect(voter, now).last_resort();
        self.hand_over(voter, successor, reason, now);
    }

    fn may_release(&self, voter: &Voter) -> bool {
        let is_dead = voter.activity == Activity::Idle;
        self.farewell.is_some() && (is_dead || !voter.keeps(Rule::StopBeforeRelease))
    }

    /// What acted is dead: the term is given up for ever (R38), the successor may stand.
    fn release(&mut self, voter: &mut Voter, now: Moment) -> Turn {
        let Some(Farewell { successor, .. }) = self.farewell.take() else { return Turn::Stay };
        let release = Release { term: self.term, successor: successor.clone() };
        for to in voter.other_voters().map(|m| m.id.clone()).collect::<Vec<_>>() {
            voter.send(&to, Message::Release(release.clone()));
        }
        if let Some(successor) = &successor {
            voter.send(successor, Message::TimeoutNow(release));
        }
        if !voter.keeps(Rule::FinalRelease) {
            self.has_acted = false;
            return Turn::Stay;
        }
        let me = voter.me.clone();
        voter.note_release(&me, self.term);
        let voters = u32::try_from(voter.members().voters().count()).unwrap_or(u32::MAX);
        let pause = voter.timing().stagger().saturating_mul(voters.saturating_add(1));
        let head_start = voter.timing().heartbeat();
        Turn::Follow(Patience::from(now.after(pause).after(head_start)))
    }

    /// Hands over if this node should leave the field and somebody can take over: because people
    /// say so, or because the work here is not in order and elsewhere it is (R69).
    fn consider_fitness(&mut self, voter: &mut Voter, now: Moment) {
        let may_move = voter.durable().committed.charter.moves_by_itself();
        let reason = if voter.is_on_standby() {
            StopReason::Standby
        } else if !voter.condition.is_healthy && may_move {
            StopReason::Unhealthy
        } else {
            return;
        };
        // Who leads though it is not fit was the last one left, or the others' attempts failed.
        let is_new = now.waited_since(self.won_at) < voter.dead_after() * 2;
        if is_new || !voter.activity.is_acting() || !self.is_settled() {
            return;
        }
        if let Some(successor) = self.prospect(voter, now).best() {
            self.hand_over(voter, Some(successor), reason, now);
        }
    }

    /// Hands over to a better node that has lived long enough (R41), as soon as it can take over.
    fn consider_failback(&mut self, voter: &mut Voter, now: Moment) {
        let charter = &voter.durable().committed.charter;
        let Failback::After(cooldown) = charter.election.failback else { return };
        let is_acting = voter.activity.is_acting();
        if !is_acting || !self.is_settled() || !charter.moves_by_itself() {
            return;
        }
        let candidates = preference::order(voter, voter.other_voters(), now);
        let better = candidates.into_iter().find(|member| {
            let peer = voter.peers.heard(&member.id, now, voter.dead_after());
            let served = peer.is_some_and(|peer| {
                now.waited_since(peer.fit_since) >= voter.cooldown(&member.id, cooldown)
            });
            served
                && preference::displaces_me(voter, &member.id, now)
                && self.prospect(voter, now).check(&member.id).is_ok()
        });
        if let Some(successor) = better.map(|member| member.id.clone()) {
            voter.failback_to = Some(successor.clone());
            self.hand_over(voter, Some(successor), StopReason::Failback, now);
        }
    }

    pub(crate) fn agenda(&self, voter: &Voter, agenda: &mut Agenda) {
        self.renewal.agenda(voter, agenda);
        if !self.has_acted && voter.keeps(Rule::CheckQuorumForWinner) {
            agenda.waits_until(self.won_at.after(voter.dead_after()));
        }
    }
}
