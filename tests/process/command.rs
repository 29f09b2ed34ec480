//! The one place that starts programs: to their end, or as a child that a node owns.
//! Never leaves one behind: what is started in the background is killed when its owner goes.

use std::ffi::OsString;
use std::fs::File;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::Builder;

use rustix::process::{Pid, Signal, kill_process};

use super::clock::PATIENCE;

/// The program under test.
pub(super) const QUORATE: &str = env!("CARGO_BIN_EXE_quorate");

/// How a program ended and what it said.
#[derive(Debug)]
pub(super) struct Outcome {
    /// Its exit code; 128 plus the signal if one ended it.
    pub(super) code: i32,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

impl Outcome {
    /// What it printed, if it ended well.
    pub(super) fn printed(self) -> String {
        assert_eq!(self.code, 0, "{}{}", self.stdout, self.stderr);
        self.stdout
    }

    /// That it ended with `code` and said each of `words` on standard error.
    pub(super) fn refused(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, code, "{}{}", self.stdout, self.stderr);
        for word in words {
            assert!(self.stderr.contains(word), "`{word}` is not in: {}", self.stderr);
        }
    }
}

/// A program and its arguments; `prefix` is the program that starts it, such as nsenter.
#[expect(clippy::disallowed_methods, reason = "this is the one place of this room")]
fn command<A: Into<OsString>>(prefix: &[String], line: impl IntoIterator<Item = A>) -> Command {
    let hears: &[&str] = if is_deaf() { &["env", "--default-signal=HUP,INT,QUIT"] } else { &[] };
    let hears = hears.iter().map(OsString::from);
    let prefix = prefix.iter().map(OsString::from);
    let words: Vec<OsString> =
        hears.chain(prefix).chain(line.into_iter().map(Into::into)).collect();
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).env_remove("QUORATE_SOCKET").env_remove("QUORATE_DIR");
    command.env("NO_COLOR", "1");
    command
}

/// Whether whoever runs these tests made them ignore what a program in the foreground hears, as
/// nohup(1) and background jobs of scripts do.
fn is_deaf() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").expect("there is /proc");
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.map(|mask| u64::from_str_radix(mask.trim(), 16).expect("it is a mask"));
    ignored.is_some_and(|mask| mask & 0b111 != 0)
}

/// Runs a program to its end.
pub(super) fn run<A: Into<OsString>>(
    prefix: &[String],
    line: impl IntoIterator<Item = A>,
) -> Outcome {
    let output = command(prefix, line).stdin(Stdio::null()).output().expect("it can be started");
    Outcome {
        code: code(output.status),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Runs a tool of the system that has to work; gives what it printed.
pub(super) fn must(prefix: &[String], line: &str) -> String {
    let outcome = run(prefix, line.split_whitespace());
    assert_eq!(outcome.code, 0, "`{line}` failed: {}", outcome.stderr);
    outcome.stdout
}

/// A program that runs until it is killed or ends by itself.
#[derive(Debug)]
pub(super) struct Running {
    pid: Pid,
    ended: Receiver<i32>,
    code: Option<i32>,
}

impl Running {
    /// Starts a program whose standard error goes to `log`.
    pub(super) fn start<A: Into<OsString>>(
        prefix: &[String],
        line: impl IntoIterator<Item = A>,
        log: File,
    ) -> Self {
        let mut command = command(prefix, line);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn();
        Self::of(child.expect("it can be started"))
    }

    fn of(mut child: Child) -> Self {
        let pid = Pid::from_child(&child);
        let (sender, ended) = channel();
        let wait = move || {
            let status = child.wait().expect("a child can be waited for");
            // Nobody listens any more when the test is over: nothing to do about it.
            sender.send(code(status)).unwrap_or(());
        };
        Builder::new().name("waits".to_owned()).spawn(wait).expect("a thread can be started");
        Self { pid, ended, code: None }
    }

    /// Its process.
    pub(super) fn pid(&self) -> Pid {
        self.pid
    }

    pub(super) fn signal(&self, signal: Signal) {
        // It may have ended by itself meanwhile, which the caller sees by its code.
        kill_process(self.pid, signal).unwrap_or(());
    }

    /// Waits for its end; gives its code.
    pub(super) fn wait(&mut self) -> i32 {
        if self.code.is_none() {
            self.code = Some(match self.ended.recv_timeout(PATIENCE) {
                Ok(code) => code,
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    panic!("process {:?} does not end", self.pid)
                }
            });
        }
        self.code.expect("it was just set")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.code.is_none() && self.ended.try_recv().is_err() {
            self.signal(Signal::KILL);
            self.signal(Signal::CONT);
        }
    }
}

fn code(status: ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt;
    status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(-1)
}
