//! Owns one run of one hook: its process, its output, its time, and how it ended.
//! Never kills anything and never waits; the guard does.

use std::fs::File;
use std::io::{self, Seek, Write};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::fs::{MemfdFlags, memfd_create};
use rustix::process::{Pid, WaitStatus};

use crate::keep;
use crate::keep::guard::capture::{Lines, Output};
use crate::keep::guard::orders::{Charge, End, Report};
use crate::keep::launch::{self, Apart, Room};
use crate::protocol::units::Moment;

/// A hook that was begun.
#[derive(Debug)]
pub(super) struct Run {
    id: u64,
    main: Pid,
    began: Moment,
    timeout: Moment,
    output: Output,
    lines: Lines,
    end: Option<End>,
}

impl Run {
    /// Begins it; whatever it starts has to end when `until` comes, and does not begin after.
    ///
    /// # Errors
    /// What the system said.
    pub(super) fn begin(charge: &Charge, until: Moment, score: Option<&str>) -> io::Result<Self> {
        let began = keep::now();
        // A file: whoever does not read it holds nobody up.
        let mut stdin = File::from(memfd_create("stdin", MemfdFlags::CLOEXEC)?);
        stdin.write_all(charge.stdin.as_bytes())?;
        stdin.rewind()?;
        let (heard, stdout) = io::pipe()?;
        let output = [OwnedFd::from(stdout.try_clone()?), OwnedFd::from(stdout)];
        let room = Room { environment: &charge.environment, score };
        let apart = Apart { room, stdin: OwnedFd::from(stdin), output };
        let main = launch::start_apart(&charge.cmd, until, apart)?;
        Ok(Self {
            id: charge.id,
            main,
            began,
            timeout: began.after(Duration::from_millis(charge.timeout_ms)),
            output: Output::new(heard)?,
            lines: Lines::default(),
            end: None,
        })
    }

    /// Takes in what it wrote meanwhile, and passes it on as far as `tell` takes it.
    pub(super) fn listen(&mut self, tell: impl FnMut(&Report) -> bool) {
        self.take_in(false, tell);
    }

    fn take_in(&mut self, is_last: bool, mut tell: impl FnMut(&Report) -> bool) {
        let Self { id, output, lines, .. } = self;
        let mut lost = Vec::new();
        let mut pass_on = |text: String| {
            let line = Report::Line { id: *id, text };
            if let (false, Report::Line { text, .. }) = (tell(&line), line) {
                lost.push(text);
            }
        };
        output.read(|bytes| lines.take(bytes, &mut pass_on));
        if is_last || output.waits_on().is_none() {
            lines.end(&mut pass_on);
        }
        lost.iter().for_each(|line| lines.lost(line));
    }

    /// A process was buried; perhaps it was this one.
    pub(super) fn buried(&mut self, pid: Pid, status: WaitStatus) {
        if pid == self.main && self.end.is_none() {
            self.end = end_of(status);
        }
    }

    /// Whether its main process has ended, or it has to.
    pub(super) fn end(&self) -> Option<End> {
        self.end
    }

    /// It has to end, for this reason unless there is one already.
    pub(super) fn end_as(&mut self, end: End) {
        self.end = self.end.or(Some(end));
    }

    /// Names the run.
    pub(super) fn id(&self) -> u64 {
        self.id
    }

    /// When it has taken too long.
    pub(super) fn timeout(&self) -> Moment {
        self.timeout
    }

    /// What to wait on for its output.
    pub(super) fn waits_on(&self) -> Option<BorrowedFd<'_>> {
        self.output.waits_on()
    }

    /// What is said when it is over, and what still writes to its output.
    pub(super) fn conclude(mut self, tell: impl FnMut(&Report) -> bool) -> (Report, Output) {
        self.take_in(true, tell);
        let began = self.began;
        let report = Report::Ended {
            id: self.id,
            end: explained(self.end.unwrap_or(End::Stopped), self.lines.last()),
            last: self.lines.last().map(str::to_owned),
            dropped: self.lines.dropped(),
            took_ms: u64::try_from(keep::now().held_since(began).as_millis()).unwrap_or(u64::MAX),
        };
        (report, self.output)
    }
}

/// How a process ended; none while it lives.
fn end_of(status: WaitStatus) -> Option<End> {
    let code = status.exit_status().and_then(|code| u8::try_from(code).ok()).map(End::Code);
    code.or(status.terminating_signal().map(End::Signal))
}

/// The step before the hook has exit codes of its own, and says why.
fn explained(end: End, last: Option<&str>) -> End {
    let is_ours = last.is_some_and(|line| line.starts_with(launch::WORDS));
    match end {
        End::Code(launch::TOO_LATE) if last.is_none() => End::Stopped,
        End::Code(launch::NOT_FOUND | launch::CANNOT_START | launch::FAILED) if is_ours => {
            End::NotStarted
        }
        End::Code(_) | End::Signal(_) | End::TimedOut | End::Stopped | End::NotStarted => end,
    }
}
