//! Owns one private, locked directory: how its files are read without trusting them, and
//! replaced so that a crash leaves the old or the new one whole (R1).
//! Never knows what is in them; `store` and `init` do.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{AtFlags, FlockOperation, Mode, OFlags, RenameFlags, flock, fstat, openat};
use rustix::io::Errno;

use crate::daemon::failure::{self, Failure};
use crate::daemon::waiting::{Deadline, pause};

/// What a file is called until it is whole. One for all names: there is one writer at a time.
const UNFINISHED_FILE: &str = "unfinished";
/// Locked as long as a process uses the directory; holds that process's id for people.
const LOCK_FILE: &str = "lock";
/// How long the lock may outlive its owner: a child that was just being made has it, too, until it
/// becomes another program.
const LINGERS: Duration = Duration::from_millis(500);
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// A state directory: ours alone while this lives, if it was opened so.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    handle: OwnedFd,
    device_and_inode: (u64, u64),
    lock: Option<OwnedFd>,
}

impl Directory {
    /// Opens and locks the directory at `path`, which must be there.
    ///
    /// # Errors
    /// It is missing, not private, not ours, or another process has it. Nothing was changed, save
    /// that read permission for others was taken away.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        let mut directory = Self::look(path)?;
        directory.lock = Some(lock(path, &directory.handle)?);
        Ok(directory)
    }

    /// Opens the directory at `path` for reading only, whoever uses it.
    ///
    /// # Errors
    /// As `open`, but that another process may have it.
    pub fn look(path: &Path) -> Result<Self, Failure> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let handle = rustix::fs::open(path, flags, Mode::empty())
            .map_err(|errno| cannot_open_directory(path, errno))?;
        let found = fstat(&handle).map_err(|errno| system("cannot look at", path, errno))?;
        make_private(path, &handle, found.st_uid, found.st_mode)?;
        let device_and_inode = (found.st_dev, found.st_ino);
        Ok(Self { path: path.to_owned(), handle, device_and_inode, lock: None })
    }

    /// Makes the directory at `path` (0700, parents 0755) if nothing is there, then opens it.
    ///
    /// # Errors
    /// As `open`, or it cannot be made.
    pub fn make(path: &Path) -> Result<Self, Failure> {
        use std::os::unix::fs::DirBuilderExt;
        let cannot = |error: io::Error| {
            let what = format!("cannot make the state directory {}", path.display());
            Failure::of_system(failure::CANNOT_CREATE, &what, &error)
        };
        if let Some(parent) = path.parent().filter(|_| !path.exists()) {
            std::fs::create_dir_all(parent).map_err(cannot)?;
            std::fs::DirBuilder::new().mode(0o700).create(path).map_err(cannot)?;
        }
        Self::open(path)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The same directory for whoever keeps something beside the state, wherever it is moved.
    ///
    /// # Errors
    /// The system has no descriptor left.
    pub fn share(&self) -> io::Result<OwnedFd> {
        self.handle.try_clone()
    }

    /// What its file system calls it.
    #[must_use]
    pub fn inode(&self) -> u64 {
        self.device_and_inode.1
    }

    /// Moves the file `from` to the name `to`, where nothing may be.
    ///
    /// # Errors
    /// What the system said; then it has its old name, or perhaps the new one.
    pub fn rename(&self, from: &str, to: &str) -> Result<(), Failure> {
        self.check_ours();
        let path = self.path.join(from);
        rustix::fs::renameat_with(&self.handle, from, &self.handle, to, RenameFlags::NOREPLACE)
            .map_err(|errno| system("cannot rename", &path, errno))?;
        self.sync()
    }

    /// Whether something is called `name` in it.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        rustix::fs::statat(&self.handle, name, AtFlags::SYMLINK_NOFOLLOW).is_ok()
    }

    /// The content of the private file `name`, of at most `limit` bytes; `None` if there is none.
    ///
    /// # Errors
    /// It is a link, no plain file, too large, not ours, open to others, or unreadable.
    pub fn read(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, Failure> {
        let path = self.path.join(name);
        // NOFOLLOW refuses links, NONBLOCK keeps a FIFO from holding us (F53).
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = match openat(&self.handle, name, flags, Mode::empty()) {
            Ok(file) => file,
            Err(Errno::NOENT) => return Ok(None),
            Err(Errno::LOOP) => return Err(not_a_plain_file(&path, "a symbolic link")),
            Err(errno) => return Err(system("cannot open", &path, errno)),
        };
        check_private_file(&path, &file, limit)?;
        let mut content = Vec::new();
        File::from(file)
            .take(limit)
            .read_to_end(&mut content)
            .map_err(|error| system_io("cannot read", &path, &error))?;
        Ok(Some(content))
    }

    /// Replaces the file `name` with `content`: afterwards it is on disk, whole, or `name` is
    /// what it was before.
    ///
    /// # Errors
    /// What the system said, and at which step. The file must not be relied on then (R4).
    pub fn replace(&self, name: &str, content: &[u8]) -> Result<(), Failure> {
        let at = |step: &'static str| {
            let path = self.path.join(name);
            move |error: io::Error| system_io(step, &path, &error)
        };
        self.check_ours();
        self.check_still_there()?;
        match rustix::fs::unlinkat(&self.handle, UNFINISHED_FILE, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(errno) => return Err(at("cannot remove the leftover of an earlier")(errno.into())),
        }
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW;
        let mode = Mode::RUSR | Mode::WUSR;
        let file = openat(&self.handle, UNFINISHED_FILE, flags | OFlags::CLOEXEC, mode)
            .map_err(|errno| at("cannot create a new")(errno.into()))?;
        let mut file = File::from(file);
        file.write_all(content).map_err(at("cannot write a new"))?;
        file.sync_all().map_err(at("cannot fsync a new"))?;
        drop(file);
        rustix::fs::renameat(&self.handle, UNFINISHED_FILE, &self.handle, name)
            .map_err(|errno| at("cannot rename the new")(errno.into()))?;
        self.sync()
    }

    /// Removes the file `name`, for good, if it is there.
    ///
    /// # Errors
    /// What the system said.
    pub fn remove(&self, name: &str) -> Result<(), Failure> {
        self.check_ours();
        match rustix::fs::unlinkat(&self.handle, name, AtFlags::empty()) {
            Ok(()) => self.sync(),
            Err(Errno::NOENT) => Ok(()),
            Err(errno) => Err(system("cannot remove", &self.path.join(name), errno)),
        }
    }

    fn check_ours(&self) {
        assert!(self.lock.is_some(), "only who holds the lock writes");
    }

    fn sync(&self) -> Result<(), Failure> {
        rustix::fs::fsync(&self.handle)
            .map_err(|errno| system("cannot fsync the directory", &self.path, errno))
    }

    /// Another volume mounted over the directory, or the directory moved away, would take our
    /// writes where the next start does not look (F59).
    fn check_still_there(&self) -> Result<(), Failure> {
        let found = rustix::fs::stat(&self.path)
            .map_err(|errno| system("the state directory is gone:", &self.path, errno))?;
        if (found.st_dev, found.st_ino) == self.device_and_inode {
            return Ok(());
        }
        Err(Failure::new(
            failure::IO,
            format!(
                "{} is another directory now than at the start (mounted over or replaced): \
                 restore it and restart quorate",
                self.path.display()
            ),
        ))
    }
}

