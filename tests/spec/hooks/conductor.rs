//! Which hook runs when, and what its failure means.

use std::time::Duration;

use quorate::daemon::hooks::conductor::{Heard, Policy, State};
use quorate::keep::guard::orders::End;
use quorate::protocol::units::{Chance, Term};
use quorate::settings::hooks::OnFail;

use super::theatre::{ALL, STOP, Theatre};

const OK: End = End::Code(0);
const FAILED: End = End::Code(3);
const SECOND: Duration = Duration::from_secs(1);

#[test]
fn the_backup_hook_runs_once_at_start_and_before_anybody_may_elect_this_node() {
    let mut theatre = Theatre::new(ALL);
    assert_eq!(theatre.begun, [State::Backup]);
    assert_eq!(theatre.is_ready, Some(false));
    theatre.ends(OK);
    assert_eq!(theatre.is_ready, Some(true));
    theatre.passes(SECOND * 100);
    assert_eq!(theatre.begun, [State::Backup]);
    assert_eq!(theatre.recorded, Some(State::Backup));
}

#[test]
fn a_node_without_hooks_is_ready_and_runs_none() {
    let none = Policy { has_master: false, has_backup: false, has_no_quorum: false, ..ALL };
    let mut theatre = Theatre::new(none);
    assert_eq!(theatre.is_ready, Some(true));
    theatre.is_granted();
    theatre.is_stopped();
    assert_eq!(theatre.acts_in(), None);
    assert!(theatre.begun.is_empty());
}

/// Promises: P6
#[test]
fn a_stop_is_confirmed_only_when_the_guard_says_that_nothing_lives() {
    let mut theatre = Theatre::ready(ALL);
    let term = theatre.is_granted();
    theatre.ends(OK);
    theatre.is_stopped();
    theatre.passes(SECOND / 2);
    assert_eq!(theatre.acts_in(), Some(term));
    theatre.undoes(OK);
    assert_eq!(theatre.acts_in(), None);
    assert_eq!(theatre.said, ["stop", "confirm"]);
    assert_eq!(theatre.begun, [State::Master(term)], "the guard ran backup");
    assert_eq!(theatre.applied(), Some(State::Backup));
}

#[test]
fn five_role_changes_during_one_hook_end_in_the_last_role_with_nothing_in_between() {
    let mut theatre = Theatre::new(ALL);
    for _ in 0..2 {
        theatre.is_granted();
        theatre.is_stopped();
        assert_eq!(theatre.acts_in(), None, "nothing acted, so nothing holds it up");
    }
    let last = theatre.is_granted();
    theatre.ends(OK);
    assert_eq!(theatre.begun, [State::Backup, State::Master(last)]);
    theatre.ends(OK);
    assert_eq!(theatre.applied(), Some(State::Master(last)));
    assert_eq!(last, Term(3));
}

#[test]
fn what_was_wanted_only_while_another_hook_ran_is_never_run() {
    let mut theatre = Theatre::ready(ALL);
    theatre.hear(Heard::Quorum(false));
    assert_eq!(theatre.begun, [State::NoQuorum]);
    theatre.hear(Heard::Quorum(true));
    theatre.hear(Heard::Quorum(false));
    theatre.hear(Heard::Quorum(true));
    theatre.is_granted();
    theatre.ends(OK);
    assert_eq!(theatre.begun, [State::NoQuorum, State::Master(Term(1))]);
}

#[test]
fn a_hook_killed_because_mastership_ended_has_not_failed() {
    let mut theatre = Theatre::ready(ALL);
    theatre.is_granted();
    theatre.is_stopped();
    theatre.undoes(OK);
    assert_eq!(theatre.said, ["stop", "confirm"]);
    assert_eq!(theatre.is_ready, Some(true));
}

#[test]
fn a_failed_hook_is_tried_again_after_one_two_and_four_seconds() {
    let mut theatre = Theatre::ready(Policy { retries: 3, ..ALL });
    theatre.is_granted();
    for (pause, tries) in [(1, 2), (2, 3), (4, 4)] {
        theatre.ends(FAILED);
        theatre.passes(SECOND * pause - Duration::from_millis(1));
        assert!(!theatre.runs(), "too early");
        theatre.passes(Duration::from_millis(1));
        assert_eq!(theatre.begun.len(), tries);
    }
    assert!(theatre.said.is_empty());
}

