//! A cluster whose nodes run programs under mastership, with the verbs for what happens to them.
//! Never believes a program about itself: each appends its term to one shared file, and what the
//! file shows is what happened.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::PathBuf;

use rustix::process::Pid;

use super::cluster::Cluster;
use super::command::{Outcome, QUORATE, Running, run};
use super::looks::{eventually, pids};

/// What runs under mastership: `plain` ends when asked, `stubborn` ignores it, with a copy that
/// forked twice into a session of its own, `hopping` forks on and on, with two hundred sleepers,
/// `scattered` leaves two hundred behind that ignore it, each in a session of its own.
const ACTS: &str = r#"
log=$1
act() { while :; do echo "$QUORATE_TERM" >> "$log"; sleep 0.02; done; }
case $2 in
plain) act ;;
loop) trap '' TERM HUP INT; act ;;
stubborn) trap '' TERM HUP INT; (setsid sh "$0" "$log" loop &); act ;;
hop)
    trap '' TERM HUP INT
    echo "$QUORATE_TERM" >> "$log"
    if [ "$3" -gt 0 ]; then sh "$0" "$log" hop $(($3 - 1)) & fi ;;
hopping)
    n=0
    while [ $n -lt 200 ]; do (trap '' TERM; exec sleep 600) & n=$((n + 1)); done
    sh "$0" "$log" hop 20000 &
    trap '' TERM; act ;;
scattered)
    trap '' TERM HUP INT
    n=0
    while [ $n -lt 200 ]; do (setsid sleep 600 &); n=$((n + 1)); done
    act ;;
esac
"#;

/// A cluster whose nodes can run programs under mastership.
pub(super) struct Stage {
    pub(super) cluster: Cluster,
}

impl Stage {
    /// That many nodes, one of which acts.
    pub(super) fn of(count: usize) -> Self {
        let stage = Self::over(Cluster::of(count));
        stage.cluster.settles();
        stage
    }

    pub(super) fn over(cluster: Cluster) -> Self {
        fs::write(cluster.place().join("acts.sh"), ACTS).unwrap();
        Self { cluster }
    }

    pub(super) fn shared(&self) -> PathBuf {
        self.cluster.place().join("shared")
    }

    /// The line that runs `cmd` on that node.
    pub(super) fn line(
        &self,
        node: &str,
        flags: &[&str],
        cmd: &[&str],
    ) -> (Vec<String>, Vec<String>) {
        let node = self.cluster.nodes.iter().find(|one| one.name == node).unwrap();
        let text = |path: PathBuf| path.to_str().unwrap().to_owned();
        let mut line = vec![QUORATE.to_owned(), "run".to_owned()];
        line.extend(["--config".to_owned(), text(node.home.join("node.yaml"))]);
        line.extend(["--socket".to_owned(), text(node.socket())]);
        line.extend(flags.iter().map(|flag| (*flag).to_owned()));
        line.push("--".to_owned());
        line.extend(cmd.iter().map(|word| (*word).to_owned()));
        (node.prefix.clone(), line)
    }

    /// Runs to its end.
    pub(super) fn run(&self, node: &str, flags: &[&str], cmd: &[&str]) -> Outcome {
        let (prefix, line) = self.line(node, flags, cmd);
        run(&prefix, line)
    }

    /// Starts `acts.sh MODE` under that node's mastership.
    pub(super) fn start(&self, node: &str, flags: &[&str], mode: &str) -> Running {
        let script = self.cluster.place().join("acts.sh");
        let (script, shared) = (script.to_str().unwrap(), self.shared());
        let cmd = ["sh", script, shared.to_str().unwrap(), mode];
        let (prefix, line) = self.line(node, flags, &cmd);
        let log = File::create(self.cluster.place().join(format!("{node}.run"))).unwrap();
        Running::start(&prefix, line, log)
    }

    /// The terms in which something acted, in the order in which it did.
    pub(super) fn terms(&self) -> Vec<u64> {
        let text = fs::read_to_string(self.shared()).unwrap_or_default();
        text.lines().filter_map(|line| line.parse().ok()).collect()
    }

    /// Waits until something acts in a term after `term`; gives that term.
    pub(super) fn acts_after(&self, term: u64) -> u64 {
        eventually("something acts in a later term", || {
            self.terms().last().copied().filter(|last| *last > term)
        })
    }

    /// That once anybody acted in a term, nobody acted in an earlier one.
    pub(super) fn never_overlapped(&self) {
        let terms = self.terms();
        let back = terms.windows(2).find(|pair| pair[0] > pair[1]);
        assert!(back.is_none(), "an earlier term acted after a later one: {back:?} in {terms:?}");
    }

    /// The processes of CMD that live, by the environment they were given.
    pub(super) fn living(&self) -> BTreeSet<i32> {
        let mark = format!("QUORATE_SOCKET={}", self.cluster.place().display());
        let ours = |pid: &i32| {
            let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            let words = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let is_ours = environment.split(|byte| *byte == 0);
            let mut is_ours = is_ours.filter(|pair| pair.starts_with(mark.as_bytes()));
            is_ours.next().is_some() && !words.windows(10).any(|part| part == b"run-keeper")
        };
        pids().filter(ours).collect()
    }

    pub(super) fn all_die(&self) {
        eventually("nothing of it lives", || self.living().is_empty().then_some(()));
    }

    /// Runs a stubborn program on every node, breaks mastership, and sees it succeeded.
    pub(super) fn succeeds_after(mut self, breaks: impl FnOnce(&mut Cluster, &str)) {
        let names: Vec<_> = self.cluster.nodes.iter().map(|node| node.name.clone()).collect();
        let (master, _) = self.cluster.settles();
        let _runs: Vec<_> =
            names.iter().map(|name| self.start(name, &["--restart"], "stubborn")).collect();
        let term = self.acts_after(0);
        breaks(&mut self.cluster, &master);
        assert!(self.acts_after(term) > term);
        self.never_overlapped();
    }
}

/// The keepers whose parent is that process.
pub(super) fn keeper_of(front: Pid) -> Pid {
    let parent = front.as_raw_nonzero().get().to_string();
    eventually("it has a keeper", || {
        let is_it = |pid: &i32| {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            let words = fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
            fields.split_whitespace().nth(1) == Some(&parent) && words.contains("run-keeper")
        };
        pids().find(is_it).and_then(Pid::from_raw)
    })
}
