//! Stands between the demo's nodes so that links can be cut without privileges: node j is known
//! to the others by a port of this relay, and who calls is seen by the caller's loopback address.
//! Never reads what it carries, and never carries a byte over a link after it was cut.
//!
//! ```text
//! alpha 127.0.0.11 --> relay port of bravo --> bravo 127.0.0.12
//! ```

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::cli::threads;
use crate::protocol::map::Map;
use crate::protocol::membership::VOTERS_MAX;

/// The loopback address of the node at `index`: where it listens and whence it calls.
pub(super) fn home(index: usize) -> Ipv4Addr {
    let last = u8::try_from(index).unwrap_or(u8::MAX).saturating_add(11);
    Ipv4Addr::new(127, 0, 0, last)
}

/// A link in one direction: who calls, who is called.
type Link = (usize, usize);

/// What is cut, and what is open.
#[derive(Debug, Default)]
struct Links {
    cut: Map<Link, ()>,
    open: Map<u64, (Link, [TcpStream; 2])>,
    next: u64,
}

/// The relay of a whole cluster.
#[derive(Debug)]
pub(super) struct Relay {
    links: Arc<Mutex<Links>>,
    doors: Vec<SocketAddr>,
}

impl Relay {
    /// Opens one port for each node; the node at `index` listens at `targets[index]`.
    ///
    /// # Errors
    /// What the system says when there is no port or no thread.
    pub(super) fn open(targets: &[SocketAddr]) -> io::Result<Self> {
        let links = Arc::new(Mutex::new(Links::default()));
        let mut doors = Vec::new();
        for (to, target) in targets.iter().copied().enumerate() {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
            doors.push(listener.local_addr()?);
            let links = Arc::clone(&links);
            threads::spawn("relay", move || {
                for caller in listener.incoming().flatten() {
                    if let Err(error) = connect(&links, caller, to, target) {
                        log::debug!("relay to {target}: {error}");
                    }
                }
            })?;
        }
        Ok(Self { links, doors })
    }

    /// Where the others reach the node at `index`.
    pub(super) fn door(&self, index: usize) -> SocketAddr {
        self.doors[index]
    }

    /// From now on nothing passes from `from` to `to`; what was open falls silent, as on a wire
    /// that was pulled out.
    pub(super) fn cut(&self, from: usize, to: usize) {
        lock(&self.links).cut.insert((from, to), ());
    }

    /// Lets new connections pass again. The old ones lost bytes, so they are closed.
    pub(super) fn heal(&self, from: usize, to: usize) {
        let mut links = lock(&self.links);
        links.cut.remove(&(from, to));
        for (link, ends) in links.open.values() {
            if *link == (from, to) {
                close(ends);
            }
        }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        for (_, ends) in lock(&self.links).open.values() {
            close(ends);
        }
    }
}

/// The guarded state is whole between any two statements, so a panic elsewhere cannot spoil it.
fn lock(links: &Mutex<Links>) -> MutexGuard<'_, Links> {
    links.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Joins a caller with the node it calls, unless that link is cut or the caller is a stranger.
fn connect(
    links: &Arc<Mutex<Links>>,
    caller: TcpStream,
    to: usize,
    target: SocketAddr,
) -> io::Result<()> {
    let source = caller.peer_addr()?.ip();
    let Some(from) = (0..VOTERS_MAX).find(|index| IpAddr::V4(home(*index)) == source) else {
        return Err(io::Error::other(format!("{source} is no node of this demo")));
    };
    if lock(links).cut.contains_key(&(from, to)) {
        return Ok(());
    }
    let called = TcpStream::connect(target)?;
    caller.set_nodelay(true)?;
    called.set_nodelay(true)?;
    let ends = [caller.try_clone()?, called.try_clone()?];
    let id = {
        let mut links = lock(links);
        links.next += 1;
        let id = links.next;
        links.open.insert(id, ((from, to), ends));
        id
    };
    let pairs = [(caller.try_clone()?, called.try_clone()?), (called, caller)];
    for (source, sink) in pairs {
        let links = Arc::clone(links);
        threads::spawn("pump", move || pump(&links, id, (from, to), source, sink))?;
    }
    Ok(())
}

/// Carries bytes one way until an end closes; bytes that meet a cut are gone, and so is the
/// connection from then on, although its ends do not learn it.
fn pump(links: &Mutex<Links>, id: u64, link: Link, mut source: TcpStream, mut sink: TcpStream) {
    let mut buffer = [0; 16 * 1024];
    let mut is_broken = false;
    while let Ok(count @ 1..) = source.read(&mut buffer) {
        is_broken |= lock(links).cut.contains_key(&link);
        if !is_broken && sink.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    let removed = lock(links).open.remove(&id);
    match removed {
        Some((_, ends)) => close(&ends),
        None => close(&[source, sink]),
    }
}

fn close(ends: &[TcpStream; 2]) {
    for end in ends {
        // It may be closed already: that is what is wanted.
        let _ = end.shutdown(Shutdown::Both);
    }
}
