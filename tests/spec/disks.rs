//! What must be on disk before a word is said, and what a bad disk does.

use core::time::Duration;

use crate::protocol::ledger::Ledger;
use crate::protocol::membership::Failback;
use crate::protocol::message::{Envelope, Fetch, Message};
use crate::protocol::timing::Timing;
use crate::protocol::units::{Moment, Position, Term};
use crate::sim::charters::{self, Settings};
use crate::spec::stage::{A, B, C, Stage};

/// Promises: P5
#[test]
fn nobody_is_elected_faster_than_the_disks_can_write() {
    let latency = Duration::from_millis(150);
    let mut stage = Stage::of(3, Failback::Never);
    for node in [A, B, C] {
        stage.slow_disk(node, latency);
    }
    stage.await_that("somebody acts", |stage| stage.acting().is_some());
    assert!(stage.now() > latency * 3, "own vote, another's vote, the document: {:?}", stage.now());
}

/// Promises: P5, P3
#[test]
fn a_vote_that_never_reached_the_disk_was_never_said() {
    let mut stage = Stage::of(2, Failback::Never);
    stage.slow_disk(B, Duration::from_secs(20));
    stage.run_for(Duration::from_secs(5));
    assert_eq!(stage.acting(), None, "two voters, and one cannot write");
    assert_eq!(stage.disk(B).vote, None);
}

/// Promises: P11
#[test]
fn a_follower_whose_disk_fails_is_silent_and_disturbs_nobody() {
    let mut stage = Stage::led_by_a(3);
    stage.run_for(Duration::from_secs(1));
    stage.break_disk(B);
    stage.crash(C);
    stage.restart(C);
    stage.edit(A, Failback::After(Duration::from_secs(9)));
    stage.await_that("b notices", |stage| stage.status(B).is_storage_failed);
    stage.assert_only_acting(A, Duration::from_secs(10));
}

/// Promises: P11, P7
#[test]
fn a_master_whose_disk_fails_hands_over() {
    let mut stage = Stage::led_by_a(3);
    stage.run_for(Duration::from_secs(1));
    stage.break_disk(A);
    stage.edit(A, Failback::After(Duration::from_secs(9)));
    stage.await_master(B);
    assert!(stage.status(A).is_storage_failed);
    stage.assert_only_acting(B, Duration::from_secs(10));
}

/// Promises: P11
#[test]
fn a_node_whose_disk_failed_is_itself_again_after_a_restart_on_a_sound_one() {
    let mut stage = Stage::led_by_a(3);
    stage.run_for(Duration::from_secs(1));
    stage.break_disk(B);
    stage.edit(A, Failback::After(Duration::from_secs(9)));
    stage.await_that("b notices", |stage| stage.status(B).is_storage_failed);
    stage.crash(B);
    stage.mend_disk(B);
    stage.restart(B);
    stage.await_that("b is back", |stage| {
        let status = stage.status(B);
        !status.is_storage_failed && status.accepted == stage.status(A).accepted
    });
}

/// Promises: P5, P7
#[test]
fn disks_slower_than_half_a_promise_still_elect() {
    for latency in [310, 400, 500].map(Duration::from_millis) {
        let mut stage = Stage::of(3, Failback::Never);
        for node in [A, B, C] {
            stage.slow_disk(node, latency);
        }
        stage.await_that("somebody acts", |stage| stage.acting().is_some());
    }
}

/// Promises: P5, P9
#[test]
fn a_document_that_is_not_on_disk_yet_is_not_spoken_of() {
    let mut stage = Stage::led_by_a(3);
    stage.run_for(Duration::from_secs(1));
    stage.slow_disk(B, Duration::from_secs(20));
    stage.edit(A, Failback::After(Duration::from_secs(9)));
    stage.run_for(Duration::from_secs(2));
    let seen = stage.status(A).peers[0].clone();
    assert_eq!(seen.position, Some(stage.disk(B).accepted.position));
    assert_eq!(seen.is_vote_ready, Some(false), "a vote of this disk could not be relied on");
}

/// Promises: P12
#[test]
fn mail_that_waits_for_a_slow_disk_gathers_no_heap() {
    let settings = Settings::plain(Timing::LAN, Failback::Never);
    let record = charters::founding(A, &charters::document(3, settings, 0));
    let mut ledger = Ledger::new(record, Moment::default());
    ledger.adopt(Term(9));
    let fetch = Message::Fetch(Fetch { have: Position::default() });
    for to in [B, C].repeat(1000) {
        ledger.hold(2, Envelope { to: charters::name(to), message: fetch.clone() });
    }
    assert_eq!(ledger.persisted(1).count(), 0);
    assert_eq!(ledger.persisted(2).count(), 2, "the newest of each kind to each node");
}
