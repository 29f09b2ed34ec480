//! Stands between nodes on the loopback network and carries what they send later than it came,
//! link by link: latency for machines whose kernel has none to give.
//! Never loses, repeats or reorders a byte of a connection; cuts belong to `network`.
//!
//! ```text
//! alpha 127.1.1.1 --> door of bravo --(delay alpha to bravo)--> bravo 127.1.1.2
//! ```

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{IpAddr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::Builder;
use std::time::Duration;

use super::clock::now;

/// Chunks under way on one connection in one direction.
const CHUNKS_MAX: usize = 1024;

/// Who sends, who is to receive: places in the list of nodes.
type Way = (usize, usize);

/// A door for each node, through which the others reach it.
#[derive(Debug)]
pub(super) struct Relay {
    doors: Vec<SocketAddr>,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    nodes: Vec<SocketAddr>,
    delays: Mutex<BTreeMap<Way, Range<Duration>>>,
    is_over: AtomicBool,
}

impl Relay {
    /// A relay to the nodes that listen at these addresses, each of a host of its own. Nothing is
    /// delayed yet.
    pub(super) fn to(addresses: &[String]) -> Self {
        let nodes = addresses.iter().map(|one| one.parse().expect("an address")).collect();
        let (delays, is_over) = (Mutex::default(), AtomicBool::new(false));
        let shared = Arc::new(Shared { nodes, delays, is_over });
        let doors = (0..addresses.len()).map(|to| open(&shared, to)).collect();
        Self { doors, shared }
    }

    /// Where the others reach each node.
    pub(super) fn doors(&self) -> Vec<String> {
        self.doors.iter().map(SocketAddr::to_string).collect()
    }

    /// From now on each chunk that `from` sends `to` takes a time out of `span`, but overtakes
    /// none before it.
    pub(super) fn delay(&self, from: usize, to: usize, span: Range<Duration>) {
        self.shared.delays.lock().expect("no thread panics").insert((from, to), span);
    }

    /// The same for every link.
    pub(super) fn delay_all(&self, span: &Range<Duration>) {
        let count = self.doors.len();
        for (from, to) in (0..count).flat_map(|from| (0..count).map(move |to| (from, to))) {
            self.delay(from, to, span.clone());
        }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.shared.is_over.store(true, SeqCst);
        for door in &self.doors {
            // Wakes the thread behind it, which sees that it is over; nobody there is as well.
            drop(TcpStream::connect(door));
        }
    }
}

impl Shared {
    /// How long a chunk takes; `share` of what chance may add, in thousandths.
    fn delay(&self, way: Way, share: u32) -> Duration {
        let delays = self.delays.lock().expect("no thread panics");
        let Some(span) = delays.get(&way) else { return Duration::ZERO };
        span.start + (span.end - span.start) * share / 1_000
    }

    fn node_at(&self, host: IpAddr) -> usize {
        let found = self.nodes.iter().position(|node| node.ip() == host);
        found.expect("only nodes of this relay call")
    }
}

fn start(body: impl FnOnce() + Send + 'static) {
    Builder::new().name("relays".to_owned()).spawn(body).expect("a thread can be started");
}

/// Opens the door of the node at `to`.
fn open(shared: &Arc<Shared>, to: usize) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let door = listener.local_addr().expect("it is bound");
    let shared = Arc::clone(shared);
    start(move || {
        for caller in listener.incoming().flatten() {
            if shared.is_over.load(SeqCst) {
                return;
            }
            meet(&shared, caller, to);
        }
    });
    door
}

/// Joins a caller with the node behind the door, if that one is up.
fn meet(shared: &Arc<Shared>, caller: TcpStream, to: usize) {
    let Ok(host) = caller.peer_addr().map(|address| address.ip()) else { return };
    let from = shared.node_at(host);
    let Ok(called) = TcpStream::connect(shared.nodes[to]) else { return };
    for end in [&caller, &called] {
        end.set_nodelay(true).expect("it is a TCP socket");
    }
    let copy = |end: &TcpStream| end.try_clone().expect("there are descriptors left");
    carry(shared, (from, to), copy(&caller), copy(&called));
    carry(shared, (to, from), called, caller);
}

/// Carries one direction of a connection on two threads, until its source ends.
fn carry(shared: &Arc<Shared>, way: Way, mut source: TcpStream, sink: TcpStream) {
    let (sender, chunks) = sync_channel(CHUNKS_MAX);
    start(move || deliver(&chunks, sink));
    let shared = Arc::clone(shared);
    start(move || {
        let mut buffer = [0; 16 * 1024];
        let (mut due, mut chance) = (Duration::ZERO, way.0 + 7 * way.1 + 1);
        while let Ok(count @ 1..) = source.read(&mut buffer) {
            // The high bits of a small generator: uneven is enough, random is not needed.
            chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_041);
            let share = u32::try_from((chance >> 33) % 1_000).expect("below a thousand");
            due = due.max(now() + shared.delay(way, share));
            if sender.send((due, buffer[..count].to_vec())).is_err() {
                return;
            }
        }
    });
}

/// Writes each chunk when it is due; then ends that direction.
fn deliver(chunks: &Receiver<(Duration, Vec<u8>)>, mut sink: TcpStream) {
    // Nobody ever speaks on this line: waiting for it is waiting for time to pass.
    let (_line, nobody) = channel::<()>();
    for (due, chunk) in chunks {
        let waited = nobody.recv_timeout(due.saturating_sub(now()));
        assert_eq!(waited, Err(RecvTimeoutError::Timeout), "the line is open");
        if sink.write_all(&chunk).is_err() {
            break;
        }
    }
    // Both directions: nobody here half-closes. It may be closed already, which is what is wanted.
    drop(sink.shutdown(Shutdown::Both));
}