impl AsFd for Directory {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.handle.as_fd()
    }
}

fn cannot_open_directory(path: &Path, errno: Errno) -> Failure {
    match errno {
        Errno::NOENT => Failure::new(
            failure::NO_INPUT,
            format!("no state directory at {}: run `quorate init` first", path.display()),
        ),
        Errno::NOTDIR => Failure::new(
            failure::CANNOT_CREATE,
            format!("{} is not a directory: name another with --state-dir", path.display()),
        ),
        errno => system("cannot open the state directory", path, errno),
    }
}

/// Ours, and nobody else's: read permission for others is taken away, as service managers like
/// to give it; write permission is refused, since somebody may have used it.
fn make_private(path: &Path, handle: &OwnedFd, owner: u32, mode: u32) -> Result<(), Failure> {
    check_owner(path, owner)?;
    if mode & 0o022 != 0 {
        let message = format!(
            "{} can be written by others (mode {:04o}): check what is in it, then `chmod 700` it",
            path.display(),
            mode & 0o7777
        );
        return Err(Failure::new(failure::NO_PERMISSION, message));
    }
    if mode & 0o077 != 0 {
        rustix::fs::fchmod(handle, Mode::RWXU)
            .map_err(|errno| system("cannot make private", path, errno))?;
    }
    Ok(())
}

