//! The candidate: asks for pre-votes, makes its candidacy durable, asks for votes.
//! Never leads and never votes for others; it wins, or it goes back to following.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::time::Duration;

use crate::protocol::deadline::Agenda;
use crate::protocol::effects::{Alarm, Event};
use crate::protocol::message::{Ballot, Message, Refusal, Released, Verdict};
use crate::protocol::mutant::Rule;
use crate::protocol::order;
use crate::protocol::quorum::{Outcome, Tally};
use crate::protocol::turn::{Patience, Turn, Victory};
use crate::protocol::units::{Moment, NodeId, Nonce, Position, Term};
use crate::protocol::voter::Voter;

/// Back-off doubles with each failed attempt, up to this many times (R67).
const BACKOFF_DOUBLINGS_MAX: u32 = 4;

/// Where a candidacy stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Stage {
    /// Pre-votes are asked for.
    Asking,
    /// Term and own vote go to disk; nothing is said or counted yet (R2).
    Recording { sequence: u64 },
    /// Votes are asked for.
    Polling,
}

/// One attempt to win one term.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Candidate {
    stage: Stage,
    term: Term,
    nonce: Nonce,
    /// The position of the document it stands with.
    position: Position,
    tally: Tally,
    /// Who said no, why, and when.
    refusals: BTreeMap<NodeId, (Refusal, Moment)>,
    release: Option<Released>,
    fails: u32,
    began: Moment,
    deadline: Moment,
    detect: Duration,
}

impl Candidate {
    /// Begins an attempt. With a release in hand the pre-vote is skipped (R37).
    /// `None` if this node may not stand just now (R11).
    pub(crate) fn begin(
        voter: &mut Voter,
        release: Option<Released>,
        fails: u32,
        now: Moment,
    ) -> Option<Self> {
        if voter.keeps(Rule::OwnPromiseBinds) {
            let mut poll = voter.poll(now, None);
            poll.is_stopping &= voter.keeps(Rule::OwnChildrenBind);
            poll.may_stand(&voter.me).ok()?;
        }
        let term = voter.term().next()?;
        let lost = voter.promise.as_ref().filter(|promise| promise.holder != voter.me);
        let detect = lost.map_or(Duration::ZERO, |promise| now.held_since(promise.renewed));
        let nonce = voter.nonce();
        let deadline = now.after(voter.timing().round_limit());
        let (tally, refusals) = Default::default();
        let stage = Stage::Asking;
        let mut candidate = Self {
            stage,
            term,
            nonce,
            position: voter.durable().accepted.position,
            tally,
            refusals,
            release,
            fails,
            began: now,
            deadline,
            detect,
        };
        voter.event(Event::Standing { term });
        if candidate.release.is_some() || !voter.keeps(Rule::PreVote) {
            candidate.record(voter, now);
        } else {
            candidate.ask(voter);
        }
        Some(candidate)
    }

    pub(crate) fn fails(&self) -> u32 {
        self.fails
    }

    fn ask(&mut self, voter: &mut Voter) {
        self.tally.grant(voter.me.clone());
        let candidacy = voter.candidacy(self.term, self.nonce, self.release.clone());
        for to in voter.other_voters().map(|m| m.id.clone()).collect::<Vec<_>>() {
            voter.send(&to, Message::PreVote(candidacy.clone()));
        }
    }

    fn record(&mut self, voter: &mut Voter, now: Moment) {
        let me = voter.me.clone();
        // The accepted document's promise is asked for once it is committed, in office.
        let accepted = voter.durable().accepted.charter.timing.dead_after();
        voter.ledger.note_lease_asked(voter.dead_after().max(accepted));
        voter.ledger.vow(self.term, Some(&me));
        self.stage = Stage::Recording { sequence: voter.durable().sequence };
        self.deadline = now.after(voter.timing().dead_after());
    }

    fn poll(&mut self, voter: &mut Voter, now: Moment) {
        self.stage = Stage::Polling;
        self.nonce = voter.nonce();
        self.tally = Tally::default();
        self.refusals.clear();
        self.deadline = now.after(voter.timing().vote_limit());
        self.tally.grant(voter.me.clone());
        let candidacy = voter.candidacy(self.term, self.nonce, self.release.clone());
        for to in voter.other_voters().map(|m| m.id.clone()).collect::<Vec<_>>() {
            voter.send(&to, Message::Vote(candidacy.clone()));
        }
    }

    /// Looks at what is on disk, what was answered, and the time.
    pub(crate) fn advance(&mut self, voter: &mut Voter, now: Moment) -> Turn {
        if voter.is_storage_failed() || voter.is_leaving || !self.may_go_on(voter) {
            return Turn::Follow(Patience::from(now));
        }
        if let Stage::Recording { sequence } = self.stage
            && voter.ledger.is_recorded(sequence)
        {
            self.poll(voter, now);
        }
        let voters = voter.members().voters().count();
        match (self.stage, self.tally.outcome(voters)) {
            (Stage::Asking, Outcome::Won) => {
                self.record(voter, now);
                if voter.ledger.is_recorded(voter.durable().sequence) {
                    return self.advance(voter, now);
                }
                Turn::Stay
            }
            (Stage::Polling, Outcome::Won) => self.won(voter, now),
            (Stage::Asking | Stage::Polling, Outcome::Lost) => self.lost(voter, now),
            (_, Outcome::Pending | Outcome::Lost | Outcome::Won) => {
                if now.has_surely_reached(self.deadline) {
                    self.lost(voter, now)
                } else {
                    Turn::Stay
                }
            }
        }
    }

