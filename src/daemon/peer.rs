//! One thread per peer that votes: reaches it, keeps the connection, writes its mail.
//! Never reads a message; the peer sends its own over the connection it opens to us.

use std::fmt::Display;
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::bounded;
use log::Level;

use crate::daemon::keyring::{Keyring, Way};
use crate::daemon::outbox::Outbox;
use crate::daemon::session::steps::Unsent;
use crate::daemon::session::{Ending, FRAME_LIMIT, Session};
use crate::daemon::shared::Shared;
use crate::daemon::socket;
use crate::daemon::spawn::spawn;
use crate::daemon::waiting::Deadline;
use crate::protocol::effects::Input;
use crate::protocol::membership::Member;
use crate::protocol::units::{Chance, Label, NodeId, Pin};

/// The first pause after a failure; each further one doubles it.
const BACKOFF_MIN: Duration = Duration::from_millis(50);
/// The longest pause (H30).
const BACKOFF_MAX: Duration = Duration::from_secs(2);

/// The way to one peer: its mail, and how the connection stands.
#[derive(Debug)]
pub(crate) struct Link {
    /// The peer.
    pub(crate) peer: NodeId,
    /// Its mail.
    pub(crate) outbox: Outbox,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    /// Where the document says it listens.
    address: Label,
    /// Where it says it listens itself, if that is elsewhere.
    learnt: Option<Label>,
    /// Whether the next attempt goes there.
    is_learnt_next: bool,
    /// Where the present connection goes.
    connected: Option<Label>,
    /// Addresses of its name at which whoever answered proved no key of its.
    strangers: Vec<SocketAddr>,
    pins: Vec<Pin>,
    /// How it was called last.
    way: Option<Way>,
    /// Which key of ours it took last.
    taken: Option<Pin>,
    /// Whether it did not take our next key when it was offered last.
    refuses_next: bool,
    state: String,
    socket: Option<Arc<TcpStream>>,
}

impl Link {
    /// A link to the member that `entries` describe: one, or two while its line changes.
    pub(crate) fn new(entries: &[&Member], outbox: Outbox) -> Self {
        let last = entries.last().expect("a link is made for a member");
        let address = Arc::clone(&last.address);
        let pins = entries.iter().flat_map(|member| member.pins()).collect();
        let inner = Inner {
            address,
            learnt: None,
            is_learnt_next: false,
            connected: None,
            strangers: Vec::new(),
            pins,
            way: None,
            taken: None,
            refuses_next: false,
            state: "connecting".into(),
            socket: None,
        };
        Self { peer: last.id.clone(), outbox, inner: Mutex::new(inner) }
    }

    /// Where the document says it listens.
    pub(crate) fn listed(&self) -> Label {
        self.with(|inner| Arc::clone(&inner.address))
    }

    /// Where the present connection goes.
    pub(crate) fn reached(&self) -> Option<Label> {
        self.with(|inner| inner.connected.clone())
    }

    /// It says that it listens elsewhere, or not any more. A connection that works stays; the next
    /// one is tried there first, and at the document's address if that fails.
    pub(crate) fn learn(&self, address: Option<Label>) {
        self.with(|inner| {
            if inner.learnt != address {
                inner.is_learnt_next = address.is_some();
                inner.learnt = address;
            }
        });
    }

    /// Where the next attempt goes: by turns, so that each of two addresses has its chance.
    fn next_address(&self) -> Label {
        self.with(|inner| {
            let learnt = inner.learnt.as_ref().filter(|_| inner.is_learnt_next);
            let next = Arc::clone(learnt.unwrap_or(&inner.address));
            inner.is_learnt_next = !inner.is_learnt_next;
            next
        })
    }

    /// A connection to that address works, or has ended; where one worked the next one begins.
    fn connected(&self, address: Option<Label>) {
        self.with(|inner| {
            if address.is_some() {
                inner.is_learnt_next = address == inner.learnt;
            }
            inner.connected = address;
        });
    }

    /// How to call it now.
    fn way(&self, keyring: &Keyring) -> Result<Way, rustls::Error> {
        self.with(|inner| {
            let way = keyring.way_to(&self.peer, inner.refuses_next, inner.way.take())?;
            inner.way = Some(way.clone());
            Ok(way)
        })
    }

    /// Somebody else answers at that address of its name: the others are tried first from now on,
    /// until each was tried in vain.
    fn met_stranger(&self, at: SocketAddr) {
        self.with(|inner| {
            if inner.strangers.contains(&at) {
                inner.strangers.clear();
            }
            inner.strangers.push(at);
        });
    }

    /// It took a session with that key, or none: then the other key, if there are two, is next.
    fn answered(&self, taken: Option<Pin>) {
        self.with(|inner| match taken {
            Some(pin) => inner.taken = Some(pin),
            None => inner.refuses_next = !inner.refuses_next,
        });
    }