/// F102, F104
#[test]
fn a_master_hook_that_failed_for_good_hands_over_and_is_tried_again_if_nobody_takes_it() {
    let mut theatre = Theatre::ready(ALL);
    theatre.is_granted();
    for _ in 0..3 {
        theatre.ends(FAILED);
        theatre.passes(SECOND * 10);
    }
    assert_eq!(theatre.said, ["give-up", "step-down"]);
    theatre.ends(FAILED);
    assert_eq!(theatre.said, ["give-up", "step-down", "step-down"]);
    theatre.is_stopped();
    theatre.undoes(OK);
    assert_eq!(theatre.acts_in(), None);
    assert_eq!(theatre.applied(), Some(State::Backup));
}

#[test]
fn a_master_hook_that_failed_for_good_is_tried_for_ever_where_that_is_wanted() {
    let mut theatre = Theatre::ready(Policy { on_fail: OnFail::Retry, ..ALL });
    theatre.is_granted();
    for _ in 0..20 {
        theatre.ends(FAILED);
        theatre.passes(SECOND * 60);
        assert!(theatre.runs());
    }
    assert_eq!(theatre.said, ["give-up"]);
}

#[test]
fn a_failed_master_hook_is_ignored_where_that_is_wanted() {
    let mut theatre = Theatre::ready(Policy { on_fail: OnFail::Ignore, retries: 0, ..ALL });
    let term = theatre.is_granted();
    theatre.ends(FAILED);
    assert_eq!(theatre.applied(), Some(State::Master(term)));
    assert_eq!(theatre.said, ["give-up"]);
}

#[test]
fn a_node_whose_backup_hook_failed_may_not_be_elected_until_it_succeeds() {
    let mut theatre = Theatre::new(ALL);
    for _ in 0..10 {
        theatre.ends(FAILED);
        assert_eq!(theatre.is_ready, Some(false));
        theatre.passes(SECOND * 60);
    }
    assert_eq!(theatre.said, ["give-up"]);
    theatre.ends(OK);
    assert_eq!(theatre.is_ready, Some(true));
}

#[test]
fn a_mastership_that_was_not_undone_in_time_is_undone_later_and_the_node_not_elected_before() {
    let mut theatre = Theatre::ready(ALL);
    theatre.is_granted();
    theatre.ends(OK);
    theatre.is_stopped();
    theatre.undoes(End::Stopped);
    assert_eq!(theatre.said, ["stop", "late", "confirm"]);
    assert_eq!(theatre.is_ready, Some(false));
    assert_eq!(theatre.recorded, None);
    theatre.ends(OK);
    assert_eq!(theatre.begun.last(), Some(&State::Backup));
    assert_eq!(theatre.is_ready, Some(true));
}

/// Promises: P6
#[test]
fn a_guard_that_ends_mastership_by_its_own_clocks_ends_it_for_good() {
    let mut theatre = Theatre::ready(ALL);
    theatre.is_granted();
    theatre.ends(OK);
    theatre.undoes(OK);
    assert_eq!(theatre.said, ["end", "confirm"]);
    theatre.passes(SECOND * 100);
    assert_eq!(theatre.begun, [State::Master(Term(1))]);
}

/// Promises: P6
#[test]
fn a_lost_guard_ends_mastership_and_the_next_one_undoes_it_before_that_is_confirmed() {
    let mut theatre = Theatre::ready(ALL);
    let term = theatre.is_granted();
    theatre.loses_its_guard();
    assert_eq!(theatre.said, ["end"]);
    assert_eq!(theatre.is_ready, Some(false));
    assert_eq!(theatre.acts_in(), Some(term));
    theatre.hear(Heard::Ready);
    assert!(theatre.is_armed());
    theatre.undoes(OK);
    assert_eq!(theatre.said, ["end", "stop", "confirm"]);
    assert_eq!(theatre.is_ready, Some(true));
}

#[test]
fn where_no_new_guard_comes_in_time_a_lost_one_is_confirmed_and_backup_runs_later() {
    let mut theatre = Theatre::ready(ALL);
    theatre.is_granted();
    theatre.ends(OK);
    theatre.loses_its_guard();
    theatre.passes(SECOND);
    assert_eq!(theatre.acts_in(), None);
    assert_eq!(theatre.is_ready, Some(false));
    theatre.hear(Heard::Ready);
    assert_eq!(theatre.begun, [State::Master(Term(1)), State::Backup]);
}

