//! Callers that prove a member's key, whose own daemon does not run, and then break the rules.
//! Never says what a broken member could mean; `lies` does. Here every byte is out of place.
//!
//! Each calls from an address of its own: the daemon's line names it, and so the test knows that
//! the attack arrived and what it was taken for.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use quorate::protocol::message::{Fetch, Heartbeat, Message, Offer};
use quorate::protocol::units::{ClusterId, Position, Term};
use quorate::wire::codec::encode;
use quorate::wire::frame::Class;
use quorate::wire::hello::Hello;

use super::super::cluster::Cluster;
use super::actor::Actor;
use super::canary::{Canary, log, wait_for_line};
use super::peer::Peer;
use super::scene::without;
use super::session::{Session, call, framed, heard_until_closed, id, spelled};
use super::strangers::source;

/// What a caller with charlie's key says: all of it before, or after, the hello.
struct Intruder {
    /// The row, and what it does.
    name: &'static str,
    /// Whether it says the right hello first.
    is_greeted: bool,
    bytes: Vec<u8>,
    /// What the daemon's line about it says.
    words: &'static str,
}

/// The daemons and the key of charlie, who is played.
struct House {
    cluster: Cluster,
    canary: Canary,
    charlie: Peer,
    target: String,
}

impl House {
    fn new() -> Self {
        let cluster = without(3, &["charlie"]);
        let canary = Canary::over(&cluster);
        let charlie = Peer::calling(&cluster, "charlie", Box::new(|_, _, _| Vec::new()));
        let target = canary.reign().0.to_owned();
        Self { cluster, canary, charlie, target }
    }

    fn session(&self, number: usize) -> Session {
        self.charlie.session(&self.target, Some(&source(&self.cluster, number)))
    }

    /// A session that the daemon has taken for charlie's.
    fn greeted(&self, number: usize) -> Session {
        let mut session = self.session(number);
        session.greet(&self.hello()).unwrap();
        let source = session.source().to_string();
        wait_for_line(&self.cluster, &self.target, &["charlie is connected from", &source]);
        session
    }

    fn hello(&self) -> Hello {
        self.charlie.actor().hello()
    }

    /// The daemon's line about why it ended the session from there, once it is written.
    fn line_about(&self, number: usize, is_greeted: bool) -> String {
        let source = source(&self.cluster, number);
        let about = match is_greeted {
            true => format!("the connection of charlie from {source}:"),
            false => format!("refused {source}:"),
        };
        wait_for_line(&self.cluster, &self.target, &[&about])
    }

    /// Checks that line.
    fn says(&self, number: usize, is_greeted: bool, words: &str) {
        let line = self.line_about(number, is_greeted);
        assert!(line.contains(words), "`{words}` is not in: {line}");
    }
}

fn greeting(name: &'static str, words: &'static str, hello: &Hello) -> Intruder {
    let bytes = framed(Class::Hello, &hello.encode());
    Intruder { name, is_greeted: false, bytes, words }
}

fn raw(name: &'static str, words: &'static str, bytes: &[u8]) -> Intruder {
    Intruder { name, is_greeted: true, bytes: bytes.to_vec(), words }
}

fn line(name: &'static str, words: &'static str, json: &str) -> Intruder {
    raw(name, words, &framed(Class::Message, json.as_bytes()))
}

fn fetch() -> Message {
    Message::Fetch(Fetch { have: Position { term: Term(u64::MAX), version: 1 } })
}

/// Wrong hellos (H12, H13, H21).
fn wrong_hellos(actor: &Actor) -> Vec<Intruder> {
    let changed = |change: fn(&mut Hello)| {
        let mut hello = actor.hello();
        change(&mut hello);
        hello
    };
    let early = |name, words, bytes| Intruder { name, is_greeted: false, bytes, words };
    vec![
        greeting("H12 cluster", "other cluster", &changed(|h| h.cluster = ClusterId([9; 16]))),
        greeting("H12 generation", "other generation", &changed(|h| h.generation = 99)),
        greeting("H12 name", "it calls itself alpha", &changed(|h| h.node = id("alpha"))),
        greeting("H13 version 0", "protocol version 0", &changed(|h| h.version = 0)),
        greeting("H13 version 9999", "protocol version 9999", &changed(|h| h.version = 9_999)),
        early("H21 a message first", "a Message frame where none belongs", spelled(&fetch())),
        early("H21 no hello", "no valid hello", framed(Class::Hello, b"{}")),
        early("H14 a hello of 1 GiB", "a Hello frame of 1073741824 bytes", vec![b'H', 64, 0, 0, 0]),
    ]
}

