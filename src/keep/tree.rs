//! Owns finding, signalling and burying everything that descends from this process, however often
//! it forked, changed its session or lost its parent: this process is a subreaper, so orphans of
//! the tree become its children, and the tree is empty when the system says there is no child.
//! Never forks, and believes the list in /proc only about whom to signal, not about who is left.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Read};

use rustix::io::Errno;
use rustix::process::{
    Pid, Signal, WaitOptions, WaitStatus, getpid, kill_process, kill_process_group,
    set_child_subreaper, wait,
};

/// How often the list is read to stop newcomers before the killing; a forker loses long before.
const STOPS_MAX: usize = 32;

/// Whether anything is left.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Left {
    /// The system says that there is no child, hence no descendant.
    Nothing,
    /// Something lives, or cannot die yet.
    Something,
}

/// One process as the list shows it.
#[derive(Clone, Copy, Debug)]
struct Entry {
    pid: i32,
    parent: i32,
    group: i32,
    is_dead: bool,
}

/// Everything that descends from this process.
#[derive(Debug)]
pub struct Tree {
    root: i32,
    /// Children from before, which are somebody else's: `exec quorate run` in a script has some.
    spared: BTreeSet<i32>,
}

impl Tree {
    /// From now on orphans come here; children there are already are left alone.
    ///
    /// # Errors
    /// The system does not let us, or shows no processes in /proc.
    pub fn take() -> io::Result<Self> {
        let me = getpid();
        set_child_subreaper(Some(me))?;
        let root = me.as_raw_nonzero().get();
        let seen = entries()?;
        if !seen.iter().any(|entry| entry.pid == root) {
            return Err(io::Error::other("/proc does not show this process"));
        }
        let children = seen.iter().filter(|entry| entry.parent == root);
        Ok(Self { root, spared: children.map(|entry| entry.pid).collect() })
    }

    /// Sends `signal` to all of it, once.
    pub fn signal(&self, signal: Signal) {
        self.find().iter().for_each(|entry| send(entry.pid, signal));
    }

    /// Stops all of it from forking, then kills it. Repeated until `bury` finds nothing left.
    pub fn kill(&self) {
        let mut stopped = BTreeSet::new();
        let mut found = self.find();
        for _ in 0..STOPS_MAX {
            let newcomers: Vec<_> =
                found.iter().filter(|entry| stopped.insert(entry.pid)).collect();
            if newcomers.is_empty() {
                break;
            }
            newcomers.iter().for_each(|entry| send(entry.pid, Signal::STOP));
            found = self.find();
        }
        for entry in &found {
            send(entry.pid, Signal::KILL);
            if entry.pid == entry.group {
                // The group of a descendant: the system kills it in one step, newcomers included.
                send_group(entry.group, Signal::KILL);
            }
        }
    }

    /// Collects the dead, telling each change, and says whether anything is left.
    pub fn bury(&self, mut tell: impl FnMut(Pid, WaitStatus)) -> Left {
        loop {
            match wait(WaitOptions::NOHANG | WaitOptions::UNTRACED) {
                Ok(Some((pid, status))) => tell(pid, status),
                Ok(None) if self.spared.is_empty() => return Left::Something,
                Ok(None) => return self.others(),
                Err(Errno::INTR) => {}
                Err(_) => return Left::Nothing,
            }
        }
    }

    /// Whether there are children but the spared ones.
    fn others(&self) -> Left {
        let is_ours = |entry: &Entry| entry.parent == self.root;
        let found = entries().is_ok_and(|seen| {
            seen.iter().filter(|entry| is_ours(entry)).all(|one| self.spared.contains(&one.pid))
        });
        if found { Left::Nothing } else { Left::Something }
    }

    /// All living descendants, as far as one look shows them.
    fn find(&self) -> Vec<Entry> {
        let Ok(seen) = entries() else { return Vec::new() };
        let mut children: BTreeMap<i32, Vec<Entry>> = BTreeMap::new();
        for entry in seen {
            children.entry(entry.parent).or_default().push(entry);
        }
        let mut found = Vec::new();
        let mut parents = vec![self.root];
        while let Some(parent) = parents.pop() {
            for entry in children.remove(&parent).unwrap_or_default() {
                if !self.spared.contains(&entry.pid) {
                    parents.push(entry.pid);
                    found.push(entry);
                }
            }
        }
        found.retain(|entry| !entry.is_dead);
        found
    }
}

/// Every process the system shows.
fn entries() -> io::Result<Vec<Entry>> {
    let mut found = Vec::new();
    let mut text = String::new();
    for process in fs::read_dir("/proc")? {
        let name = process?.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse::<i32>().ok()) else { continue };
        text.clear();
        // A process that ended meanwhile is no fault.
        let read = File::open(format!("/proc/{pid}/stat"));
        if read.and_then(|mut stat| stat.read_to_string(&mut text)).is_ok() {
            found.extend(parse(pid, &text));
        }
    }
    Ok(found)
}

/// `PID (NAME) STATE PARENT GROUP …`, where NAME may contain anything.
fn parse(pid: i32, stat: &str) -> Option<Entry> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace();
    let is_dead = matches!(fields.next()?, "Z" | "X");
    let parent = fields.next()?.parse().ok()?;
    let group = fields.next()?.parse().ok()?;
    Some(Entry { pid, parent, group, is_dead })
}

fn send(pid: i32, signal: Signal) {
    if let Some(pid) = Pid::from_raw(pid) {
        // It may have ended meanwhile, which `bury` shows.
        let _ = kill_process(pid, signal);
    }
}

fn send_group(group: i32, signal: Signal) {
    if let Some(group) = Pid::from_raw(group) {
        // As above.
        let _ = kill_process_group(group, signal);
    }
}
