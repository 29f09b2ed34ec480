//! The follower: promises to a master, or waits its turn to stand.
//! Never asks for votes and never leads; it only says when to stand.

use core::time::Duration;

use crate::protocol::activity::Activity;
use crate::protocol::deadline::Agenda;
use crate::protocol::effects::Alarm;
use crate::protocol::membership::Member;
use crate::protocol::message::{Heartbeat, HeartbeatAck, Message, Refusal, Verdict};
use crate::protocol::mutant::Rule;
use crate::protocol::preference;
use crate::protocol::register::Relation;
use crate::protocol::turn::Patience;
use crate::protocol::units::{Moment, NodeId, Term};
use crate::protocol::voter::Voter;

/// No honest timing asks for a longer promise (R28).
const PROMISE_MAX: Duration = Duration::from_secs(300);

/// Waits: for heartbeats, or for its turn.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Follower {
    patience: Patience,
    jitter: Duration,
    /// Since when a majority is heard without a break.
    quorum_since: Option<Moment>,
}

impl Follower {
    pub(crate) fn new(voter: &mut Voter, patience: Patience) -> Self {
        let limit = voter.timing().stagger();
        let jitter = voter.chance.span_below(limit);
        Self { patience, jitter, quorum_since: None }
    }

    pub(crate) fn fails(&self) -> u32 {
        self.patience.fails
    }

    /// A master was heard: the next attempt starts afresh.
    pub(crate) fn followed(&mut self, now: Moment) {
        if self.patience.fails > 0 || self.patience.is_eager {
            self.patience = Patience::from(now);
        }
    }

    /// Leaves the field to whoever just got this node's vote.
    pub(crate) fn yield_until(&mut self, floor: Moment) {
        self.patience.floor = self.patience.floor.latest(floor);
        self.patience.is_eager = false;
    }

    /// Whether it is this node's turn to stand (R13, R67).
    pub(crate) fn wants_to_stand(&mut self, voter: &Voter, now: Moment) -> bool {
        if !voter.leans_on_majority(now) {
            self.quorum_since = None;
            return false;
        }
        self.quorum_since.get_or_insert(now);
        self.may_stand(voter, now)
            && now.has_surely_reached(self.bound(voter, now))
            && now.has_surely_reached(self.turn(voter, now))
    }

    fn may_stand(&self, voter: &Voter, now: Moment) -> bool {
        voter.may_lead()
            && (voter.may_stand_unasked() || voter.is_summoned(now))
            && (voter.activity == Activity::Idle || !voter.keeps(Rule::OwnChildrenBind))
            && !voter.is_storage_failed()
            && !voter.is_leaving
    }

    /// When everything that binds this node is over: its turn never comes before.
    fn bound(&self, voter: &Voter, now: Moment) -> Moment {
        let mut base = self.patience.floor.latest(self.quorum_since.unwrap_or(now));
        let other = voter.promise.as_ref().filter(|promise| promise.holder != voter.me);
        if let Some(promise) = other.filter(|_| voter.keeps(Rule::OwnPromiseBinds)) {
            base = base.latest(promise.until);
        }
        let is_quiet = voter.keeps(Rule::QuietPeriod) && voter.keeps(Rule::OwnPromiseBinds);
        if let Some(until) = voter.quiet_until().filter(|_| is_quiet) {
            base = base.latest(until);
        }
        base
    }

    /// When this node's turn comes, were nothing to change (R67): after everything that binds
    /// it, one stagger per better rival, and a little chance.
    fn turn(&self, voter: &Voter, now: Moment) -> Moment {
        let timing = voter.timing();
        let mut base = self.bound(voter, now);
        if self.patience.is_eager || voter.is_summoned(now) {
            return base;
        }
        let mut rank = voter.rank(now);
        if voter.is_held_back(now) {
            // The last resort (R69): whoever leaves the field to others stands when nobody did,
            // and those that do it together still one after the other.
            let voters = voter.members().voters().count();
            rank = rank.saturating_add(u32::try_from(voters).unwrap_or(u32::MAX));
            base = base.after(timing.dead_after());
        }
        if awaits_better(voter, now) {
            let settling = self.quorum_since.unwrap_or(now).after(settle_time(voter));
            base = base.latest(settling);
        }
        base.after(timing.stagger().saturating_mul(rank)).after(self.jitter)
    }

    pub(crate) fn agenda(&self, voter: &Voter, now: Moment, agenda: &mut Agenda) {
        // A running promise binds, and its end is on the agenda already: the turn is no sooner.
        let is_bound = voter.keeps(Rule::OwnPromiseBinds) && voter.running_promise(now).is_some();
        if self.quorum_since.is_some() && !is_bound && self.may_stand(voter, now) {
            agenda.waits_until(self.turn(voter, now));
        }
    }
}

