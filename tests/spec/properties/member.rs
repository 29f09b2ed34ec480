//! A real node among members that say anything at all, at any time, in valid messages: it never
//! panics, its record only moves forward, and it says nothing that is not on its disk.
//! Never simulates a cluster; the simulator does.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use quorate::protocol::durable::{Document, Durable, Identity};
use quorate::protocol::effects::{Effects, Input, Order, StepDownReason, Suspicion, Wish};
use quorate::protocol::membership::Charter;
use quorate::protocol::message::{
    AppendAck, Ballot, Candidacy, Echo, Envelope, HandoverReply, HeartbeatAck, Message, Presence,
    Verdict,
};
use quorate::protocol::node::Node;
use quorate::protocol::units::{Moment, NodeId, Position, RequestId, StorageId, Term};
use quorate::settings::cluster;
use quorate::wire::codec::{decode, encode, hash_of};

use super::Target;
use super::any::{Any, Near};
use super::sample::id;

pub(super) const TARGET: Target = Target { name: "member", check, seeds, words: &[] };

/// More inputs teach a search nothing new.
const STEPS_MAX: usize = 400;
/// What one step may send, tell and answer at most: it answers one input for a few members (P12).
const EFFECTS_MAX: usize = 64;
const NAMES: [&str; 6] = ["alpha", "bravo", "charlie", "delta", "echo", "nobody"];

/// Bytes are choices. Answers whether the node ever acted as master.
fn check(bytes: &[u8]) -> bool {
    let mut any = Any::from_bytes(bytes);
    let mut bench = Bench::new(&mut any);
    for _ in 0..STEPS_MAX {
        if any.is_exhausted() {
            break;
        }
        bench.approach(&mut any.near);
        bench.turn(&mut any);
    }
    bench.last_started.is_some()
}

/// `members` of [`NAMES`], of whom those from `observers` on do not vote.
fn text(members: &[usize], observers: usize, timing: &str) -> String {
    let line = |index: &usize| {
        let digit = char::from(b'a' + *index as u8);
        let role = if *index < observers { "voter" } else { "observer" };
        let (key, storage) = (digit.to_string().repeat(64), digit.to_string().repeat(32));
        format!(
            "  - {{id: {0}, address: \"{0}:1\", role: {role}, key: \"SHA256:{key}\", \
             storage: \"{storage}\"}}\n",
            NAMES[*index]
        )
    };
    let lines: String = members.iter().map(line).collect();
    format!("cluster: shop\nid: \"{}\"\ntiming: {timing}\nnodes:\n{lines}", "07".repeat(16))
}

fn document(text: &str, position: Position) -> Document {
    let charter = cluster::parse_agreed(text, "cluster.yaml").expect("the samples are valid");
    let charter = Arc::new(charter);
    let hash = hash_of(text.as_bytes());
    Document { position, revision: 3, hash, body: text.into(), charter, byline: None }
}

/// What the members may say the document is.
static DOCUMENTS: LazyLock<Vec<Document>> = LazyLock::new(|| {
    let three = text(&[0, 1, 2], 6, "lan");
    let slow = "{heartbeat: 60s, dead_after: 300s}";
    let texts = [
        three.clone(),
        text(&[0, 1, 2, 3, 4], 4, "default"),
        text(&[0], 6, "lan"),
        text(&[1, 2], 6, "wan"),
        text(&[0, 1, 2], 6, slow),
        text(&[0, 1, 2], 2, "lan"),
        text(&[0, 1], 0, "lan").replacen("observer", "voter", 1),
        three.replace("07", "08"),
        three.replace("timing", "quotas: 3\ntiming"),
    ];
    let position = Position { term: Term(4), version: 17 };
    texts.iter().map(|text| document(text, position)).collect()
});

/// The charter of one of them: reading it anew each time would take longer than all else.
fn agreed(body: &str) -> Result<Charter, String> {
    let known = DOCUMENTS.iter().find(|document| &*document.body == body);
    known.map(|document| Charter::clone(&document.charter)).ok_or_else(|| "unknown".to_owned())
}

/// One node, its disk, what runs under its mastership, and the mail it sent last.
struct Bench {
    node: Node,
    now: Moment,
    on_disk: Durable,
    writing: Option<Durable>,
    has_failed: bool,
    acting: Option<Term>,
    last_started: Option<Term>,
    stopping: Vec<Term>,
    mail: Vec<Envelope>,
    wake: Option<Moment>,
    asked: u64,
}

impl Bench {
    fn new(any: &mut Any<'_>) -> Self {
        let far = match any.pick(8) {
            0 => u64::MAX - 2,
            _ => 4,
        };
        let chosen = &DOCUMENTS[[0, 0, 1, 2][any.pick(4) as usize]];
        let founding = chosen.restamped(Position { term: Term(far), version: 17.max(far) });
        let identity = Identity {
            cluster: founding.charter.cluster,
            generation: 1,
            node: id(NAMES[0]),
            storage: StorageId([0xaa; 16]),
        };
        let on_disk = Durable::founding(identity, founding);
        let now = Moment { boot_ns: 1 << 40, raw_ns: 1 << 39 };
        any.near.documents.clone_from(&DOCUMENTS);
        Self {
            node: Node::new(on_disk.clone(), now, any.pick(256)),
            now,
            on_disk,
            writing: None,
            has_failed: false,
            acting: None,
            last_started: None,
            stopping: Vec::new(),
            mail: Vec::new(),
            wake: None,
            asked: 0,
        }
    }

