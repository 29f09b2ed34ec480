//! The only place of the CLI that starts processes, signals them and waits for their end.
//! Never leaves one behind: dropping kills, and the kernel kills them when the demo itself dies.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, getppid, kill_process, set_parent_process_death_signal};

use crate::cli::stopwatch::{Stopwatch, pause};

/// How often an end is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// This very program.
#[derive(Clone, Debug)]
pub(super) struct Program(PathBuf);

impl Program {
    /// Finds it.
    ///
    /// # Errors
    /// What the system says when it does not know.
    pub(super) fn this() -> io::Result<Self> {
        std::env::current_exe().map(Self)
    }

    /// Runs it to its end and returns what it printed.
    ///
    /// # Errors
    /// That it could not be started.
    pub(super) fn run(&self, arguments: &[OsString]) -> io::Result<Output> {
        self.command(arguments).stdin(Stdio::null()).output()
    }

    /// Starts a daemon that writes its log into `log` and ends with this process.
    ///
    /// # Errors
    /// That it could not be started.
    pub(super) fn start(&self, arguments: &[OsString], log: File) -> io::Result<NodeProcess> {
        let parent = std::process::id().to_string();
        let mut words = vec![OsString::from("demo-node"), OsString::from(parent)];
        words.extend_from_slice(arguments);
        let child = self
            .command(&words)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            // A group of its own: ^C in the terminal is for the demo, which then cleans up.
            .process_group(0)
            .spawn()?;
        Ok(NodeProcess { child })
    }

    #[expect(clippy::disallowed_methods, reason = "the one place where the CLI starts processes")]
    fn command(&self, arguments: &[OsString]) -> Command {
        let mut command = Command::new(&self.0);
        // The surroundings of the person who runs the demo must not leak into its nodes.
        command.args(arguments).env_clear();
        command
    }
}

/// Becomes a node that the kernel kills when the demo ends, however it ends: `arguments` are the
/// demo's process id and the node's own command line. Returns only when that fails.
pub(super) fn become_node(arguments: &[OsString]) -> io::Error {
    let Some((parent, rest)) = arguments.split_first() else {
        return io::Error::new(io::ErrorKind::InvalidInput, "this is for quorate demo only");
    };
    if let Err(error) = set_parent_process_death_signal(Some(Signal::KILL)) {
        return error.into();
    }
    // The demo may have ended before the line above; then nobody would end this process.
    let is_orphan = getppid()
        .is_none_or(|pid| OsStr::new(&pid.as_raw_nonzero().to_string()) != parent.as_os_str());
    if is_orphan {
        return io::Error::new(io::ErrorKind::NotFound, "the demo has ended");
    }
    match Program::this() {
        Ok(program) => program.command(rest).exec(),
        Err(error) => error,
    }
}

/// One running node.
#[derive(Debug)]
pub(super) struct NodeProcess {
    child: Child,
}

impl NodeProcess {
    /// SIGKILL, and waits for the end.
    pub(super) fn kill(&mut self) {
        // It may have ended by itself: then there is nothing left to kill or to wait for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// SIGSTOP.
    pub(super) fn pause(&self) {
        self.signal(Signal::STOP);
    }

    /// SIGCONT.
    pub(super) fn resume(&self) {
        self.signal(Signal::CONT);
    }

    /// SIGTERM.
    pub(super) fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// How it ended, if it has.
    pub(super) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Waits for its end for at most `limit`.
    pub(super) fn ended_within(&mut self, limit: Duration) -> Option<ExitStatus> {
        let waited = Stopwatch::start();
        loop {
            let ended = self.ended();
            if ended.is_some() || waited.elapsed() >= limit {
                return ended;
            }
            pause(LOOK_EVERY);
        }
    }

    fn signal(&self, signal: Signal) {
        // Not waited for yet, so the id is still this child's; that it has ended shows elsewhere.
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        if let Some(Err(error)) = pid.map(|pid| kill_process(pid, signal)) {
            log::debug!("signal {signal:?} not delivered: {error}");
        }
    }
}

impl Drop for NodeProcess {
    fn drop(&mut self) {
        self.kill();
    }
}