/// Wrong frames (H14, H16, H21, H28).
fn wrong_frames(actor: &Actor) -> Vec<Intruder> {
    let hello = framed(Class::Hello, &actor.hello().encode());
    let offer = Message::Offer(Offer { document: actor.document.clone() });
    let with_tail = [&encode(&fetch())[..], b"\nx"].concat();
    let misplaced = framed(Class::Document, &encode(&fetch()));
    let nested = [b"{\"fetch\":{\"x\":".to_vec(), vec![b'['; 100_000]].concat();
    vec![
        raw("H14 length 0", "an empty frame", &[b'M', 0, 0, 0, 0]),
        raw("H14 length 1", "not a message", &[b'M', 0, 0, 0, 1, b'{']),
        raw("H14 the limit", "not a message", &framed(Class::Message, &[b' '; 4 << 10])),
        raw("H14 the limit and one", "a Message frame of 4097 bytes", &[b'M', 0, 0, 0x10, 1]),
        raw("H14 2^32-1", "a Document frame of 4294967295", &[b'D', 255, 255, 255, 255]),
        raw("H16 class", "a frame of unknown class 0x00", &[0, 0, 0, 0, 1]),
        line("H16 kind", "unknown variant `gossip`", "{\"gossip\":{}}"),
        line("H16 twice", "duplicate field", "{\"fetch\":{\"have\":{\"term\":1,\"term\":1}}}"),
        raw("H16 tail", "bytes after the end", &framed(Class::Message, &with_tail)),
        raw("H16 frame", "a Document frame where none belongs", &misplaced),
        raw(
            "H16 no body",
            "a document without its body",
            &framed(Class::Document, &{
                let bytes = encode(&offer);
                bytes[..bytes.iter().position(|byte| *byte == b'\n').unwrap()].to_vec()
            }),
        ),
        raw(
            "H16 small",
            "a Message frame where none belongs",
            &framed(Class::Message, &encode(&offer)),
        ),
        raw("H21 two hellos", "a Hello frame where none belongs", &hello),
        raw("H28 deep", "EOF while parsing a list", &framed(Class::Document, &nested)),
        raw("H28 shallow", "EOF while parsing a list", &framed(Class::Message, &nested[..4 << 10])),
    ]
}

/// Wrong words and numbers (H17, H18).
fn wrong_words(actor: &Actor) -> Vec<Intruder> {
    const NAME: &str = "not a message";
    let heartbeat = |name, promise| {
        let beat = Heartbeat { promise, ..actor.heartbeat(Term(1)) };
        let bytes = spelled(&Message::Heartbeat(beat));
        raw(name, "a heartbeat with an impossible promise", &bytes)
    };
    let long = format!("{{\"handover\":{{\"nonce\":1,\"to\":\"{}\"}}}}", "x".repeat(65));
    vec![
        raw("H17 no UTF-8", NAME, &framed(Class::Message, &[0xff; 100])),
        line("H17 NUL", NAME, "{\"handover\":{\"nonce\":1,\"to\":\"a\\u0000b\"}}"),
        line("H17 right to left", NAME, "{\"handover\":{\"nonce\":1,\"to\":\"\\u202egpj\"}}"),
        line("H17 a forged line", NAME, "{\"a\\n2026 ERROR alpha forged\\u001b[31m\":{}}"),
        line("H17 a long name", NAME, &long),
        line(
            "H18 a term of 65 bits",
            NAME,
            "{\"fetch\":{\"have\":{\"term\":18446744073709551616}}}",
        ),
        line("H18 a negative term", NAME, "{\"fetch\":{\"have\":{\"term\":-1,\"version\":1}}}"),
        heartbeat("H18 no promise", Duration::ZERO),
        heartbeat("H18 a promise of ten years", Duration::from_secs(10 * 365 * 86_400)),
        heartbeat("H18 a promise of all time", Duration::MAX),
    ]
}

/// H12, H13, H14, H16, H17, H18, H21, H28
#[test]
fn whoever_breaks_the_rules_with_a_good_key_is_closed_by_name_and_moves_nothing() {
    let house = House::new();
    let actor = house.charlie.actor();
    let intruders =
        wrong_hellos(actor).into_iter().chain(wrong_frames(actor)).chain(wrong_words(actor));
    let mut mistaken = Vec::new();
    for (number, intruder) in intruders.enumerate() {
        let mut session =
            if intruder.is_greeted { house.greeted(number) } else { house.session(number) };
        // The daemon may close before the last byte.
        drop(session.say(&intruder.bytes));
        session.until_closed();
        let line = house.line_about(number, intruder.is_greeted);
        if !line.contains(intruder.words) {
            mistaken.push(format!("{}, not for `{}`: {line}", intruder.name, intruder.words));
        }
    }
    assert!(mistaken.is_empty(), "taken for something else:\n{}", mistaken.join("\n"));
    let log = log(&house.cluster, &house.target);
    assert!(!log.chars().any(|c| c.is_control() && c != '\n'), "{log}");
    assert!(!log.lines().any(|line| line.starts_with("2026 ERROR alpha forged")), "{log}");
    house.canary.sings(&house.cluster);
    house.canary.recovers();
}

