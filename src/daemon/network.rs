//! The way between the nodes: posts mail, delivers mail, and knows how each connection stands.
//! Never decides what to say, never blocks whoever posts, and never trusts a name: a peer is who
//! its key is pinned for.
//!
//! ```text
//!            ┌ send-bravo: outbox ──── dials, only writes ───▶ bravo's listener
//! send() ────┤
//!            └ send-charlie: outbox ── dials, only writes ───▶ charlie's listener
//!
//! deliver() ◀─ read-bravo ◀────────┐
//! deliver() ◀─ read-charlie ◀──────┴── listener ◀── whoever calls
//!
//! send(), deliver() ── observers ── all sessions with members that do not vote
//! ```
//!
//! | thread | owns | waits on | never |
//! |---|---|---|---|
//! | `listener` | the listening socket | callers, its bell | reads a byte |
//! | `meet` | one caller's handshake | its socket | reads a message |
//! | `read-NAME` | the session of one caller that votes | its socket | answers a message |
//! | `call-NAME` | one handshake of ours | its socket | sends a message |
//! | `send-NAME` | one outgoing session to a voter | its outbox, its socket | holds a lock while it waits |
//! | `observers` | the sessions of all observers, both ways | their outboxes and sockets | waits for one of them |

use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::daemon::annex::Annex;
pub use crate::daemon::contacts::Contact;
use crate::daemon::doorway::Doorkeeper;
use crate::daemon::events::Remark;
use crate::daemon::shared::Shared;
pub use crate::daemon::shared::Sighting;
use crate::daemon::spawn::spawn;
use crate::daemon::tls::Keys;
use crate::daemon::{listener, socket};
use crate::protocol::durable::Identity;
use crate::protocol::effects::Input;
use crate::protocol::map::Map;
use crate::protocol::membership::{Charter, Member};
use crate::protocol::message::Envelope;
use crate::protocol::units::{NodeId, Pin};

/// Where mail arrives.
pub trait Delivery: Send + Sync {
    /// Takes `Received` or `Connected`. It may take the core's lock for a moment.
    fn deliver(&self, input: Input);

    /// Takes what people should hear about a member; told once.
    fn say(&self, remark: Remark) {
        log::log!(remark.loudness.log_level(), "{}", remark.message);
    }
}

/// What a network needs to know.
pub struct NetworkOptions {
    /// Who this node is.
    pub identity: Identity,
    /// The state file's sequence at this start (R54).
    pub sequence: u64,
    /// What is kept beside the state.
    pub annex: Arc<Annex>,
    /// Its key.
    pub keys: Keys,
    /// Where to listen, as `host:port`.
    pub listen: String,
    /// Where the others reach it, if it knows.
    pub advertise: Option<String>,
    /// Whom to reach and whose keys to trust; this node itself is skipped.
    pub members: Vec<Member>,
    /// Reads a document's body.
    pub charter_of: fn(&str) -> Result<Charter, String>,
    /// P at the start: half of it without acknowledged bytes ends a connection.
    pub dead_after: Duration,
}

impl fmt::Debug for NetworkOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NetworkOptions({} at {})", self.identity.node, self.listen)
    }
}

/// Why there is no network. Nothing was started.
#[derive(Debug)]
pub enum NetworkError {
    /// The address to listen on is wrong, in use, or not this machine's.
    Listen {
        /// What was asked for.
        address: String,
        /// What the system said.
        error: io::Error,
    },
    /// The key cannot be used for TLS.
    Key(rustls::Error),
    /// No thread, file descriptor or random bytes.
    System(io::Error),
}

impl fmt::Display for NetworkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listen { address, error } => {
                write!(f, "cannot listen on {address}: ")?;
                if error.kind() == io::ErrorKind::AddrInUse {
                    f.write_str("another program does already; stop it, or change")?;
                } else if error.kind() == io::ErrorKind::AddrNotAvailable {
                    f.write_str("this machine does not have that address; change")?;
                } else {
                    write!(f, "{error}; check")?;
                }
                f.write_str(" `listen` in node.yaml")
            }
            Self::Key(error) => {
                write!(f, "this node's key cannot be used: {error}; restore it from a backup")
            }
            Self::System(error) => {
                write!(f, "the network cannot start: {error}; check the limits of this process")
            }
        }
    }
}

impl std::error::Error for NetworkError {}

/// All connections of this node.
pub struct Network {
    shared: Arc<Shared>,
    local: SocketAddr,
    listener: Mutex<Option<JoinHandle<()>>>,
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Network({} at {})", self.shared.hello.node, self.local)
    }
}

