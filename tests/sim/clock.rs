//! True time, and the two clocks of a machine that follow it within bounds.
//! Never decides anything; a clock only shows.

use core::fmt;
use core::time::Duration;

use crate::protocol::units::Moment;

/// Parts per million.
const MILLION: u64 = 1_000_000;

/// `span` in whole nanoseconds; everything beyond 584 years counts as that.
pub(crate) fn nanoseconds(span: Duration) -> u64 {
    let whole = span.as_secs().checked_mul(1_000_000_000);
    whole.and_then(|ns| ns.checked_add(span.subsec_nanos().into())).unwrap_or(u64::MAX)
}

/// The time no machine knows: nanoseconds since the run began.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(crate) struct TrueTime(pub(crate) u64);

impl TrueTime {
    /// This time and then `span`.
    pub(crate) fn after(self, span: Duration) -> Self {
        Self(self.0.saturating_add(nanoseconds(span)))
    }

    /// What passed since `earlier`.
    pub(crate) fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl fmt::Display for TrueTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:06}s", self.0 / 1_000_000_000, self.0 / 1_000 % 1_000_000)
    }
}

impl fmt::Debug for TrueTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// One clock: a line through (since, shows) with a rate.
#[derive(Clone, Copy, Hash, Debug)]
struct Clock {
    since: u64,
    shows: u64,
    /// Ticks per million true nanoseconds; zero while it stands still.
    rate: u64,
}

impl Clock {
    fn read(&self, now: TrueTime) -> u64 {
        let elapsed = now.0.saturating_sub(self.since);
        let shown = match elapsed.checked_mul(self.rate) {
            Some(ticks) => ticks / MILLION,
            None => {
                let ticks = u128::from(elapsed) * u128::from(self.rate);
                u64::try_from(ticks / u128::from(MILLION)).expect("runs are below 584 years")
            }
        };
        self.shows + shown
    }

    /// The first true time at which it shows at least `reading`, if it ever does.
    fn reaches(&self, reading: u64) -> Option<TrueTime> {
        let missing = reading.saturating_sub(self.shows);
        let elapsed = match (missing, self.rate) {
            (0, _) => 0,
            (_, 0) => return None,
            (_, MILLION) => missing,
            (_, rate) => match missing.checked_mul(MILLION) {
                Some(ticks) => ticks.div_ceil(rate),
                None => {
                    let ticks = u128::from(missing) * u128::from(MILLION);
                    u64::try_from(ticks.div_ceil(rate.into())).unwrap_or(u64::MAX)
                }
            },
        };
        Some(TrueTime(self.since.saturating_add(elapsed)))
    }

    fn turn(&mut self, now: TrueTime, rate: u64) {
        *self = Self { since: now.0, shows: self.read(now), rate };
    }
}

/// `CLOCK_BOOTTIME` and `CLOCK_MONOTONIC_RAW` of one machine.
#[derive(Clone, Copy, Hash, Debug)]
pub(crate) struct Clocks {
    boot: Clock,
    raw: Clock,
}

impl Clocks {
    /// Clocks that show `boot` and `raw` at `now` and keep true time from there.
    pub(crate) fn new(now: TrueTime, boot: Duration, raw: Duration) -> Self {
        let start = |shows: Duration| Clock {
            since: now.0,
            shows: u64::try_from(shows.as_nanos()).expect("a sane uptime"),
            rate: MILLION,
        };
        Self { boot: start(boot), raw: start(raw) }
    }

    /// What both show.
    pub(crate) fn read(&self, now: TrueTime) -> Moment {
        Moment { boot_ns: self.boot.read(now), raw_ns: self.raw.read(now) }
    }

    /// The first true time at which either shows `deadline`.
    pub(crate) fn either_reaches(&self, deadline: Moment) -> Option<TrueTime> {
        let boot = self.boot.reaches(deadline.boot_ns);
        let raw = self.raw.reaches(deadline.raw_ns);
        boot.into_iter().chain(raw).min()
    }

    /// The first true time at which both show `deadline`.
    pub(crate) fn both_reach(&self, deadline: Moment) -> Option<TrueTime> {
        let boot = self.boot.reaches(deadline.boot_ns)?;
        Some(boot.max(self.raw.reaches(deadline.raw_ns)?))
    }

    /// From `now` on both run off by these parts per million.
    pub(crate) fn set_rates(&mut self, now: TrueTime, boot_ppm: i64, raw_ppm: i64) {
        let rate = |ppm: i64| MILLION.checked_add_signed(ppm).expect("no clock runs backwards");
        self.boot.turn(now, rate(boot_ppm));
        self.raw.turn(now, rate(raw_ppm));
    }

    /// The machine sleeps: one clock stands still, the other runs on, and honestly: at any time
    /// one of both is.
    pub(crate) fn suspend(&mut self, now: TrueTime) {
        self.boot.turn(now, MILLION);
        self.raw.turn(now, 0);
    }

    /// Both stand still, as if the one that runs on in suspend were not there.
    pub(crate) fn stop(&mut self, now: TrueTime) {
        self.boot.turn(now, 0);
        self.raw.turn(now, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: TrueTime = TrueTime(7_000);
    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn a_clock_shows_its_rate_and_never_jumps_when_the_rate_turns() {
        let mut clocks = Clocks::new(START, HOUR, HOUR * 2);
        clocks.set_rates(START, 10_000, -10_000);
        let later = START.after(Duration::from_secs(100));
        let shown = clocks.read(later);
        assert_eq!(shown.boot_ns, 3_701_000_000_000);
        assert_eq!(shown.raw_ns, 7_299_000_000_000);
        clocks.set_rates(later, 0, 0);
        assert_eq!(clocks.read(later), shown);
    }

    #[test]
    fn a_deadline_is_met_at_the_first_nanosecond_at_which_either_clock_shows_it() {
        let mut clocks = Clocks::new(START, HOUR, HOUR);
        clocks.set_rates(START, 9_999, -9_999);
        let deadline = clocks.read(START).after(Duration::from_nanos(1_234_567_891));
        let due = clocks.either_reaches(deadline).expect("clocks run");
        assert!(clocks.read(due).may_have_reached(deadline));
        assert!(!clocks.read(TrueTime(due.0 - 1)).may_have_reached(deadline));
    }

    #[test]
    fn one_clock_stands_still_in_suspend() {
        let mut clocks = Clocks::new(START, HOUR, HOUR);
        clocks.suspend(START);
        let shown = clocks.read(START.after(HOUR));
        assert_eq!(shown.boot_ns, 7_200_000_000_000);
        assert_eq!(shown.raw_ns, 3_600_000_000_000);
    }
}
