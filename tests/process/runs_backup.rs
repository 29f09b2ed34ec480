//! `quorate run --while backup`, and `--restart` of what does not live: who runs where.
//! Never waits for a lease: none guards what runs on a backup.

use std::fs::{self, File};

use rustix::process::Signal;

use super::command::Running;
use super::looks::eventually;
use super::run_stage::Stage;

/// What the runs wrote: node, role, master, term.
fn written(stage: &Stage) -> Vec<String> {
    let text = fs::read_to_string(stage.shared()).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

/// Starts one run a node that says what it is, and goes on until it is asked to end.
fn say_everywhere(stage: &Stage, flags: &[&str]) -> Vec<Running> {
    let shared = stage.shared();
    let say = format!(
        "echo $QUORATE_NODE $QUORATE_ROLE $QUORATE_MASTER $QUORATE_TERM \"[$QUORATE_LEASE_MS]\" \
         >> {}; exec sleep 600",
        shared.display()
    );
    let start = |node: &super::node::Node| {
        let (prefix, line) = stage.line(&node.name, flags, &["sh", "-c", &say]);
        let log = File::create(stage.cluster.place().join(format!("{}.run", node.name))).unwrap();
        Running::start(&prefix, line, log)
    };
    stage.cluster.nodes.iter().map(start).collect()
}

#[test]
fn a_program_for_backups_runs_beside_the_master_and_moves_with_it() {
    let mut stage = Stage::of(3);
    let (master, term) = stage.cluster.settles();
    let _runs = say_everywhere(&stage, &["--while", "backup", "--restart"]);
    let next = if master == "alpha" { "bravo" } else { "alpha" };
    let line = |node: &str, master: &str, term| format!("{node} backup {master} {term} []");
    let is_written = |line: String| written(&stage).contains(&line).then_some(());
    eventually("both backups run it", || {
        is_written(line(next, &master, term))?;
        is_written(line("charlie", &master, term))
    });
    assert_eq!(stage.living().len(), 2);
    assert!(!written(&stage).iter().any(|line| line.starts_with(&master)));
    stage.cluster.node(&master).ask(&["transfer", next]).printed();
    let later = stage.cluster.settles_on(next, &[&master, "charlie"]);
    let is_written = |line: String| written(&stage).contains(&line).then_some(());
    eventually("both new backups run it", || {
        is_written(line(&master, next, later))?;
        is_written(line("charlie", next, later))?;
        (stage.living().len() == 2).then_some(())
    });
    assert!(!written(&stage).contains(&line(next, next, later)));
}

#[test]
fn a_program_for_backups_ends_with_its_daemon_and_its_quorum() {
    let mut stage = Stage::of(3);
    let (master, _) = stage.cluster.settles();
    let mut runs = say_everywhere(&stage, &["--while", "backup"]);
    eventually("both backups run it", || (stage.living().len() == 2).then_some(()));
    let names: Vec<String> = stage.cluster.nodes.iter().map(|node| node.name.clone()).collect();
    let backups: Vec<usize> = (0..3).filter(|index| names[*index] != master).collect();
    let (killed, left) = (backups[0], backups[1]);
    stage.cluster.crash(&names[killed]);
    assert_eq!(runs[killed].wait(), 75);
    stage.cluster.crash(&master);
    assert_eq!(runs[left].wait(), 75);
    stage.all_die();
}

/// F104
#[test]
fn a_program_that_fails_at_once_again_and_again_gives_mastership_away() {
    let stage = Stage::of(3);
    let (master, term) = stage.cluster.settles();
    let (prefix, line) = stage.line(&master, &["--restart"], &["false"]);
    let path = stage.cluster.place().join("false.run");
    let front = Running::start(&prefix, line, File::create(&path).unwrap());
    let later = stage.cluster.until("another acts", |view| {
        let acts = |report: &&quorate::wire::control::StatusReport| report.role == "master";
        let found = view.values().flatten().find(acts)?;
        (found.node != master).then_some(found.term)
    });
    assert!(later > term);
    let said = fs::read_to_string(path).unwrap();
    assert!(said.contains("giving mastership away"), "{said}");
    front.signal(Signal::TERM);
}
