//! Owns the unix socket's place in the file system: who may reach it, and that a stale one gives
//! way to a living daemon and never the other way round (H41, H42).
//! Never speaks on it; `control` does.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::fs::Gid;
use rustix::process::{getegid, geteuid};

use crate::daemon::credentials::Credentials;
use crate::daemon::failure::{self, Failure};
use crate::daemon::waiting::{Bell, For, wait_with_bell};

/// The longest path the system takes for a socket, less what the unfinished one is called.
const PATH_BYTES_MAX: usize = 107 - UNFINISHED.len();
/// Appended to the path until permissions are set.
const UNFINISHED: &str = ".new";
/// Its members may ask a daemon that runs as root, or in this group first of all.
const GROUP: &str = "quorate";

/// Who may ask.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Circle {
    /// Root and the daemon's own user.
    Owner,
    /// They and this group.
    Group(u32),
}

/// The bound socket.
#[derive(Debug)]
pub struct Socket {
    bound: Mutex<Bound>,
    /// Tells whoever waits for a connection that there is another listener now.
    bell: Bell,
    path: PathBuf,
    circle: Circle,
}

/// What connections come through, and what it is in the file system.
#[derive(Clone, Debug)]
struct Bound {
    listener: Arc<UnixListener>,
    device_and_inode: (u64, u64),
}

impl Socket {
    /// Binds `path`. It is made under another name with its permissions set, then renamed: nobody
    /// can connect in between, and what was there before is replaced in one step.
    ///
    /// # Errors
    /// A daemon answers there, something else is there, or the system refuses. Nothing was
    /// replaced then.
    pub fn bind(path: &Path) -> Result<Self, Failure> {
        check_length(path)?;
        let circle = circle();
        let bound = Mutex::new(make(path, circle)?);
        let bell = Bell::new().map_err(|error| cannot_make(path, &error))?;
        Ok(Self { bound, bell, path: path.to_owned(), circle })
    }

    /// Makes the socket again if it is gone from the file system, as cleaners of temporary
    /// directories do; whoever is connected stays so. True if it was made.
    ///
    /// # Errors
    /// As `bind`: another daemon may have taken the place.
    pub fn renew(&self) -> Result<bool, Failure> {
        if self.is_in_place() {
            return Ok(false);
        }
        let renewed = make(&self.path, self.circle)?;
        *self.lock() = renewed;
        self.bell.ring();
        Ok(true)
    }

    /// Waits for the next connection; none when another listener took over meanwhile, or the
    /// caller was gone first.
    ///
    /// # Errors
    /// The system gives no connection, out of file descriptors mostly.
    pub fn accept(&self) -> io::Result<Option<UnixStream>> {
        let listener = Arc::clone(&self.lock().listener);
        wait_with_bell(&*listener, For::Reading, &self.bell, None)?;
        match listener.accept() {
            Ok((stream, _)) => Ok(Some(stream)),
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::WouldBlock
                        | io::ErrorKind::Interrupted
                        | io::ErrorKind::ConnectionAborted
                ) =>
            {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn is_in_place(&self) -> bool {
        let ours = self.lock().device_and_inode;
        fs::symlink_metadata(&self.path).is_ok_and(|found| (found.dev(), found.ino()) == ours)
    }

    fn lock(&self) -> MutexGuard<'_, Bound> {
        self.bound.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether whoever is at the other end of `stream` may ask. The permissions of the socket say
    /// it already; where they let in one user only, the user is checked again, since a directory
    /// may have been opened by somebody's umask or mount options.
    ///
    /// # Errors
    /// The system does not say who it is.
    pub fn admits(&self, stream: &UnixStream) -> io::Result<bool> {
        match self.circle {
            Circle::Group(_) => Ok(true),
            Circle::Owner => {
                let user = Credentials::of_peer(stream)?.user;
                Ok(user == 0 || user == rustix::process::geteuid().as_raw())
            }
        }
    }

    /// Removes the socket from the file system, unless it is another one by now.
    pub fn remove(&self) {
        if self.is_in_place()
            && let Err(error) = fs::remove_file(&self.path)
        {
            log::warn!(
                "cannot remove {}: {error}; the next start replaces it",
                self.path.display()
            );
        }
    }
}

fn make(path: &Path, circle: Circle) -> Result<Bound, Failure> {
    make_parent(path, circle)?;
    check_free(path)?;
    let unfinished = PathBuf::from(format!("{}{UNFINISHED}", path.display()));
    let cannot = |error: io::Error| cannot_make(path, &error);
    remove_if_there(&unfinished).map_err(cannot)?;
    let listener = UnixListener::bind(&unfinished).map_err(cannot)?;
    listener.set_nonblocking(true).map_err(cannot)?;
    give_to(&unfinished, circle, 0o600, 0o660).map_err(cannot)?;
    let found = fs::metadata(&unfinished).map_err(cannot)?;
    fs::rename(&unfinished, path).map_err(cannot)?;
    let device_and_inode = (found.dev(), found.ino());
    Ok(Bound { listener: Arc::new(listener), device_and_inode })
}

fn cannot_make(path: &Path, error: &io::Error) -> Failure {
    let what = format!("cannot make the control socket {}", path.display());
    Failure::of_system(failure::CANNOT_CREATE, &what, error)
}

fn check_length(path: &Path) -> Result<(), Failure> {
    if path.as_os_str().len() <= PATH_BYTES_MAX {
        return Ok(());
    }
    let message = format!(
        "the control socket's path {} is longer than {PATH_BYTES_MAX} bytes, which no system \
         takes: name a shorter one with --socket",
        path.display()
    );
    Err(Failure::new(failure::CONFIG, message))
}

/// The directory of the socket, made private if it is missing, refused if it is a stranger's, or
/// a stranger may write there: who does could put another socket in our place. A link is followed
/// only if nobody else could have made it.
fn make_parent(path: &Path, circle: Circle) -> Result<(), Failure> {
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) | None => Path::new("."),
    };
    let cannot = |error: io::Error| {
        let what = format!("cannot make {} for the control socket", parent.display());
        Failure::of_system(failure::CANNOT_CREATE, &what, &error)
    };
    if fs::symlink_metadata(parent).is_err() {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(parent).map_err(cannot)?;
        give_to(parent, circle, 0o700, 0o750).map_err(cannot)?;
    }
    for found in [fs::symlink_metadata(parent), fs::metadata(parent)] {
        check_parent(parent, &found.map_err(cannot)?)?;
    }
    Ok(())
}

