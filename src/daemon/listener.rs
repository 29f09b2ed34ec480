//! Takes in whoever calls: one thread accepts, one more per caller proves its key and reads.
//! Never answers a peer's message here; all that happens to it is `Input::Received`.

use std::fs::File;
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use log::Level;
use rustix::io::Errno;
use rustls::pki_types::CertificateDer;

use crate::daemon::gallery::Errand;
use crate::daemon::lives::{Greeting, PROBATION};
use crate::daemon::rate::Allowance;
use crate::daemon::session::{Ending, HANDSHAKE_LIMIT, Received, Session};
use crate::daemon::shared::{Inbound, Shared};
use crate::daemon::slots::Slot;
use crate::daemon::spawn::spawn;
use crate::daemon::waiting::{Deadline, For, wait_for_bell, wait_with_bell};
use crate::daemon::{doorway, socket};
use crate::protocol::effects::Input;

/// How long accepting rests after it failed.
const BACKOFF: Duration = Duration::from_millis(100);

/// Accepts until the network closes.
pub(crate) fn run(shared: &Arc<Shared>, listener: &TcpListener) {
    let mut spare = Spare::new();
    while !shared.is_closing() {
        match listener.accept() {
            Ok((socket, source)) => take_in(shared, socket, source),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                if let Err(error) = wait_for_caller(shared, listener) {
                    rest(shared, &error);
                }
            }
            Err(error) if is_of_no_consequence(&error) => {}
            Err(error) => {
                if is_out_of_files(&error) {
                    spare.turn_one_away(listener);
                }
                rest(shared, &error);
            }
        }
    }
}

fn wait_for_caller(shared: &Shared, listener: &TcpListener) -> io::Result<()> {
    wait_with_bell(listener, For::Reading, &shared.bell, None).map(|_| ())
}

fn rest(shared: &Shared, error: &io::Error) {
    if let Some(unsaid) = shared.lines.admit(IpAddr::from([0; 4])) {
        log::error!("cannot accept connections: {error}; {unsaid} more such failures before");
    }
    if let Err(error) = wait_for_bell(&shared.bell, Deadline::after(BACKOFF)) {
        log::error!("cannot wait: {error}");
    }
}

/// A signal came, or the caller was gone before it was taken in.
fn is_of_no_consequence(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::Interrupted | io::ErrorKind::ConnectionAborted)
}

fn is_out_of_files(error: &io::Error) -> bool {
    let out_of_files = [Errno::MFILE, Errno::NFILE].map(|errno| Some(errno.raw_os_error()));
    out_of_files.contains(&error.raw_os_error())
}

/// A file descriptor kept for the day when there are no others: without it, a caller could be
/// neither taken in nor turned away, and accepting would spin (F109).
struct Spare(Option<File>);

impl Spare {
    fn new() -> Self {
        Self(File::open("/dev/null").ok())
    }

    fn turn_one_away(&mut self, listener: &TcpListener) {
        self.0 = None;
        drop(listener.accept());
        *self = Self::new();
    }
}

/// Finds a place and a thread for a caller, or turns it away.
fn take_in(shared: &Arc<Shared>, socket: TcpStream, source: SocketAddr) {
    let socket = Arc::new(socket);
    let Some(slot) = shared.slots.admit(source.ip(), &socket) else {
        return refused(shared, source, &"too many callers that prove no key");
    };
    let theirs = Arc::clone(shared);
    let body = move || meet(&theirs, &socket, source, slot);
    if let Err(error) = spawn("meet", body) {
        refused(shared, source, &format_args!("no thread for it: {error}"));
    }
}

/// One line per source and while, so that strangers cannot fill the disk (H03, H22).
fn refused(shared: &Shared, source: SocketAddr, why: &dyn std::fmt::Display) {
    match shared.lines.admit(source.ip()) {
        Some(0) => log::warn!("refused {source}: {why}"),
        Some(unsaid) => log::warn!("refused {source}: {why}; {unsaid} more not shown"),
        None => {}
    }
}

/// A caller's first words, on a thread of their own: a handshake needs a deep stack, and what it
/// touched would stay in memory for as long as the peer does. Then another thread reads.
fn meet(shared: &Arc<Shared>, socket: &Arc<TcpStream>, source: SocketAddr, slot: Slot) {
    let deadline = Deadline::after(HANDSHAKE_LIMIT);
    let (session, certificate) = match proved(shared, socket, deadline) {
        Ok(proved) => proved,
        Err(ending) => return refused(shared, source, &ending),
    };
    if session.is_for_joining() {
        let outcome = doorway::receive(shared, session, &certificate, (source, deadline), slot);
        return outcome.unwrap_or_else(|why| refused(shared, source, &why));
    }
    let (session, caller) = match greeted(shared, session, &certificate, (source, deadline)) {
        Ok(met) => met,
        Err(why) => return refused(shared, source, &why),
    };
    if shared.is_doubtful(&caller) {
        let is_over = session.pause(Deadline::after(PROBATION)).unwrap_or(true);
        if is_over || !shared.doubts.is_the_one(&caller.peer, caller.instance) {
            return;
        }
    }
    if !shared.enter(&caller) {
        return;
    }
    shared.doubts.entered(&caller.peer, &caller.hello);
    shared.met(&caller.peer, &caller.hello);
    shared.slots.remember(&caller.peer, source.ip());
    drop(slot);
    if shared.is_observer(&caller.peer) {
        match shared.gallery() {
            Ok(gallery) => return gallery.put(Errand::Read(caller, Box::new(session))),
            Err(error) => log::warn!("no thread for observers: {error}; each has its own"),
        }
    }
    attend_apart(shared, session, &caller);
}

