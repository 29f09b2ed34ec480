//! Owns how files that people may touch are read, put in place and moved aside: whole, by name in
//! one directory, without trusting what is there.
//! Never waits for the disk to have them: what a power cut takes is written again at the start.

use std::ffi::CString;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, RenameFlags};
use rustix::fs::{fstat, openat, renameat, renameat_with, unlinkat};
use rustix::io::Errno;

/// What a file is called while another takes its place, where both cannot change places at once.
const PARKED: &str = ".cluster.yaml.parked";

/// One directory, wherever it is moved.
#[derive(Debug)]
pub(super) struct Folder(OwnedFd);

/// A file as it was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Page {
    pub(super) bytes: Vec<u8>,
    /// The user it belongs to.
    pub(super) owner: u32,
}

impl Folder {
    pub(super) fn new(handle: OwnedFd) -> Self {
        Self(handle)
    }

    /// The folder `name` in this one, made if it is not there.
    pub(super) fn inner(&self, name: &str) -> io::Result<Self> {
        match rustix::fs::mkdirat(&self.0, name, Mode::RWXU) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(error.into()),
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(Self(openat(&self.0, name, flags, Mode::empty())?))
    }

    /// The plain file `name`, of at most `limit` bytes; none if nothing is there.
    pub(super) fn read(&self, name: &str, limit: u64) -> io::Result<Option<Page>> {
        // NOFOLLOW refuses links, NONBLOCK keeps a FIFO from holding us.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = match openat(&self.0, name, flags, Mode::empty()) {
            Ok(file) => File::from(file),
            Err(Errno::NOENT) => return Ok(None),
            Err(Errno::LOOP) => return Err(io::Error::other("it is a symbolic link")),
            Err(error) => return Err(error.into()),
        };
        let found = fstat(&file)?;
        if !FileType::from_raw_mode(found.st_mode).is_file() {
            return Err(io::Error::other("it is no plain file"));
        }
        let mut bytes = Vec::new();
        file.take(limit + 1).read_to_end(&mut bytes)?;
        if u64::try_from(bytes.len()).is_ok_and(|length| length > limit) {
            return Err(io::Error::other(format!("it is larger than {limit} bytes")));
        }
        Ok(Some(Page { bytes, owner: found.st_uid }))
    }

    /// Makes `name` anew with these bytes, whatever was called so.
    pub(super) fn make(&self, name: &str, bytes: &[u8], mode: Mode) -> io::Result<()> {
        self.remove(name)?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW;
        let file = openat(&self.0, name, flags | OFlags::CLOEXEC, mode)?;
        File::from(file).write_all(bytes)
    }

    /// Puts these bytes in the place of `name`, by way of `unfinished`.
    pub(super) fn replace(&self, name: &str, unfinished: &str, bytes: &[u8]) -> io::Result<()> {
        self.make(unfinished, bytes, Mode::RUSR | Mode::WUSR)?;
        self.rename(unfinished, name)
    }

    pub(super) fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        Ok(renameat(&self.0, from, &self.0, to)?)
    }

    /// Puts `new` in the place of `old`, in one step; what was `old` is called `new` then. False if
    /// there was no `old`. Some file systems cannot do it in one step: there `old` is missing for a
    /// moment.
    pub(super) fn exchange(&self, new: &str, old: &str) -> io::Result<bool> {
        match renameat_with(&self.0, new, &self.0, old, RenameFlags::EXCHANGE) {
            Ok(()) => return Ok(true),
            Err(Errno::NOENT | Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {}
            Err(error) => return Err(error.into()),
        }
        let had_old = match renameat(&self.0, old, &self.0, PARKED) {
            Ok(()) => true,
            Err(Errno::NOENT) => false,
            Err(error) => return Err(error.into()),
        };
        self.rename(new, old)?;
        if had_old {
            self.rename(PARKED, new)?;
        }
        Ok(had_old)
    }

    /// What `exchange` parked and did not come back to is called `new`.
    pub(super) fn finish_exchange(&self, new: &str) -> io::Result<()> {
        if self.has(PARKED) { self.rename(PARKED, new) } else { Ok(()) }
    }

    /// Removes `name`, if it is there.
    pub(super) fn remove(&self, name: &str) -> io::Result<()> {
        match unlinkat(&self.0, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether something is called `name`.
    pub(super) fn has(&self, name: &str) -> bool {
        rustix::fs::statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW).is_ok()
    }

    /// What is in it, with the sizes.
    pub(super) fn list(&self) -> io::Result<Vec<(CString, u64)>> {
        let mut found = Vec::new();
        for entry in rustix::fs::Dir::read_from(self.0.as_fd())? {
            let name = entry?.file_name().to_owned();
            // What is gone by now takes no room.
            let stat = rustix::fs::statat(&self.0, &name, AtFlags::SYMLINK_NOFOLLOW);
            let size = stat.map_or(0, |stat| u64::try_from(stat.st_size).unwrap_or(0));
            found.push((name, size));
        }
        Ok(found)
    }
}
