//! Owns how many local programs are served at once, and how long the next one waits for its turn.
//! Never lets those that only listen take the places of those that ask.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::daemon::waiting::Deadline;

/// How many programs are served at once.
pub const CLIENTS_MAX: usize = 32;
/// How many of them may stay for events to come.
pub const FOLLOWERS_MAX: usize = 16;
/// How long the next program waits while all seats are taken.
pub const SEAT_WITHIN: Duration = Duration::from_secs(2);

/// The seats for local programs.
#[derive(Debug, Default)]
pub(crate) struct Seats {
    taken: Mutex<Taken>,
    given_back: Condvar,
}

#[derive(Debug, Default)]
struct Taken {
    clients: usize,
    followers: usize,
    /// Since when nobody was seated for want of a seat. Whoever comes later waits less: its
    /// connection waits in the backlog all the while.
    full_since: Option<Deadline>,
}

impl Seats {
    /// A seat, as soon as one is free; none when nobody stood up for a while.
    pub(crate) fn take(self: &Arc<Self>) -> Option<Seat> {
        let mut taken = self.lock();
        if taken.clients >= CLIENTS_MAX {
            let full_since = *taken.full_since.get_or_insert_with(Deadline::now);
            let patience = full_since.plus(SEAT_WITHIN).left();
            let is_full = |taken: &mut Taken| taken.clients >= CLIENTS_MAX;
            let waited = self.given_back.wait_timeout_while(taken, patience, is_full);
            taken = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        if taken.clients >= CLIENTS_MAX {
            return None;
        }
        taken.full_since = None;
        taken.clients += 1;
        Some(Seat { seats: Arc::clone(self), follows: false })
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One place, given back when dropped.
#[derive(Debug)]
pub(crate) struct Seat {
    seats: Arc<Seats>,
    follows: bool,
}

impl Seat {
    /// Whether its holder may stay for events to come.
    pub(crate) fn may_follow(&mut self) -> bool {
        let mut taken = self.seats.lock();
        if !self.follows && taken.followers < FOLLOWERS_MAX {
            taken.followers += 1;
            self.follows = true;
        }
        self.follows
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.seats.lock();
        taken.clients -= 1;
        taken.followers -= usize::from(self.follows);
        self.seats.given_back.notify_one();
    }
}
