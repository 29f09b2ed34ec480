//! Makes any value that goes over the wire or to the disk, from a seed or from given bytes.
//! Never makes one that the types forbid.

use std::time::Duration;

use quorate::protocol::durable::{Byline, Document, Durable};
use quorate::protocol::edit::{Edit, EditOutcome, EditReply, Rejection};
use quorate::protocol::membership::ChangeRefusal;
use quorate::protocol::message::{
    Append, AppendAck, Ballot, Candidacy, Echo, Fetch, Handover, HandoverRefusal, HandoverReply,
    Heartbeat, HeartbeatAck, Message, Offer, Presence, Refusal, Release, Released, Verdict,
};
use quorate::protocol::units::{Chance, Hash, Moment, NodeId, Nonce, Position, StorageId, Term};
use quorate::wire::codec::hash_of;

use super::sample::{document, id, identity};

const HANDOVER_REFUSALS: [HandoverRefusal; 12] = [
    HandoverRefusal::NotMaster,
    HandoverRefusal::NotElectable,
    HandoverRefusal::AlreadyMaster,
    HandoverRefusal::NotFresh,
    HandoverRefusal::Behind,
    HandoverRefusal::NotReady,
    HandoverRefusal::HeldOff,
    HandoverRefusal::Unhealthy,
    HandoverRefusal::SeesNoMajority,
    HandoverRefusal::TooFewVoters,
    HandoverRefusal::EditPending,
    HandoverRefusal::Underway,
];

/// Where choices come from.
enum Choices<'a> {
    /// A generator: endless.
    Chance(Chance),
    /// Somebody else's bytes; past their end every choice is the first.
    Bytes(&'a [u8]),
}

impl Choices<'_> {
    /// A number below `count`, which is at most 256.
    fn pick(&mut self, count: u64) -> u64 {
        match self {
            Self::Chance(chance) => chance.bits() % count,
            Self::Bytes(bytes) => {
                let Some((first, rest)) = bytes.split_first() else { return 0 };
                *bytes = rest;
                u64::from(*first) % count
            }
        }
    }

    /// Any 64 bits.
    fn bits(&mut self) -> u64 {
        match self {
            Self::Chance(chance) => chance.bits(),
            Self::Bytes(bytes) => {
                let (taken, rest) = bytes.split_at(bytes.len().min(8));
                *bytes = rest;
                taken.iter().fold(0, |bits, byte| bits << 8 | u64::from(*byte))
            }
        }
    }

    /// One of `known`, or `None` if there are none.
    fn one_of<T: Clone>(&mut self, known: &[T]) -> Option<T> {
        let count = u64::try_from(known.len()).ok().filter(|count| *count > 0)?;
        known.get(usize::try_from(self.pick(count)).ok()?).cloned()
    }
}

/// What values are drawn from besides the extremes: what they must be near to in order to matter.
pub(crate) struct Near {
    pub(crate) names: Vec<NodeId>,
    pub(crate) numbers: Vec<u64>,
    pub(crate) hashes: Vec<Hash>,
    pub(crate) storages: Vec<StorageId>,
    pub(crate) documents: Vec<Document>,
}

impl Default for Near {
    fn default() -> Self {
        let names = ["a", "bravo", "node-3.example_net", &"x".repeat(64)].map(id).to_vec();
        let bodies = ["cluster: shop\n\"q\" \\ é\n", "", "one line"];
        Self {
            names,
            numbers: Vec::new(),
            hashes: Vec::new(),
            storages: Vec::new(),
            documents: bodies.map(document).to_vec(),
        }
    }
}

/// Makes one value after the other.
pub(crate) struct Any<'a> {
    choices: Choices<'a>,
    pub(crate) near: Near,
}

impl<'a> Any<'a> {
    pub(crate) fn from_seed(seed: u64) -> Self {
        Self { choices: Choices::Chance(Chance::new(seed)), near: Near::default() }
    }

    pub(crate) fn from_bytes(bytes: &'a [u8]) -> Self {
        Self { choices: Choices::Bytes(bytes), near: Near::default() }
    }

    /// Whether given bytes are all used up.
    pub(crate) fn is_exhausted(&self) -> bool {
        matches!(self.choices, Choices::Bytes([]))
    }

    /// A number below `count`, which is at most 256.
    pub(crate) fn pick(&mut self, count: u64) -> u64 {
        self.choices.pick(count)
    }

    /// A number below `count`, however large that is; zero for zero.
    pub(crate) fn below(&mut self, count: usize) -> usize {
        (self.choices.bits() as usize).checked_rem(count).unwrap_or(0)
    }

