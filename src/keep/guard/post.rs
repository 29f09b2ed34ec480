//! Owns the daemon's end of a guard: starts it, tells it, hears it, and clears away what a guard
//! that was killed left behind. Never waits for it, and never decides that it is silent.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};

use crate::keep::guard::NAME;
use crate::keep::guard::orders::{Order, Report};
use crate::keep::tree::Tree;
use crate::keep::words::{self, Heard};

/// A running guard.
#[derive(Debug)]
pub struct Post {
    line: OwnedFd,
    pid: Pid,
}

/// What was heard from a guard.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum News {
    /// This.
    Report(Report),
    /// Nothing yet.
    None,
    /// It has ended.
    Closed,
}

impl Post {
    /// Starts a guard. Only one that names the same `lock` is ready at a time.
    ///
    /// # Errors
    /// The system has no room for a process, or for its line.
    #[expect(clippy::disallowed_methods, reason = "the guard is started here only")]
    pub fn start(lock: Option<&Path>) -> io::Result<Self> {
        let flags = SocketFlags::CLOEXEC;
        let (line, theirs) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)?;
        let child = Command::new("/proc/self/exe")
            .arg0("quorate")
            .arg(NAME)
            .args(lock)
            .env_clear()
            .stdin(Stdio::from(theirs))
            .stdout(Stdio::null())
            // Keys typed at a terminal are for the daemon.
            .process_group(0)
            .spawn()?;
        Ok(Self { line, pid: Pid::from_child(&child) })
    }

    /// Its process.
    #[must_use]
    pub fn pid(&self) -> i32 {
        self.pid.as_raw_nonzero().get()
    }

    /// Tells it; false if it does not take it now, or is gone.
    #[must_use]
    pub fn say(&self, order: &Order) -> bool {
        words::say(&self.line, order)
    }

    /// What it tells next.
    #[must_use]
    pub fn news(&self) -> News {
        match words::hear(&self.line) {
            Heard::Word(report) => News::Report(report),
            Heard::Nothing => News::None,
            Heard::End => News::Closed,
        }
    }

    /// Whether it has ended and is buried. Asked again only after a no.
    #[must_use]
    pub fn is_buried(&self) -> bool {
        !matches!(waitpid(Some(self.pid), WaitOptions::NOHANG), Ok(None))
    }

    /// Kills what it runs, and then it; what escaped comes to us. In this order, so that there is
    /// always one of both to see to it: when we die, a guard that was stopped goes on.
    pub fn kill(&self) {
        // Any of these may have ended this moment, which is what is wanted.
        let _ = kill_process(self.pid, Signal::STOP);
        Tree::kill_below(self.pid());
        let _ = kill_process(self.pid, Signal::KILL);
    }
}

impl AsFd for Post {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.line.as_fd()
    }
}
