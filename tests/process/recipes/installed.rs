//! A node under a real init from its installation to its end: upgraded while its cluster runs, gone
//! back on, repaired. Never believes the script: files and processes are looked at.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

use super::super::command::{Outcome, QUORATE};
use super::super::installing::{SHIPPED, copy};
use super::eventually;
use super::inits::Machine;

/// What the system's own tools leave where users were made, and what belongs to the other nodes.
const TRACES: [&str; 8] =
    ["passwd", "shadow", "group", "/etc/subuid", "/etc/subgid", ".pwd.lock", "bravo", "charlie"];

/// The nodes of the cluster; the first is the one that is installed.
const NODES: [(&str, &str); 3] = [
    ("alpha", "--config /etc/quorate/node.yaml --state-dir /var/lib/quorate"),
    ("bravo", "--config /opt/bravo/node.yaml --state-dir /opt/bravo/state"),
    ("charlie", "--config /opt/charlie/node.yaml --state-dir /opt/charlie/state"),
];

/// A machine with the folder of a release, and the two other nodes as services.
struct Host {
    init: &'static str,
    machine: Machine,
}

impl Host {
    fn with(init: &'static str) -> Option<Self> {
        let machine = Machine::alone(init)?;
        machine.must("ip link set lo up");
        // What every such machine has for the tests of hooks.
        machine.must("rm -r /etc/quorate");
        copy(Path::new(SHIPPED), &machine.file("opt/release/contrib"));
        machine.install("opt/release/quorate", Path::new(QUORATE));
        // Most of it is for debuggers only, where that can be taken off.
        machine.run("strip /opt/release/quorate");
        machine.must("cp /opt/release/quorate /opt/quorate");
        Some(Self { init, machine })
    }

    fn install(&self, words: &str) -> Outcome {
        self.machine.run(&format!("/opt/release/contrib/install {words}"))
    }

    /// Founds the cluster, all of it as root.
    fn found(&self) {
        let mut text = String::new();
        for (port, (name, place)) in (9901..).zip(NODES) {
            let config = place.split(' ').nth(1).unwrap().trim_start_matches('/');
            let address = format!("127.0.0.1:{port}");
            let settings =
                format!("id: {name}\nlisten: {address}\nadvertise: {address}\nhttp: \"off\"\n");
            self.machine.write(config, &settings);
            let cluster = if text.is_empty() { "--cluster shop" } else { "" };
            let init = format!("/opt/quorate init --name {name} --advertise {address} {place}");
            text.push_str(&self.machine.must(&format!("{init} {cluster}")));
        }
        let choices = "timing: {heartbeat: 200ms, dead_after: 2s, stop: 200ms}\n\
                       election: {policy: lowest-id, failback: never}\nnodes:\n";
        self.machine.write("opt/cluster.yaml", &text.replace("nodes:\n", choices));
        for (_, place) in NODES {
            self.machine.must(&format!("/opt/quorate init --from /opt/cluster.yaml {place}"));
        }
    }

    fn start_others(&self) {
        for (name, place) in &NODES[1..] {
            let deeds = format!("exec /opt/quorate serve {place} --socket /opt/{name}/sock");
            self.machine.define(name, &deeds);
            self.machine.order("start", name);
        }
    }

    fn start(&self) {
        match self.init {
            "runit" => self.machine.attend("quorate"),
            "openrc" => {
                self.machine.must("rc-update add quorate default");
                self.machine.order("start", "quorate");
            }
            _ => drop(self.machine.must("systemctl enable --now quorate")),
        }
        eventually("it answers", || self.ask("status").code == 0);
    }

    fn ask(&self, words: &str) -> Outcome {
        self.machine.run(&format!("/usr/local/bin/quorate {words}"))
    }

    /// Makes alpha the master of a cluster that would bear its loss.
    fn lead(&self) {
        eventually("alpha leads, and could be lost", || {
            // Refused while it leads already, and while it cannot yet.
            self.ask("transfer alpha");
            let status = self.ask("status").stdout;
            status.contains("alpha is master") && status.contains("nothing would block")
        });
    }

    /// The process that has the state directory.
    fn process(&self) -> String {
        self.machine.must("cat /var/lib/quorate/lock").trim().to_owned()
    }

    /// What of the state is not that user's.
    fn disowned(&self, user: &str) -> String {
        self.machine.must(&format!("find /var/lib/quorate ! -user {user}"))
    }

    /// That it runs the program that is in place, as that user, who has all of the state.
    fn runs_as(&self, user: &str) {
        let process = self.process();
        assert_eq!(self.machine.must(&format!("stat -c %U /proc/{process}")).trim(), user);
        let program = self.machine.must(&format!("readlink /proc/{process}/exe"));
        assert_eq!(program.trim(), "/usr/local/bin/quorate");
        assert_eq!(self.disowned(user), "");
        // Members of the group may ask.
        let socket = self.machine.must("stat -c %a:%U:%G /run/quorate/quorate.sock");
        assert_eq!(socket.trim(), format!("660:{user}:quorate"));
    }

