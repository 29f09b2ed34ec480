//! A scripted member: it has a founded node's key and address, whose own daemon does not run.
//! Never decides what to say: a script does, message by message. It listens and calls as a node.

use std::collections::BTreeMap;
use std::io;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::Builder;

use quorate::daemon::tls::{self, Keys, Trust};
use quorate::protocol::message::Message;
use quorate::protocol::units::NodeId;
use quorate::wire::codec::decode;
use quorate::wire::frame::{Class, Frames};
use rustls::{ClientConfig, ServerConfig, ServerConnection, StreamOwned};

use super::super::clock::{PATIENCE, now};
use super::super::cluster::Cluster;
use super::actor::{Actor, charter_of};
use super::session::{Session, framed, id, spelled, try_call};

/// What it says to the sender of a message; it may change what it believes.
pub(super) type Script = Box<dyn FnMut(&mut Actor, &NodeId, &Message) -> Vec<Message> + Send>;

/// What the acting thread is told.
enum Cue {
    Heard(NodeId, Message),
    Say(NodeId, Message),
    Follow(Script),
}

type Heard = Arc<(Mutex<Vec<(NodeId, Message)>>, Condvar)>;

/// A member whose words are the test's.
pub(super) struct Peer {
    keys: Keys,
    trust: Arc<Trust>,
    address: String,
    actor: Actor,
    cues: Sender<Cue>,
    heard: Heard,
    is_over: Arc<AtomicBool>,
}

/// Answers as an honest voter would.
pub(super) fn honest() -> Script {
    Box::new(|actor, _, message| actor.answer(message).into_iter().collect())
}

impl Peer {
    /// Plays the node `name`, which must not run, and listens at its address.
    pub(super) fn playing(cluster: &Cluster, name: &str, script: Script) -> Self {
        let peer = Self::calling(cluster, name, script);
        let listener = TcpListener::bind(&peer.address).expect("the node itself does not run");
        let listening = peer.listening();
        let (actor, cues) = (peer.actor.clone(), peer.cues.clone());
        let is_over = Arc::clone(&peer.is_over);
        start("accepts", move || accept(&listener, &listening, &actor, &cues, &is_over));
        peer
    }

    /// The same without listening: the node's own address may be another's now.
    pub(super) fn calling(cluster: &Cluster, name: &str, script: Script) -> Self {
        let node = cluster.nodes.iter().find(|node| node.name == name);
        let node = node.expect("the test names a node of its cluster");
        let actor = Actor::of(&node.state());
        let keys_dir = node.state().join("keys");
        let keys = Keys::load(&keys_dir).expect("the node was founded");
        let trust = Arc::new(Trust::default());
        trust.set(actor.members.iter());
        let (cues, told) = channel();
        let heard = Heard::default();
        let address = node.address.clone();
        let is_over = Arc::default();
        let stage = Stage {
            actor: actor.clone(),
            keys_dir,
            trust: Arc::clone(&trust),
            lines: BTreeMap::new(),
        };
        let theirs = Arc::clone(&heard);
        start("acts", move || stage.act(script, &told, &theirs));
        Self { keys, trust, address, actor, cues, heard, is_over }
    }

    /// What the node was when it was founded.
    pub(super) fn actor(&self) -> &Actor {
        &self.actor
    }

    /// From now on it says what that script says.
    pub(super) fn follows(&self, script: Script) {
        self.cue(Cue::Follow(script));
    }

    /// Says this to `to`, unasked.
    pub(super) fn says(&self, to: &str, message: Message) {
        self.cue(Cue::Say(id(to), message));
    }

    fn cue(&self, cue: Cue) {
        self.cues.send(cue).expect("the acting thread lives as long as this");
    }

    /// Waits until something was heard, since the beginning, that `found` wants.
    pub(super) fn hears<T>(&self, what: &str, found: impl Fn(&str, &Message) -> Option<T>) -> T {
        self.hears_all(what, |heard| heard.iter().find_map(|(from, m)| found(from.as_str(), m)))
    }

    /// The same, looking at all that was heard so far.
    pub(super) fn hears_all<T>(
        &self,
        what: &str,
        found: impl Fn(&[(NodeId, Message)]) -> Option<T>,
    ) -> T {
        let start = now();
        let mut heard = self.heard.0.lock().expect("no thread of it panics");
        loop {
            if let Some(result) = found(&heard) {
                return result;
            }
            let rest = PATIENCE.checked_sub(now() - start);
            let rest = rest.unwrap_or_else(|| panic!("never heard: {what}"));
            heard = self.heard.1.wait_timeout(heard, rest).expect("no thread of it panics").0;
        }
    }

    /// What `found` wants among what was heard so far.
    pub(super) fn has_heard<T>(&self, found: impl Fn(&str, &Message) -> Option<T>) -> Option<T> {
        self.hears_all("anything", |heard| {
            Some(heard.iter().find_map(|(from, m)| found(from.as_str(), m)))
        })
    }

