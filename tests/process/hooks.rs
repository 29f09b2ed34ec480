//! Hooks with real daemons: one at a time, undone before anybody else acts, whoever dies or stands
//! still. Never believes a daemon about its hooks; see `hooked`.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use rustix::process::{Signal, kill_process};
use serde_json::Value;

use super::cluster::acting;
use super::hooked::Hooked;
use super::looks::eventually;

/// The first master acts and leaves something stubborn behind; then mastership breaks, and the
/// next master's hook must find everything of it dead and undone.
fn is_undone_before_the_next_begins(breaks: impl FnOnce(&mut Hooked, &str)) {
    let mut hooked = Hooked::founded(3, "  retries: 0");
    ["alpha", "bravo", "charlie"].iter().for_each(|node| hooked.let_it(node, "master", "leaves"));
    hooked.cluster.start();
    let (master, term) = hooked.cluster.settles();
    let seen = hooked.waits_for(0, &master, "stray", "act");
    breaks(&mut hooked, &master);
    let next = hooked.succeeds(seen, &master);
    assert!(hooked.deeds()[next].term > term);
    hooked.waits_for(next, &hooked.deeds()[next].node.clone(), "stray", "act");
    hooked.never_interleaved();
}

#[test]
fn a_handover_is_undone_before_the_next_master_hook_begins() {
    is_undone_before_the_next_begins(|hooked, master| {
        hooked.gives_up(master, &["step-down"]);
    });
}

/// F01, F96
#[test]
fn a_killed_daemon_is_undone_before_the_next_master_hook_begins() {
    is_undone_before_the_next_begins(|hooked, master| {
        let seen = hooked.deeds().len();
        hooked.cluster.crash(master);
        hooked.waits_for(seen, master, "backup", "end");
    });
}

/// F107: a panic in any thread ends the process by this signal.
#[test]
fn an_aborted_daemon_is_undone_before_the_next_master_hook_begins() {
    is_undone_before_the_next_begins(|hooked, master| {
        let seen = hooked.deeds().len();
        assert_eq!(hooked.cluster.node(master).end(Signal::ABORT), 134);
        hooked.waits_for(seen, master, "backup", "end");
    });
}

#[test]
fn a_stopped_daemon_is_undone_before_the_next_master_hook_begins() {
    is_undone_before_the_next_begins(|hooked, master| hooked.cluster.stop(master));
}

/// F34
#[test]
fn a_daemon_that_stands_still_is_undone_before_the_next_master_hook_begins() {
    is_undone_before_the_next_begins(|hooked, master| {
        hooked.cluster.node(master).signal(Signal::STOP);
        hooked.cluster.until("another node acts", |view| {
            view.keys().find(|name| *name != master && acting(view, name).is_some()).cloned()
        });
        hooked.cluster.node(master).signal(Signal::CONT);
    });
}

/// F98
#[test]
fn a_killed_guard_ends_mastership_and_the_next_one_undoes_it() {
    is_undone_before_the_next_begins(|hooked, master| {
        kill_process(hooked.guard_of(master), Signal::KILL).unwrap();
    });
}

/// F35
#[test]
fn a_guard_that_stands_still_is_killed_and_the_next_one_undoes_mastership() {
    is_undone_before_the_next_begins(|hooked, master| {
        kill_process(hooked.guard_of(master), Signal::STOP).unwrap();
    });
}

/// F99: what the hook itself is dies; the system ties it to its guard.
#[test]
fn a_hook_dies_with_its_daemon_and_its_guard() {
    let mut hooked = Hooked::founded(1, "");
    hooked.let_it("alpha", "master", "slow");
    hooked.cluster.start();
    hooked.cluster.settles();
    hooked.waits_for(0, "alpha", "master", "begin");
    let guard = hooked.guard_of("alpha");
    hooked.cluster.node("alpha").signal(Signal::STOP);
    kill_process(guard, Signal::KILL).unwrap();
    hooked.cluster.crash("alpha");
    hooked.all_die();
}

