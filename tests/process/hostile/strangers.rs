//! Callers that prove no key of the cluster: closed, told nothing, counted in one line each.
//! Never has a key that the document lists; `intruders` do.
//!
//! Each calls from an address of its own, since the daemon writes one line per address and while:
//! that line is how a test knows that the attack arrived and what it was taken for.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;

use quorate::daemon::tls::{self, Keys, Trust};
use quorate::protocol::units::NodeId;
use rcgen::{CertificateParams, CustomExtension, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ED25519};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, ClientConnection};

use super::super::cluster::Cluster;
use super::actor::Actor;
use super::canary::{Canary, log, wait_for_line};
use super::peer::{Peer, honest};
use super::scene::without;
use super::session::{call, heard_until_closed, id};

/// What somebody does with a connection.
type Act = Box<dyn Fn(&mut TcpStream, &Cast)>;

/// Somebody who calls: from where, what for, and what the daemon makes of it.
struct Stranger {
    /// The row, and what it does.
    name: &'static str,
    /// What the daemon's line about it says.
    words: &'static str,
    /// What it does with its connection.
    act: Act,
}

/// What strangers can know: where the daemon listens and what its certificate is.
struct Cast {
    target: NodeId,
    trust: Arc<Trust>,
}

impl Cast {
    fn at(cluster: &Cluster, target: &str) -> Self {
        let actor = Actor::of(&cluster.nodes[0].state());
        let trust = Arc::new(Trust::default());
        trust.set(actor.members.iter());
        Self { target: id(target), trust }
    }

    /// How a stranger named `name` with a new key calls.
    fn config(&self, name: &str) -> ClientConfig {
        let keys = Keys::generate(&id(name));
        let config = tls::dialing(&keys, &self.trust, &self.target);
        (*config.expect("the key is sound")).clone()
    }

    /// The same, but with that certificate, `copies` times.
    fn showing(&self, pair: &KeyPair, params: CertificateParams, copies: usize) -> ClientConfig {
        let certificate = params.self_signed(pair).expect("a key signs its own certificate");
        let chain: Vec<CertificateDer<'static>> = vec![certificate.der().clone(); copies];
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(pair.serialize_der()));
        let key = rustls::crypto::ring::sign::any_supported_type(&key).expect("ring made it");
        let certified = SingleCertAndKey::from(CertifiedKey::new(chain, key));
        let mut config = self.config("x");
        config.client_auth_cert_resolver = Arc::new(certified);
        config
    }
}

fn client(config: ClientConfig) -> ClientConnection {
    let name = "quorate".try_into().expect("it is a name");
    ClientConnection::new(Arc::new(config), name).expect("the configuration is sound")
}

/// The bytes with which a client begins.
fn first_flight(config: ClientConfig) -> Vec<u8> {
    let mut bytes = Vec::new();
    client(config).write_tls(&mut bytes).expect("a vector takes everything");
    bytes
}

/// As much of a handshake as the daemon lets happen.
fn shake(stream: &mut TcpStream, config: ClientConfig) {
    let mut tls = client(config);
    // The daemon refuses, as its log says; with what, does not matter here.
    drop(tls.complete_io(stream));
    drop(tls.complete_io(stream));
}

/// Says the bytes as far as the daemon takes them: it may close before the last one.
fn say(stream: &mut TcpStream, bytes: &[u8]) {
    drop(stream.write_all(bytes));
}

fn bytes(name: &'static str, words: &'static str, bytes: Vec<u8>) -> Stranger {
    Stranger { name, words, act: Box::new(move |stream, _| say(stream, &bytes)) }
}

fn keyed(
    name: &'static str,
    words: &'static str,
    config: impl Fn(&Cast) -> ClientConfig + 'static,
) -> Stranger {
    Stranger { name, words, act: Box::new(move |stream, cast| shake(stream, config(cast))) }
}

/// A handshake record with that ClientHello: version, extensions.
fn client_hello(version: u8, extensions: &[u8]) -> Vec<u8> {
    let mut body = vec![3, version];
    body.extend([7; 32]);
    // No session, one cipher suite of that time, no compression.
    body.extend([0, 0, 2, 0x13, 1, 1, 0]);
    body.extend(u16::try_from(extensions.len()).expect("it fits").to_be_bytes());
    body.extend(extensions);
    let mut message = vec![1];
    message.extend(&u32::try_from(body.len()).expect("it fits").to_be_bytes()[1..]);
    message.extend(body);
    let record = |part: &[u8]| {
        let length = u16::try_from(part.len()).expect("a record is small");
        [&[0x16, 3, 1][..], &length.to_be_bytes(), part].concat()
    };
    message.chunks(1 << 14).flat_map(record).collect()
}

/// What the daemon makes of a key that the document does not list.
const UNKNOWN: &str = "unknown key: it presented SHA256:";

