//! A machine of namespaces whose process 1 is a real init, made by contrib/lab/init.
//! Never an init of this machine; where none can be made, one visible line says so.

use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin};

use super::super::command::{Outcome, must, run};
use super::super::network::{held, tell_skipped};
use super::{eventually, shipped};

pub(super) const INITS: [&str; 3] = ["openrc", "runit", "systemd"];

/// What the script ends with where such a machine cannot be made.
const UNAVAILABLE: i32 = 69;

/// Runs, and dies when it is asked to.
pub(super) const WILLING: &str = "while :; do sleep 1; done";
/// Runs, and does not end when it is asked to.
pub(super) const STUBBORN: &str = "trap : TERM; while :; do sleep 1; done";

/// A machine with an init.
pub(super) struct Machine {
    init: &'static str,
    child: Child,
    /// Closed when this process ends, however it ends; then the machine ends too.
    input: Option<ChildStdin>,
    /// What starts a program inside.
    prefix: Vec<String>,
    /// Where its files are seen from outside.
    root: PathBuf,
}

impl Machine {
    /// A machine with that init, in the network of what `prefix` starts.
    pub(super) fn of(init: &'static str, prefix: &[String]) -> Option<Self> {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/contrib/lab/init");
        let mut line = prefix.to_vec();
        line.extend([script, init].map(str::to_owned));
        let mut child = held(&line).unwrap();
        let input = child.stdin.take();
        let mut said = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut said).unwrap();
        let Ok(first) = said.trim().parse::<u32>() else {
            let mut why = String::new();
            child.stderr.take().unwrap().read_to_string(&mut why).unwrap();
            assert_eq!(child.wait().unwrap().code(), Some(UNAVAILABLE), "{why}");
            tell_skipped(&format!("no machine with {init} can be made here ({})", why.trim()));
            return None;
        };
        let enter = ["nsenter".to_owned(), "--all".to_owned(), format!("--target={first}")];
        let root = format!("/proc/{first}/root").into();
        let machine = Self { init, child, input, prefix: enter.into(), root };
        machine.install("etc/quorate/hooks/service", &shipped("service"));
        Some(machine)
    }

    /// The same in a network of its own.
    pub(super) fn alone(init: &'static str) -> Option<Self> {
        Self::of(init, &["unshare".to_owned(), "--net".to_owned()])
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// Copies a program into it.
    pub(super) fn install(&self, name: &str, from: &Path) {
        self.write(name, "");
        fs::copy(from, self.file(name)).unwrap();
        fs::set_permissions(self.file(name), Permissions::from_mode(0o755)).unwrap();
    }

    /// Writes a file that can be executed, which only some have to be.
    pub(super) fn write(&self, name: &str, text: &str) {
        let path = self.file(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
    }

    /// Runs a program inside, to its end.
    pub(super) fn run(&self, words: &str) -> Outcome {
        run(&self.prefix, words.split_whitespace())
    }

    /// The same, with a program that has to work; gives what it printed.
    pub(super) fn must(&self, words: &str) -> String {
        must(&self.prefix, words)
    }

    /// Runs the hook `service` with these words.
    pub(super) fn hook(&self, words: &str) -> Outcome {
        self.run(&format!("/etc/quorate/hooks/service {words}"))
    }

    /// Has the init start or stop a service, as its operator would.
    pub(super) fn order(&self, order: &str, name: &str) -> String {
        match self.init {
            "openrc" => self.must(&format!("rc-service {name} {order}")),
            "runit" => self.must(&format!("sv -w 60 {order} {name}")),
            _ => self.must(&format!("systemctl {order} {name}")),
        }
    }

    /// Gives the init a service: a program of that name, a shell that does what `deeds` say.
    /// Stopping it well takes up to 30 s.
    pub(super) fn define(&self, name: &str, deeds: &str) {
        let program = format!("usr/local/bin/{name}");
        self.install(&program, Path::new("/bin/sh"));
        match self.init {
            "openrc" => {
                let how = format!("command_background=yes\npidfile=/run/{name}.pid");
                self.define_for_openrc(name, &format!("{how}\n{}", command(name, deeds)));
            }
            "runit" => {
                let text = format!("#!/bin/sh\nexec /{program} -c '{deeds}'\n");
                self.write(&format!("etc/sv/{name}/run"), &text);
                self.write(&format!("etc/sv/{name}/down"), "");
                self.attend(name);
            }
            _ => {
                let text = format!(
                    "[Service]\nExecStart=/{program} -c '{deeds}'\nRestart=always\n\
                     TimeoutStopSec=30\n"
                );
                self.write(&format!("etc/systemd/system/{name}.service"), &text);
            }
        }
    }

    /// Gives OpenRC a service, in its own words.
    pub(super) fn define_for_openrc(&self, name: &str, text: &str) {
        let text = format!("#!/sbin/openrc-run\nretry=TERM/30/KILL/5\n{text}\n");
        self.write(&format!("etc/init.d/{name}"), &text);
        // It takes no note of what changed in the second in which it looked.
        self.must("rc-update -u");
    }

    /// Has runit look after a service that is there.
    pub(super) fn attend(&self, name: &str) {
        self.must(&format!("ln -s /etc/sv/{name} /etc/service/{name}"));
        eventually("runit looks after it", || self.run(&format!("sv status {name}")).code == 0);
    }

    /// How many processes of that program there are.
    pub(super) fn count(&self, name: &str) -> usize {
        let found = self.run(&format!("pgrep -f ^/usr/local/bin/{name}"));
        assert!(found.code < 2, "{}", found.stderr);
        found.stdout.lines().count()
    }

    /// Kills all processes whose line is like that, and waits until they are buried.
    pub(super) fn kill(&self, pattern: &str) {
        let found = self.must(&format!("pgrep -f {pattern}"));
        let processes: Vec<_> = found.split_whitespace().collect();
        self.must(&format!("kill -KILL {}", processes.join(" ")));
        let is_there = |process: &&str| self.file("proc").join(process).exists();
        eventually("they are dead", || !processes.iter().any(is_there));
    }
}

/// What to run, in the words of OpenRC.
pub(super) fn command(name: &str, deeds: &str) -> String {
    format!("command=/usr/local/bin/{name}\ncommand_args=\"-c '{deeds}'\"")
}

impl Drop for Machine {
    fn drop(&mut self) {
        drop(self.input.take());
        // It takes its control group away, and only then ends.
        let _code = self.child.wait();
    }
}
