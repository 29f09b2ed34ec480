//! Owns one process of somebody else by a descriptor, which never comes to mean another one.
//! Never signals whom it was not pinned to, and never this process.

use std::fmt;
use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, getpid, pidfd_open, pidfd_send_signal};

use crate::daemon::credentials::Credentials;
use crate::daemon::processes::{self, Process};

/// One process.
#[derive(Debug)]
pub struct Pinned {
    /// Its number, for people and for lists made while it lives.
    pub pid: i32,
    /// Whose it is.
    pub user: u32,
    fd: OwnedFd,
    command: String,
}

impl Pinned {
    /// The process of that list entry, if it still is that one.
    ///
    /// # Errors
    /// It is gone, or the system pins none.
    pub fn of(process: &Process) -> io::Result<Self> {
        let pinned = Self::open(process.pid)?;
        // The descriptor came first: what has the number now had it then, or it is another one.
        let is_it = processes::one(process.pid).is_some_and(|now| now.started == process.started);
        if is_it { Ok(pinned) } else { Err(Errno::SRCH.into()) }
    }

    /// The process at the other end of `stream`. It is trusted to be the one that connected, since
    /// it belongs to the same user and the stream has not ended: at worst a user has pinned
    /// another process of its own.
    ///
    /// # Errors
    /// Who it is cannot be said: it is gone, another's, in a world of its own, or ourselves.
    pub fn peer_of(stream: &UnixStream) -> io::Result<Self> {
        let peer = Credentials::of_peer(stream)?;
        let pinned = Self::open(peer.pid.ok_or(Errno::SRCH)?)?;
        if pinned.user != peer.user || pinned.is_dead() || has_ended(stream) {
            return Err(io::Error::other("who asks cannot be told"));
        }
        Ok(pinned)
    }

    fn open(pid: i32) -> io::Result<Self> {
        let number = Pid::from_raw(pid).filter(|number| *number != getpid()).ok_or(Errno::INVAL)?;
        let fd = pidfd_open(number, PidfdFlags::empty())?;
        let user = fs::metadata(format!("/proc/{pid}"))?.uid();
        Ok(Self { pid, user, fd, command: processes::command_of(pid) })
    }

    /// Sends `signal`; one that has ended needs none.
    ///
    /// # Errors
    /// It may not be signalled by us.
    pub fn signal(&self, signal: Signal) -> io::Result<()> {
        match pidfd_send_signal(&self.fd, signal) {
            Err(Errno::SRCH) | Ok(()) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether it has ended, as the system says.
    #[must_use]
    pub fn is_dead(&self) -> bool {
        let mut one = [PollFd::new(&self.fd, PollFlags::IN)];
        let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
        // If the system cannot say, it lives.
        poll(&mut one, Some(&at_once)).is_ok_and(|ready| ready > 0)
    }
}

impl fmt::Display for Pinned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {} ({})", self.pid, self.command)
    }
}

fn has_ended(stream: &UnixStream) -> bool {
    let mut one = [PollFd::new(stream, PollFlags::empty())];
    let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
    // If the system cannot say, it is not trusted.
    poll(&mut one, Some(&at_once)).map_or(true, |ready| ready > 0)
}
