//! Owns what is counted of this node since its daemon started.
//! Never decides anything and never waits: its lock is held for one addition, or for a copy.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::daemon::histogram::Histogram;
use crate::protocol::effects::{Event, Suspicion};
use crate::settings::hooks::HookName;
use crate::wire::codes;

/// Steps of the time without a master, in microseconds.
const FAILOVER_STEPS_US: &[u64] = &[
    5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000,
    10_000_000, 30_000_000,
];

/// Everything that is counted.
#[derive(Clone, Debug)]
pub struct Counts {
    /// Changes of the master this node believes in, and alarms, by their codes.
    pub codes: Vec<(&'static str, u64)>,
    /// How often this node became master.
    pub won: u64,
    /// How often it asked for votes in vain.
    pub failed: u64,
    /// From the last sign of the master before to acting, each time it became master.
    pub failovers: Histogram,
    /// How often the election loop ran far too late.
    pub stalls: u64,
    /// By how much, altogether.
    pub stalled: Duration,
    /// Runs of hooks that ended, and how each did.
    pub hooks: Vec<Runs>,
    /// Whether node.yaml was sound when it was read last.
    pub is_sound: bool,
    /// When it was read and taken last, in nanoseconds since 1970; zero is when the daemon started.
    pub read_at_ns: u64,
}

/// The runs of one hook that ended in one way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Runs {
    /// The hook.
    pub hook: HookName,
    /// How.
    pub result: &'static str,
    /// How many.
    pub count: u64,
    /// How long they took, altogether.
    pub took: Duration,
}

impl Counts {
    /// How often the code `code` came.
    #[must_use]
    pub fn of(&self, code: &str) -> u64 {
        let found = self.codes.iter().find(|(known, _)| *known == code);
        found.map_or(0, |(_, count)| *count)
    }

    fn bump(&mut self, code: &'static str) {
        match self.codes.iter_mut().find(|(known, _)| *known == code) {
            Some((_, count)) => *count += 1,
            None => self.codes.push((code, 1)),
        }
    }
}

/// The counters.
#[derive(Debug)]
pub struct Tallies(Mutex<Counts>);

impl Default for Tallies {
    fn default() -> Self {
        Self(Mutex::new(Counts {
            codes: Vec::new(),
            won: 0,
            failed: 0,
            failovers: Histogram::new(FAILOVER_STEPS_US),
            stalls: 0,
            stalled: Duration::ZERO,
            hooks: Vec::new(),
            is_sound: true,
            read_at_ns: 0,
        }))
    }
}

impl Tallies {
    /// All of it, as it is now.
    #[must_use]
    pub fn read(&self) -> Counts {
        self.lock().clone()
    }

    /// Something happened to the node.
    pub fn note(&self, events: &[Event]) {
        for event in events {
            match event {
                Event::MasterChanged { reason, .. } => {
                    self.lock().bump(codes::of_change(reason));
                }
                Event::Alarm(alarm) => {
                    self.lock().bump(codes::of_alarm(alarm));
                }
                Event::Elected { timeline, .. } => {
                    let span = timeline.detect + timeline.vote + timeline.commit;
                    let mut counts = self.lock();
                    counts.won += 1;
                    counts.failovers.note(u64::try_from(span.as_micros()).unwrap_or(u64::MAX));
                }
                Event::ElectionFailed { .. } => self.lock().failed += 1,
                Event::Standing { .. }
                | Event::Won { .. }
                | Event::Demoted { .. }
                | Event::StopConfirmed { .. }
                | Event::QuorumChanged { .. }
                | Event::PeerChanged { .. }
                | Event::HearingChanged { .. }
                | Event::DocumentCommitted { .. }
                | Event::HandoverBegun { .. } => {}
            }
        }
    }

    /// The clocks or the scheduler look wrong.
    pub fn suspect(&self, suspicion: &Suspicion) {
        if let Suspicion::Stall(by) = suspicion {
            let mut counts = self.lock();
            counts.stalls += 1;
            counts.stalled = counts.stalled.saturating_add(*by);
        }
    }

    /// A run of a hook ended like that.
    pub fn ran(&self, hook: HookName, result: &'static str, took_ms: u64) {
        let took = Duration::from_millis(took_ms);
        let mut counts = self.lock();
        let is_it = |runs: &&mut Runs| runs.hook == hook && runs.result == result;
        match counts.hooks.iter_mut().find(is_it) {
            Some(runs) => {
                runs.count += 1;
                runs.took = runs.took.saturating_add(took);
            }
            None => counts.hooks.push(Runs { hook, result, count: 1, took }),
        }
    }

    /// node.yaml was read again and taken at `now_ns` since 1970.
    pub fn taken(&self, now_ns: u64) {
        let mut counts = self.lock();
        (counts.is_sound, counts.read_at_ns) = (true, now_ns);
    }

    /// node.yaml was read again and refused.
    pub fn refused(&self) {
        self.lock().is_sound = false;
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
