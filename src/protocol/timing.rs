//! How long a promise lasts, how often it is renewed, how early a master stops: checked once, here.
//! Never reads a clock; it only says how long things take.
//!
//! ```text
//! heartbeat sent                                lease end (Lm after sending)
//!   |-------------- may act ---------------|stop|kill|margin|
//!                                      begin_stop           |   promise end (P after receipt)
//! ```

use core::fmt;
use core::time::Duration;

/// Parts per million.
const MILLION: u64 = 1_000_000;
/// Taken off every lease for rounding and for the time between two clock readings (R22).
const LEASE_SLACK: Duration = Duration::from_millis(2);

/// The checked timing of one cluster; it comes from the committed document only (pitfall 22).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Timing {
    heartbeat: Duration,
    dead_after: Duration,
    stop: Duration,
    drift_ppm: u64,
    stagger: Duration,
}

/// Why a combination of times cannot keep the promises (R28).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TimingError {
    /// `dead_after` outside 200 ms to 300 s.
    DeadAfterOutOfRange,
    /// `heartbeat` is more than a quarter of `dead_after`.
    HeartbeatTooSlow,
    /// `heartbeat` is below 10 ms or below a two-hundredth of `dead_after`.
    HeartbeatTooFast,
    /// `drift` is zero or above 5 %.
    DriftOutOfRange,
    /// `stagger` is below 20 ms or above `dead_after`.
    StaggerOutOfRange,
    /// What is left of a lease after stopping is less than three heartbeats.
    NoTimeToAct {
        /// The part of a lease in which a master may act.
        left: Duration,
        /// What it must at least be.
        needed: Duration,
    },
}

impl fmt::Display for TimingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DeadAfterOutOfRange => f.write_str("dead_after must be between 200ms and 300s"),
            Self::HeartbeatTooSlow => {
                f.write_str("heartbeat must be at most a quarter of dead_after")
            }
            Self::HeartbeatTooFast => f.write_str(
                "heartbeat must be at least 10ms and at least a two-hundredth of dead_after",
            ),
            Self::DriftOutOfRange => f.write_str("drift must be above 0% and at most 5%"),
            Self::StaggerOutOfRange => {
                f.write_str("stagger must be at least 20ms and at most dead_after")
            }
            Self::NoTimeToAct { left, needed } => write!(
                f,
                "a lease leaves {left:?} to act before stopping begins, and three heartbeats need \
                 {needed:?}: raise dead_after, or lower heartbeat or stop"
            ),
        }
    }
}

impl Timing {
    /// Heartbeat 100 ms, dead after 600 ms: one room, one switch.
    pub const LAN: Self = Self::preset(100, 600, 150, 20);
    /// Heartbeat 500 ms, dead after 4 s: the default.
    pub const DEFAULT: Self = Self::preset(500, 4_000, 500, 50);
    /// Heartbeat 1 s, dead after 8 s: machines in different places.
    pub const WAN: Self = Self::preset(1_000, 8_000, 2_000, 100);

    const fn preset(heartbeat: u64, dead_after: u64, stop: u64, stagger: u64) -> Self {
        Self {
            heartbeat: Duration::from_millis(heartbeat),
            dead_after: Duration::from_millis(dead_after),
            stop: Duration::from_millis(stop),
            drift_ppm: 10_000,
            stagger: Duration::from_millis(stagger),
        }
    }

    /// The stagger used where the document names none: a tenth of a heartbeat, at least 20 ms.
    #[must_use]
    pub fn default_stagger(heartbeat: Duration) -> Duration {
        (heartbeat / 10).max(Duration::from_millis(20))
    }

