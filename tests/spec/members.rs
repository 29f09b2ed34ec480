//! Who votes, and how that changes: one voter at a time, and never one whose arrival or leaving
//! could leave the cluster without a majority.

use alloc::sync::Arc;
use core::time::Duration;

use crate::protocol::effects::{Answer, EditOutcome, Rejection, Wish};
use crate::protocol::membership::{ChangeRefusal, Failback, Member, MemberRole, Membership};
use crate::protocol::timing::Timing;
use crate::protocol::units::Pin;
use crate::sim::charters::{self, Settings};
use crate::spec::stage::{A, B, C, Stage};

const D: usize = 3;
const E: usize = 4;
const V: MemberRole = MemberRole::Voter;
const O: MemberRole = MemberRole::Observer;
const SETTINGS: Settings = Settings::plain(Timing::LAN, Failback::Never);
const SECOND: Duration = Duration::from_secs(1);

/// Nodes for these roles, of which the preferred one leads, and who know each other well.
fn settled(roles: &[MemberRole]) -> Stage {
    let mut stage = Stage::lacking(None, roles, SETTINGS);
    stage.run_for(SECOND * 5);
    stage
}

fn refused(answer: &Answer) -> &ChangeRefusal {
    match answer {
        Answer::Edited(EditOutcome::Rejected(Rejection::Members(refusal))) => refusal,
        other => panic!("not refused for its members: {other:?}"),
    }
}

fn assert_committed(answer: &Answer) {
    assert!(matches!(answer, Answer::Edited(EditOutcome::Committed { .. })), "{answer:?}");
}

/// The names of those whose vote counts, by what `node` has on disk.
fn voters(stage: &Stage, node: usize) -> Vec<String> {
    let document = stage.disk(node).accepted;
    document.charter.members.voters().map(|member| member.id.to_string()).collect()
}

/// The next document of `node` with its members changed by hand.
fn with_members(stage: &mut Stage, node: usize, change: impl Fn(&mut Member)) -> Wish {
    let roles = charters::roles(&stage.disk(node).accepted);
    let Wish::Propose { revision, mut document } = stage.next_roles(node, &roles) else {
        panic!("an edit is proposed");
    };
    let mut members: Vec<Member> = document.charter.members.all().cloned().collect();
    members.iter_mut().for_each(change);
    let members = Membership::new(members).expect("each is there once");
    Arc::make_mut(&mut document.charter).members = members;
    Wish::Propose { revision, document }
}

/// Promises: P4, P7
#[test]
fn an_observer_that_is_connected_and_up_to_date_becomes_a_voter() {
    let mut stage = settled(&[V, V, V, O]);
    assert_committed(&stage.edit_roles(A, &[V, V, V, V]));
    assert_eq!(voters(&stage, A), ["a", "b", "c", "d"]);
    stage.run_for(SECOND);
    // Three of four are needed now: without the vote of the new one nobody would lead.
    stage.crash(A);
    stage.await_master(B);
    stage.assert_only_acting(B, SECOND * 5);
}

/// Promises: P4, P7
#[test]
fn a_voter_that_is_removed_counts_no_more() {
    let mut stage = settled(&[V, V, V, V]);
    assert_committed(&stage.edit_roles(A, &[V, V, V, O]));
    assert_eq!(voters(&stage, A), ["a", "b", "c"]);
    stage.crash(B);
    stage.assert_only_acting(A, SECOND * 5);
    stage.crash(C);
    stage.await_no_master();
    stage.run_for(SECOND * 10);
    assert_eq!(stage.acting(), None, "a and the removed one are no majority of three");
}

/// Promises: P1, P4
#[test]
fn two_voters_never_come_or_go_in_one_edit() {
    let mut stage = settled(&[V, V, V, V, O, O]);
    for roles in [[V, V, V, V, V, V], [V, V, O, O, O, O], [V, V, V, O, V, O]] {
        assert_eq!(refused(&stage.edit_roles(A, &roles)), &ChangeRefusal::TwoAtOnce);
    }
    stage.assert_only_acting(A, SECOND * 5);
}

