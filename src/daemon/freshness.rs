//! Owns what is known of how fresh this node's data is: what its position command prints, or what
//! a program on this machine last said. Never both, and never compares it with anybody's.

use std::sync::{Arc, Mutex, MutexGuard};

use crossbeam_channel::Receiver;

use crate::daemon::clock;
use crate::daemon::condition::Conditions;
use crate::daemon::probe::Probe;
use crate::daemon::report::milliseconds;
use crate::keep::once::last_line;
use crate::protocol::units::Moment;
use crate::wire::control::FreshnessReport;

/// Who says how fresh the data is.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Origin {
    /// Nobody.
    None,
    /// Whoever asks `quorate set-position`.
    Pushed,
    /// This command of node.yaml.
    Command(String),
}

/// What is known, for `status`.
#[derive(Debug)]
pub struct Freshness {
    conditions: Arc<Conditions>,
    facts: Mutex<Facts>,
}

#[derive(Debug)]
struct Facts {
    origin: Origin,
    value: Option<u64>,
    at: Moment,
    /// Why the value is not known.
    reason: Option<String>,
}

impl Freshness {
    /// Nothing is known; `command` of node.yaml will say, if there is one.
    #[must_use]
    pub fn new(command: Option<String>, conditions: Arc<Conditions>) -> Self {
        let origin = command.map_or(Origin::None, Origin::Command);
        let facts = Facts { origin, value: None, at: clock::now(), reason: None };
        Self { conditions, facts: Mutex::new(facts) }
    }

    /// Asks the command until `stop` closes.
    pub fn run(&self, mut probe: Probe, stop: &Receiver<()>) {
        probe.run(stop, |answer| self.judge(answer.and_then(|printed| value(&printed))));
    }

    /// One run said how fresh the data is, or why nobody knows.
    pub fn judge(&self, answer: Result<u64, String>) {
        let (value, reason) = match answer {
            Ok(value) => (Some(value), None),
            Err(reason) => (None, Some(reason)),
        };
        let mut facts = self.facts();
        match &reason {
            Some(reason) if facts.reason.is_none() => {
                log::warn!("position: unknown, which counts as lowest: {reason}");
            }
            None if facts.reason.is_some() => log::info!("position: known again"),
            Some(_) | None => {}
        }
        (facts.value, facts.reason, facts.at) = (value, reason, clock::now());
        drop(facts);
        self.conditions.set_freshness(value);
    }

    /// A program says how fresh the data is.
    ///
    /// # Errors
    /// That a command of node.yaml says it.
    pub fn push(&self, value: u64) -> Result<(), String> {
        let mut facts = self.facts();
        if let Origin::Command(command) = &facts.origin {
            return Err(format!(
                "node.yaml names a `position` command, {command}, and only one may say it: remove \
                 it there and restart the daemon, or let that command say it"
            ));
        }
        (facts.origin, facts.value, facts.at) = (Origin::Pushed, Some(value), clock::now());
        drop(facts);
        self.conditions.set_freshness(Some(value));
        Ok(())
    }

    /// For `status`; none if nobody says anything.
    #[must_use]
    pub fn report(&self, now: Moment) -> Option<FreshnessReport> {
        let facts = self.facts();
        let from = match &facts.origin {
            Origin::None => return None,
            Origin::Pushed => "set-position".to_owned(),
            Origin::Command(command) => command.clone(),
        };
        Some(FreshnessReport {
            value: facts.value,
            from,
            age_ms: milliseconds(now.waited_since(facts.at)),
            reason: facts.reason.clone(),
        })
    }

    fn facts(&self) -> MutexGuard<'_, Facts> {
        self.facts.lock().expect("a panic under the lock ends the process")
    }
}

/// The whole number a program printed, with nothing but blanks around it.
///
/// # Errors
/// What it printed instead.
pub fn value(printed: &[u8]) -> Result<u64, String> {
    let text = std::str::from_utf8(printed).unwrap_or_default().trim();
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(value) if is_number => Ok(value),
        Ok(_) | Err(_) => Err(match last_line(printed) {
            None => "it printed nothing".to_owned(),
            Some(line) if is_number => format!("it printed {line}, larger than {}", u64::MAX),
            Some(line) => format!("it printed `{line}`, which is no whole number"),
        }),
    }
}
