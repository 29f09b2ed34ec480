//! Owns that a keeper is not who dies or waits when the machine's memory runs short (R33).
//! Never fails: what the system does not allow is left as it was.

use std::fs;
use std::io;

use rustix::mm::{MlockAllFlags, mlockall};
use rustix::process::{Resource, getrlimit};

/// Where a process says how gladly it is killed for memory.
const SCORE: &str = "/proc/self/oom_score_adj";
/// Never.
const LEAST: &str = "-1000";

/// What came of holding a process in memory.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Held {
    /// The score that it had before, if that was changed: what it starts is to have it again.
    pub score: Option<String>,
    /// What was not allowed, in words.
    pub notes: Vec<String>,
}

/// Holds this process in memory, out of the reach of whoever frees some.
#[must_use]
pub fn hold() -> Held {
    let mut held = Held::default();
    if let Err(error) = lock() {
        held.notes.push(format!("it is not held in memory: {error}"));
    }
    match change_score() {
        Ok(before) => held.score = Some(before),
        Err(error) => held.notes.push(format!("it is not spared when memory runs out: {error}")),
    }
    held
}

fn change_score() -> io::Result<String> {
    let before = fs::read_to_string(SCORE)?;
    fs::write(SCORE, LEAST)?;
    Ok(before.trim().to_owned())
}

/// Gives this process `score` back.
///
/// # Errors
/// What the system says; raising it is allowed to everybody.
pub fn let_go(score: &str) -> io::Result<()> {
    fs::write(SCORE, score)
}

/// Where only so much may be locked, what comes later must not: there would be none of it.
fn lock() -> io::Result<()> {
    let is_limited = getrlimit(Resource::Memlock).current.is_some();
    let may_exceed = rustix::process::geteuid().is_root();
    let later =
        if is_limited && !may_exceed { MlockAllFlags::empty() } else { MlockAllFlags::FUTURE };
    Ok(mlockall(MlockAllFlags::CURRENT | later)?)
}
