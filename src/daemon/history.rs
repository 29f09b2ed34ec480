//! Owns the history: which events are worth keeping for weeks, and the two bounded files in the
//! state directory that they go to. `wire::history` reads them.
//! Never holds the core or the election's disk up, never makes one durable at any price: after a
//! power cut the newest lines may be missing, and nothing but people depends on them.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::fd::OwnedFd;

use rustix::fs::{FileType, Mode, OFlags, fstat, openat, renameat};

use crate::daemon::events::{Loudness, Remark, Stamp, report};
use crate::daemon::journal::{self, Journal, Matter, Writer};
use crate::protocol::units::{NodeId, Term};
use crate::wire::codes;
use crate::wire::control::EventReport;
use crate::wire::history::{FILE, FILE_BYTES_MAX, OLDER_FILE};

/// Longer sentences are cut, so that one line never takes a good part of a file.
const MESSAGE_CHARS_MAX: usize = 1000;

/// What happens all the time, or says nothing when it is read next week. Everything else is kept.
pub const NOISE: [&str; 9] = [
    "standing",
    "election-failed",
    "stop-confirmed",
    "peer-heard",
    "peer-silent",
    "peer-one-way",
    "peer-both-ways",
    "document-committed",
    codes::EVENTS_LOST,
];

/// The end that events are handed in at.
#[derive(Clone, Debug)]
pub struct History(Journal);

impl History {
    /// Keeps `event`, if it is worth it. Never waits.
    pub fn keep(&self, event: &EventReport) {
        if !NOISE.contains(&event.code.as_str()) {
            self.0.put(line(event));
        }
    }

    /// The writer, to be waited for.
    #[must_use]
    pub fn journal(&self) -> &Journal {
        &self.0
    }
}

/// The history of `node` in the state directory `directory`. Nothing is opened before the first
/// line is written, by the thread that writes it.
#[must_use]
pub fn of(node: &NodeId, directory: OwnedFd) -> (History, Writer<Pages>) {
    into(Pages { directory, page: None }, node)
}

/// The history of `node`, written to `file`.
pub fn into<F: Write>(file: F, node: &NodeId) -> (History, Writer<F>) {
    let (journal, writer) = journal::into(file, Told { node: node.clone() });
    (History(journal), writer)
}

/// How the history names itself and its gaps.
struct Told {
    node: NodeId,
}

impl Matter for Told {
    fn name(&self) -> &'static str {
        FILE
    }

    fn own_up(&self, lost: u64) -> String {
        let remark = Remark {
            code: codes::EVENTS_LOST,
            loudness: Loudness::Warning,
            reason: None,
            message: format!("{lost} events are missing here: they could not be written"),
        };
        let stamp = Stamp { time: crate::daemon::clock::wall_text(), uptime_ms: 0 };
        line(&EventReport { lost, ..report(remark, &self.node, Term(0), stamp) })
    }
}

fn line(event: &EventReport) -> String {
    // Whoever reads it back takes nothing that a terminal would obey.
    let plain = event.message.chars().map(|c| if c.is_control() { ' ' } else { c });
    let message = plain.take(MESSAGE_CHARS_MAX).collect();
    let event = &EventReport { message, ..event.clone() };
    let text = serde_json::to_string(event).expect("an event has string keys only");
    format!("{text}\n")
}

/// The two files: the newer is written until it is full, then takes the older one's place.
#[derive(Debug)]
pub struct Pages {
    directory: OwnedFd,
    page: Option<Page>,
}

/// The newer file.
#[derive(Debug)]
struct Page {
    file: File,
    bytes: u64,
    /// Whether what comes next begins a line.
    is_line_start: bool,
}

impl Write for Pages {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Whoever removed the file wants a new one.
        let mut page = self.page.take().filter(Page::is_there);
        let begins_line = bytes.starts_with(b"\n") || page.as_ref().is_none_or(|p| p.is_line_start);
        let mut open = match page.take() {
            Some(page) => page,
            None => Page::open(&self.directory)?,
        };
        if begins_line && !open.has_room(bytes) {
            renameat(&self.directory, FILE, &self.directory, OLDER_FILE)?;
            open = Page::open(&self.directory)?;
        }
        self.page.insert(open).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Page {
    /// The newer file, made if it is not there, and only ever appended to.
    fn open(directory: &OwnedFd) -> io::Result<Self> {
        // NONBLOCK keeps a FIFO from holding us while it is opened; plain files ignore it.
        let flags = OFlags::RDWR | OFlags::APPEND | OFlags::CREATE | OFlags::CLOEXEC;
        let flags = flags | OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let mode = Mode::RUSR | Mode::WUSR | Mode::RGRP;
        let file = openat(directory, FILE, flags, mode)?;
        let found = fstat(&file)?;
        if !FileType::from_raw_mode(found.st_mode).is_file() {
            return Err(io::Error::other("it is no plain file"));
        }
        let mut file = File::from(file);
        let mut last = [b'\n'];
        if found.st_size > 0 {
            file.seek(SeekFrom::End(-1))?;
            file.read_exact(&mut last)?;
        }
        let bytes = u64::try_from(found.st_size).unwrap_or(0);
        let mut page = Self { file, bytes, is_line_start: true };
        if last != *b"\n" {
            // An earlier process was stopped in the middle of a line.
            page.write(b"\n")?;
        }
        Ok(page)
    }

    fn is_there(&self) -> bool {
        fstat(&self.file).is_ok_and(|found| found.st_nlink > 0)
    }

    fn has_room(&self, line: &[u8]) -> bool {
        let length = u64::try_from(line.len()).unwrap_or(u64::MAX);
        self.bytes == 0 || self.bytes.saturating_add(length) <= FILE_BYTES_MAX
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.bytes += u64::try_from(written).unwrap_or(0);
        self.is_line_start = bytes[..written].last().is_none_or(|last| *last == b'\n');
        Ok(written)
    }
}