    /// A candidacy is for one document: its position was named, and its voters are counted, this
    /// node among them (R13, R15). With another one it begins anew.
    fn may_go_on(&self, voter: &Voter) -> bool {
        let is_same = voter.durable().accepted.position == self.position && voter.may_lead();
        is_same || !voter.keeps(Rule::CandidacyOfOneDocument)
    }

    fn won(&self, voter: &mut Voter, now: Moment) -> Turn {
        let term = self.term;
        voter.event(Event::Won { term });
        let vote = now.held_since(self.began);
        Turn::Lead(Victory { term, fails: self.fails, detect: self.detect, vote })
    }

    /// A failed attempt: back off at random, but not before enough promises have run out.
    fn lost(&self, voter: &mut Voter, now: Moment) -> Turn {
        let unanswered = |id: &&NodeId| !self.refusals.contains_key(*id);
        let voters: Vec<NodeId> = voter.other_voters().map(|m| m.id.clone()).collect();
        voter.event(Event::ElectionFailed {
            term: self.term,
            refusals: self
                .refusals
                .iter()
                .map(|(id, (why, _))| (id.clone(), why.clone()))
                .collect(),
            silent: voters.iter().filter(unanswered).cloned().collect(),
        });
        // A promise that runs is no collision: aim at its end. Only collisions back off.
        // But ask again once per P at least: others may have become free meanwhile.
        let soonest = now.after(voter.dead_after());
        let (floor, fails) = match self.promises_end(voter) {
            Some(free) if soonest.has_surely_reached(free) => (free.latest(now), self.fails),
            Some(_) => (soonest, self.fails),
            None => (now.after(self.backoff(voter)), self.fails.saturating_add(1)),
        };
        Turn::Follow(Patience { floor, fails, is_eager: false })
    }

    fn backoff(&self, voter: &mut Voter) -> Duration {
        let doublings = self.fails.min(BACKOFF_DOUBLINGS_MAX);
        let limit = voter.timing().stagger().saturating_mul(1 << doublings);
        voter.chance.span_below(limit)
    }

    /// When so many refusing promises have run out that a majority is free, if promises are what
    /// a majority misses.
    fn promises_end(&self, voter: &Voter) -> Option<Moment> {
        let missing = voter.members().majority().saturating_sub(self.tally.grants());
        let ends = self.refusals.values().filter_map(|(refusal, answered)| match refusal {
            Refusal::Promised { remaining, .. }
            | Refusal::QuietPeriod { remaining }
            | Refusal::LeaseHolder { remaining } => Some(answered.after(*remaining)),
            Refusal::StaleTerm { .. }
            | Refusal::TermJump { .. }
            | Refusal::AlreadyVoted { .. }
            | Refusal::PositionBehind { .. }
            | Refusal::PositionConflict { .. }
            | Refusal::StillStopping
            | Refusal::StorageFailed
            | Refusal::NotAVoter
            | Refusal::SecondMaster { .. }
            | Refusal::Released => None,
        });
        let sorted: Vec<Moment> =
            order::sorted(ends.collect(), |one, other| one.boot_ns.cmp(&other.boot_ns));
        missing.checked_sub(1).and_then(|index| sorted.get(index)).copied()
    }

    /// Takes an answer to the pre-vote.
    pub(crate) fn on_pre_vote_reply(
        &mut self,
        voter: &mut Voter,
        from: &NodeId,
        ballot: &Ballot,
        now: Moment,
    ) -> Turn {
        if self.stage == Stage::Asking { self.count(voter, from, ballot, now) } else { Turn::Stay }
    }

    /// Takes an answer to the vote.
    pub(crate) fn on_vote_reply(
        &mut self,
        voter: &mut Voter,
        from: &NodeId,
        ballot: &Ballot,
        now: Moment,
    ) -> Turn {
        if self.stage == Stage::Polling { self.count(voter, from, ballot, now) } else { Turn::Stay }
    }

    /// Counts an answer to exactly this question from a voter with the right disk (R15).
    fn count(&mut self, voter: &mut Voter, from: &NodeId, ballot: &Ballot, now: Moment) -> Turn {
        let is_answer = ballot.nonce == self.nonce && ballot.candidacy == self.term;
        let is_question_ours = is_answer || !voter.keeps(Rule::AnswerToQuestion);
        if !is_question_ours || !voter.counts(from, ballot.storage) {
            return Turn::Stay;
        }
        match &ballot.verdict {
            Verdict::Granted => self.tally.grant(from.clone()),
            Verdict::Refused(refusal) => {
                self.tally.refuse(from.clone());
                self.refusals.insert(from.clone(), (refusal.clone(), now));
                voter.fetch_if_behind(from, ballot.position, now);
                if ballot.term > voter.term() {
                    return self.outdated(voter, from, ballot.term, now);
                }
            }
        }
        self.advance(voter, now)
    }

    /// A voter is in a later term: join it, then try again after the normal delay (R7).
    fn outdated(&self, voter: &mut Voter, from: &NodeId, term: Term, now: Moment) -> Turn {
        if voter.term().is_jump_to(term) {
            voter.alarm(Alarm::TermJump { peer: from.clone(), term }, now);
            return Turn::Stay;
        }
        voter.ledger.adopt(term);
        let pause = voter.chance.span_below(voter.timing().round_limit());
        let floor = now.after(pause);
        Turn::Follow(Patience { floor, fails: self.fails.saturating_add(1), is_eager: false })
    }

    pub(crate) fn agenda(&self, agenda: &mut Agenda) {
        agenda.waits_until(self.deadline);
    }
}