/// F63
/// Promises: P10
#[test]
fn another_disk_under_the_name_of_a_voter_is_one_that_comes_and_one_that_goes() {
    let mut stage = settled(&[V, V, V]);
    let replaced = with_members(&mut stage, A, |member| {
        if member.id == charters::name(C) {
            member.storage = charters::storage(8);
        }
    });
    assert_eq!(refused(&stage.ask(A, replaced)), &ChangeRefusal::TwoAtOnce);
}

/// F71
/// Promises: P1, P7
#[test]
fn a_master_is_removed_only_after_it_handed_over() {
    let mut stage = settled(&[V, V, V]);
    for mine in [O, MemberRole::Witness] {
        let answer = stage.edit_roles(A, &[mine, V, V]);
        assert_eq!(refused(&answer), &ChangeRefusal::MasterMustLead);
    }
    assert!(refused(&stage.edit_roles(A, &[O, V, V])).to_string().contains("transfer"));
    stage.ask(A, Wish::Transfer { to: Some(charters::name(B)) });
    stage.await_master(B);
    stage.run_for(SECOND);
    assert_committed(&stage.edit_roles(B, &[O, V, V]));
    assert_eq!(voters(&stage, B), ["b", "c"]);
}

/// F69, F70
/// Promises: P1, P10
#[test]
fn whoever_was_never_an_observer_becomes_no_voter() {
    let mut stage = settled(&[V, V, V]);
    let answer = stage.edit_roles(A, &[V, V, V, V]);
    let node = charters::name(D);
    assert_eq!(refused(&answer), &ChangeRefusal::NotAnObserver { node });
    let mut stage = settled(&[V, V, V, O]);
    let other_disk = with_members(&mut stage, A, |member| {
        if member.id == charters::name(D) {
            (member.role, member.storage) = (V, charters::storage(8));
        }
    });
    let node = charters::name(D);
    assert_eq!(refused(&stage.ask(A, other_disk)), &ChangeRefusal::NotAnObserver { node });
}

/// F70
/// Promises: P7
#[test]
fn an_observer_that_is_down_or_just_back_or_lags_becomes_no_voter() {
    let late = ChangeRefusal::NotCaughtUp { node: charters::name(D) };
    let mut stage = settled(&[V, V, V, O]);
    stage.crash(D);
    stage.run_for(SECOND);
    assert_eq!(refused(&stage.edit_roles(A, &[V, V, V, V])), &late, "it is down");
    stage.restart(D);
    stage.await_that("d is heard again", |stage| stage.status(A).peers[2].is_heard);
    assert_eq!(refused(&stage.edit_roles(A, &[V, V, V, V])), &late, "it is just back");
    stage.run_for(SECOND * 3);
    // It is heard as before, and hears nothing: the next document never reaches it.
    stage.cut_one_way(A, D);
    assert_committed(&stage.edit(A, Failback::After(SECOND * 77)));
    assert_eq!(refused(&stage.edit_roles(A, &[V, V, V, V])), &late, "it lags");
    stage.heal();
    stage.run_for(SECOND * 3);
    assert_committed(&stage.edit_roles(A, &[V, V, V, V]));
}

/// F69
/// Promises: P4, P7
#[test]
fn a_voter_comes_only_when_every_voter_could_know_its_key() {
    let mut stage = settled(&[V, V, V, O]);
    stage.cut_one_way(A, B);
    assert_committed(&stage.edit(A, Failback::After(SECOND * 77)));
    stage.run_for(Timing::LAN.heartbeat() * 2);
    let at = charters::name(B);
    let answer = stage.edit_roles(A, &[V, V, V, V]);
    assert_eq!(refused(&answer), &ChangeRefusal::DocumentMissing { at });
}

/// Promises: P7
#[test]
fn a_master_whose_own_disk_came_last_takes_a_voter_all_the_same() {
    let mut stage = settled(&[V, V, V, O]);
    stage.slow_disk(A, Duration::from_millis(30));
    assert_committed(&stage.edit_timing(A, Timing::LAN));
    assert_ne!(stage.disk(A).accepted.revision, stage.disk(B).accepted.revision, "not yet there");
    stage.run_for(SECOND * 5);
    assert_committed(&stage.edit_roles(A, &[V, V, V, V]));
}

