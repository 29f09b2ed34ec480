//! Owns how long the last writes of the state file took, for people.
//! Never writes anything to find out.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use crate::protocol::order;
use crate::wire::facts::WritesReport;

/// How many writes are remembered.
const KEPT: usize = 64;

/// The newest ones, in microseconds.
#[derive(Debug, Default)]
pub struct WriteTimes(Mutex<VecDeque<u64>>);

impl WriteTimes {
    /// One more write was done, in that many nanoseconds.
    pub fn note(&self, taken_ns: u64) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() == KEPT {
            kept.pop_front();
        }
        kept.push_back(taken_ns / 1_000);
    }

    /// What there is to say; nothing is under way.
    #[must_use]
    pub fn report(&self) -> WritesReport {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
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
