//! `quorate run` with real daemons: a program lives only under mastership, and all of it is dead
//! before the next one begins. Never looks at how; see `run_stage` for what is looked at.

use std::fs::{self, File};
use std::path::Path;

use rustix::process::{Signal, kill_process};

use super::cluster::{Cluster, acting};
use super::command::{QUORATE, Running, run};
use super::led::Led;
use super::looks::eventually;
use super::node::Node;
use super::run_stage::{Stage, keeper_of};

#[test]
fn a_program_on_every_node_runs_on_the_master_only_and_moves_with_a_transfer() {
    Stage::of(3).succeeds_after(|cluster, master| {
        let to = if master == "alpha" { "bravo" } else { "alpha" };
        cluster.node(master).ask(&["transfer", to]).printed();
    });
}

/// F96, F101
#[test]
fn a_stubborn_program_is_dead_before_the_next_begins_when_its_daemon_is_killed() {
    Stage::of(3).succeeds_after(Cluster::crash);
}

/// F96, F101: its quiet period is longer than what its last process let run.
#[test]
fn a_stubborn_program_is_dead_before_the_next_begins_when_its_daemon_is_back_at_once() {
    for count in [1, 3] {
        Stage::of(count).succeeds_after(|cluster, master| {
            cluster.crash(master);
            cluster.node(master).start();
        });
    }
}

/// F27
#[test]
fn a_stubborn_program_is_dead_before_the_next_begins_when_all_daemons_are_killed_and_back() {
    Stage::of(3).succeeds_after(|cluster, _| {
        ["alpha", "bravo", "charlie"].iter().for_each(|name| cluster.crash(name));
        cluster.nodes.iter_mut().for_each(Node::start);
    });
}

/// F34, F96
#[test]
fn a_stubborn_program_is_dead_before_the_next_begins_when_its_daemon_stands_still() {
    Stage::of(3).succeeds_after(|cluster, master| {
        cluster.node(master).signal(Signal::STOP);
        cluster.until("another node acts", |view| {
            view.keys().find(|name| *name != master && acting(view, name).is_some()).cloned()
        });
        cluster.node(master).signal(Signal::CONT);
    });
}

#[test]
fn a_stubborn_program_is_dead_before_the_next_begins_when_its_daemon_is_stopped() {
    Stage::of(3).succeeds_after(Cluster::stop);
}

#[test]
fn a_stubborn_program_is_dead_before_the_next_begins_when_its_node_is_cut_off() {
    let Some(led) = Led::of(3) else { return };
    let Led { network, cluster, .. } = led;
    Stage::over(cluster).succeeds_after(|_, master| {
        assert_eq!(master, "alpha");
        [1, 2].iter().for_each(|other| network.cut(0, *other));
    });
}

/// F98: only the front is left, which kills what the keeper cannot any more.
#[test]
fn a_program_dies_with_its_keeper() {
    let stage = Stage::of(1);
    let mut front = stage.start("alpha", &[], "stubborn");
    stage.acts_after(0);
    kill_process(keeper_of(front.pid()), Signal::KILL).unwrap();
    assert_eq!(front.wait(), 125);
    assert!(stage.living().is_empty(), "something outlived the run: {:?}", stage.living());
}

/// F99
#[test]
fn a_program_dies_with_its_front() {
    let stage = Stage::of(1);
    let front = stage.start("alpha", &[], "stubborn");
    stage.acts_after(0);
    front.signal(Signal::KILL);
    stage.all_die();
}

/// F35: the front sees that the moment to kill has passed.
#[test]
fn a_program_whose_keeper_stands_still_dies_with_its_mastership() {
    let mut stage = Stage::of(1);
    let mut front = stage.start("alpha", &[], "stubborn");
    stage.acts_after(0);
    kill_process(keeper_of(front.pid()), Signal::STOP).unwrap();
    stage.cluster.crash("alpha");
    assert_eq!(front.wait(), 75);
    assert!(stage.living().is_empty(), "something outlived the run: {:?}", stage.living());
}

/// F35: the keeper has its own clocks, and the front's death wakes it.
#[test]
fn a_program_whose_front_stands_still_dies_with_its_last_extension() {
    let stage = Stage::of(1);
    let front = stage.start("alpha", &[], "stubborn");
    stage.acts_after(0);
    front.signal(Signal::STOP);
    stage.all_die();
    front.signal(Signal::KILL);
}

/// F100
#[test]
fn a_program_that_forks_on_and_on_is_killed_whole() {
    let mut stage = Stage::of(1);
    let mut front = stage.start("alpha", &[], "hopping");
    eventually("two hundred of it live", || (stage.living().len() > 200).then_some(()));
    stage.cluster.crash("alpha");
    assert_eq!(front.wait(), 75);
    assert!(stage.living().is_empty(), "something outlived the run: {:?}", stage.living());
}

