//! What health changes: who is asked first, and never who may be asked at all.

use core::time::Duration;

use crate::protocol::effects::{Answer, Wish};
use crate::protocol::membership::Failback;
use crate::protocol::message::HandoverRefusal;
use crate::protocol::timing::Timing;
use crate::sim::charters;
use crate::spec::stage::{A, B, C, Stage};

/// Promises: P8, P9
#[test]
fn a_master_whose_work_is_out_of_order_hands_over_within_a_heartbeat_or_two() {
    let mut stage = Stage::led_by_a(3);
    stage.run_for(Duration::from_secs(2));
    let before = stage.now();
    stage.set_health(A, false);
    stage.await_master(B);
    assert!(stage.now() - before < Timing::LAN.heartbeat() * 3, "{:?}", stage.now() - before);
    stage.assert_only_acting(B, Duration::from_secs(5));
}

/// Promises: P7, P8
#[test]
fn a_master_whose_work_is_out_of_order_stays_while_nobody_else_is_better() {
    let mut stage = Stage::led_by_a(3);
    stage.run_for(Duration::from_secs(2));
    stage.set_health(B, false);
    stage.set_health(C, false);
    stage.run_for(Duration::from_secs(1));
    let term = stage.term(A);
    stage.set_health(A, false);
    stage.assert_only_acting(A, Duration::from_secs(20));
    assert_eq!(stage.term(A), term);
    stage.set_health(C, true);
    stage.await_master(C);
}

/// Promises: P7
#[test]
fn where_no_work_is_in_order_somebody_leads_all_the_same() {
    let mut stage = Stage::led_by_a(3);
    stage.run_for(Duration::from_secs(2));
    for node in [B, C] {
        stage.set_health(node, false);
    }
    stage.crash(A);
    let before = stage.now();
    stage.await_that("somebody acts", |stage| stage.acting().is_some());
    assert!(stage.now() - before < Timing::LAN.dead_after() * 4, "{:?}", stage.now() - before);
}

/// Promises: P8
#[test]
fn a_node_whose_work_is_out_of_order_stands_last_though_it_is_preferred() {
    let mut stage = Stage::led_by_a(3);
    stage.run_for(Duration::from_secs(2));
    stage.set_health(B, false);
    stage.run_for(Duration::from_secs(1));
    stage.crash(A);
    stage.await_master(C);
}

/// Promises: P8
#[test]
fn the_cool_down_counts_from_when_the_work_is_in_order_again() {
    let cooldown = Duration::from_secs(10);
    let mut stage = Stage::of(3, Failback::After(cooldown));
    stage.await_master(A);
    stage.run_for(cooldown * 2);
    stage.set_health(A, false);
    stage.await_master(B);
    stage.run_for(cooldown * 3);
    stage.set_health(A, true);
    stage.assert_only_acting(B, cooldown - Duration::from_secs(1));
    stage.await_master(A);
}

/// Promises: P7
#[test]
fn a_single_voter_leads_whatever_its_work_is_like() {
    let mut stage = Stage::of(1, Failback::Never);
    stage.await_master(A);
    stage.crash(A);
    stage.restart(A);
    stage.set_health(A, false);
    stage.await_master(A);
}

/// Promises: P9
#[test]
fn nobody_hands_over_to_a_node_whose_work_is_out_of_order() {
    let mut stage = Stage::led_by_a(3);
    stage.run_for(Duration::from_secs(2));
    stage.set_health(B, false);
    stage.run_for(Duration::from_secs(1));
    let answer = stage.ask(A, Wish::Transfer { to: Some(charters::name(B)) });
    assert_eq!(answer, Answer::HandoverRefused(HandoverRefusal::Unhealthy));
    let answer = stage.ask(A, Wish::Transfer { to: None });
    assert!(matches!(answer, Answer::HandedOver { ref to, .. } if *to == charters::name(C)));
}

/// Promises: P7, P8
#[test]
fn a_preferred_node_that_falls_sick_whenever_it_leads_waits_longer_each_time() {
    let cooldown = Duration::from_secs(5);
    let mut stage = Stage::of(3, Failback::After(cooldown));
    stage.await_master(A);
    stage.run_for(cooldown * 2);
    for doubled in [1, 2, 4] {
        stage.set_health(A, false);
        stage.await_master(B);
        stage.set_health(A, true);
        stage.assert_only_acting(B, cooldown * doubled - Duration::from_secs(1));
        stage.await_master(A);
        stage.run_for(Duration::from_secs(2));
    }
}

/// Promises: P7
#[test]
fn where_no_work_is_in_order_those_left_stand_one_after_the_other() {
    for seed in 1..20 {
        let mut stage = Stage::by_chance(5, Failback::Never, seed);
        stage.run_for(Duration::from_secs(5));
        let master = stage.acting().expect("somebody acts");
        stage.set_delay(Duration::from_millis(3));
        for node in (0..5).filter(|node| *node != master) {
            stage.slow_disk(node, Duration::from_millis(3));
            stage.set_health(node, false);
        }
        stage.run_for(Duration::from_secs(2));
        stage.crash(master);
        let before = stage.now();
        stage.await_that("another acts", |s| s.acting().is_some_and(|node| node != master));
        let took = stage.now() - before;
        assert!(took < Timing::LAN.dead_after() * 5 / 2, "{seed}: {took:?}");
    }
}

/// Promises: P9
#[test]
fn a_leaving_master_hands_over_to_a_node_that_is_not_healthy_where_none_is() {
    let mut stage = Stage::led_by_a(3);
    stage.run_for(Duration::from_secs(2));
    for node in [B, C] {
        stage.set_health(node, false);
    }
    stage.run_for(Duration::from_secs(1));
    let before = stage.now();
    stage.leave(A);
    stage.await_master(B);
    assert!(stage.now() - before < Timing::LAN.dead_after() / 4, "{:?}", stage.now() - before);
}