fn check_parent(parent: &Path, found: &fs::Metadata) -> Result<(), Failure> {
    let me = rustix::process::geteuid().as_raw();
    if found.uid() != me && found.uid() != 0 {
        let message = format!(
            "{} belongs to user {}, who could answer in our place: name another with --socket",
            parent.display(),
            found.uid()
        );
        return Err(Failure::new(failure::NO_PERMISSION, message));
    }
    // Where umask leaves group write on, the own group is the user's alone. In a sticky directory,
    // such as /tmp, nobody moves what is somebody else's.
    let is_own_group = found.gid() == rustix::process::getegid().as_raw();
    let foreign_write = if is_own_group { 0o002 } else { 0o022 };
    let is_shared = found.mode() & foreign_write != 0 && found.mode() & 0o1000 == 0;
    if !found.is_symlink() && is_shared {
        let message = format!(
            "others may write in {} (mode {:04o}) and could answer in our place: `chmod go-w` it, \
             or name another with --socket",
            parent.display(),
            found.mode() & 0o7777
        );
        return Err(Failure::new(failure::NO_PERMISSION, message));
    }
    Ok(())
}

fn check_free(path: &Path) -> Result<(), Failure> {
    let Ok(found) = fs::symlink_metadata(path) else { return Ok(()) };
    if !found.file_type().is_socket() {
        let message = format!(
            "{} is there and is no socket: remove it, or name another with --socket",
            path.display()
        );
        return Err(Failure::new(failure::CANNOT_CREATE, message));
    }
    match UnixStream::connect(path) {
        Ok(_) => Err(Failure::new(
            failure::TRY_AGAIN,
            format!(
                "another daemon answers at {}: stop it first, or name another with --socket",
                path.display()
            ),
        )),
        // Nobody listens: a leftover of a daemon that was killed.
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => {
            let what = format!("cannot tell whether a daemon answers at {}", path.display());
            Err(Failure::of_system(failure::CANNOT_CREATE, &what, &error))
        }
    }
}

/// Sets mode `alone` where only the owner may ask, else gives `path` to the group with `together`.
fn give_to(path: &Path, circle: Circle, alone: u32, together: u32) -> io::Result<()> {
    let mode = match circle {
        Circle::Owner => alone,
        Circle::Group(group) => {
            rustix::fs::chown(path, None, Some(Gid::from_raw(group)))?;
            together
        }
    };
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

fn circle() -> Circle {
    let (is_root, own) = (geteuid().is_root(), getegid().as_raw());
    let groups = fs::read_to_string("/etc/group").unwrap_or_default();
    // One group of many, as a person's, says nothing about who shall ask that person's daemon.
    match group_of(&groups, GROUP).filter(|group| is_root || *group == own) {
        Some(group) => Circle::Group(group),
        None => Circle::Owner,
    }
}

/// The number of the group `name` in the text of group(5). Read directly: a static binary has no
/// name service, and a group made for this daemon is a local one.
#[must_use]
pub fn group_of(groups: &str, name: &str) -> Option<u32> {
    groups.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next() == Some(name)).then(|| fields.nth(1)?.parse().ok()).flatten()
    })
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        outcome => outcome,
    }
}
