//! Owns how files of the administrator are touched: node.yaml and cluster.yaml are read with a
//! limit, and node.yaml is made once. Never rewrites one that is there.

use std::fmt::Display;
use std::fs::{self, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;

use crate::daemon::durably;
use crate::daemon::failure::{self, Failure};

/// No settings file is larger (H58).
pub const SETTINGS_FILE_MAX: u64 = 1 << 20;

/// The text of `path`, or `None` if nothing is there.
///
/// # Errors
/// It cannot be read, is too large, or is no text.
pub fn read_if_there(path: &Path) -> Result<Option<String>, Failure> {
    // NONBLOCK keeps a FIFO from holding us while it is opened.
    let nonblock = i32::try_from(OFlags::NONBLOCK.bits()).expect("a small flag");
    let file = match OpenOptions::new().read(true).custom_flags(nonblock).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(cannot_read(&path.display(), &error)),
    };
    let found = file.metadata().map_err(|error| cannot_read(&path.display(), &error))?;
    if found.file_type().is_fifo() && !is_inherited(path) {
        let message = format!("{} is a named pipe: give a file, or `-` for stdin", path.display());
        return Err(Failure::new(failure::BAD_DATA, message));
    }
    // What is read now may take its time, such as a program that writes into a pipe of the shell.
    rustix::fs::fcntl_setfl(&file, OFlags::empty())
        .map_err(|errno| cannot_read(&path.display(), &errno.into()))?;
    text_of(file, &path.display()).map(Some)
}

/// The text that comes through stdin.
///
/// # Errors
/// As `read_if_there`.
pub fn read_stdin() -> Result<String, Failure> {
    text_of(io::stdin().lock(), &"stdin")
}

/// Whether `path` is one of the files this process was started with: whoever named it has opened
/// it already, so that nothing waits for a writer that never comes.
fn is_inherited(path: &Path) -> bool {
    path == Path::new("/dev/stdin")
        || path.starts_with("/dev/fd")
        || path.starts_with("/proc/self/fd")
}

fn text_of(input: impl Read, shown: &dyn Display) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    let read = input.take(SETTINGS_FILE_MAX + 1).read_to_end(&mut bytes);
    read.map_err(|error| cannot_read(shown, &error))?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > SETTINGS_FILE_MAX) {
        let message = format!("{shown} is larger than {SETTINGS_FILE_MAX} bytes");
        return Err(Failure::new(failure::BAD_DATA, message));
    }
    String::from_utf8(bytes)
        .map_err(|_| Failure::new(failure::BAD_DATA, format!("{shown} is not UTF-8 text")))
}

fn cannot_read(shown: &dyn Display, error: &io::Error) -> Failure {
    Failure::of_system(failure::IO, &format!("cannot read {shown}"), error)
}

/// Makes `path`, readable by all, with its directory; it must not be there yet.
///
/// # Errors
/// It is there, or the system refuses.
pub fn create(path: &Path, text: &str) -> Result<(), Failure> {
    write_new(path, text).map_err(|error| {
        let what = format!("cannot make {}", path.display());
        Failure::of_system(failure::CANNOT_CREATE, &what, &error)
    })
}

fn write_new(path: &Path, text: &str) -> io::Result<()> {
    let folder = durably::folder_of(path);
    fs::create_dir_all(folder)?;
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o644).open(path)?;
    if let Err(error) = file.write_all(text.as_bytes()).and_then(|()| file.sync_all()) {
        // Half a file would be taken for the administrator's; if it stays, reading it says so.
        fs::remove_file(path).ok();
        return Err(error);
    }
    durably::sync(folder)
}
