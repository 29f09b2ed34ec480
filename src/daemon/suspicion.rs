//! Decides whether the clocks or the scheduler can be trusted just now (R21): pure, fed with
//! readings. Never reads a clock itself and never acts; the protocol does.
//!
//! Three signs, each of which a paused virtual machine, a broken time daemon or a starved host
//! shows first: the core ran long after its wake-up time; the wall clock moved against boot time;
//! boot time and raw time run at different rates.

use std::time::Duration;

use crate::daemon::clock::Reading;
use crate::protocol::effects::Suspicion;

/// How far the wall clock may move against boot time between two readings.
pub const WALL_JUMP_MAX: Duration = Duration::from_millis(250);

/// Over how long the rates of the two clocks are compared.
pub const RATE_WINDOW: Duration = Duration::from_secs(10);

/// The two clocks may differ by one part in this many over a window: 1 %.
const RATE_DIFFERENCE_PARTS: u64 = 100;

/// The last reading and the start of the running rate window.
#[derive(Clone, Debug)]
pub struct Detector {
    last: Reading,
    window: Reading,
}

impl Detector {
    /// Begins with a first reading, about which nothing can be said yet.
    #[must_use]
    pub fn new(first: Reading) -> Self {
        Self { last: first, window: first }
    }

    /// Judges `now`. `due_boot_ns` is when the core wanted to run at the latest, by boot time;
    /// `dead_after` is the one in force.
    pub fn observe(
        &mut self,
        now: Reading,
        due_boot_ns: Option<u64>,
        dead_after: Duration,
    ) -> Vec<Suspicion> {
        let found = [stall(now, due_boot_ns, dead_after), self.wall_jump(now), self.disagree(now)];
        self.last = now;
        found.into_iter().flatten().collect()
    }

    /// Boot time runs on in suspend and the wall clock with it, so only a step of the wall clock
    /// itself, or a pause hidden from boot time, changes their difference at once.
    fn wall_jump(&self, now: Reading) -> Option<Suspicion> {
        let offset = |r: Reading| i128::from(r.wall_ns) - i128::from(r.moment.boot_ns);
        let moved = (offset(now) - offset(self.last)).unsigned_abs();
        let by = Duration::from_nanos(u64::try_from(moved).unwrap_or(u64::MAX));
        (by > WALL_JUMP_MAX).then_some(Suspicion::WallClockJump(by))
    }

    fn disagree(&mut self, now: Reading) -> Option<Suspicion> {
        let boot = now.moment.boot_ns.saturating_sub(self.window.moment.boot_ns);
        let raw = now.moment.raw_ns.saturating_sub(self.window.moment.raw_ns);
        let longer = boot.max(raw);
        if Duration::from_nanos(longer) < RATE_WINDOW {
            return None;
        }
        self.window = now;
        let is_off = boot.abs_diff(raw) > longer / RATE_DIFFERENCE_PARTS;
        is_off.then_some(Suspicion::ClocksDisagree)
    }
}

fn stall(now: Reading, due_boot_ns: Option<u64>, dead_after: Duration) -> Option<Suspicion> {
    let late = Duration::from_nanos(now.moment.boot_ns.saturating_sub(due_boot_ns?));
    (late > dead_after / 4).then_some(Suspicion::Stall(late))
}
