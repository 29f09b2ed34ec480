//! What a daemon tells whoever supervises it, through the socket that the environment names.
//! Never an init: the test itself listens.

use std::fs;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::path::Path;

use rustix::process::Signal;

use super::clock::PATIENCE;
use super::cluster::{Cluster, loopback_addresses};
use super::looks::{eventually, pids};
use super::node::Node;

/// Whoever started a daemon.
struct Supervisor {
    socket: UnixDatagram,
    /// What the daemon's environment says of it.
    variable: String,
}

impl Supervisor {
    fn at(name: &str) -> Self {
        let address = match name.strip_prefix('@') {
            Some(name) => SocketAddr::from_abstract_name(name),
            None => SocketAddr::from_pathname(name),
        };
        let socket = UnixDatagram::bind_addr(&address.unwrap()).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Self { socket, variable: format!("NOTIFY_SOCKET={name}") }
    }

    /// Has that node started with the words of this one in its environment, `more` among them.
    fn starts(&self, node: &mut Node, more: &[&str]) {
        let words = ["env", self.variable.as_str()];
        node.prefix = words.iter().chain(more).map(|word| (*word).to_owned()).collect();
        node.start();
    }

    fn hears(&self) -> String {
        let mut room = [0; 4096];
        let length = self.socket.recv(&mut room).expect("the daemon says something");
        String::from_utf8(room[..length].to_vec()).unwrap()
    }

    /// The next that begins so; what comes before is let go by.
    fn waits_for(&self, beginning: &str) -> String {
        let mut heard = Vec::new();
        loop {
            let next = self.hears();
            if next.starts_with(beginning) {
                return next;
            }
            heard.push(next);
            assert!(heard.len() < 10_000, "`{beginning}` is not said: {heard:?}");
        }
    }

    /// Until it says that a reload begins; then it says when that was, in microseconds.
    fn hears_a_reload(&self) -> u64 {
        let begun = self.waits_for("RELOADING=1");
        let date = begun.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").expect("it is dated");
        self.waits_for("READY=1");
        date.parse().unwrap()
    }
}

/// Three nodes, of which the first has a guard; nothing is started.
fn three() -> Cluster {
    let prepare = |nodes: &mut [Node]| nodes[0].more = "hooks: {master: [/bin/true]}\n".to_owned();
    Cluster::prepared(&loopback_addresses(3), &vec![Vec::new(); 3], "never", prepare)
}

#[test]
fn a_daemon_says_that_it_is_ready_before_it_hears_a_majority_and_then_what_it_does() {
    let mut cluster = three();
    let path = cluster.place().join("supervisor");
    let by_path = Supervisor::at(path.to_str().unwrap());
    by_path.starts(&mut cluster.nodes[0], &[]);
    assert_eq!(by_path.hears(), "READY=1", "nothing is said before that");
    let status = cluster.nodes[0].ask(&["status"]).printed();
    assert!(status.contains("nobody is master"), "{status}");
    let lone = by_path.hears();
    assert!(lone.starts_with("STATUS=follower, no master, term "), "{lone}");
    assert!(lone.ends_with(", no majority heard"), "{lone}");
    let name = format!("@quorate{}", path.display());
    let by_name = Supervisor::at(&name);
    by_name.starts(&mut cluster.nodes[1], &[]);
    by_name.waits_for("READY=1");
    cluster.nodes[0].ask(&["wait", "--for", "master", "--timeout", "60s"]).printed();
    let master = cluster.nodes[0].ask(&["master"]).printed();
    let (leads, follows) =
        if master == "alpha\n" { (&by_path, &by_name) } else { (&by_name, &by_path) };
    leads.waits_for("STATUS=master, term ");
    follows.waits_for(&format!("STATUS=follower of {}, term ", master.trim()));
}

#[test]
fn a_daemon_says_when_it_reads_its_settings_again_and_when_it_leaves() {
    let mut cluster = three();
    let path = cluster.place().join("supervisor");
    let supervisor = Supervisor::at(path.to_str().unwrap());
    let node = &mut cluster.nodes[0];
    supervisor.starts(node, &["WATCHDOG_USEC=400000"]);
    supervisor.waits_for("READY=1");
    node.signal(Signal::HUP);
    let good = supervisor.hears_a_reload();
    fs::write(node.home.join("node.yaml"), "nonsense: 1\n").unwrap();
    node.signal(Signal::HUP);
    assert!(supervisor.hears_a_reload() > good);
    // More often than it has to.
    (0..8).for_each(|_| drop(supervisor.waits_for("WATCHDOG=1")));
    node.signal(Signal::TERM);
    let last = supervisor.waits_for("STOPPING=1");
    let more = last.strip_prefix("STOPPING=1\nEXTEND_TIMEOUT_USEC=").expect("it says how long");
    assert!(more.parse::<u64>().unwrap() > 2_000_000, "its lease is not waited for: {last}");
    assert_eq!(node.end(Signal::CONT), 0);
}

#[test]
fn what_a_daemon_starts_does_not_find_its_supervisor() {
    let mut cluster = three();
    let path = cluster.place().join("supervisor");
    let supervisor = Supervisor::at(path.to_str().unwrap());
    let node = &mut cluster.nodes[0];
    supervisor.starts(node, &["WATCHDOG_PID=1", "WATCHDOG_USEC=1000"]);
    supervisor.waits_for("READY=1");
    let words =
        |pid: i32, file: &str| fs::read(Path::new("/proc").join(pid.to_string()).join(file));
    let has = |pid: i32, file: &str, text: &str| {
        words(pid, file).is_ok_and(|words| String::from_utf8_lossy(&words).contains(text))
    };
    let home = node.home.display().to_string();
    let is_guard = |pid: &i32| has(*pid, "cmdline", "guard\0") && has(*pid, "cmdline", &home);
    let guard = eventually("it has a guard", || pids().find(is_guard));
    assert_eq!(words(guard, "environ").unwrap(), b"");
    let told: Vec<_> = pids().filter(|pid| has(*pid, "environ", &supervisor.variable)).collect();
    assert_eq!(told, [node.pid().as_raw_nonzero().get()]);
    // The signs of life were meant for another process, which started this one.
    node.signal(Signal::TERM);
    loop {
        let heard = supervisor.hears();
        assert!(!heard.starts_with("WATCHDOG"), "{heard}");
        if heard.starts_with("STOPPING=1") {
            break;
        }
    }
}

#[test]
fn a_daemon_whose_supervisor_cannot_be_reached_serves_all_the_same() {
    let mut cluster = three();
    let node = &mut cluster.nodes[0];
    for (name, why) in [("nowhere", "neither a path nor @ and a name"), ("/no/such", "No such")] {
        node.prefix = vec!["env".to_owned(), format!("NOTIFY_SOCKET={name}")];
        node.start();
        eventually("it serves and says why it tells nobody", || {
            let log = node.log();
            (log.contains(why) && log.contains("serving")).then_some(())
        });
        assert_eq!(node.end(Signal::TERM), 0);
    }
}
