//! `quorate run` that waits with a keeper at the ready: what it starts at the grant lives and ends
//! as if its keeper had been started then, and whatever befell it meanwhile, CMD is started.
//! Never looks at how soon: under-mastership measures that.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::clock::now;
use super::command::Running;
use super::looks::eventually;
use super::run_stage::{Stage, keeper_of};

/// Longer than any lease of these clusters: no span of the time when a keeper got ready holds.
const LONG: Duration = Duration::from_secs(3);

/// A cluster with a front that waits on a follower, which it gives with its name.
fn waits() -> (Stage, String, Running) {
    let stage = Stage::of(3);
    let (master, _) = stage.cluster.settles();
    let next = if master == "alpha" { "bravo" } else { "alpha" };
    let front = stage.start(next, &["--restart"], "stubborn");
    (stage, next.to_owned(), front)
}

fn hand_over(stage: &mut Stage, to: &str) {
    let (master, _) = stage.cluster.settles();
    let master = stage.cluster.nodes.iter().find(|node| node.name == master).unwrap();
    // A node that was just started votes for nobody yet, and is not handed anything.
    eventually("it is handed over", || (master.ask(&["transfer", to]).code == 0).then_some(()));
}

/// The control group in which a process is, where the system has any.
fn group_of(pid: i32) -> Option<PathBuf> {
    let groups = fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?;
    let mounts = fs::read_to_string("/proc/self/mountinfo").ok()?;
    quorate::daemon::cgroup::place_in(&groups, &mounts)
}

/// The one that belongs to that keeper, as soon as it is in it; none where none can be made.
fn own_group(keeper: Pid) -> Option<PathBuf> {
    let here = group_of(std::process::id().cast_signed())?;
    let probe = here.join(format!("quorate-test-ready-{}", keeper.as_raw_nonzero()));
    fs::create_dir(&probe).ok()?;
    fs::remove_dir(&probe).unwrap();
    let name = format!("quorate-run-{}", keeper.as_raw_nonzero());
    let is_own = |group: &Path| group.file_name().is_some_and(|found| found == name.as_str());
    Some(eventually("it is in a group of its own", || {
        group_of(keeper.as_raw_nonzero().get()).filter(|group| is_own(group))
    }))
}

fn is_gone(pid: Pid) -> bool {
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero()));
    stat.is_ok_and(|stat| stat.contains(") Z")) || kill_process(pid, Signal::CONT).is_err()
}

#[test]
fn a_keeper_that_waited_longer_than_a_lease_keeps_by_the_lease_of_its_grant() {
    let (mut stage, next, front) = waits();
    let keeper = keeper_of(front.pid());
    let group = own_group(keeper);
    let ready = now();
    eventually("every earlier lease is over", || (now() - ready > LONG).then_some(()));
    assert!(stage.living().is_empty(), "something ran on a follower");
    hand_over(&mut stage, &next);
    let term = stage.acts_after(0);
    assert_eq!(keeper_of(front.pid()), keeper, "another keeper was started for the grant");
    // The program was born in the group, and the keeper is out of what kills it.
    if let Some(group) = group {
        let living = stage.living();
        assert!(living.iter().all(|pid| group_of(*pid).is_none_or(|its| its == group)));
        let keeper = keeper.as_raw_nonzero().get();
        eventually("the keeper has left it", || (group_of(keeper)? != group).then_some(()));
    }
    // It goes on by extensions, and ends by its own clocks when none come.
    let began = now();
    eventually("it outlives the lease of its grant", || (now() - began > LONG).then_some(()));
    assert!(!stage.living().is_empty(), "it ended though mastership went on");
    front.signal(Signal::STOP);
    stage.cluster.node(&next).signal(Signal::STOP);
    stage.all_die();
    stage.cluster.node(&next).signal(Signal::CONT);
    front.signal(Signal::CONT);
    stage.cluster.settles();
    assert!(stage.terms().iter().all(|one| *one >= term));
    stage.never_overlapped();
}

#[test]
fn a_keeper_that_waits_ends_with_its_front_and_leaves_no_control_group() {
    for signal in [Signal::TERM, Signal::KILL] {
        let (stage, _, mut front) = waits();
        let keeper = keeper_of(front.pid());
        let group = own_group(keeper);
        if signal == Signal::KILL {
            // Its front's death wakes one that was stopped.
            kill_process(keeper, Signal::STOP).unwrap();
        }
        front.signal(signal);
        if signal == Signal::TERM {
            assert_eq!(front.wait(), 143);
        }
        eventually("the keeper is gone", || is_gone(keeper).then_some(()));
        eventually("so is its group", || {
            group.as_ref().is_none_or(|group| !group.exists()).then_some(())
        });
        assert!(stage.terms().is_empty());
    }
}

#[test]
fn a_grant_finds_a_keeper_though_the_one_that_waited_was_killed_or_stopped() {
    for signal in [Signal::KILL, Signal::STOP] {
        let (mut stage, next, front) = waits();
        let keeper = keeper_of(front.pid());
        kill_process(keeper, signal).unwrap();
        hand_over(&mut stage, &next);
        stage.acts_after(0);
        assert_eq!(keeper_of(front.pid()) == keeper, signal == Signal::STOP);
        front.signal(Signal::KILL);
        stage.all_die();
    }
}

#[test]
fn a_keeper_that_waits_goes_with_the_conversation_and_another_comes_with_the_next() {
    let (mut stage, next, front) = waits();
    let keeper = keeper_of(front.pid());
    stage.cluster.crash(&next);
    // Buried, too: it is not there as a dead child of its front.
    let path = format!("/proc/{}", keeper.as_raw_nonzero());
    stage.cluster.node(&next).start();
    eventually("the first one is buried", || (!Path::new(&path).exists()).then_some(()));
    assert_ne!(keeper_of(front.pid()), keeper);
    hand_over(&mut stage, &next);
    stage.acts_after(0);
}
