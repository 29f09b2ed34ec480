//! Two real networks over loopback TLS, and what strangers and broken peers do to them.

mod hostile;
mod observers;
mod skew;

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use quorate::daemon::events::Remark;
use quorate::daemon::network::{Delivery, Network, NetworkOptions, Sighting};
use quorate::daemon::tls::{self, Keys, Trust};
use quorate::daemon::waiting::Deadline;
use quorate::protocol::durable::Identity;
use quorate::protocol::effects::Input;
use quorate::protocol::membership::{Member, MemberRole};
use quorate::protocol::message::{Envelope, Fetch, Message, Offer};
use quorate::protocol::units::{ClusterId, NodeId, Position, StorageId, Term};
use quorate::wire::codec::encode;
use quorate::wire::frame::{Class, header};
use quorate::wire::hello::Hello;
use rustls::{ClientConnection, ServerConnection, StreamOwned};

use super::wire::{charter_of, document, id};

/// Whatever does not happen within this does not happen.
const PATIENCE: Duration = Duration::from_secs(15);

/// Looks again and again until `holds`; never for longer than [`PATIENCE`].
#[track_caller]
fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Deadline::after(PATIENCE);
    while !holds() {
        assert!(!deadline.has_passed(), "waited in vain: {what}");
        std::thread::park_timeout(Duration::from_millis(2));
    }
}

#[derive(Default)]
struct Inbox {
    inputs: Mutex<Vec<Input>>,
    remarks: Mutex<Vec<Remark>>,
    arrived: Condvar,
}

impl Delivery for Inbox {
    fn deliver(&self, input: Input) {
        self.inputs.lock().unwrap().push(input);
        self.arrived.notify_all();
    }

    fn say(&self, remark: Remark) {
        self.remarks.lock().unwrap().push(remark);
    }
}

impl Inbox {
    /// Waits for that many remarks of that code, and for no more of them.
    #[track_caller]
    fn wait_for_remarks(&self, code: &str, count: usize) -> Vec<Remark> {
        let all = || -> Vec<Remark> {
            let remarks = self.remarks.lock().unwrap();
            remarks.iter().filter(|remark| remark.code == code).cloned().collect()
        };
        wait_until(code, || all().len() >= count);
        assert_eq!(all().len(), count, "{:?}", all());
        all()
    }

    #[track_caller]
    fn wait_for(&self, what: &str, holds: impl Fn(&[Input]) -> bool) {
        let inputs = self.inputs.lock().unwrap();
        let waited = self.arrived.wait_timeout_while(inputs, PATIENCE, |inputs| !holds(inputs));
        assert!(!waited.unwrap().1.timed_out(), "waited in vain: {what}");
    }

    fn received(&self, from: &str) -> Vec<Message> {
        let inputs = self.inputs.lock().unwrap();
        let of_peer = |input: &Input| match input {
            Input::Received { from: peer, message } if peer.as_str() == from => {
                Some(message.clone())
            }
            _ => None,
        };
        inputs.iter().filter_map(of_peer).collect()
    }
}

/// One node: its key, its line in the document, its network.
struct Station {
    name: NodeId,
    keys_dir: tempfile::TempDir,
    member: Member,
    network: Arc<Network>,
    inbox: Arc<Inbox>,
}

fn identity(name: &NodeId, cluster: u8) -> Identity {
    Identity {
        cluster: ClusterId([cluster; 16]),
        generation: 1,
        node: name.clone(),
        storage: StorageId([name.as_str().as_bytes()[0]; 16]),
    }
}

fn network(
    name: &NodeId,
    cluster: u8,
    keys: Keys,
    (listen, advertise): (&str, Option<&str>),
    inbox: &Arc<Inbox>,
) -> Arc<Network> {
    let options = NetworkOptions {
        identity: identity(name, cluster),
        sequence: 1,
        annex: Arc::default(),
        keys,
        listen: listen.to_owned(),
        advertise: advertise.map(str::to_owned),
        members: Vec::new(),
        charter_of,
        dead_after: Duration::from_secs(1),
    };
    let delivery: Arc<dyn Delivery> = Arc::clone(inbox) as _;
    Network::start(options, delivery).unwrap()
}

