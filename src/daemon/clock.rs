//! Owns the only clock: the two readings that decide (R20) and the wall clock people read.
//! Never decides anything; `suspicion` judges the readings, the protocol uses them.

use std::time::{Duration, SystemTime};

use rustix::time::{ClockId, Timespec, clock_gettime};

use crate::protocol::units::Moment;

/// What all clocks said at one instant.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Reading {
    /// The clocks that decide.
    pub moment: Moment,
    /// `CLOCK_REALTIME` since 1970, nanoseconds: for people and for suspicion only.
    pub wall_ns: u64,
}

/// The two clocks that decide, now. They stay two: which one counts depends on the question (R21).
#[must_use]
pub fn now() -> Moment {
    Moment {
        boot_ns: nanoseconds(clock_gettime(ClockId::Boottime)),
        raw_ns: nanoseconds(clock_gettime(ClockId::MonotonicRaw)),
    }
}

/// All clocks, now.
#[must_use]
pub fn read() -> Reading {
    Reading { moment: now(), wall_ns: nanoseconds(clock_gettime(ClockId::Realtime)) }
}

/// `CLOCK_MONOTONIC` in whole microseconds, by which systemd dates what it is told.
#[must_use]
pub fn monotonic_us() -> u64 {
    nanoseconds(clock_gettime(ClockId::Monotonic)) / 1_000
}

/// The wall clock as people read it: RFC 3339, UTC, milliseconds.
#[must_use]
pub fn wall_text() -> String {
    wall_text_of(read().wall_ns)
}

/// The wall clock `later` than now in whole seconds, as cluster.yaml writes times: their text order
/// is their order.
#[must_use]
pub fn wall_seconds(later: Duration) -> String {
    let since_1970 = Duration::from_nanos(read().wall_ns).saturating_add(later);
    humantime::format_rfc3339_seconds(SystemTime::UNIX_EPOCH + since_1970).to_string()
}

/// `wall_ns` nanoseconds since 1970 as RFC 3339, UTC, milliseconds.
#[must_use]
pub fn wall_text_of(wall_ns: u64) -> String {
    let since_1970 = Duration::from_nanos(wall_ns);
    humantime::format_rfc3339_millis(SystemTime::UNIX_EPOCH + since_1970).to_string()
}

/// `wall_ms` milliseconds since 1970 as RFC 3339, UTC, whole seconds.
#[must_use]
pub fn wall_text_of_seconds(wall_ms: u64) -> String {
    let since_1970 = Duration::from_millis(wall_ms);
    humantime::format_rfc3339_seconds(SystemTime::UNIX_EPOCH + since_1970).to_string()
}

/// Whole nanoseconds, up to the year 2554; a clock set before 1970 reads as zero.
fn nanoseconds(time: Timespec) -> u64 {
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let rest = u64::try_from(time.tv_nsec).unwrap_or(0);
    seconds.saturating_mul(1_000_000_000).saturating_add(rest)
}