/// A peer's life from its first message on, in a thread of its own.
pub(crate) fn attend_apart(shared: &Arc<Shared>, session: Session, caller: &Arc<Inbound>) {
    arrived(shared, caller);
    read_apart(shared, session, caller);
}

/// The rest of a peer's life, in a thread of its own.
pub(crate) fn read_apart(shared: &Arc<Shared>, mut session: Session, caller: &Arc<Inbound>) {
    let (theirs, one) = (Arc::clone(shared), Arc::clone(caller));
    let started = spawn(&format!("read-{}", caller.peer), move || {
        let ending = read(&theirs, &mut session, &one);
        departed(&theirs, &one, &ending);
    });
    if let Err(error) = started {
        departed(shared, caller, &error.into());
    }
}

/// A peer's session begins.
pub(crate) fn arrived(shared: &Shared, caller: &Inbound) {
    let Inbound { peer, source, .. } = caller;
    shared.contacts.called(peer, format!("connected from {source}"));
    shared.tell(Level::Info, peer, &format_args!("{peer} is connected from {source}"));
    shared.hurry(peer);
}

/// A peer's session has ended.
pub(crate) fn departed(shared: &Shared, caller: &Arc<Inbound>, ending: &Ending) {
    let Inbound { peer, source, .. } = &**caller;
    if shared.leave(caller) {
        shared.contacts.called(peer, format!("its connection from {source} ended: {ending}"));
    }
    if matches!(ending, Ending::Closed) {
        let words = format_args!("{peer} closed its connection from {source}");
        shared.tell(Level::Info, peer, &words);
    } else {
        let words = format_args!("the connection of {peer} from {source} ended: {ending}");
        shared.tell(Level::Warn, peer, &words);
    }
}

/// A session whose other side proved a key, and its certificate.
fn proved(
    shared: &Shared,
    socket: &Arc<TcpStream>,
    deadline: Deadline,
) -> Result<(Session, CertificateDer<'static>), Ending> {
    socket::prepare(socket, shared.user_timeout())?;
    let mut session = Session::called(Arc::clone(socket), &shared.keyring.listening(), deadline)?;
    let certificate = session.handshake(deadline)?;
    Ok((session, certificate))
}

/// A session whose other side has a pinned key and said a fitting hello; or why not.
fn greeted(
    shared: &Shared,
    mut session: Session,
    certificate: &CertificateDer<'_>,
    (source, deadline): (SocketAddr, Deadline),
) -> Result<(Session, Arc<Inbound>), String> {
    let (peer, pin) =
        shared.trust.holder_of(certificate).map_err(|error| Ending::Tls(error).to_string())?;
    let floor = shared.doubts.floor(&peer);
    let ours = shared.doubts.hello_to(&peer, &shared.hello);
    let hello = session.greet_as_called(&ours, &peer, deadline).map_err(|ending| {
        shared.turned_away(&peer, source, &ending);
        format!("it has the key of {peer}, but: {ending}")
    })?;
    let greeting = shared.weigh(&peer, &hello, floor, source.to_string()).inspect_err(|why| {
        shared.contacts.called(&peer, format!("its call was refused: {why}"));
    })?;
    let has_returned = greeting == Greeting::Returned;
    let socket = session.socket();
    let instance = hello.instance;
    Ok((session, Arc::new(Inbound { peer, pin, instance, hello, has_returned, source, socket })))
}

/// Delivers messages until the session ends.
fn read(shared: &Shared, session: &mut Session, caller: &Inbound) -> Ending {
    let mut allowance = Allowance::full();
    loop {
        let idle = Deadline::after(shared.idle_limit());
        let (message, size) = match session.receive_message(idle, shared.charter_of) {
            Ok(received) => received,
            Err(ending) => return ending,
        };
        hear(shared, caller, session, message);
        if let Some(until) = allowance.pay(size) {
            match session.pause(until) {
                Ok(false) => {}
                Ok(true) => return Ending::Closed,
                Err(error) => return error.into(),
            }
        }
    }
}

/// Passes on what came.
pub(crate) fn hear(shared: &Shared, caller: &Inbound, session: &mut Session, received: Received) {
    let peer = &caller.peer;
    if let Some(sequence) = session.take_progress() {
        shared.doubts.progress(peer, &caller.hello, sequence);
    }
    match received {
        Received::Message(message) => {
            let message = *message;
            shared.delivery.deliver(Input::Received { from: peer.clone(), message });
        }
        Received::Unknown(kind) => shared.passed_over(peer, &kind),
    }
}
