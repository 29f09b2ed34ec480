//! Decides when a disk that does not answer costs its node mastership (F56): a master that cannot
//! write cannot lead through the next change, while its heartbeats keep others from trying.
//! Never declares the disk failed: one that stands still may go on, and where all nodes share it,
//! nobody could take over and nobody should fall silent for good.

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError};

use crate::daemon::clock;
use crate::daemon::write_times::WriteTimes;

/// How long one write may take before a master tries to hand over, and again before each further
/// try.
pub const WRITE_LIMIT: Duration = Duration::from_secs(5);

/// The time between two looks.
const TURN: Duration = Duration::from_secs(1);

/// Since when a write is under way, by boot time. One writer, any number of readers.
#[derive(Debug, Default)]
pub struct Writing {
    /// Zero while none is.
    since_boot_ns: AtomicU64,
    times: WriteTimes,
}

impl Writing {
    /// A write begins.
    pub fn begin(&self, now_boot_ns: u64) {
        self.since_boot_ns.store(now_boot_ns.max(1), SeqCst);
    }

    /// It ended, well or not.
    pub fn end(&self, now_boot_ns: u64) {
        let since = self.since_boot_ns.swap(0, SeqCst);
        self.times.note(now_boot_ns.saturating_sub(since));
    }

    /// How long the last ones took.
    #[must_use]
    pub fn times(&self) -> &WriteTimes {
        &self.times
    }

    /// Since when one is under way, if one is.
    #[must_use]
    pub fn since(&self) -> Option<u64> {
        Some(self.since_boot_ns.load(SeqCst)).filter(|since| *since != 0)
    }
}

/// Counts how often one write has taken too long.
#[derive(Debug, Default)]
pub struct Patience {
    since: Option<u64>,
    ended: u64,
}

impl Patience {
    /// One look at `now_boot_ns` at a write that is under way since then, if one is. Gives how long
    /// it has taken whenever that has reached the limit once more.
    pub fn look(&mut self, since: Option<u64>, now_boot_ns: u64) -> Option<Duration> {
        if since != self.since {
            *self = Self { since, ended: 0 };
        }
        let taken = Duration::from_nanos(now_boot_ns.saturating_sub(since?));
        let limits = u64::try_from(taken.as_nanos() / WRITE_LIMIT.as_nanos()).unwrap_or(u64::MAX);
        let is_out = limits > self.ended;
        self.ended = limits;
        is_out.then_some(taken)
    }
}

/// Watches `writing` until `stop` closes; calls `is_out` whenever patience is.
pub fn watch(writing: &Writing, stop: &Receiver<()>, is_out: impl Fn(Duration)) {
    let mut patience = Patience::default();
    while let Err(RecvTimeoutError::Timeout) = stop.recv_timeout(TURN) {
        if let Some(taken) = patience.look(writing.since(), clock::now().boot_ns) {
            is_out(taken);
        }
    }
}
