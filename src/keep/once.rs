//! Owns one run of a short program: fed, heard, timed, and killed with its whole process group
//! when its time is over. Never judges what it said, and never waits for what does not die.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStderr, ChildStdout, Stdio};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{MemfdFlags, memfd_create};
use rustix::io::{Errno, ioctl_fionbio};
use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, WaitIdStatus, kill_process_group, waitid,
};

use crate::keep;
use crate::keep::launch;

/// How much of each output is kept.
pub const KEPT_BYTES_MAX: usize = 4096;
/// How much is read before the clocks are looked at again.
const ROUND_BYTES_MAX: usize = 256 << 10;
/// How often a program that closed its outputs is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// What is to be run.
#[derive(Clone, Copy, Debug)]
pub struct Task<'a> {
    /// The program and its arguments.
    pub words: &'a [OsString],
    /// All of its environment.
    pub environment: &'a [(String, String)],
    /// What it reads.
    pub stdin: &'a [u8],
    /// How long it may take.
    pub timeout: Duration,
    /// Where its outputs go.
    pub output: Output,
}

/// Where a program's outputs go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Output {
    /// Here: the beginning of one and the end of the other are kept.
    Kept,
    /// To our own.
    Shown,
}

/// How a run ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum End {
    /// By itself, with this code.
    Code(i32),
    /// By this signal, which was not ours.
    Signal(i32),
    /// It was killed: its time was over.
    TimedOut,
    /// It never began, for this reason.
    NotStarted(String),
}

/// A run that is over.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ran {
    /// How it ended.
    pub end: End,
    /// How long it took.
    pub took: Duration,
    /// The beginning of what it wrote to standard output, if that was kept.
    pub stdout: Vec<u8>,
    /// The end of what it wrote to standard error, if that was kept.
    pub stderr: Vec<u8>,
}

/// A program that was killed and has not ended yet: the system holds it.
#[derive(Debug)]
pub struct Remains(Child);

impl Remains {
    /// Whether it has ended by now.
    pub fn is_gone(&mut self) -> bool {
        // An error means that somebody else buried it.
        !matches!(self.0.try_wait(), Ok(None))
    }
}

/// Runs it, and what it leaves behind in its process group is killed.
pub fn run(task: &Task<'_>) -> (Ran, Option<Remains>) {
    let began = keep::now();
    let finish = |end, (stdout, stderr)| {
        let took = keep::now().held_since(began);
        Ran { end, took, stdout, stderr }
    };
    let nothing = (Vec::new(), Vec::new());
    let mut child = match start(task) {
        Ok(child) => child,
        Err(error) => {
            return (finish(End::NotStarted(format!("cannot start it: {error}")), nothing), None);
        }
    };
    let mut ears = Ears::of(&mut child);
    let end = watch(&child, &mut ears, task.timeout);
    // The group is still the program's: it is not buried yet.
    // Where nobody is left to be killed there is nothing to do.
    let _ = kill_process_group(Pid::from_child(&child), Signal::KILL);
    ears.listen();
    let ran = finish(explained(end, &ears.stderr), (ears.stdout, ears.stderr));
    let mut remains = Remains(child);
    let is_gone = remains.is_gone();
    (ran, (!is_gone).then_some(remains))
}

/// Starts it in a process group of its own, tied to this process: it does not outlive us.
fn start(task: &Task<'_>) -> io::Result<Child> {
    // A file: whoever does not read it holds nobody up.
    let mut stdin = File::from(memfd_create("stdin", MemfdFlags::CLOEXEC)?);
    stdin.write_all(task.stdin)?;
    stdin.rewind()?;
    let output = || match task.output {
        Output::Kept => Stdio::piped(),
        Output::Shown => Stdio::inherit(),
    };
    let until = keep::now().after(task.timeout);
    launch::step(until, launch::ALONE, None)
        .args(task.words)
        .process_group(0)
        .current_dir("/")
        .env_clear()
        .envs(task.environment.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::from(stdin))
        .stdout(output())
        .stderr(output())
        .spawn()
}

