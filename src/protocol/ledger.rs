//! The durable record as this node holds it, what of it is on disk, and the mail that waits for
//! the rest (R1-R4).
//! Never writes; `Effects::persist` asks for it and `Input::Persisted` tells that it is done.

use alloc::vec::Vec;
use core::mem;
use core::time::Duration;

use crate::protocol::durable::{Document, Durable};
use crate::protocol::message::Envelope;
use crate::protocol::mutant::{Mutation, Rule};
use crate::protocol::units::{Hash, Moment, NodeId, Position, Term};

/// Mail that may go out once the record with this sequence is on disk (R2). It speaks for the
/// term it was written in and is dropped when that has passed.
#[derive(Clone, Hash, Debug)]
struct Held {
    sequence: u64,
    term: Term,
    envelope: Envelope,
}

/// The newest record and how much of it is durable.
#[derive(Clone, Hash, Debug)]
pub(crate) struct Ledger {
    pub(crate) mutation: Mutation,
    durable: Durable,
    /// As of the last step; the next may only follow it.
    recorded: Durable,
    persisted: u64,
    /// The record in which term, vote or high-water mark last changed.
    vow_sequence: u64,
    is_failed: bool,
    /// The accepted document that is surely on disk: the only one spoken of (P5).
    on_disk: (Position, Hash),
    /// The record in which the accepted document last changed.
    accept_sequence: u64,
    held: Vec<Held>,
    /// The last moment at which a promise longer than the present ones may have been given.
    last_long_promise: Moment,
    last_promise_length: Duration,
}

impl Ledger {
    /// `durable` is on disk (R5).
    pub(crate) fn new(durable: Durable, now: Moment) -> Self {
        Self {
            mutation: Mutation::default(),
            persisted: durable.sequence,
            vow_sequence: durable.sequence,
            on_disk: (durable.accepted.position, durable.accepted.hash),
            accept_sequence: durable.sequence,
            recorded: durable.clone(),
            durable,
            is_failed: false,
            held: Vec::new(),
            last_long_promise: now,
            last_promise_length: Duration::ZERO,
        }
    }

    pub(crate) fn durable(&self) -> &Durable {
        &self.durable
    }

    pub(crate) fn is_failed(&self) -> bool {
        self.is_failed
    }

    /// The record that must be on disk before the present term, vote and high-water mark count.
    pub(crate) fn vow_sequence(&self) -> u64 {
        self.vow_sequence
    }

    /// Whether the record with `sequence` is on disk.
    pub(crate) fn is_recorded(&self, sequence: u64) -> bool {
        sequence <= self.persisted || !self.mutation.keeps(Rule::DurableVote)
    }

    /// The accepted document as far as it is on disk.
    pub(crate) fn on_disk(&self) -> (Position, Hash) {
        self.on_disk
    }

    /// Whether records wait for the disk.
    pub(crate) fn is_waiting(&self) -> bool {
        self.persisted < self.durable.sequence
    }

    /// Keeps `envelope` until the record with `sequence` is on disk. A newer one of its kind to
    /// the same node replaces it, so that a slow disk gathers no heap (P12).
    pub(crate) fn hold(&mut self, sequence: u64, envelope: Envelope) {
        if self.is_failed {
            return;
        }
        let kind = mem::discriminant(&envelope.message);
        self.held.retain(|held| {
            held.envelope.to != envelope.to || mem::discriminant(&held.envelope.message) != kind
        });
        self.held.push(Held { sequence, term: self.durable.term, envelope });
    }

    /// Changes the record; the step's effects will carry it. Returns its sequence.
    fn change(&mut self, change: impl FnOnce(&mut Durable)) -> u64 {
        if self.durable.sequence == self.recorded.sequence {
            self.durable.sequence += 1;
        }
        change(&mut self.durable);
        self.durable.sequence
    }

