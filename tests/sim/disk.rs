//! One machine's disk and the store in front of it: one record, one write under way, and the
//! newest record waiting behind it.
//! Never tells the node anything; the world does when a write ends.

use core::time::Duration;

use crate::protocol::durable::Durable;
use crate::sim::draw::Draw;

/// How well the disk does what it is told.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Health {
    /// Every write succeeds.
    Sound,
    /// The next write fails.
    Failing,
    /// A write failed; the store does nothing more until the daemon is restarted.
    Failed,
}

/// How a write ended.
pub(crate) enum Ending {
    /// The record is on disk; this was there before.
    Written(Box<Durable>),
    /// It failed. If it got there all the same, this was there before.
    Failed(Option<Box<Durable>>),
}

/// The disk and its store.
#[derive(Clone, Hash, Debug)]
pub(crate) struct Disk {
    record: Durable,
    writing: Option<Durable>,
    waiting: Option<Durable>,
    /// Its health.
    pub(crate) health: Health,
    /// How long a write takes at least and at most.
    pub(crate) latency: (Duration, Duration),
}

impl Disk {
    /// A sound disk that holds `record`.
    pub(crate) fn new(record: Durable, latency: (Duration, Duration)) -> Self {
        Self { record, writing: None, waiting: None, health: Health::Sound, latency }
    }

    /// What would be read after a crash now.
    pub(crate) fn record(&self) -> &Durable {
        &self.record
    }

    /// Takes the newest record; a record that was not begun yet is forgotten.
    /// Says how long the write takes if one begins now.
    pub(crate) fn submit(&mut self, record: Durable, draw: &mut Draw) -> Option<Duration> {
        if self.health == Health::Failed {
            return None;
        }
        self.waiting = Some(record);
        self.begin(draw)
    }

    /// Begins the waiting write if none is under way.
    pub(crate) fn begin(&mut self, draw: &mut Draw) -> Option<Duration> {
        if self.writing.is_some() || self.health == Health::Failed {
            return None;
        }
        self.writing = Some(self.waiting.take()?);
        Some(draw.skewed(self.latency.0, self.latency.1))
    }

    /// The write under way ends.
    pub(crate) fn finish(&mut self, draw: &mut Draw) -> Option<Ending> {
        let record = self.writing.take()?;
        if self.health == Health::Sound {
            return Some(Ending::Written(Box::new(core::mem::replace(&mut self.record, record))));
        }
        self.health = Health::Failed;
        self.waiting = None;
        let got_there = draw.one_in(2);
        let before = got_there.then(|| Box::new(core::mem::replace(&mut self.record, record)));
        Some(Ending::Failed(before))
    }

    /// The power goes, or the daemon: what waited is lost, what was being written is lost or, at
    /// random, got there. Says whether a record was lost and what was replaced.
    pub(crate) fn crash(&mut self, draw: &mut Draw) -> (bool, Option<Box<Durable>>) {
        let got_there = self.is_writing() && draw.one_in(2);
        self.cut_off(got_there)
    }

    /// Whether a write is under way.
    pub(crate) fn is_writing(&self) -> bool {
        self.writing.is_some()
    }

    /// The same where it is known whether what was being written `got_there`.
    pub(crate) fn cut_off(&mut self, got_there: bool) -> (bool, Option<Box<Durable>>) {
        let mut is_lost = self.waiting.take().is_some();
        let mut before = None;
        if let Some(record) = self.writing.take() {
            if got_there {
                before = Some(Box::new(core::mem::replace(&mut self.record, record)));
            } else {
                is_lost = true;
            }
        }
        (is_lost, before)
    }

    /// A daemon starts: what was loaded is written back before anything is said (R5).
    pub(crate) fn write_back(&mut self) -> Box<Durable> {
        self.health = Health::Sound;
        let before = Box::new(self.record.clone());
        self.record.sequence += 1;
        before
    }
}