/// Callers that do not speak TLS, or not ours (H03-H07).
fn speechless() -> Vec<Stranger> {
    const NO_TLS: &str = "it does not speak quorate (no TLS)";
    let extensions: Vec<u8> = (0x5000..0x5000 + 10_000_u16)
        .flat_map(|kind| [kind.to_be_bytes(), [0, 0]].concat())
        .collect();
    // What every client says: how it can sign. Without it nothing else is looked at.
    const SIGNATURES: [u8; 8] = [0, 13, 0, 4, 0, 2, 8, 7];
    let renegotiation = [&SIGNATURES[..], &[0xff, 1, 0, 1, 0]].concat();
    let extensions = [&SIGNATURES[..], &extensions].concat();
    let mut huge = [&[0x16, 3, 1, 0x40, 0][..], &[0; 0x4000]].concat().repeat(4);
    huge[5..9].copy_from_slice(&[1, 0, 0xff, 0xfc]);
    vec![
        bytes("H03 HTTP", NO_TLS, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_vec()),
        bytes("H03 SSH", NO_TLS, b"SSH-2.0-OpenSSH_9.9\r\n".to_vec()),
        bytes("H03 SSLv2", NO_TLS, vec![0x80, 0x2e, 1, 0, 2, 0, 0x15, 0, 0, 0, 16]),
        bytes("H03 noise", NO_TLS, vec![0xff; 70_000]),
        bytes("H03 TLS 1.0", "SignatureAlgorithms", client_hello(1, &[])),
        bytes("H03 TLS 1.2", "SupportedVersions", client_hello(3, &SIGNATURES)),
        bytes("H06 renegotiation", "SupportedVersions", client_hello(3, &renegotiation)),
        bytes("H05 10 000 extensions", "SupportedVersions", client_hello(3, &extensions)),
        bytes("H05 a hello of 64 KiB", "message buffer full", huge),
        bytes("H05 a record too large", "corrupt", vec![0x16, 3, 1, 0xff, 0xff]),
        bytes("H07 empty records", "corrupt", [0x16, 3, 1, 0, 0].repeat(1_000)),
        bytes(
            "H07 warnings",
            "got Alert when expecting Handshake",
            [0x15, 3, 3, 0, 2, 1, 90].repeat(1_000),
        ),
        bytes("H07 cipher changes", "", [0x14, 3, 3, 0, 1, 1].repeat(1_000)),
    ]
}

/// Callers that begin a handshake as they should, and stop, or stutter (H04, H05).
fn halfhearted() -> Vec<Stranger> {
    let closing = Stranger {
        name: "H04 close_notify after the hello",
        words: "CloseNotify",
        act: Box::new(|stream, cast| {
            say(stream, &first_flight(cast.config("x")));
            say(stream, &[0x15, 3, 3, 0, 2, 1, 0]);
            drop(stream.shutdown(Shutdown::Write));
        }),
    };
    let half = Stranger {
        name: "H04 the end inside the hello",
        words: "closed by the other side",
        act: Box::new(|stream, cast| {
            let bytes = first_flight(cast.config("x"));
            say(stream, &bytes[..bytes.len() / 2]);
            drop(stream.shutdown(Shutdown::Write));
        }),
    };
    let bytewise = Stranger {
        name: "H05 one byte at a time",
        words: UNKNOWN,
        act: Box::new(|stream, cast| {
            stream.set_nodelay(true).expect("it is a socket");
            let mut config = cast.config("x");
            config.max_fragment_size = Some(32);
            let mut tls = client(config);
            while tls.is_handshaking() || tls.wants_write() {
                let mut flight = Vec::new();
                while tls.wants_write() {
                    tls.write_tls(&mut flight).expect("a vector takes everything");
                }
                flight.chunks(1).for_each(|byte| say(stream, byte));
                if !tls.is_handshaking() {
                    return;
                }
                tls.read_tls(stream).expect("the daemon goes on until it sees the key");
                tls.process_new_packets().expect("its handshake is sound");
            }
        }),
    };
    vec![closing, half, bytewise]
}

/// Callers whose key is nobody's (H09).
fn wrong_keys() -> Vec<Stranger> {
    let ed25519 = || KeyPair::generate_for(&PKCS_ED25519).expect("there are random bytes");
    vec![
        keyed("H09 no key", "peer sent no certificates", |cast| {
            let mut config = cast.config("x");
            config.client_auth_cert_resolver = Arc::new(NoKey);
            config
        }),
        keyed("H09 an unknown key", UNKNOWN, |cast| cast.config("x")),
        keyed("H09 the right name, another key", UNKNOWN, |cast| cast.config("bravo")),
        keyed("H09 expired", UNKNOWN, move |cast| {
            let mut params = CertificateParams::default();
            params.not_after = rcgen::date_time_ymd(1999, 12, 31);
            cast.showing(&ed25519(), params, 1)
        }),
        keyed("H09 a certificate of 20 kB", UNKNOWN, move |cast| {
            let mut params = CertificateParams::default();
            let filling =
                CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 99], vec![7; 20_000]);
            params.custom_extensions.push(filling);
            cast.showing(&ed25519(), params, 1)
        }),
        keyed("H09 a chain of 200", UNKNOWN, move |cast| {
            cast.showing(&ed25519(), CertificateParams::default(), 200)
        }),
        keyed("H09 a key of another kind", "", move |cast| {
            let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("ring can");
            cast.showing(&pair, CertificateParams::default(), 1)
        }),
    ]
}

