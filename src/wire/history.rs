//! How the history lies on disk: two files of lines, one event of `quorate events --json` a line,
//! the older file first. Reads whatever is there, and counts what it cannot read.
//! Never trusts a line, never repairs one, and never writes; the daemon does.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::OFlags;

use crate::wire::control::{EventReport, SCHEMA};

/// The newer file, in the state directory.
pub const FILE: &str = "history.log";
/// The older one: what the newer was before it was full.
pub const OLDER_FILE: &str = "history.log.1";
/// How large each may become, in bytes.
pub const FILE_BYTES_MAX: u64 = 256 << 10;
/// What is read of a file that somebody else made larger.
const READ_BYTES_MAX: u64 = FILE_BYTES_MAX * 2;

/// What the files tell.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Past {
    /// Every event, oldest first.
    pub events: Vec<EventReport>,
    /// How many lines are damaged: torn by a crash, or not ours.
    pub unreadable: u64,
}

impl Past {
    /// What the files in `directory` tell.
    ///
    /// # Errors
    /// None is there, or what is there cannot be read or is no plain file.
    pub fn read(directory: &Path) -> io::Result<Self> {
        // The newer one first: if it becomes the older one meanwhile, it is read once all the same.
        let newer = open(&directory.join(FILE))?;
        let older = open(&directory.join(OLDER_FILE))?;
        let same = match (&newer, &older) {
            (Some(newer), Some(older)) => identity(newer)? == identity(older)?,
            (None, None) => return Err(io::ErrorKind::NotFound.into()),
            (Some(_), None) | (None, Some(_)) => false,
        };
        let mut past = Self::default();
        for file in [older.filter(|_| !same), newer].into_iter().flatten() {
            let mut bytes = Vec::new();
            file.take(READ_BYTES_MAX).read_to_end(&mut bytes)?;
            past.add(&bytes);
        }
        Ok(past)
    }

    /// Takes in the lines of one file. Half a line at its end may still be being written.
    pub fn add(&mut self, bytes: &[u8]) {
        let mut lines = bytes.split(|byte| *byte == b'\n').peekable();
        while let Some(line) = lines.next() {
            match event_of(line) {
                Some(event) => self.events.push(event),
                None if line.is_empty() || lines.peek().is_none() => {}
                None => self.unreadable += 1,
            }
        }
    }
}

/// The event of one line; none of a later schema, and none that a terminal would obey.
fn event_of(line: &[u8]) -> Option<EventReport> {
    let event: EventReport = serde_json::from_slice(line).ok()?;
    let words = [&event.time, &event.node, &event.code, &event.level, &event.message];
    let is_plain = words.into_iter().chain(&event.reason).all(is_plain)
        && event.refusals.iter().all(|(node, why)| is_plain(node) && is_plain(why))
        && event
            .change
            .iter()
            .flat_map(|change| [&change.from, &change.to])
            .flatten()
            .all(is_plain);
    (event.schema == SCHEMA && is_plain).then_some(event)
}

fn is_plain(text: &impl AsRef<str>) -> bool {
    !text.as_ref().chars().any(char::is_control)
}

/// None if nothing is there. A link is not followed, and a FIFO holds nobody up.
fn open(path: &Path) -> io::Result<Option<File>> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    match File::options().read(true).custom_flags(flags).open(path) {
        Ok(file) if file.metadata()?.is_file() => Ok(Some(file)),
        Ok(_) => Err(io::Error::other("it is no plain file")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn identity(file: &File) -> io::Result<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    let found = file.metadata()?;
    Ok((found.dev(), found.ino()))
}
