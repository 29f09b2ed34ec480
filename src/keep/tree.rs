//! Owns finding, signalling and burying everything that descends from this process, however often
//! it forked, changed its session or lost its parent: this process is a subreaper, so orphans of
//! the tree become its children, and the tree is empty when the system says there is no child.
//! Never forks, and believes the list in /proc only about whom to signal, not about who is left.

use std::collections::BTreeSet;
use std::io;

use rustix::io::Errno;
use rustix::process::{
    Pid, Signal, WaitOptions, WaitStatus, getpid, kill_process, kill_process_group,
    set_child_subreaper, wait, waitpid,
};

use crate::daemon::processes::{self, Process};

/// How often the list is read to stop newcomers before the killing; a forker loses long before.
const STOPS_MAX: usize = 32;

/// No more of the living are named at once.
const NAMED_MAX: usize = 3;

/// Whether anything is left.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Left {
    /// The system says that there is no child, hence no descendant.
    Nothing,
    /// Something lives, or cannot die yet.
    Something,
}

/// Everything that descends from this process.
#[derive(Debug)]
pub struct Tree {
    root: i32,
    /// Children from before, which are somebody else's: `exec quorate run` in a script has some.
    spared: Vec<i32>,
    /// Whoever is in this session is ours and none of the tree: a daemon has children of its own.
    session: Option<i32>,
}

impl Tree {
    /// From now on orphans come here; children there are already are left alone.
    ///
    /// # Errors
    /// The system does not let us, or shows no processes in /proc.
    pub fn take() -> io::Result<Self> {
        set_child_subreaper(Some(getpid()))?;
        let root = processes::own()?.pid;
        let seen = processes::list()?;
        let children = seen.iter().filter(|entry| entry.parent == root);
        Ok(Self { root, spared: children.map(|entry| entry.pid).collect(), session: None })
    }

    /// From now on orphans come here; the tree is those of them that are in no session of ours,
    /// which whoever left it cannot come back to.
    ///
    /// # Errors
    /// The system does not let us, or does not show this process in /proc.
    pub fn of_strangers() -> io::Result<Self> {
        set_child_subreaper(Some(getpid()))?;
        let own = processes::own()?;
        Ok(Self { root: own.pid, spared: Vec::new(), session: Some(own.session) })
    }

    /// One round of clearing all of it away, when it is `of_strangers`.
    pub fn clear(&self) -> Left {
        if self.bury_strangers() == Left::Something {
            self.kill();
        }
        self.bury_strangers()
    }

    /// Collects the dead strangers, and says whether others are left.
    pub fn bury_strangers(&self) -> Left {
        let Ok(seen) = processes::list() else { return Left::Something };
        let mut left = Left::Nothing;
        for entry in seen.iter().filter(|entry| entry.parent == self.root && !self.spares(entry)) {
            let buried = waitpid(Pid::from_raw(entry.pid), WaitOptions::NOHANG);
            if matches!(buried, Ok(None)) {
                left = Left::Something;
            }
        }
        left
    }

    /// Who lives, for people.
    #[must_use]
    pub fn names(&self) -> String {
        let living = self.find();
        let name =
            |one: &Process| format!("process {} ({})", one.pid, processes::command_of(one.pid));
        let names: Vec<String> = living.iter().take(NAMED_MAX).map(name).collect();
        let more = if living.len() > NAMED_MAX { " and more" } else { "" };
        names.join(", ") + more
    }

    fn spares(&self, entry: &Process) -> bool {
        self.spared.contains(&entry.pid)
            || entry.parent == self.root && self.session == Some(entry.session)
    }

    /// Kills what descends from another process, which does not run meanwhile.
    pub fn kill_below(root: i32) {
        Self { root, spared: Vec::new(), session: None }.kill();
    }

    /// Sends `signals` to all of it, one after the other, as one look shows it.
    pub fn signal(&self, signals: &[Signal]) {
        let found = self.find();
        for signal in signals {
            found.iter().for_each(|entry| send(entry.pid, *signal));
        }
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
        let is_ours = |entry: &Process| entry.parent == self.root;
        let found = processes::list().is_ok_and(|seen| {
            seen.iter().filter(|entry| is_ours(entry)).all(|one| self.spared.contains(&one.pid))
        });
        if found { Left::Nothing } else { Left::Something }
    }

    /// All living descendants, as far as one look shows them.
    fn find(&self) -> Vec<Process> {
        let Ok(seen) = processes::list() else { return Vec::new() };
        let mut found = processes::below(self.root, seen, |one| self.spares(one));
        found.retain(|process| !process.is_dead());
        found
    }
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