    /// How its own listener proves its key.
    pub(super) fn listening(&self) -> Arc<ServerConfig> {
        tls::listening(&self.keys, &self.trust).expect("the key is sound")
    }

    /// How it calls `to`.
    pub(super) fn dialing(&self, to: &str) -> Arc<ClientConfig> {
        tls::dialing(&self.keys, &self.trust, &id(to)).expect("the key is sound")
    }

    /// A session of its own with `to`, beside what the script says; no hello is said yet.
    pub(super) fn session(&self, to: &str, source: Option<&str>) -> Session {
        let session = session(&self.actor, &self.keys, &self.trust, &id(to), source);
        session.expect("the daemon listens")
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.is_over.store(true, SeqCst);
        // Wakes the accepting thread; if nobody accepts there, there is nothing to wake.
        drop(TcpStream::connect(&self.address));
    }
}

fn start(name: &str, body: impl FnOnce() + Send + 'static) {
    Builder::new().name(name.to_owned()).spawn(body).expect("a thread can be started");
}

/// Calls `to` with these keys.
pub(super) fn session(
    actor: &Actor,
    keys: &Keys,
    trust: &Arc<Trust>,
    to: &NodeId,
    source: Option<&str>,
) -> io::Result<Session> {
    let config = tls::dialing(keys, trust, to).expect("the key is sound");
    Ok(Session::over(try_call(&actor.member(to).address, source)?, config))
}

/// What the acting thread owns.
struct Stage {
    actor: Actor,
    keys_dir: PathBuf,
    trust: Arc<Trust>,
    lines: BTreeMap<NodeId, Session>,
}

impl Stage {
    /// Follows cues until the peer is dropped and nobody speaks to it any more.
    fn act(mut self, mut script: Script, told: &Receiver<Cue>, heard: &Heard) {
        for cue in told {
            match cue {
                Cue::Follow(other) => script = other,
                Cue::Say(to, message) => self.say(&to, &message),
                Cue::Heard(from, message) => {
                    for answer in script(&mut self.actor, &from, &message) {
                        self.say(&from, &answer);
                    }
                    heard.0.lock().expect("no thread of it panics").push((from, message));
                    heard.1.notify_all();
                }
            }
        }
    }

    /// Says it on the open line, or on a new one if there is none or the daemon ended it. If that
    /// fails too, the daemon is gone or refuses, which the test sees at the daemon.
    fn say(&mut self, to: &NodeId, message: &Message) {
        let bytes = spelled(message);
        if let Some(line) = self.lines.get_mut(to) {
            if line.say(&bytes).is_ok() {
                return;
            }
            self.lines.remove(to);
        }
        if let Ok(line) = self.reach(to, &bytes) {
            self.lines.insert(to.clone(), line);
        }
    }

    fn reach(&self, to: &NodeId, first: &[u8]) -> io::Result<Session> {
        let keys = Keys::load(&self.keys_dir).expect("they were there before");
        let mut line = session(&self.actor, &keys, &self.trust, to, None)?;
        line.greet(&self.actor.hello())?;
        line.say(first)?;
        Ok(line)
    }
}

fn accept(
    listener: &TcpListener,
    config: &Arc<ServerConfig>,
    actor: &Actor,
    cues: &Sender<Cue>,
    is_over: &AtomicBool,
) {
    let mut open = Vec::new();
    while let Ok((stream, _)) = listener.accept() {
        if is_over.load(SeqCst) {
            break;
        }
        open.push(stream.try_clone().expect("the test has descriptors"));
        let tls = ServerConnection::new(Arc::clone(config)).expect("the configuration is sound");
        let (actor, cues) = (actor.clone(), cues.clone());
        // The daemon ends a session whenever it likes: that is the end of its thread, and no more.
        start("reads", move || drop(read(StreamOwned::new(tls, stream), &actor, &cues)));
    }
    for stream in open {
        // It fails only when it ended before.
        drop(stream.shutdown(Shutdown::Both));
    }
}

/// Greets a daemon that called, and passes on what it says.
fn read(
    mut stream: StreamOwned<ServerConnection, TcpStream>,
    actor: &Actor,
    cues: &Sender<Cue>,
) -> io::Result<()> {
    io::Write::write_all(&mut stream, &framed(Class::Hello, &actor.hello().encode()))?;
    let mut frames = Frames::default();
    let mut from = None;
    loop {
        let read = frames.read(&mut stream).map_err(|e| io::Error::other(e.to_string()))?;
        let Some(frame) = read else { continue };
        if frame.class == Class::Hello {
            let hello = quorate::wire::hello::Hello::decode(&frame.payload);
            from = Some(hello.expect("the daemon says a sound hello").node);
            continue;
        }
        let from: &NodeId = from.as_ref().expect("a hello comes first");
        let message = decode(&frame.payload, &charter_of).expect("the daemon speaks properly");
        let sent = cues.send(Cue::Heard(from.clone(), message));
        sent.map_err(|_| io::Error::other("the test is over"))?;
    }
}
