//! What goes over the wire and to the disk: it comes back the same, and nothing else is taken.

mod envelopes;

use std::io::{self, Read};
use std::sync::Arc;
use std::time::Duration;

use quorate::protocol::durable::{Document, Durable, Identity};
use quorate::protocol::membership::{
    Charter, Election, Failback, Member, MemberRole, Membership, Policy,
};
use quorate::protocol::message::{
    Append, AppendAck, Ballot, Candidacy, Echo, Fetch, Handover, HandoverRefusal, HandoverReply,
    Heartbeat, HeartbeatAck, Message, Offer, Presence, Refusal, Release, Released, Verdict,
};
use quorate::protocol::timing::Timing;
use quorate::protocol::units::{
    Chance, ClusterId, Hash, Moment, NodeId, Nonce, Pin, Position, StorageId, Term,
};
use quorate::wire::codec::{BODY_MAX, WireError, decode, encode, hash_of};
use quorate::wire::frame::{Class, Frame, FrameError, Frames, header};
use quorate::wire::hello::{Hello, HelloError};
use quorate::wire::record::{self, RecordError};

pub(super) fn id(name: &str) -> NodeId {
    NodeId::new(name).unwrap()
}

fn charter() -> Charter {
    let member = Member {
        id: id("alpha"),
        address: "alpha:9901".into(),
        role: MemberRole::Voter,
        priority: 100,
        pin: Pin([1; 32]),
        storage: StorageId([2; 16]),
    };
    Charter {
        name: "shop".into(),
        cluster: ClusterId([3; 16]),
        generation: 1,
        timing: Timing::LAN,
        election: Election { policy: Policy::LowestId, failback: Failback::Never },
        members: Membership::new(vec![member]).unwrap(),
        is_understood: true,
    }
}

pub(super) fn charter_of(body: &str) -> Result<Charter, String> {
    if body.starts_with("bad") { Err("line 1: bad\u{1b}[2J".into()) } else { Ok(charter()) }
}

pub(super) fn document(body: &str) -> Document {
    Document {
        position: Position { term: Term(4), version: 17 },
        revision: 3,
        hash: hash_of(body.as_bytes()),
        body: body.into(),
        charter: Arc::new(charter()),
    }
}

/// Makes any message, over and over, from one seed.
struct Any(Chance);

impl Any {
    fn number(&mut self) -> u64 {
        match self.0.bits() % 4 {
            0 => 0,
            1 => u64::MAX,
            2 => self.0.bits() % 100,
            _ => self.0.bits(),
        }
    }

    fn pick(&mut self, count: u64) -> u64 {
        self.0.bits() % count
    }

    fn name(&mut self) -> NodeId {
        ["a", "bravo", "node-3.example_net", &"x".repeat(64)][self.pick(4) as usize..][..1]
            .first()
            .map(|name| id(name))
            .unwrap()
    }

    fn maybe_name(&mut self) -> Option<NodeId> {
        (self.pick(2) == 0).then(|| self.name())
    }

    fn span(&mut self) -> Duration {
        Duration::from_nanos(self.number())
    }

    fn position(&mut self) -> Position {
        Position { term: Term(self.number()), version: self.number() }
    }

    fn hash(&mut self) -> Hash {
        hash_of(&self.number().to_ne_bytes())
    }

    fn storage(&mut self) -> StorageId {
        StorageId([self.pick(256) as u8; 16])
    }

    fn moment(&mut self) -> Moment {
        Moment { boot_ns: self.number(), raw_ns: self.number() }
    }