impl Network {
    /// Listens, and starts to reach every member. Returns before any of them is reached.
    ///
    /// # Errors
    /// It cannot listen, or the system has no means left; nothing runs then.
    pub fn start(
        options: NetworkOptions,
        delivery: Arc<dyn Delivery>,
    ) -> Result<Arc<Self>, NetworkError> {
        let listener = listen_on(&options.listen)?;
        let local = listener.local_addr().map_err(NetworkError::System)?;
        let members = options.members.clone();
        let shared = Arc::new(Shared::new(options, delivery, local)?);
        let theirs = Arc::clone(&shared);
        let started = spawn("listener", move || listener::run(&theirs, &listener));
        let thread = started.map_err(NetworkError::System)?;
        let network = Arc::new(Self { shared, local, listener: Mutex::new(Some(thread)) });
        if let Err(error) = network.shared.set_members(&members) {
            network.stop(Duration::ZERO);
            return Err(NetworkError::System(error));
        }
        Ok(network)
    }

    /// Puts a message into its peer's outbox. Never blocks and never fails: mail for nobody we
    /// know is dropped, and a full box drops its least needed mail.
    pub fn send(&self, envelope: Envelope) {
        self.shared.post(envelope);
    }

    /// The document changed: trusts and reaches exactly these members from now on. Who is no
    /// longer among them gets the mail that waits for it, and is not heard any more.
    pub fn set_members(&self, members: Vec<Member>) {
        if let Err(error) = self.shared.set_members(&members) {
            log::error!("cannot reach every member: {error}; check the limits of this process");
        }
    }

    /// The document's timing changed: limits follow it, on open connections too.
    pub fn set_timing(&self, dead_after: Duration) {
        self.shared.set_timing(dead_after);
    }

    /// So many writes of this node's state are on disk. To be said before the mail that relies on
    /// the last one is sent.
    pub fn wrote(&self, sequence: u64) {
        self.shared.doubts.wrote(sequence);
    }

    /// Everything that is wrong with anybody's identity, in words.
    #[must_use]
    pub fn doubts(&self) -> Vec<String> {
        self.shared.doubts.in_words()
    }

    /// How the connections of each peer stand, and what it said of itself.
    #[must_use]
    pub fn sightings(&self) -> Map<NodeId, Sighting> {
        self.shared.sightings()
    }

    /// Where it listens.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// The key that this node shows whoever calls.
    #[must_use]
    pub fn present_pin(&self) -> Pin {
        self.shared.keyring.present()
    }

    /// From now on calls of this node show this key first, and the present one where it is refused.
    pub fn offer_key(&self, next: Keys) {
        self.shared.keyring.offer(next);
    }

    /// From now on this node shows this key and no other. Sessions that are open stay.
    ///
    /// # Errors
    /// The key cannot sign; a loaded or generated one can.
    pub fn show_key(&self, keys: Keys) -> Result<(), rustls::Error> {
        self.shared.keyring.show(keys)
    }

    /// Whether `peer` has shown that it trusts that key of ours: it took a session with it.
    #[must_use]
    pub fn has_taken(&self, peer: &NodeId, pin: Pin) -> bool {
        self.shared.has_taken(peer, pin)
    }

    /// Calls `peer` anew with the key that is offered, if it is connected by another.
    pub fn offer_next(&self, peer: &NodeId, next: Pin) {
        self.shared.offer_next(peer, next);
    }

    /// From now on callers that come to join are brought before `doorkeeper`. Called once.
    pub fn let_in_by(&self, doorkeeper: Arc<dyn Doorkeeper>) {
        let is_first = self.shared.doorkeeper.set(doorkeeper).is_ok();
        assert!(is_first, "a network has one doorkeeper");
    }

    /// Gives waiting mail up to `flush` to go out, then closes everything.
    pub fn stop(&self, flush: Duration) {
        self.shared.flush(flush);
        self.shared.close();
        let listener = self.listener.lock().unwrap_or_else(PoisonError::into_inner).take();
        // It has been woken and waits for nothing else; once it is gone the port is free.
        if listener.is_some_and(|thread| thread.join().is_err()) {
            log::error!("the listener ended by a panic");
        }
    }
}

fn listen_on(address: &str) -> Result<TcpListener, NetworkError> {
    // The standard library sets SO_REUSEADDR: a restart does not wait for old connections.
    let listener = socket::resolved(address).and_then(|found| TcpListener::bind(&found[..]));
    let listener = listener.and_then(|listener| {
        listener.set_nonblocking(true)?;
        Ok(listener)
    });
    listener.map_err(|error| NetworkError::Listen { address: address.to_owned(), error })
}