    /// Tells `near` what matters just now.
    fn approach(&self, near: &mut Near) {
        let Durable { term, accepted, committed, sequence, .. } = self.node.durable();
        near.names = NAMES.map(id).to_vec();
        let Position { version, .. } = accepted.position;
        near.numbers = vec![
            term.0,
            term.0.saturating_add(1),
            term.0.saturating_sub(1),
            term.0.saturating_add(1 << 20),
            version,
            version.saturating_add(1),
            committed.position.version,
            *sequence,
            self.now.boot_ns,
            self.now.raw_ns,
            600_000_000,
        ];
        near.numbers.extend(self.mail.iter().filter_map(|envelope| mark_of(&envelope.message)));
        near.hashes = vec![accepted.hash, committed.hash, DOCUMENTS[0].hash];
        near.storages = (0..3).map(storage_of).collect();
    }

    fn turn(&mut self, any: &mut Any<'_>) {
        match any.pick(16) {
            0..=3 => {
                let (from, message) = (any.name(), any.message());
                self.receive(from, &message);
            }
            4..=7 => self.answer(any),
            8 | 9 => self.write_through(),
            10 | 11 => {
                let waited = self.wake.map_or(Duration::ZERO, |wake| wake.held_since(self.now));
                self.pass(waited.min(Duration::from_secs(600)), Duration::ZERO);
            }
            12 => {
                let asleep = if any.pick(4) == 0 { any.pick(256) } else { 0 };
                let [awake, asleep] = [any.pick(256), asleep];
                self.pass(Duration::from_millis(awake * 8), Duration::from_millis(asleep * 8));
            }
            13 => {
                let to = any.name();
                self.step(Input::Connected { to });
            }
            14 => self.ask(any),
            _ => self.disturb(any),
        }
    }

    fn pass(&mut self, awake: Duration, asleep: Duration) {
        self.now = self.now.after(awake);
        self.now.boot_ns += u64::try_from(asleep.as_nanos()).unwrap_or(0);
        self.step(Input::Tick);
    }

    /// A message from a member, after the way over the wire.
    fn receive(&mut self, from: NodeId, message: &Message) {
        if let Ok(message) = decode(&encode(message), &agreed) {
            self.step(Input::Received { from, message });
        }
    }

    /// One of the last letters is answered as its receiver might.
    fn answer(&mut self, any: &mut Any<'_>) {
        let Some(Envelope { to, message }) = any.choose(&self.mail) else { return };
        let reply = self.reply(any, &to, message);
        self.receive(to, &reply);
    }

    fn reply(&self, any: &mut Any<'_>, to: &NodeId, message: Message) -> Message {
        let presence = self.presence(to);
        let storage = presence.storage;
        let ballot = |asked: Candidacy| Ballot {
            candidacy: asked.term,
            nonce: asked.nonce,
            term: asked.term,
            position: asked.position,
            storage,
            verdict: Verdict::Granted,
        };
        match message {
            Message::PreVote(asked) => Message::PreVoteReply(ballot(asked)),
            Message::Vote(asked) => Message::VoteReply(ballot(asked)),
            Message::Heartbeat(beat) => Message::HeartbeatAck(HeartbeatAck {
                term: beat.term,
                sequence: beat.sequence,
                position: beat.position,
                hash: beat.hash,
                verdict: Verdict::Granted,
                presence,
            }),
            Message::Append(it) => Message::AppendAck(AppendAck {
                term: it.term,
                position: it.document.position,
                hash: it.document.hash,
                storage,
            }),
            Message::Handover(it) => {
                Message::HandoverReply(HandoverReply { nonce: it.nonce, begun: Ok(any.name()) })
            }
            _ => Message::Beat(presence),
        }
    }

    /// A sound peer that hears everybody.
    fn presence(&self, peer: &NodeId) -> Presence {
        let index = NAMES.iter().position(|name| *name == peer.as_str()).unwrap_or(0);
        let durable = self.node.durable();
        Presence {
            term: durable.term,
            position: durable.accepted.position,
            storage: storage_of(index),
            is_vote_ready: true,
            is_electable: true,
            is_healthy: true,
            freshness: None,
            age: Duration::ZERO,
            follows: None,
            hears: NAMES.map(id).into(),
            reading: self.now,
            echo: Some(Echo { reading: self.now, held: Duration::ZERO }),
        }
    }

    fn write_through(&mut self) {
        let Some(record) = self.writing.take().filter(|_| !self.has_failed) else { return };
        let sequence = record.sequence;
        self.on_disk = record;
        self.step(Input::Persisted { sequence });
    }