/// Promises: P6
/// F35: half of the time that killing may take is the guard's, and half is ours.
#[test]
fn a_guard_that_does_not_end_mastership_in_time_is_killed_and_backup_runs_later() {
    let mut theatre = Theatre::ready(ALL);
    let term = theatre.is_granted();
    theatre.ends(OK);
    theatre.is_stopped();
    theatre.passes(STOP + ALL.kill_time / 4);
    assert_eq!(theatre.acts_in(), Some(term));
    theatre.passes(ALL.kill_time / 4);
    assert_eq!(theatre.said, ["stop", "abandon", "confirm"]);
    assert_eq!(theatre.acts_in(), None);
    assert_eq!(theatre.begun, [State::Master(term), State::Backup]);
    assert_eq!(theatre.is_ready, Some(false));
    theatre.ends(OK);
    assert_eq!(theatre.is_ready, Some(true));
}

/// Promises: P6
#[test]
fn nothing_is_confirmed_while_what_a_lost_guard_ran_may_live() {
    let mut theatre = Theatre::ready(ALL);
    let term = theatre.is_granted();
    theatre.hear(Heard::Broken);
    theatre.passes(SECOND * 100);
    assert_eq!(theatre.acts_in(), Some(term));
}

#[test]
fn a_guard_lost_while_nothing_of_it_ran_leaves_this_machine_as_it_was() {
    let mut theatre = Theatre::ready(ALL);
    theatre.loses_its_guard();
    assert_eq!(theatre.is_ready, Some(false));
    theatre.hear(Heard::Ready);
    assert_eq!(theatre.is_ready, Some(true));
    assert!(theatre.begun.is_empty());
}

#[test]
fn a_node_with_no_backup_hook_stops_by_killing_alone() {
    let mut theatre = Theatre::ready_without_backup();
    theatre.is_granted();
    theatre.ends(OK);
    theatre.is_stopped();
    theatre.undoes(OK);
    assert_eq!(theatre.applied(), Some(State::Backup));
    assert_eq!(theatre.is_ready, Some(true));
}

/// F79. Whatever happens in whatever order: the theatre itself checks that never two hooks run at
/// once, that none for a term begins after it was stopped, that nothing is confirmed too early.
#[test]
fn after_any_history_the_last_role_is_the_one_applied() {
    let mut masters = 0;
    for seed in 0..2_000 {
        let mut chance = Chance::new(seed);
        let mut theatre = Theatre::new(ALL);
        let mut has_guard = true;
        for _ in 0..60 {
            happens(&mut theatre, &mut has_guard, chance.bits() % 12);
        }
        calm(&mut theatre, has_guard);
        let wanted = theatre.acts_in().map_or(State::Backup, State::Master);
        assert_eq!(theatre.applied(), Some(wanted), "seed {seed}");
        assert_eq!(theatre.is_ready, Some(true), "seed {seed}");
        masters += u32::from(theatre.acts_in().is_some());
    }
    assert!(masters > 100, "most histories ended without a master");
}

fn happens(theatre: &mut Theatre, has_guard: &mut bool, what: u64) {
    match what {
        0 if theatre.acts_in().is_none() => drop(theatre.is_granted()),
        1 if theatre.acts_in().is_some() && !theatre.is_stopping() => theatre.is_stopped(),
        2 | 3 if theatre.runs() => theatre.ends(OK),
        4 if theatre.runs() => theatre.ends(FAILED),
        5 if theatre.is_armed() => theatre.undoes(OK),
        6 if theatre.is_armed() => theatre.undoes(FAILED),
        7 if *has_guard => {
            theatre.loses_its_guard();
            *has_guard = false;
        }
        8 | 9 if !*has_guard => {
            theatre.hear(Heard::Ready);
            *has_guard = true;
        }
        10 => theatre.hear(Heard::Quorum(false)),
        11 => theatre.passes(SECOND),
        _ => theatre.hear(Heard::Quorum(true)),
    }
}

/// Everything works from now on.
fn calm(theatre: &mut Theatre, has_guard: bool) {
    if !has_guard {
        theatre.hear(Heard::Ready);
    }
    theatre.hear(Heard::Quorum(true));
    for _ in 0..20 {
        if theatre.is_armed() && theatre.is_stopping() {
            theatre.undoes(OK);
        }
        if theatre.runs() {
            theatre.ends(OK);
        }
        theatre.passes(SECOND * 60);
    }
}
