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
use std::time::Duration;

use rustix::fs::{FileType, Mode, OFlags};

use crate::daemon::clock;
use crate::daemon::failure::{self, Failure};
use crate::daemon::journal::{self, Journal, Matter, Writer};
use crate::protocol::units::{Moment, NodeId, Term};

/// Which boot of the machine the stamps belong to.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// The end that the driver holds.
#[derive(Clone, Debug)]
pub struct ActingLog {
    node: NodeId,
    journal: Journal,
}

/// How the log names itself and its gaps.
struct Acting {
    node: NodeId,
}

impl Matter for Acting {
    fn name(&self) -> &'static str {
        "the acting log"
    }

    fn own_up(&self, lost: u64) -> String {
        line(clock::now().boot_ns, "lost", Term(0), 0, &self.node, &format!(" count={lost}"))
    }
}

/// The acting log of `node` at `path`, made if it is not there, and only ever appended to.
///
/// # Errors
/// It is no plain file, or the system refuses: an audit that was asked for and is not kept would
/// be worse than none.
pub fn open(path: &Path, node: &NodeId) -> Result<(ActingLog, Writer<File>), Failure> {
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
    let (log, writer) = into(File::from(file), node);
    let writer = if found.st_size > 0 { writer.after_another() } else { writer };
    log.put(clock::now().boot_ns, "open", Term(0), 0, &origin());
    Ok((log, writer))
}

/// An acting log of `node` that is written to `file`.
pub fn into<F: Write>(file: F, node: &NodeId) -> (ActingLog, Writer<F>) {
    let (journal, writer) = journal::into(file, Acting { node: node.clone() });
    (ActingLog { node: node.clone(), journal }, writer)
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
        self.journal.flush(patience);
    }

    fn put(&self, boot_ns: u64, event: &str, term: Term, until_ns: u64, more: &str) {
        self.journal.put(line(boot_ns, event, term, until_ns, &self.node, more));
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
