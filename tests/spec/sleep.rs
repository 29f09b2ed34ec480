//! Machines that sleep, and virtual machines that stand still: what they hold and what they owe.

use core::time::Duration;

use crate::protocol::timing::Timing;
use crate::spec::stage::{A, B, C, Stage};

const SECOND: Duration = Duration::from_secs(1);
const MS: Duration = Duration::from_millis(1);

/// How much of its promise a voter has left.
fn promised(stage: &Stage, node: usize) -> Duration {
    stage.status(node).promise.map_or(Duration::ZERO, |(_, left)| left)
}

/// c follows a, whose words have just stopped arriving.
fn bereft() -> Stage {
    let mut stage = Stage::led_by_a(3);
    stage.run_for(SECOND);
    stage.isolate(A);
    stage.run_for(MS * 20);
    stage
}

/// F33
/// Promises: P1, P6
#[test]
fn a_promise_lasts_as_long_as_if_its_voter_had_not_slept() {
    let mut stage = bereft();
    let before = promised(&stage, C);
    assert!(before > Timing::LAN.dead_after() / 2, "{before:?}");
    stage.suspend(C);
    stage.run_for(before / 2);
    stage.resume(C);
    // One of its clocks slept with it, and a promise ends by the slower one.
    let after = promised(&stage, C);
    assert!(after + MS >= before, "{before:?} before, {after:?} after");
    stage.await_master(B);
}

/// F39
/// Promises: P1, P7
#[test]
fn a_voter_whose_machine_stood_still_costs_time_and_nothing_else() {
    let mut stage = bereft();
    let before = promised(&stage, C);
    stage.halt(C);
    stage.run_for(SECOND * 5);
    assert_eq!(stage.acting(), None, "one of three hears nobody");
    stage.resume(C);
    assert!(promised(&stage, C) + MS >= before, "it holds what it promised for longer");
    stage.await_master(B);
    stage.heal();
    stage.assert_only_acting(B, SECOND * 10);
}

/// F32
/// Promises: P1, P6
#[test]
fn a_master_that_slept_is_master_no_more() {
    let mut stage = Stage::led_by_a(3);
    stage.run_for(SECOND);
    let term = stage.term(A);
    stage.suspend(A);
    stage.run_for(SECOND * 3_600);
    assert_eq!(stage.acting(), Some(B));
    stage.resume(A);
    stage.assert_only_acting(B, SECOND * 5);
    assert!(stage.term(A) > term);
}
