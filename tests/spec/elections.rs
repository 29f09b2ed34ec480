//! Who becomes master, and who does not.

use core::time::Duration;

use crate::protocol::membership::Failback;
use crate::protocol::status::{Duty, Knowledge};
use crate::protocol::timing::Timing;
use crate::spec::stage::{A, B, C, Stage};

/// Promises: P7, P8
#[test]
fn nodes_started_together_elect_the_preferred_one() {
    for size in [1, 2, 3, 5, 9] {
        let mut stage = Stage::of(size, Failback::Never);
        stage.await_that("somebody acts", |stage| stage.acting().is_some());
        assert_eq!(stage.acting(), Some(A), "of {size}");
        assert_eq!(stage.term(A).0, 1, "of {size}");
    }
}

/// Promises: P1, P7
#[test]
fn a_cut_between_the_two_lowest_of_three_changes_nothing() {
    let mut stage = Stage::led_by_a(3);
    stage.cut(A, B);
    stage.assert_only_acting(A, Duration::from_secs(20));
    assert_eq!(stage.term(A), stage.term(B), "the node that is cut off does not raise its term");
    let told = stage.status(B).master.expect("c tells b of the master");
    assert_eq!(told.knowledge, Knowledge::ToldBy(stage.status(C).node));
}

/// Promises: P1, P7
#[test]
fn a_one_way_cut_in_either_direction_changes_nothing() {
    for (from, to) in [(A, B), (B, A), (A, C), (C, A)] {
        let mut stage = Stage::led_by_a(3);
        stage.cut_one_way(from, to);
        stage.assert_only_acting(A, Duration::from_secs(20));
    }
}

/// Promises: P1, P6, P7
#[test]
fn an_isolated_master_stops_before_the_next_one_begins() {
    let mut stage = Stage::led_by_a(3);
    stage.isolate(A);
    stage.await_no_master();
    let stopped = stage.now();
    stage.await_master(B);
    assert!(stage.now() > stopped);
    stage.heal();
    stage.assert_only_acting(B, Duration::from_secs(10));
    assert_eq!(stage.status(A).duty, Duty::Follower);
}

/// Promises: P10
#[test]
fn a_minority_elects_nobody_and_keeps_its_term() {
    let mut stage = Stage::led_by_a(3);
    stage.isolate(C);
    let before = stage.disk(C).term;
    stage.run_for(Duration::from_secs(300));
    assert_eq!(stage.disk(C).term, before);
    assert_eq!(stage.status(C).master, None);
    stage.heal();
    stage.assert_only_acting(A, Duration::from_secs(5));
}

/// Promises: P1, P10
#[test]
fn two_halves_of_four_elect_nobody() {
    let mut stage = Stage::led_by_a(4);
    for left in [A, B] {
        for right in [C, 3] {
            stage.cut(left, right);
        }
    }
    stage.await_no_master();
    stage.run_for(Duration::from_secs(10));
    assert_eq!(stage.acting(), None);
    stage.heal();
    stage.await_that("somebody acts", |stage| stage.acting().is_some());
}

/// Promises: P7
#[test]
fn the_others_elect_when_the_master_dies_within_a_promise_and_little_more() {
    let mut stage = Stage::led_by_a(3);
    stage.crash(A);
    let died = stage.now();
    stage.await_master(B);
    let bound = Timing::LAN.dead_after() * 101 / 100 + Timing::LAN.stagger() * 3;
    assert!(stage.now() - died < bound + Duration::from_millis(100));
}

/// Promises: P7
#[test]
fn restarts_of_followers_change_nothing() {
    let mut stage = Stage::led_by_a(3);
    let term = stage.term(A);
    for follower in [B, C] {
        stage.crash(follower);
        stage.restart(follower);
        stage.assert_only_acting(A, Duration::from_secs(5));
    }
    assert_eq!(stage.term(A), term);
}

/// Promises: P7
#[test]
fn a_chain_of_five_settles_on_one_master() {
    let mut stage = Stage::of(5, Failback::Never);
    for one in 0..5 {
        for other in one + 2..5 {
            stage.cut(one, other);
        }
    }
    stage.await_that("somebody acts", |stage| stage.acting().is_some());
    let master = stage.acting().expect("somebody acts");
    assert!((1..4).contains(&master), "an end of the chain hears no majority");
    stage.assert_only_acting(master, Duration::from_secs(20));
}

/// Promises: P2
#[test]
fn every_new_master_has_a_higher_term_over_restarts_of_everybody() {
    let mut stage = Stage::led_by_a(3);
    let mut last = stage.term(A);
    for _ in 0..4 {
        for node in [A, B, C] {
            stage.crash(node);
        }
        for node in [A, B, C] {
            stage.restart(node);
        }
        stage.await_no_master();
        stage.await_that("somebody acts", |stage| stage.acting().is_some());
        let master = stage.acting().expect("somebody acts");
        assert!(stage.term(master) > last);
        last = stage.term(master);
    }
}

/// Promises: P7
#[test]
fn a_voter_that_comes_back_free_is_asked_although_another_is_quiet_for_long() {
    let seconds = Duration::from_secs;
    let slow = Timing::new(seconds(2), seconds(60), seconds(1), 10_000, seconds(1));
    let mut stage = Stage::timed(3, slow.expect("fits"));
    stage.run_for(seconds(5));
    stage.edit_timing(A, Timing::LAN);
    // The leases of the long promises are nearly over, and b remembers them still.
    stage.run_for(seconds(57));
    stage.isolate(C);
    stage.crash(B);
    stage.await_no_master();
    stage.restart(B);
    stage.run_for(seconds(2));
    let healed = stage.now();
    stage.heal();
    stage.await_that("somebody acts", |stage| stage.acting().is_some());
    assert!(stage.now() - healed < Timing::LAN.dead_after() * 4, "{:?}", stage.now() - healed);
}
