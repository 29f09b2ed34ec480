//! The only clock of the CLI: how long something took, and short waits between two questions.
//! Never decides about leases; the daemon does, by its own clocks.

use std::time::Duration;

use rustix::time::{ClockId, Timespec, clock_gettime};

/// Measures from its start, also across suspend.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stopwatch {
    started: Duration,
}

impl Stopwatch {
    /// Starts measuring now.
    #[must_use]
    pub(super) fn start() -> Self {
        Self { started: since_boot() }
    }

    /// The time since the start.
    #[must_use]
    pub(super) fn elapsed(&self) -> Duration {
        since_boot().saturating_sub(self.started)
    }

    /// What is left of `limit`; zero when it is over.
    #[must_use]
    pub(super) fn left_of(&self, limit: Duration) -> Duration {
        limit.saturating_sub(self.elapsed())
    }
}

/// Does nothing for `span`, between two looks at something that cannot be waited on.
pub(super) fn pause(span: Duration) {
    let limit = Timespec {
        tv_sec: i64::try_from(span.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(span.subsec_nanos()),
    };
    if let Err(error) = rustix::event::poll(&mut [], Some(&limit)) {
        // A signal ended the pause early: whoever pauses looks again anyway.
        log::trace!("pause ended early: {error}");
    }
}

/// The wall clock, since 1970: for what people read, never for a wait.
#[must_use]
pub(super) fn since_1970() -> Duration {
    span(clock_gettime(ClockId::Realtime))
}

fn since_boot() -> Duration {
    span(clock_gettime(ClockId::Boottime))
}

fn span(time: Timespec) -> Duration {
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let nanoseconds = u32::try_from(time.tv_nsec).unwrap_or(0);
    Duration::new(seconds, nanoseconds)
}