/// At the very first election a better voter may still be starting, or not be heard by all yet:
/// give it a moment, so that machines powered on together elect the preferred one at once (P8).
fn awaits_better(voter: &Voter, now: Moment) -> bool {
    let is_better = |member: &Member| preference::is_better(voter, &member.id, &voter.me, now);
    !voter.has_known_master && voter.other_voters().any(|m| m.may_lead() && is_better(m))
}

/// How long a first election leaves the field to preferred voters.
fn settle_time(voter: &Voter) -> Duration {
    let timing = voter.timing();
    (timing.heartbeat() * 2).min(timing.dead_after() / 4)
}

/// What became of a heartbeat.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Heard {
    /// Dropped or refused; nothing changed here.
    Nothing,
    /// Its sender is this node's master now, in the heartbeat's term.
    Master,
    /// Its sender leads a later term than the one this node acts in: stop first.
    Superseded,
}

/// Takes a heartbeat: refuses it, or promises and acknowledges (R10, R24).
pub(crate) fn hear(voter: &mut Voter, from: &NodeId, beat: &Heartbeat, now: Moment) -> Heard {
    if voter.is_storage_failed()
        || voter.has_released(from, beat.term)
        || beat.promise > PROMISE_MAX
        || beat.promise.is_zero()
    {
        return Heard::Nothing;
    }
    if let Err(refusal) = judge(voter, from, beat, now) {
        answer(voter, from, beat, Verdict::Refused(refusal), now);
        return Heard::Nothing;
    }
    if voter.activity != Activity::Idle {
        // Mute until what ran here is dead: an acknowledgement would arm the next master (R34).
        return Heard::Superseded;
    }
    follow(voter, from, beat, now);
    answer(voter, from, beat, Verdict::Granted, now);
    Heard::Master
}

/// Whether the sender may be master of that term here.
fn judge(voter: &mut Voter, from: &NodeId, beat: &Heartbeat, now: Moment) -> Result<(), Refusal> {
    let mine = voter.term();
    if beat.term < mine {
        return Err(Refusal::StaleTerm { mine });
    }
    if mine.is_jump_to(beat.term) {
        voter.alarm(Alarm::TermJump { peer: from.clone(), term: beat.term }, now);
        return Err(Refusal::TermJump { mine });
    }
    if !voter.knows_as_electable(from) {
        return Err(Refusal::NotAVoter);
    }
    if let Some(first) = other_master(voter, from, beat.term) {
        voter.alarm(
            Alarm::TwoMastersInTerm { term: beat.term, first: first.clone(), second: from.clone() },
            now,
        );
        return Err(Refusal::SecondMaster { first });
    }
    match voter.compare(from, beat.position, beat.hash, now) {
        Relation::Conflict => Err(Refusal::PositionConflict { at: beat.position }),
        Relation::Newer | Relation::Same | Relation::Older => Ok(()),
    }
}

fn other_master(voter: &Voter, from: &NodeId, term: Term) -> Option<NodeId> {
    let (known, first) =
        voter.master_of.as_ref().filter(|_| voter.keeps(Rule::OneMasterPerTerm))?;
    (*known == term && first != from).then(|| first.clone())
}

/// Term, vote, promise, commit: what a valid heartbeat means here.
fn follow(voter: &mut Voter, from: &NodeId, beat: &Heartbeat, now: Moment) {
    let is_free = beat.term > voter.term() || voter.durable().vote.is_none();
    if is_free && voter.keeps(Rule::HeartbeatTakesVote) {
        voter.ledger.vow(beat.term, Some(from));
    }
    voter.master_of = Some((beat.term, from.clone()));
    let length =
        if voter.keeps(Rule::LeaseNamedByHeartbeat) { beat.promise } else { voter.dead_after() };
    voter.ledger.note_promise_length(length, now);
    voter.promise(from, beat.term, length, now);
    if let Some(promise) = voter.promise.as_mut() {
        promise.is_acting = beat.is_acting;
    }
    let accepted = &voter.durable().accepted;
    if accepted.position == beat.committed {
        voter.commit_accepted();
    }
}

fn answer(voter: &mut Voter, to: &NodeId, beat: &Heartbeat, verdict: Verdict, now: Moment) {
    let (position, hash) = voter.ledger.on_disk();
    let ack = HeartbeatAck {
        term: beat.term,
        sequence: beat.sequence,
        position,
        hash,
        verdict,
        presence: voter.presence_for(to, now),
    };
    voter.send_vowed(to, Message::HeartbeatAck(ack));
}
