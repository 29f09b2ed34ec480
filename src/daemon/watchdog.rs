//! Decides whether the core still makes progress, and ends the process when it does not (R76).
//! Never judges by elapsed time alone: a process that was stopped or suspended made no progress
//! either, and is sound. It counts its own turns instead, and three of them must see the same
//! standstill; whoever stops the process stops this thread too.

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError};

use crate::daemon::clock;

/// The time between two turns: three turns that see one standstill span two seconds (R76).
pub const TURN: Duration = Duration::from_secs(1);

/// That many turns must see the same standstill.
pub const STRIKES_MAX: u32 = 3;

/// The marks the core leaves behind as it goes; readable without the lock.
#[derive(Debug, Default)]
pub struct Pulse {
    begun: AtomicU64,
    ended: AtomicU64,
    due_boot_ns: AtomicU64,
    last_boot_ns: AtomicU64,
}

/// The marks as read at one instant.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Marks {
    /// Turns of the core begun so far.
    pub begun: u64,
    /// Turns ended so far.
    pub ended: u64,
    /// When the core wants to run at the latest, by boot time; zero means no deadline.
    pub due_boot_ns: u64,
}

impl Pulse {
    /// A turn of the core begins: somebody got the lock.
    pub fn begin(&self) {
        self.begun.fetch_add(1, SeqCst);
    }

    /// A turn ends; the next one is due then.
    pub fn end(&self, now_boot_ns: u64, due_boot_ns: Option<u64>) {
        self.last_boot_ns.store(now_boot_ns, SeqCst);
        self.due_boot_ns.store(due_boot_ns.unwrap_or(0), SeqCst);
        self.ended.fetch_add(1, SeqCst);
    }

    /// The marks now.
    #[must_use]
    pub fn marks(&self) -> Marks {
        Marks {
            begun: self.begun.load(SeqCst),
            ended: self.ended.load(SeqCst),
            due_boot_ns: self.due_boot_ns.load(SeqCst),
        }
    }

    /// The age of the last turn.
    #[must_use]
    pub fn age(&self, now_boot_ns: u64) -> Duration {
        Duration::from_nanos(now_boot_ns.saturating_sub(self.last_boot_ns.load(SeqCst)))
    }
}

/// What one turn of the watchdog concludes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Progress, or no need for any.
    Alive,
    /// Nothing moved since the last turn although something was due.
    Standing,
    /// That for so many turns that the core must be dead.
    Dead,
}

/// Counts the turns that saw the same standstill.
#[derive(Debug, Default)]
pub struct Watchdog {
    last: Marks,
    strikes: u32,
}

impl Watchdog {
    /// One turn: looks at the marks at `now_boot_ns`.
    pub fn turn(&mut self, marks: Marks, now_boot_ns: u64) -> Verdict {
        let is_inside = marks.begun != marks.ended;
        let is_overdue = marks.due_boot_ns != 0 && marks.due_boot_ns < now_boot_ns;
        let has_moved = marks.ended != self.last.ended;
        self.last = marks;
        if !is_inside && !is_overdue {
            self.strikes = 0;
            return Verdict::Alive;
        }
        // The first sight of a standstill is a strike; another turn's end starts it anew.
        self.strikes = if has_moved { 1 } else { self.strikes + 1 };
        if self.strikes >= STRIKES_MAX { Verdict::Dead } else { Verdict::Standing }
    }
}

/// Watches `pulse` until `stop` closes; calls `dead` when the core is, which must not return to
/// a living daemon.
pub fn watch(pulse: &Pulse, stop: &Receiver<()>, dead: impl Fn()) {
    let mut watchdog = Watchdog::default();
    while let Err(RecvTimeoutError::Timeout) = stop.recv_timeout(TURN) {
        if watchdog.turn(pulse.marks(), clock::now().boot_ns) == Verdict::Dead {
            dead();
        }
    }
}