#[derive(Debug)]
struct NoKey;

impl rustls::client::ResolvesClientCert for NoKey {
    fn resolve(&self, _: &[&[u8]], _: &[rustls::SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        None
    }

    fn has_certs(&self) -> bool {
        false
    }
}

/// An address of this cluster's corner that no node has.
pub(super) fn source(cluster: &Cluster, number: usize) -> String {
    let corner = cluster.nodes[0].address.rsplit_once('.').expect("it is an address").0;
    format!("{corner}.{}", 100 + number)
}

/// H03, H04, H05, H06, H07, H09
#[test]
fn whoever_proves_no_key_is_refused_by_name_and_moves_nothing() {
    let cluster = without(3, &["charlie"]);
    let canary = Canary::over(&cluster);
    let target = canary.reign().0.to_owned();
    let address = cluster.nodes.iter().find(|node| node.name == target).unwrap().address.clone();
    let cast = Cast::at(&cluster, &target);
    let mut mistaken = Vec::new();
    for (number, stranger) in
        speechless().into_iter().chain(halfhearted()).chain(wrong_keys()).enumerate()
    {
        let source = source(&cluster, number);
        let mut stream = call(&address, Some(&source));
        (stranger.act)(&mut stream, &cast);
        heard_until_closed(&mut stream);
        let line = wait_for_line(&cluster, &target, &[&format!("refused {source}:")]);
        if !line.contains(stranger.words) {
            mistaken.push(format!("{}, not for `{}`: {line}", stranger.name, stranger.words));
        }
    }
    assert!(mistaken.is_empty(), "taken for something else:\n{}", mistaken.join("\n"));
    canary.sings(&cluster);
    canary.recovers();
}

/// H01, H02
#[test]
fn whoever_does_not_get_on_with_it_is_closed_after_five_seconds() {
    let cluster = without(3, &["charlie"]);
    let canary = Canary::over(&cluster);
    let target = canary.reign().0.to_owned();
    let address = cluster.nodes.iter().find(|node| node.name == target).unwrap().address.clone();
    let cast = Cast::at(&cluster, &target);
    let [mute, trickling, halted] = [0, 1, 2].map(|number| source(&cluster, number));
    let mut silent = call(&address, Some(&mute));
    let mut halfway = call(&address, Some(&halted));
    say(&mut halfway, &first_flight(cast.config("x")));
    let mut slow = call(&address, Some(&trickling));
    // A handshake record of 16 KiB, a byte now and then, until the daemon has enough of it.
    let mut record =
        [0x16, 3, 1, 0x40, 0, 1, 0, 0x3f, 0xfc].into_iter().chain(std::iter::repeat(3));
    while slow.write_all(&[record.next().unwrap()]).is_ok() {
        std::thread::park_timeout(std::time::Duration::from_millis(50));
        canary.is_lean(&cluster);
    }
    heard_until_closed(&mut silent);
    heard_until_closed(&mut halfway);
    for source in [mute, trickling, halted] {
        let refused = format!("refused {source}:");
        wait_for_line(&cluster, &target, &[&refused, "the handshake took too long"]);
    }
    canary.sings(&cluster);
    canary.recovers();
}

/// H01, H22
#[test]
fn three_hundred_strangers_at_once_keep_no_member_and_no_person_out() {
    let cluster = without(3, &["charlie"]);
    let canary = Canary::over(&cluster);
    let target = canary.reign().0.to_owned();
    let address = cluster.nodes.iter().find(|node| node.name == target).unwrap().address.clone();
    let from = source(&cluster, 0);
    let strangers: Vec<_> = (0..300).map(|_| call(&address, Some(&from))).collect();
    canary.is_served(&cluster);
    // A member that was never heard before gets in.
    let charlie = Peer::playing(&cluster, "charlie", honest());
    wait_for_line(&cluster, &target, &["charlie is connected from"]);
    canary.sings(&cluster);
    let sent_away = strangers.iter().filter(|stream| {
        stream.set_nonblocking(true).unwrap();
        let outcome = (&**stream).read(&mut [0]);
        !matches!(outcome, Err(error) if error.kind() == ErrorKind::WouldBlock)
    });
    assert!(sent_away.count() >= 300 - 64, "more than 64 strangers are kept");
    wait_for_line(&cluster, &target, &[&from, "too many callers that prove no key"]);
    let refused = format!("refused {from}:");
    let lines = log(&cluster, &target).matches(&refused).count();
    assert!(lines <= 4, "{lines} lines about one flood");
    drop((strangers, charlie));
    canary.recovers();
}