/// F69
/// Promises: P4, P7
#[test]
fn a_voter_that_missed_the_newcomers_arrival_elects_it_all_the_same() {
    let mut stage = settled(&[V, V, O]);
    stage.cut(A, B);
    assert_committed(&stage.edit_roles(A, &[V, V, V]));
    assert_eq!(voters(&stage, B), ["a", "b"], "b missed it");
    stage.crash(A);
    stage.await_no_master();
    stage.await_that("one of the two acts", |stage| stage.acting().is_some());
    assert_eq!(voters(&stage, B), ["a", "b", "c"]);
}

/// F74
/// Promises: P7
#[test]
fn a_voter_whose_leaving_would_leave_no_majority_stays() {
    let mut stage = settled(&[V, V, V, V, V]);
    stage.crash(D);
    stage.crash(E);
    stage.run_for(SECOND);
    let answer = stage.edit_roles(A, &[V, V, O, V, V]);
    assert_eq!(refused(&answer), &ChangeRefusal::NoMajority { have: 2, need: 3 });
    stage.assert_only_acting(A, SECOND * 5);
}

/// F74
/// Promises: P4, P7
#[test]
fn two_dead_voters_are_replaced_one_after_the_other_under_a_master_that_stays() {
    let mut stage = settled(&[V, V, V, V, V, O, O]);
    stage.crash(D);
    stage.crash(E);
    stage.run_for(SECOND);
    assert_committed(&stage.edit_roles(A, &[V, V, V, O, V, O, O]));
    stage.run_for(SECOND);
    let early = stage.edit_roles(A, &[V, V, V, O, V, V, O]);
    let at = charters::name(E);
    assert_eq!(refused(&early), &ChangeRefusal::DocumentMissing { at }, "the dead go first");
    for roles in [[V, V, V, O, O, O, O], [V, V, V, O, O, V, O], [V, V, V, O, O, V, V]] {
        assert_committed(&stage.edit_roles(A, &roles));
        stage.assert_only_acting(A, SECOND * 5);
    }
    assert_eq!(voters(&stage, A), ["a", "b", "c", "f", "g"]);
}

/// F72
/// Promises: P10
#[test]
fn a_voter_that_was_removed_while_it_was_away_disturbs_nobody_on_its_return() {
    let mut stage = settled(&[V, V, V, V]);
    stage.isolate(D);
    assert_committed(&stage.edit_roles(A, &[V, V, V, O]));
    stage.run_for(SECOND * 60);
    let term = stage.term(A);
    stage.heal();
    stage.assert_only_acting(A, SECOND * 20);
    assert_eq!(stage.term(A), term);
    assert_eq!(voters(&stage, D), ["a", "b", "c"], "it was told");
}

/// F73
/// Promises: P4, P10
#[test]
fn a_voter_removed_by_a_master_that_is_cut_off_is_not_acknowledged_and_votes_on() {
    let mut stage = settled(&[V, V, V, V, V]);
    for other in [C, D, E] {
        stage.cut(A, other);
        stage.cut(B, other);
    }
    assert_eq!(stage.edit_roles(A, &[V, V, V, V, O]), Answer::Edited(EditOutcome::Unknown));
    stage.await_master(C);
    stage.heal();
    stage.await_that("all have the majority's document", |stage| {
        (A..=E).all(|node| stage.disk(node).accepted == stage.disk(C).accepted)
    });
    assert_eq!(voters(&stage, A), ["a", "b", "c", "d", "e"]);
}

