//! Majorities, leases and the relations between times: the sums by themselves.

use core::time::Duration;

use crate::protocol::quorum::{Outcome, Tally, majority, nth_largest};
use crate::protocol::timing::{Timing, TimingError};
use crate::protocol::units::Moment;
use crate::sim::charters;

fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// Promises: P1
#[test]
fn a_majority_is_more_than_half() {
    let need: Vec<usize> = (1..=9).map(majority).collect();
    assert_eq!(need, [1, 2, 2, 3, 3, 4, 4, 5, 5]);
}

/// Promises: P1
#[test]
fn a_lease_ends_before_the_promise_it_leans_on_for_every_pair_of_clocks_within_the_bound() {
    for timing in [Timing::LAN, Timing::DEFAULT, Timing::WAN] {
        let promise = timing.dead_after();
        let lease = timing.lease_length(promise).as_secs_f64();
        let drift = f64::from(u32::try_from(timing.drift_ppm()).expect("small")) / 1e6;
        let lease_at_most = lease / (1.0 - drift);
        let promise_at_least = promise.as_secs_f64() / (1.0 + drift);
        assert!(lease_at_most < promise_at_least, "{timing:?}");
        assert!(promise_at_least - lease_at_most < 0.01, "{timing:?} gives too much away");
    }
}

/// Promises: P6
#[test]
fn the_default_timing_begins_to_stop_three_seconds_after_the_last_answered_heartbeat() {
    let timing = Timing::DEFAULT;
    let lease = timing.lease_length(timing.dead_after());
    assert_eq!(lease.as_millis(), 3918);
    assert_eq!((timing.kill(), timing.margin()), (ms(250), ms(100)));
    assert_eq!((lease - timing.stop_budget()).as_millis(), 3068);
    assert_eq!((Timing::LAN.kill(), Timing::LAN.margin()), (ms(50), ms(30)));
}

/// Promises: P7
#[test]
fn times_that_cannot_work_together_are_refused() {
    let build = |beat, dead, stop, drift, stagger| {
        Timing::new(ms(beat), ms(dead), ms(stop), drift, ms(stagger))
    };
    assert!(build(1000, 4000, 500, 10_000, 50).is_ok(), "the ancestors' times stay valid");
    assert_eq!(build(100, 199, 50, 10_000, 20), Err(TimingError::DeadAfterOutOfRange));
    assert_eq!(build(1001, 4000, 500, 10_000, 50), Err(TimingError::HeartbeatTooSlow));
    assert_eq!(build(0, 4000, 500, 10_000, 50), Err(TimingError::HeartbeatTooFast));
    assert_eq!(build(9, 600, 150, 10_000, 50), Err(TimingError::HeartbeatTooFast));
    assert_eq!(build(500, 4000, 500, 60_000, 50), Err(TimingError::DriftOutOfRange));
    assert_eq!(build(500, 4000, 500, 10_000, 10), Err(TimingError::StaggerOutOfRange));
    let late = build(500, 4000, 3000, 10_000, 50);
    assert!(matches!(late, Err(TimingError::NoTimeToAct { .. })), "{late:?}");
}

/// Promises: P1
#[test]
fn power_ends_by_the_faster_clock_and_waiting_by_the_slower() {
    let start = Moment { boot_ns: 100, raw_ns: 100 };
    let suspended = Moment { boot_ns: 400, raw_ns: 150 };
    assert_eq!(suspended.held_since(start), Duration::from_nanos(300));
    assert_eq!(suspended.waited_since(start), Duration::from_nanos(50));
    let deadline = start.after(Duration::from_nanos(200));
    assert!(suspended.may_have_reached(deadline));
    assert!(!suspended.has_surely_reached(deadline));
}

/// Promises: P1
#[test]
fn the_lease_of_a_quorum_is_its_weakest_needed_promise() {
    assert_eq!(nth_largest(&[30, 10, 20], 2, |n| *n), Some(20));
    assert_eq!(nth_largest(&[30, 10, 20], 4, |n| *n), None);
    assert_eq!(nth_largest(&[30], 0, |n| *n), None);
}

/// Promises: P2
#[test]
fn a_vote_is_won_or_lost_as_soon_as_that_is_certain() {
    let mut tally = Tally::default();
    tally.grant(charters::name(0));
    assert_eq!(tally.outcome(3), Outcome::Pending);
    tally.refuse(charters::name(1));
    assert_eq!(tally.outcome(3), Outcome::Pending);
    tally.grant(charters::name(1));
    assert_eq!(tally.outcome(3), Outcome::Pending, "the first answer counts");
    tally.refuse(charters::name(2));
    assert_eq!(tally.outcome(3), Outcome::Lost);
}
