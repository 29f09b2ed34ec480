//! Owns the published answer to "does this node act as master now?", readable without the lock.
//! Never says yes out of doubt: a reader that cannot get a whole picture is told no.

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use crate::protocol::units::{Moment, Term};

/// How often a reader that met a writer tries again before it is told no.
const TRIES_MAX: u32 = 64;

/// Until when this node may act and under which term. One writer, who holds the core lock; any
/// number of readers. `version` is odd while the writer is inside (a sequence lock).
#[derive(Debug, Default)]
pub struct ActingWindow {
    version: AtomicU64,
    term: AtomicU64,
    boot_ns: AtomicU64,
    raw_ns: AtomicU64,
}

impl ActingWindow {
    /// Acting in `term` is allowed until either clock reaches `until`.
    pub fn open(&self, term: Term, until: Moment) {
        self.write(term, until);
    }

    /// Acting is over.
    pub fn close(&self) {
        self.write(Term(0), Moment::default());
    }

    /// The term in which this node acts at `now`, if it does (R21: the faster clock decides).
    #[must_use]
    pub fn term_at(&self, now: Moment) -> Option<Term> {
        self.left_at(now).map(|(term, _)| term)
    }

    /// That term, and how long this node may still act if nothing renews the lease.
    #[must_use]
    pub fn left_at(&self, now: Moment) -> Option<(Term, Duration)> {
        let (term, until) = (0..TRIES_MAX).find_map(|_| self.snapshot())?;
        let boot_ns = until.boot_ns.saturating_sub(now.boot_ns);
        let raw_ns = until.raw_ns.saturating_sub(now.raw_ns);
        let left = Duration::from_nanos(boot_ns.min(raw_ns));
        (!now.may_have_reached(until)).then_some((term, left))
    }

    fn write(&self, term: Term, until: Moment) {
        self.version.fetch_add(1, SeqCst);
        self.term.store(term.0, SeqCst);
        self.boot_ns.store(until.boot_ns, SeqCst);
        self.raw_ns.store(until.raw_ns, SeqCst);
        self.version.fetch_add(1, SeqCst);
    }

    fn snapshot(&self) -> Option<(Term, Moment)> {
        let before = self.version.load(SeqCst);
        let term = Term(self.term.load(SeqCst));
        let until = Moment { boot_ns: self.boot_ns.load(SeqCst), raw_ns: self.raw_ns.load(SeqCst) };
        let after = self.version.load(SeqCst);
        (before == after && before.is_multiple_of(2)).then_some((term, until))
    }
}
