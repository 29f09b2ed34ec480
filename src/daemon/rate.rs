//! How often is too often: messages of a peer (H26) and log lines about whoever calls (H03, H22).
//! Never drops a message; a peer that sends too many is read more slowly.

use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::daemon::waiting::Deadline;
use crate::protocol::map::Map;
use crate::protocol::units::NodeId;

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

/// For how long a source that had its lines has no more.
const SOURCE_QUIET: Duration = Duration::from_secs(10);
/// Lines about one source that are written before that.
const SOURCE_LINES: u64 = 1;
/// The same for a member, whose comings and goings an operator wants to see.
const PEER_QUIET: Duration = Duration::from_secs(60);
/// Lines about one member that are written within that time.
const PEER_LINES: u64 = 100;
/// After this much more without a line, whoever it was is forgotten.
const FORGOTTEN: Duration = Duration::from_secs(60);
/// Subjects that are remembered; the whole world shares the last place.
const SUBJECTS_MAX: usize = 32;

/// Decides which of many alike events are worth a line: about strangers by their address, about
/// members by their name.
#[derive(Debug)]
pub(crate) struct Lines<K> {
    told: Mutex<Map<Option<K>, Quiet>>,
    quiet: Duration,
    allowed: u64,
}

/// One subject that had a line.
#[derive(Debug)]
struct Quiet {
    until: Deadline,
    said: u64,
    unsaid: u64,
}

impl Lines<IpAddr> {
    /// Lines about strangers.
    pub(crate) fn about_strangers() -> Self {
        Self { told: Mutex::default(), quiet: SOURCE_QUIET, allowed: SOURCE_LINES }
    }
}

impl Lines<NodeId> {
    /// Lines about members that come and go.
    pub(crate) fn about_members() -> Self {
        Self { told: Mutex::default(), quiet: PEER_QUIET, allowed: PEER_LINES }
    }
}

impl<K: Ord> Lines<K> {
    /// Whether a line about `subject` may be written now; how many were not since its last one.
    pub(crate) fn admit(&self, subject: K) -> Option<u64> {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.retain(|_, quiet| !quiet.until.plus(FORGOTTEN).has_passed());
        let subject = Some(subject);
        let has_place = told.contains_key(&subject) || told.len() < SUBJECTS_MAX;
        let key = subject.filter(|_| has_place);
        let fresh = Quiet { until: Deadline::after(self.quiet), said: 1, unsaid: 0 };
        match told.get_mut(&key) {
            Some(quiet) if quiet.until.has_passed() => Some(std::mem::replace(quiet, fresh).unsaid),
            Some(quiet) if quiet.said < self.allowed => {
                quiet.said += 1;
                Some(0)
            }
            Some(quiet) => {
                quiet.unsaid += 1;
                None
            }
            None => {
                told.insert(key, fresh);
                Some(0)
            }
        }
    }
}
