//! Owns the one open hardware watchdog, and what the system tells about one that is not open.
//! Never decides when it is armed or petted.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{Access, Mode, OFlags};

/// Where the system tells about each watchdog.
const SYSTEM: &str = "/sys/class/watchdog";
/// The first watchdog under its old name, `/dev/watchdog`.
const OLD_NAME: (u32, u32) = (10, 130);
/// Any byte but the magic one.
const PET: &[u8] = b".";
/// What makes a close disarm.
const MAGIC: &[u8] = b"V";

/// What the system tells about one.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Facts {
    /// It fires so long after the last pet, if that is known.
    pub timeout: Option<Duration>,
    /// Whether nothing disarms it.
    pub is_for_good: bool,
    /// Whether it is armed, if that is known.
    pub is_armed: Option<bool>,
}

/// Looks at the watchdog at `path`, which stays as it is.
///
/// # Errors
/// Why it could not be used, in words.
pub fn look(path: &Path) -> Result<Facts, String> {
    let found = fs::metadata(path).map_err(|error| error.to_string())?;
    let kind = found.file_type();
    if !kind.is_char_device() && !kind.is_fifo() {
        return Err("no device".into());
    }
    rustix::fs::access(path, Access::WRITE_OK).map_err(|errno| errno.to_string())?;
    let number = (rustix::fs::major(found.rdev()), rustix::fs::minor(found.rdev()));
    let place = match number {
        OLD_NAME => Path::new(SYSTEM).join("watchdog0"),
        (major, minor) => PathBuf::from(format!("/sys/dev/char/{major}:{minor}")),
    };
    let tell = |name: &str| kind.is_char_device().then(|| told(&place, name)).flatten();
    Ok(Facts {
        timeout: tell("timeout").and_then(|text| text.parse().ok()).map(seconds),
        is_for_good: tell("nowayout").is_some_and(|text| text == "1"),
        is_armed: tell("state").map(|text| text == "active"),
    })
}

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count.max(1))
}

/// One word of the system's; not every kernel tells all of them.
fn told(place: &Path, name: &str) -> Option<String> {
    fs::read_to_string(place.join(name)).ok().map(|text| text.trim().to_owned())
}

/// An open watchdog, which is an armed one. Dropped, it fires.
#[derive(Debug)]
pub struct Device(OwnedFd);

impl Device {
    /// Opens and arms it.
    ///
    /// # Errors
    /// What the system said.
    pub fn arm(path: &Path) -> io::Result<Self> {
        let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
        let device = Self(rustix::fs::open(path, flags, Mode::empty())?);
        device.pet()?;
        Ok(device)
    }

    /// Puts off its firing.
    ///
    /// # Errors
    /// What the system said.
    pub fn pet(&self) -> io::Result<()> {
        Ok(rustix::io::write(&self.0, PET).map(drop)?)
    }

    /// Disarms and closes it; gives it back if it would not hear.
    ///
    /// # Errors
    /// What the system said; it is armed still.
    pub fn disarm(self) -> Result<(), (Self, io::Error)> {
        match rustix::io::write(&self.0, MAGIC) {
            Ok(_) => Ok(()),
            Err(errno) => Err((self, errno.into())),
        }
    }
}
