//! Who acts under mastership besides the daemon, and when the last of them is gone.

use std::sync::Arc;
use std::time::Duration;

use quorate::daemon::holders::{Gate, HOLDERS_MAX, HolderId, Holders, Mailbox, Notice, Span};
use quorate::daemon::reset::leash::Task;
use quorate::protocol::units::{Moment, Term};

const KILL_TIME: Duration = Duration::from_millis(100);

fn at(ms: u64) -> Moment {
    Moment { boot_ns: ms * 1_000_000, raw_ns: ms * 1_000_000 }
}

fn span(term: u64, until: u64) -> Span {
    Span { term: Term(term), until: at(until), kill: at(until + 500) }
}

fn join(holders: &mut Holders) -> (HolderId, Arc<Mailbox>) {
    let mailbox = Arc::new(Mailbox::new().unwrap());
    (holders.join(&mailbox, at(0), KILL_TIME).unwrap(), mailbox)
}

/// Holders of term 7, which runs until 1000 ms and is killed at 1500 ms.
fn acting() -> (Holders, HolderId, Arc<Mailbox>) {
    let mut holders = Holders::default();
    let (id, mailbox) = join(&mut holders);
    holders.start(span(7, 1_000));
    assert_eq!(mailbox.take(), Some(Notice::Granted(span(7, 1_000))));
    (holders, id, mailbox)
}

/// Promises: P6
#[test]
fn a_stop_is_confirmed_only_when_every_holder_said_gone() {
    let (mut holders, one, mailbox) = acting();
    let (other, _) = join(&mut holders);
    holders.stop(Term(7), at(1_500), KILL_TIME);
    assert_eq!(mailbox.take(), Some(Notice::Stop { term: Term(7), kill: at(1_500) }));
    assert_eq!(holders.confirm(at(9_000)), None);
    holders.gone(one, Term(7));
    assert_eq!(holders.confirm(at(9_000)), None);
    holders.gone(other, Term(6));
    assert_eq!(holders.confirm(at(9_000)), None, "that was another term");
    holders.gone(other, Term(7));
    assert_eq!(holders.confirm(at(9_000)), Some(Term(7)));
    assert_eq!(holders.confirm(at(9_000)), None, "once");
}

#[test]
fn a_stop_without_holders_is_confirmed_at_once() {
    let mut holders = Holders::default();
    holders.start(span(7, 1_000));
    holders.stop(Term(7), at(1_500), KILL_TIME);
    assert_eq!(holders.confirm(at(0)), Some(Term(7)));
}

/// Promises: P6
#[test]
fn who_is_held_back_acts_only_once_it_is_let() {
    let mut holders = Holders::default();
    holders.hold_back(Gate::Watchdog);
    let (_, early) = join(&mut holders);
    holders.start(span(7, 1_000));
    let (_, late) = join(&mut holders);
    holders.extend(span(7, 2_000));
    assert!(holders.is_held());
    assert_eq!((early.take(), late.take()), (None, None));
    assert_eq!(holders.task(KILL_TIME), Task::Held { term: Term(7), limit: at(2_600) });
    assert_eq!(holders.let_act(Gate::Watchdog, Term(6)), None, "that was another term");
    assert_eq!(holders.let_act(Gate::Watchdog, Term(7)), Some(span(7, 2_000)));
    let granted = Some(Notice::Granted(span(7, 2_000)));
    assert_eq!((early.take(), late.take()), (granted, granted));
    assert_eq!(holders.task(KILL_TIME), Task::Acting { term: Term(7), limit: at(2_600) });
}

/// Promises: P1
#[test]
fn of_two_gates_both_have_to_open_and_the_watchdog_sees_its_own() {
    let mut holders = Holders::default();
    holders.hold_back(Gate::Watchdog);
    holders.hold_back(Gate::Fence);
    let (_, mailbox) = join(&mut holders);
    holders.start(span(7, 1_000));
    let both = [Gate::Watchdog, Gate::Fence].map(|gate| holders.held_by(gate));
    assert_eq!(both, [Some(Term(7)); 2]);
    assert_eq!(holders.let_act(Gate::Watchdog, Term(7)), None);
    assert_eq!(holders.task(KILL_TIME), Task::Acting { term: Term(7), limit: at(1_600) });
    assert!(holders.is_held() && mailbox.take().is_none(), "the fence is shut");
    assert_eq!(holders.let_act(Gate::Fence, Term(7)), Some(span(7, 1_000)));
    assert_eq!(mailbox.take(), Some(Notice::Granted(span(7, 1_000))));
    holders.stop(Term(7), at(1_500), KILL_TIME);
    assert_eq!([Gate::Watchdog, Gate::Fence].map(|gate| holders.held_by(gate)), [None; 2]);
}

