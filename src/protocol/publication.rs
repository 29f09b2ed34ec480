//! The master's document on its way: re-stamped, handed out, counted, committed.
//! Never takes an edit by itself; `proposal` judges it first.

use alloc::collections::BTreeMap;

use crate::protocol::docket::{Asker, Docket};
use crate::protocol::durable::Document;
use crate::protocol::edit::EditOutcome;
use crate::protocol::message::{Append, AppendAck, HeartbeatAck, Message};
use crate::protocol::mutant::Rule;
use crate::protocol::register::Copies;
use crate::protocol::units::{Moment, NodeId, Position, Term};
use crate::protocol::voter::Voter;

/// One document and who has it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Publication {
    term: Term,
    /// The sequence of the record that holds the document.
    recorded_by: u64,
    copies: Copies,
    /// Whether the document in `copies` is committed.
    is_committed: bool,
    /// Whether any document of this term is committed (R19).
    is_established: bool,
    pushed: BTreeMap<NodeId, Moment>,
    pub(crate) docket: Docket,
}

impl Publication {
    /// Re-stamps the document in the term just won: same bytes, same voters (R18).
    pub(crate) fn begin(voter: &mut Voter, term: Term) -> Self {
        let mine = voter.durable().accepted.clone();
        if voter.keeps(Rule::Restamp) {
            let version = mine.position.version.saturating_add(1);
            voter.ledger.accept(mine.restamped(Position { term, version }));
        }
        Self {
            term,
            recorded_by: voter.durable().sequence,
            copies: Copies::of(term, &voter.durable().accepted),
            is_committed: false,
            is_established: false,
            pushed: BTreeMap::new(),
            docket: Docket::default(),
        }
    }

    /// Whether a document of this term is committed (R19).
    pub(crate) fn is_established(&self) -> bool {
        self.is_established
    }

    /// Whether an own-term document is committed and no other waits (R19).
    pub(crate) fn is_settled(&self) -> bool {
        self.is_established && self.is_committed
    }

    fn push(&mut self, voter: &mut Voter, to: &NodeId, now: Moment) {
        self.pushed.insert(to.clone(), now);
        let document = voter.durable().accepted.clone();
        voter.send(to, Message::Append(Append { term: self.term, document }));
    }

    /// Hands the document to everybody who might need it.
    pub(crate) fn push_to_all(&mut self, voter: &mut Voter, now: Moment) {
        for to in voter.peer_names() {
            self.push(voter, &to, now);
        }
    }

    /// Hands it to one whose answer shows that it lacks it, or to a voter whose acknowledgement
    /// got lost, once per heartbeat.
    pub(crate) fn push_if_missing(
        &mut self,
        voter: &mut Voter,
        to: &NodeId,
        ack: &HeartbeatAck,
        now: Moment,
    ) {
        let mine = &voter.durable().accepted;
        let is_counted = self.copies.has(to) || !voter.counts(to, ack.presence.storage);
        let has_it = (ack.position, ack.hash) == (mine.position, mine.hash) && is_counted;
        let pause = voter.timing().heartbeat();
        let is_time = self.pushed.get(to).is_none_or(|last| now.held_since(*last) >= pause);
        if !has_it && ack.position <= mine.position && is_time {
            self.push(voter, to, now);
        }
    }

    /// A voter says that it has a document on disk; only this one in this term counts (R18).
    pub(crate) fn count(&mut self, voter: &Voter, from: &NodeId, ack: &AppendAck) {
        if !voter.counts(from, ack.storage) {
            return;
        }
        if voter.keeps(Rule::ExactCopy) {
            self.copies.count(from, ack.term, ack.position, ack.hash);
        } else {
            let mine = &voter.durable().accepted;
            self.copies.count(from, self.term, mine.position, mine.hash);
        }
    }

    /// Whether `id` acknowledged the present document, which is committed.
    pub(crate) fn is_held_by(&self, id: &NodeId) -> bool {
        self.is_committed && self.copies.has(id)
    }

    /// Goes on with an edited document, which `voter` has accepted already.
    pub(crate) fn replace(&mut self, voter: &mut Voter, asker: Asker) {
        let promise = voter.durable().accepted.charter.timing.dead_after();
        voter.ledger.note_lease_asked(promise);
        self.copies = Copies::of(self.term, &voter.durable().accepted);
        self.recorded_by = voter.durable().sequence;
        self.is_committed = false;
        self.docket.open(asker);
    }

    /// Own copy on disk, a majority of copies acknowledged: committed (R2, R18). Returns whether
    /// an edit was just committed, which everybody should hear at once.
    pub(crate) fn count_commit(&mut self, voter: &mut Voter) -> bool {
        if voter.is_storage_failed() {
            return false;
        }
        let me = voter.me.clone();
        let is_on_disk =
            voter.ledger.is_recorded(self.recorded_by) || !voter.keeps(Rule::DurableCommit);
        if !self.copies.has(&me) && is_on_disk {
            let mine = voter.durable().accepted.clone();
            self.copies.count(&me, self.term, mine.position, mine.hash);
        }
        if self.is_committed {
            return false;
        }
        // A longer promise is asked for from the commit on, so M has to cover it before (R12).
        let is_longer = voter.durable().accepted.charter.timing.dead_after() > voter.dead_after();
        if !self.copies.are_committed(voter.members()) || is_longer && !is_on_disk {
            return false;
        }
        self.is_committed = true;
        self.is_established = true;
        voter.commit_accepted();
        let Document { position, revision, .. } = voter.durable().accepted;
        self.docket.close(voter, EditOutcome::Committed { position, revision })
    }
}