#[test]
fn exit_codes_are_those_of_the_program_or_say_why_there_is_none() {
    let mut stage = Stage::of(1);
    stage.cluster.settles();
    let code = |cmd: &[&str]| stage.run("alpha", &[], cmd).code;
    assert_eq!(code(&["true"]), 0);
    assert_eq!(code(&["sh", "-c", "exit 7"]), 7);
    assert_eq!(code(&["sh", "-c", "kill -9 $$"]), 137);
    assert_eq!(code(&["/etc/passwd"]), 126);
    assert_eq!(code(&["/no/such/program"]), 127);
    stage.cluster.crash("alpha");
    assert_eq!(stage.run("alpha", &[], &["true"]).code, 69);
}

#[test]
fn a_follower_runs_nothing_and_says_so_when_asked_not_to_wait() {
    let stage = Stage::of(3);
    let (master, _) = stage.cluster.settles();
    let follower = if master == "alpha" { "bravo" } else { "alpha" };
    let shared = stage.shared();
    let cmd = ["touch", shared.to_str().unwrap()];
    stage.run(follower, &["--no-wait"], &cmd).refused(75, &["not master"]);
    stage.run(follower, &["--wait", "300ms"], &cmd).refused(124, &["in time"]);
    assert!(!shared.exists());
}

#[test]
fn what_a_program_leaves_behind_when_it_ends_is_ended_too() {
    let stage = Stage::of(1);
    let outcome = stage.run("alpha", &[], &["sh", "-c", "(setsid sleep 600 &) ; exit 3"]);
    assert_eq!(outcome.code, 3);
    assert!(stage.living().is_empty());
}

#[test]
fn a_program_finds_its_term_and_its_daemon_in_its_environment() {
    let stage = Stage::of(1);
    let (_, term) = stage.cluster.settles();
    let ask = format!("echo $QUORATE_TERM; {QUORATE} is-master && echo $QUORATE_MASTER");
    let printed = stage.run("alpha", &[], &["sh", "-c", &ask]).printed();
    assert_eq!(printed, format!("{term}\nalpha\n"));
}

#[test]
fn standard_input_reaches_the_program() {
    let stage = Stage::of(1);
    let (_, line) = stage.line("alpha", &[], &["sh", "-c", "read word; echo got $word"]);
    let outcome = run(&[], ["sh", "-c", &format!("echo milk | {}", quoted(&line))]);
    assert_eq!(outcome.printed(), "got milk\n");
}

#[test]
fn a_second_sigterm_kills_what_ignored_the_first() {
    let stage = Stage::of(1);
    let mut front = stage.start("alpha", &[], "stubborn");
    stage.acts_after(0);
    // Two that come at once count as one: each is sent until it shows.
    let front_pid = front.pid();
    std::thread::Builder::new()
        .name("terminates".to_owned())
        .spawn(move || {
            while kill_process(front_pid, Signal::TERM).is_ok() {
                std::thread::yield_now();
            }
        })
        .unwrap();
    assert_eq!(front.wait(), 137);
    assert!(stage.living().is_empty());
}

#[test]
fn two_programs_run_under_one_mastership_and_end_with_it() {
    let mut stage = Stage::of(1);
    let mut both = [stage.start("alpha", &[], "stubborn"), stage.start("alpha", &[], "plain")];
    eventually("three act", || (stage.living().len() >= 3).then_some(()));
    stage.cluster.stop("alpha");
    assert_eq!(both.each_mut().map(Running::wait), [75, 75]);
    assert!(stage.living().is_empty());
}

#[test]
fn a_program_that_ends_is_started_again_while_mastership_lasts() {
    let stage = Stage::of(1);
    let shared = stage.shared();
    let append = format!("echo $QUORATE_TERM >> {}", shared.display());
    let (prefix, line) = stage.line("alpha", &["--restart"], &["sh", "-c", &append]);
    let log = File::create(stage.cluster.place().join("again")).unwrap();
    let mut front = Running::start(&prefix, line, log);
    eventually("it ran three times", || (stage.terms().len() >= 3).then_some(()));
    front.signal(Signal::TERM);
    assert!([0, 143].contains(&front.wait()));
}

fn quoted(line: &[String]) -> String {
    line.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" ")
}

/// That the shared file is judged as it should be.
#[test]
fn an_earlier_term_after_a_later_one_is_an_overlap() {
    let stage = Stage::of(1);
    stage.cluster.settles();
    fs::write(stage.shared(), "1\n1\n2\n").unwrap();
    stage.never_overlapped();
    fs::write(Path::new(&stage.shared()), "1\n2\n1\n").unwrap();
    let judged =
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| stage.never_overlapped()));
    assert!(judged.is_err());
    fs::remove_file(stage.shared()).unwrap();
}
