//! Owns the front's end of a keeper: starts it, tells it, hears it, and clears away what a keeper
//! that was killed or stood still left behind. Never waits for it longer than the moment to kill.

use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use rustix::process::{Pid, Signal, kill_process};

use crate::daemon::cgroup::Cgroup;
use crate::keep::tree::{Left, Tree};
use crate::keep::words::{self, Heard, Order, Report};
use crate::keep::{self, keeper};
use crate::protocol::units::Moment;
use crate::wire::hold::SpanReport;

/// How long after the moment to kill a keeper is given up.
const LATE: Duration = Duration::from_millis(10);

/// What to keep, and how.
#[derive(Clone, Debug)]
pub struct Charge {
    /// CMD and its arguments.
    pub cmd: Vec<OsString>,
    /// What it finds in its environment besides ours.
    pub environment: Vec<(String, String)>,
    /// How long it is asked before it is killed, if that ends earlier than its time.
    pub grace: Option<Duration>,
    /// The process group it joins, to stay in the foreground of a terminal.
    pub group: Option<i32>,
}

/// What a keeper tells.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum News {
    /// CMD ended with this code.
    Ended(u8),
    /// CMD has to end.
    Ending,
    /// The time was over before CMD was started.
    TooLate,
    /// CMD could not be started.
    Failed(String),
    /// The keeper has ended.
    Closed,
}

/// A keeper that waits for its charge, with all done that takes time. What CMD inherits, limits and
/// priorities, is what we had when it was started. Dropped, it ends.
#[derive(Debug)]
pub struct Waiting {
    line: OwnedFd,
    pid: Pid,
    cgroup: Option<Cgroup>,
}

impl Waiting {
    /// Starts a keeper for `cmd`.
    ///
    /// # Errors
    /// The system has no room for a process, or for its line.
    pub fn start(cmd: &[OsString]) -> io::Result<Self> {
        let flags = SocketFlags::CLOEXEC;
        let (line, theirs) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)?;
        let pid = start(cmd, theirs)?;
        Ok(Self { line, pid, cgroup: group_of(pid) })
    }

    /// Its process.
    #[must_use]
    pub fn pid(&self) -> Pid {
        self.pid
    }

    /// Whether it waits where we are: somebody may have moved us to another control group, and
    /// meant CMD.
    #[must_use]
    pub fn is_here(&self) -> bool {
        self.cgroup == group_of(self.pid)
    }

    /// From now on it keeps: it starts CMD if `span` leaves time.
    ///
    /// # Errors
    /// It has ended meanwhile; nothing was started.
    pub fn begin(self, charge: &Charge, span: &SpanReport) -> io::Result<Keeper> {
        let begin = Order::Begin {
            environment: charge.environment.clone(),
            until: span.until,
            kill: span.kill,
            grace_ms: charge
                .grace
                .map(|grace| u64::try_from(grace.as_millis()).unwrap_or(u64::MAX)),
            group: charge.group,
        };
        let Self { line, pid, cgroup } = self;
        words::hand(&line, &begin, io::stdin().as_fd())?;
        // One that was stopped while it waited. If it ended this moment, its line tells.
        let _ = kill_process(pid, Signal::CONT);
        Ok(Keeper { line, pid, cgroup, kill: span.kill.into() })
    }
}

/// A running keeper.
#[derive(Debug)]
pub struct Keeper {
    line: OwnedFd,
    pid: Pid,
    cgroup: Option<Cgroup>,
    kill: Moment,
}

impl Keeper {
    /// The end moved. A keeper that does not take it now has an earlier one, which is as safe.
    pub fn extend(&mut self, span: &SpanReport) {
        if words::say(&self.line, &Order::Extend { until: span.until, kill: span.kill }) {
            self.kill = span.kill.into();
        }
    }

    /// It has to end by `kill`.
    pub fn stop(&mut self, kill: Moment) {
        let known = self.kill;
        self.kill = Moment {
            boot_ns: known.boot_ns.min(kill.boot_ns),
            raw_ns: known.raw_ns.min(kill.raw_ns),
        };
        self.tell(&Order::Stop { kill: kill.into() });
    }

    /// It has to end by the moment known: nobody will extend it.
    pub fn end(&self) {
        self.tell(&Order::End);
    }

    /// All of it dies now.
    pub fn kill(&self) {
        self.tell(&Order::Kill);
    }

    /// Passes a signal on to CMD.
    pub fn signal(&self, number: i32) {
        self.tell(&Order::Signal { number });
    }

    /// A keeper that does not listen acts by its clocks, and is given up when it does not.
    fn tell(&self, order: &Order) {
        if !words::say(&self.line, order) {
            log::debug!("the keeper does not take {order:?} now");
        }
    }

    /// What it tells next, if it has.
    #[must_use]
    pub fn news(&self) -> Option<News> {
        match words::hear(&self.line) {
            Heard::Word(Report::Ended { code }) => Some(News::Ended(code)),
            Heard::Word(Report::Ending) => Some(News::Ending),
            Heard::Word(Report::TooLate) => Some(News::TooLate),
            Heard::Word(Report::Failed { words }) => Some(News::Failed(words)),
            Heard::Nothing => None,
            Heard::End => Some(News::Closed),
        }
    }

    /// When it is given up.
    #[must_use]
    pub fn given_up_at(&self) -> Moment {
        self.kill.after(LATE)
    }

    /// What it may leave when it has ended.
    #[must_use]
    pub fn rest(&self) -> Rest {
        Rest { cgroup: self.cgroup.clone() }
    }

    /// Kills a keeper that should have ended: CMD dies with it, and the rest comes to us.
    pub fn give_up(&self) {
        // It may have ended this moment, which is what is wanted.
        let _ = kill_process(self.pid, Signal::KILL);
    }
}

impl AsFd for Keeper {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.line.as_fd()
    }
}

/// What a keeper that has ended may have left.
#[derive(Default, Debug)]
pub struct Rest {
    cgroup: Option<Cgroup>,
}

impl Rest {
    /// One round of clearing it away.
    #[must_use]
    pub fn sweep(&self, tree: &Tree) -> Left {
        if self.look(tree) == Left::Nothing {
            return Left::Nothing;
        }
        if let Some(Err(error)) = self.cgroup.as_ref().map(Cgroup::kill) {
            log::debug!("cannot kill the control group: {error}");
        }
        tree.kill();
        self.look(tree)
    }

    fn look(&self, tree: &Tree) -> Left {
        let left = tree.bury(|_, _| {});
        if left == Left::Nothing && !self.cgroup.as_ref().is_none_or(Cgroup::is_empty) {
            return Left::Something;
        }
        if left == Left::Nothing {
            self.cgroup.iter().for_each(Cgroup::remove);
        }
        left
    }
}

#[expect(clippy::disallowed_methods, reason = "the keeper is started here only")]
fn start(cmd: &[OsString], line: OwnedFd) -> io::Result<Pid> {
    let child = Command::new("/proc/self/exe")
        .arg0("quorate")
        .arg(keeper::NAME)
        .args(cmd)
        .stdin(Stdio::from(line))
        // Keys typed at a terminal are for CMD.
        .process_group(0)
        .spawn()?;
    Ok(Pid::from_child(&child))
}

/// The control group that a keeper may make.
fn group_of(keeper: Pid) -> Option<Cgroup> {
    Cgroup::of_child(keeper.as_raw_nonzero().get())
}

/// Whether a grant can be believed: it was made by the clocks that we read.
#[must_use]
pub fn is_by_our_clocks(at: Moment) -> bool {
    keep::now().has_surely_reached(at)
}
