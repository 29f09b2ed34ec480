//! Owns the last step before CMD: a process that ties its life to the keeper's, looks at the
//! clocks once more (F37) and becomes CMD. Never goes on as anything else.

use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use rustix::fs::Mode;
use rustix::process::{
    Pid, Signal, chdir, getpid, getppid, set_parent_process_death_signal, setpgid, setsid, umask,
};

use crate::daemon::processes;
use crate::keep::{self, inherited, memory};
use crate::protocol::units::Moment;

/// What this step is called on the command line.
pub const NAME: &str = "run-launch";

/// CMD was found and could not be started (env(1)).
pub const CANNOT_START: u8 = 126;
/// CMD was not found (env(1)).
pub const NOT_FOUND: u8 = 127;
/// Our own failure.
pub const FAILED: u8 = 125;
/// The time was over before CMD began.
pub const TOO_LATE: u8 = 75;

/// Among what CMD lives.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Room<'a> {
    /// What it finds in its environment.
    pub(super) environment: &'a [(String, String)],
    /// Its score among those who are killed for memory, if it has to be given back.
    pub(super) score: Option<&'a str>,
}

impl Room<'_> {
    fn pairs(&self) -> impl Iterator<Item = (&String, &String)> {
        self.environment.iter().map(|(name, value)| (name, value))
    }
}

/// Starts this step, which becomes `cmd`; gives its process.
///
/// # Errors
/// The system has no room for another process.
pub(super) fn start(
    cmd: &[OsString],
    until: Moment,
    group: Option<i32>,
    stdin: OwnedFd,
    room: &Room<'_>,
) -> io::Result<Pid> {
    let place = group.unwrap_or(0).to_string();
    let mut step = step(until, &place, room.score);
    let child = step.args(cmd).envs(room.pairs()).stdin(Stdio::from(stdin)).spawn()?;
    Ok(Pid::from_child(&child))
}

/// The process group in which keys at our terminal reach CMD too: ours, unless that is of another
/// process namespace and cannot be joined.
#[must_use]
pub fn foreground() -> Option<i32> {
    processes::own().ok().map(|own| own.group).filter(|group| *group != 0)
}

/// This step, by the words that `Plan::read` reads; what it becomes is still missing.
#[expect(clippy::disallowed_methods, reason = "what runs under mastership starts here only")]
pub(super) fn step(until: Moment, place: &str, score: Option<&str>) -> Command {
    let me = getpid().as_raw_nonzero().get();
    let mut command = Command::new("/proc/self/exe");
    command
        .arg0("quorate")
        .arg(NAME)
        .args([me.to_string(), until.boot_ns.to_string(), until.raw_ns.to_string()])
        .arg(place)
        .arg(score.unwrap_or_default());
    command
}

/// The word for a session of its own, in the place of a process group.
const APART: &str = "apart";
/// The word for a process group of its own, and nothing of whoever starts it.
pub(super) const ALONE: &str = "alone";

/// What a hook finds.
#[derive(Debug)]
pub(super) struct Apart<'a> {
    /// Where it lives, with all of its environment.
    pub(super) room: Room<'a>,
    /// What it reads.
    pub(super) stdin: OwnedFd,
    /// Where both its outputs go.
    pub(super) output: [OwnedFd; 2],
}

/// Starts this step, which becomes `cmd` as a hook runs: in a session of its own, in `/`, with
/// nothing of the daemon's.
///
/// # Errors
/// The system has no room for another process.
pub(super) fn start_apart(cmd: &[String], until: Moment, apart: Apart<'_>) -> io::Result<Pid> {
    let [stdout, stderr] = apart.output;
    let child = step(until, APART, apart.room.score)
        .args(cmd)
        .env_clear()
        .envs(apart.room.pairs())
        .stdin(Stdio::from(apart.stdin))
        .stdout(Stdio::from(stdout))
        .stderr(Stdio::from(stderr))
        .spawn()?;
    Ok(Pid::from_child(&child))
}

/// Becomes CMD; gives an exit code if that failed.
#[must_use]
pub fn run(words: &[OsString]) -> u8 {
    let Some(plan) = Plan::read(words) else {
        return refuse("is started by `quorate run` only", FAILED);
    };
    if let Err(error) = set_parent_process_death_signal(Some(Signal::KILL)) {
        return refuse(&format!("the system does not tie processes: {error}"), FAILED);
    }
    // The keeper may have died before it was tied to.
    if getppid().is_none_or(|parent| parent.as_raw_nonzero().get() != plan.parent) {
        return FAILED;
    }
    if let Err(error) = plan.place.take() {
        return refuse(&format!("cannot be alone among processes: {error}"), FAILED);
    }
    plan.give_score_back();
    plan.become_cmd()
}

/// Where CMD stands among processes.
enum Place {
    /// In this group; in a new one if zero.
    Group(i32),
    /// In a group of its own, with nothing of the daemon's.
    Alone,
    /// The same in a session of its own, like a program that a service manager starts.
    Apart,
}

impl Place {
    fn read(word: &OsString) -> Option<Self> {
        match word.to_str()? {
            APART => Some(Self::Apart),
            ALONE => Some(Self::Alone),
            group => group.parse().ok().map(Self::Group),
        }
    }

    fn take(&self) -> io::Result<()> {
        match self {
            // CMD has what the person who runs it left open, as env(1) would.
            Self::Group(group) => setpgid(None, Pid::from_raw(*group))?,
            Self::Alone => {
                inherited::close_all()?;
                setpgid(None, None)?;
            }
            Self::Apart => {
                inherited::close_all()?;
                umask(Mode::WGRP | Mode::WOTH);
                setsid()?;
                chdir("/")?;
            }
        }
        Ok(())
    }
}

struct Plan<'a> {
    parent: i32,
    until: Moment,
    place: Place,
    score: &'a OsStr,
    cmd: &'a OsStr,
    arguments: &'a [OsString],
}

impl<'a> Plan<'a> {
    fn read(words: &'a [OsString]) -> Option<Self> {
        let [parent, boot_ns, raw_ns, group, score, cmd, arguments @ ..] = words else {
            return None;
        };
        let number = |word: &OsString| word.to_str()?.parse::<u64>().ok();
        let id = |word: &OsString| word.to_str()?.parse::<i32>().ok();
        let until = Moment { boot_ns: number(boot_ns)?, raw_ns: number(raw_ns)? };
        let (parent, place) = (id(parent)?, Place::read(group)?);
        Some(Self { parent, until, place, score, cmd, arguments })
    }

    fn give_score_back(&self) {
        if let (Some(score), false) = (self.score.to_str(), self.score.is_empty())
            && let Err(error) = memory::let_go(score)
        {
            log::debug!("the keeper's score stays: {error}");
        }
    }

    #[expect(clippy::disallowed_methods, reason = "what runs under mastership starts here only")]
    fn become_cmd(&self) -> u8 {
        let mut command = Command::new(self.cmd);
        command.args(self.arguments);
        if keep::now().may_have_reached(self.until) {
            return TOO_LATE;
        }
        let error = command.exec();
        let is_missing = error.kind() == io::ErrorKind::NotFound;
        let words = format!("cannot start {}: {error}", self.cmd.to_string_lossy());
        refuse(&words, if is_missing { NOT_FOUND } else { CANNOT_START })
    }
}

/// How what this step says begins.
pub(super) const WORDS: &str = "quorate: ";

fn refuse(words: &str, code: u8) -> u8 {
    // Where standard error is closed nobody wants to be told.
    let _ = writeln!(io::stderr(), "{WORDS}{words}");
    code
}
