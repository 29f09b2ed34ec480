//! Owns how long the last writes of the state file took, for people.
//! Never writes anything to find out.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use crate::daemon::histogram::Histogram;
use crate::protocol::order;
use crate::wire::facts::WritesReport;

/// How many writes are remembered.
const KEPT: usize = 64;

/// Steps of how long writes take, in microseconds.
const STEPS_US: &[u64] = &[
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000,
    1_000_000, 5_000_000,
];

/// The newest ones, in microseconds, and how long all of them took.
#[derive(Debug)]
pub struct WriteTimes(Mutex<(VecDeque<u64>, Histogram)>);

impl Default for WriteTimes {
    fn default() -> Self {
        Self(Mutex::new((VecDeque::new(), Histogram::new(STEPS_US))))
    }
}

impl WriteTimes {
    /// One more write was done, in that many nanoseconds.
    pub fn note(&self, taken_ns: u64) {
        let (kept, all) = &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.note(taken_ns / 1_000);
        if kept.len() == KEPT {
            kept.pop_front();
        }
        kept.push_back(taken_ns / 1_000);
    }

    /// How long all of them took since the daemon started.
    #[must_use]
    pub fn all(&self) -> Histogram {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).1.clone()
    }

    /// What there is to say; nothing is under way.
    #[must_use]
    pub fn report(&self) -> WritesReport {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).0.clone();
        let last_us = kept.back().copied().unwrap_or_default();
        let sorted = order::sorted(Vec::from(kept), u64::cmp);
        WritesReport {
            count: sorted.len(),
            last_us,
            median_us: sorted.get(sorted.len() / 2).copied().unwrap_or_default(),
            worst_us: sorted.last().copied().unwrap_or_default(),
            under_way_ms: None,
        }
    }
}
