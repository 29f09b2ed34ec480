//! `quorate run`, many at once, and what its programs inherit. Never counts on an order.

use std::fs;

use super::command::{Running, run};
use super::looks::eventually;
use super::run_stage::{Stage, keeper_of};

#[test]
fn twenty_programs_run_at_once_and_are_dead_when_their_node_gives_mastership_up() {
    let mut stage = Stage::of(1);
    let mut fronts: Vec<Running> = (0..20).map(|_| stage.start("alpha", &[], "loop")).collect();
    eventually("twenty act", || (stage.living().len() >= 20).then_some(()));
    stage.cluster.stop("alpha");
    for front in &mut fronts {
        assert_eq!(front.wait(), 75);
    }
    assert!(stage.living().is_empty(), "something outlived the run: {:?}", stage.living());
}

/// F96, F100
#[test]
fn two_hundred_sessions_that_were_left_behind_die_with_their_mastership() {
    let mut stage = Stage::of(1);
    let mut front = stage.start("alpha", &[], "scattered");
    eventually("two hundred live", || (stage.living().len() > 200).then_some(()));
    stage.cluster.stop("alpha");
    assert_eq!(front.wait(), 75);
    assert!(stage.living().is_empty(), "something outlived the run: {:?}", stage.living());
}

/// What the caller hands on reaches it, as by exec(2), and nothing of ours.
#[test]
fn a_program_inherits_no_descriptor_of_those_that_run_it() {
    let stage = Stage::of(1);
    let ask = ["sh", "-c", "ls /proc/$$/fd"];
    assert_eq!(stage.run("alpha", &[], &ask).printed(), run(&[], ask).printed());
}

/// F101
#[test]
fn a_program_is_killed_for_memory_as_before_and_its_keeper_is_not() {
    let stage = Stage::of(1);
    let ours = fs::read_to_string("/proc/self/oom_score_adj").unwrap();
    let printed = stage.run("alpha", &[], &["cat", "/proc/self/oom_score_adj"]).printed();
    assert_eq!(printed, ours);
    let front = stage.start("alpha", &[], "plain");
    let keeper = keeper_of(front.pid()).as_raw_nonzero();
    stage.acts_after(0);
    let status = fs::read_to_string(format!("/proc/{keeper}/status")).unwrap();
    let locked = status.lines().find_map(|line| line.strip_prefix("VmLck:")).unwrap();
    assert_ne!(locked.split_whitespace().next(), Some("0"));
    // Only a process that may do so itself can say what the keeper has to have done.
    if !run(&[], ["sh", "-c", "echo -1000 > /proc/self/oom_score_adj"]).stderr.is_empty() {
        return eprintln!("skipped: here nobody may make a process last");
    }
    let score = fs::read_to_string(format!("/proc/{keeper}/oom_score_adj")).unwrap();
    assert_eq!(score, "-1000\n");
}