/// F99: what it left behind dies with the next guard, by the control group of the dead one.
#[test]
fn what_daemon_and_guard_left_behind_when_both_were_killed_dies_with_the_next_guard() {
    let mut hooked = Hooked::founded(1, "");
    hooked.let_it("alpha", "master", "leaves");
    hooked.cluster.start();
    let seen = hooked.waits_for(0, "alpha", "stray", "act");
    if !hooked.has_control_group() {
        return eprintln!("skipped: no control group can be made here");
    }
    let guard = hooked.guard_of("alpha");
    hooked.cluster.node("alpha").signal(Signal::STOP);
    kill_process(guard, Signal::KILL).unwrap();
    hooked.cluster.crash("alpha");
    hooked.waits_for(seen, "alpha", "stray", "act");
    hooked.let_it("alpha", "master", "plain");
    hooked.cluster.node("alpha").start();
    hooked.all_die();
}

#[test]
fn the_hooks_of_a_node_run_in_order_and_are_told_everything() {
    let mut hooked = Hooked::of(1, "");
    hooked.waits_for(0, "alpha", "master", "end");
    let steps: Vec<_> = hooked.deeds().into_iter().map(|deed| (deed.what, deed.step)).collect();
    let step = |what: &str, step: &str| (what.to_owned(), step.to_owned());
    let wanted = [
        step("backup", "begin"),
        step("backup", "end"),
        step("master", "begin"),
        step("master", "end"),
    ];
    assert_eq!(steps, wanted);
    let environment = hooked.told("alpha", "master", "env");
    for line in ["QUORATE_ROLE=master", "QUORATE_PREV_ROLE=backup", "HOME=/", "LANG=C.UTF-8"] {
        assert!(environment.lines().any(|one| one == line), "{line} in {environment}");
    }
    assert!(!environment.contains("CARGO"), "the daemon's own environment is not theirs");
    let told: Value = serde_json::from_str(&hooked.told("alpha", "master", "json")).unwrap();
    assert_eq!((told["schema"].as_u64(), told["event"].as_str()), (Some(1), Some("master")));
    assert_eq!(told["term"].as_u64(), Some(hooked.deeds()[2].term));
    let place = hooked.told("alpha", "master", "place");
    let lines: Vec<&str> = place.lines().map(str::trim).collect();
    let [umask, pwd, session, pid] = lines[lines.len() - 4..] else { panic!("{place}") };
    assert_eq!([umask, pwd], ["0022", "/"]);
    assert_eq!(session, pid, "a hook has a session of its own");
    // The last one is the list itself.
    assert_eq!(lines[..lines.len() - 4], ["0", "1", "2", "3"], "nothing that anybody left open");
    hooked.cluster.stop("alpha");
    hooked.waits_for(4, "alpha", "backup", "end");
    let record = fs::read_to_string(hooked.cluster.node("alpha").state().join("hooks.json"));
    assert!(record.unwrap().contains("\"role\":\"backup\""));
}

/// F103
#[test]
fn a_hook_that_floods_is_read_and_not_logged() {
    let mut hooked = Hooked::founded(1, "");
    hooked.let_it("alpha", "master", "floods");
    hooked.cluster.start();
    hooked.waits_for(0, "alpha", "master", "end");
    let log = eventually("the log owns up", || {
        let log = hooked.cluster.nodes[0].log();
        log.contains("more bytes of its output are not logged").then_some(log)
    });
    assert!(log.len() < 200_000, "{} bytes of log", log.len());
}

/// F96, F102: killed at its time-out with all it started, then the next node tries.
#[test]
fn a_master_hook_that_hangs_is_killed_whole_and_mastership_handed_over() {
    let mut hooked = Hooked::founded(3, "  timeout: 1s\n  retries: 0");
    hooked.let_it("alpha", "master", "hangs");
    hooked.cluster.start();
    let next = hooked.succeeds(0, "alpha");
    hooked.never_interleaved();
    let deeds = hooked.deeds();
    assert!(deeds[..next].iter().any(|deed| deed.node == "alpha" && deed.what == "stray"));
    let events = hooked.cluster.node("alpha").ask(&["events", "--json"]).printed();
    for code in ["hook-timed-out", "hook-gave-up", "ended-hook-failed"] {
        assert!(events.contains(code), "{code} in {events}");
    }
}