    /// Why alpha's masterships ended, as another node saw it.
    fn endings(&self) -> String {
        let socket =
            "--config /opt/bravo/node.yaml --state-dir /opt/bravo/state --socket /opt/bravo/sock";
        self.machine.must(&format!("/opt/quorate history {socket}"))
    }

    /// A release that differs by a byte that nobody reads.
    fn release_anew(&self) {
        let path = self.machine.file("opt/release/quorate");
        OpenOptions::new().append(true).open(path).unwrap().write_all(b"\n").unwrap();
    }

    /// All that installing could touch, with modes and owners.
    fn tree(&self) -> Vec<String> {
        let places = "/etc /usr/local /var/lib/quorate /var/log/quorate /var/log/quorate.log";
        let found = self.machine.run(&format!("find {places} -printf %M:%u:%g:%p\\n"));
        let is_ours = |line: &&str| !TRACES.iter().any(|trace| line.contains(trace));
        let mut lines: Vec<_> = found.stdout.lines().filter(is_ours).map(str::to_owned).collect();
        lines.sort();
        lines
    }
}

/// A node from its installation to its purge, with something happening to it in between.
fn lives(init: &'static str, meanwhile: impl FnOnce(&Host)) {
    let Some(host) = Host::with(init) else { return };
    let before = host.tree();
    host.install("--user quorate").printed();
    host.found();
    host.start_others();
    assert!(!host.disowned("quorate").is_empty(), "root made it");
    host.install("--repair").printed();
    host.start();
    host.lead();
    host.runs_as("quorate");
    meanwhile(&host);
    host.install("--uninstall").printed();
    assert!(host.machine.file("var/lib/quorate/state").exists());
    host.install("").printed();
    host.install("--uninstall --purge").printed();
    assert_eq!(host.tree(), before, "{init}");
    let names = host.machine.must("cat /etc/group /etc/passwd");
    assert!(!names.contains("quorate"), "{init}: {names}");
}

#[test]
fn a_node_under_openrc_is_installed_upgraded_repaired_and_taken_away_again() {
    lives("openrc", |host| {
        upgraded(host);
        repaired_while_it_runs(host);
        spared(host);
    });
}

#[test]
fn a_node_under_runit_is_upgraded_and_goes_back_to_what_it_ran_before() {
    lives("runit", |host| {
        upgraded(host);
        gone_back_on(host);
    });
}

#[test]
fn a_node_under_systemd_is_upgraded_and_goes_back_to_what_it_ran_before() {
    lives("systemd", |host| {
        upgraded(host);
        gone_back_on(host);
    });
}

/// In place, while it is master of a cluster that runs: mastership is handed over, and no promise
/// has to run out.
fn upgraded(host: &Host) {
    let process = host.process();
    host.release_anew();
    let said = host.install("").printed();
    assert!(said.contains("it runs again"), "{said}");
    assert_ne!(host.process(), process, "{said}");
    host.runs_as("quorate");
    let endings = host.endings();
    assert!(endings.contains("released") && !endings.contains("expired"), "{endings}");
}

/// A release that does all but serve.
fn gone_back_on(host: &Host) {
    let deeds = "#!/bin/sh\n[ \"$1\" != serve ] || exit 1\nexec /opt/quorate \"$@\"\n";
    host.machine.write("opt/broken", deeds);
    let outcome = host.install("--wait 3 --binary /opt/broken");
    outcome.refused(1, &["did not come up", "the old program runs again"]);
    host.runs_as("quorate");
}

/// As somebody did who ran as root what should not have been.
fn repaired_while_it_runs(host: &Host) {
    host.machine.must("chown -R root:root /var/lib/quorate");
    let process = host.process();
    host.install("--repair").printed();
    assert_ne!(host.process(), process);
    host.runs_as("quorate");
}

/// Where the cluster would not bear the loss of this node, it is restarted only by force.
fn spared(host: &Host) {
    host.machine.kill("^/opt/quorate.*charlie");
    eventually("it would not", || host.ask("status").stdout.contains("blocked"));
    let (process, before) = (host.process(), host.tree());
    host.release_anew();
    let refused = host.install("--wait 1");
    refused.refused(75, &["would cost mastership or quorum", "Nothing was changed"]);
    assert_eq!((host.process(), host.tree()), (process.clone(), before));
    host.install("--force").printed();
    assert_ne!(host.process(), process);
    host.runs_as("quorate");
}

#[test]
fn a_daemon_that_no_service_manager_started_is_left_alone() {
    let Some(host) = Host::with("openrc") else { return };
    host.install("").printed();
    host.found();
    host.machine.define("byhand", "exec /usr/local/bin/quorate serve");
    host.machine.order("start", "byhand");
    eventually("it answers", || host.ask("status").code == 0);
    let process = host.process();
    host.release_anew();
    let said = host.install("").printed();
    assert!(said.contains("no service manager started"), "{said}");
    host.install("--uninstall").refused(75, &["end it", "Nothing was removed"]);
    assert_eq!(host.process(), process);
    assert!(host.machine.file("usr/local/bin/quorate").exists());
}
