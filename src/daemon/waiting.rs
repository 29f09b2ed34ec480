//! Waits for sockets and bells until an absolute deadline. Nothing else in the network waits.
//! Never reads or writes what it waits for, and never turns a deadline into an idle timer: a peer
//! that sends one byte per second gains nothing (H02).

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd, poll};
use rustix::time::Timespec;

use crate::daemon::clock;

/// An instant to be ready by. It counts suspended time: a peer waits no longer because we slept.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Deadline {
    boot_ns: u64,
}

impl Deadline {
    /// This instant.
    #[must_use]
    pub fn now() -> Self {
        Self { boot_ns: clock::now().boot_ns }
    }

    /// `span` from now.
    #[must_use]
    pub fn after(span: Duration) -> Self {
        Self::now().plus(span)
    }

    /// `span` later than this.
    #[must_use]
    pub fn plus(self, span: Duration) -> Self {
        let span = u64::try_from(span.as_nanos()).unwrap_or(u64::MAX);
        Self { boot_ns: self.boot_ns.saturating_add(span) }
    }

    /// `span` earlier than this.
    #[must_use]
    pub fn minus(self, span: Duration) -> Self {
        let span = u64::try_from(span.as_nanos()).unwrap_or(u64::MAX);
        Self { boot_ns: self.boot_ns.saturating_sub(span) }
    }

    /// From `earlier` to this; zero if it is not earlier.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.boot_ns.saturating_sub(earlier.boot_ns))
    }

    /// What is left; zero when it has passed.
    #[must_use]
    pub fn left(self) -> Duration {
        self.since(Self::now())
    }

    /// Whether nothing is left.
    #[must_use]
    pub fn has_passed(self) -> bool {
        self.left().is_zero()
    }
}

/// Wakes the one thread that waits for it. Rung twice, it wakes once.
#[derive(Debug)]
pub struct Bell(OwnedFd);

impl Bell {
    /// A silent bell.
    ///
    /// # Errors
    /// Too many open files.
    pub fn new() -> io::Result<Self> {
        Ok(Self(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?))
    }

    /// Rings.
    pub fn ring(&self) {
        // It fails only when the counter is full: then the bell rings already.
        let _ = rustix::io::write(&self.0, &1_u64.to_ne_bytes());
    }

    /// Ends the ringing.
    pub fn hush(&self) {
        // It fails only when the bell does not ring: then there is nothing to end.
        let _ = rustix::io::read(&self.0, &mut [0; 8]);
    }
}

impl AsFd for Bell {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// What a thread waits for on a socket.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum For {
    /// Bytes, a new connection, or the end.
    Reading,
    /// Room for bytes, or the end of connecting.
    Writing,
    /// Nothing but the end.
    Ending,
}

impl For {
    fn flags(self) -> PollFlags {
        match self {
            Self::Reading => PollFlags::IN,
            Self::Writing => PollFlags::OUT,
            Self::Ending => PollFlags::empty(),
        }
    }
}

/// What happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Woken {
    /// The socket is ready, or has ended.
    pub socket: bool,
    /// The bell rang; it is hushed now.
    pub bell: bool,
}

/// Waits for `socket`; false when `deadline` passed first.
///
/// # Errors
/// What the system said.
pub fn wait(socket: impl AsFd, what: For, deadline: Deadline) -> io::Result<bool> {
    let mut fds = [PollFd::from_borrowed_fd(socket.as_fd(), what.flags())];
    Ok(poll_until(&mut fds, Some(deadline))? > 0)
}

/// Waits for `socket` or `bell`, for ever without a deadline; nothing is true when it passed.
///
/// # Errors
/// What the system said.
pub fn wait_with_bell(
    socket: impl AsFd,
    what: For,
    bell: &Bell,
    deadline: Option<Deadline>,
) -> io::Result<Woken> {
    let mut fds = [
        PollFd::from_borrowed_fd(socket.as_fd(), what.flags()),
        PollFd::from_borrowed_fd(bell.as_fd(), PollFlags::IN),
    ];
    poll_until(&mut fds, deadline)?;
    let [socket, rung] = fds.each_ref().map(|fd| !fd.revents().is_empty());
    if rung {
        bell.hush();
    }
    Ok(Woken { socket, bell: rung })
}

/// Waits for `bell`; false when `deadline` passed first.
///
/// # Errors
/// What the system said.
pub fn wait_for_bell(bell: &Bell, deadline: Deadline) -> io::Result<bool> {
    let rung = wait(bell, For::Reading, deadline)?;
    if rung {
        bell.hush();
    }
    Ok(rung)
}

fn poll_until(fds: &mut [PollFd<'_>], deadline: Option<Deadline>) -> io::Result<usize> {
    loop {
        let left = deadline.map(|deadline| timespec(deadline.left()));
        match poll(fds, left.as_ref()) {
            Err(rustix::io::Errno::INTR) => {}
            outcome => return Ok(outcome?),
        }
    }
}

/// As the system takes it.
pub(crate) fn timespec(span: Duration) -> Timespec {
    Timespec {
        tv_sec: i64::try_from(span.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(span.subsec_nanos()),
    }
}

/// Waits, for want of anything to wait on: the system does not tell when descriptors or a lock are
/// free.
pub(crate) fn pause(span: Duration) {
    crossbeam_channel::never::<()>().recv_timeout(span).ok();
}
