//! A hardware watchdog as its node uses it; a FIFO stands in for the device and shows each byte.
//! Never a real device: that would reset this machine.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use rustix::fs::{CWD, FileType, Mode, OFlags, mknodat};
use rustix::process::Signal;

use super::cluster::{Cluster, acting, report};
use super::node::Node;

/// Makes the node's stand-in, which nobody has open.
fn equip(node: &Node) -> PathBuf {
    let path = node.home.join("watchdog");
    mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    let settings = node.home.join("node.yaml");
    let text = fs::read_to_string(&settings).unwrap();
    fs::write(&settings, format!("{text}watchdog: {path:?}\n")).unwrap();
    path
}

/// What a device would see.
struct Seen(File);

impl Seen {
    fn of(path: &PathBuf) -> Self {
        let flags = i32::try_from(OFlags::NONBLOCK.bits()).unwrap();
        Self(OpenOptions::new().read(true).custom_flags(flags).open(path).unwrap())
    }

    /// The bytes since the last call.
    fn bytes(&self) -> String {
        let mut bytes = Vec::new();
        match (&self.0).read_to_end(&mut bytes) {
            Ok(_) => {}
            Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
        }
        String::from_utf8(bytes).unwrap()
    }
}

#[test]
fn a_watchdog_is_armed_while_its_node_acts_and_disarmed_at_the_end() {
    let mut cluster = Cluster::founded(1, "never");
    let seen = Seen::of(&equip(cluster.node("alpha")));
    cluster.start();
    cluster.settles_on("alpha", &[]);
    assert!(seen.bytes().starts_with('.'), "armed before it acts");
    let pets = cluster.until("it is petted", |_| {
        let bytes = seen.bytes();
        (!bytes.is_empty()).then_some(bytes)
    });
    assert!(!pets.contains('V'), "{pets}");
    let status = cluster.node("alpha").ask(&["status"]).printed();
    assert!(status.contains("watchdog   armed; "), "{status}");
    cluster.stop("alpha");
    let bytes = seen.bytes();
    assert!(bytes.ends_with('V') && bytes.matches('V').count() == 1, "{bytes}");
}

/// F36
/// Promises: P6
#[test]
fn a_watchdog_is_not_petted_for_a_daemon_that_stands_still_nor_disarmed_by_its_death() {
    let mut cluster = Cluster::founded(3, "never");
    let seen: Vec<_> =
        cluster.nodes.iter().map(|node| (node.name.clone(), Seen::of(&equip(node)))).collect();
    cluster.start();
    let (master, _) = cluster.settles();
    let seen = &seen.iter().find(|(name, _)| *name == master).unwrap().1;
    assert!(seen.bytes().starts_with('.'));
    cluster.node(&master).signal(Signal::STOP);
    seen.bytes();
    cluster.until("another node acts", |view| {
        view.values()
            .flatten()
            .find(|other| other.role == "master" && other.node != master)
            .map(drop)
    });
    assert_eq!(seen.bytes(), "");
    cluster.crash(&master);
    assert_eq!(seen.bytes(), "");
}

#[test]
fn a_node_that_cannot_arm_its_watchdog_does_not_act_and_says_why() {
    let mut cluster = Cluster::founded(1, "never");
    let device = equip(cluster.node("alpha"));
    cluster.start();
    // Nobody reads from the FIFO: it cannot be opened.
    cluster.until("it objects", |view| {
        let objections = &report(view, "alpha")?.objections;
        objections.iter().any(|one| one.contains("watchdog cannot be armed: ")).then_some(())
    });
    assert!(acting(&cluster.until("it answers", |view| Some(view.clone())), "alpha").is_none());
    let events = cluster.node("alpha").ask(&["events", "--json"]).printed();
    assert_eq!(events.matches("\"watchdog-unusable\"").count(), 1, "{events}");
    let checked = cluster.node("alpha").ask(&["config", "check"]).printed();
    assert!(checked.contains("nobody can say when the watchdog fires"), "{checked}");
    let seen = Seen::of(&device);
    cluster.settles_on("alpha", &[]);
    assert!(seen.bytes().starts_with(".V."), "tried, undone, and armed before it acts");
}
