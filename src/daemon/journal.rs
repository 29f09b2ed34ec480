//! Owns the writing of lines to a file on a thread of its own, for whoever must not wait for disks.
//! Never blocks who hands a line in, never decides what stands in one, and never hides that lines
//! are missing: as soon as there is room again it says how many.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

/// How many lines may wait for the writer.
pub const LINES_MAX: usize = 1024;
/// How soon the writer tries to own up to lost lines when no new ones come.
const OWN_UP_AGAIN: Duration = Duration::from_secs(1);

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

/// What lines are about, and how the missing ones are told.
pub trait Matter: Send {
    /// What people call the file, such as `the acting log`.
    fn name(&self) -> &'static str;

    /// The line, with its end, that says that `lost` lines are missing before it.
    fn own_up(&self, lost: u64) -> String;
}

/// The end that lines are handed in at.
#[derive(Clone, Debug)]
pub struct Journal {
    lines: Sender<Line>,
    lost: Arc<AtomicU64>,
}

/// The end that writes: its body runs on a thread of its own.
pub struct Writer<F> {
    file: F,
    matter: Box<dyn Matter>,
    lines: Receiver<Line>,
    lost: Arc<AtomicU64>,
    /// The file may end in half a line.
    is_torn: bool,
    has_complained: bool,
}

/// A journal of `matter` that is written to `file`.
pub fn into<F: Write>(file: F, matter: impl Matter + 'static) -> (Journal, Writer<F>) {
    let (sender, lines) = bounded(LINES_MAX);
    let lost = Arc::new(AtomicU64::new(0));
    let journal = Journal { lines: sender, lost: Arc::clone(&lost) };
    let matter = Box::new(matter);
    (journal, Writer { file, matter, lines, lost, is_torn: false, has_complained: false })
}

impl Journal {
    /// Hands in one line, with its end; if there is no room it is counted as lost.
    pub fn put(&self, text: String) {
        if self.lines.try_send(Line::Text(text)).is_err() {
            self.lost.fetch_add(1, SeqCst);
        }
    }

    /// Waits until everything so far is written, at most `patience`.
    pub fn flush(&self, patience: Duration) {
        let (done, written) = bounded(1);
        if self.lines.send_timeout(Line::Flush(done), patience).is_ok() {
            // What is not written by then is lost with the process, as after a crash.
            written.recv_timeout(patience).ok();
        }
    }
}

impl<F: Write> Writer<F> {
    /// The same, for a file that an earlier process may have left with half a line at its end.
    #[must_use]
    pub fn after_another(mut self) -> Self {
        self.is_torn = true;
        self
    }

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
        let text = self.matter.own_up(lost);
        if self.try_write(&text).is_err() {
            self.lost.fetch_add(lost, SeqCst);
        }
    }

    /// Once: a full disk fills the other log too.
    fn complain(&mut self, error: &io::Error) {
        if !self.has_complained {
            self.has_complained = true;
            let name = self.matter.name();
            log::error!("{name} has gaps from now on, and counts them: {error}");
        }
    }
}
