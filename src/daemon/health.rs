//! Owns the health of this node: asks its command, counts, objects to this node as master while it
//! is not healthy or not known to be, and tells of each turn.
//! Never decides who is master: an unhealthy node stands last, and may still be the last resort
//! (R69).

use std::sync::{Arc, Mutex, MutexGuard};

use crossbeam_channel::Receiver;

use crate::daemon::clock;
use crate::daemon::condition::{Conditions, Source};
use crate::daemon::events::{Loudness, Remark};
use crate::daemon::probe::Probe;
use crate::daemon::report::milliseconds;
use crate::protocol::units::Moment;
use crate::wire::codes;
use crate::wire::control::HealthReport;

pub mod tally;

use tally::{Health, Tally};

/// What the first objection says.
const UNASKED: &str = "not asked yet";

/// What is known, for `status`.
#[derive(Debug)]
pub struct HealthWatch {
    command: String,
    conditions: Arc<Conditions>,
    facts: Mutex<Facts>,
}

#[derive(Debug)]
struct Facts {
    tally: Tally,
    since: Moment,
    /// Why the last run was bad, if it was.
    reason: Option<String>,
}

impl HealthWatch {
    /// Nothing is known of `command` yet, and that is an objection.
    #[must_use]
    pub fn new(command: String, tally: Tally, conditions: Arc<Conditions>) -> Self {
        conditions.object(Source::Health, UNASKED);
        let facts = Mutex::new(Facts { tally, since: clock::now(), reason: None });
        Self { command, conditions, facts }
    }

    /// Asks until `stop` closes; `say` hears of each turn.
    pub fn run(&self, mut probe: Probe, stop: &Receiver<()>, say: impl Fn(Remark)) {
        probe.run(stop, |answer| {
            if let Some(remark) = self.judge(answer.err()) {
                say(remark);
            }
        });
    }

    /// One run was good, or bad for this reason. Gives what is to be told if that turned anything.
    pub fn judge(&self, reason: Option<String>) -> Option<Remark> {
        let mut facts = self.facts();
        let turned = facts.tally.count(reason.is_none());
        let (against, need) = facts.tally.against();
        match &reason {
            Some(reason) if against == 1 => {
                log::warn!("health: {reason} ({against} of {need} before it counts)");
            }
            Some(reason) => log::debug!("health: {reason}"),
            None => {}
        }
        let health = facts.tally.health();
        if turned.is_some() {
            facts.since = clock::now();
        }
        facts.reason.clone_from(&reason);
        drop(facts);
        match (health, reason) {
            (Health::Healthy, _) => self.conditions.withdraw(Source::Health),
            (Health::Unhealthy, Some(reason)) => self.conditions.object(Source::Health, reason),
            // It gets better, and is not well yet: the last objection stays.
            (Health::Unhealthy | Health::Unknown, _) => {}
        }
        turned.map(|health| self.remark(health))
    }

    fn remark(&self, health: Health) -> Remark {
        let command = &self.command;
        let reason = self.facts().reason.clone();
        let (loudness, message) = match reason {
            Some(reason) => (Loudness::Warning, format!("{}: {command}: {reason}", health.word())),
            None => (Loudness::Info, format!("{}: {command} says so", health.word())),
        };
        Remark { code: codes::HEALTH_CHANGED, loudness, reason: None, message }
    }

    /// For `status`.
    #[must_use]
    pub fn report(&self, now: Moment) -> HealthReport {
        let facts = self.facts();
        let (against, need) = facts.tally.against();
        HealthReport {
            command: self.command.clone(),
            state: facts.tally.health().word().to_owned(),
            since_ms: milliseconds(now.waited_since(facts.since)),
            against,
            need,
            reason: facts.reason.clone(),
        }
    }

    fn facts(&self) -> MutexGuard<'_, Facts> {
        self.facts.lock().expect("a panic under the lock ends the process")
    }
}
