//! The one document: who may change it, when it is committed, and how all get it.

use alloc::sync::Arc;
use core::time::Duration;

use crate::protocol::edit::Edit;
use crate::protocol::effects::{Answer, EditOutcome, Rejection, Wish};
use crate::protocol::membership::Failback;
use crate::protocol::message::Message;
use crate::protocol::timing::Timing;
use crate::protocol::units::{Nonce, Term};
use crate::sim::charters::{self, Settings};
use crate::spec::stage::{A, B, C, Stage};

const NEW: Failback = Failback::After(Duration::from_secs(77));

/// Promises: P4
#[test]
fn an_acknowledged_edit_survives_its_master() {
    let mut stage = Stage::led_by_a(3);
    stage.run_for(Duration::from_secs(1));
    let answer = stage.edit(A, NEW);
    let Answer::Edited(EditOutcome::Committed { revision, .. }) = answer else {
        panic!("{answer:?}")
    };
    stage.crash(A);
    stage.await_master(B);
    assert_eq!(stage.status(B).revision, revision);
    assert_eq!(stage.disk(B).committed.charter.election.failback, NEW);
}

/// Promises: P4, P10
#[test]
fn an_edit_on_a_master_that_is_cut_off_is_unknown_not_acknowledged() {
    let mut stage = Stage::led_by_a(3);
    stage.run_for(Duration::from_secs(1));
    stage.isolate(A);
    assert_eq!(stage.edit(A, NEW), Answer::Edited(EditOutcome::Unknown));
    stage.await_master(B);
    stage.heal();
    stage.await_that("a has b's document", |stage| {
        stage.disk(A).accepted.position == stage.disk(B).accepted.position
    });
    assert_eq!(stage.disk(A).accepted.hash, stage.disk(B).accepted.hash);
}

/// Promises: P4
#[test]
fn of_two_editors_with_the_same_text_before_them_one_is_told_to_look_again() {
    let mut stage = Stage::led_by_a(3);
    stage.run_for(Duration::from_secs(1));
    let seen = stage.status(A).revision;
    assert!(matches!(stage.edit(A, NEW), Answer::Edited(EditOutcome::Committed { .. })));
    let settings = Settings::plain(Timing::LAN, Failback::Never);
    let document = charters::document(3, settings, 99);
    let answer = stage.ask(A, Wish::Propose { revision: seen, document });
    assert_eq!(
        answer,
        Answer::Edited(EditOutcome::Rejected(Rejection::RevisionMoved { now: seen + 1 }))
    );
}

/// Promises: P4
#[test]
fn a_change_of_master_moves_the_position_and_not_the_revision() {
    let mut stage = Stage::led_by_a(3);
    stage.run_for(Duration::from_secs(1));
    let before = stage.status(A);
    stage.crash(A);
    stage.await_master(B);
    let after = stage.status(B);
    assert!(after.accepted > before.accepted);
    assert_eq!(after.accepted.term, after.term, "re-stamped in its own term");
    assert_eq!(after.revision, before.revision);
    assert_eq!(stage.disk(B).accepted.hash, stage.disk(C).accepted.hash);
}

/// Promises: P4, P7
#[test]
fn whoever_was_away_gets_the_document_on_return() {
    let mut stage = Stage::led_by_a(3);
    stage.isolate(C);
    stage.run_for(Duration::from_secs(1));
    assert!(matches!(stage.edit(A, NEW), Answer::Edited(EditOutcome::Committed { .. })));
    stage.heal();
    stage.await_that("c has it", |stage| stage.disk(C).committed.charter.election.failback == NEW);
}

/// Promises: P4, P7
#[test]
fn a_voter_without_the_newest_document_is_not_elected_but_fetches_it() {
    let mut stage = Stage::led_by_a(3);
    stage.cut(A, B);
    stage.run_for(Duration::from_secs(1));
    assert!(matches!(stage.edit(A, NEW), Answer::Edited(EditOutcome::Committed { .. })));
    stage.crash(A);
    stage.await_that("somebody acts", |stage| stage.acting().is_some());
    let master = stage.acting().expect("somebody acts");
    assert_eq!(stage.disk(master).accepted.charter.election.failback, NEW);
}

/// Promises: P4, P10
#[test]
fn an_edit_asked_of_a_follower_is_decided_by_the_master() {
    let mut stage = Stage::led_by_a(3);
    stage.run_for(Duration::from_secs(1));
    let seen = stage.status(B).revision;
    let answer = stage.edit(B, NEW);
    let Answer::Edited(EditOutcome::Committed { position, revision }) = answer else {
        panic!("{answer:?}")
    };
    assert_eq!((revision, position.term), (seen + 1, stage.term(A)));
    assert_eq!(stage.disk(A).committed.charter.election.failback, NEW);
    let settings = Settings::plain(Timing::LAN, Failback::Never);
    let document = charters::document(3, settings, 99);
    let answer = stage.ask(C, Wish::Propose { revision: seen, document });
    let moved = Rejection::RevisionMoved { now: seen + 1 };
    assert_eq!(answer, Answer::Edited(EditOutcome::Rejected(moved)));
}

