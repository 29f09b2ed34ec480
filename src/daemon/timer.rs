//! Owns the election loop's alarm: sleeps until the node's next deadline, then delivers a tick.
//! Never decides what is due, and never wakes up without need.
//!
//! The alarm is one timerfd on CLOCK_BOOTTIME, for three reasons. It runs on in suspend, so a
//! resumed machine ticks at once, where a condition variable (CLOCK_MONOTONIC) would sleep on with
//! a lease long gone. The driver moves it with one system call that never blocks, so no second
//! wake-up tells the loop about a new deadline. And timer slack does not delay it.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};

use crate::protocol::units::Moment;

/// Where one clock has reached a deadline and the other has not, the other is asked again after
/// this long at most: after a suspend they may be hours apart, and nobody must spin meanwhile.
pub const RETRY_MAX: Duration = Duration::from_millis(5);

/// Two clocks that reach a deadline within this of each other count as one, and the later is
/// waited for: else each deadline that needs both would cost two ticks. It is well inside the
/// 2 ms by which every lease is counted shorter (R22).
pub const CLOCKS_TOGETHER: Duration = Duration::from_micros(500);

/// A deadline that has passed already is served after this long, so that no fault can make the
/// loop spin.
pub const DELAY_MIN: Duration = Duration::from_micros(100);

/// The one alarm. It rings once per arming.
#[derive(Debug)]
pub struct Alarm {
    timer: OwnedFd,
}

impl Alarm {
    /// Makes an alarm that does not ring yet.
    ///
    /// # Errors
    /// What the system said; out of file descriptors, in practice.
    pub fn new() -> io::Result<Self> {
        let timer = timerfd_create(TimerfdClockId::Boottime, TimerfdFlags::CLOEXEC)?;
        Ok(Self { timer })
    }

    /// Makes it ring when CLOCK_BOOTTIME reads `at_boot_ns`, at once if that has passed, never
    /// for `None`. Replaces what was set before; never blocks.
    pub fn arm(&self, at_boot_ns: Option<u64>) {
        let value = at_boot_ns.map_or(Duration::ZERO, |ns| Duration::from_nanos(ns.max(1)));
        let setting =
            Itimerspec { it_interval: timespec(Duration::ZERO), it_value: timespec(value) };
        timerfd_settime(&self.timer, TimerfdTimerFlags::ABSTIME, &setting)
            .expect("our own timerfd takes every normalised time");
    }

    /// Sleeps until it rings.
    ///
    /// # Errors
    /// What the system said; the loop cannot go on then.
    pub fn wait(&self) -> io::Result<()> {
        let mut rings = [0; 8];
        loop {
            match rustix::io::read(&self.timer, &mut rings) {
                Ok(_) => return Ok(()),
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// When, by boot time, to come back for a deadline `wake` that was named at `now`: when the
/// earlier of both clocks reaches it, since power that ends with either clock must end then (R21).
/// Raw time cannot be slept on; its rest is taken as boot time, and each step measures it anew.
#[must_use]
pub fn ring_at(now: Moment, wake: Moment) -> u64 {
    let boot = Duration::from_nanos(wake.boot_ns.saturating_sub(now.boot_ns));
    let raw = Duration::from_nanos(wake.raw_ns.saturating_sub(now.raw_ns));
    let [earlier, later] = [boot.min(raw), boot.max(raw)];
    let delay = if later - earlier <= CLOCKS_TOGETHER {
        later
    } else if earlier.is_zero() {
        // What needs one clock was just served at `now`; what is left needs both.
        later.min(RETRY_MAX)
    } else {
        earlier
    };
    now.after(delay.max(DELAY_MIN)).boot_ns
}

impl AsFd for Alarm {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.timer.as_fd()
    }
}

fn timespec(span: Duration) -> Timespec {
    Timespec::try_from(span).expect("584 years fit into a timespec")
}
