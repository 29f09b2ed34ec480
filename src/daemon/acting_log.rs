//! Owns the acting log: a line for every begin, extension and end of acting, stamped with
//! CLOCK_BOOTTIME, so that anybody can prove afterwards that no two nodes acted at one time.
//! Never blocks who acts, never decides whether it may, and never hides that a line is missing.
//!
//! ```text
//! BOOT_NS      EVENT  TERM UNTIL_NS     NODE  PID   KEY=VALUE...
//! 100000000000 open   0    0            alpha 4711  boot=0c9f… time=2027-01-15T08:00:00.123Z
//! 103000000000 begin  7    106000000000 alpha 4711
//! 103500000000 extend 7    106500000000 alpha 4711
//! 104000000000 end    7    104000000000 alpha 4711
//! ```
//!
//! From a `begin` or `extend` on, the node may say that it is master until UNTIL_NS, or until the
//! next line of its process, whichever is first: a killed daemon writes no `end`. A `begin` bears
//! the reading that opened the window, an `end` one taken after it was closed and the last program
//! under it was gone, so the log shows too much acting rather than too little. `lost` owns up to
//! lines that found no room. Readers pass over events and pairs they do not know.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use rustix::fs::{FileType, Mode, OFlags};

use crate::daemon::clock;
use crate::daemon::failure::{self, Failure};
use crate::protocol::units::{Moment, NodeId, Term};

/// How many lines may wait for the writer: a minute of acting or more at the usual heartbeats.
pub const LINES_MAX: usize = 1024;
/// How soon the writer tries to own up to lost lines when no new ones come.
const OWN_UP_AGAIN: Duration = Duration::from_secs(1);
/// Which boot of the machine the stamps belong to.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// What goes to the writer.
#[derive(Debug)]
enum Line {
    /// A whole line, with its end.
    Text(String),
    /// Answer when everything before this is written.
    Flush(Sender<()>),
    /// None came; there may be room again for owning up.
    None,
}

/// The end that the driver holds.
#[derive(Clone, Debug)]
pub struct ActingLog {
    node: NodeId,
    lines: Sender<Line>,
    lost: Arc<AtomicU64>,
}

/// The end that writes: its body runs on a thread of its own.
#[derive(Debug)]
pub struct Writer<F = File> {
    file: F,
    node: NodeId,
    lines: Receiver<Line>,
    lost: Arc<AtomicU64>,
    /// The file may end in half a line.
    is_torn: bool,
    has_complained: bool,
}

/// The acting log of `node` at `path`, made if it is not there, and only ever appended to.
///
/// # Errors
/// It is no plain file, or the system refuses: an audit that was asked for and is not kept would
/// be worse than none.
pub fn open(path: &Path, node: &NodeId) -> Result<(ActingLog, Writer), Failure> {
    let what = format!("cannot open the acting log {}", path.display());
    let refused = |error: io::Error| Failure::of_system(failure::CANNOT_CREATE, &what, &error);
    // NONBLOCK keeps a FIFO from holding us while it is opened; plain files ignore it.
    let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE;
    let flags = flags | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let mode = Mode::RUSR | Mode::WUSR | Mode::RGRP;
    let file = rustix::fs::open(path, flags, mode).map_err(|errno| refused(errno.into()))?;
    let found = rustix::fs::fstat(&file).map_err(|errno| refused(errno.into()))?;
    if !FileType::from_raw_mode(found.st_mode).is_file() {
        return Err(Failure::new(failure::CANNOT_CREATE, format!("{what}: it is no plain file")));
    }
    let (log, mut writer) = into(File::from(file), node);
    // An earlier process may have been stopped in the middle of a line.
    writer.is_torn = found.st_size > 0;
    log.put(clock::now().boot_ns, "open", Term(0), 0, &origin());
    Ok((log, writer))
}

/// An acting log of `node` that is written to `file`.
pub fn into<F: Write>(file: F, node: &NodeId) -> (ActingLog, Writer<F>) {
    let (sender, lines) = bounded(LINES_MAX);
    let lost = Arc::new(AtomicU64::new(0));
    let log = ActingLog { node: node.clone(), lines: sender, lost: Arc::clone(&lost) };
    let node = node.clone();
    (log, Writer { file, node, lines, lost, is_torn: false, has_complained: false })
}

