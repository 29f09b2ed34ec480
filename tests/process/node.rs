//! One node as its operator has it: a directory, the commands, and perhaps a running daemon.
//! Never knows its cluster.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};

use rustix::process::{Pid, Signal};

use super::command::{Outcome, QUORATE, Running, run};
use crate::spec::schema::assert_described;

/// One node.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) name: String,
    /// Where the others reach it.
    pub(super) address: String,
    /// Where it listens, which is the same unless something stands in between.
    pub(super) listen: String,
    /// What its node.yaml says about HTTP.
    pub(super) http: String,
    /// More lines of its node.yaml.
    pub(super) more: String,
    /// Holds node.yaml, the state directory, the socket and the log.
    pub(super) home: PathBuf,
    /// Programs of this node start through this one, such as nsenter; none if empty.
    pub(super) prefix: Vec<String>,
    /// Which build it runs.
    pub(super) program: PathBuf,
    daemon: Option<Running>,
}

impl Node {
    /// A node that lives in `home`, which must be there.
    pub(super) fn new(name: &str, address: &str, home: &Path, prefix: &[String]) -> Self {
        Self {
            name: name.to_owned(),
            address: address.to_owned(),
            listen: address.to_owned(),
            http: "off".to_owned(),
            more: String::new(),
            home: home.to_owned(),
            prefix: prefix.to_vec(),
            program: QUORATE.into(),
            daemon: None,
        }
    }

    pub(super) fn socket(&self) -> PathBuf {
        self.home.join("sock")
    }

    pub(super) fn acting_log(&self) -> PathBuf {
        self.home.join("acting.log")
    }

    pub(super) fn state(&self) -> PathBuf {
        self.home.join("state")
    }

    /// Runs one of its commands to its end; what it says as JSON is what the schema describes.
    pub(super) fn ask(&self, words: &[&str]) -> Outcome {
        let outcome = run(&self.prefix, self.line(words));
        // Another release may say more.
        if words.contains(&"--json") && self.program.as_os_str() == QUORATE {
            assert_described(words, &outcome.stdout);
        }
        outcome
    }

    fn line(&self, words: &[&str]) -> Vec<OsString> {
        let mut line: Vec<OsString> = vec![self.program.clone().into()];
        line.extend(words.iter().map(OsString::from));
        line.extend(["--config".into(), self.home.join("node.yaml").into()]);
        line.extend(["--state-dir".into(), self.state().into()]);
        line.extend(["--socket".into(), self.socket().into()]);
        line
    }

    /// Writes its node.yaml, since here many nodes share one machine's addresses.
    pub(super) fn settle(&self) {
        let Self { name, address, listen, http, more: lines, .. } = self;
        let acting_log = self.acting_log();
        let text = format!(
            "id: {name}\nlisten: \"{listen}\"\nadvertise: \"{address}\"\n\
             http: \"{http}\"\nacting_log: {acting_log:?}\n{lines}"
        );
        std::fs::write(self.home.join("node.yaml"), text).expect("the home is there");
    }

    /// Writes its node.yaml and makes its identity; gives what that printed.
    pub(super) fn identify(&self, more: &[&str]) -> String {
        self.settle();
        let Self { name, address, .. } = self;
        let words = ["init", "--name", name, "--advertise", address];
        self.ask(&[&words, more].concat()).printed()
    }

    /// Becomes one of the nodes of that file.
    pub(super) fn found(&self, cluster_yaml: &Path) {
        let path = cluster_yaml.to_str().expect("temporary paths are text");
        self.ask(&["init", "--from", path]).printed();
    }

    /// Starts its daemon.
    pub(super) fn start(&mut self) {
        assert!(self.daemon.is_none(), "{} runs already", self.name);
        self.daemon = Some(self.start_another(&self.home.join("log")));
    }

    /// Starts a daemon that is nobody's, logging there.
    pub(super) fn start_another(&self, log: &Path) -> Running {
        self.start_into(append(log))
    }

    /// Starts a daemon that is nobody's, whose standard error goes there.
    pub(super) fn start_into(&self, stderr: File) -> Running {
        self.start_words(&["serve"], stderr)
    }

    /// Starts one of its commands, whose standard error goes there.
    pub(super) fn start_words(&self, words: &[&str], stderr: File) -> Running {
        Running::start(&self.prefix, self.line(words), stderr)
    }

    /// Tries to start its daemon, which must end by itself; gives how it ended.
    pub(super) fn fail_to_start(&self) -> Outcome {
        let log = self.home.join("refused");
        let code = self.start_another(&log).wait();
        let stderr = std::fs::read_to_string(&log).expect("it was made for this");
        Outcome { code, stdout: String::new(), stderr }
    }

    /// Its daemon's process.
    pub(super) fn pid(&self) -> Pid {
        self.daemon.as_ref().expect("its daemon runs").pid()
    }

    /// Sends its daemon a signal and leaves it at that.
    pub(super) fn signal(&self, signal: Signal) {
        self.daemon.as_ref().expect("its daemon runs").signal(signal);
    }

    /// Sends its daemon a signal that ends it; gives its exit code.
    pub(super) fn end(&mut self, signal: Signal) -> i32 {
        self.signal(signal);
        self.daemon.take().expect("its daemon runs").wait()
    }

    /// What its daemon said so far.
    pub(super) fn log(&self) -> String {
        std::fs::read_to_string(self.home.join("log")).unwrap_or_default()
    }
}

fn append(log: &Path) -> File {
    OpenOptions::new().create(true).append(true).open(log).expect("the home is there")
}
