//! Owns the log: one line per message on stderr, as text, as JSON, or with journald's priority
//! where stderr is the journal.
//! Never blocks whoever logs: lines wait in a bounded queue for one writer thread, and when a full
//! pipe holds that thread up, lines are dropped, counted and owned up to (F58).

use std::io::{self, Write};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};
use log::{Level, LevelFilter, Log, Metadata, Record};
use rustix::io::Errno;
use serde::Serialize;

use crate::daemon::clock;
use crate::daemon::waiting::{Deadline, For, wait};
use crate::protocol::units::NodeId;

/// How many lines may wait for the writer.
const LINES_MAX: usize = 1024;
/// How long one message of a command may take to be written.
const SAID_WITHIN: Duration = Duration::from_secs(1);
/// What a pipe with room for anything takes at once without making its writer wait.
const PIECE_BYTES: usize = 512;

/// How lines look.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shape {
    /// Time, level, node, message.
    Text,
    /// `<3>` and the message: the journal keeps the time, and the unit names the node.
    Journal,
    /// One JSON object.
    Json,
}

/// What goes to the writer thread.
enum Line {
    /// A whole line, with its end.
    Text(String),
    /// Answer when everything before this is written.
    Flush(Sender<()>),
}

/// The one backend of the `log` macros.
struct Backend {
    node: NodeId,
    lines: Sender<Line>,
    dropped: AtomicU64,
    is_json: AtomicBool,
    is_journal: bool,
}

static BACKEND: OnceLock<Backend> = OnceLock::new();

/// The writer's half: its body runs on a thread of its own.
pub struct Writer(Receiver<Line>);

/// Makes `log::info!` and its kin speak for `node`. Lines wait until the writer runs.
/// A second call changes nothing but gives no writer.
#[must_use]
pub fn start(node: &NodeId, level: LevelFilter, is_json: bool) -> Option<Writer> {
    let (lines, receiver) = bounded(LINES_MAX);
    let backend = Backend {
        node: node.clone(),
        lines,
        dropped: AtomicU64::new(0),
        is_json: AtomicBool::new(is_json),
        is_journal: stderr_is_the_journal(),
    };
    BACKEND.set(backend).ok()?;
    log::set_logger(BACKEND.get()?).ok()?;
    log::set_max_level(level);
    Some(Writer(receiver))
}

/// Another level and shape from now on.
pub fn change(level: LevelFilter, is_json: bool) {
    if let Some(backend) = BACKEND.get() {
        backend.is_json.store(is_json, Relaxed);
        log::set_max_level(level);
    }
}

/// Waits until everything said so far is written, at most `patience`: used before the process
/// ends, and not longer, since stderr may be a pipe nobody reads.
pub fn flush(patience: Duration) {
    let Some(backend) = BACKEND.get() else { return };
    let (done, written) = bounded(1);
    if backend.lines.send_timeout(Line::Flush(done), patience).is_ok() {
        // Whether it was written or patience ended makes no difference to the caller.
        written.recv_timeout(patience).ok();
    }
}

/// Says `message` now and past the queue, whatever the log's level: why a command ended, or a note
/// of one. Whoever does not read stderr within a second, or has closed it, does not hear of it.
pub fn say(message: &str) {
    let backend = BACKEND.get().filter(|backend| backend.is_json.load(Relaxed));
    let text = match backend {
        Some(Backend { node, .. }) => {
            line(Shape::Json, &clock::wall_text(), Level::Error, node, message)
        }
        None => format!("quorate: {message}\n"),
    };
    let (stderr, deadline) = (io::stderr(), Deadline::after(SAID_WITHIN));
    let mut rest = text.as_bytes();
    while !rest.is_empty() && matches!(wait(&stderr, For::Writing, deadline), Ok(true)) {
        let piece = &rest[..rest.len().min(PIECE_BYTES)];
        match rustix::io::write(&stderr, piece) {
            Ok(written) => rest = &rest[written..],
            Err(Errno::INTR | Errno::AGAIN) if !deadline.has_passed() => {}
            // Nobody is left to tell.
            Err(_) => return,
        }
    }
}

impl Writer {
    /// Writes lines until the process ends.
    pub fn run(self) {
        let stderr = io::stderr();
        for line in self.0 {
            match line {
                // A log that cannot be written cannot be complained about.
                Line::Text(text) => drop(stderr.lock().write_all(text.as_bytes())),
                Line::Flush(done) => drop(done.try_send(())),
            }
            own_up();
        }
    }
}

/// Says how many lines were dropped, once there is room again.
fn own_up() {
    let Some(backend) = BACKEND.get() else { return };
    let dropped = backend.dropped.swap(0, Relaxed);
    if dropped > 0 {
        log::warn!("{dropped} log lines were dropped: stderr was not read fast enough");
    }
}

impl Log for Backend {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        let message = record.args().to_string();
        let line = line(self.shape(), &clock::wall_text(), record.level(), &self.node, &message);
        if self.lines.try_send(Line::Text(line)).is_err() {
            self.dropped.fetch_add(1, Relaxed);
        }
    }

    fn flush(&self) {}
}

impl Backend {
    fn shape(&self) -> Shape {
        match (self.is_json.load(Relaxed), self.is_journal) {
            (true, _) => Shape::Json,
            (false, true) => Shape::Journal,
            (false, false) => Shape::Text,
        }
    }
}

/// One line of the log with `log: {format: json}` in node.yaml.
#[derive(Serialize)]
struct JsonLine<'a> {
    /// Wall clock, RFC 3339 with milliseconds, UTC.
    time: &'a str,
    /// `error`, `warn`, `info`, `debug` or `trace`.
    level: &'a str,
    /// This node.
    node: &'a str,
    /// What happened, and what to do, for a person.
    message: &'a str,
}

/// One line with its end. Control characters in `message` cannot forge another line.
#[must_use]
pub fn line(shape: Shape, time: &str, level: Level, node: &NodeId, message: &str) -> String {
    match shape {
        Shape::Text => format!("{time} {level:<5} {node} {}\n", one_line(message)),
        Shape::Journal => format!("<{}>{}\n", priority(level), one_line(message)),
        Shape::Json => {
            let level = level.as_str().to_ascii_lowercase();
            let line = JsonLine { time, level: &level, node: node.as_str(), message };
            let json = serde_json::to_string(&line).expect("four texts are always JSON");
            format!("{json}\n")
        }
    }
}

fn one_line(message: &str) -> String {
    message.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// syslog's priorities, which sd-daemon(3) reads from `<N>`.
fn priority(level: Level) -> u8 {
    match level {
        Level::Error => 3,
        Level::Warn => 4,
        Level::Info => 6,
        Level::Debug | Level::Trace => 7,
    }
}

/// systemd names the device and inode of the journal's stream; a redirected stderr differs.
fn stderr_is_the_journal() -> bool {
    let Ok(named) = std::env::var("JOURNAL_STREAM") else { return false };
    let Ok(found) = rustix::fs::fstat(io::stderr()) else { return false };
    named == format!("{}:{}", found.st_dev, found.st_ino)
}