impl ActingLog {
    /// From `at` on the node may act in `term` until `until`; to be called before it may.
    pub fn begin(&self, at: Moment, term: Term, until: Moment) {
        self.put(at.boot_ns, "begin", term, until.boot_ns, "");
    }

    /// From `at` on the end is `until`, be it later or earlier than before.
    pub fn extend(&self, at: Moment, term: Term, until: Moment) {
        self.put(at.boot_ns, "extend", term, until.boot_ns, "");
    }

    /// At `at` the node could not act in `term` any more.
    pub fn end(&self, at: Moment, term: Term) {
        self.put(at.boot_ns, "end", term, at.boot_ns, "");
    }

    /// Waits until everything so far is written, at most `patience`.
    pub fn flush(&self, patience: Duration) {
        let (done, written) = bounded(1);
        if self.lines.send_timeout(Line::Flush(done), patience).is_ok() {
            // What is not written by then is lost with the process, as after a crash.
            written.recv_timeout(patience).ok();
        }
    }

    fn put(&self, boot_ns: u64, event: &str, term: Term, until_ns: u64, more: &str) {
        let text = line(boot_ns, event, term, until_ns, &self.node, more);
        if self.lines.try_send(Line::Text(text)).is_err() {
            self.lost.fetch_add(1, SeqCst);
        }
    }
}

impl<F: Write> Writer<F> {
    /// Writes lines until there is nobody left to send one.
    pub fn run(mut self) {
        while let Some(line) = self.next() {
            match line {
                Line::Text(text) => self.write(&text),
                // Who stopped waiting for the answer does not miss it.
                Line::Flush(done) => drop(done.try_send(())),
                Line::None => {}
            }
            self.own_up();
        }
    }

    /// The next line, until there is nobody left to send one.
    fn next(&self) -> Option<Line> {
        if self.lost.load(SeqCst) == 0 {
            return self.lines.recv().ok();
        }
        match self.lines.recv_timeout(OWN_UP_AGAIN) {
            Ok(line) => Some(line),
            Err(RecvTimeoutError::Timeout) => Some(Line::None),
            Err(RecvTimeoutError::Disconnected) => None,
        }
    }

    fn write(&mut self, text: &str) {
        if let Err(error) = self.try_write(text) {
            self.lost.fetch_add(1, SeqCst);
            self.complain(&error);
        }
    }

    fn try_write(&mut self, text: &str) -> io::Result<()> {
        let start = if self.is_torn { "\n" } else { "" };
        self.is_torn = true;
        self.file.write_all(format!("{start}{text}").as_bytes())?;
        self.is_torn = false;
        Ok(())
    }

    /// Says how many lines are missing, once there is room again.
    fn own_up(&mut self) {
        let lost = self.lost.swap(0, SeqCst);
        if lost == 0 {
            return;
        }
        let more = format!(" count={lost}");
        let text = line(clock::now().boot_ns, "lost", Term(0), 0, &self.node, &more);
        if self.try_write(&text).is_err() {
            self.lost.fetch_add(lost, SeqCst);
        }
    }

    /// Once: a full disk fills the other log too.
    fn complain(&mut self, error: &io::Error) {
        if !self.has_complained {
            self.has_complained = true;
            log::error!("the acting log has gaps from now on, and counts them: {error}");
        }
    }
}

fn line(boot_ns: u64, event: &str, term: Term, until_ns: u64, node: &NodeId, more: &str) -> String {
    let pid = std::process::id();
    format!("{boot_ns} {event} {} {until_ns} {node} {pid}{more}\n", term.0)
}

/// Stamps of two boots cannot be compared, and people think in the time of day.
fn origin() -> String {
    let boot = std::fs::read_to_string(BOOT_ID).unwrap_or_default();
    let boot = if boot.trim().is_empty() { "unknown" } else { boot.trim() };
    format!(" boot={boot} time={}", clock::wall_text())
}
