//! Owns how this daemon notices that somebody touched a file of one directory: the kernel tells.
//! Never polls, and never looks into the file.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};
use rustix::io::Errno;

/// Room for some notices at once; more come with the next look.
const ROOM: usize = 4096;

/// The kernel's notices about one directory.
#[derive(Debug)]
pub(super) struct Notices(OwnedFd);

impl Notices {
    /// About `directory`, from now on.
    pub(super) fn about(directory: &Path) -> io::Result<Self> {
        let notices = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        // Editors put a new file in the old one's place; others write into it and close it.
        let touched = WatchFlags::CLOSE_WRITE
            | WatchFlags::MOVED_TO
            | WatchFlags::MOVED_FROM
            | WatchFlags::CREATE
            | WatchFlags::DELETE
            | WatchFlags::ONLYDIR;
        inotify::add_watch(&notices, directory, touched)?;
        Ok(Self(notices))
    }

    /// Takes all notices that are there; whether one may be about `name`.
    pub(super) fn take(&self, name: &str) -> io::Result<bool> {
        let mut room = [MaybeUninit::uninit(); ROOM];
        let mut notices = inotify::Reader::new(&self.0, &mut room);
        let mut is_touched = false;
        loop {
            let notice = match notices.next() {
                Ok(notice) => notice,
                Err(Errno::AGAIN) => return Ok(is_touched),
                Err(Errno::INTR) => continue,
                Err(error) => return Err(error.into()),
            };
            if notice.events().contains(ReadFlags::IGNORED) {
                return Err(io::Error::other("the directory is gone"));
            }
            is_touched |= notice.events().contains(ReadFlags::QUEUE_OVERFLOW)
                || notice.file_name().is_some_and(|found| found.to_bytes() == name.as_bytes());
        }
    }
}

impl AsFd for Notices {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
