//! Makes sockets: where to listen, how to reach a peer, and the options every one of them has.
//! Never speaks; sessions do. Name resolution happens here, on the calling thread, under no lock.

use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::time::Duration;

use rustix::net::{AddressFamily, SocketFlags, SocketType, connect, ipproto, socket_with, sockopt};

use crate::daemon::outbox::Outbox;
use crate::daemon::waiting::{Deadline, For, wait_with_bell};

/// The most addresses of one name that are tried (H29).
const ADDRESSES_MAX: usize = 8;
/// How long one address may take to answer.
const CONNECT_LIMIT: Duration = Duration::from_secs(3);

/// Why a peer was not reached.
#[derive(Debug)]
pub(crate) enum Unreached {
    /// Its name has no address.
    Name(io::Error),
    /// An address was tried; this is the last one's failure.
    Address(SocketAddr, io::Error),
    /// Nobody wants to reach it any more.
    Closed,
}

impl fmt::Display for Unreached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(error) => write!(f, "its name does not resolve: {error}"),
            Self::Address(address, error) => write!(f, "{} ({address})", in_words(error)),
            Self::Closed => f.write_str("closed"),
        }
    }
}

/// Connects to the first address of `address` that answers, from `source` if there is one; those
/// where `strangers` answered are tried last (H29).
pub(crate) fn reach(
    address: &str,
    source: Option<SocketAddr>,
    user_timeout: Duration,
    outbox: &Outbox,
    strangers: &[SocketAddr],
) -> Result<(TcpStream, SocketAddr), Unreached> {
    let mut last = Unreached::Name(io::Error::other("no address"));
    let mut targets = resolved(address).map_err(Unreached::Name)?;
    targets.sort_by_key(|target| strangers.contains(target));
    for target in targets {
        match connected(target, source, user_timeout, outbox) {
            Ok(Some(socket)) => return Ok((socket, target)),
            Ok(None) => return Err(Unreached::Closed),
            Err(error) => last = Unreached::Address(target, error),
        }
    }
    Err(last)
}

/// The addresses of `host:port`; a literal one needs no resolver.
pub(crate) fn resolved(address: &str) -> io::Result<Vec<SocketAddr>> {
    match address.parse() {
        Ok(literal) => Ok(vec![literal]),
        Err(_) => Ok(address.to_socket_addrs()?.take(ADDRESSES_MAX).collect()),
    }
}

/// The options every socket between nodes has: nothing waits for more to say, and unanswered
/// bytes end the connection long before TCP would (H24).
pub(crate) fn prepare(socket: &TcpStream, user_timeout: Duration) -> io::Result<()> {
    socket.set_nonblocking(true)?;
    socket.set_nodelay(true)?;
    set_user_timeout(socket, user_timeout)
}

/// Another end for unanswered bytes.
pub(crate) fn set_user_timeout(socket: &TcpStream, user_timeout: Duration) -> io::Result<()> {
    let milliseconds = u32::try_from(user_timeout.as_millis()).unwrap_or(u32::MAX);
    Ok(sockopt::set_tcp_user_timeout(socket, milliseconds)?)
}

/// `None` when the outbox closed meanwhile.
fn connected(
    target: SocketAddr,
    source: Option<SocketAddr>,
    user_timeout: Duration,
    outbox: &Outbox,
) -> io::Result<Option<TcpStream>> {
    let family = if target.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(family, SocketType::STREAM, flags, Some(ipproto::TCP))?;
    if let Some(source) = source.filter(|source| source.is_ipv4() == target.is_ipv4()) {
        rustix::net::bind(&socket, &source)?;
    }
    let socket = TcpStream::from(socket);
    prepare(&socket, user_timeout)?;
    match connect(&socket, &target) {
        Ok(()) => return Ok(Some(socket)),
        Err(rustix::io::Errno::INPROGRESS | rustix::io::Errno::INTR) => {}
        Err(error) => return Err(error.into()),
    }
    let deadline = Deadline::after(CONNECT_LIMIT);
    loop {
        let woken = wait_with_bell(&socket, For::Writing, outbox.bell(), Some(deadline))?;
        if outbox.is_closed() {
            return Ok(None);
        }
        if woken.socket {
            sockopt::socket_error(&socket)??;
            return Ok(Some(socket));
        }
        if !woken.bell {
            return Err(io::ErrorKind::TimedOut.into());
        }
    }
}

/// The usual failures in a word; the rest as the system says them.
pub(crate) fn in_words(error: &io::Error) -> String {
    use io::ErrorKind as Kind;
    let known = [
        (Kind::ConnectionRefused, "connection refused"),
        (Kind::HostUnreachable, "no route"),
        (Kind::NetworkUnreachable, "no route"),
        (Kind::TimedOut, "no answer"),
        (Kind::ConnectionReset, "connection reset by the other side"),
        (Kind::BrokenPipe, "connection reset by the other side"),
    ];
    let word = known.iter().find(|(kind, _)| *kind == error.kind());
    word.map_or_else(|| error.to_string(), |(_, word)| (*word).to_owned())
}
