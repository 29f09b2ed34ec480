//! `quorate run`, many at once, and what its programs inherit. Never counts on an order.

use std::fs;

use super::command::Running;
use super::run_stage::{Stage, eventually, keeper_of};

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

#[test]
fn a_program_inherits_its_three_streams_and_nothing_else() {
    let stage = Stage::of(1);
    let printed = stage.run("alpha", &[], &["sh", "-c", "ls /proc/$$/fd"]).printed();
    assert_eq!(printed.split_whitespace().collect::<Vec<_>>(), ["0", "1", "2"]);
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
    if !rustix::process::geteuid().is_root() {
        return eprintln!("skipped: only root makes its processes last");
    }
    let score = fs::read_to_string(format!("/proc/{keeper}/oom_score_adj")).unwrap();
    assert_eq!(score, "-1000\n");
    let status = fs::read_to_string(format!("/proc/{keeper}/status")).unwrap();
    let locked = status.lines().find_map(|line| line.strip_prefix("VmLck:")).unwrap();
    assert_ne!(locked.split_whitespace().next(), Some("0"));
}
