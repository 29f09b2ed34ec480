//! Watches daemons through an attack: mastership, memory, descriptors, threads, log, and whether
//! they still serve. Never attacks.
//!
//! A daemon counts every change of master it ever saw, to and from none included. So two equal
//! counts enclose a time in which nothing moved, however short an answer in between was missed.

use std::collections::BTreeMap;
use std::fs;

use quorate::wire::control::StatusReport;

use super::super::clock::{PATIENCE, now};
use super::super::cluster::{Cluster, report};

/// The most memory a daemon may ever have had, in KiB: more than twice what a full house of
/// callers takes in a debug build.
const MEMORY_MAX_KIB: u64 = 16 << 10;
/// The most lines one attack may add to one daemon's log.
const LINES_MAX: usize = 200;

/// A daemon before the attack.
#[derive(Debug)]
struct Before {
    pid: u32,
    changes: u64,
    files: usize,
    threads: usize,
    lines: usize,
}

/// What was, to be compared with what is.
#[derive(Debug)]
pub(super) struct Canary {
    master: String,
    term: u64,
    before: BTreeMap<String, Before>,
}

impl Canary {
    /// Waits until the cluster has settled, and remembers how it is.
    pub(super) fn over(cluster: &Cluster) -> Self {
        let (master, term) = cluster.settles();
        let names: Vec<String> = cluster.until("all answer", |view| {
            view.values().all(Option::is_some).then(|| view.keys().cloned().collect())
        });
        let before = names.into_iter().map(|name| {
            let status = fresh(cluster, &name);
            let before = Before {
                pid: status.pid,
                changes: status.changes,
                files: count(status.pid, "fd"),
                threads: count(status.pid, "task"),
                lines: lines(cluster, &name),
            };
            (name, before)
        });
        Self { master, term, before: before.collect() }
    }

    /// Who was master, and of which term.
    pub(super) fn reign(&self) -> (&str, u64) {
        (&self.master, self.term)
    }

    /// Nothing moved since the beginning, every daemon still answers a person, none grew.
    pub(super) fn sings(&self, cluster: &Cluster) {
        assert_eq!(cluster.settles(), (self.master.clone(), self.term), "mastership moved");
        for (name, before) in &self.before {
            let status = fresh(cluster, name);
            assert_eq!(status.pid, before.pid, "{name} was started anew");
            assert_eq!(status.changes, before.changes, "{name} saw mastership move");
        }
        self.is_served(cluster);
        self.is_lean(cluster);
    }

    /// A person who asks now gets an answer from every daemon.
    pub(super) fn is_served(&self, cluster: &Cluster) {
        for node in cluster.nodes.iter().filter(|node| self.before.contains_key(&node.name)) {
            let shown = node.ask(&["status"]).printed();
            assert!(shown.contains(&self.master), "{}: {shown}", node.name);
        }
    }

    /// No daemon ever had more memory, or wrote more lines, than it may.
    pub(super) fn is_lean(&self, cluster: &Cluster) {
        for (name, before) in &self.before {
            let peak = peak_memory_kib(before.pid);
            assert!(peak <= MEMORY_MAX_KIB, "{name} grew to {peak} KiB");
            let written = lines(cluster, name) - before.lines;
            assert!(written <= LINES_MAX, "{name} wrote {written} lines about one attack");
        }
    }

    /// Everything an attack took is given back: descriptors and threads are as few as before.
    pub(super) fn recovers(&self) {
        let start = now();
        for (name, before) in &self.before {
            loop {
                let has = (count(before.pid, "fd"), count(before.pid, "task"));
                if has.0 <= before.files && has.1 <= before.threads {
                    break;
                }
                let had = (before.files, before.threads);
                assert!(
                    now() - start < PATIENCE,
                    "{name} keeps {has:?} descriptors and threads; it had {had:?}"
                );
                std::thread::park_timeout(std::time::Duration::from_millis(5));
            }
        }
    }
}

/// An answer of that daemon that is younger than this call.
pub(super) fn fresh(cluster: &Cluster, name: &str) -> StatusReport {
    cluster.until("an answer", |view| report(view, name).cloned())
}

/// Waits until that daemon's log has a line with all of `words`; gives the first one.
pub(super) fn wait_for_line(cluster: &Cluster, name: &str, words: &[&str]) -> String {
    let start = now();
    loop {
        let log = log(cluster, name);
        let has_all = |line: &&str| words.iter().all(|word| line.contains(word));
        if let Some(line) = log.lines().find(has_all) {
            return line.to_owned();
        }
        assert!(now() - start < PATIENCE, "{name} never said {words:?}:\n{log}");
        std::thread::park_timeout(std::time::Duration::from_millis(5));
    }
}

/// What that daemon said so far.
pub(super) fn log(cluster: &Cluster, name: &str) -> String {
    let node = cluster.nodes.iter().find(|node| node.name == name);
    node.expect("the test names a node of its cluster").log()
}

fn lines(cluster: &Cluster, name: &str) -> usize {
    log(cluster, name).lines().count()
}

fn count(pid: u32, what: &str) -> usize {
    let listed = fs::read_dir(format!("/proc/{pid}/{what}"));
    listed.expect("the daemon runs, and is ours").count()
}

/// The most memory the process ever had in use.
fn peak_memory_kib(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("the daemon runs");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = peak.and_then(|text| text.split_whitespace().next()?.parse().ok());
    number.expect("the system says how much memory a process had")
}