fn lock(directory: &Path, handle: &OwnedFd) -> Result<OwnedFd, Failure> {
    let path = directory.join(LOCK_FILE);
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = openat(handle, LOCK_FILE, flags | OFlags::CLOEXEC, Mode::RUSR | Mode::WUSR)
        .map_err(|errno| system("cannot open", &path, errno))?;
    let until = Deadline::after(LINGERS);
    loop {
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => break,
            Err(Errno::WOULDBLOCK) if !until.has_passed() => pause(LOOK_AGAIN),
            Err(Errno::WOULDBLOCK) => return Err(already_served(directory, file)),
            Err(errno) => return Err(system("cannot lock", &path, errno)),
        }
    }
    let written = rustix::fs::ftruncate(&file, 0).and_then(|()| {
        let text = format!("{}\n", std::process::id());
        rustix::io::pwrite(&file, text.as_bytes(), 0).map(drop)
    });
    // The process id is for people; on a full disk the lock holds without it.
    written
        .or_else(|errno| if errno == Errno::NOSPC { Ok(()) } else { Err(errno) })
        .map_err(|errno| system("cannot write", &path, errno))?;
    Ok(file)
}

fn already_served(directory: &Path, lock: OwnedFd) -> Failure {
    let mut text = String::new();
    // Without a readable process id the message is still true.
    let is_read = File::from(lock).take(32).read_to_string(&mut text).is_ok();
    let who = match text.trim() {
        pid if is_read && !pid.is_empty() => format!("another quorate (pid {pid})"),
        _ => "another quorate".to_owned(),
    };
    let message = format!(
        "{who} uses {}: stop it first, or give this one a directory of its own with --state-dir",
        directory.display()
    );
    Failure::new(failure::TRY_AGAIN, message)
}

fn check_private_file(path: &Path, file: &impl AsFd, limit: u64) -> Result<(), Failure> {
    let found = fstat(file).map_err(|errno| system("cannot look at", path, errno))?;
    if !rustix::fs::FileType::from_raw_mode(found.st_mode).is_file() {
        return Err(not_a_plain_file(path, "not a plain file"));
    }
    check_owner(path, found.st_uid)?;
    if found.st_mode & 0o077 != 0 {
        let message = format!(
            "{} is open to others (mode {:04o}): if nobody used that, `chmod 600` it",
            path.display(),
            found.st_mode & 0o7777
        );
        return Err(Failure::new(failure::NO_PERMISSION, message));
    }
    if u64::try_from(found.st_size).is_ok_and(|size| size > limit) {
        let message = format!("{} is larger than {limit} bytes: not ours", path.display());
        return Err(Failure::new(failure::BAD_DATA, message));
    }
    Ok(())
}

fn check_owner(path: &Path, owner: u32) -> Result<(), Failure> {
    let me = rustix::process::geteuid().as_raw();
    if owner == me {
        return Ok(());
    }
    let message = format!(
        "{} belongs to user {owner}, and this is user {me}: run quorate as its owner, or chown it",
        path.display()
    );
    Err(Failure::new(failure::NO_PERMISSION, message))
}

fn not_a_plain_file(path: &Path, what: &str) -> Failure {
    let message = format!(
        "{} is {what}, and quorate keeps its own plain files there: put the file itself back",
        path.display()
    );
    Failure::new(failure::BAD_DATA, message)
}

fn system(what: &str, path: &Path, errno: Errno) -> Failure {
    system_io(what, path, &errno.into())
}

fn system_io(what: &str, path: &Path, error: &io::Error) -> Failure {
    Failure::of_system(failure::IO, &format!("{what} {}", path.display()), error)
}
