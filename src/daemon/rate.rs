//! How often is too often: messages of a peer (H26) and log lines about strangers (H03, H22).
//! Never drops a message; a peer that sends too many is read more slowly.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::daemon::waiting::Deadline;

/// What one message, and each 4 KiB of a long one, costs: 500 messages per second.
const MESSAGE_COST: Duration = Duration::from_millis(2);
/// How far reading may run ahead of that: a burst of 500 messages.
const BURST: Duration = Duration::from_secs(1);
/// The size that costs as much as one more message, in bytes.
const SIZE_UNIT: usize = 4 << 10;

/// One session's allowance (H26).
#[derive(Debug)]
pub(crate) struct Allowance {
    /// When everything read so far is paid for, at the allowed rate.
    paid_at: Deadline,
}

impl Allowance {
    /// A full allowance.
    pub(crate) fn full() -> Self {
        Self { paid_at: Deadline::now() }
    }

    /// Pays for one message of `size` bytes; returns until when to pause, if the peer overdraws.
    pub(crate) fn pay(&mut self, size: usize) -> Option<Deadline> {
        let now = Deadline::now();
        let units = u32::try_from(1 + size / SIZE_UNIT).unwrap_or(u32::MAX);
        self.paid_at = self.paid_at.max(now).plus(MESSAGE_COST.saturating_mul(units));
        let overdraft = self.paid_at.since(now).checked_sub(BURST)?;
        Some(now.plus(overdraft))
    }
}

/// Time between two lines about one source.
const SOURCE_QUIET: Duration = Duration::from_secs(10);
/// After this much more without a line, a source is forgotten.
const SOURCE_FORGOTTEN: Duration = Duration::from_secs(60);
/// Sources that are remembered; the whole world shares the last place.
const SOURCES_MAX: usize = 32;

/// Decides which refusals of strangers are worth a line.
#[derive(Debug, Default)]
pub(crate) struct Lines(Mutex<BTreeMap<Option<IpAddr>, Quiet>>);

/// One source that had its line.
#[derive(Debug)]
struct Quiet {
    until: Deadline,
    unsaid: u64,
}

impl Lines {
    /// Whether a line about `source` may be written now; how many were not since its last one.
    pub(crate) fn admit(&self, source: IpAddr) -> Option<u64> {
        let mut sources = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sources.retain(|_, quiet| !quiet.until.plus(SOURCE_FORGOTTEN).has_passed());
        let is_known = sources.contains_key(&Some(source));
        let key = (is_known || sources.len() < SOURCES_MAX).then_some(source);
        let fresh = Quiet { until: Deadline::after(SOURCE_QUIET), unsaid: 0 };
        match sources.get_mut(&key) {
            Some(quiet) if !quiet.until.has_passed() => {
                quiet.unsaid += 1;
                None
            }
            Some(quiet) => Some(std::mem::replace(quiet, fresh).unsaid),
            None => {
                sources.insert(key, fresh);
                Some(0)
            }
        }
    }
}