/// Until it has ended, without burying it, or its time is over.
fn watch(child: &Child, ears: &mut Ears, timeout: Duration) -> End {
    let end = keep::now().after(timeout);
    loop {
        ears.listen();
        match has_ended(child) {
            Ok(Some(end)) => return end,
            Ok(None) => {}
            Err(error) => return End::NotStarted(format!("cannot be watched: {error}")),
        }
        let now = keep::now();
        if now.may_have_reached(end) {
            return End::TimedOut;
        }
        let left = Duration::from_nanos(end.boot_ns.saturating_sub(now.boot_ns));
        ears.wait(left.min(LOOK_EVERY));
    }
}

fn has_ended(child: &Child) -> Result<Option<End>, Errno> {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    let status = waitid(WaitId::Pid(Pid::from_child(child)), options)?;
    Ok(status.map(|status| end_of(&status)))
}

fn end_of(status: &WaitIdStatus) -> End {
    let code = status.exit_status().map(End::Code);
    code.or(status.terminating_signal().map(End::Signal)).unwrap_or(End::Signal(0))
}

/// The step before the program has exit codes of its own, and says why.
fn explained(end: End, stderr: &[u8]) -> End {
    let ours = [launch::NOT_FOUND, launch::CANNOT_START, launch::FAILED].map(i32::from);
    match end {
        End::Code(code) if ours.contains(&code) => {
            match last_line(stderr)
                .and_then(|line| line.strip_prefix("quorate: ").map(str::to_owned))
            {
                Some(words) => End::NotStarted(words),
                None => End::Code(code),
            }
        }
        end @ (End::Code(_) | End::Signal(_) | End::TimedOut | End::NotStarted(_)) => end,
    }
}

/// The last line that is not blank, as far as it can be shown.
#[must_use]
pub fn last_line(bytes: &[u8]) -> Option<String> {
    const SHOWN_MAX: usize = 200;
    let text = String::from_utf8_lossy(bytes);
    let line = text.lines().map(str::trim).rfind(|line| !line.is_empty())?;
    let is_odd = |c: char| c.is_control();
    Some(line.chars().take(SHOWN_MAX).map(|c| if is_odd(c) { ' ' } else { c }).collect())
}

/// Both outputs of a program.
struct Ears {
    out: Option<ChildStdout>,
    err: Option<ChildStderr>,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

impl Ears {
    fn of(child: &mut Child) -> Self {
        let (out, err) = (child.stdout.take(), child.stderr.take());
        Self { out: unblocked(out), err: unblocked(err), stdout: Vec::new(), stderr: Vec::new() }
    }

    /// Takes in what is there.
    fn listen(&mut self) {
        let Self { out, err, stdout, stderr } = self;
        take_in(out, |bytes| {
            let room = KEPT_BYTES_MAX - stdout.len();
            stdout.extend_from_slice(&bytes[..room.min(bytes.len())]);
        });
        take_in(err, |bytes| {
            stderr.extend_from_slice(bytes);
            stderr.drain(..stderr.len().saturating_sub(KEPT_BYTES_MAX));
        });
    }

    /// Until there is more to take in, at most `patience`.
    fn wait(&self, patience: Duration) {
        let out = self.out.as_ref().map(AsFd::as_fd);
        let open = [out, self.err.as_ref().map(AsFd::as_fd)].into_iter().flatten();
        let mut open: Vec<_> = open.map(readable).collect();
        let patience = Timespec::try_from(patience).expect("it is no longer than LOOK_EVERY");
        // Whatever ended the waiting, the next look tells.
        let _ = poll(&mut open, Some(&patience));
    }
}

fn readable(line: BorrowedFd<'_>) -> PollFd<'_> {
    PollFd::from_borrowed_fd(line, PollFlags::IN)
}

/// A line that could hold us up is none.
fn unblocked<T: AsFd>(line: Option<T>) -> Option<T> {
    line.filter(|line| ioctl_fionbio(line, true).is_ok())
}

/// Reads until there is nothing more now; a line that ended is closed.
fn take_in<T: Read>(line: &mut Option<T>, mut keep: impl FnMut(&[u8])) {
    let mut buffer = [0; 4096];
    let mut taken = 0;
    while let Some(open) = line.as_mut().filter(|_| taken < ROUND_BYTES_MAX) {
        match open.read(&mut buffer) {
            Ok(0) => *line = None,
            Ok(count) => {
                taken += count;
                keep(&buffer[..count]);
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => return,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => *line = None,
        }
    }
}
