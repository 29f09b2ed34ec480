//! Owns the machines of one story: types there, reads what is answered, and plays what a machine
//! has and a test has not: the service manager, the copying between machines, fixed addresses.
//! Never decides what happens to them; the page does.

use std::cell::RefCell;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rustix::process::Signal;

use super::super::cluster::Cluster;
use super::super::command::{QUORATE, run};
use super::super::looks::eventually;
use super::super::mending::told;
use super::super::network::skip;
use super::super::node::Node;

/// Quick, and slow enough for a busy machine.
pub(super) const TIMING: &str = "{heartbeat: 100ms, dead_after: 1s, stop: 100ms}";

/// Commands that change nothing: where their answer is not the page's yet, they are asked again.
const ASKING: [&str; 12] = [
    "config",
    "doctor",
    "events",
    "explain",
    "has-quorum",
    "history",
    "is-master",
    "key show",
    "master",
    "node list",
    "show",
    "status",
];

/// The machines of one story.
pub(super) struct Lab {
    pub(super) cluster: Cluster,
    /// Whose daemons run.
    pub(super) running: Vec<String>,
    /// The newest token that was printed: a person would paste it.
    token: RefCell<String>,
}

impl Lab {
    pub(super) fn of(names: &[&str], founded: bool) -> Self {
        let cluster = if founded {
            Cluster::timed(names.len(), TIMING)
        } else {
            Cluster::unfounded(names.len())
        };
        let known: Vec<String> = cluster.nodes.iter().map(|node| node.name.clone()).collect();
        assert_eq!(known, names, "the machines of a story have these names");
        let mut lab = Self { cluster, running: Vec::new(), token: RefCell::default() };
        for name in names {
            lab.equip(name);
        }
        lab.put_tool("ssh", SSH);
        lab.put_tool("scp", SCP);
        if founded {
            names.iter().for_each(|name| lab.start(name));
            lab.leads(names[0]);
        }
        lab
    }

    /// One more machine on which nothing was done yet.
    pub(super) fn add(&mut self, name: &str) {
        self.cluster.add_unfounded(name);
        self.equip(name);
    }

    /// Gives a machine the program, where its documents say that it is.
    fn equip(&self, name: &str) {
        let bin = self.home(name).join("bin");
        fs::create_dir_all(&bin).unwrap();
        std::os::unix::fs::symlink(QUORATE, bin.join("quorate")).unwrap();
    }