    /// Whether it took a session with that key last.
    pub(crate) fn has_taken(&self, pin: Pin) -> bool {
        self.with(|inner| inner.taken == Some(pin))
    }

    /// Calls it anew with our next key, if it is connected by another.
    pub(crate) fn offer_next(&self, next: Pin) {
        let is_worth_it = self.with(|inner| {
            let is_by_another = inner.connected.is_some() && inner.taken != Some(next);
            inner.refuses_next &= !is_by_another;
            is_by_another
        });
        if is_worth_it {
            self.cut();
            self.outbox.hurry();
        }
    }

    /// How it stands, in words.
    pub(crate) fn state(&self) -> String {
        self.with(|inner| inner.state.clone())
    }

    /// The member's line may have changed: if it listens elsewhere, or lost a key, the connection
    /// is made anew.
    pub(crate) fn follow(&self, entries: &[&Member]) {
        let Some(last) = entries.last() else { return };
        let pins: Vec<_> = entries.iter().flat_map(|member| member.pins()).collect();
        let has_changed = self.with(|inner| {
            let is_there = inner.connected.as_ref() == Some(&last.address);
            let has_moved = inner.address != last.address && !is_there;
            inner.learnt.take_if(|learnt| *learnt == last.address);
            let has_lost_a_key = inner.pins.iter().any(|pin| !pins.contains(pin));
            inner.address = Arc::clone(&last.address);
            inner.pins = pins;
            has_moved || has_lost_a_key
        });
        if has_changed {
            self.cut();
            self.outbox.hurry();
        }
    }

    /// Ends the connection at once; unless the outbox is closed, another one follows.
    pub(crate) fn cut(&self) {
        self.with(|inner| {
            if let Some(socket) = &inner.socket {
                // It fails only when the socket is not connected any more.
                let _ = socket.shutdown(Shutdown::Both);
            }
        });
    }

    /// Ends the connection after so long without an answer to what was written.
    pub(crate) fn limit(&self, user_timeout: Duration) {
        self.with(|inner| {
            if let Some(socket) = &inner.socket {
                // A socket that refuses is on its way out.
                socket::set_user_timeout(socket, user_timeout).ok();
            }
        });
    }

    /// Notes how it stands now; true when that is news.
    fn note(&self, state: &dyn Display) -> bool {
        let state = state.to_string();
        self.with(|inner| {
            let is_news = inner.state != state;
            inner.state = state;
            is_news
        })
    }

