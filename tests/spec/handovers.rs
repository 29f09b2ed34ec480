//! Planned changes of master: what they cost, and what refuses them.

use core::time::Duration;

use crate::protocol::durable::{Document, Durable};
use crate::protocol::effects::{Answer, ChangeReason, StepDownReason, StopReason, Wish};
use crate::protocol::message::{
    HandoverRefusal, HeartbeatAck, Message, Presence, Release, Verdict,
};
use crate::protocol::status::Duty;
use crate::protocol::timing::Timing;
use crate::sim::charters;
use crate::spec::stage::{A, B, C, Stage};

fn transfer_to(node: usize) -> Wish {
    Wish::Transfer { to: Some(charters::name(node)) }
}

/// Promises: P9, P1
#[test]
fn a_transfer_takes_round_trips_and_no_lease() {
    let mut stage = Stage::led_by_a(3);
    stage.run_for(Duration::from_secs(1));
    let before = stage.now();
    let answer = stage.ask(A, transfer_to(C));
    assert!(matches!(answer, Answer::HandedOver { ref to, .. } if *to == charters::name(C)));
    assert!(stage.now() - before < Timing::LAN.dead_after() / 4, "{:?}", stage.now() - before);
    stage.assert_only_acting(C, Duration::from_secs(5));
}

/// Promises: P9
#[test]
fn any_node_passes_a_transfer_on_to_the_master() {
    let mut stage = Stage::led_by_a(3);
    stage.run_for(Duration::from_secs(1));
    let answer = stage.ask(B, transfer_to(C));
    assert!(matches!(answer, Answer::HandedOver { .. }), "{answer:?}");
    stage.await_master(C);
}

/// Promises: P9
#[test]
fn a_leaving_master_hands_over_and_goes() {
    let mut stage = Stage::led_by_a(3);
    stage.run_for(Duration::from_secs(1));
    let before = stage.now();
    stage.leave(A);
    stage.await_master(B);
    assert!(stage.now() - before < Timing::LAN.dead_after() / 4);
}

/// Promises: P9, P10
#[test]
fn a_handover_nobody_can_take_is_refused_and_stops_nothing() {
    let mut stage = Stage::led_by_a(3);
    stage.run_for(Duration::from_secs(1));
    stage.crash(B);
    stage.run_for(Duration::from_secs(2));
    let answer = stage.ask(A, transfer_to(B));
    assert_eq!(answer, Answer::HandoverRefused(HandoverRefusal::NotFresh));
    let answer = stage.ask(A, transfer_to(A));
    assert_eq!(answer, Answer::HandoverRefused(HandoverRefusal::AlreadyMaster));
    let answer = stage.ask(A, transfer_to(7));
    assert_eq!(answer, Answer::HandoverRefused(HandoverRefusal::NotElectable));
    stage.assert_only_acting(A, Duration::from_secs(5));
}

/// Promises: P9
#[test]
fn a_node_in_its_quiet_period_is_no_target() {
    let mut stage = Stage::led_by_a(3);
    stage.run_for(Duration::from_secs(1));
    stage.crash(B);
    stage.restart(B);
    stage.await_that("a hears b again", |stage| {
        let status = stage.status(A);
        status.peers[0].is_vote_ready == Some(false)
    });
    let answer = stage.ask(A, transfer_to(B));
    let refused =
        [HandoverRefusal::NotReady, HandoverRefusal::NotFresh].map(Answer::HandoverRefused);
    assert!(refused.contains(&answer), "{answer:?}");
}

/// Promises: P7, P9
#[test]
fn when_the_successor_dies_right_after_the_release_another_leads_without_a_lease_wait() {
    let mut stage = Stage::led_by_a(3);
    stage.run_for(Duration::from_secs(1));
    stage.cut(A, B);
    let before = stage.now();
    stage.cut(B, C);
    let answer = stage.ask(A, transfer_to(B));
    assert!(!matches!(answer, Answer::HandoverRefused(_)), "b answered just before: {answer:?}");
    stage.await_that("somebody acts", |stage| stage.acting().is_some());
    assert!(stage.now() - before < Timing::LAN.dead_after() * 3);
}

/// Promises: P1
#[test]
fn a_second_timeout_now_of_the_same_term_moves_nothing() {
    let mut stage = Stage::led_by_a(3);
    stage.run_for(Duration::from_secs(1));
    let term = stage.term(A);
    stage.ask(A, transfer_to(B));
    stage.await_master(B);
    let after = stage.term(B);
    let again = Release { term, successor: Some(charters::name(C)) };
    stage.tell(C, A, Message::TimeoutNow(again));
    stage.assert_only_acting(B, Duration::from_secs(5));
    assert_eq!(stage.term(B), after);
}

