//! Owns everything that says how fit this node is to be master: its health, how fresh its data is,
//! and the place where objections meet; starts the threads that ask.
//! Never decides who is master, and never keeps an unfit node from being the last resort (R69).

use std::io;
use std::sync::{Arc, OnceLock};

use crate::daemon::condition::Conditions;
use crate::daemon::events::Remark;
use crate::daemon::freshness::Freshness;
use crate::daemon::health::HealthWatch;
use crate::daemon::health::tally::Tally;
use crate::daemon::probe::{Environment, Probe};
use crate::daemon::reset::Reset;
use crate::daemon::spawn::spawn;
use crate::protocol::effects::Condition;
use crate::protocol::units::Moment;
use crate::settings::node::NodeSettings;
use crate::wire::control::{FreshnessReport, HealthReport};

/// All of it.
#[derive(Debug)]
pub struct Fitness {
    conditions: Arc<Conditions>,
    health: Option<Arc<HealthWatch>>,
    freshness: Arc<Freshness>,
    reset: OnceLock<Arc<Reset>>,
}

/// What `status` says about it.
#[derive(Clone, Debug, Default)]
pub struct FitnessReport {
    /// What speaks against this node as master, each with its source.
    pub objections: Vec<String>,
    /// What the health command says, if there is one.
    pub health: Option<HealthReport>,
    /// How fresh the data is, if anybody says so.
    pub freshness: Option<FreshnessReport>,
    /// What the hardware watchdog is doing, if there is one.
    pub watchdog: Option<String>,
}

impl Fitness {
    /// As `settings` say; `tell` hears of every change, one at a time and in order. With a health
    /// command there is an objection from the start, until it says otherwise.
    pub fn new(settings: &NodeSettings, tell: impl Fn(Condition) + Send + Sync + 'static) -> Self {
        let conditions = Arc::new(Conditions::new(tell));
        let health = settings.health.as_ref().map(|probe| {
            let tally = Tally::new(probe.rise, probe.fall);
            Arc::new(HealthWatch::new(probe.command[0].clone(), tally, Arc::clone(&conditions)))
        });
        let position = settings.position.as_ref().map(|probe| probe.command[0].clone());
        let freshness = Arc::new(Freshness::new(position, Arc::clone(&conditions)));
        Self { conditions, health, freshness, reset: OnceLock::new() }
    }

    /// Where every source of objections has its say.
    #[must_use]
    pub fn conditions(&self) -> &Arc<Conditions> {
        &self.conditions
    }

    /// Where programs say how fresh the data is.
    #[must_use]
    pub fn freshness(&self) -> &Freshness {
        &self.freshness
    }

    /// There is a hardware watchdog. Called once.
    pub fn show(&self, reset: Arc<Reset>) {
        assert!(self.reset.set(reset).is_ok(), "a node has one hardware watchdog");
    }

    /// Starts to ask the commands `settings` name, for ever; `say` hears of each turn of health.
    ///
    /// # Errors
    /// The system gives no threads.
    pub fn start(
        &self,
        settings: &NodeSettings,
        environment: &Environment,
        say: impl Fn(Remark) + Send + 'static,
    ) -> io::Result<()> {
        if let (Some(watch), Some(probe)) = (&self.health, &settings.health) {
            let (watch, probe) = (Arc::clone(watch), Probe::of_health(probe, environment.clone()));
            spawn("health", move || watch.run(probe, &crossbeam_channel::never(), say))?;
        }
        if let Some(probe) = &settings.position {
            let freshness = Arc::clone(&self.freshness);
            let probe = Probe::of_position(probe, environment.clone());
            spawn("position", move || freshness.run(probe, &crossbeam_channel::never()))?;
        }
        Ok(())
    }

    /// For `status`.
    #[must_use]
    pub fn report(&self, now: Moment) -> FitnessReport {
        FitnessReport {
            objections: self.conditions.objections(),
            health: self.health.as_ref().map(|health| health.report(now)),
            freshness: self.freshness.report(now),
            watchdog: self.reset.get().map(|reset| reset.words()),
        }
    }
}