    /// One of `known`, if there is one.
    pub(crate) fn choose<T: Clone>(&mut self, known: &[T]) -> Option<T> {
        self.choices.one_of(known)
    }

    pub(crate) fn is_so(&mut self) -> bool {
        self.pick(2) == 1
    }

    pub(crate) fn number(&mut self) -> u64 {
        match self.pick(8) {
            0 => 0,
            1 => u64::MAX,
            2 => self.pick(100),
            3 => self.choices.bits(),
            _ => self.choices.one_of(&self.near.numbers).unwrap_or_else(|| self.pick(100)),
        }
    }

    pub(crate) fn name(&mut self) -> NodeId {
        self.choices.one_of(&self.near.names).unwrap_or_else(|| id("nobody"))
    }

    pub(crate) fn maybe_name(&mut self) -> Option<NodeId> {
        self.is_so().then(|| self.name())
    }

    pub(crate) fn span(&mut self) -> Duration {
        Duration::from_nanos(self.number())
    }

    fn position(&mut self) -> Position {
        Position { term: Term(self.number()), version: self.number() }
    }

    fn hash(&mut self) -> Hash {
        self.choices
            .one_of(&self.near.hashes)
            .unwrap_or_else(|| hash_of(&self.number().to_ne_bytes()))
    }

    fn storage(&mut self) -> StorageId {
        self.choices
            .one_of(&self.near.storages)
            .unwrap_or_else(|| StorageId([self.pick(256) as u8; 16]))
    }

    fn moment(&mut self) -> Moment {
        Moment { boot_ns: self.number(), raw_ns: self.number() }
    }

    pub(crate) fn document(&mut self) -> Document {
        let near = self.choices.one_of(&self.near.documents);
        let byline = if self.is_so() { Byline::new(&self.name().to_string(), 7) } else { None };
        let chosen = Document { byline, ..near.unwrap_or_else(|| document("nothing")) };
        if self.is_so() { chosen } else { chosen.restamped(self.position()) }
    }

    pub(crate) fn presence(&mut self) -> Presence {
        let echo = Echo { reading: self.moment(), held: self.span() };
        Presence {
            term: Term(self.number()),
            position: self.position(),
            storage: self.storage(),
            is_vote_ready: self.is_so(),
            is_electable: self.is_so(),
            is_healthy: self.is_so(),
            freshness: self.is_so().then(|| self.number()),
            age: self.span(),
            follows: self.maybe_name(),
            hears: (0..self.pick(9)).map(|_| self.name()).collect(),
            reading: self.moment(),
            echo: self.is_so().then_some(echo),
        }
    }

    fn refusal(&mut self) -> Refusal {
        match self.pick(13) {
            0 => Refusal::StaleTerm { mine: Term(self.number()) },
            1 => Refusal::TermJump { mine: Term(self.number()) },
            2 => Refusal::AlreadyVoted { by: self.name() },
            3 => Refusal::PositionBehind { mine: self.position() },
            4 => Refusal::PositionConflict { at: self.position() },
            5 => Refusal::Promised { to: self.name(), remaining: self.span() },
            6 => Refusal::LeaseHolder { remaining: self.span() },
            7 => Refusal::StillStopping,
            8 => Refusal::QuietPeriod { remaining: self.span() },
            9 => Refusal::StorageFailed,
            10 => Refusal::NotAVoter,
            11 => Refusal::SecondMaster { first: self.name() },
            _ => Refusal::Released,
        }
    }

    fn verdict(&mut self) -> Verdict {
        if self.is_so() { Verdict::Granted } else { Verdict::Refused(self.refusal()) }
    }

    fn candidacy(&mut self) -> Candidacy {
        let released = Released { holder: self.name(), term: Term(self.number()) };
        Candidacy {
            term: Term(self.number()),
            position: self.position(),
            storage: self.storage(),
            nonce: Nonce(self.number()),
            release: self.is_so().then_some(released),
        }
    }

    fn ballot(&mut self) -> Ballot {
        Ballot {
            candidacy: Term(self.number()),
            nonce: Nonce(self.number()),
            term: Term(self.number()),
            position: self.position(),
            storage: self.storage(),
            verdict: self.verdict(),
        }
    }