impl Station {
    fn new(name: &str) -> Self {
        Self::in_cluster(name, 3)
    }

    fn in_cluster(name: &str, cluster: u8) -> Self {
        let name = id(name);
        let keys_dir = tempfile::tempdir().unwrap();
        let keys = Keys::generate(&name);
        keys.save(keys_dir.path()).unwrap();
        let pin = keys.pin();
        let inbox = Arc::<Inbox>::default();
        let network = network(&name, cluster, keys, ("127.0.0.1:0", None), &inbox);
        let member = Member {
            id: name.clone(),
            address: network.local_addr().to_string().into(),
            role: MemberRole::Voter,
            priority: 100,
            pin,
            storage: StorageId([name.as_str().as_bytes()[0]; 16]),
            next_pin: None,
            is_in_sync: true,
            standby: None,
        };
        Self { name, keys_dir, member, network, inbox }
    }

    fn keys(&self) -> Keys {
        Keys::load(self.keys_dir.path()).unwrap()
    }

    fn restart(&mut self) {
        self.network.stop(Duration::ZERO);
        self.inbox = Arc::default();
        let address = self.member.address.to_string();
        self.network = network(&self.name, 3, self.keys(), (&address, None), &self.inbox);
    }

    fn knows(&self, others: &[&Station]) {
        self.network.set_members(others.iter().map(|other| other.member.clone()).collect());
    }

    /// Starts anew where it listened, and says that it listens there.
    fn moves_to(&mut self, address: &str) {
        let listen = self.network.local_addr().to_string();
        self.network.stop(Duration::ZERO);
        let says = (listen.as_str(), Some(address));
        self.network = network(&self.name, 3, self.keys(), says, &self.inbox);
    }

    fn sighting_of(&self, to: &Station) -> Option<Sighting> {
        self.network.sightings().remove(&to.name)
    }

    fn link(&self, to: &Station) -> String {
        self.sighting_of(to).map_or_else(String::new, |seen| seen.link)
    }

    #[track_caller]
    fn wait_for_link(&self, to: &Station, words: &str) {
        let deadline = Deadline::after(PATIENCE);
        while !self.link(to).contains(words) {
            assert!(!deadline.has_passed(), "{words:?} in vain; it is {:?}", self.link(to));
            std::thread::park_timeout(Duration::from_millis(2));
        }
    }

    fn send(&self, to: &Station, message: Message) {
        self.network.send(Envelope { to: to.name.clone(), message });
    }
}

impl Drop for Station {
    fn drop(&mut self) {
        self.network.stop(Duration::ZERO);
    }
}

fn pair() -> (Station, Station) {
    let (alpha, bravo) = (Station::new("alpha"), Station::new("bravo"));
    alpha.knows(&[&alpha, &bravo]);
    bravo.knows(&[&alpha, &bravo]);
    alpha.wait_for_link(&bravo, "connected");
    bravo.wait_for_link(&alpha, "connected");
    (alpha, bravo)
}

fn fetch(version: u64) -> Message {
    Message::Fetch(Fetch { have: Position { term: Term(1), version } })
}

fn offer(size: usize) -> Message {
    Message::Offer(Offer { document: document(&"#".repeat(size)) })
}

#[test]
fn two_nodes_hear_each_other_in_order() {
    let (alpha, bravo) = pair();
    let connected = Input::Connected { to: bravo.name.clone() };
    alpha.inbox.wait_for("connected", |inputs| inputs.contains(&connected));
    let mut sent: Vec<_> = (0..20).map(fetch).collect();
    sent.push(offer(1 << 20));
    sent.iter().for_each(|message| alpha.send(&bravo, message.clone()));
    bravo.send(&alpha, fetch(7));
    wait_until("all mail at bravo", || bravo.inbox.received("alpha") == sent);
    wait_until("mail at alpha", || alpha.inbox.received("bravo") == [fetch(7)]);
}

