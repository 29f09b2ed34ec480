//! The lease: what renews it, what ends it, and what it never does.

use core::time::Duration;

use crate::protocol::membership::Failback;
use crate::protocol::status::Duty;
use crate::protocol::timing::Timing;
use crate::spec::stage::{A, B, C, Stage};

/// Promises: P1, P6
#[test]
fn a_paused_master_is_stopped_by_its_guard_before_another_acts() {
    let mut stage = Stage::led_by_a(3);
    stage.pause(A);
    stage.await_no_master();
    stage.await_master(B);
    stage.resume(A);
    stage.assert_only_acting(B, Duration::from_secs(5));
    assert_eq!(stage.status(A).duty, Duty::Follower);
}

/// Promises: P1
#[test]
fn a_restarted_voter_votes_for_nobody_until_its_old_promises_are_over() {
    // a renews with c alone; c restarts and forgets; b asks c for its vote.
    let mut stage = Stage::led_by_a(3);
    stage.cut(A, B);
    stage.run_for(Duration::from_secs(2));
    stage.crash(C);
    stage.restart(C);
    stage.isolate(A);
    stage.await_that("c is up", |stage| stage.status(C).quiet_left.is_some());
    let begun = stage.now();
    stage.await_master(B);
    assert!(stage.now() - begun > Timing::LAN.dead_after() * 9 / 10);
}

/// Promises: P1, P7
#[test]
fn a_cluster_that_never_promised_anything_elects_without_waiting() {
    let mut stage = Stage::of(3, Failback::Never);
    stage.await_master(A);
    assert!(stage.now() < Timing::LAN.dead_after(), "{:?}", stage.now());
    assert_eq!(stage.status(A).quiet_left, None);
}

/// Promises: P1
#[test]
fn the_longest_promise_is_on_disk_before_it_is_given() {
    let mut stage = Stage::led_by_a(3);
    stage.run_for(Duration::from_secs(1));
    for follower in [B, C] {
        assert_eq!(stage.disk(follower).promise_high_water, Timing::LAN.dead_after());
    }
    assert_eq!(stage.disk(A).promise_high_water, Timing::LAN.dead_after(), "a asks for as long");
}

/// Promises: P1, P7
#[test]
fn a_single_voter_leads_again_after_a_restart_once_its_last_lease_is_surely_over() {
    let mut stage = Stage::led_by_a(1);
    let term = stage.term(A);
    stage.crash(A);
    stage.await_no_master();
    let begun = stage.now();
    stage.restart(A);
    stage.await_master(A);
    assert!(stage.now() - begun < Timing::LAN.dead_after() * 3 / 2);
    assert!(stage.term(A) > term);
}

/// Promises: P7
#[test]
fn a_master_that_hears_nobody_falls_silent_so_that_others_can_lead() {
    let mut stage = Stage::led_by_a(3);
    stage.cut_one_way(B, A);
    stage.cut_one_way(C, A);
    stage.await_master(B);
    stage.run_for(Duration::from_secs(5));
    assert_eq!(stage.acting(), Some(B));
}

/// Promises: P1
#[test]
fn the_status_of_a_master_says_how_long_it_may_still_act() {
    let mut stage = Stage::led_by_a(3);
    stage.run_for(Duration::from_secs(1));
    let status = stage.status(A);
    let left = status.lease_left.expect("a master holds a lease");
    let until = status.acting_until.expect("a master acts");
    assert!(left <= Timing::LAN.lease_length(Timing::LAN.dead_after()));
    assert!(until.held_since(status.at) < left);
    let (to, promised) = stage.status(B).promise.expect("a follower is promised");
    assert_eq!(to, status.node);
    assert!(promised > left, "a promise outlasts the lease it carries");
}

/// Promises: P6, P7
#[test]
fn a_master_whose_work_ended_by_itself_hands_over() {
    let mut stage = Stage::led_by_a(3);
    stage.run_for(Duration::from_secs(1));
    stage.end_work(A);
    stage.await_master(B);
    assert_eq!(stage.status(A).duty, Duty::Follower);
}

/// F26
/// Promises: P1, P7
#[test]
fn a_voter_that_restarts_again_and_again_carries_its_master_and_votes_for_nobody() {
    let mut stage = Stage::led_by_a(3);
    stage.run_for(Duration::from_secs(1));
    stage.cut(A, B);
    let beat = Timing::LAN.heartbeat();
    for _ in 0..20 {
        stage.crash(C);
        stage.restart(C);
        stage.assert_only_acting(A, beat * 2);
    }
    stage.crash(A);
    let vote = stage.disk(C).vote;
    for _ in 0..20 {
        stage.crash(C);
        stage.restart(C);
        stage.run_for(beat * 2);
        assert_eq!(stage.disk(C).vote, vote, "it was never up for long enough to be free");
    }
    assert_eq!(stage.acting(), None);
    stage.await_master(B);
}

/// F96
/// Promises: P1, P6
#[test]
fn a_master_that_is_back_at_once_is_quiet_while_what_it_ran_may_live() {
    for size in [1, 3] {
        let mut stage = Stage::led_by_a(size);
        stage.run_for(Duration::from_secs(1));
        let term = stage.term(A);
        stage.crash(A);
        stage.restart(A);
        assert!(stage.status(A).quiet_left.is_some(), "{size}: its lease may run");
        stage.await_that("somebody leads again", |stage| {
            (0..size).any(|node| {
                let status = stage.status(node);
                status.duty == Duty::Master && status.term > term
            })
        });
    }
}
