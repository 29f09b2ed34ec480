//! Owns the listening socket and its callers: takes them in, reads one request each, writes one
//! answer each, and lets them go, all of it within a fixed time (H48, H53).
//! Never knows what is asked: whoever answers is given, and gets requests that are sound.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use crate::daemon::rate::Lines;
use crate::daemon::slots::Slots;
use crate::daemon::socket;
use crate::daemon::spawn::spawn;
use crate::daemon::waiting::{Deadline, For, pause, wait};
use crate::wire::http::{self, Answer, Refusal, Request};

/// A caller is gone after that long, whatever it did: request, answer and goodbye.
pub const CALL_LIMIT: Duration = Duration::from_secs(5);
/// Places for one address: half of all, so that one program cannot keep all others out.
const SOURCE_MAX: usize = 32;
/// How long accepting rests after it failed.
const BACKOFF: Duration = Duration::from_millis(100);
/// What of a caller's further words is read and thrown away, so that the answer is not lost with
/// a connection that is reset.
const GOODBYE_BYTES_MAX: usize = 64 << 10;
/// How long that may take.
const GOODBYE_LIMIT: Duration = Duration::from_millis(500);

/// Who knows the answers.
pub trait Clerk: Send + Sync + 'static {
    /// The answer to one request.
    fn answer(&self, request: &Request<'_>) -> Answer;
}

/// Listens at `address`, `host:port`.
///
/// # Errors
/// What the system said.
pub fn open(address: &str) -> io::Result<TcpListener> {
    socket::resolved(address).and_then(|found| TcpListener::bind(&found[..]))
}

/// Takes callers for ever and lets `receive` talk to each on a thread of its own. `name` is that
/// of the threads.
pub(super) fn attend<F>(listener: &TcpListener, name: &'static str, receive: F)
where
    F: Fn(&TcpStream, Deadline) -> io::Result<()> + Send + Sync + 'static,
{
    let slots = Arc::new(Slots::of(SOURCE_MAX));
    let lines = Lines::about_strangers();
    let receive = Arc::new(receive);
    loop {
        let (socket, source) = match listener.accept() {
            Ok(caller) => caller,
            Err(error) => {
                complain(&lines, name, &error);
                pause(BACKOFF);
                continue;
            }
        };
        let socket = Arc::new(socket);
        let Some(slot) = slots.admit(source.ip(), &socket) else {
            turn_away(&socket);
            continue;
        };
        let receive = Arc::clone(&receive);
        let spawned = spawn(name, move || {
            let deadline = Deadline::after(CALL_LIMIT);
            if let Err(error) =
                socket.set_nonblocking(true).and_then(|()| receive(&socket, deadline))
            {
                log::debug!("{name}: {source} was let go: {error}");
            }
            drop(slot);
        });
        if let Err(error) = spawned {
            complain(&lines, name, &error);
        }
    }
}

/// One line for many failures.
fn complain(lines: &Lines<std::net::IpAddr>, name: &str, error: &io::Error) {
    if let Some(unsaid) = lines.admit(std::net::IpAddr::from([0; 4])) {
        log::warn!("{name} takes no connection: {error}; {unsaid} more such failures before");
    }
}

/// Says so, if the socket takes it at once: whoever is turned away is not waited for.
fn turn_away(socket: &TcpStream) {
    let lines = "Retry-After: 1\r\n".to_owned();
    let answer = Answer { status: 503, lines, ..Answer::text("too many connections\n") };
    if socket.set_nonblocking(true).is_ok() {
        // A caller that cannot take one line is gone.
        (&mut &*socket).write_all(&answer.bytes(None)).ok();
    }
}

/// One request, one answer, and the end.
pub(super) fn converse(
    socket: &TcpStream,
    deadline: Deadline,
    clerk: &dyn Clerk,
) -> io::Result<()> {
    let mut bytes = Vec::with_capacity(1024);
    let (method, answer) = match read_head(socket, deadline, &mut bytes)? {
        Some(Ok(end)) => match http::request(&bytes[..end]) {
            Ok(request) => (Some(request.method), clerk.answer(&request)),
            Err(refusal) => (None, refusal.answer()),
        },
        Some(Err(refusal)) => (None, refusal.answer()),
        None => return Ok(()),
    };
    write_all(socket, deadline, &answer.bytes(method))?;
    say_goodbye(socket, deadline)
}

/// Reads until the head is whole; gives its length, why it cannot be one, or nothing if the caller
/// said nothing at all.
fn read_head(
    socket: &TcpStream,
    deadline: Deadline,
    bytes: &mut Vec<u8>,
) -> io::Result<Option<Result<usize, Refusal>>> {
    let mut buffer = [0; 1024];
    loop {
        let room = (http::HEAD_BYTES_MAX - bytes.len()).min(buffer.len());
        match (&mut &*socket).read(&mut buffer[..room]) {
            Ok(0) => return Ok(None),
            Ok(count) => {
                let known = bytes.len();
                bytes.extend_from_slice(&buffer[..count]);
                match http::head_end(bytes, known) {
                    Ok(None) => {}
                    Ok(Some(end)) => return Ok(Some(Ok(end))),
                    Err(refusal) => return Ok(Some(Err(refusal))),
                }
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                // The answer needs a moment too.
                if !wait(socket, For::Reading, deadline.minus(GOODBYE_LIMIT))? {
                    return Ok((!bytes.is_empty()).then_some(Err(Refusal::TooSlow)));
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Writes all of `bytes` in time.
pub(super) fn write_all(
    socket: &TcpStream,
    deadline: Deadline,
    mut bytes: &[u8],
) -> io::Result<()> {
    while !bytes.is_empty() {
        match (&mut &*socket).write(bytes) {
            Ok(count) => bytes = &bytes[count..],
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                if !wait(socket, For::Writing, deadline)? {
                    return Err(io::ErrorKind::TimedOut.into());
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Ends our side, and waits a little for theirs: what was not read when a socket is closed resets
/// the connection, and takes an answer that is still under way with it.
pub(super) fn say_goodbye(socket: &TcpStream, deadline: Deadline) -> io::Result<()> {
    socket.shutdown(Shutdown::Write)?;
    let deadline = deadline.min(Deadline::after(GOODBYE_LIMIT));
    let mut buffer = [0; 1024];
    let mut rest = GOODBYE_BYTES_MAX;
    while rest > 0 {
        match (&mut &*socket).read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => rest = rest.saturating_sub(count),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                if !wait(socket, For::Reading, deadline)? {
                    return Ok(());
                }
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Where `listener` listens, for people.
pub(super) fn shown(listener: &TcpListener) -> String {
    listener.local_addr().as_ref().map_or_else(ToString::to_string, SocketAddr::to_string)
}