/// Promises: P1, P9
#[test]
fn a_step_down_holds_off_but_not_when_nobody_else_can() {
    let mut stage = Stage::led_by_a(3);
    stage.run_for(Duration::from_secs(1));
    let hold_off = Duration::from_secs(600);
    let answer = stage.ask(A, Wish::StepDown { hold_off, reason: StepDownReason::Operator });
    assert!(matches!(answer, Answer::HandedOver { .. }), "{answer:?}");
    stage.crash(B);
    stage.await_master(C);
    stage.crash(C);
    stage.restart(B);
    stage.run_for(Duration::from_secs(20));
    assert_eq!(stage.acting(), Some(B), "a held off node leaves the field to others");
    stage.cut(A, B);
    stage.restart(C);
    stage.await_that("c is back", |stage| stage.status(C).quiet_left.is_none());
    stage.crash(B);
    stage.await_that("somebody acts", |stage| stage.acting().is_some());
}

#[test]
fn a_step_down_says_whose_it_was() {
    for (reason, why) in [
        (StepDownReason::Operator, StopReason::StepDownAsked),
        (StepDownReason::StalledStorage, StopReason::StalledStorage),
        (StepDownReason::HookFailed, StopReason::HookFailed),
        (StepDownReason::GuardLost, StopReason::GuardLost),
    ] {
        let mut stage = Stage::led_by_a(3);
        stage.run_for(Duration::from_secs(1));
        stage.wish(A, Wish::StepDown { hold_off: Duration::from_secs(60), reason });
        stage.await_no_master();
        assert_eq!(stage.status(A).reason, Some(ChangeReason::Stopped(why)));
    }
}

/// Promises: P6
#[test]
fn a_master_without_a_guard_ends_though_nobody_healthy_can_take_over() {
    let mut stage = Stage::led_by_a(3);
    stage.run_for(Duration::from_secs(1));
    stage.crash(B);
    stage.run_for(Duration::from_secs(2));
    stage.set_health(C, false);
    stage.run_for(Duration::from_secs(1));
    let wish = |reason| Wish::StepDown { hold_off: Duration::ZERO, reason };
    let answer = stage.ask(A, wish(StepDownReason::Operator));
    assert!(matches!(answer, Answer::HandoverRefused(_)), "{answer:?}");
    assert_eq!(stage.acting(), Some(A), "what an operator asks for stops nothing in vain");
    let answer = stage.ask(A, wish(StepDownReason::GuardLost));
    assert_eq!(answer, Answer::SteppedDown);
    let before = stage.now();
    stage.await_master(C);
    assert!(stage.now() - before < Timing::LAN.dead_after() / 2, "{:?}", stage.now() - before);
}

/// F86
/// Promises: P1, P9
#[test]
fn a_release_that_one_voter_alone_hears_of_breaks_nothing() {
    for deaf in [B, C] {
        let mut stage = Stage::led_by_a(3);
        stage.run_for(Duration::from_secs(1));
        stage.cut_one_way(A, deaf);
        let hold_off = Duration::from_secs(60);
        stage.wish(A, Wish::StepDown { hold_off, reason: StepDownReason::Operator });
        stage.await_no_master();
        stage.await_that("somebody else acts", |stage| stage.acting().is_some());
        assert_ne!(stage.acting(), Some(A));
        stage.heal();
        stage.run_for(Duration::from_secs(5));
        assert_eq!(stage.status(A).duty, Duty::Follower);
    }
}

/// F42
/// Promises: P1, P9
#[test]
fn a_promise_that_arrives_after_the_release_makes_nobody_master_again() {
    let mut stage = Stage::led_by_a(3);
    stage.run_for(Duration::from_secs(1));
    let term = stage.term(A);
    let late = |stage: &Stage, from: usize, sequence: u64| {
        let Durable { accepted, identity, .. } = stage.disk(from);
        let presence = Presence {
            term,
            position: accepted.position,
            storage: identity.storage,
            is_vote_ready: true,
            is_electable: true,
            is_healthy: true,
            freshness: None,
            age: Duration::ZERO,
            follows: Some(charters::name(A)),
            hears: [].into(),
            reading: stage.status(from).at,
            echo: None,
        };
        let Document { position, hash, .. } = accepted;
        let verdict = Verdict::Granted;
        Message::HeartbeatAck(HeartbeatAck { term, sequence, position, hash, verdict, presence })
    };
    let promises: Vec<_> =
        (1..40).flat_map(|n| [B, C].map(|from| (from, late(&stage, from, n)))).collect();
    stage.ask(A, transfer_to(C));
    for (from, promise) in promises {
        stage.tell(A, from, promise);
    }
    assert_eq!(stage.status(A).lease_left, None);
    stage.assert_only_acting(C, Duration::from_secs(5));
}

/// Promises: P7, P9
#[test]
fn nobody_hands_over_to_a_node_that_too_few_voters_hear() {
    let mut stage = Stage::led_by_a(5);
    stage.run_for(Duration::from_secs(2));
    for deaf in [2, 3, 4] {
        stage.cut_one_way(B, deaf);
    }
    stage.run_for(Duration::from_secs(2));
    let answer = stage.ask(A, transfer_to(B));
    assert_eq!(answer, Answer::HandoverRefused(HandoverRefusal::TooFewVoters));
    stage.assert_only_acting(A, Duration::from_secs(2));
}