    /// Makes a program that all machines have.
    fn put_tool(&self, name: &str, text: &str) {
        let bin = self.home("bin");
        fs::create_dir_all(&bin).unwrap();
        let tool = bin.join(name);
        fs::write(&tool, text.replace("PLACE", &self.cluster.place().display().to_string()))
            .unwrap();
        fs::set_permissions(&tool, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Where a machine keeps its things; the copy of one has another home under the same name.
    pub(super) fn home(&self, machine: &str) -> PathBuf {
        self.cluster.place().join(machine)
    }

    pub(super) fn node(&mut self, machine: &str) -> &mut Node {
        let home = self.home(machine);
        let found = self.cluster.nodes.iter_mut().find(|node| node.home == home);
        found.unwrap_or_else(|| panic!("the story has no machine {machine}"))
    }

    pub(super) fn start(&mut self, machine: &str) {
        self.node(machine).start();
        self.running.push(machine.to_owned());
    }

    pub(super) fn stop(&mut self, machine: &str, signal: Signal) {
        // Whoever has nobody to hand over to, or nothing to say, ends all the same.
        let is_running = self.running.iter().any(|name| name == machine);
        assert!(is_running, "{machine} does not run");
        self.node(machine).end(signal);
        self.running.retain(|name| name != machine);
    }

    /// Types that on a machine; all of the answer has to come.
    pub(super) fn types(&mut self, machine: &str, line: &str, answer: &[&str]) {
        let words: Vec<&str> = line.split('#').next().unwrap().split_whitespace().collect();
        match words.as_slice() {
            ["quorate", "serve"] | ["systemctl", "start", "quorate"] => self.start(machine),
            ["rc-service", "quorate", "start"] => self.start(machine),
            ["systemctl", "stop", "quorate"] | ["rc-service", "quorate", "stop"] => {
                self.stop(machine, Signal::TERM);
            }
            ["systemctl", "restart", "quorate"] | ["reboot"] => {
                self.stop(machine, Signal::TERM);
                self.start(machine);
            }
            ["systemctl", "reload", "quorate"] => self.node(machine).signal(Signal::HUP),
            ["systemctl", "kill", "-s", "USR1", "quorate"] => {
                self.node(machine).signal(Signal::USR1);
            }
            ["curl", ..] if run(&[], ["sh", "-c", "command -v curl"]).code != 0 => {
                skip("this machine has no curl");
            }
            _ => self.asks(machine, line, answer),
        }
    }

    /// Gives a line to the shell of a machine, again if it only asks and is not answered so yet.
    fn asks(&mut self, machine: &str, line: &str, answer: &[&str]) {
        let is_asking = |rest: &str| ASKING.iter().any(|command| rest.starts_with(command));
        let may_repeat =
            line.starts_with("quorate ") && line.split("quorate ").skip(1).all(is_asking);
        let Err(wrong) = self.shell(machine, line, answer) else { return };
        assert!(may_repeat, "{wrong}");
        eventually(&wrong, || self.shell(machine, line, answer).ok());
    }

    fn shell(&self, machine: &str, line: &str, answer: &[&str]) -> Result<(), String> {
        let places = self.places(machine);
        let typed =
            places.iter().fold(line.to_owned(), |line, (shown, real)| line.replace(shown, real));
        let home = self.home(machine);
        let settings = ["CONFIG=node.yaml", "DIR=state", "SOCKET=sock"].map(|place| {
            let (name, file) = place.split_once('=').expect("it was just written");
            format!("QUORATE_{name}={}", home.join(file).display())
        });
        let tools = self.home("bin");
        let path = format!(
            "PATH={}:{}:/usr/sbin:/usr/bin:/sbin:/bin",
            home.join("bin").display(),
            tools.display()
        );
        // What shows things until somebody has seen enough.
        let is_endless = ["--follow", "--watch"].iter().any(|flag| line.contains(flag));
        let typed = if is_endless { format!("timeout 0.3 {typed}\ntest $? = 124") } else { typed };
        let token = self.token.borrow().clone();
        // What a person pastes is what this shell reads.
        let script = format!("cd {} && exec 2>&1 <<.\n{token}\n.\n{typed}", home.display());
        let [config, state, socket] = &settings;
        // A daemon that should not have started would stay for ever.
        let words = ["timeout", "60", "env", "EDITOR=true", &path, config, state, socket];
        let outcome = run(&[], words.into_iter().chain(["sh", "-c", &script]));
        let said = places
            .iter()
            .fold(outcome.stdout, |said, (shown, real)| said.replace(real.as_str(), shown));
        if let Some(token) = said.split_whitespace().find(|word| word.starts_with("qj1_")) {
            token.clone_into(&mut self.token.borrow_mut());
        }
        let wrong = match missing(&said, answer) {
            Some(line) => format!("it does not say `{line}`"),
            None if outcome.code == 0 => return Ok(()),
            None => format!("it ends with {}", outcome.code),
        };
        Err(format!("on {machine}: {line}\n{wrong}, but:\n{said}{}", outcome.stderr))
    }

    /// What a page calls otherwise than it is here.
    fn places(&self, machine: &str) -> Vec<(String, String)> {
        let home = self.home(machine).display().to_string();
        let mut places = Vec::new();
        for (number, node) in (1..).zip(&self.cluster.nodes) {
            places.push((format!("10.0.0.{number}:9901"), node.address.clone()));
            if node.home.as_path() == Path::new(&home) {
                places.push(("127.0.0.1:9902".to_owned(), node.http.clone()));
            }
        }
        let of = |shown: &str, real: &str| (shown.to_owned(), format!("{home}/{real}"));
        places.push(of("/usr/local/bin/quorate", "bin/quorate"));
        places.push(of("/etc/quorate/node.yaml", "node.yaml"));
        places.push(of("/var/lib/quorate", "state"));
        places.push(of("/run/quorate/quorate.sock", "sock"));
        places
    }

    /// Waits until the log of a machine has these lines, in any order.
    pub(super) fn logged(&mut self, machine: &str, lines: &[&str]) {
        let places = self.places(machine);
        let node = self.node(machine);
        eventually(&format!("the log of {machine} has {lines:?}"), || {
            let log = places.iter().fold(node.log(), |log, (shown, real)| log.replace(real, shown));
            // The time, the level and the name of the node stand before what is said.
            let said = log.lines().map(|line| line.splitn(4, ' ').last().unwrap_or_default());
            let said: Vec<&str> =
                said.map(|line| line.trim_start_matches(machine).trim()).collect();
            let said = said.join("\n");
            lines.iter().all(|line| missing(&said, &[line]).is_none()).then_some(())
        });
    }

    /// Makes a node master, if it is not.
    pub(super) fn leads(&mut self, machine: &str) {
        eventually(&format!("{machine} is master"), || {
            let report = told(self.node(machine))?;
            if report.role == "follower" && report.master.is_some() {
                // Refused as long as it is not ready: then the next look asks again.
                self.node(machine).ask(&["transfer", machine]);
            }
            (report.role == "master").then_some(())
        });
    }

    pub(super) fn has_master(&mut self) {
        eventually("somebody is master", || {
            let up = self.cluster.nodes.iter().filter_map(told);
            up.into_iter().any(|report| report.role == "master").then_some(())
        });
    }
}

/// A program that runs another one on a machine, as ssh(1) does.
const SSH: &str = r#"#!/bin/sh
home=PLACE/$1
shift
cd "$home" || exit 255
export PATH="$home/bin:$PATH"
export QUORATE_CONFIG="$home/node.yaml" QUORATE_DIR="$home/state" QUORATE_SOCKET="$home/sock"
exec sh -c "$*"
"#;

/// A program that copies a file from or to a machine, as scp(1) does.
const SCP: &str = r#"#!/bin/sh
place() {
    case $1 in
    *:) printf '%s' "PLACE/${1%:}/." ;;
    *:*) printf '%s' "PLACE/${1%%:*}/${1#*:}" ;;
    *) printf '%s' "$1" ;;
    esac
}
exec cp "$(place "$1")" "$(place "$2")"
"#;

