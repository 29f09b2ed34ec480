//! Owns all that a check-up looks at, gathered from the daemon, the files and the system.
//! Never judges it; `judge` does.

use serde::Serialize;

use crate::daemon::premises::{FileFacts, Space, Start};
use crate::protocol::timing::Timing;
use crate::settings::node::NodeSettings;
use crate::wire::facts::{FactsReport, TimingReport};

/// All of it.
#[derive(Debug)]
pub struct Facts {
    /// What the daemon says.
    pub daemon: Daemon,
    /// The node's files.
    pub files: Vec<FileFacts>,
    /// What node.yaml says, or what is wrong with it.
    pub settings: Result<NodeSettings, String>,
    /// Programs of node.yaml that would not be run: the key, and why.
    pub unsound: Vec<(String, String)>,
    /// The room for the state, or why nobody can say.
    pub space: Result<Space, String>,
    /// Who asks.
    pub user: u32,
}

/// What became of asking the daemon.
#[derive(Debug)]
pub enum Daemon {
    /// It answered.
    Up(Box<FactsReport>),
    /// None answers there, and what one would find at its start.
    Down(String, Box<Start>),
    /// There may be one, and it did not answer as it should.
    Odd(String),
}

impl Facts {
    /// What the daemon says, if it answered.
    #[must_use]
    pub fn report(&self) -> Option<&FactsReport> {
        match &self.daemon {
            Daemon::Up(report) => Some(report),
            Daemon::Down(..) | Daemon::Odd(_) => None,
        }
    }

    /// The timing in force, as far as it is known.
    #[must_use]
    pub fn timing(&self) -> Option<Timing> {
        match &self.daemon {
            Daemon::Up(report) => timing(&report.timing),
            Daemon::Down(_, start) => start.state.as_ref().ok().map(|state| state.timing),
            Daemon::Odd(_) => None,
        }
    }
}

/// A daemon's timing is one that could be built.
fn timing(report: &TimingReport) -> Option<Timing> {
    let us = core::time::Duration::from_micros;
    let TimingReport { heartbeat_us, dead_after_us, stop_us, drift_ppm, stagger_us } = *report;
    Timing::new(us(heartbeat_us), us(dead_after_us), us(stop_us), drift_ppm, us(stagger_us)).ok()
}

/// How much a finding matters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Weight {
    /// Good to know; nothing has to be done.
    Notice,
    /// It works, and should be mended.
    Warning,
    /// It does not work.
    Problem,
}

/// One thing that somebody should know.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Finding {
    /// How much it matters.
    pub weight: Weight,
    /// Its stable name; `quorate explain` knows it.
    pub code: &'static str,
    /// What is so.
    pub message: String,
    /// What to do now.
    pub advice: String,
}

impl Finding {
    /// A finding.
    pub(super) fn new(
        weight: Weight,
        code: &'static str,
        message: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self { weight, code, message: message.into(), advice: advice.into() }
    }
}
