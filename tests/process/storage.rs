//! The disk fails, lies, stalls and loses power at every step of a write, under a real daemon.
//! Never breaks a real disk: a library between daemon and kernel does what such a disk does.

use std::fs;

use quorate::protocol::durable::Durable;
use quorate::settings::cluster;
use quorate::wire::record;

use super::cluster::{acting, report};
use super::orders::Frail;
use crate::spec::crashes::{STEPS, Step};

const NO_SPACE: i32 = 28;
const READ_ONLY: i32 = 30;
const QUOTA: i32 = 122;
const INPUT_OUTPUT: i32 = 5;
const TOO_MANY_FILES: i32 = 24;

impl Frail {
    /// What a restart would find on that node's disk.
    fn on_disk(&self, name: &str) -> Durable {
        let charter_of =
            |body: &str| cluster::parse(body, "cluster.yaml").map_err(|error| error.to_string());
        record::decode(&self.bytes_on_disk(name), &charter_of).expect("a whole record")
    }

    fn bytes_on_disk(&self, name: &str) -> Vec<u8> {
        let node = self.cluster.nodes.iter().find(|node| node.name == name);
        fs::read(node.unwrap().state().join("state")).unwrap()
    }

    /// Waits until that node says that its storage failed.
    fn notices_failure(&self, name: &str) {
        self.cluster.until("it says that its storage failed", |view| {
            report(view, name)?.storage_failed.then_some(())
        });
    }
}

/// F47
#[test]
fn a_vote_that_could_not_be_synced_is_not_given_and_its_node_stays_mute() {
    let Some((mut frail, master, _)) = Frail::settled(3) else { return };
    let [voter, candidate] = <[String; 2]>::try_from(frail.others(&master)).unwrap();
    frail.order_disk(&voter, &format!("disk fsync 1+ fail {INPUT_OUTPUT}"));
    let before = frail.bytes_on_disk(&voter);
    // The candidate needs this very vote.
    frail.cluster.crash(&master);
    frail.notices_failure(&voter);
    assert!(frail.faults(&voter).tells("hit fsync fail"));
    assert_eq!(frail.bytes_on_disk(&voter), before, "the old record stays the truth");
    let shown = frail.cluster.node(&voter).ask(&["status"]).stdout;
    assert!(shown.to_lowercase().contains("storage failed"), "{shown}");
    frail.cluster.until("the candidate knows that it cannot count on that vote", |view| {
        let peers = &report(view, &candidate)?.peers;
        assert!(acting(view, &candidate).is_none(), "elected by a vote that was never durable");
        peers.iter().any(|peer| peer.id == voter && peer.vote_ready == Some(false)).then_some(())
    });
    // The disk is sound again, but a failed write is not forgotten before a restart.
    frail.order_disk(&voter, "");
    frail.cluster.node(&master).start();
    frail.cluster.until("another node acts and the failed one is still mute", |view| {
        assert!(report(view, &voter)?.storage_failed, "it forgot its failed write");
        acting(view, &candidate).or_else(|| acting(view, &master)).map(|_| ())
    });
    frail.restart_sound(&voter);
    frail.cluster.settles();
}

/// F48, F61
#[test]
fn whatever_a_write_fails_with_silences_its_node_and_not_the_cluster() {
    let Some((mut frail, ..)) = Frail::settled(3) else { return };
    let faults = [
        (format!("disk write 1+ fail {NO_SPACE}"), "make room"),
        (format!("disk open 1+ fail {READ_ONLY}"), "mounted read-only"),
        (format!("disk fsync 2+ fail {QUOTA}"), "make room"),
        (format!("disk open 1+ fail {TOO_MANY_FILES}"), "cannot create a new"),
        (format!("disk write 1 short 3\ndisk write 2+ fail {NO_SPACE}"), "make room"),
    ];
    for (index, (lines, words)) in faults.iter().enumerate() {
        let (master, _) = frail.cluster.settles();
        let voter = frail.others(&master)[index % 2].clone();
        frail.order_disk(&voter, lines);
        frail.cluster.node(&master).ask(&["step-down", "--for", "1s"]);
        frail.notices_failure(&voter);
        frail.cluster.until("a sound node acts", |view| {
            view.values().flatten().any(|one| one.role == "master").then_some(())
        });
        let log = frail.cluster.node(&voter).log();
        assert!(log.contains(words) && log.contains("restarted on a sound disk"), "{lines}: {log}");
        frail.restart_sound(&voter);
    }
    frail.cluster.settles();
}