    /// A heartbeat whose promise is in range: the codec refuses all others.
    pub(crate) fn heartbeat(&mut self) -> Heartbeat {
        Heartbeat {
            term: Term(self.number()),
            sequence: self.number(),
            promise: Duration::from_nanos(1 + self.number() % 300_000_000_000),
            position: self.position(),
            hash: self.hash(),
            committed: self.position(),
            is_acting: self.is_so(),
            presence: self.presence(),
        }
    }

    pub(crate) fn heartbeat_ack(&mut self) -> HeartbeatAck {
        HeartbeatAck {
            term: Term(self.number()),
            sequence: self.number(),
            position: self.position(),
            hash: self.hash(),
            verdict: self.verdict(),
            presence: self.presence(),
        }
    }

    fn append_ack(&mut self) -> AppendAck {
        AppendAck {
            term: Term(self.number()),
            position: self.position(),
            hash: self.hash(),
            storage: self.storage(),
        }
    }

    fn handover_reply(&mut self) -> HandoverReply {
        let refused = self.choices.one_of(&HANDOVER_REFUSALS).expect("there are some");
        let begun = if self.is_so() { Ok(self.name()) } else { Err(refused) };
        HandoverReply { nonce: Nonce(self.number()), begun }
    }

    fn edit_outcome(&mut self) -> EditOutcome {
        match self.pick(6) {
            0 => EditOutcome::Unknown,
            1 => EditOutcome::Committed { position: self.position(), revision: self.number() },
            _ => EditOutcome::Rejected(self.rejection()),
        }
    }

    fn rejection(&mut self) -> Rejection {
        match self.pick(8) {
            0 => Rejection::NotMaster { master: self.maybe_name() },
            1 => Rejection::RevisionMoved { now: self.number() },
            2 => Rejection::EditPending,
            3 => Rejection::OtherCluster,
            4 => Rejection::LeaseTooShort,
            5 => Rejection::StorageFailed,
            6 => Rejection::TooFarApart {
                round_trip: self.is_so().then(|| Duration::from_nanos(self.number())),
            },
            _ => Rejection::Members(self.change_refusal()),
        }
    }

    fn change_refusal(&mut self) -> ChangeRefusal {
        match self.pick(7) {
            0 => ChangeRefusal::TwoAtOnce,
            1 => ChangeRefusal::MasterMustLead,
            2 => ChangeRefusal::NotAnObserver { node: self.name() },
            3 => ChangeRefusal::NotCaughtUp { node: self.name() },
            4 => ChangeRefusal::DocumentMissing { at: self.name() },
            5 => ChangeRefusal::OtherKey { node: self.name() },
            _ => ChangeRefusal::NoMajority { have: 1, need: 2 },
        }
    }

    fn release(&mut self) -> Release {
        Release { term: Term(self.number()), successor: self.maybe_name() }
    }

    pub(crate) fn message(&mut self) -> Message {
        match self.pick(17) {
            0 => Message::Beat(self.presence()),
            1 => Message::Heartbeat(self.heartbeat()),
            2 => Message::HeartbeatAck(self.heartbeat_ack()),
            3 => Message::PreVote(self.candidacy()),
            4 => Message::PreVoteReply(self.ballot()),
            5 => Message::Vote(self.candidacy()),
            6 => Message::VoteReply(self.ballot()),
            7 => Message::Append(Append { term: Term(self.number()), document: self.document() }),
            8 => Message::AppendAck(self.append_ack()),
            9 => Message::Fetch(Fetch { have: self.position() }),
            10 => Message::Offer(Offer { document: self.document() }),
            11 => Message::Release(self.release()),
            12 => Message::TimeoutNow(self.release()),
            13 => {
                Message::Handover(Handover { nonce: Nonce(self.number()), to: self.maybe_name() })
            }
            14 => Message::Edit(Edit {
                term: Term(self.number()),
                nonce: Nonce(self.number()),
                revision: self.number(),
                document: self.document(),
            }),
            15 => Message::EditReply(EditReply {
                nonce: Nonce(self.number()),
                outcome: self.edit_outcome(),
            }),
            _ => Message::HandoverReply(self.handover_reply()),
        }
    }

    /// A record whose parts do not contradict each other.
    pub(crate) fn durable(&mut self) -> Durable {
        let [one, other] = [self.document(), self.document()];
        let is_ordered = other.position <= one.position;
        let (accepted, committed) = if is_ordered { (one, other) } else { (other, one) };
        Durable {
            identity: identity(),
            sequence: self.number(),
            term: accepted.position.term.max(Term(self.number())),
            vote: self.maybe_name(),
            accepted,
            committed,
            promise_high_water: self.span(),
        }
    }
}
