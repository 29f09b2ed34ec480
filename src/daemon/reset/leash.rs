//! Decides when the hardware watchdog is armed, petted and disarmed, and when acting has to wait
//! for it or end because of it (R30, R31).
//! Never touches a device, reads no clock: it is told what is so, and says what is to be done.
//!
//! ```text
//! wins ──► held back ──arm──► acting ──pet … pet──► told to end ──pet──► nothing lives ──► disarm
//!                                              last pet + 2 timeouts <= limit
//! ```
//!
//! `limit` is when nothing of a term may live any more: its lease's end less the margin. When a
//! daemon dies, the kernel closes the device for it, finds it armed, and pets it: so it may fire
//! two timeouts after the daemon's own last pet. Where that fits into a lease, a pet is given only
//! if the device would fire by `limit` all the same. Where it does not fit, pets just end at
//! `limit`, and the device fires late.

use std::time::Duration;

use crate::protocol::units::{Moment, Term};

/// The longest time between two pets.
pub const PERIOD_MAX: Duration = Duration::from_secs(1);
/// The time between two looks at a device that is not armed.
pub const LOOK_EVERY: Duration = Duration::from_secs(10);
/// For how long acting may be held back before mastership is given up.
pub const HELD_MAX: Duration = Duration::from_secs(5);
/// What counts as having a timeout nobody can read.
pub const TIMEOUT_UNKNOWN: Duration = Duration::from_secs(60);
/// A core that is overdue by that much makes no progress.
const OVERDUE_NS: u64 = 500_000_000;
/// When to look again at something that may end by itself.
const SOON: Duration = Duration::from_millis(50);
/// How close to the last moment to pet the last pet is given.
const LAST: Duration = Duration::from_millis(5);

/// What is done under mastership.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Task {
    /// Nothing, and nothing lives of it.
    Idle,
    /// This node may act, once the device is armed.
    Held {
        /// The fencing token.
        term: Term,
        /// When nothing of it may live any more.
        limit: Moment,
    },
    /// It acts.
    Acting {
        /// The fencing token.
        term: Term,
        /// When nothing of it may live any more.
        limit: Moment,
    },
    /// All was told to end and is not confirmed dead.
    Stopping {
        /// When nothing of it may live any more.
        limit: Moment,
    },
}

/// What the core looks like at one instant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sight {
    /// What is done under mastership.
    pub task: Task,
    /// What ending and killing take.
    pub stop: Duration,
    /// The longest time from a pet to firing that fits into a lease.
    pub reach: Duration,
    /// When the core wants to run at the latest, by boot time.
    pub due_boot_ns: Option<u64>,
}

/// What is to be done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Nothing for so long, or until the core gives orders.
    Rest(Duration),
    /// See whether the device could be armed.
    Look,
    /// Arm it.
    Arm,
    /// Pet it.
    Pet,
    /// Let this node act.
    Grant(Term),
    /// Disarm it.
    Disarm,
    /// Mastership of that term must end here, at once.
    End(Term),
}

/// What is known of the device.
#[derive(Debug)]
pub struct Leash {
    timeout: Duration,
    is_for_good: bool,
    /// The last pet, if it is armed.
    petted: Option<Moment>,
    is_deaf: bool,
    looked: Option<Moment>,
    is_refused: bool,
    held_since: Option<Moment>,
}

impl Default for Leash {
    fn default() -> Self {
        Self {
            timeout: TIMEOUT_UNKNOWN,
            is_for_good: false,
            petted: None,
            is_deaf: false,
            looked: None,
            is_refused: true,
            held_since: None,
        }
    }
}

impl Leash {
    /// The device can be armed. One that is `for_good` cannot be disarmed, and is petted always.
    pub fn allow(&mut self, now: Moment, timeout: Duration, is_for_good: bool) {
        (self.timeout, self.is_for_good) = (timeout, is_for_good);
        (self.looked, self.is_refused) = (Some(now), false);
    }

    /// The device cannot be armed, or was not.
    pub fn refuse(&mut self, now: Moment) {
        (self.looked, self.is_refused) = (Some(now), true);
    }

    /// It was armed or petted, begun at `now`.
    pub fn petted(&mut self, now: Moment) {
        (self.petted, self.is_deaf) = (Some(now), false);
    }

    /// It did not take a pet.
    pub fn not_petted(&mut self) {
        self.is_deaf = true;
    }

    /// It was disarmed.
    pub fn disarmed(&mut self) {
        (self.petted, self.is_deaf) = (None, false);
    }

    /// Whether it is armed.
    #[must_use]
    pub fn is_armed(&self) -> bool {
        self.petted.is_some()
    }