/// F48
#[test]
fn no_daemon_starts_on_a_disk_that_cannot_be_written() {
    let Some(frail) = Frail::founded(1) else { return };
    let before = frail.bytes_on_disk("alpha");
    // The lock is the first file made, the leftover of the spent storage id the first removed.
    for call in ["unlink 1", "unlink 2", "open 1", "open 2", "write 1", "fsync 1", "rename 1"] {
        for errno in [NO_SPACE, READ_ONLY, QUOTA, INPUT_OUTPUT] {
            let lines = format!("disk {call} fail {errno}");
            frail.faults[0].give(&frail.disk_lines("alpha", &lines));
            frail.cluster.nodes[0].fail_to_start().refused(74, &["/state"]);
            assert_eq!(frail.bytes_on_disk("alpha"), before, "{lines}");
        }
    }
}

/// F49
#[test]
fn a_short_write_is_continued_and_a_disk_that_lies_about_one_is_caught_at_the_next_start() {
    let Some(frail) = Frail::founded(1) else { return };
    let start = |lines: &str| {
        frail.faults[0].give(&frail.disk_lines("alpha", lines));
        frail.cluster.nodes[0].fail_to_start()
    };
    let before = frail.on_disk("alpha");
    assert_eq!(start("disk write 1 short 3\ndisk fsync 2 crash-after").code, 137);
    assert_eq!(frail.on_disk("alpha").sequence, before.sequence + 1, "written in two pieces");
    assert_eq!(start("disk write 1 lie 3\ndisk fsync 2 crash-after").code, 137);
    start("").refused(65, &["checksum", "votes are lost"]);
}

/// F50, R1
#[test]
fn a_record_is_written_in_the_steps_whose_power_cuts_are_played_through() {
    let Some(frail) = Frail::founded(1) else { return };
    frail.faults[0].give(&frail.disk_lines("alpha", "trace\ndisk open 3 crash-before"));
    assert_eq!(frail.cluster.nodes[0].fail_to_start().code, 137);
    let diary = frail.faults[0].diary();
    let all: Vec<&str> = diary.lines().filter_map(|line| line.strip_prefix("did ")).collect();
    // The lock is made first; the record written second ends in the crash.
    let start = all.iter().skip(1).position(|call| *call == "open").unwrap();
    assert_eq!(all[start..start + STEPS.len()], STEPS.map(Step::call), "{all:?}");
}

/// F50, R1, R3
#[test]
fn a_crash_at_any_step_of_a_write_leaves_the_old_or_the_new_record() {
    let Some(frail) = Frail::founded(1) else { return };
    let mut before = frail.on_disk("alpha");
    let mut crashes = 0;
    let mut kept = 0;
    // The first write of a start is the loaded state's; then come vote, document, commit.
    for nth in 1..=4 {
        for (call, each) in [("unlink", 1), ("open", 1), ("write", 1), ("fsync", 2), ("rename", 1)]
        {
            for step in 0..each {
                for action in ["crash-before", "crash-after"] {
                    let which = (nth - 1) * each + 1 + step;
                    let lines = format!("disk {call} {which} {action}");
                    frail.faults[0].give(&frail.disk_lines("alpha", &lines));
                    assert_eq!(frail.cluster.nodes[0].fail_to_start().code, 137, "{lines}");
                    let after = frail.on_disk("alpha");
                    let is_same = after == before;
                    assert!(is_same || after.may_follow(&before), "{lines}: {before:?} {after:?}");
                    kept += u32::from(is_same);
                    crashes += 1;
                    before = after;
                }
            }
        }
    }
    assert_eq!(crashes, 4 * 6 * 2);
    assert!(kept > 0 && before.term.0 >= 10, "{kept} kept, and {:?}", before.term);
}