/// The first line of `wanted` that is not among the lines of `said` after those before it.
fn missing<'a>(said: &str, wanted: &[&'a str]) -> Option<&'a str> {
    let mut rest = said.lines().map(spaced);
    let shown = wanted.iter().filter(|line| !["", "…"].contains(&line.trim()));
    shown.copied().find(|wanted| {
        let wanted = spaced(wanted);
        !rest.any(|line| is_like(&line, &wanted))
    })
}

fn spaced(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether the line is the wanted one, in which … stands for anything.
fn is_like(line: &str, wanted: &str) -> bool {
    let (first, others) = match wanted.split_once('…') {
        None => return line == wanted,
        Some(parts) => parts,
    };
    let Some(mut rest) = line.strip_prefix(first) else { return false };
    let mut others = others.split('…').peekable();
    while let Some(part) = others.next() {
        if others.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    true
}

#[test]
fn an_answer_is_what_the_page_shows_in_its_order() {
    let said = "one  two 3 ms\nthree\nfour\n";
    assert_eq!(missing(said, &["one two … ms", "…", "", "four"]), None);
    assert_eq!(missing(said, &["four", "three"]), Some("three"));
    assert_eq!(missing(said, &["one two"]), Some("one two"));
    assert!(is_like("a b c", "a … c") && is_like("a b", "a …") && !is_like("a b", "b …"));
    assert!(!is_like("a b c", "a … b") && is_like("a x b y", "… x … y"));
}

#[test]
fn a_page_that_is_wrong_is_noticed() {
    let lab = Lab::of(&["alpha"], false);
    let wrong = |line: &str, answer: &[&str]| lab.shell("alpha", line, answer).is_err();
    assert!(!wrong("quorate version", &["quorate …"]) && !wrong("echo a # b", &["a"]));
    assert!(wrong("quorate leader", &[]), "it has no such command");
    assert!(wrong("quorate status", &[]), "no daemon runs");
    assert!(wrong("quorate version", &["nothing of the kind"]), "it says something else");
}