    fn with<T>(&self, change: impl FnOnce(&mut Inner) -> T) -> T {
        change(&mut self.inner.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A session that works, and where it goes.
pub(crate) struct Reached {
    /// The session.
    pub(crate) session: Box<Session>,
    address: Label,
    since: Deadline,
}

/// Keeps the connection until the outbox is closed and what was in it is sent. It begins with the
/// one at hand, if there is one, and with what was not said on it yet.
pub(crate) fn run(shared: &Arc<Shared>, link: &Arc<Link>, mut at_hand: Option<(Reached, Unsent)>) {
    let peer = &link.peer;
    let mut backoff = Backoff::new(shared.hello.instance);
    while at_hand.is_some() || !link.outbox.is_closed() {
        let found = match at_hand.take() {
            Some(found) => Ok(found),
            None => {
                link.outbox.calm();
                opened_apart(shared, link).map(|reached| {
                    begun(shared, link, &reached);
                    (reached, Unsent::default())
                })
            }
        };
        match found {
            Ok((mut reached, unsent)) => {
                let ending = write(shared, &mut reached.session, &link.outbox, unsent);
                parted(shared, link, &mut reached, ending.as_ref(), &mut backoff);
            }
            Err(why) => unreached(shared, link, &why),
        }
        if let Err(error) = link.outbox.pause(backoff.next()) {
            log::error!("cannot wait before reaching {peer} again: {error}");
            return;
        }
    }
}

/// A call was answered.
pub(crate) fn begun(shared: &Shared, link: &Link, reached: &Reached) {
    let (peer, address) = (&link.peer, &reached.address);
    link.connected(Some(Arc::clone(address)));
    link.note(&"connected");
    shared.tell(Level::Info, peer, &format_args!("connected to {peer} at {address}"));
    shared.delivery.deliver(Input::Connected { to: peer.clone() });
}

/// The session is over, by our own wish if there is no `ending`.
pub(crate) fn parted(
    shared: &Shared,
    link: &Link,
    reached: &mut Reached,
    ending: Option<&Ending>,
    backoff: &mut Backoff,
) {
    let (peer, address) = (&link.peer, &reached.address);
    reached.session.goodbye();
    link.connected(None);
    if let Some(ending) = ending {
        link.note(ending);
        let words = format_args!("lost the connection to {peer} at {address}: {ending}");
        shared.tell(Level::Warn, peer, &words);
    }
    if Deadline::now().since(reached.since) >= BACKOFF_MAX {
        backoff.reset();
    }
    link.with(|inner| inner.socket = None);
}

/// A call was in vain.
pub(crate) fn unreached(shared: &Shared, link: &Link, why: &str) {
    let peer = &link.peer;
    if link.note(&why) && !link.outbox.is_closed() {
        shared.tell(Level::Warn, peer, &format_args!("cannot reach {peer}: {why}"));
    }
    link.with(|inner| inner.socket = None);
}

/// Opens a session on a thread of its own: a handshake needs a deep stack, and what it touched
/// would stay in memory for as long as the peer does.
fn opened_apart(shared: &Arc<Shared>, link: &Arc<Link>) -> Result<Reached, String> {
    let (sender, answer) = bounded(1);
    // Its only receiver waits below.
    let call = call(shared, link, move |outcome| drop(sender.send(outcome)))?;
    call.join().expect("a thread that panics ends the process");
    answer.recv().expect("a call that ended has told how")
}

/// Starts such a thread, which tells what came of it.
pub(crate) fn call(
    shared: &Arc<Shared>,
    link: &Arc<Link>,
    tell: impl FnOnce(Result<Reached, String>) + Send + 'static,
) -> Result<JoinHandle<()>, String> {
    let (theirs, one) = (Arc::clone(shared), Arc::clone(link));
    let body = move || tell(opened(&theirs, &one));
    let started = spawn(&format!("call-{}", link.peer), body);
    started.map_err(|error| format!("no thread to call it: {error}"))
}

/// A session with both keys proved and both hellos said; or why not, in words for `status`.
fn opened(shared: &Shared, link: &Link) -> Result<Reached, String> {
    let way = link.way(&shared.keyring);
    let (pin, config) = way.map_err(|error| format!("our key cannot be used: {error}"))?;
    let address = link.next_address();
    let strangers = link.with(|inner| inner.strangers.clone());
    let limit = shared.user_timeout();
    let reached = socket::reach(&address, shared.source, limit, &link.outbox, &strangers);
    let (socket, target) = reached.map_err(|why| why.to_string())?;
    let socket = Arc::new(socket);
    link.with(|inner| inner.socket = Some(Arc::clone(&socket)));
    let deadline = Deadline::after(shared.greeting_limit());
    let floor = shared.doubts.floor(&link.peer);
    let ours = shared.doubts.hello_to(&link.peer, &shared.hello);
    let greeted = Session::calling(socket, config).and_then(|mut session| {
        session.handshake(deadline).inspect_err(|_| link.met_stranger(target))?;
        let theirs = session.greet_as_caller(&ours, &link.peer, deadline)?;
        Ok((session, theirs))
    });
    link.answered(greeted.is_ok().then_some(pin));
    match greeted {
        Ok((session, theirs)) => {
            shared
                .weigh(&link.peer, &theirs, floor, format!("{address}"))
                .map_err(|why| format!("refused: {why}"))?;
            shared.met(&link.peer, &theirs);
            Ok(Reached { session: Box::new(session), address, since: Deadline::now() })
        }
        Err(Ending::Hello(error)) => {
            shared.doubts.turned_away(&link.peer, &error);
            Err(format!("refused: {error}"))
        }
        Err(ending @ Ending::Tls(_)) => Err(format!("refused: {ending}")),
        Err(ending) => Err(ending.to_string()),
    }
}

/// Writes what was left over, then mail as it comes. `None` is our own end: closed, and everything
/// sent.
fn write(
    shared: &Shared,
    session: &mut Session,
    outbox: &Outbox,
    mut unsent: Unsent,
) -> Option<Ending> {
    if let Err(ending) = session.say_all(&mut unsent, Deadline::after(FRAME_LIMIT)) {
        return Some(ending);
    }
    loop {
        // Asked before the box is emptied: what is posted before the close is sent.
        let is_closed = outbox.is_closed();
        while let Some(message) = outbox.take() {
            // What this message relies on was on disk before it was posted.
            let told = session.send_progress(shared.doubts.written());
            if let Err(ending) = told.and_then(|()| session.send_message(&message)) {
                return Some(ending);
            }
        }
        if is_closed {
            return None;
        }
        if let Err(ending) = session.rest(outbox) {
            return Some(ending);
        }
    }
}

/// Pauses that double, each with a random part, so that a restarted peer is not met by all at once.
pub(crate) struct Backoff {
    pause: Duration,
    chance: Chance,
}

impl Backoff {
    pub(crate) fn new(seed: u64) -> Self {
        Self { pause: BACKOFF_MIN, chance: Chance::new(seed) }
    }

    fn reset(&mut self) {
        self.pause = BACKOFF_MIN;
    }

    pub(crate) fn next(&mut self) -> Deadline {
        let pause = self.pause / 2 + self.chance.span_below(self.pause / 2);
        self.pause = (self.pause * 2).min(BACKOFF_MAX);
        Deadline::after(pause)
    }
}
