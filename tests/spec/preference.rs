//! The preferred node leads when it can, and comes back only by a handover after its cooldown.

use core::time::Duration;

use crate::protocol::membership::Failback;
use crate::protocol::timing::Timing;
use crate::protocol::units::NodeId;
use crate::sim::charters;
use crate::spec::stage::{A, B, C, Stage};

const COOLDOWN: Duration = Duration::from_secs(10);

/// A cluster whose preferred node led for long, died, and was replaced.
fn failed_over() -> Stage {
    let mut stage = Stage::of(3, Failback::After(COOLDOWN));
    stage.await_master(A);
    stage.run_for(COOLDOWN * 2);
    stage.crash(A);
    stage.await_master(B);
    stage
}

/// Promises: P8
#[test]
fn a_returning_preferred_node_waits_for_the_cooldown_and_then_leads() {
    let mut stage = failed_over();
    stage.restart(A);
    stage.assert_only_acting(B, COOLDOWN - Duration::from_secs(1));
    stage.await_master(A);
}

/// Promises: P8
#[test]
fn a_flap_restarts_the_cooldown() {
    let mut stage = failed_over();
    stage.restart(A);
    stage.run_for(COOLDOWN - Duration::from_secs(2));
    stage.crash(A);
    stage.run_for(Duration::from_secs(3));
    stage.restart(A);
    stage.assert_only_acting(B, COOLDOWN - Duration::from_secs(1));
    stage.await_master(A);
}

/// Promises: P8
#[test]
fn a_regained_quorum_elects_the_preferred_node_without_cooldown() {
    let mut stage = failed_over();
    stage.crash(B);
    stage.run_for(COOLDOWN);
    assert_eq!(stage.acting(), None);
    let before = stage.now();
    stage.restart(A);
    stage.restart(B);
    stage.await_that("somebody acts", |stage| stage.acting().is_some());
    assert_eq!(stage.acting(), Some(A));
    assert!(stage.now() - before < COOLDOWN / 2);
}

/// Promises: P8
#[test]
fn a_preferred_node_that_dies_again_soon_waits_twice_as_long() {
    let mut stage = failed_over();
    stage.restart(A);
    stage.await_master(A);
    stage.run_for(Duration::from_secs(2));
    stage.crash(A);
    stage.await_master(B);
    stage.restart(A);
    stage.assert_only_acting(B, COOLDOWN * 2 - Duration::from_secs(1));
    stage.await_master(A);
}

/// Promises: P8
#[test]
fn failback_never_means_never() {
    let mut stage = Stage::led_by_a(3);
    stage.crash(A);
    stage.await_master(B);
    stage.restart(A);
    stage.assert_only_acting(B, Duration::from_secs(600));
}

/// Promises: P8, P7
#[test]
fn a_preferred_node_that_hears_no_majority_keeps_nobody_from_leading() {
    let mut stage = Stage::of(3, Failback::Never);
    stage.isolate(A);
    stage.await_master(B);
}

/// Promises: P8
#[test]
fn everybody_counts_the_changes_of_master_it_saw_none_included() {
    let mut stage = Stage::led_by_a(3);
    stage.run_for(Duration::from_secs(1));
    let before = stage.status(C).changes;
    stage.crash(A);
    stage.await_that("c follows b", |stage| {
        stage.status(C).master.is_some_and(|m| m.id == charters::name(B))
    });
    let seen = stage.status(C).changes - before;
    assert_eq!(seen, 2, "a to none, none to b");
}

/// Promises: P8
#[test]
fn names_are_ordered_by_bytes() {
    let id = |text: &str| NodeId::new(text).expect("valid");
    assert!(id("B") < id("a"));
    assert!(id("node-10") < id("node-2"));
    assert_eq!(NodeId::new(""), None);
    assert_eq!(NodeId::new("a b"), None);
    assert_eq!(NodeId::new(&"x".repeat(65)), None);
}

/// How many terms pass in a hundred seconds.
fn terms_in_a_while(stage: &mut Stage) -> u64 {
    let before = stage.term(B);
    stage.run_for(Duration::from_secs(100));
    stage.term(B).0 - before.0
}

/// Promises: P7, P8
#[test]
fn a_preferred_node_that_only_the_master_hears_moves_nothing() {
    let mut stage = Stage::of(5, Failback::After(Duration::from_secs(2)));
    stage.await_master(A);
    stage.isolate(A);
    stage.await_master(B);
    stage.heal();
    for deaf in [C, 3, 4] {
        stage.cut_one_way(A, deaf);
    }
    stage.run_for(Duration::from_secs(100));
    let terms = terms_in_a_while(&mut stage);
    assert!(terms <= 10, "{terms} terms, though the cooldown is 32 seconds by now");
}

/// Promises: P7, P8
#[test]
fn a_preferred_node_that_fails_to_win_has_a_cooldown_even_where_there_is_none() {
    let mut stage = Stage::of(3, Failback::After(Duration::ZERO));
    stage.await_master(A);
    // Every write takes nearly as long as others wait for it.
    stage.slow_disk(A, Timing::LAN.dead_after() * 9 / 10);
    stage.isolate(A);
    stage.await_master(B);
    stage.heal();
    stage.run_for(Duration::from_secs(100));
    let terms = terms_in_a_while(&mut stage);
    assert!(terms <= 30, "{terms} terms, though the cooldown is sixteen promises by now");
}
