//! `quorate run` whose own processes stand still or were killed, all at once and again and again:
//! what they ran is dead before their node votes, and their node does vote.
//! Never believes them: their node follows the next master only when nothing of them lives.

use std::fs;
use std::path::{Path, PathBuf};

use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process, prlimit};

use super::looks::eventually;
use super::run_stage::{Stage, keeper_of};

/// A control group whose processes stand still whatever they are sent, until dropped.
struct Freezer {
    group: PathBuf,
}

impl Freezer {
    /// None where no such group can be made.
    fn over(processes: &[Pid]) -> Option<Self> {
        let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
        let mounts = fs::read_to_string("/proc/self/mountinfo").ok()?;
        let name = format!("quorate-test-{}", std::process::id());
        let group = quorate::daemon::cgroup::place_in(&groups, &mounts)?.join(name);
        fs::create_dir(&group).ok()?;
        let freezer = Self { group };
        for pid in processes {
            fs::write(freezer.group.join("cgroup.procs"), pid.as_raw_nonzero().to_string()).ok()?;
        }
        fs::write(freezer.group.join("cgroup.freeze"), "1").ok()?;
        Some(freezer)
    }
}

impl Drop for Freezer {
    fn drop(&mut self) {
        // Processes that went on and ended leave it to be removed.
        fs::write(self.group.join("cgroup.freeze"), "0").unwrap_or(());
        fs::write(self.group.join("cgroup.kill"), "1").unwrap_or(());
        eventually("the group is empty", || fs::remove_dir(&self.group).ok());
    }
}

/// Another node than that one.
fn other(name: &str) -> &'static str {
    if name == "alpha" { "bravo" } else { "alpha" }
}

/// A master with a stubborn program, whose processes are frozen as `freeze` says, hands over.
fn hands_over_with(freeze: impl FnOnce(Pid) -> Option<Freezer>) -> (Stage, String) {
    let mut stage = Stage::of(3);
    let (master, term) = stage.cluster.settles();
    let front = stage.start(&master, &[], "stubborn");
    stage.acts_after(0);
    let _freezer = freeze(front.pid());
    // Whether it is handed over in time is not asked: that another acts, and this one follows it.
    stage.cluster.node(&master).ask(&["transfer", other(&master)]);
    let (next, later) = stage.cluster.settles();
    assert!(next != master && later > term, "{next} in {later} after {master} in {term}");
    assert!(stage.living().is_empty(), "something outlived its term: {:?}", stage.living());
    let log = stage.cluster.node(&master).log();
    (stage, log)
}

/// F35
#[test]
fn a_front_that_stands_still_is_woken_and_its_node_votes_again() {
    let (_, log) = hands_over_with(|front| {
        kill_process(front, Signal::STOP).unwrap();
        None
    });
    assert!(log.contains("woken"), "{log}");
}

/// F36
#[test]
fn a_front_and_a_keeper_that_stand_still_are_woken_and_their_node_votes_again() {
    let (_, log) = hands_over_with(|front| {
        [front, keeper_of(front)].iter().for_each(|pid| kill_process(*pid, Signal::STOP).unwrap());
        None
    });
    assert!(log.contains("woken"), "{log}");
}

/// F36
#[test]
fn what_runs_below_those_that_never_wake_is_killed_by_the_daemon() {
    let mut is_frozen = false;
    let (_, log) = hands_over_with(|front| {
        let freezer = Freezer::over(&[front, keeper_of(front)]);
        is_frozen = freezer.is_some();
        if !is_frozen {
            eprintln!("skipped: no control group can be made here");
        }
        freezer
    });
    assert!(!is_frozen || log.contains("killing what still lives"), "{log}");
}

/// F61
#[test]
fn a_front_and_a_keeper_that_get_neither_files_nor_memory_still_kill_what_they_run() {
    let mut stage = Stage::of(3);
    let (master, _) = stage.cluster.settles();
    let names: Vec<_> = stage.cluster.nodes.iter().map(|node| node.name.clone()).collect();
    let fronts: Vec<_> = names.iter().map(|name| stage.start(name, &[], "stubborn")).collect();
    let term = stage.acts_after(0);
    let front = &fronts[names.iter().position(|name| *name == master).unwrap()];
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    for pid in [front.pid(), keeper_of(front.pid())] {
        for resource in [Resource::Nofile, Resource::Data, Resource::Memlock] {
            prlimit(Some(pid), resource, none).unwrap();
        }
    }
    stage.cluster.crash(&master);
    assert!(stage.acts_after(term) > term);
    stage.never_overlapped();
}

/// A front that waits and stands still has nothing to be killed.
#[test]
fn a_front_that_never_read_its_grant_does_not_keep_its_node_mute() {
    let mut stage = Stage::of(3);
    let (master, term) = stage.cluster.settles();
    let next = other(&master);
    let mut front = stage.start(next, &["--restart"], "plain");
    eventually("it waits", || {
        let open = fs::read_dir(format!("/proc/{}/fd", front.pid().as_raw_nonzero())).ok()?;
        (open.count() > 6).then_some(())
    });
    front.signal(Signal::STOP);
    stage.cluster.node(&master).ask(&["transfer", next]).printed();
    stage.cluster.settles_on(next, &[&master]);
    stage.cluster.node(next).ask(&["transfer", &master]).printed();
    let (again, later) = stage.cluster.settles();
    assert!(again == master && later > term);
    assert!(stage.terms().is_empty());
    // It goes on as if nothing had been.
    front.signal(Signal::CONT);
    stage.cluster.node(&master).ask(&["transfer", next]).printed();
    assert!(stage.acts_after(0) > later);
    front.signal(Signal::TERM);
    assert!([0, 143].contains(&front.wait()));
}

/// Where control groups can be made, one that escaped from both is found there. F99
#[test]
fn what_escaped_from_a_front_and_a_keeper_that_were_killed_dies_in_its_control_group() {
    let stage = Stage::of(1);
    let front = stage.start("alpha", &[], "stubborn");
    stage.acts_after(0);
    let both = [front.pid(), keeper_of(front.pid())];
    let Some(group) = group_of(&stage) else {
        return eprintln!("skipped: no control group can be made here");
    };
    both.iter().for_each(|pid| kill_process(*pid, Signal::STOP).unwrap());
    both.iter().for_each(|pid| kill_process(*pid, Signal::KILL).unwrap());
    stage.all_die();
    eventually("its group is gone", || (!group.exists()).then_some(()));
}

/// The control group of what runs, if it has one of its own.
fn group_of(stage: &Stage) -> Option<PathBuf> {
    let pid = *stage.living().first()?;
    let groups = fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?;
    let mounts = fs::read_to_string("/proc/self/mountinfo").ok()?;
    let group = quorate::daemon::cgroup::place_in(&groups, &mounts)?;
    let is_own = |group: &Path| {
        group.file_name().is_some_and(|name| name.to_str().unwrap().starts_with("quorate-run-"))
    };
    Some(group).filter(|group| is_own(group))
}

#[test]
fn a_control_group_goes_with_what_was_in_it() {
    let stage = Stage::of(1);
    let mut front = stage.start("alpha", &[], "stubborn");
    stage.acts_after(0);
    let group = group_of(&stage);
    front.signal(Signal::TERM);
    let (front_pid, term) = (front.pid(), Signal::TERM);
    eventually("it ended", || kill_process(front_pid, term).is_err().then_some(()));
    assert_eq!(front.wait(), 137);
    assert!(stage.living().is_empty());
    match group {
        Some(group) => assert!(!group.exists()),
        None => eprintln!("skipped: no control group can be made here"),
    }
}