#[test]
fn a_stop_before_anybody_was_let_act_is_confirmed_at_once() {
    let mut holders = Holders::default();
    holders.hold_back(Gate::Watchdog);
    let (_, mailbox) = join(&mut holders);
    holders.start(span(7, 1_000));
    holders.stop(Term(7), at(1_500), KILL_TIME);
    assert_eq!(holders.let_act(Gate::Watchdog, Term(7)), None);
    assert_eq!(holders.confirm(at(0)), Some(Term(7)));
    assert_eq!((mailbox.take(), holders.is_held()), (None, false));
    assert_eq!(holders.task(KILL_TIME), Task::Idle);
}

#[test]
fn what_is_told_to_end_may_not_live_longer_than_it_might_before() {
    let (mut holders, _, _) = acting();
    holders.stop(Term(7), at(9_000), KILL_TIME);
    assert_eq!(holders.task(KILL_TIME), Task::Stopping { limit: at(1_600) });
}

/// Promises: P6
#[test]
fn a_holder_that_broke_off_counts_as_alive_until_it_is_surely_killed() {
    let (mut holders, id, _) = acting();
    holders.extend(span(7, 2_000));
    holders.extend(span(7, 1_200));
    holders.leave(id);
    holders.stop(Term(7), at(100), KILL_TIME);
    // It may never have heard of the shorter end.
    assert_eq!(holders.next(), Some(at(2_600)));
    assert_eq!(holders.confirm(at(2_599)), None);
    let one_clock = Moment { boot_ns: at(9_000).boot_ns, raw_ns: at(2_599).raw_ns };
    assert_eq!(holders.confirm(one_clock), None);
    assert_eq!(holders.confirm(at(2_600)), Some(Term(7)));
    assert_eq!(holders.next(), None);
}

/// Promises: P6
#[test]
fn a_holder_that_is_mourned_lives_until_it_is_said_to_be_gone() {
    let (mut holders, id, mailbox) = acting();
    holders.mourn(id);
    holders.extend(span(7, 2_000));
    assert_eq!(mailbox.take(), None, "it would not hear it");
    assert_eq!(holders.due(id, KILL_TIME).unwrap().kill, at(1_500));
    holders.stop(Term(7), at(1_500), KILL_TIME);
    assert_eq!(holders.next(), None);
    assert_eq!(holders.confirm(at(99_000)), None);
    holders.gone(id, Term(7));
    assert_eq!(holders.confirm(at(99_000)), Some(Term(7)));
}

#[test]
fn who_has_only_a_place_is_granted_nothing() {
    let mut holders = Holders::default();
    let mailbox = Arc::new(Mailbox::new().unwrap());
    let id = holders.join_idle(&mailbox, at(0), KILL_TIME).unwrap();
    holders.start(span(7, 1_000));
    holders.extend(span(7, 2_000));
    assert_eq!((mailbox.take(), holders.due(id, KILL_TIME)), (None, None));
    holders.stop(Term(7), at(1_500), KILL_TIME);
    assert_eq!(holders.confirm(at(0)), Some(Term(7)));
}

#[test]
fn a_holder_that_comes_during_a_mastership_is_granted_what_is_left_and_nothing_after_its_stop() {
    let (mut holders, _, _) = acting();
    holders.extend(span(7, 2_000));
    let (_, late) = join(&mut holders);
    assert_eq!(late.take(), Some(Notice::Granted(span(7, 2_000))));
    holders.stop(Term(7), at(1_500), KILL_TIME);
    let (_, later) = join(&mut holders);
    assert_eq!(later.take(), None);
}

#[test]
fn a_slow_holder_reads_the_newest_extension_and_a_grant_it_never_read() {
    let (mut holders, _, mailbox) = acting();
    (2..9).for_each(|second| holders.extend(span(7, second * 1_000)));
    assert_eq!(mailbox.take(), Some(Notice::Extended(span(7, 8_000))));
    let (_, unread) = join(&mut holders);
    holders.extend(span(7, 9_000));
    assert_eq!(unread.take(), Some(Notice::Granted(span(7, 9_000))));
}

#[test]
fn there_is_room_for_so_many_and_the_surely_dead_leave_theirs() {
    let (mut holders, first, _) = acting();
    for _ in 1..HOLDERS_MAX {
        join(&mut holders);
    }
    let mailbox = Arc::new(Mailbox::new().unwrap());
    assert_eq!(holders.join(&mailbox, at(0), KILL_TIME), None);
    holders.leave(first);
    assert_eq!(holders.join(&mailbox, at(1_599), KILL_TIME), None, "it may live still");
    assert!(holders.join(&mailbox, at(1_600), KILL_TIME).is_some());
}

/// Promises: P6
#[test]
fn once_told_to_end_nothing_goes_on_in_that_term() {
    let (mut holders, one, mailbox) = acting();
    assert!(holders.may_go_on(Term(7)) && !holders.may_go_on(Term(6)));
    holders.stop(Term(7), at(1_200), KILL_TIME);
    assert!(!holders.may_go_on(Term(7)));
    assert_eq!(mailbox.take(), Some(Notice::Stop { term: Term(7), kill: at(1_200) }));
    assert_eq!(holders.confirm(at(900)), None);
    holders.gone(one, Term(7));
    assert_eq!(holders.confirm(at(900)), Some(Term(7)));
}
