//! What the network's threads share: whom to trust, the links out, the sessions in.
//! Never holds one of its locks while it waits for a peer, the disk or a name server.

mod links;

use std::fmt::Display;
use std::io;
use std::net::{IpAddr, Shutdown, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use ring::rand::{SecureRandom, SystemRandom};

use crate::daemon::contacts::{Contact, Contacts};
use crate::daemon::doorway::Doorkeeper;
use crate::daemon::doubts::Doubts;
use crate::daemon::events::{Loudness, Remark};
use crate::daemon::gallery::Gallery;
use crate::daemon::keyring::Keyring;
use crate::daemon::lives::Greeting;
use crate::daemon::network::{Delivery, NetworkError, NetworkOptions};
use crate::daemon::peer::Link;
use crate::daemon::rate::Lines;
use crate::daemon::session::{Ending, HANDSHAKE_LIMIT};
use crate::daemon::slots::Slots;
use crate::daemon::socket;
use crate::daemon::tls::Trust;
use crate::daemon::waiting::Bell;
use crate::protocol::map::Map;
use crate::protocol::membership::{Charter, Member};
use crate::protocol::message::Envelope;
use crate::protocol::units::{NodeId, Pin};
use crate::settings::address::Address;
use crate::wire::codes;
use crate::wire::hello::{Hello, HelloError};
use crate::wire::marks::Seen;

/// Unacknowledged bytes end a connection after half of dead_after, but not before this (H24).
const USER_TIMEOUT_MIN: Duration = Duration::from_millis(500);
/// A peer that we call has to greet within dead_after, but is given this.
const GREETING_MIN: Duration = Duration::from_secs(1);
/// A caller that says nothing for five times dead_after and this is gone.
const IDLE_MIN: Duration = Duration::from_secs(10);

/// What all network threads share.
pub(crate) struct Shared {
    /// What this node says first, to anybody.
    pub(crate) hello: Hello,
    /// What is held against whom, and what is said first to each.
    pub(crate) doubts: Doubts,
    /// Whose keys are good.
    pub(crate) trust: Arc<Trust>,
    /// What this node shows callers and those it calls.
    pub(crate) keyring: Keyring,
    /// Who lets newcomers in; nobody as long as it is not set.
    pub(crate) doorkeeper: OnceLock<Arc<dyn Doorkeeper>>,
    /// Where messages go.
    pub(crate) delivery: Arc<dyn Delivery>,
    /// Reads a document's body.
    pub(crate) charter_of: fn(&str) -> Result<Charter, String>,
    /// Where we dial from, if we listen on one address only: relays and firewalls tell nodes
    /// apart by it.
    pub(crate) source: Option<SocketAddr>,
    /// Wakes the listener.
    pub(crate) bell: Bell,
    /// Places for callers that have proved no key yet.
    pub(crate) slots: Arc<Slots>,
    /// Which refusals are logged.
    pub(crate) lines: Lines<IpAddr>,
    /// What each member said of itself.
    pub(crate) contacts: Contacts,
    /// Which comings and goings of members are logged.
    visits: Lines<NodeId>,
    /// P of the committed document, in nanoseconds.
    dead_after_ns: AtomicU64,
    links: Mutex<Map<NodeId, Arc<Link>>>,
    /// Members that do not vote, in order.
    observers: Mutex<Vec<NodeId>>,
    /// Where their sessions are looked after, once there is one.
    gallery: Mutex<Option<Arc<Gallery>>>,
    inbound: Mutex<Map<NodeId, Arc<Inbound>>>,
    senders: Mutex<usize>,
    sender_ended: Condvar,
    is_closing: AtomicBool,
}

/// What there is to say of one member's connections.
#[derive(Clone, Debug, Default)]
pub struct Sighting {
    /// How this node's own connection to it stands.
    pub link: String,
    /// What it said of itself.
    pub contact: Contact,
    /// Where it says it listens, if the document says something else.
    pub says: Option<String>,
    /// Where it is connected now.
    pub reached: Option<String>,
}

/// The open session of a peer that called.
#[derive(Debug)]
pub(crate) struct Inbound {
    /// Who called.
    pub(crate) peer: NodeId,
    /// The key it proved.
    pub(crate) pin: Pin,
    /// Which of its lives.
    pub(crate) instance: u64,
    /// What it said first.
    pub(crate) hello: Hello,
    /// Whether another process of its name had greeted between this one's greetings.
    pub(crate) has_returned: bool,
    /// Where it called from.
    pub(crate) source: SocketAddr,
    /// Shut down to end the session.
    pub(crate) socket: Arc<TcpStream>,
}

impl Inbound {
    /// Its thread notices at once and ends.
    fn end(&self) {
        // It fails only when the socket is not connected any more, which is what is wanted.
        let _ = self.socket.shutdown(Shutdown::Both);
    }
}

impl Shared {
    pub(crate) fn new(
        options: NetworkOptions,
        delivery: Arc<dyn Delivery>,
        local: SocketAddr,
    ) -> Result<Self, NetworkError> {
        let mut instance = [0; 8];
        SystemRandom::new()
            .fill(&mut instance)
            .map_err(|_| NetworkError::System(io::Error::other("no random bytes")))?;
        let instance = u64::from_ne_bytes(instance);
        let trust = Arc::new(Trust::default());
        let keyring = Keyring::new(options.keys, &trust).map_err(NetworkError::Key)?;
        let source = (!local.ip().is_unspecified()).then(|| with_any_port(local));
        Ok(Self {
            hello: Hello {
                address: options.advertise,
                ..Hello::of(&options.identity, instance, options.sequence)
            },
            doubts: Doubts::new(options.annex, Arc::clone(&delivery), options.sequence),
            trust,
            keyring,
            doorkeeper: OnceLock::new(),
            delivery,
            charter_of: options.charter_of,
            source,
            bell: Bell::new().map_err(NetworkError::System)?,
            slots: Arc::default(),
            lines: Lines::about_strangers(),
            contacts: Contacts::default(),
            visits: Lines::about_members(),
            dead_after_ns: AtomicU64::new(nanoseconds(options.dead_after)),
            links: Mutex::default(),
            observers: Mutex::default(),
            gallery: Mutex::default(),
            inbound: Mutex::default(),
            senders: Mutex::new(0),
            sender_ended: Condvar::new(),
            is_closing: AtomicBool::new(false),
        })
    }

    /// Unacknowledged bytes end a connection after this.
    pub(crate) fn user_timeout(&self) -> Duration {
        (self.dead_after() / 2).max(USER_TIMEOUT_MIN)
    }

    /// A peer that we call and that does not greet for so long is called again. It may have been
    /// frozen or killed with our call in its queue, behind a cut that swallowed the end of the
    /// connection: with nothing of ours unacknowledged, the wire would never tell.
    pub(crate) fn greeting_limit(&self) -> Duration {
        self.dead_after().clamp(GREETING_MIN, HANDSHAKE_LIMIT)
    }

    /// A caller that says nothing for so long is gone.
    pub(crate) fn idle_limit(&self) -> Duration {
        self.dead_after() * 5 + IDLE_MIN
    }

    fn dead_after(&self) -> Duration {
        Duration::from_nanos(self.dead_after_ns.load(Ordering::SeqCst))
    }

    /// Follows the document's timing: new sockets and mail at once, open sockets as far as the
    /// system lets them.
    pub(crate) fn set_timing(&self, dead_after: Duration) {
        let dead_after_ns = nanoseconds(dead_after);
        if self.dead_after_ns.swap(dead_after_ns, Ordering::SeqCst) == dead_after_ns {
            return;
        }
        let user_timeout = self.user_timeout();
        for link in lock(&self.links).values() {
            link.outbox.keep_fresh_for(dead_after);
            link.limit(user_timeout);
        }
        for session in lock(&self.inbound).values() {
            // A socket that refuses is on its way out.
            socket::set_user_timeout(&session.socket, user_timeout).ok();
        }
    }

    /// Trusts and reaches exactly `members`, this node itself excepted.
    pub(crate) fn set_members(self: &Arc<Self>, members: &[Member]) -> io::Result<()> {
        let others = || members.iter().filter(|member| member.id != self.hello.node);
        let former = self.doubts.former_members();
        let former = || former.iter().filter(|old| old.id != self.hello.node);
        self.trust.set(others().chain(former()));
        self.doubts.follow(others());
        let mut entries: Map<&NodeId, Vec<&Member>> = Map::default();
        others().for_each(|member| entries.get_or_insert(&member.id, Vec::new()).push(member));
        self.slots.retain(|peer| entries.contains_key(peer));
        self.contacts.retain(|peer| entries.contains_key(peer));
        for inbound in lock(&self.inbound).values() {
            let lines = entries.get(&inbound.peer).map_or(&[][..], Vec::as_slice);
            let of_old = former().filter(|old| old.id == inbound.peer);
            let mut pins = lines.iter().copied().chain(of_old).flat_map(Member::pins);
            if !pins.any(|pin| pin == inbound.pin) {
                inbound.end();
            }
        }
        self.note_observers(&entries);
        let mut links = lock(&self.links);
        links.retain(|peer, link| {
            let stays = entries.contains_key(peer);
            if !stays {
                link.outbox.close();
            }
            stays
        });
        let mut outcome = Ok(());
        for (name, entries) in entries.iter() {
            match links.get(*name) {
                Some(link) => link.follow(entries),
                None => match self.new_link(entries) {
                    Ok(link) => drop(links.insert(NodeId::clone(name), link)),
                    Err(error) => outcome = Err(error),
                },
            }
        }
        outcome
    }

    /// Whether `peer` took a session of ours with that key.
    pub(crate) fn has_taken(&self, peer: &NodeId, pin: Pin) -> bool {
        lock(&self.links).get(peer).is_some_and(|link| link.has_taken(pin))
    }

    /// Calls `peer` anew with the next key, if it is connected by another.
    pub(crate) fn offer_next(&self, peer: &NodeId, next: Pin) {
        if let Some(link) = lock(&self.links).get(peer) {
            link.offer_next(next);
        }
    }

    pub(crate) fn post(&self, envelope: Envelope) {
        if let Some(link) = lock(&self.links).get(&envelope.to) {
            link.outbox.post(envelope.message);
        }
    }

    /// How each connection stands, both ways, and what each member said of itself.
    pub(crate) fn sightings(&self) -> Map<NodeId, Sighting> {
        let links = lock(&self.links);
        let of = |(peer, link): (&NodeId, &Arc<Link>)| {
            let (document, reached) = (link.listed(), link.reached());
            let (link, reached) = (link.state(), reached.map(|address| address.to_string()));
            let contact = self.contacts.of(peer);
            let says = contact.address.clone().filter(|says| **says != *document);
            (peer.clone(), Sighting { link, contact, says, reached })
        };
        links.iter().map(of).collect()
    }

    /// `peer` said who it is: where it listens may be news.
    pub(crate) fn met(&self, peer: &NodeId, hello: &Hello) {
        let fresh = self.contacts.met(peer, hello);
        let Some(link) = lock(&self.links).get(peer).map(Arc::clone) else { return };
        let Some(says) = hello.address.as_deref() else { return link.learn(None) };
        let listed = link.listed();
        let is_elsewhere = *says != *listed && is_one_place(says);
        link.learn(is_elsewhere.then(|| says.into()));
        if is_elsewhere && fresh {
            self.delivery.say(Remark {
                code: codes::ADDRESS_DIFFERS,
                loudness: Loudness::Warning,
                reason: None,
                message: format!(
                    "{peer} says it listens at {says}, the document says {listed}: it is called \
                     at both; if it is reached there only, the master changes the document"
                ),
            });
        }
    }

    /// The call of `peer`, whose key is good, was refused.
    pub(crate) fn turned_away(&self, peer: &NodeId, source: SocketAddr, why: &Ending) {
        if let Ending::Hello(error) = why {
            self.doubts.turned_away(peer, error);
        }
        let is_news = self.contacts.called(peer, format!("its call was refused: {why}"));
        if is_news && matches!(why, Ending::Hello(HelloError::NoCommonVersion(_))) {
            self.delivery.say(Remark {
                code: codes::PEER_INCOMPATIBLE,
                loudness: Loudness::Warning,
                reason: None,
                message: format!("{peer} called from {source} and was refused: {why}"),
            });
        }
    }

    /// `peer` sent a message of a later release.
    pub(crate) fn passed_over(&self, peer: &NodeId, kind: &str) {
        if self.contacts.passed_over(peer, kind) {
            let words = format_args!(
                "{peer} sends messages that only a later release knows, such as `{kind}`: they \
                 are passed over"
            );
            self.tell(log::Level::Warn, peer, &words);
        }
    }

    /// `peer` has just called, so it can be reached again.
    pub(crate) fn hurry(&self, peer: &NodeId) {
        if let Some(link) = lock(&self.links).get(peer) {
            link.outbox.hurry();
        }
    }

    /// One line about a member that came or went, so that one that does nothing else cannot fill
    /// the disk.
    pub(crate) fn tell(&self, level: log::Level, peer: &NodeId, words: &dyn Display) {
        match self.visits.admit(peer.clone()) {
            Some(0) => log::log!(level, "{words}"),
            Some(unsaid) => log::log!(level, "{words}; {unsaid} more lines like it not shown"),
            None => {}
        }
    }

    /// Weighs the hello of `peer`, which came from `place` and fits. Where two live, both lose
    /// their sessions.
    pub(crate) fn weigh(
        &self,
        peer: &NodeId,
        theirs: &Hello,
        floor: Option<Seen>,
        place: String,
    ) -> Result<Greeting, String> {
        self.doubts.compare_with_ours(peer, theirs, &self.hello);
        let greeting = self.doubts.weigh(peer, theirs, floor, place, self.dead_after());
        if self.doubts.is_doubled(peer) {
            if let Some(session) = lock(&self.inbound).get(peer) {
                session.end();
            }
            if let Some(link) = lock(&self.links).get(peer) {
                link.cut();
            }
        }
        greeting
    }

    /// Whether another process may live under the newcomer's name: one that has a session, which
    /// ends here, or one that greeted between its greetings. It calls again at once if it lives.
    pub(crate) fn is_doubtful(&self, newcomer: &Inbound) -> bool {
        let Inbound { peer, instance, source, has_returned, .. } = newcomer;
        let inbound = lock(&self.inbound);
        let older = inbound.get(peer).filter(|older| older.instance != *instance);
        if let Some(older) = older {
            older.end();
            let words = format_args!(
                "{peer} came back as a new process from {source} before its connection from {} \
                 ended; if this repeats, two daemons use its identity: stop one",
                older.source
            );
            self.tell(log::Level::Warn, peer, &words);
        }
        older.is_some() || *has_returned
    }

    /// Gives the peer its one place; an older session of the same name ends (H23). False when the
    /// peer is not one any more.
    pub(crate) fn enter(&self, newcomer: &Arc<Inbound>) -> bool {
        let Inbound { peer, pin, .. } = &**newcomer;
        let mut inbound = lock(&self.inbound);
        // The document may have changed since the handshake.
        if self.is_closing() || self.trust.holder(pin).as_ref() != Some(peer) {
            return false;
        }
        let Some(older) = inbound.insert(peer.clone(), Arc::clone(newcomer)) else { return true };
        older.end();
        true
    }

    /// Gives the place up; false if a newer session has taken it.
    pub(crate) fn leave(&self, session: &Arc<Inbound>) -> bool {
        let mut inbound = lock(&self.inbound);
        let is_ours =
            inbound.get(&session.peer).is_some_and(|present| Arc::ptr_eq(present, session));
        if is_ours {
            inbound.remove(&session.peer);
        }
        is_ours
    }

    /// Takes no more mail, and waits until what there is has gone out, at most for `limit`.
    pub(crate) fn flush(&self, limit: Duration) {
        lock(&self.links).values().for_each(|link| link.outbox.close());
        let senders = lock(&self.senders);
        let waited = self.sender_ended.wait_timeout_while(senders, limit, |left| *left > 0);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    /// Ends every session and thread.
    pub(crate) fn close(&self) {
        self.is_closing.store(true, Ordering::SeqCst);
        self.bell.ring();
        for link in lock(&self.links).values() {
            link.outbox.close();
            link.cut();
        }
        if let Some(gallery) = &*lock(&self.gallery) {
            gallery.wake();
        }
        self.slots.close();
        lock(&self.inbound).values().for_each(|session| session.end());
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.is_closing.load(Ordering::SeqCst)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A thread that panics aborts the process; nothing half-changed is ever seen.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn nanoseconds(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

/// Whether that is an address of one machine.
fn is_one_place(address: &str) -> bool {
    Address::parse(address).is_ok_and(|address| address.is_specific())
}

fn with_any_port(mut address: SocketAddr) -> SocketAddr {
    address.set_port(0);
    address
}
