//! A cluster whose nodes have hooks, which append what they do to one shared file.
//! Never believes a daemon about its hooks: what the file shows is what happened.

use std::fs::{self, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use rustix::process::Pid;

use super::cluster::Cluster;
use super::looks::{eventually, pids};

/// Long enough to undo a mastership on a machine that is busy with other tests.
pub(super) const TIMING: &str = "{heartbeat: 500ms, dead_after: 10s, stop: 4s}";

/// Every hook of every node. `PLACE` is where the cluster is.
const HOOK: &str = r#"#!/bin/sh
place=PLACE
say() { echo "$QUORATE_NODE $QUORATE_TERM $QUORATE_EVENT $1" >> "$place/shared"; }
me=$place/$QUORATE_NODE.$QUORATE_EVENT
say begin
cat > "$me.json"
env > "$me.env"
{ ls /proc/self/fd; umask; pwd; ps -o sid= -p $$; echo $$; } > "$me.place"
stray() {
    (trap '' TERM HUP; setsid sh -c 'trap "" TERM HUP
        while :; do echo "$QUORATE_NODE $QUORATE_TERM stray act" >> "$0/shared"; sleep 0.02; done' \
        "$1" > /dev/null 2>&1 &)
}
case $(cat "$me.mode" 2> /dev/null) in
slow) sleep 3 ;;
fails) echo "not today"; exit 3 ;;
leaves) stray "$place" ;;
freezes) stray "$place/frost" ;;
hangs) trap '' TERM; stray "$place"; while :; do sleep 1; done ;;
floods) head -c 1000000000 /dev/zero | tr '\0' x; echo ;;
esac
say end
"#;

/// One line of the shared file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Deed {
    pub(super) node: String,
    pub(super) term: u64,
    /// The hook, or `stray` for what one left behind.
    pub(super) what: String,
    pub(super) step: String,
}

/// A cluster with hooks.
pub(super) struct Hooked {
    pub(super) cluster: Cluster,
}

impl Hooked {
    /// That many nodes, each with all role hooks and `more` under `hooks`; nothing is started.
    pub(super) fn founded(count: usize, more: &str) -> Self {
        let cluster = Cluster::timed(count, TIMING);
        let place = cluster.place().to_str().unwrap().to_owned();
        let script = format!("{place}/hook");
        fs::write(&script, HOOK.replace("PLACE", &place)).unwrap();
        fs::set_permissions(&script, Permissions::from_mode(0o755)).unwrap();
        for node in &cluster.nodes {
            let path = node.home.join("node.yaml");
            let mut file = OpenOptions::new().append(true).open(path).unwrap();
            let each =
                ["master", "backup", "no_quorum"].map(|name| format!("  {name}: [{script}]"));
            writeln!(file, "hooks:\n{}\n{more}", each.join("\n")).unwrap();
        }
        Self { cluster }
    }

    /// The same, started.
    pub(super) fn of(count: usize, more: &str) -> Self {
        let mut hooked = Self::founded(count, more);
        hooked.cluster.start();
        hooked
    }

    /// From now on that hook of that node does this.
    pub(super) fn let_it(&self, node: &str, hook: &str, mode: &str) {
        fs::write(self.cluster.place().join(format!("{node}.{hook}.mode")), mode).unwrap();
    }

    /// What a hook wrote down about itself.
    pub(super) fn told(&self, node: &str, hook: &str, what: &str) -> String {
        let path = self.cluster.place().join(format!("{node}.{hook}.{what}"));
        fs::read_to_string(path).unwrap_or_default()
    }

    pub(super) fn deeds(&self) -> Vec<Deed> {
        let path: PathBuf = self.cluster.place().join("shared");
        let text = fs::read_to_string(path).unwrap_or_default();
        text.lines().filter_map(deed).collect()
    }

    /// Waits for a deed after the first `seen`; gives its place.
    pub(super) fn waits_for(&self, seen: usize, node: &str, what: &str, step: &str) -> usize {
        eventually(&format!("{node} {what} {step}"), || {
            let is_it = |deed: &Deed| deed.node == node && deed.what == what && deed.step == step;
            self.deeds().iter().skip(seen).position(is_it).map(|place| place + seen)
        })
    }

    /// Waits until any node but `not` begins to be master after the first `seen`.
    pub(super) fn succeeds(&self, seen: usize, not: &str) -> usize {
        eventually("another master hook begins", || {
            let is_it =
                |deed: &Deed| deed.node != not && deed.what == "master" && deed.step == "begin";
            self.deeds().iter().skip(seen).position(is_it).map(|place| place + seen)
        })
    }

    /// Has that master give mastership up, as soon as another node is ready for it.
    pub(super) fn gives_up(&self, master: &str, how: &[&str]) {
        let node = self.cluster.nodes.iter().find(|node| node.name == master).unwrap();
        eventually(&format!("{master} does {how:?}"), || {
            let is_done = node.ask(how).code == 0 || node.ask(&["is-master"]).code != 0;
            is_done.then_some(())
        });
    }

    /// That nothing of a mastership acted after another one began, and all was undone before.
    pub(super) fn never_interleaved(&self) {
        let deeds = self.deeds();
        let mut begun: Option<&Deed> = None;
        let mut is_undone = true;
        for deed in &deeds {
            if deed.what == "master" && deed.step == "begin" {
                let is_again = begun.is_some_and(|begun| begun.term == deed.term);
                assert!(is_undone || is_again, "{deed:?} before an undoing: {deeds:?}");
                (begun, is_undone) = (Some(deed), false);
            }
            if deed.what == "backup" && deed.step == "end" {
                is_undone |= begun.is_some_and(|begun| begun.node == deed.node);
            }
            if ["master", "stray"].contains(&deed.what.as_str()) {
                let term = begun.map_or(0, |begun| begun.term);
                assert!(deed.term >= term, "{deed:?} after term {term} began");
            }
        }
    }

    /// The guard of that node's role hooks.
    pub(super) fn guard_of(&mut self, node: &str) -> Pid {
        let parent = self.cluster.node(node).pid().as_raw_nonzero().get().to_string();
        eventually("it has a guard", || {
            let is_it = |pid: &i32| {
                let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
                let words = fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
                let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
                fields.split_whitespace().nth(1) == Some(&parent) && words.contains("hooks.lock")
            };
            pids().find(is_it).and_then(Pid::from_raw)
        })
    }

    /// Waits until no hook of this cluster lives, nor anything it left.
    pub(super) fn all_die(&self) {
        eventually("nothing of any hook lives", || self.living().is_empty().then_some(()));
    }

    /// Whether what lives of hooks lives in a control group of its own.
    pub(super) fn has_control_group(&self) -> bool {
        let group =
            |pid: i32| fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap_or_default();
        self.living().into_iter().any(|pid| group(pid).contains("/quorate-run-"))
    }

    /// What lives of them.
    pub(super) fn living(&self) -> Vec<i32> {
        let mark = format!("QUORATE_SOCKET={}", self.cluster.place().display());
        let ours = |pid: &i32| {
            let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            let mut pairs = environment.split(|byte| *byte == 0);
            pairs.any(|pair| pair.starts_with(mark.as_bytes()))
        };
        pids().filter(ours).collect()
    }
}

fn deed(line: &str) -> Option<Deed> {
    let mut words = line.split(' ');
    let mut word = || words.next().map(str::to_owned);
    Some(Deed { node: word()?, term: word()?.parse().ok()?, what: word()?, step: word()? })
}