/// Promises: P10
#[test]
fn without_a_master_nobody_takes_an_edit() {
    let mut stage = Stage::led_by_a(3);
    stage.run_for(Duration::from_secs(1));
    stage.crash(A);
    stage.crash(C);
    stage.await_that("b knows no master", |stage| stage.status(B).master.is_none());
    let nobody = Rejection::NotMaster { master: None };
    assert_eq!(stage.edit(B, NEW), Answer::Edited(EditOutcome::Rejected(nobody)));
}

/// Promises: P4, P10
#[test]
fn an_edit_whose_answer_does_not_come_is_unknown() {
    let mut stage = Stage::led_by_a(3);
    stage.run_for(Duration::from_secs(1));
    stage.cut_one_way(A, B);
    assert_eq!(stage.edit(B, NEW), Answer::Edited(EditOutcome::Unknown));
    assert_eq!(stage.disk(A).committed.charter.election.failback, NEW, "and yet it committed");
}

/// Promises: P4
#[test]
fn an_edit_that_reaches_another_term_than_it_was_meant_for_is_unknown() {
    let mut stage = Stage::led_by_a(3);
    stage.run_for(Duration::from_secs(1));
    let before = stage.status(A).revision;
    let Wish::Propose { revision, document } =
        stage.next_edit(B, Settings::plain(Timing::LAN, NEW))
    else {
        unreachable!("an edit is a proposal")
    };
    let term = Term(stage.term(A).0 - 1);
    let edit = Edit { term, nonce: Nonce(7), revision, document };
    stage.tell(A, B, Message::Edit(edit));
    stage.run_for(Duration::from_secs(1));
    assert_eq!(stage.status(A).revision, before);
}

/// Promises: P4, P6
#[test]
fn timing_is_edited_in_steps_that_each_fit_into_the_lease_before() {
    let ms = Duration::from_millis;
    let step = |dead| Timing::new(ms(100), ms(dead), ms(100), 10_000, ms(20)).expect("fits");
    let mut stage = Stage::timed(3, Timing::LAN);
    stage.run_for(Duration::from_secs(5));
    let at_once = stage.edit_timing(A, Timing::DEFAULT);
    assert_eq!(at_once, Answer::Edited(EditOutcome::Rejected(Rejection::LeaseTooShort)));
    for timing in [step(1_000), step(3_000), Timing::DEFAULT, Timing::LAN] {
        let answer = stage.edit_timing(A, timing);
        assert!(
            matches!(answer, Answer::Edited(EditOutcome::Committed { .. })),
            "{timing:?} {answer:?}"
        );
        stage.assert_only_acting(A, Duration::from_secs(20));
        assert_eq!(stage.status(C).timing, timing);
    }
}

/// Promises: P7
#[test]
fn a_timing_under_which_nobody_could_lead_is_refused() {
    let ms = Duration::from_millis;
    let tight = Timing::new(ms(100), ms(600), ms(195), 10_000, ms(20)).expect("just fits");
    let mut stage = Stage::timed(3, Timing::DEFAULT);
    stage.slow_links(ms(80));
    stage.run_for(Duration::from_secs(5));
    let answer = stage.edit_timing(A, tight);
    assert!(
        matches!(answer, Answer::Edited(EditOutcome::Rejected(Rejection::TooFarApart { .. }))),
        "{answer:?}"
    );
    stage.assert_only_acting(A, Duration::from_secs(5));
}

/// Promises: P1, P4
#[test]
fn who_does_not_understand_the_document_keeps_and_acknowledges_it_and_does_not_lead() {
    let mut stage = Stage::led_by_a(3);
    stage.run_for(Duration::from_secs(1));
    let revision = stage.status(A).revision;
    let settings = Settings::plain(Timing::LAN, Failback::Never);
    let mut document = charters::document(3, settings, 99);
    Arc::make_mut(&mut document.charter).is_understood = false;
    let answer = stage.ask(A, Wish::Propose { revision, document });
    assert!(matches!(answer, Answer::Edited(EditOutcome::Committed { .. })), "{answer:?}");
    stage.run_for(Duration::from_secs(1));
    let answer = stage.ask(A, Wish::Transfer { to: None });
    assert!(matches!(answer, Answer::HandoverRefused(_)), "{answer:?}");
    stage.crash(A);
    stage.run_for(Duration::from_secs(20));
    assert_eq!(stage.acting(), None);
}
