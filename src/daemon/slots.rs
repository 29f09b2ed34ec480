//! How many sockets strangers may hold before they have proved a key (H01, H22).
//! Never counts a peer with an open session: it has its own place.
//!
//! Who has proved a key from an address before is given places apart, so that strangers elsewhere
//! cannot keep it out. When the places are taken, the oldest guest goes, if it had the time an
//! honest handshake needs; otherwise the newcomer is turned away.

use std::net::{IpAddr, Shutdown, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::daemon::waiting::Deadline;
use crate::protocol::map::Map;
use crate::protocol::units::NodeId;

/// Places for all strangers together.
const TOTAL_MAX: usize = 64;
/// Places for one address. The loopback address is exempt: all nodes of a demonstration share it,
/// and who may connect from there is on this machine already.
const SOURCE_MAX: usize = 8;
/// What an honest handshake takes at most, on a slow machine far away.
const HONEST: Duration = Duration::from_millis(500);

/// The places.
#[derive(Debug)]
pub(crate) struct Slots(Mutex<Inner>);

impl Default for Slots {
    fn default() -> Self {
        Self::of(SOURCE_MAX)
    }
}

#[derive(Debug, Default)]
struct Inner {
    /// Places for one address.
    source_max: usize,
    guests: Map<u64, Guest>,
    /// Counts guests; the lowest present one is the oldest.
    next: u64,
    /// Where each peer last proved its key from.
    proved: Map<NodeId, IpAddr>,
}

#[derive(Debug)]
struct Guest {
    source: IpAddr,
    is_proved: bool,
    socket: Arc<TcpStream>,
    honest_until: Deadline,
}

/// A place; dropping it makes room.
#[derive(Debug)]
pub(crate) struct Slot {
    slots: Arc<Slots>,
    number: u64,
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.slots.lock().guests.remove(&self.number);
    }
}

impl Slots {
    /// As many places as ever, and so many of them for one address.
    pub(crate) fn of(source_max: usize) -> Self {
        Self(Mutex::new(Inner { source_max, ..Inner::default() }))
    }

    /// A place for `socket`, or `None` if it must be turned away.
    pub(crate) fn admit(self: &Arc<Self>, source: IpAddr, socket: &Arc<TcpStream>) -> Option<Slot> {
        let mut inner = self.lock();
        let is_proved = inner.proved.values().any(|proved| *proved == source);
        let limited = !source.to_canonical().is_loopback();
        let of_source = move |guest: &Guest| limited && guest.source == source;
        let of_strangers = |guest: &Guest| !guest.is_proved;
        let source_max = inner.source_max;
        let has_room = inner.make_room(source_max, of_source)
            && (is_proved && limited || inner.make_room(TOTAL_MAX, of_strangers));
        if !has_room {
            return None;
        }
        let number = inner.next;
        inner.next += 1;
        let honest_until = Deadline::after(HONEST);
        let is_proved = is_proved && limited;
        let guest = Guest { source, is_proved, socket: Arc::clone(socket), honest_until };
        inner.guests.insert(number, guest);
        Some(Slot { slots: Arc::clone(self), number })
    }

    /// Remembers that `peer` proved its key from `source`.
    pub(crate) fn remember(&self, peer: &NodeId, source: IpAddr) {
        self.lock().proved.insert(peer.clone(), source);
    }

    /// Forgets whoever is not among `peers`, which bounds what is remembered.
    pub(crate) fn retain(&self, is_peer: impl Fn(&NodeId) -> bool) {
        self.lock().proved.retain(|peer, _| is_peer(peer));
    }

    /// Ends every guest's socket.
    pub(crate) fn close(&self) {
        self.lock().guests.values().for_each(Guest::end);
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Whether one more fits into the `limit` places of those that `counts`, perhaps after the
    /// oldest of them has gone.
    fn make_room(&mut self, limit: usize, counts: impl Fn(&Guest) -> bool) -> bool {
        let mut counted = self.guests.iter().filter(|(_, guest)| counts(guest));
        let Some((oldest, guest)) = counted.next() else { return true };
        if counted.count() + 1 < limit {
            return true;
        }
        if !guest.honest_until.has_passed() {
            return false;
        }
        guest.end();
        let oldest = *oldest;
        self.guests.remove(&oldest);
        true
    }
}

impl Guest {
    /// Its thread notices at once and ends.
    fn end(&self) {
        // It fails only when the socket is not connected any more, which is what is wanted.
        let _ = self.socket.shutdown(Shutdown::Both);
    }
}
