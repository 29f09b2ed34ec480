//! What each message does to a node: to its ledger, its promise, its role.
//! Never advances a role by itself; after every message the hub looks at all that is due.

use core::time::Duration;

use crate::protocol::activity::Activity;
use crate::protocol::durable::Document;
use crate::protocol::effects::{Alarm, StopReason};
use crate::protocol::follower::{self, Heard};
use crate::protocol::message::{
    Append, AppendAck, Ballot, Candidacy, Heartbeat, Message, Offer, Presence, Refusal, Release,
    Released, Verdict,
};
use crate::protocol::mutant::Rule;
use crate::protocol::node::{Node, Role};
use crate::protocol::register::Relation;
use crate::protocol::turn::{Patience, Turn};
use crate::protocol::units::{Moment, NodeId};

impl Node {
    pub(crate) fn receive(&mut self, now: Moment, from: &NodeId, message: Message) {
        if *from == self.voter.me || !self.voter.knows(from) {
            return;
        }
        let dead_after = self.voter.dead_after();
        self.voter.peers.touch(from, now, dead_after);
        match message {
            Message::Beat(presence) => self.hear(now, from, presence),
            Message::Heartbeat(beat) => {
                self.hear(now, from, beat.presence.clone());
                self.on_heartbeat(now, from, &beat);
            }
            Message::HeartbeatAck(ack) => {
                self.hear(now, from, ack.presence.clone());
                if let Role::Master(master) = &mut self.role {
                    let turn = master.on_heartbeat_ack(&mut self.voter, from, &ack, now);
                    self.become_what(turn, now);
                }
            }
            Message::PreVote(asked) => self.on_pre_vote(now, from, &asked),
            Message::Vote(asked) => self.on_vote(now, from, &asked),
            Message::PreVoteReply(ballot) => {
                if let Role::Candidate(candidate) = &mut self.role {
                    let turn = candidate.on_pre_vote_reply(&mut self.voter, from, &ballot, now);
                    self.become_what(turn, now);
                }
            }
            Message::VoteReply(ballot) => {
                if let Role::Candidate(candidate) = &mut self.role {
                    let turn = candidate.on_vote_reply(&mut self.voter, from, &ballot, now);
                    self.become_what(turn, now);
                }
            }
            Message::Append(append) => self.on_append(now, from, append),
            Message::AppendAck(ack) => {
                if let Role::Master(master) = &mut self.role {
                    let turn = master.on_append_ack(&mut self.voter, from, &ack, now);
                    self.become_what(turn, now);
                }
            }
            Message::Fetch(fetch) => {
                let document = self.voter.durable().accepted.clone();
                if document.position > fetch.have && !self.voter.is_storage_failed() {
                    self.voter.send_recorded(from, Message::Offer(Offer { document }));
                }
            }
            Message::Offer(offer) => self.on_offer(now, from, offer.document),
            Message::Release(release) => self.on_release(now, from, &release),
            Message::TimeoutNow(release) => self.on_timeout_now(now, from, &release),
            Message::Handover(handover) => self.on_handover(now, from, &handover),
            Message::HandoverReply(reply) => self.on_handover_reply(&reply),
            Message::Edit(edit) => self.on_edit(now, from, &edit),
            Message::EditReply(reply) => self.on_edit_reply(reply),
        }
    }

    // ---- what is heard -----------------------------------------------------------------------

    fn hear(&mut self, now: Moment, from: &NodeId, presence: Presence) {
        let timing = self.voter.timing();
        let theirs = presence.position;
        if self.voter.peers.hear(from, &self.voter.me, presence, now, &timing) {
            self.voter.alarm(Alarm::ClockRate { voter: from.clone() }, now);
        }
        if !self.is_master() {
            self.voter.fetch_if_behind(from, theirs, now);
        }
    }

    fn on_heartbeat(&mut self, now: Moment, from: &NodeId, beat: &Heartbeat) {
        match follower::hear(&mut self.voter, from, beat, now) {
            Heard::Nothing => {}
            Heard::Superseded => {
                self.voter.pending_term = Some(beat.term);
                self.voter.stop_acting(StopReason::Superseded { by: from.clone() }, now, now);
                if matches!(self.role, Role::Master(_)) {
                    self.become_what(Turn::Follow(Patience::from(now)), now);
                }
            }
            Heard::Master => match &mut self.role {
                Role::Follower(follower) => follower.followed(now),
                Role::Candidate(_) | Role::Master(_) => {
                    self.become_what(Turn::Follow(Patience::from(now)), now);
                }
            },
        }
    }

    fn on_pre_vote(&mut self, now: Moment, from: &NodeId, asked: &Candidacy) {
        let verdict = self.voter.poll(now, self.lease_left(now)).pre_vote(from, asked);
        let ballot = self.ballot(asked, verdict);
        self.reply(from, Message::PreVoteReply(ballot));
        self.fetch_for(now, from, asked);
    }

    fn on_vote(&mut self, now: Moment, from: &NodeId, asked: &Candidacy) {
        self.note_relayed_release(asked);
        let verdict = self.voter.poll(now, self.lease_left(now)).vote(from, asked);
        match &verdict {
            Ok(()) => {
                self.voter.ledger.vow(asked.term, Some(from));
                let floor = now.after(self.voter.timing().vote_limit());
                self.step_aside(floor, now);
            }
            Err(Refusal::PositionBehind { .. }) if asked.term > self.voter.term() => {
                self.voter.ledger.adopt(asked.term);
                self.step_aside(now, now);
            }
            Err(_) if !self.voter.keeps(Rule::RefusedTerm) && !self.is_master() => {
                self.voter.ledger.adopt(asked.term);
            }
            Err(_) => {}
        }
        let ballot = self.ballot(asked, verdict);
        self.reply(from, Message::VoteReply(ballot));
        self.fetch_for(now, from, asked);
    }