#[test]
fn a_master_hook_that_fails_hands_mastership_over() {
    let mut hooked = Hooked::founded(3, "  retries: 1");
    hooked.let_it("alpha", "master", "fails");
    hooked.cluster.start();
    let next = hooked.succeeds(0, "alpha");
    let tries = hooked.deeds()[..next]
        .iter()
        .filter(|deed| deed.node == "alpha" && deed.what == "master")
        .count();
    assert_eq!(tries, 2, "once more than it failed");
    let log = hooked.cluster.node("alpha").log();
    assert!(log.contains("hook master failed: exit code 3 (last line: not today)"), "{log}");
    assert!(log.contains("hook master: not today"), "{log}");
}

#[test]
fn five_changes_of_role_during_one_hook_leave_the_last_one_applied() {
    let hooked = Hooked::of(3, "");
    let (master, _) = hooked.cluster.settles();
    hooked.waits_for(0, &master, "master", "end");
    let other = if master == "alpha" { "bravo" } else { "alpha" };
    hooked.let_it(&master, "master", "slow");
    hooked.let_it(other, "master", "slow");
    let seen = hooked.deeds().len();
    for to in [other, &master, other, &master, other] {
        let from = if to == other { master.as_str() } else { other };
        hooked.gives_up(from, &["transfer", to]);
    }
    hooked.waits_for(seen, other, "master", "end");
    hooked.never_interleaved();
    let deeds = hooked.deeds();
    let last = deeds.iter().rfind(|deed| deed.node == other).unwrap();
    assert_eq!([last.what.as_str(), &last.step], ["master", "end"]);
}

#[test]
fn a_hook_that_others_may_change_is_never_started_and_the_log_says_why() {
    let mut hooked = Hooked::founded(1, "");
    let script = hooked.cluster.place().join("hook");
    fs::set_permissions(script, Permissions::from_mode(0o777)).unwrap();
    hooked.cluster.start();
    eventually("it is refused", || {
        let log = hooked.cluster.nodes[0].log();
        log.contains("hook backup could not be started").then_some(())
    });
    assert!(hooked.deeds().is_empty());
    hooked.cluster.settles();
}

#[test]
fn every_event_reaches_the_event_hook_in_order() {
    let mut hooked = Hooked::founded(1, "");
    let place = hooked.cluster.place().to_owned();
    let script = place.join("tell");
    let body = format!("#!/bin/sh\necho \"$QUORATE_SEQ $1\" >> {}/told\n", place.display());
    fs::write(&script, body).unwrap();
    fs::set_permissions(&script, Permissions::from_mode(0o755)).unwrap();
    let yaml = hooked.cluster.node("alpha").home.join("node.yaml");
    let text = fs::read_to_string(&yaml).unwrap();
    fs::write(&yaml, format!("{text}  event: [{}]\n", script.display())).unwrap();
    hooked.cluster.start();
    let told = eventually("it is told of the election and of both hooks", || {
        let told = fs::read_to_string(place.join("told")).unwrap_or_default();
        (told.contains("elected") && told.matches("hook-ok").count() == 2).then_some(told)
    });
    let count = |line: &str| line.split(' ').next().unwrap().parse().unwrap();
    let counts: Vec<u64> = told.lines().map(count).collect();
    let wanted: Vec<u64> = (counts[0]..).take(counts.len()).collect();
    assert_eq!(counts, wanted, "none is missing and none comes twice");
}

/// That the shared file is judged as it should be.
#[test]
fn a_mastership_that_begins_before_the_last_one_is_undone_is_an_interleaving() {
    let hooked = Hooked::of(1, "");
    hooked.waits_for(0, "alpha", "master", "end");
    hooked.never_interleaved();
    let shared = hooked.cluster.place().join("shared");
    for bad in ["bravo 9 master begin\n", "alpha 0 stray act\n"] {
        let text = fs::read_to_string(&shared).unwrap();
        fs::write(&shared, format!("{text}{bad}")).unwrap();
        let judge = std::panic::AssertUnwindSafe(|| hooked.never_interleaved());
        assert!(std::panic::catch_unwind(judge).is_err(), "{bad} passes");
        fs::write(&shared, text).unwrap();
    }
}
