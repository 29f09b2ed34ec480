//! Who goes first under each policy, and what people may take out of the cluster's hands: whether
//! mastership moves by itself, who is on standby, whose data count as complete.

use core::time::Duration;

use crate::protocol::effects::{Answer, EditOutcome, Rejection, Wish};
use crate::protocol::membership::{ChangeRefusal, Failback, Policy};
use crate::protocol::message::HandoverRefusal;
use crate::protocol::status::Hindrance;
use crate::protocol::timing::Timing;
use crate::protocol::units::NodeId;
use crate::sim::charters::{self, Customs};
use crate::spec::stage::{A, B, C, Stage};

/// Longer than any hold-off or back-off at the lan timing.
const LONG: Duration = Duration::from_secs(10);

/// The nodes by the priority that `charters` gives them.
const BY_PRIORITY: [usize; 3] = [B, C, A];

fn under(policy: Policy) -> Stage {
    Stage::under(Customs { policy, ..Customs::PLAIN }, Failback::Never)
}

fn transfer_to(node: usize) -> Wish {
    Wish::Transfer { to: Some(charters::name(node)) }
}

/// Loses master after master and says who they were.
fn succession(stage: &mut Stage) -> Vec<usize> {
    stage.await_that("somebody acts", |stage| stage.acting().is_some());
    let mut leaders = vec![stage.acting().expect("just seen")];
    stage.run_for(LONG);
    let first = leaders[0];
    stage.crash(first);
    stage.await_that("another acts", |stage| stage.acting().is_some_and(|node| node != first));
    leaders.push(stage.acting().expect("just seen"));
    leaders
}

/// Promises: P8
#[test]
fn the_highest_priority_leads_first() {
    assert_eq!(succession(&mut under(Policy::Priority)), BY_PRIORITY[..2]);
}

/// Promises: P8
#[test]
fn a_node_of_higher_priority_comes_back_only_where_failback_says_so() {
    let mut stage = under(Policy::Priority);
    stage.await_master(B);
    stage.run_for(LONG);
    stage.crash(B);
    stage.await_master(C);
    stage.restart(B);
    stage.assert_only_acting(C, LONG * 3);

    let customs = Customs { policy: Policy::Priority, ..Customs::PLAIN };
    let mut stage = Stage::under(customs, Failback::After(LONG));
    stage.await_master(B);
    stage.run_for(LONG * 2);
    stage.crash(B);
    stage.await_master(C);
    stage.restart(B);
    stage.assert_only_acting(C, LONG - Duration::from_secs(1));
    stage.await_master(B);
}

/// Promises: P8
#[test]
fn the_freshest_data_lead_first() {
    let mut stage = under(Policy::Freshest);
    stage.await_master(B);
    stage.set_freshness(A, 7);
    stage.set_freshness(C, 8);
    stage.run_for(LONG);
    stage.crash(B);
    stage.await_master(C);
}

/// Promises: P8, P9
#[test]
fn a_handover_to_nobody_in_particular_goes_to_the_freshest_data() {
    let mut stage = under(Policy::Freshest);
    stage.await_master(B);
    stage.set_freshness(A, 7);
    stage.run_for(LONG);
    let answer = stage.ask(B, Wish::Transfer { to: None });
    assert!(matches!(answer, Answer::HandedOver { ref to, .. } if *to == charters::name(A)));
}

/// Promises: P8
#[test]
fn whoever_has_run_longest_leads_first_and_those_as_old_by_the_highest_name() {
    let mut stage = under(Policy::Seniority);
    stage.await_master(C);
    stage.run_for(LONG * 2);
    stage.crash(B);
    stage.restart(B);
    stage.run_for(LONG);
    stage.crash(C);
    stage.await_master(A);
    stage.restart(C);
    stage.run_for(LONG);
    stage.crash(A);
    stage.await_master(B);
}

/// Promises: P7, P8
#[test]
fn mastership_does_not_go_round_among_daemons_of_about_the_same_age() {
    let customs = Customs { policy: Policy::Seniority, ..Customs::PLAIN };
    let mut stage = Stage::under(customs, Failback::After(Duration::from_secs(1)));
    stage.await_master(C);
    stage.run_for(Duration::from_secs(3));
    stage.crash(C);
    stage.await_master(B);
    stage.restart(C);
    stage.assert_only_acting(B, LONG * 4);

    stage.crash(C);
    stage.restart(C);
    stage.run_for(LONG);
    stage.ask(B, transfer_to(C));
    stage.await_master(C);
    stage.await_master(B);
    stage.assert_only_acting(B, LONG * 4);
}

/// Promises: P8
#[test]
fn whoever_was_master_last_leads_again_under_sticky() {
    let mut stage = under(Policy::Sticky);
    stage.await_master(A);
    stage.run_for(LONG);
    stage.ask(A, transfer_to(C));
    stage.await_master(C);
    stage.run_for(LONG);
    stage.isolate(C);
    stage.isolate(B);
    stage.await_no_master();
    stage.heal();
    stage.await_that("somebody acts", |stage| stage.acting().is_some());
    assert_eq!(stage.acting(), Some(C));
}

/// Promises: P8
#[test]
fn where_failover_is_not_automatic_nobody_takes_over_until_asked() {
    let customs = Customs { is_automatic: false, ..Customs::PLAIN };
    let mut stage = Stage::under(customs, Failback::After(Duration::ZERO));
    stage.run_for(LONG);
    assert_eq!(stage.acting(), None, "not even the first one leads unasked");
    stage.ask(C, transfer_to(C));
    stage.await_master(C);
    stage.assert_only_acting(C, LONG * 3);
    stage.crash(C);
    stage.run_for(LONG * 3);
    assert_eq!(stage.acting(), None);
    let answer = stage.ask(B, transfer_to(A));
    assert!(matches!(answer, Answer::HandedOver { ref to, .. } if *to == charters::name(A)));
    stage.restart(C);
    stage.assert_only_acting(A, LONG);
}