    /// Checks and builds (R28). `drift_ppm` is ρ in parts per million (1 % = 10,000).
    ///
    /// # Errors
    /// The first relation that does not hold.
    pub fn new(
        heartbeat: Duration,
        dead_after: Duration,
        stop: Duration,
        drift_ppm: u64,
        stagger: Duration,
    ) -> Result<Self, TimingError> {
        let timing = Self { heartbeat, dead_after, stop, drift_ppm, stagger };
        let range = Duration::from_millis(200)..=Duration::from_secs(300);
        if !range.contains(&dead_after) {
            return Err(TimingError::DeadAfterOutOfRange);
        }
        if heartbeat > dead_after / 4 {
            return Err(TimingError::HeartbeatTooSlow);
        }
        if heartbeat < Duration::from_millis(10) || heartbeat < dead_after / 200 {
            return Err(TimingError::HeartbeatTooFast);
        }
        if drift_ppm == 0 || drift_ppm > MILLION / 20 {
            return Err(TimingError::DriftOutOfRange);
        }
        if stagger < Duration::from_millis(20) || stagger > dead_after {
            return Err(TimingError::StaggerOutOfRange);
        }
        let left = timing.lease_length(dead_after).saturating_sub(timing.stop_budget());
        // Two heartbeats to act at all (R30), and one for the round trip (R28).
        let needed = heartbeat * 3;
        if left < needed {
            return Err(TimingError::NoTimeToAct { left, needed });
        }
        Ok(timing)
    }

    /// H: the time between two heartbeats.
    #[must_use]
    pub fn heartbeat(&self) -> Duration {
        self.heartbeat
    }

    /// P: what a voter promises, and how long silence lasts before a peer counts as gone.
    #[must_use]
    pub fn dead_after(&self) -> Duration {
        self.dead_after
    }

    /// T_term: what hooks and children get to end by themselves.
    #[must_use]
    pub fn stop(&self) -> Duration {
        self.stop
    }

    /// ρ in parts per million: the bound on each clock's rate error.
    #[must_use]
    pub fn drift_ppm(&self) -> u64 {
        self.drift_ppm
    }

    /// Δ: how long a less preferred node waits for each one before it.
    #[must_use]
    pub fn stagger(&self) -> Duration {
        self.stagger
    }

    /// T_kill: what killing takes at most; a twelfth of P, 20 ms to 250 ms (R29).
    #[must_use]
    pub fn kill(&self) -> Duration {
        (self.dead_after / 12).clamp(Duration::from_millis(20), Duration::from_millis(250))
    }

    /// σ: nothing runs in the last part of a lease; a twentieth of P, 10 ms to 100 ms (R29).
    #[must_use]
    pub fn margin(&self) -> Duration {
        (self.dead_after / 20).clamp(Duration::from_millis(10), Duration::from_millis(100))
    }

    /// T_term + T_kill + σ: how long before the lease's end stopping begins (R31).
    #[must_use]
    pub fn stop_budget(&self) -> Duration {
        self.stop + self.kill() + self.margin()
    }

    /// The lease a master must still have to begin acting, and to propose new voters (R25, R30).
    #[must_use]
    pub fn activation_reserve(&self) -> Duration {
        self.stop_budget() + self.heartbeat * 2
    }

    /// The longest round trip with which a node can win, take office and keep it: questions wait
    /// that long for answers, and a lease leaves that much beyond stopping and two heartbeats
    /// (R28, R30).
    #[must_use]
    pub fn slack(&self) -> Duration {
        let spare = self.lease_length(self.dead_after).saturating_sub(self.activation_reserve());
        spare.min(self.round_limit())
    }

    /// Lm(P) = P·(1−ρ)/(1+ρ) − 2 ms: the lease that an acknowledged promise of `promise` is worth,
    /// counted from the sending of the heartbeat (R22).
    #[must_use]
    pub fn lease_length(&self, promise: Duration) -> Duration {
        let scaled = promise.as_nanos() * u128::from(MILLION - self.drift_ppm)
            / u128::from(MILLION + self.drift_ppm);
        let lease = Duration::from_nanos(u64::try_from(scaled).unwrap_or(u64::MAX));
        lease.saturating_sub(LEASE_SLACK)
    }

    /// How long after a pet a hardware watchdog may fire that is petted after each renewal and has
    /// to fire before the lease's end less σ, with two heartbeats to spare (R31).
    #[must_use]
    pub fn reset_reach(&self) -> Duration {
        let reserve = self.margin() + self.heartbeat * 2;
        self.lease_length(self.dead_after).saturating_sub(reserve)
    }

    /// How long a poll waits for votes, each of which is written to a disk first. Voters leave
    /// the field to whom they voted for as long.
    #[must_use]
    pub fn vote_limit(&self) -> Duration {
        self.dead_after
    }

    /// How long a round of questions that no disk is asked about waits for its answers.
    #[must_use]
    pub fn round_limit(&self) -> Duration {
        self.heartbeat.max(self.stagger * 2)
    }
}
