//! The one clock of this room: how long things take on this machine.
//! Never the time of day.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// How long anything may take before a test gives up; far beyond what it takes.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// Time since some moment that all processes of this boot share.
pub(super) fn now() -> Duration {
    let reading = clock_gettime(ClockId::Monotonic);
    Duration::new(
        u64::try_from(reading.tv_sec).expect("it counts from boot"),
        u32::try_from(reading.tv_nsec).expect("it is below a second"),
    )
}