/// F45
/// Promises: P1, P6
#[test]
fn a_lease_leans_on_those_who_vote_now_and_not_on_those_who_went() {
    // d and e renew their promises, b and c do not: with e gone, one of these two must do.
    let half = || {
        let settings = Settings::plain(Timing::DEFAULT, Failback::Never);
        let mut stage = Stage::lacking(None, &[V; 5], settings);
        stage.run_for(SECOND * 10);
        stage.cut_one_way(A, B);
        stage.cut_one_way(A, C);
        stage
    };
    let mut stage = half();
    stage.run_for(SECOND * 3);
    let answer = stage.edit_roles(A, &[V, V, V, V, O]);
    assert_eq!(answer, Answer::Edited(EditOutcome::Rejected(Rejection::LeaseTooShort)));
    stage.assert_only_acting(A, SECOND * 5);
    let mut stage = half();
    stage.run_for(SECOND);
    let before = stage.status(A).lease_left.expect("a leads");
    stage.propose_roles(A, &[V, V, V, V, O]);
    stage.await_that("the document is on a's disk", |stage| voters(stage, A).len() == 4);
    let after = stage.status(A).lease_left.expect("a leads");
    assert!(after + SECOND / 4 < before, "{before:?} before, {after:?} after");
    stage.await_no_master();
    stage.heal();
    stage.await_that("somebody acts", |stage| stage.acting().is_some());
}

/// Promises: P7
#[test]
fn an_edit_that_would_leave_the_lease_to_a_clock_nobody_leans_on_is_refused() {
    let mut stage = settled(&[V, V, V]);
    stage.run_clocks_off(C, 30_000);
    stage.run_for(SECOND * 90);
    let answer = stage.edit_roles(A, &[V, O, V]);
    assert!(matches!(answer, Answer::Edited(EditOutcome::Rejected(_))), "{answer:?}");
    stage.assert_only_acting(A, SECOND * 5);
}

/// Promises: P7
#[test]
fn a_voter_too_far_away_to_lead_with_is_not_taken() {
    let ms = Duration::from_millis;
    let timing = Timing::new(ms(50), ms(1_000), ms(100), 10_000, ms(20)).expect("it fits");
    let settings = Settings::plain(timing, Failback::Never);
    let mut stage = Stage::lacking(None, &[V, O], settings);
    stage.set_delay(ms(60));
    stage.run_for(SECOND * 5);
    let answer = stage.edit_roles(A, &[V, V]);
    assert!(
        matches!(answer, Answer::Edited(EditOutcome::Rejected(Rejection::TooFarApart { .. }))),
        "{answer:?}"
    );
    stage.assert_only_acting(A, SECOND * 5);
}

/// F81
/// Promises: P7
#[test]
fn the_key_of_a_voter_is_not_changed_under_those_who_have_not_heard_of_it() {
    let mut stage = settled(&[V, V, V]);
    let wish = with_members(&mut stage, A, |member| {
        if member.id == charters::name(B) {
            member.pin.0[0] ^= 0xff;
        }
    });
    let answer = stage.ask(A, wish);
    assert_eq!(*refused(&answer), ChangeRefusal::OtherKey { node: charters::name(B) });
}

/// The next document of A, in which B has these keys.
fn with_keys(stage: &mut Stage, pin: Pin, next_pin: Option<Pin>) -> Wish {
    with_members(stage, A, |member| {
        if member.id == charters::name(B) {
            (member.pin, member.next_pin) = (pin, next_pin);
        }
    })
}

/// F81
/// Promises: P7, P10
#[test]
fn the_key_of_a_voter_changes_to_its_next_one_once_every_voter_has_heard_of_that() {
    let mut stage = settled(&[V, V, V]);
    let [next, other] = [Pin([0xee; 32]), Pin([0xdd; 32])];
    let old = stage.disk(A).accepted.charter.members.find(&charters::name(B)).unwrap().pin;
    stage.crash(C);
    stage.run_for(SECOND);
    let named = with_keys(&mut stage, old, Some(next));
    assert_committed(&stage.ask(A, named));
    let early = with_keys(&mut stage, next, None);
    let at = charters::name(C);
    assert_eq!(*refused(&stage.ask(A, early)), ChangeRefusal::DocumentMissing { at });
    stage.restart(C);
    stage.run_for(SECOND * 5);
    let third = with_keys(&mut stage, other, None);
    let node = charters::name(B);
    assert_eq!(*refused(&stage.ask(A, third)), ChangeRefusal::OtherKey { node });
    let changed = with_keys(&mut stage, next, None);
    assert_committed(&stage.ask(A, changed));
    stage.assert_only_acting(A, SECOND * 5);
}
