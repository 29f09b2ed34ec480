//! Owns the rhythm of a program that this node asks again and again about itself, and says of each
//! run whether it was good. Never has two of its runs at once, and never drifts: the next one is
//! due an interval after the last one was due.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError};

use crate::daemon::clock;
use crate::daemon::hooks::sound;
use crate::keep::once::{self, End, Output, Remains, Task, last_line};
use crate::protocol::units::Moment;
use crate::settings::duration;
use crate::settings::node::NodeSettings;
use crate::settings::probe::{HealthProbe, PositionProbe};
use crate::wire::environment;

/// What such a program finds in its environment.
pub type Environment = Vec<(String, String)>;

/// What the health and position commands of a node of `cluster` find there.
pub(super) fn surroundings(settings: &NodeSettings, cluster: &str, socket: &Path) -> Environment {
    let own = [
        (environment::NODE, settings.id.to_string()),
        (environment::CLUSTER, cluster.to_owned()),
        (environment::SOCKET, socket.display().to_string()),
        (environment::VERSION, env!("CARGO_PKG_VERSION").to_owned()),
    ];
    environment::plain().into_iter().chain(own).map(|(name, value)| (name.into(), value)).collect()
}

/// One program and its rhythm.
#[derive(Debug)]
pub struct Probe {
    program: PathBuf,
    words: Vec<OsString>,
    environment: Environment,
    interval: Duration,
    timeout: Duration,
    /// A run that was killed and has not ended.
    remains: Option<Remains>,
}

impl Probe {
    /// The health command.
    #[must_use]
    pub fn of_health(probe: &HealthProbe, environment: Environment) -> Self {
        let HealthProbe { command, interval, timeout, .. } = probe;
        Self::new(command, *interval, *timeout, environment)
    }

    /// The position command.
    #[must_use]
    pub fn of_position(probe: &PositionProbe, environment: Environment) -> Self {
        let PositionProbe { command, interval, timeout } = probe;
        Self::new(command, *interval, *timeout, environment)
    }

    fn new(
        command: &[String],
        interval: Duration,
        timeout: Duration,
        environment: Environment,
    ) -> Self {
        let words: Vec<_> = command.iter().map(OsString::from).collect();
        let program = words.first().map(PathBuf::from).expect("a command has a first word");
        Self { program, words, environment, interval, timeout, remains: None }
    }

    /// The program.
    #[must_use]
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// Runs it once every interval until `stop` closes, and tells `hear` of each run.
    pub fn run(&mut self, stop: &Receiver<()>, mut hear: impl FnMut(Result<Vec<u8>, String>)) {
        let mut due = clock::now();
        loop {
            hear(self.ask());
            due = next(due, clock::now(), self.interval);
            let left = due.boot_ns.saturating_sub(clock::now().boot_ns);
            if stop.recv_timeout(Duration::from_nanos(left)) != Err(RecvTimeoutError::Timeout) {
                return;
            }
        }
    }

    /// Runs it once. Gives what a good run wrote to standard output.
    ///
    /// # Errors
    /// Why the run was bad, or could not be.
    pub fn ask(&mut self) -> Result<Vec<u8>, String> {
        if self.remains.as_mut().is_some_and(|remains| !remains.is_gone()) {
            return Err("an earlier run was killed and has not ended yet: the system holds it, \
                        as on a disk or a network file system that hangs"
                .to_owned());
        }
        sound::check(&self.program).map_err(|unsound| unsound.to_string())?;
        let task = Task {
            words: &self.words,
            environment: &self.environment,
            stdin: &[],
            timeout: self.timeout,
            output: Output::Kept,
        };
        let (ran, remains) = once::run(&task);
        self.remains = remains;
        let said = last_line(&ran.stderr).map(|line| format!(": {line}")).unwrap_or_default();
        match ran.end {
            End::Code(0) => Ok(ran.stdout),
            End::Code(code) => Err(format!("exit code {code}{said}")),
            End::Signal(number) => Err(format!("ended by signal {number}{said}")),
            End::TimedOut => {
                let timeout = duration::show(self.timeout);
                Err(format!("not over within {timeout}, and killed{said}"))
            }
            End::NotStarted(words) => Err(words),
        }
    }
}

/// When the next run is due after one that was due at `due` and over at `now`: what was missed is
/// not made up for.
#[must_use]
pub fn next(due: Moment, now: Moment, interval: Duration) -> Moment {
    let next = due.after(interval);
    if now.may_have_reached(next) { now } else { next }
}
