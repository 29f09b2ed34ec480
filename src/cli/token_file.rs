//! Owns the file in which `fence-check` keeps the highest term, and its replacement under a lock.
//! Never acknowledges a term that a power cut could take back, and never follows a link.
//!
//! Beside FILE lies `FILE.lock`, for good: FILE itself is another file after each replacement, so a
//! lock on it would guard the old one. With the lock in hand, a higher term is written to
//! `FILE.new`, flushed, renamed over FILE, and the rename flushed. An equal one is flushed too,
//! since whoever wrote it may have been killed before that. Nobody has to clean up: the kernel
//! gives the lock back, and a leftover `FILE.new` makes way.

use core::time::Duration;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crossbeam_channel::bounded;
use rustix::fs::{
    AtFlags, FileType, FlockOperation, Mode, OFlags, fchmod, flock, fstat, openat, statat,
};
use rustix::io::Errno;

use crate::cli::console::Failure;
use crate::cli::exit::Exit;
use crate::cli::fence::token;
use crate::cli::stopwatch::Stopwatch;
use crate::cli::threads;
use crate::protocol::units::Term;

/// More bytes than any token has.
const TOKEN_BYTES_MAX: u64 = 32;

/// Keeps `term` in the file at `path` if it is higher than what is there, and gives the highest.
/// Unless that is above `term`, it is on disk now. Others may hold the lock for `patience`.
///
/// # Errors
/// The file was not changed, or holds `term` without a promise that it stays.
pub(super) fn raise(path: &Path, term: Term, patience: Duration) -> Result<Term, Failure> {
    let file = TokenFile::at(path)?;
    let _lock = file.lock(patience)?;
    match file.read()? {
        Some((kept, found)) if kept.term == term => {
            found.sync_all().map_err(|error| file.failure("cannot flush", &error))?;
            file.sync_directory()?;
            Ok(term)
        }
        Some((kept, _)) if kept.term > term => Ok(kept.term),
        Some((kept, _)) => file.replace(term, Some(kept.mode)).map(|()| term),
        None => file.replace(term, None).map(|()| term),
    }
}

/// What stands in the file.
struct Kept {
    term: Term,
    mode: Mode,
}

/// A path taken apart once, so that every step happens in the same directory.
struct TokenFile<'a> {
    path: &'a Path,
    directory: OwnedFd,
    name: &'a OsStr,
}

impl<'a> TokenFile<'a> {
    fn at(path: &'a Path) -> Result<Self, Failure> {
        // The system takes a trailing slash or dot for a directory; the library cuts both off.
        let name =
            path.file_name().filter(|name| path.as_os_str().as_bytes().ends_with(name.as_bytes()));
        let Some(name) = name else {
            let message =
                format!("`{}` names no file: name the one to keep the term in", path.display());
            return Err(Failure::new(Exit::Usage, message));
        };
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        let parent = parent.unwrap_or(Path::new("."));
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = rustix::fs::open(parent, flags, Mode::empty()).map_err(|errno| {
            failure(Exit::CannotCreate, "cannot open the directory", parent, &errno.into())
        })?;
        Ok(Self { path, directory, name })
    }

    /// The name of a file beside it.
    fn beside(&self, ending: &str) -> OsString {
        let mut name = self.name.to_owned();
        name.push(ending);
        name
    }

    /// Waits for the lock. It is given back when dropped, or by the kernel.
    fn lock(&self, patience: Duration) -> Result<OwnedFd, Failure> {
        let name = self.beside(".lock");
        let path = self.path.with_file_name(&name);
        let waited = Stopwatch::start();
        loop {
            let lock = self.open_lock(&name, &path)?;
            let lock = locked(lock, waited.left_of(patience), &path)?;
            // Somebody may have removed it meanwhile, and others lock its successor.
            if self.is_still(&name, &lock) {
                return Ok(lock);
            }
        }
    }

    fn open_lock(&self, name: &OsStr, path: &Path) -> Result<OwnedFd, Failure> {
        // Others must not be able to hold it; writable, since NFS locks nothing else.
        let mode = Mode::RUSR | Mode::WUSR | Mode::RGRP | Mode::WGRP;
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let lock = match openat(&self.directory, name, flags | OFlags::CLOEXEC, mode) {
            Ok(lock) => lock,
            Err(Errno::LOOP | Errno::ISDIR | Errno::NXIO) => return Err(not_plain(path)),
            Err(errno) => {
                return Err(failure(Exit::CannotCreate, "cannot open", path, &errno.into()));
            }
        };
        check_plain(path, &lock).map(|_| lock)
    }

    fn is_still(&self, name: &OsStr, lock: &OwnedFd) -> bool {
        let there = statat(&self.directory, name, AtFlags::SYMLINK_NOFOLLOW);
        let ours = fstat(lock);
        matches!((there, ours), (Ok(there), Ok(ours))
            if (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino))
    }

