//! Owns control groups of ours: one for each program that runs under mastership, where the system
//! lets us make one. Whatever the program starts stays in its group, however it hides, and the
//! system kills a group in one step.
//! Never makes one anywhere but in the group where the asking process is, and moves nobody but the
//! process itself: to move takes the system some milliseconds, to be born in a group nothing.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

/// What all of ours are called, followed by the number of the process that made it.
const NAME: &str = "quorate-run-";

/// A control group that somebody made, seen from outside.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cgroup {
    path: PathBuf,
}

/// A control group that this process made; it is ours as long as this lives.
#[derive(Debug)]
pub struct Own {
    group: Cgroup,
    outside: PathBuf,
    is_inside: bool,
    _claim: File,
}

impl Own {
    /// A new one, inside the one where this process is; what dead makers left there is removed.
    ///
    /// # Errors
    /// The system has none, or does not let us.
    pub fn make() -> io::Result<Self> {
        let parent = place_of("self")?;
        clear(&parent)?;
        Self::make_in(&parent, std::process::id())
    }

    /// A new one in `parent`, named after process `maker`.
    ///
    /// # Errors
    /// As above.
    pub fn make_in(parent: &Path, maker: u32) -> io::Result<Self> {
        let path = parent.join(format!("{NAME}{maker}"));
        fs::create_dir(&path)?;
        let claim = File::open(&path)?;
        flock(&claim, FlockOperation::NonBlockingLockExclusive)?;
        let group = Cgroup { path };
        // Without these two it is of no use.
        let is_useful = group.kill_file().exists() && group.events_file().exists();
        let own = Self { group, outside: door_of(parent), is_inside: false, _claim: claim };
        if is_useful { Ok(own) } else { Err(io::ErrorKind::Unsupported.into()) }
    }

    /// A new one, with this process in it: what it starts is born there.
    ///
    /// # Errors
    /// As above.
    pub fn make_and_enter() -> io::Result<Self> {
        let mut own = Self::make()?;
        fs::write(door_of(&own.group.path), MYSELF)?;
        own.is_inside = true;
        Ok(own)
    }

    /// Takes this process out again: what kills the group must spare it.
    ///
    /// # Errors
    /// The system does not let us. The group stays ours, but cannot be looked at without us.
    pub fn leave(&mut self) -> io::Result<()> {
        fs::write(&self.outside, MYSELF)?;
        self.is_inside = false;
        Ok(())
    }

    /// The same as others see it, unless this process is in it.
    #[must_use]
    pub fn group(&self) -> Option<&Cgroup> {
        (!self.is_inside).then_some(&self.group)
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        if self.is_inside
            && let Err(error) = self.leave()
        {
            log::debug!("cannot leave the control group: {error}");
        }
        self.group.remove();
    }
}

/// What a process writes into a door to go in itself.
const MYSELF: &str = "0";

/// Where that is written.
fn door_of(group: &Path) -> PathBuf {
    group.join("cgroup.procs")
}

impl Cgroup {
    /// The one that a process which calls itself `maker` may make where process `at` is.
    #[must_use]
    pub fn of_maker(maker: i32, at: i32) -> Option<Self> {
        Some(Self { path: place_of(&at.to_string()).ok()?.join(format!("{NAME}{maker}")) })
    }

    /// Whether it is there, and is that user's.
    #[must_use]
    pub fn belongs_to(&self, user: u32) -> bool {
        fs::symlink_metadata(&self.path).is_ok_and(|found| found.uid() == user)
    }

    /// The one that our child `maker` made, whether it is there or not.
    #[must_use]
    pub fn of_child(maker: i32) -> Option<Self> {
        Some(Self { path: place_of("self").ok()?.join(format!("{NAME}{maker}")) })
    }

    /// Kills all that is in there, in one step.
    ///
    /// # Errors
    /// We may not, or it is gone.
    pub fn kill(&self) -> io::Result<()> {
        fs::write(self.kill_file(), "1")
    }

    /// Whether nothing lives in there, as the system says; nothing lives in one that is gone.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match fs::read_to_string(self.events_file()) {
            Ok(text) => text.lines().any(|line| line == "populated 0"),
            // Read in the middle of its removal.
            Err(error) if error.raw_os_error() == Some(NODEV) => true,
            Err(error) => error.kind() == io::ErrorKind::NotFound && !self.path.exists(),
        }
    }

    /// Removes it, if it is empty.
    pub fn remove(&self) {
        // What is left is removed by whoever makes the next one.
        fs::remove_dir(&self.path).ok();
    }

    fn kill_file(&self) -> PathBuf {
        self.path.join("cgroup.kill")
    }

    fn events_file(&self) -> PathBuf {
        self.path.join("cgroup.events")
    }
}

/// ENODEV, as the system numbers it everywhere.
const NODEV: i32 = 19;

/// Kills and removes those in `parent` whose makers are dead: a living one holds its lock.
fn clear(parent: &Path) -> io::Result<()> {
    for found in fs::read_dir(parent)?.flatten() {
        let is_ours = found.file_name().to_str().is_some_and(|name| name.starts_with(NAME));
        if is_ours && is_left(&found.path()) {
            let left = Cgroup { path: found.path() };
            if !left.is_empty() && left.kill().is_ok() {
                log::warn!("killed what an earlier run left in {}", left.path.display());
            }
            left.remove();
        }
    }
    Ok(())
}

fn is_left(path: &Path) -> bool {
    let claim = File::open(path);
    claim.is_ok_and(|claim| flock(&claim, FlockOperation::NonBlockingLockExclusive).is_ok())
}

/// The directory of the control group where process `who` is, as far as we see it.
fn place_of(who: &str) -> io::Result<PathBuf> {
    let groups = fs::read_to_string(format!("/proc/{who}/cgroup"))?;
    let mounts = fs::read_to_string("/proc/self/mountinfo")?;
    place_in(&groups, &mounts).ok_or_else(|| io::ErrorKind::Unsupported.into())
}

/// The same from the texts of /proc/PID/cgroup and /proc/self/mountinfo.
#[must_use]
pub fn place_in(groups: &str, mounts: &str) -> Option<PathBuf> {
    let group = Path::new(groups.lines().find_map(|line| line.strip_prefix("0::"))?);
    // One beyond what this process sees is shown as above the root.
    let is_plain = |part: Component<'_>| matches!(part, Component::RootDir | Component::Normal(_));
    if !group.is_absolute() || !group.components().all(is_plain) {
        return None;
    }
    mounts.lines().find_map(|line| {
        let (front, back) = line.split_once(" - ")?;
        let mut fields = front.split(' ').skip(3);
        let (root, place) = (fields.next()?, fields.next()?);
        let inside = group.strip_prefix(root).ok()?;
        (back.split(' ').next() == Some("cgroup2")).then(|| Path::new(place).join(inside))
    })
}