    /// Moves to `term` and gives its vote away, if to anybody.
    pub(crate) fn vow(&mut self, term: Term, vote: Option<&NodeId>) {
        if self.durable.term == term && self.durable.vote.as_ref() == vote {
            return;
        }
        self.vow_sequence = self.change(|durable| {
            durable.term = term;
            durable.vote = vote.cloned();
        });
        self.held.retain(|held| held.term == term);
    }

    /// Moves to a later term without voting in it.
    pub(crate) fn adopt(&mut self, term: Term) {
        if term > self.durable.term {
            self.vow(term, None);
        }
    }

    /// M := max(M, `promise`), and down again once M has passed without longer promises (R12).
    pub(crate) fn note_promise_length(&mut self, promise: Duration, now: Moment) {
        let high_water = self.durable.promise_high_water;
        if promise >= high_water || promise < self.last_promise_length {
            self.last_long_promise = now;
        }
        self.last_promise_length = promise;
        let may_lower = now.waited_since(self.last_long_promise) > high_water
            || !self.mutation.keeps(Rule::HighWaterStays);
        if promise > high_water || (promise < high_water && may_lower) {
            let sequence = self.change(|durable| durable.promise_high_water = promise);
            if self.mutation.keeps(Rule::DurablePromise) {
                self.vow_sequence = sequence;
            }
        }
    }

    /// M covers a lease as it covers a promise: what a process of this node runs under one may
    /// outlive the process, and is dead before the next one's quiet period ends (R12, R13).
    pub(crate) fn note_lease_asked(&mut self, promise: Duration) {
        let is_more = promise > self.durable.promise_high_water;
        if is_more && self.mutation.keeps(Rule::HighWaterOfLeases) {
            self.change(|durable| durable.promise_high_water = promise);
        }
    }

    /// Takes a newer document; its term becomes ours if it is later (R3, R71).
    pub(crate) fn accept(&mut self, document: Document) {
        if document.position.term > self.durable.term && self.mutation.keeps(Rule::FetchTerm) {
            self.adopt(document.position.term);
        }
        self.accept_sequence = self.change(|durable| durable.accepted = document);
    }

    /// Notes that the accepted document is committed. Returns its position and content revision
    /// if the content is new.
    pub(crate) fn commit_accepted(&mut self) -> Option<(Position, u64)> {
        let Document { position, revision, .. } = self.durable.accepted;
        if self.durable.committed.position >= position {
            return None;
        }
        let is_edit = revision != self.durable.committed.revision;
        self.change(|durable| durable.committed = durable.accepted.clone());
        is_edit.then_some((position, revision))
    }

    /// Everything up to `sequence` is on disk. Returns the mail that waited for it.
    pub(crate) fn persisted(&mut self, sequence: u64) -> impl Iterator<Item = Envelope> + use<> {
        if !self.is_failed {
            self.persisted = self.persisted.max(sequence);
            if self.accept_sequence <= self.persisted {
                self.on_disk = (self.durable.accepted.position, self.durable.accepted.hash);
            }
        }
        let (ready, waiting): (Vec<Held>, Vec<Held>) =
            mem::take(&mut self.held).into_iter().partition(|h| h.sequence <= self.persisted);
        self.held = waiting;
        ready.into_iter().map(|held| held.envelope)
    }

    /// The disk failed: whatever waited for it is never said (R4, P11).
    pub(crate) fn fail(&mut self) {
        self.is_failed = true;
        self.held.clear();
    }

    /// Ends a step: the record to write, if it changed.
    pub(crate) fn take_record(&mut self) -> Option<Durable> {
        if self.durable.sequence == self.recorded.sequence {
            return None;
        }
        let is_legal = self.durable.may_follow(&self.recorded)
            || !self.mutation.keeps(Rule::FetchTerm)
            || !self.mutation.keeps(Rule::NewerDocument)
            || !self.mutation.keeps(Rule::OneVotePerTerm);
        assert!(is_legal, "R3: {:?} may not follow {:?}", self.durable, self.recorded);
        self.recorded = self.durable.clone();
        (!self.is_failed).then(|| self.durable.clone())
    }
}
