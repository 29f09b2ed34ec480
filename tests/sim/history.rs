//! What has happened in a run, as facts, and what the oracles remember of them.
//! Never judges; `oracles` does.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use crate::protocol::durable::{Document, Durable};
use crate::protocol::effects::{Answer, EditOutcome, Event, Order};
use crate::protocol::membership::{Member, VOTERS_MAX};
use crate::protocol::message::{Message, Verdict};
use crate::protocol::units::{Hash, Position, RequestId, StorageId, Term};
use crate::sim::charters;
use crate::sim::clock::TrueTime;
use crate::sim::receipts::{Receipt, Receipts};

/// One thing that truly happened. Nodes are named by index.
#[derive(Debug)]
pub(crate) enum Fact<'a> {
    /// Time went on; nothing else changed yet.
    TimePassed,
    /// A node took or made a document; it may not be on disk yet.
    Accepted { node: usize, before: Position, document: &'a Document },
    /// A record reached the disk.
    Wrote { node: usize, before: &'a Durable, after: &'a Durable },
    /// A message left a node.
    Said { node: usize, to: usize, message: &'a Message },
    /// A message reached a running node in `term` whose document is at `has`.
    Heard { node: usize, from: usize, has: Position, term: Term, message: &'a Message },
    /// A daemon ordered its guard.
    Ordered { node: usize, order: Order },
    /// Children began to act in `term` under the document at `accepted`.
    Began { node: usize, term: Term, accepted: Position },
    /// The last child of `term` is gone.
    Died { term: Term },
    /// A node told of an event.
    Told { node: usize, event: &'a Event },
    /// A client asked for this document.
    Asked { request: RequestId, hash: Hash },
    /// A node answered its client.
    Answered { request: RequestId, answer: &'a Answer },
    /// A daemon started with the document at `accepted`.
    Started { node: usize, accepted: Position },
    /// A daemon ended; perhaps a record was lost.
    Crashed { node: usize, lost_record: bool },
    /// A daemon was told that its disk failed.
    DiskFailed,
}

/// One activation.
#[derive(Clone, Copy, Hash, Debug)]
pub(crate) struct Activation {
    /// Who.
    pub(crate) node: usize,
    /// In which term.
    pub(crate) term: Term,
    /// Since when.
    pub(crate) at: TrueTime,
}

/// A document as the oracles know it.
#[derive(Clone, Copy, Hash, Debug)]
pub(crate) struct Known {
    /// Its content.
    pub(crate) hash: Hash,
    /// What it was made from.
    pub(crate) parent: Option<Position>,
    /// The disks of its voters, a bit each.
    pub(crate) voters: u32,
    /// Who is named in it.
    pub(crate) members: u16,
    /// Who may lead by it.
    pub(crate) leads: u16,
}

/// A promise as the one who got it may count on it.
#[derive(Clone, Copy, Hash, Debug)]
pub(crate) struct Vow {
    /// It lasts at least until then, whatever the voter's clocks do within their bound.
    pub(crate) until: TrueTime,
    /// The holder's term.
    pub(crate) term: Term,
}

/// Everything the oracles remember.
#[derive(Clone, Hash, Default)]
pub(crate) struct History {
    /// Every activation, in order of true time.
    pub(crate) activations: Vec<Activation>,
    /// When the children of each ended activation were gone.
    pub(crate) endings: BTreeMap<Term, TrueTime>,
    /// Who won each term.
    pub(crate) winners: BTreeMap<Term, usize>,
    /// Whom each disk ever held a vote for, by disk and term.
    pub(crate) votes_on_disk: BTreeMap<(usize, Term), usize>,
    /// Whom each disk ever told that it has its vote.
    pub(crate) votes_said: BTreeMap<(usize, Term), usize>,
    /// Every document ever made.
    pub(crate) documents: BTreeMap<Position, Known>,
    /// The disks that ever held each document or one made from it, a bit each.
    pub(crate) held: BTreeMap<Position, u32>,
    /// The document of each node's daemon, running or last.
    pub(crate) accepted: [Position; VOTERS_MAX],
    /// The disks of the voters of the document under which each node acts, a bit each.
    electors: [u32; VOTERS_MAX],
    /// The disk from which each node's daemon began what acts there: it may be lost meanwhile.
    acts_from: [usize; VOTERS_MAX],
    /// The number of each node's disk, running or last.
    pub(crate) disks: [usize; VOTERS_MAX],
    /// The newest document known to be committed.
    pub(crate) committed: Position,
    /// What each voter promised, by holder; voters are disks (R52).
    pub(crate) vows: Vec<[Option<Vow>; VOTERS_MAX]>,
    /// When each heartbeat reached each voter, and the promise it named.
    receipts: [[Receipts; VOTERS_MAX]; VOTERS_MAX],
    /// Whether the candidate's document was older than the voter's whenever it asked, by voter,
    /// candidate and term.
    pub(crate) asked_with_older: BTreeMap<(usize, usize, Term), bool>,
    /// The voter's term when the candidate last asked, by voter, candidate and term.
    pub(crate) asked_in: BTreeMap<(usize, usize, Term), Term>,
    /// Who gave which term up.
    pub(crate) released: BTreeSet<(usize, Term)>,
    /// The last released term of each holder that each node's daemon heard of, by (node, holder).
    known_released: BTreeMap<(usize, usize), Term>,
    /// The document that each client asked for.
    pub(crate) asked_for: BTreeMap<RequestId, Hash>,
    /// The documents that were refused.
    pub(crate) refused: BTreeSet<Hash>,
    /// When each daemon came up.
    pub(crate) up_since: BTreeMap<usize, TrueTime>,
    /// The clock rate bound of the run, as far as clocks keep it.
    pub(crate) drift_ppm: u64,
}

/// The end of a promise that a message carries away, if it does: (holder, last released term).
pub(crate) fn release_in(from: usize, message: &Message) -> Option<(usize, Term)> {
    match message {
        Message::Release(release) => Some((from, release.term)),
        Message::TimeoutNow(release) => Some((from, release.term)),
        Message::PreVote(asked) | Message::Vote(asked) => {
            asked.release.as_ref().map(|r| (charters::index(&r.holder), r.term))
        }
        Message::Beat(_)
        | Message::Heartbeat(_)
        | Message::HeartbeatAck(_)
        | Message::PreVoteReply(_)
        | Message::VoteReply(_)
        | Message::Append(_)
        | Message::AppendAck(_)
        | Message::Fetch(_)
        | Message::Offer(_)
        | Message::Handover(_)
        | Message::HandoverReply(_)
        | Message::Edit(_)
        | Message::EditReply(_) => None,
    }
}

fn known(document: &Document, parent: Option<Position>) -> Known {
    let members = &document.charter.members;
    let voters = members.voters().fold(0, |bits, member| bits | bit(member.storage));
    let named = |is_named: fn(&Member) -> bool| {
        let members = members.all().filter(|member| is_named(member));
        members.fold(0, |bits, member| bits | 1 << charters::index(&member.id))
    };
    let [all, leads] = [named(|_| true), named(Member::may_lead)];
    Known { hash: document.hash, parent, voters, members: all, leads }
}

fn is_most(some: u32, voters: u32) -> bool {
    (some & voters).count_ones() * 2 > voters.count_ones()
}

/// The bit of a disk.
pub(crate) fn bit(storage: StorageId) -> u32 {
    1 << charters::disk(storage)
}

impl History {
    /// The history of a cluster that was just founded.
    pub(crate) fn new(document: &Document) -> Self {
        let position = document.position;
        let known = known(document, None);
        let size = document.charter.members.all().count();
        Self {
            documents: BTreeMap::from([(position, known)]),
            held: BTreeMap::from([(position, (1 << size) - 1)]),
            accepted: [position; VOTERS_MAX],
            electors: [known.voters; VOTERS_MAX],
            disks: core::array::from_fn(|node| node),
            acts_from: core::array::from_fn(|node| node),
            vows: vec![Default::default(); size],
            committed: position,
            drift_ppm: document.charter.timing.drift_ppm(),
            ..Self::default()
        }
    }

    /// Whether the document at `later` is the one at `earlier` or was made from it.
    pub(crate) fn descends(&self, later: Position, earlier: Position) -> bool {
        let mut at = later;
        while at > earlier {
            match self.documents.get(&at).and_then(|known| known.parent) {
                Some(parent) => at = parent,
                None => return false,
            }
        }
        at == earlier
    }

    /// How the heartbeat (`term`, `sequence`) of `master` reached `voter`.
    pub(crate) fn receipt(
        &self,
        voter: usize,
        master: usize,
        term: Term,
        sequence: u64,
    ) -> Option<&Receipt> {
        self.receipts[voter][master].get((term, sequence))
    }

    /// Forgets how heartbeats reached `voter`: all of them are answered.
    pub(crate) fn forget_receipts(&mut self, voter: usize) {
        self.receipts[voter] = Default::default();
    }

    /// Whether the vote of the disk that `voter` has now counts for nothing: it is not the one from
    /// which `voter` began what acts there, and `candidate` has a document without it (R52).
    pub(crate) fn is_idle_vote(&self, voter: usize, candidate: usize) -> bool {
        let disk = self.disks[voter];
        let counts = self.voters(self.accepted[candidate]) & 1 << disk != 0;
        self.acts_from[voter] != disk && !counts
    }

    /// Whether `voter` knows that `holder` gave `term` up.
    fn knows_released(&self, voter: usize, holder: usize, term: Term) -> bool {
        self.known_released.get(&(voter, holder)).is_some_and(|known| *known >= term)
    }

    /// The disks of the voters of the document at `position`, a bit each.
    pub(crate) fn voters(&self, position: Position) -> u32 {
        self.documents.get(&position).map_or(0, |document| document.voters)
    }

    /// Whether the disks in `some` are a majority of the voters of the document at `position`.
    pub(crate) fn is_majority(&self, some: u32, position: Position) -> bool {
        is_most(some, self.voters(position))
    }

    /// The same for the document under which this node acts, with the disk it acts from.
    pub(crate) fn is_majority_for(&self, some: u32, node: usize) -> bool {
        is_most(some | 1 << self.acts_from[node], self.electors[node])
    }

    /// The disks other than that of `holder` that are bound to it at `now`, a bit each.
    pub(crate) fn bound_to(&self, holder: usize, now: TrueTime) -> u32 {
        let is_bound = |by: &[Option<Vow>; VOTERS_MAX]| by[holder].is_some_and(|v| v.until > now);
        let bits = self.vows.iter().enumerate().filter(|(_, by)| is_bound(by));
        bits.fold(0, |bound, (voter, _)| bound | 1 << voter)
    }

    /// A promise of `span` that begins at `from` lasts at least until this true time (R22).
    fn surely_lasts(&self, from: TrueTime, span: Duration) -> TrueTime {
        let million = 1_000_000_u128;
        let shortest = span.as_nanos() * million / (million + u128::from(self.drift_ppm));
        from.after(Duration::from_nanos(u64::try_from(shortest).expect("promises are short")))
    }

    /// Remembers a fact after it was judged.
    pub(crate) fn absorb(&mut self, now: TrueTime, fact: &Fact<'_>) {
        match *fact {
            Fact::Accepted { node, before, document } => {
                self.documents
                    .entry(document.position)
                    .or_insert_with(|| known(document, Some(before)));
                self.take(node, document.position);
            }
            Fact::Wrote { node, after, .. } => self.wrote(node, after),
            Fact::Said { node, to, message } => self.said(node, to, message),
            Fact::Heard { node, from, has, term, message } => {
                self.heard(now, node, from, message);
                if let Message::Vote(asked) = message {
                    let key = (node, from, asked.term);
                    let is_older = asked.position < has;
                    *self.asked_with_older.entry(key).or_insert(is_older) &= is_older;
                    self.asked_in.insert(key, term);
                }
            }
            Fact::Began { node, term, .. } => {
                self.activations.push(Activation { node, term, at: now });
                self.acts_from[node] = self.disks[node];
                self.electors[node] = self.voters(self.accepted[node]);
            }
            Fact::Died { term, .. } => {
                self.endings.insert(term, now);
            }
            Fact::Told { node, event: Event::Won { term } | Event::Elected { term, .. } } => {
                self.winners.insert(*term, node);
            }
            Fact::Answered {
                answer: Answer::Edited(EditOutcome::Committed { position, .. }),
                ..
            } => {
                self.committed = self.committed.max(*position);
            }
            Fact::Asked { request, hash } => {
                self.asked_for.insert(request, hash);
            }
            Fact::Answered { request, answer: Answer::Edited(EditOutcome::Rejected(_)) } => {
                self.refused.extend(self.asked_for.get(&request));
            }
            Fact::Started { node, accepted } => {
                self.take(node, accepted);
                self.up_since.insert(node, now);
            }
            Fact::Crashed { node, .. } => {
                self.up_since.remove(&node);
                // What was heard of releases is not on disk.
                self.known_released.retain(|(by, _), _| *by != node);
            }
            Fact::TimePassed
            | Fact::Ordered { .. }
            | Fact::Told { .. }
            | Fact::Answered { .. }
            | Fact::DiskFailed => {}
        }
    }

    fn take(&mut self, node: usize, position: Position) {
        self.accepted[node] = position;
        if self.acts_from[node] == self.disks[node] {
            self.electors[node] = self.voters(position);
        }
    }

    /// What the disk that this node has now promised.
    fn vows_of(&mut self, node: usize) -> &mut [Option<Vow>; VOTERS_MAX] {
        let disk = self.disks[node];
        if self.vows.len() <= disk {
            self.vows.resize(disk + 1, Default::default());
        }
        &mut self.vows[disk]
    }

    fn wrote(&mut self, node: usize, after: &Durable) {
        let disk = charters::disk(after.identity.storage);
        self.disks[node] = disk;
        if let Some(vote) = &after.vote {
            self.votes_on_disk.entry((disk, after.term)).or_insert(charters::index(vote));
        }
        self.committed = self.committed.max(after.committed.position);
        let bit = bit(after.identity.storage);
        let mut at = Some(after.accepted.position);
        while let Some(position) = at {
            let disks = self.held.entry(position).or_insert(0);
            if *disks & bit != 0 {
                break;
            }
            *disks |= bit;
            at = self.documents.get(&position).and_then(|known| known.parent);
        }
    }

    fn said(&mut self, node: usize, to: usize, message: &Message) {
        if let Message::VoteReply(ballot) = message
            && ballot.verdict == Verdict::Granted
        {
            let disk = charters::disk(ballot.storage);
            self.votes_said.entry((disk, ballot.candidacy)).or_insert(to);
        }
        if let Message::HeartbeatAck(ack) = message
            && ack.verdict == Verdict::Granted
            && let Some(receipt) = self.receipt(node, to, ack.term, ack.sequence)
            && !receipt.is_freed
        {
            let until = self.surely_lasts(receipt.came, receipt.promise);
            let vows = self.vows_of(node);
            let old = vows[to].unwrap_or(Vow { until, term: ack.term });
            let vow = Vow { until: old.until.max(until), term: old.term.max(ack.term) };
            *vows = Default::default();
            vows[to] = Some(vow);
        }
        if let Message::Release(release) | Message::TimeoutNow(release) = message {
            self.released.insert((node, release.term));
        }
    }

    fn heard(&mut self, now: TrueTime, node: usize, from: usize, message: &Message) {
        if let Message::Heartbeat(beat) = message {
            // Whoever won a later term had a majority that was bound to nobody else: promises to
            // earlier masters carry nothing any more, and this one replaces them (R24).
            for (holder, vow) in self.vows_of(node).iter_mut().enumerate() {
                vow.take_if(|vow| holder != from && vow.term < beat.term);
            }
            let is_released = self.knows_released(node, from, beat.term);
            let receipts = &mut self.receipts[node][from];
            let key = (beat.term, beat.sequence);
            let was_before = receipts.get(key).is_some_and(|first| !first.is_after_release);
            let is_after_release = !was_before && is_released;
            let is_freed = is_released;
            let receipt = Receipt { came: now, promise: beat.promise, is_after_release, is_freed };
            receipts.put(key, receipt);
        }
        // Of what is made up nobody learns anything. What a third node passes on frees the promise;
        // a node that did not take part in that term need not remember it.
        let release = release_in(from, message).filter(|release| self.released.contains(release));
        if let Some((holder, term)) = release {
            if !matches!(message, Message::Vote(_)) {
                let known = self.known_released.entry((node, holder)).or_insert(term);
                *known = (*known).max(term);
            }
            self.vows_of(node)[holder].take_if(|vow| vow.term <= term);
            self.receipts[node][holder].free(term);
        }
    }
}