/// H02, H15
#[test]
fn a_frame_or_a_hello_that_is_promised_and_not_sent_is_given_five_seconds() {
    let house = House::new();
    let mut hello = house.session(0);
    hello.say(&[b'H', 0, 0]).unwrap();
    let mut frame = house.greeted(1);
    frame.say(&[b'D', 0, 0x10, 0, 0, b'{', b'"', b'o']).unwrap();
    hello.until_closed();
    frame.until_closed();
    house.says(0, false, "the rest of a frame took too long");
    house.says(1, true, "the rest of a frame took too long");
    house.canary.sings(&house.cluster);
    house.canary.recovers();
}

/// Passes bytes on and keeps a copy of all that the caller says.
struct Tap {
    stream: TcpStream,
    said: Vec<u8>,
}

impl Read for Tap {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        self.stream.read(into)
    }
}

impl Write for Tap {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let count = self.stream.write(bytes)?;
        self.said.extend_from_slice(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.stream.flush()
    }
}

/// H19, H20
#[test]
fn what_was_recorded_is_worth_nothing_in_its_session_or_in_another() {
    let house = House::new();
    let address = &house.cluster.nodes.iter().find(|n| n.name == house.target).unwrap().address;
    let config = house.charlie.dialing(&house.target);
    let tls = rustls::ClientConnection::new(config, "quorate".try_into().unwrap()).unwrap();
    let stream = call(address, Some(&source(&house.cluster, 1)));
    let mut session = rustls::StreamOwned::new(tls, Tap { stream, said: Vec::new() });
    let mut hello = [0; 5];
    session.read_exact(&mut hello).unwrap();
    let mut rest = vec![0; usize::from(hello[4]) | usize::from(hello[3]) << 8];
    session.read_exact(&mut rest).unwrap();
    session.write_all(&framed(Class::Hello, &house.hello().encode())).unwrap();
    let before = session.sock.said.len();
    session.write_all(&spelled(&fetch())).unwrap();
    let (whole, record) = (session.sock.said.clone(), session.sock.said[before..].to_vec());
    // The same record once more in its own session: its number is used up.
    session.sock.stream.write_all(&record).unwrap();
    heard_until_closed(&mut session.sock.stream);
    house.says(1, true, "cannot decrypt peer");
    // The whole session once more: the daemon's part of the handshake is another one now.
    let mut stream = call(address, Some(&source(&house.cluster, 2)));
    drop(stream.write_all(&whole));
    heard_until_closed(&mut stream);
    house.says(2, false, "cannot decrypt peer");
    house.canary.sings(&house.cluster);
    house.canary.recovers();
}

/// H23
#[test]
fn of_two_sessions_of_one_member_the_newer_counts_and_two_processes_are_told_of() {
    let house = House::new();
    let mut older = house.greeted(0);
    let mut newer = house.session(1);
    let mut hello = house.hello();
    hello.instance += 1;
    newer.greet(&hello).unwrap();
    older.until_closed();
    let words = ["charlie came back as a new process from", "two daemons use its identity"];
    wait_for_line(&house.cluster, &house.target, &words);
    newer.say(&[0; 5]).unwrap();
    newer.until_closed();
    house.says(1, true, "a frame of unknown class 0x00");
    house.canary.sings(&house.cluster);
    house.canary.recovers();
}

/// H07, H08
#[test]
fn key_updates_without_end_are_ended_and_no_session_is_resumed() {
    let house = House::new();
    let mut session = house.greeted(0);
    assert_eq!(session.tls().tls13_tickets_received(), 0);
    assert!(session.tls().early_data().is_none());
    let mut updates = 0;
    while session.tls().refresh_traffic_keys().is_ok() && session.say(b"").is_ok() {
        updates += 1;
        if updates == 2_000 {
            break;
        }
    }
    assert!(updates > 0, "not one key update was made");
    session.until_closed();
    house.says(0, true, "TooManyKeyUpdateRequests");
    house.canary.sings(&house.cluster);
    house.canary.recovers();
}

/// P12: what a member's comings and goings may cost.
#[test]
fn a_member_that_comes_and_goes_without_end_does_not_fill_the_log() {
    let house = House::new();
    for _ in 0..150 {
        let mut session = house.session(0);
        session.greet(&house.hello()).unwrap();
        session.say(&[0; 5]).unwrap();
        session.until_closed();
    }
    house.canary.sings(&house.cluster);
    house.canary.recovers();
}