/// Promises: P7
#[test]
fn where_failover_is_not_automatic_whoever_was_master_last_leads_again_by_itself() {
    let customs = Customs { is_automatic: false, ..Customs::PLAIN };
    let mut stage = Stage::under(customs, Failback::Never);
    stage.run_for(LONG);
    stage.ask(B, transfer_to(B));
    stage.await_master(B);
    stage.run_for(LONG);
    stage.isolate(B);
    stage.await_no_master();
    stage.run_for(LONG);
    stage.heal();
    stage.await_master(B);
    stage.crash(B);
    stage.run_for(LONG);
    stage.restart(B);
    stage.await_master(B);
}

/// Promises: P8
#[test]
fn in_maintenance_sick_work_and_a_better_node_move_nothing_and_an_operator_does() {
    let mut stage = Stage::of(3, Failback::After(LONG));
    stage.await_master(A);
    stage.run_for(LONG);
    stage.ask(A, transfer_to(B));
    stage.await_master(B);
    let still = Customs { is_automatic: false, ..Customs::PLAIN };
    let answer = stage.edit_customs(B, still);
    assert!(matches!(answer, Answer::Edited(EditOutcome::Committed { .. })), "{answer:?}");
    stage.set_health(B, false);
    stage.assert_only_acting(B, LONG * 4);
    stage.ask(B, transfer_to(C));
    stage.await_master(C);
    stage.edit_customs(C, Customs::PLAIN);
    stage.await_master(A);
}

/// Promises: P9
#[test]
fn a_master_put_on_standby_hands_over_at_once_and_comes_back_by_failback() {
    let mut stage = Stage::of(3, Failback::After(LONG));
    stage.await_master(A);
    stage.run_for(LONG);
    let before = stage.now();
    stage.edit_customs(A, Customs { standby: 1 << A, ..Customs::PLAIN });
    stage.await_master(B);
    assert!(stage.now() - before < Timing::LAN.heartbeat() * 3, "{:?}", stage.now() - before);
    stage.assert_only_acting(B, LONG * 3);
    let answer = stage.ask(B, transfer_to(A));
    assert_eq!(answer, Answer::HandoverRefused(HandoverRefusal::HeldOff));
    stage.edit_customs(B, Customs::PLAIN);
    stage.assert_only_acting(B, LONG - Duration::from_secs(1));
    stage.await_master(A);
}

/// Promises: P7
#[test]
fn a_node_on_standby_leads_where_nobody_else_can() {
    let mut stage = Stage::led_by_a(3);
    stage.run_for(LONG);
    stage.edit_customs(A, Customs { standby: 0b110, ..Customs::PLAIN });
    stage.run_for(Duration::from_secs(1));
    stage.crash(A);
    stage.await_that("somebody acts", |stage| stage.acting().is_some());
}

/// Promises: P8, P10
#[test]
fn where_the_freshest_data_are_required_a_node_out_of_sync_never_leads() {
    let mut stage = Stage::led_by_a(3);
    stage.run_for(LONG);
    stage.edit_customs(A, Customs { lagging: 1 << B, ..Customs::PLAIN });
    stage.run_for(Duration::from_secs(1));
    let answer = stage.ask(A, transfer_to(B));
    assert_eq!(answer, Answer::HandoverRefused(HandoverRefusal::NotElectable));
    stage.crash(A);
    stage.await_master(C);
    stage.restart(A);
    stage.run_for(LONG);
    stage.edit_customs(C, Customs { lagging: 0b011, ..Customs::PLAIN });
    stage.run_for(Duration::from_secs(1));
    stage.crash(C);
    stage.run_for(LONG * 3);
    assert_eq!(stage.acting(), None, "c alone has all the data");
    let answer = stage.ask(A, transfer_to(A));
    assert_eq!(answer, Answer::HandoverRefused(HandoverRefusal::NotElectable));
    stage.restart(C);
    stage.await_master(C);
}

/// Promises: P4
#[test]
fn the_data_of_a_sitting_master_count_as_complete() {
    let mut stage = Stage::led_by_a(3);
    stage.run_for(LONG);
    let answer = stage.edit_customs(A, Customs { lagging: 1 << A, ..Customs::PLAIN });
    let refusal = Rejection::Members(ChangeRefusal::MasterMustLead);
    assert_eq!(answer, Answer::Edited(EditOutcome::Rejected(refusal)));
}

/// Promises: P8
#[test]
fn people_see_who_would_lead_in_whose_place_and_what_keeps_the_others_from_it() {
    let mut stage = under(Policy::Priority);
    stage.await_master(B);
    stage.run_for(LONG);
    let customs = Customs { policy: Policy::Priority, standby: 1 << C, ..Customs::PLAIN };
    stage.edit_customs(B, customs);
    stage.run_for(Duration::from_secs(1));
    let seen = |stage: &Stage| -> Vec<(NodeId, Option<Hindrance>)> {
        let ranking = stage.ranking(A);
        ranking.into_iter().map(|placing| (placing.id, placing.hindrance)).collect()
    };
    let [a, b, c] = [A, B, C].map(charters::name);
    let standby = (c.clone(), Some(Hindrance::Standby));
    assert_eq!(seen(&stage), [(b.clone(), None), (a.clone(), None), standby.clone()]);
    stage.crash(B);
    stage.await_master(A);
    stage.run_for(LONG);
    assert_eq!(seen(&stage), [(a, None), (b, Some(Hindrance::NotHeard)), standby]);
}
