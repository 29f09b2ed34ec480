//! Owns the list of processes as the system shows it in /proc.
//! Never signals one, and never takes one list for the whole truth: it is made while they move.

use std::fs::{self, File};
use std::io::{self, Read};

use rustix::process::getpid;

use crate::protocol::map::Map;

/// One process as the list shows it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Process {
    /// Its number.
    pub pid: i32,
    /// Its parent's.
    pub parent: i32,
    /// Its process group's; zero if that is of another process namespace.
    pub group: i32,
    /// Its session's; zero if that began in another process namespace.
    pub session: i32,
    /// When it was started, in ticks since boot: with the number, its name for all time.
    pub started: u64,
    state: u8,
    threads: u32,
}

impl Process {
    /// Whether it has ended and only its name is left. Its first thread may end before others do.
    #[must_use]
    pub fn is_dead(&self) -> bool {
        matches!(self.state, b'Z' | b'X') && self.threads <= 1
    }

    /// Whether that is the same process, perhaps at another time.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        (self.pid, self.started) == (other.pid, other.started)
    }
}

/// Every process the system shows; those that come and go while it does may be missing.
///
/// # Errors
/// There is no /proc.
pub fn list() -> io::Result<Vec<Process>> {
    let mut found = Vec::new();
    for process in fs::read_dir("/proc")? {
        let name = process?.file_name();
        if let Some(pid) = name.to_str().and_then(|name| name.parse::<i32>().ok()) {
            found.extend(one(pid));
        }
    }
    Ok(found)
}

/// Whether surely nothing lives below `root`, a subreaper, but what is spared.
///
/// While anything lives below a subreaper, one of its own children lives: the children of whoever
/// dies become its own. A child that lives when a list is begun is in that list, unless the
/// subreaper buried it meanwhile; it is shown as alive, or as dead though it was not dead in a list
/// made before. So two lists say it, if the subreaper did not run between them.
///
/// # Errors
/// There is no /proc.
pub fn nothing_lives_below(root: i32, is_spared: impl Fn(&Process) -> bool) -> io::Result<bool> {
    let before = turns_of(root);
    let first = list()?;
    let second = list()?;
    let has_stood_still = before.is_some() && before == turns_of(root);
    let us = getpid().as_raw_nonzero().get();
    // Who is not shown the first process may not be shown others.
    let sees_all = [1, us].iter().all(|pid| second.iter().any(|one| one.pid == *pid));
    let was_dead = |one: &Process| first.iter().any(|was| was.is(one) && was.is_dead());
    let mut children = second.iter().filter(|one| one.parent == root && !is_spared(one));
    Ok(has_stood_still && sees_all && children.all(|one| one.is_dead() && was_dead(one)))
}

/// How often a process of one thread, which does not run now, was taken off a processor.
fn turns_of(pid: i32) -> Option<(u64, u64)> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let value = |name: &str| {
        let rest = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        rest.split_ascii_whitespace().next()
    };
    let is_still = value("State").is_some_and(|state| state != "R");
    if !is_still || value("Threads") != Some("1") {
        return None;
    }
    let count = |name: &str| value(name)?.parse().ok();
    Some((count("voluntary_ctxt_switches")?, count("nonvoluntary_ctxt_switches")?))
}

/// All that descends from `root`, but for those that are spared and what descends from them.
#[must_use]
pub fn below(root: i32, all: Vec<Process>, is_spared: impl Fn(&Process) -> bool) -> Vec<Process> {
    let mut children: Map<i32, Vec<Process>> = Map::default();
    for one in all {
        children.get_or_insert(one.parent, Vec::new()).push(one);
    }
    let mut found = Vec::new();
    let mut parents = vec![root];
    while let Some(parent) = parents.pop() {
        for one in children.remove(&parent).unwrap_or_default() {
            if !is_spared(&one) {
                parents.push(one.pid);
                found.push(one);
            }
        }
    }
    found
}

/// One process, if it is there.
#[must_use]
pub fn one(pid: i32) -> Option<Process> {
    let mut text = String::new();
    File::open(format!("/proc/{pid}/stat")).ok()?.read_to_string(&mut text).ok()?;
    parse(pid, &text)
}

/// This process.
///
/// # Errors
/// /proc does not show it, or is that of another process namespace.
pub fn own() -> io::Result<Process> {
    one(getpid().as_raw_nonzero().get())
        .ok_or_else(|| io::Error::other("/proc does not show this process"))
}

/// What it was started as, for people; what is not printable is left out.
#[must_use]
pub fn command_of(pid: i32) -> String {
    let words = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let text = String::from_utf8_lossy(&words).replace('\0', " ");
    text.trim().chars().filter(|letter| !letter.is_control()).take(COMMAND_MAX).collect()
}

/// No longer command is shown.
const COMMAND_MAX: usize = 120;

/// `PID (NAME) STATE PARENT GROUP SESSION …`, where NAME may contain anything.
fn parse(pid: i32, stat: &str) -> Option<Process> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace();
    let state = *fields.next()?.as_bytes().first()?;
    let parent = fields.next()?.parse().ok()?;
    let group = fields.next()?.parse().ok()?;
    let session = fields.next()?.parse().ok()?;
    let threads = fields.nth(13)?.parse().ok()?;
    let started = fields.nth(1)?.parse().ok()?;
    Some(Process { pid, parent, group, session, started, state, threads })
}
