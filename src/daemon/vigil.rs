//! Waits for many sockets and bells at once, each under a number of its own.
//! Never reads or writes what it waits for.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};

use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::io::Errno;

use crate::daemon::waiting::{Deadline, timespec};

/// The most that one wait gives back; the rest is there at the next one.
const ROUND: usize = 128;

/// What is waited for. The end of a socket always counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Wants {
    /// Bytes to read.
    pub(crate) reading: bool,
    /// Room for bytes.
    pub(crate) writing: bool,
}

impl Wants {
    /// Bytes to read and nothing else.
    pub(crate) const READING: Self = Self { reading: true, writing: false };

    fn flags(self) -> EventFlags {
        let reading = if self.reading { EventFlags::IN } else { EventFlags::empty() };
        let writing = if self.writing { EventFlags::OUT } else { EventFlags::empty() };
        reading | writing
    }
}

/// All that one thread waits for.
#[derive(Debug)]
pub(crate) struct Vigil(OwnedFd);

impl Vigil {
    /// Waits for nothing yet.
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self(epoll::create(CreateFlags::CLOEXEC)?))
    }

    /// Waits for `source` too, until it is forgotten.
    pub(crate) fn add(&self, source: impl AsFd, number: u64, wants: Wants) -> io::Result<()> {
        Ok(epoll::add(&self.0, source, EventData::new_u64(number), wants.flags())?)
    }

    /// Waits for something else of `source` from now on.
    pub(crate) fn change(&self, source: impl AsFd, number: u64, wants: Wants) -> io::Result<()> {
        Ok(epoll::modify(&self.0, source, EventData::new_u64(number), wants.flags())?)
    }

    /// Waits for `source` no longer. Closing alone would not do while somebody else holds it.
    pub(crate) fn forget(&self, source: impl AsFd) {
        // It fails only when it was forgotten before: then there is nothing to do.
        let _ = epoll::delete(&self.0, source);
    }

    /// The numbers of some that are ready; none when `deadline` passed first.
    pub(crate) fn wait(&self, deadline: Option<Deadline>) -> io::Result<Vec<u64>> {
        let mut room = [const { MaybeUninit::<Event>::uninit() }; ROUND];
        loop {
            let left = deadline.map(|deadline| timespec(deadline.left()));
            match epoll::wait(&self.0, &mut room, left.as_ref()) {
                Ok((ready, _)) => return Ok(ready.iter().map(|event| event.data.u64()).collect()),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}