    /// Whether it cannot be armed, or nobody has looked.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        self.is_refused
    }

    /// Whether it fires before another node may act.
    #[must_use]
    pub fn is_in_time(&self, sight: &Sight) -> bool {
        fits(self.timeout, sight.reach)
    }

    /// The next thing to do.
    pub fn turn(&mut self, now: Moment, sight: &Sight) -> Verdict {
        if !matches!(sight.task, Task::Held { .. }) {
            self.held_since = None;
        }
        match (sight.task, self.petted) {
            (Task::Idle, None) => self.look(now),
            (Task::Idle, Some(last)) if self.is_for_good => {
                let room = (!is_stalled(now, sight)).then_some(Duration::MAX);
                room.map_or(Verdict::Rest(SOON), |room| self.pet(now, last, room))
            }
            (Task::Idle, Some(_)) => Verdict::Disarm,
            (Task::Held { term, limit }, _) => self.hold(now, sight, term, limit),
            (Task::Acting { term, .. }, None) => Verdict::End(term),
            (Task::Acting { term, limit }, Some(last)) => {
                let spare = self.timeout.saturating_sub(now.held_since(last));
                let spare = spare.saturating_sub(sight.stop);
                match self.room(now, sight, limit) {
                    Some(room) if !self.is_deaf || !spare.is_zero() => self.pet(now, last, room),
                    _ if spare.is_zero() => Verdict::End(term),
                    _ => Verdict::Rest(spare.min(SOON)),
                }
            }
            (Task::Stopping { limit }, Some(last)) => self
                .room(now, sight, limit)
                .map_or(Verdict::Rest(SOON), |room| self.pet(now, last, room)),
            (Task::Stopping { .. }, None) => Verdict::Rest(LOOK_EVERY),
        }
    }

    fn look(&self, now: Moment) -> Verdict {
        let waited = self.looked.map(|looked| now.waited_since(looked));
        match waited.filter(|waited| *waited < LOOK_EVERY) {
            None => Verdict::Look,
            Some(waited) => Verdict::Rest(LOOK_EVERY - waited),
        }
    }

    /// Nobody acts before the device is armed and would fire in time.
    fn hold(&mut self, now: Moment, sight: &Sight, term: Term, limit: Moment) -> Verdict {
        let since = *self.held_since.get_or_insert(now);
        let left = HELD_MAX.saturating_sub(now.held_since(since));
        let Some(looked) = self.looked else { return Verdict::Look };
        // What was known before is waited for: one that wins all the same is the last resort, and
        // would only win again and again.
        let is_news = self.is_refused && looked.has_surely_reached(since);
        if is_news || left.is_zero() {
            return Verdict::End(term);
        }
        if self.is_refused {
            let look = self.look(now);
            return if look == Verdict::Look { look } else { Verdict::Rest(left) };
        }
        match (self.room(now, sight, limit), self.petted) {
            (None, _) => Verdict::Rest(SOON),
            (Some(_), None) => Verdict::Arm,
            (Some(_), Some(last)) if now.held_since(last) < self.period() => Verdict::Grant(term),
            (Some(_), Some(_)) => Verdict::Pet,
        }
    }

    /// How much longer it may be petted; none if it may not now.
    fn room(&self, now: Moment, sight: &Sight, limit: Moment) -> Option<Duration> {
        let is_in_time = self.is_in_time(sight);
        let needed = if is_in_time { fires_within(self.timeout) } else { Duration::ZERO };
        let room = limit.waited_since(now).checked_sub(needed)?;
        (!room.is_zero() && !is_stalled(now, sight)).then_some(room)
    }

    /// Often enough, and once more at the last moment.
    fn pet(&self, now: Moment, last: Moment, room: Duration) -> Verdict {
        let since = now.held_since(last);
        let is_last = room <= LAST && since > LAST;
        if is_last || since >= self.period() {
            return Verdict::Pet;
        }
        let to_last = if room > LAST { room - LAST } else { LAST };
        Verdict::Rest((self.period() - since).min(to_last))
    }

    fn period(&self) -> Duration {
        (self.timeout / 4).min(PERIOD_MAX)
    }
}

/// How long after a daemon's last pet its device fires at the latest, whenever the daemon dies.
fn fires_within(timeout: Duration) -> Duration {
    timeout.saturating_mul(2)
}

/// Whether a device with that timeout fires in time, if it may fire `reach` after a pet.
#[must_use]
pub fn fits(timeout: Duration, reach: Duration) -> bool {
    fires_within(timeout) <= reach
}

/// Whether the core should have run some time ago.
fn is_stalled(now: Moment, sight: &Sight) -> bool {
    sight.due_boot_ns.is_some_and(|due| due.saturating_add(OVERDUE_NS) < now.boot_ns)
}