#[test]
fn mail_for_nobody_is_dropped() {
    let alpha = Station::new("alpha");
    alpha.network.send(Envelope { to: id("nobody"), message: fetch(1) });
    assert!(alpha.network.sightings().is_empty());
}

#[test]
fn a_peer_that_vanishes_is_noticed_without_mail_and_reached_again() {
    let (alpha, mut bravo) = pair();
    bravo.network.stop(Duration::ZERO);
    alpha.wait_for_link(&bravo, "connection refused");
    bravo.restart();
    bravo.knows(&[&alpha]);
    alpha.wait_for_link(&bravo, "connected");
    alpha.send(&bravo, fetch(1));
    wait_until("mail", || bravo.inbox.received("alpha") == [fetch(1)]);
}

#[test]
fn stopping_sends_what_was_posted_before() {
    let (alpha, bravo) = pair();
    let sent: Vec<_> = (0..50).map(fetch).collect();
    sent.iter().for_each(|message| alpha.send(&bravo, message.clone()));
    alpha.network.stop(PATIENCE);
    wait_until("all mail", || bravo.inbox.received("alpha") == sent);
}

#[test]
fn a_peer_with_another_key_is_refused_and_told() {
    let (alpha, mut bravo) = (Station::new("alpha"), Station::new("bravo"));
    let real_pin = bravo.member.pin;
    bravo.member.pin = Keys::generate(&bravo.name).pin();
    alpha.knows(&[&bravo]);
    bravo.knows(&[&alpha]);
    alpha.wait_for_link(&bravo, &format!("wrong key: it presented SHA256:{real_pin}"));
    bravo.wait_for_link(&alpha, "does not trust this node's key");
    assert!(bravo.inbox.inputs.lock().unwrap().is_empty());
}

#[test]
fn a_key_of_one_member_does_not_speak_for_another() {
    let (alpha, bravo) = (Station::new("alpha"), Station::new("bravo"));
    let mut charlie = Station::new("charlie");
    charlie.member.address = bravo.member.address.clone();
    alpha.knows(&[&bravo, &charlie]);
    alpha.wait_for_link(&charlie, "wrong key");
}

#[test]
fn a_node_of_another_cluster_is_refused_with_both_ids() {
    let (alpha, bravo) = (Station::in_cluster("alpha", 3), Station::in_cluster("bravo", 4));
    alpha.knows(&[&bravo]);
    bravo.knows(&[&alpha]);
    alpha.wait_for_link(&bravo, "refused: other cluster");
    let words = alpha.link(&bravo);
    assert!(words.contains(&"03".repeat(16)) && words.contains(&"04".repeat(16)), "{words}");
}

#[test]
fn a_removed_member_is_neither_heard_nor_reached() {
    let (alpha, bravo) = pair();
    alpha.knows(&[]);
    assert!(alpha.network.sightings().is_empty());
    bravo.wait_for_link(&alpha, "does not trust this node's key");
}

#[test]
fn a_member_that_moves_is_followed() {
    let (alpha, bravo) = pair();
    let mut moved = Station::new("charlie");
    alpha.knows(&[&bravo, &moved]);
    moved.knows(&[&alpha]);
    alpha.wait_for_link(&moved, "connected");
    let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = elsewhere.local_addr().unwrap().to_string();
    moved.member.address = address.as_str().into();
    alpha.knows(&[&bravo, &moved]);
    elsewhere.accept().unwrap();
    alpha.wait_for_link(&bravo, "connected");
}

#[test]
fn a_port_in_use_is_named() {
    let alpha = Station::new("alpha");
    let options = NetworkOptions {
        identity: identity(&alpha.name, 3),
        sequence: 1,
        annex: Arc::default(),
        keys: alpha.keys(),
        listen: alpha.member.address.to_string(),
        advertise: None,
        members: Vec::new(),
        charter_of,
        dead_after: Duration::from_secs(1),
    };
    let error = Network::start(options, Arc::<Inbox>::default()).unwrap_err().to_string();
    assert!(error.contains("another program") && error.contains(&*alpha.member.address));
}

// What strangers do (P10, P12).