    /// Answers once what it speaks of is on disk; a failed disk says at once that it failed.
    fn reply(&mut self, to: &NodeId, message: Message) {
        if self.voter.is_storage_failed() {
            self.voter.send(to, message);
        } else {
            self.voter.send_vowed(to, message);
        }
    }

    /// A later term was joined: stand again after the normal delay, not before `floor`.
    fn step_aside(&mut self, floor: Moment, now: Moment) {
        match &mut self.role {
            Role::Follower(follower) => follower.yield_until(floor),
            Role::Candidate(_) | Role::Master(_) => {
                self.become_what(Turn::Follow(Patience::from(floor)), now);
            }
        }
    }

    /// A successor passes on the release it stands on. It can only be about a term before its own
    /// that this node took part in.
    fn note_relayed_release(&mut self, asked: &Candidacy) {
        let Some(Released { holder, term }) = &asked.release else { return };
        if self.voter.knows(holder) && *term < asked.term && *term <= self.voter.term() {
            self.voter.note_release(holder, *term);
        }
    }

    fn is_master(&self) -> bool {
        matches!(self.role, Role::Master(_))
    }

    fn fetch_for(&mut self, now: Moment, from: &NodeId, asked: &Candidacy) {
        if !self.is_master() {
            self.voter.fetch_if_behind(from, asked.position, now);
        }
    }

    fn ballot(&self, asked: &Candidacy, verdict: Result<(), Refusal>) -> Ballot {
        let durable = self.voter.durable();
        Ballot {
            candidacy: asked.term,
            nonce: asked.nonce,
            term: durable.term,
            position: durable.accepted.position,
            storage: durable.identity.storage,
            verdict: verdict.map_or_else(Verdict::Refused, |()| Verdict::Granted),
        }
    }

    // ---- documents ---------------------------------------------------------------------------

    /// The master's document: taken and, once on disk, acknowledged (R71, R2).
    fn on_append(&mut self, now: Moment, from: &NodeId, append: Append) {
        let Append { term, document } = append;
        let is_master = self.voter.master_of.as_ref() == Some(&(term, from.clone()));
        let fits = term == self.voter.term()
            && document.position.term <= term
            && document.charter.cluster == self.voter.durable().identity.cluster;
        if !is_master || !fits || self.voter.is_storage_failed() {
            return;
        }
        let Document { position, hash, .. } = document;
        match self.voter.compare(from, position, hash, now) {
            Relation::Newer => self.voter.ledger.accept(document),
            Relation::Same => {}
            Relation::Older if !self.voter.keeps(Rule::NewerDocument) => {
                self.voter.ledger.accept(document);
            }
            Relation::Older | Relation::Conflict => return,
        }
        let storage = self.voter.durable().identity.storage;
        let ack = Message::AppendAck(AppendAck { term, position, hash, storage });
        if self.voter.keeps(Rule::DurableAck) {
            self.voter.send_recorded(from, ack);
        } else {
            self.voter.send(from, ack);
        }
    }

    /// A pulled document: taken if newer, its term with it, never acknowledged (R71).
    fn on_offer(&mut self, now: Moment, from: &NodeId, document: Document) {
        let Document { position, hash, .. } = document;
        if self.voter.term().is_jump_to(position.term) {
            self.voter.alarm(Alarm::TermJump { peer: from.clone(), term: position.term }, now);
            return;
        }
        let fits = document.charter.cluster == self.voter.durable().identity.cluster
            && self.voter.activity == Activity::Idle
            && !self.voter.is_storage_failed()
            && !self.is_master();
        if fits && self.voter.compare(from, position, hash, now) == Relation::Newer {
            self.voter.ledger.accept(document);
            if matches!(self.role, Role::Candidate(_)) {
                self.become_what(Turn::Follow(Patience::from(now)), now);
            }
        }
    }

    // ---- releases ----------------------------------------------------------------------------

    fn on_release(&mut self, now: Moment, from: &NodeId, release: &Release) {
        self.voter.note_release(from, release.term);
        if let Role::Follower(follower) = &mut self.role {
            let head_start = match &release.successor {
                Some(_) => self.voter.timing().heartbeat(),
                None => Duration::ZERO,
            };
            follower.yield_until(now.after(head_start));
        }
    }

    /// The old master asks this node to lead next (R37, R39).
    fn on_timeout_now(&mut self, now: Moment, from: &NodeId, release: &Release) {
        let term = release.term;
        self.voter.note_release(from, term);
        let is_present = term == self.voter.term()
            && self.voter.master_of.as_ref() == Some(&(term, from.clone()));
        let is_valid = (is_present || !self.voter.keeps(Rule::TimeoutNowTerm))
            && release.successor.as_ref() == Some(&self.voter.me)
            && self.timeout_now_of != Some(term);
        let is_free = matches!(self.role, Role::Follower(_))
            && self.voter.activity == Activity::Idle
            && self.voter.is_able()
            && !self.voter.is_held_off(now);
        if !is_valid || !is_free {
            return;
        }
        self.timeout_now_of = Some(term);
        let release = Released { holder: from.clone(), term };
        self.become_what(Turn::Stand(Some(release)), now);
    }
}