    fn presence(&mut self) -> Presence {
        let echo = Echo { reading: self.moment(), held: self.span() };
        Presence {
            term: Term(self.number()),
            position: self.position(),
            storage: self.storage(),
            is_vote_ready: self.pick(2) == 0,
            is_electable: self.pick(2) == 0,
            follows: self.maybe_name(),
            hears: (0..self.pick(9)).map(|_| self.name()).collect(),
            reading: self.moment(),
            echo: (self.pick(2) == 0).then_some(echo),
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
        if self.pick(2) == 0 { Verdict::Granted } else { Verdict::Refused(self.refusal()) }
    }

    fn candidacy(&mut self) -> Candidacy {
        let released = Released { holder: self.name(), term: Term(self.number()) };
        Candidacy {
            term: Term(self.number()),
            position: self.position(),
            storage: self.storage(),
            nonce: Nonce(self.number()),
            release: (self.pick(2) == 0).then_some(released),
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

    fn heartbeat(&mut self) -> Heartbeat {
        Heartbeat {
            term: Term(self.number()),
            sequence: self.number(),
            promise: Duration::from_nanos(1 + self.pick(300_000_000_000)),
            position: self.position(),
            hash: self.hash(),
            committed: self.position(),
            is_acting: self.pick(2) == 0,
            presence: self.presence(),
        }
    }

    fn heartbeat_ack(&mut self) -> HeartbeatAck {
        HeartbeatAck {
            term: Term(self.number()),
            sequence: self.number(),
            position: self.position(),
            hash: self.hash(),
            verdict: self.verdict(),
            presence: self.presence(),
        }
    }

    fn handover_reply(&mut self) -> HandoverReply {
        let refusals = [HandoverRefusal::NotMaster, HandoverRefusal::SeesNoMajority];
        let begun = match self.pick(3) {
            0 => Ok(self.name()),
            n => Err(refusals[n as usize - 1].clone()),
        };
        HandoverReply { nonce: Nonce(self.number()), begun }
    }

    fn message(&mut self) -> Message {
        let body = ["cluster: shop\n\"q\" \\ é\n", "", "one line"][self.pick(3) as usize];
        match self.pick(15) {
            0 => Message::Beat(self.presence()),
            1 => Message::Heartbeat(self.heartbeat()),
            2 => Message::HeartbeatAck(self.heartbeat_ack()),
            3 => Message::PreVote(self.candidacy()),
            4 => Message::PreVoteReply(self.ballot()),
            5 => Message::Vote(self.candidacy()),
            6 => Message::VoteReply(self.ballot()),
            7 => Message::Append(Append { term: Term(self.number()), document: document(body) }),
            8 => Message::AppendAck(AppendAck {
                term: Term(self.number()),
                position: self.position(),
                hash: self.hash(),
                storage: self.storage(),
            }),
            9 => Message::Fetch(Fetch { have: self.position() }),
            10 => Message::Offer(Offer { document: document(body) }),
            11 => Message::Release(self.release()),
            12 => Message::TimeoutNow(self.release()),
            13 => {
                Message::Handover(Handover { nonce: Nonce(self.number()), to: self.maybe_name() })
            }
            _ => Message::HandoverReply(self.handover_reply()),
        }
    }

    fn release(&mut self) -> Release {
        Release { term: Term(self.number()), successor: self.maybe_name() }
    }
}

fn read(bytes: &[u8]) -> Result<Message, WireError> {
    decode(bytes, &charter_of)
}

fn read_text(text: &str) -> Result<Message, WireError> {
    read(text.as_bytes())
}

#[test]
fn every_message_comes_back_as_it_went() {
    let mut any = Any(Chance::new(1));
    for _ in 0..3_000 {
        let message = any.message();
        assert_eq!(read(&encode(&message)).as_ref(), Ok(&message));
    }
}

#[test]
fn every_message_without_a_document_fits_its_frame() {
    let mut any = Any(Chance::new(2));
    for _ in 0..3_000 {
        let mut ack = any.heartbeat_ack();
        ack.presence.hears = vec![id(&"x".repeat(64)); 9].into();
        let size = encode(&Message::HeartbeatAck(ack)).len();
        assert!(size <= Class::Message.limit() / 2, "{size} bytes");
    }
}

#[test]
fn damaged_and_cut_messages_are_refused_or_read_but_never_panic() {
    let mut any = Any(Chance::new(3));
    for _ in 0..2_000 {
        let bytes = encode(&any.message());
        let at = any.pick(bytes.len() as u64) as usize;
        let mut damaged = bytes.clone();
        damaged[at] ^= 1 << any.pick(8);
        // A flipped digit is still a number: the transport, not the codec, detects that.
        let _ = read(&damaged);
        let is_inside_the_line = bytes[..at].iter().all(|byte| *byte != b'\n');
        assert!(!is_inside_the_line || read(&bytes[..at]).is_err());
    }
}

#[test]
fn unknown_fields_are_skipped_and_unknown_messages_refused() {
    let fetch = r#"{"fetch":{"have":{"term":4,"version":17,"new":[{"deep":[1]}]},"newer":null}}"#;
    let have = Position { term: Term(4), version: 17 };
    assert_eq!(read_text(fetch), Ok(Message::Fetch(Fetch { have })));
    assert!(matches!(read_text(r#"{"gossip":{}}"#), Err(WireError::Malformed(_))));
}

#[test]
fn missing_repeated_and_trailing_parts_are_refused() {
    for text in [
        "",
        "{}",
        "null",
        r#"{"fetch":{}}"#,
        r#"{"fetch":{"have":{"term":4}}}"#,
        r#"{"fetch":{"have":{"term":4,"term":4,"version":1}}}"#,
        r#"{"fetch":{"have":{"term":4,"version":1}},"fetch":{"have":{"term":4,"version":1}}}"#,
        r#"{"fetch":{"have":{"term":4,"version":1}}}x"#,
        r#"{"fetch":{"have":{"term":-1,"version":1}}}"#,
        r#"{"fetch":{"have":{"term":18446744073709551616,"version":1}}}"#,
        r#"{"fetch":{"have":{"term":1e3,"version":1}}}"#,
    ] {
        assert!(matches!(read_text(text), Err(WireError::Malformed(_))), "{text}");
    }
    let trailing = "{\"fetch\":{\"have\":{\"term\":4,\"version\":1}}}\n";
    assert_eq!(read_text(trailing), Err(WireError::Trailing));
}

#[test]
fn forbidden_names_are_refused_and_not_repeated() {
    for name in ["", "a b", "a\\u0000", "\\u202eab", "a/b", &"x".repeat(65), &"y".repeat(3_000)] {
        let text = format!(r#"{{"handover":{{"nonce":1,"to":"{name}"}}}}"#);
        let Err(WireError::Malformed(why)) = read_text(&text) else { panic!("{name} was taken") };
        assert!(why.is_ascii() && why.len() < 300, "{why}");
    }
}

#[test]
fn control_characters_of_a_peer_never_reach_the_log() {
    let error = read(b"{\"\\u001b[2J\\n\":{}}").unwrap_err().to_string();
    assert!(!error.contains(['\u{1b}', '\n']), "{error:?}");
    let error = read(&encode(&Message::Offer(Offer { document: document("bad") }))).unwrap_err();
    assert!(error.to_string().contains("line 1: bad\\u{1b}[2J"), "{error}");
}

#[test]
fn more_than_64_names_are_refused() {
    let mut presence = Any(Chance::new(4)).presence();
    presence.hears = vec![id("a"); 64].into();
    assert!(read(&encode(&Message::Beat(presence.clone()))).is_ok());
    presence.hears = vec![id("a"); 65].into();
    assert!(read(&encode(&Message::Beat(presence))).is_err());
}

#[test]
fn a_promise_of_nothing_or_of_years_is_refused() {
    for promise in [Duration::ZERO, Duration::from_secs(301), Duration::from_secs(315_360_000)] {
        let mut heartbeat = Any(Chance::new(5)).heartbeat();
        heartbeat.promise = promise;
        let outcome = read(&encode(&Message::Heartbeat(heartbeat)));
        assert_eq!(outcome, Err(WireError::PromiseOutOfRange));
    }
}

#[test]
fn a_document_whose_bytes_are_not_those_of_its_hash_is_refused() {
    let mut bytes = encode(&Message::Offer(Offer { document: document("cluster: shop") }));
    *bytes.last_mut().unwrap() ^= 1;
    assert_eq!(read(&bytes), Err(WireError::HashMismatch));
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap();
    assert_eq!(read(&bytes[..end]), Err(WireError::NoBody));
    *bytes.last_mut().unwrap() = 0xff;
    assert_eq!(read(&bytes), Err(WireError::BodyNotText));
}

#[test]
fn a_document_of_one_mebibyte_fits_and_a_larger_one_is_refused() {
    let largest = encode(&Message::Offer(Offer { document: document(&"\n".repeat(BODY_MAX)) }));
    assert!(header(Class::Document, &largest).is_ok());
    assert!(read(&largest).is_ok());
    let body = "\n".repeat(BODY_MAX + 1);
    let outcome = read(&encode(&Message::Offer(Offer { document: document(&body) })));
    assert_eq!(outcome, Err(WireError::BodyTooLarge(BODY_MAX + 1)));
}

#[test]
fn brackets_a_hundred_thousand_deep_are_refused_without_recursion() {
    let deep = "[".repeat(100_000);
    assert!(read_text(&deep).is_err());
    let skipped = format!(r#"{{"fetch":{{"have":{{"term":4,"version":1}},"new":{deep}"#);
    assert!(read_text(&skipped).is_err());
}
