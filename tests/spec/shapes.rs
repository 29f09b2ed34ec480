//! Odd networks and long absences: there is one master where a majority can talk, and it stays.

use core::time::Duration;

use crate::protocol::membership::Failback;
use crate::protocol::timing::Timing;
use crate::protocol::units::Term;
use crate::spec::stage::{A, B, C, Stage};

const D: usize = 3;
const E: usize = 4;
const SECOND: Duration = Duration::from_secs(1);

fn terms(stage: &Stage, nodes: &[usize]) -> Vec<Term> {
    nodes.iter().map(|node| stage.disk(*node).term).collect()
}

/// F08
/// Promises: P7, P10
#[test]
fn a_triangle_with_two_tails_has_one_master_for_ten_minutes_and_no_new_term() {
    let mut stage = Stage::of(5, Failback::Never);
    for (one, other) in [(D, A), (D, C), (D, E), (E, A), (E, B)] {
        stage.cut(one, other);
    }
    stage.await_that("somebody acts", |stage| stage.acting().is_some());
    let master = stage.acting().expect("somebody acts");
    assert!([A, B, C].contains(&master), "a tail hears no majority");
    stage.run_for(SECOND * 2);
    let before = terms(&stage, &[A, B, C, D, E]);
    stage.assert_only_acting(master, SECOND * 600);
    assert_eq!(terms(&stage, &[A, B, C, D, E]), before);
}

/// F12
/// Promises: P1, P6, P10
#[test]
fn of_two_voters_neither_leads_without_the_other() {
    for lost in [A, B] {
        let mut stage = Stage::led_by_a(2);
        stage.crash(lost);
        stage.await_no_master();
        stage.run_for(SECOND * 60);
        assert_eq!(stage.acting(), None);
        let left = stage.status(A + B - lost);
        assert_eq!((left.quorum_have, left.quorum_need), (1, 2));
        stage.restart(lost);
        stage.await_that("somebody acts", |stage| stage.acting().is_some());
    }
}

/// F19
/// Promises: P10
#[test]
fn a_node_that_was_alone_for_a_day_comes_back_in_its_old_term() {
    let slow = Timing::new(SECOND * 15, SECOND * 60, SECOND, 10_000, SECOND);
    let mut stage = Stage::timed(3, slow.expect("fits"));
    stage.run_for(SECOND * 60);
    stage.isolate(C);
    let before = terms(&stage, &[A, C]);
    stage.assert_only_acting(A, SECOND * 86_400);
    assert_eq!(terms(&stage, &[A, C]), before, "it may not take a term by itself");
    stage.heal();
    stage.assert_only_acting(A, SECOND * 600);
    assert_eq!(terms(&stage, &[A, C]), before);
}

/// F20
/// Promises: P7
#[test]
fn a_voter_with_an_old_term_helps_to_elect_at_once_on_its_return() {
    let mut stage = Stage::led_by_a(3);
    stage.run_for(SECOND);
    stage.isolate(B);
    for _ in 0..3 {
        let master = stage.acting().expect("somebody acts");
        stage.crash(master);
        stage.restart(master);
        stage.await_no_master();
        stage.await_that("somebody acts", |stage| stage.acting().is_some());
    }
    let master = stage.acting().expect("somebody acts");
    assert!(stage.disk(B).term < stage.disk(master).term, "b knows nothing of the last terms");
    stage.heal();
    stage.crash(master);
    let died = stage.now();
    stage.await_that("somebody else acts", |stage| {
        stage.acting().is_some_and(|acting| acting != master)
    });
    assert!(stage.now() - died < Timing::LAN.dead_after() * 3, "{:?}", stage.now() - died);
}

/// F94
/// Promises: P2, P7
#[test]
fn two_that_each_think_themselves_preferred_settle_it_within_three_terms() {
    let mut stage = Stage::led_by_a(3);
    stage.cut(A, B);
    for _ in 0..10 {
        let before = stage.disk(C).term;
        for node in [A, B, C] {
            stage.crash(node);
        }
        for node in [A, B, C] {
            stage.restart(node);
        }
        stage.await_no_master();
        stage.await_that("one of them acts", |stage| stage.acting().is_some());
        assert!(stage.disk(C).term.0 - before.0 <= 3, "{before:?} {:?}", stage.disk(C).term);
        stage.run_for(SECOND);
    }
}
