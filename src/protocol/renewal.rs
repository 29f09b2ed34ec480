//! The master's lease: the heartbeats it sent, the promises that came back, until when they last.
//! Never decides what to do about it; the master does.

use alloc::collections::VecDeque;
use core::time::Duration;

use crate::protocol::activity::Activity;
use crate::protocol::deadline::Agenda;
use crate::protocol::lease::{Lease, Support};
use crate::protocol::membership::{Member, Membership};
use crate::protocol::message::{Heartbeat, HeartbeatAck, Message, Presence};
use crate::protocol::mutant::Rule;
use crate::protocol::units::{Moment, NodeId, Term};
use crate::protocol::voter::Voter;

/// How many sent heartbeats are remembered: more than fit into a promise (a heartbeat is at least
/// a two-hundredth of it), so that forgotten ones are worth no lease any more.
const SENT_MAX: usize = 512;

/// A heartbeat that was sent: when, and for what promise (R23).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Sent {
    sequence: u64,
    at: Moment,
    promise: Duration,
}

/// Asks for promises and counts what they are worth.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Renewal {
    term: Term,
    pub(crate) lease: Lease,
    sent: VecDeque<Sent>,
    sequence: u64,
    next_beat: Moment,
}

impl Renewal {
    pub(crate) fn new(term: Term, now: Moment) -> Self {
        let (lease, sent) = Default::default();
        Self { term, lease, sent, sequence: 0, next_beat: now }
    }

    pub(crate) fn is_due(&self, now: Moment) -> bool {
        now.has_surely_reached(self.next_beat)
    }

    /// Asks everybody for a promise.
    pub(crate) fn beat(&mut self, voter: &mut Voter, now: Moment) {
        self.next_beat = now.after(voter.timing().heartbeat());
        let sequence = self.note_sending(voter, now);
        let presence = voter.presence(now);
        for to in voter.peer_names() {
            self.ask(voter, &to, sequence, presence.clone(), now);
        }
    }

    /// Lets one turn pass without asking anybody.
    pub(crate) fn hold_back(&mut self, voter: &Voter, now: Moment) {
        self.next_beat = now.after(voter.timing().heartbeat());
    }

    /// Asks one more, who could not hear before; what the others are asked stays due as it was.
    pub(crate) fn greet(&mut self, voter: &mut Voter, to: &NodeId, now: Moment) {
        let sequence = self.note_sending(voter, now);
        let presence = voter.presence(now);
        self.ask(voter, to, sequence, presence, now);
    }

    /// The sending time is noted before anything is sent (R23).
    fn note_sending(&mut self, voter: &Voter, now: Moment) -> u64 {
        self.sequence += 1;
        if self.sent.len() == SENT_MAX {
            self.sent.pop_front();
        }
        let promise = voter.timing().dead_after();
        self.sent.push_back(Sent { sequence: self.sequence, at: now, promise });
        self.sequence
    }

    fn ask(&self, voter: &mut Voter, to: &NodeId, sequence: u64, about: Presence, now: Moment) {
        let accepted = &voter.durable().accepted;
        let heartbeat = Heartbeat {
            term: self.term,
            sequence,
            promise: voter.timing().dead_after(),
            position: accepted.position,
            hash: accepted.hash,
            committed: voter.durable().committed.position,
            is_acting: voter.activity.is_acting(),
            presence: Presence { echo: voter.peers.echo_for(to, now), ..about },
        };
        voter.send(to, Message::Heartbeat(heartbeat));
    }

    /// A voter promised: what that is worth counts from the sending of what it answered (R25).
    pub(crate) fn supported(
        &mut self,
        voter: &mut Voter,
        from: &NodeId,
        ack: &HeartbeatAck,
        now: Moment,
    ) {
        let sent = self.sent.iter().find(|sent| sent.sequence == ack.sequence).copied();
        // An observer's promise is as good as a voter's; it counts once a document says so (R42).
        let is_member = voter.belongs(from, ack.presence.storage);
        if let Some(sent) = sent.filter(|_| is_member) {
            let promise = if voter.keeps(Rule::LeaseNamedByHeartbeat) {
                sent.promise
            } else {
                voter.dead_after()
            };
            let base = if voter.keeps(Rule::LeaseFromSend) { sent.at } else { now };
            let length = if voter.keeps(Rule::DriftMargin) {
                voter.timing().lease_length(promise)
            } else {
                promise
            };
            let until = base.after(length);
            let storage = ack.presence.storage;
            let worth = Support { storage, until, sent: sent.at, answered: now };
            self.lease.support(from, worth);
        }
    }