    fn ask(&mut self, any: &mut Any<'_>) {
        let wish = match any.pick(3) {
            0 => Wish::Transfer { to: any.maybe_name() },
            1 => Wish::StepDown { hold_off: any.span(), reason: StepDownReason::Operator },
            _ => {
                let revision = self.node.durable().committed.revision;
                Wish::Propose { revision, document: any.document() }
            }
        };
        self.asked += 1;
        self.step(Input::Asked { request: RequestId(self.asked), wish });
    }

    fn disturb(&mut self, any: &mut Any<'_>) {
        match any.pick(16) {
            0..=7 => {
                if let Some(term) = self.stopping.pop() {
                    self.step(Input::Stopped { term });
                }
            }
            8 => self.step(Input::Suspicion(Suspicion::Stall(any.span()))),
            9 => self.step(Input::Suspicion(Suspicion::WallClockJump(any.span()))),
            10 => self.step(Input::Suspicion(Suspicion::ClocksDisagree)),
            11 => self.step(Input::Leave),
            12 => {
                self.has_failed = true;
                self.writing = None;
                self.step(Input::PersistFailed { error: "no space".to_owned() });
            }
            _ => self.restart(any),
        }
    }

    /// A new process: what was not on disk is forgotten, and nothing of the old one acts.
    fn restart(&mut self, any: &mut Any<'_>) {
        self.on_disk.sequence += 1;
        self.node = Node::new(self.on_disk.clone(), self.now, any.pick(256));
        self.writing = None;
        self.has_failed = false;
        self.acting = None;
        self.stopping.clear();
        self.mail.clear();
        self.wake = None;
    }

    fn step(&mut self, input: Input) {
        let before = self.node.durable().clone();
        let effects = self.node.step(self.now, input);
        let Effects { orders, persist, mail, answers, events, left: _, wake } = effects;
        for order in orders {
            self.obey(order);
        }
        if let Some(record) = persist {
            assert!(!self.has_failed, "a failed disk is left alone");
            assert!(record.may_follow(&before), "{record:?} after {before:?}");
            assert!(record.may_follow(&self.on_disk), "{record:?} after {:?}", self.on_disk);
            self.writing = Some(record);
        }
        let count = mail.len().max(answers.len()).max(events.len());
        assert!(count <= EFFECTS_MAX, "{count} of a kind in one step");
        for envelope in &mail {
            self.check_mail(envelope);
        }
        if !mail.is_empty() {
            self.mail = mail;
        }
        self.wake = wake;
        assert_eq!(self.node.status(self.now).node, self.on_disk.identity.node);
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::Start { term, .. } => {
                assert!(self.last_started < Some(term), "terms rise");
                assert!(self.stopping.is_empty(), "the last one is dead first");
                assert!(self.has_own_vote_in(term), "a master's own vote is on its disk");
                (self.acting, self.last_started) = (Some(term), Some(term));
            }
            Order::Extend { term, .. } => assert_eq!(self.acting, Some(term)),
            Order::Stop { term, .. } => {
                assert!(self.acting == Some(term) || self.stopping.contains(&term));
                if self.acting.take().is_some() {
                    self.stopping.push(term);
                }
            }
        }
    }

    fn has_own_vote_in(&self, term: Term) -> bool {
        let Durable { term: mine, vote, identity, .. } = &self.on_disk;
        *mine == term && vote.as_ref() == Some(&identity.node)
    }

    /// Nothing is said before it is on disk.
    fn check_mail(&self, Envelope { to, message }: &Envelope) {
        let Durable { term, vote, accepted, .. } = &self.on_disk;
        match message {
            Message::VoteReply(ballot) if ballot.verdict == Verdict::Granted => {
                assert_eq!((*term, vote.as_ref()), (ballot.candidacy, Some(to)));
            }
            Message::Vote(asked) => assert!(self.has_own_vote_in(asked.term)),
            Message::Heartbeat(beat) => assert!(self.has_own_vote_in(beat.term)),
            Message::AppendAck(ack) => {
                assert_eq!((accepted.position, accepted.hash), (ack.position, ack.hash));
            }
            _ => {}
        }
    }
}

/// What an answer to `message` has to repeat.
fn mark_of(message: &Message) -> Option<u64> {
    match message {
        Message::PreVote(it) | Message::Vote(it) => Some(it.nonce.0),
        Message::Heartbeat(it) => Some(it.sequence),
        Message::Handover(it) => Some(it.nonce.0),
        _ => None,
    }
}

fn storage_of(index: usize) -> StorageId {
    StorageId([0xaa + 0x11 * index.min(5) as u8; 16])
}

/// Chance finds its way; one seed each that waits, is elected, and is led.
fn seeds() -> Vec<Vec<u8>> {
    let stand = [10u8, 8, 4, 0, 4, 1, 8, 4, 0, 4, 1, 10].repeat(12);
    let elected = [&[1, 0, 1], &stand[..]].concat();
    let mut any = Any::from_seed(3);
    let mut lots = |count: usize| (0..count).map(|_| any.pick(256) as u8).collect::<Vec<u8>>();
    vec![elected, lots(200), lots(1_000), lots(3_000), vec![1, 3, 9, 10, 10, 8, 10, 10, 8, 10]]
}