    /// What the file holds; `None` if there is none.
    fn read(&self) -> Result<Option<(Kept, File)>, Failure> {
        // NONBLOCK keeps a FIFO from holding us; for plain files it means nothing.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
        let file = match openat(&self.directory, self.name, flags | OFlags::CLOEXEC, Mode::empty())
        {
            Ok(file) => file,
            Err(Errno::NOENT) => return Ok(None),
            Err(Errno::LOOP | Errno::NXIO) => return Err(not_plain(self.path)),
            Err(errno) => return Err(self.failure("cannot open", &errno.into())),
        };
        let mode = check_plain(self.path, &file)?;
        let mut file = File::from(file);
        let mut bytes = Vec::new();
        let read = (&mut file).take(TOKEN_BYTES_MAX).read_to_end(&mut bytes);
        read.map_err(|error| self.failure("cannot read", &error))?;
        // Without its line end a number may be half of a longer one.
        let text = str::from_utf8(&bytes).ok().and_then(|text| text.strip_suffix('\n'));
        match text.and_then(token) {
            Some(term) => Ok(Some((Kept { term, mode }, file))),
            None => Err(self.no_token()),
        }
    }

    fn no_token(&self) -> Failure {
        let path = self.path.display();
        let message = format!(
            "{path} does not hold a term (one line with a number from 1 on), so nothing may write: \
             look for the highest term that ever wrote to what it guards, at least that of \
             `quorate status`, and put it there: echo TERM > {path}"
        );
        Failure::new(Exit::BadData, message)
    }

    /// Afterwards the file holds `term`, on disk; or, after a failure, perhaps still what it held.
    fn replace(&self, term: Term, mode: Option<Mode>) -> Result<(), Failure> {
        let name = self.beside(".new");
        let at = |step: &'static str| {
            let path = self.path.with_file_name(&name);
            move |error: io::Error| failure(Exit::InputOutput, step, &path, &error)
        };
        match rustix::fs::unlinkat(&self.directory, &name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(errno) => return Err(at("cannot remove the leftover")(errno.into())),
        }
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW;
        // As by `echo TERM > FILE`: the caller's umask takes away what it wants.
        let usual = Mode::from_raw_mode(0o666);
        let new =
            openat(&self.directory, &name, flags | OFlags::CLOEXEC, usual).map_err(|errno| {
                let path = self.path.with_file_name(&name);
                failure(Exit::CannotCreate, "cannot make", &path, &errno.into())
            })?;
        if let Some(mode) = mode {
            fchmod(&new, mode).map_err(|errno| at("cannot set the mode of")(errno.into()))?;
        }
        let mut new = File::from(new);
        new.write_all(format!("{term}\n").as_bytes()).map_err(at("cannot write"))?;
        new.sync_all().map_err(at("cannot flush"))?;
        rustix::fs::renameat(&self.directory, &name, &self.directory, self.name)
            .map_err(|errno| self.failure("cannot replace", &errno.into()))?;
        self.sync_directory()
    }

    fn sync_directory(&self) -> Result<(), Failure> {
        rustix::fs::fsync(&self.directory)
            .map_err(|errno| self.failure("cannot flush the directory of", &errno.into()))
    }

    fn failure(&self, what: &str, error: &io::Error) -> Failure {
        failure(Exit::InputOutput, what, self.path, error)
    }
}

/// Locks beside the caller, who ends the process if that takes too long: the system serves those
/// who wait in turn, and whoever only looks again and again may never see it free.
fn locked(lock: OwnedFd, limit: Duration, path: &Path) -> Result<OwnedFd, Failure> {
    let (sender, receiver) = bounded(1);
    threads::spawn("locks", move || {
        let outcome = loop {
            match flock(&lock, FlockOperation::LockExclusive) {
                Err(Errno::INTR) => {}
                outcome => break outcome,
            }
        };
        // Whoever waited too long does not want it any more; dropped, it is free again.
        drop(sender.try_send(outcome.map(|()| lock)));
    })?;
    match receiver.recv_timeout(limit) {
        Ok(Ok(lock)) => Ok(lock),
        Ok(Err(errno)) => Err(failure(Exit::InputOutput, "cannot lock", path, &errno.into())),
        Err(_) => {
            let message = format!(
                "another process holds the lock {} for too long: look for a stopped fence-check \
                 or a stalled disk",
                path.display()
            );
            Err(Failure::new(Exit::TryAgain, message))
        }
    }
}

/// The permissions of a plain file; anything else is refused.
fn check_plain(path: &Path, file: &OwnedFd) -> Result<Mode, Failure> {
    let found = fstat(file)
        .map_err(|errno| failure(Exit::InputOutput, "cannot look at", path, &errno.into()))?;
    if !FileType::from_raw_mode(found.st_mode).is_file() {
        return Err(not_plain(path));
    }
    Ok(Mode::from_raw_mode(found.st_mode & 0o777))
}

fn not_plain(path: &Path) -> Failure {
    let message = format!(
        "{} is a link, a directory or another special file: the term is kept in a plain file only, \
         so name that one, or one that is not there yet",
        path.display()
    );
    Failure::new(Exit::BadData, message)
}

fn failure(exit: Exit, what: &str, path: &Path, error: &io::Error) -> Failure {
    let is_denied = error.kind() == io::ErrorKind::PermissionDenied;
    let exit = if is_denied { Exit::Permission } else { exit };
    Failure::new(exit, format!("{what} {}: {error}", path.display()))
}