    /// The lease's end (R25); for a single voter its own latest turn counts as the answer.
    pub(crate) fn lease_end(&self, voter: &Voter) -> Option<Moment> {
        let needed = voter.members().majority() - 1;
        if needed == 0 {
            let newest = self.sent.back()?;
            return Some(newest.at.after(voter.timing().lease_length(newest.promise)));
        }
        self.lease.end(Self::supporters(voter), needed)
    }

    /// The end of the lease that the voters of `members` would give now (R25).
    pub(crate) fn lease_end_under(&self, voter: &Voter, members: &Membership) -> Option<Moment> {
        let needed = members.majority() - 1;
        if needed == 0 || !voter.keeps(Rule::LeaseOfPresentVoters) {
            return self.lease_end(voter);
        }
        self.lease.end(Self::sound(voter, members), needed)
    }

    fn supporters(voter: &Voter) -> impl Iterator<Item = &Member> {
        Self::sound(voter, voter.members())
    }

    /// The other voters of `members` whose clocks a lease can lean on (R27).
    fn sound<'a>(voter: &'a Voter, members: &'a Membership) -> impl Iterator<Item = &'a Member> {
        let others = members.voters().filter(|member| member.id != voter.me);
        others.filter(|member| !voter.is_clock_deviant(&member.id))
    }

    /// What is left of the lease, if it is valid (R21: the clock that ran more).
    pub(crate) fn lease_left(&self, voter: &Voter, now: Moment) -> Option<Duration> {
        let end = self.lease_end(voter).filter(|end| !is_over(voter, *end, now))?;
        let boot = end.boot_ns.saturating_sub(now.boot_ns);
        let raw = end.raw_ns.saturating_sub(now.raw_ns);
        Some(Duration::from_nanos(boot.min(raw)))
    }

    /// Until when this master may act: the lease less the stop budget (R31).
    pub(crate) fn acting_until(&self, voter: &Voter) -> Option<Moment> {
        if !voter.keeps(Rule::StopBeforeExpiry) {
            return self.sent.back().map(|sent| sent.at.after(Duration::from_secs(3600)));
        }
        let end = self.lease_end(voter)?;
        let budget = voter.timing().stop_budget();
        Some(if voter.keeps(Rule::StopBudget) { end.before(budget) } else { end })
    }

    /// When the newest heartbeat that a majority answered was sent.
    pub(crate) fn newest_answered(&self, voter: &Voter) -> Option<Moment> {
        let needed = voter.members().majority() - 1;
        if needed == 0 {
            return self.sent.back().map(|sent| sent.at);
        }
        self.lease.newest_sent(Self::supporters(voter), needed)
    }

    /// When what acts is killed if it is told to stop now: after its time, within the lease.
    pub(crate) fn stop_limit(&self, voter: &Voter, now: Moment) -> Moment {
        let timing = voter.timing();
        let patience = now.after(timing.stop());
        let Some(end) = self.lease_end(voter) else { return now };
        let last = end.before(timing.kill() + timing.margin());
        patience.earliest(last)
    }

    pub(crate) fn agenda(&self, voter: &Voter, agenda: &mut Agenda) {
        agenda.waits_until(self.next_beat);
        if let Some(until) = self.acting_until(voter)
            && voter.activity != Activity::Idle
        {
            agenda.ends_at(until);
        }
    }
}

/// Whether power that lasts until `end` is over at `now`: when either clock says so (R21).
pub(crate) fn is_over(voter: &Voter, end: Moment, now: Moment) -> bool {
    if voter.keeps(Rule::LeaseByFasterClock) {
        now.may_have_reached(end)
    } else {
        now.has_surely_reached(end)
    }
}
