//! When a node must be woken: the soonest of everything it waits for.
//! Never decides what happens then; every step looks at all of it anyway.

use core::time::Duration;

use crate::protocol::units::Moment;

/// Collects what a node waits for and keeps the soonest.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Agenda {
    now: Moment,
    /// In nanoseconds from now.
    soonest: Option<u64>,
}

impl Agenda {
    pub(crate) fn new(now: Moment) -> Self {
        Self { now, soonest: None }
    }

    /// Something that ends when *either* clock reaches `end`: a lease, a turn to speak.
    pub(crate) fn ends_at(&mut self, end: Moment) {
        let boot = end.boot_ns.saturating_sub(self.now.boot_ns);
        let raw = end.raw_ns.saturating_sub(self.now.raw_ns);
        self.add(boot.min(raw));
    }

    /// Something that is over when *both* clocks reached `end`: a promise, a wait.
    pub(crate) fn waits_until(&mut self, end: Moment) {
        let boot = end.boot_ns.saturating_sub(self.now.boot_ns);
        let raw = end.raw_ns.saturating_sub(self.now.raw_ns);
        self.add(boot.max(raw));
    }

    /// The wake-up time, if anything is waited for.
    pub(crate) fn wake(&self) -> Option<Moment> {
        self.soonest.map(|left| self.now.after(Duration::from_nanos(left)))
    }

    fn add(&mut self, left: u64) {
        self.soonest = Some(self.soonest.map_or(left, |soonest| soonest.min(left)));
    }
}
