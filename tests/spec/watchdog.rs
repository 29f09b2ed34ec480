//! The watchdog: what it takes for a core that stands still, and what it does not (R76, F108).

use quorate::daemon::watchdog::{Marks, Pulse, Verdict, Watchdog};

const SECOND: u64 = 1_000_000_000;

/// The verdicts of turns one second apart, from the marks seen at each.
fn verdicts(turns: &[Marks]) -> Vec<Verdict> {
    let mut watchdog = Watchdog::default();
    let at = |turn: usize| u64::try_from(turn).unwrap() * SECOND + 100 * SECOND;
    turns.iter().enumerate().map(|(turn, marks)| watchdog.turn(*marks, at(turn))).collect()
}

fn idle(turns: u64, due_boot_ns: u64) -> Marks {
    Marks { begun: turns, ended: turns, due_boot_ns }
}

#[test]
fn a_core_without_a_deadline_is_alive_however_long_it_rests() {
    assert_eq!(verdicts(&[idle(5, 0); 5]), [Verdict::Alive; 5]);
    assert_eq!(verdicts(&[idle(5, 900 * SECOND); 5]), [Verdict::Alive; 5]);
}

#[test]
fn a_tick_overdue_for_two_seconds_is_a_dead_core() {
    let overdue = idle(5, 50 * SECOND);
    assert_eq!(verdicts(&[overdue; 3]), [Verdict::Standing, Verdict::Standing, Verdict::Dead]);
}

#[test]
fn a_lock_held_for_two_seconds_is_a_dead_core() {
    let inside = Marks { begun: 6, ended: 5, due_boot_ns: 0 };
    assert_eq!(verdicts(&[inside; 3]), [Verdict::Standing, Verdict::Standing, Verdict::Dead]);
}

#[test]
fn a_slow_core_that_makes_turns_is_not_dead() {
    let turns: Vec<Marks> = (5..10).map(|turn| idle(turn, 50 * SECOND)).collect();
    assert_eq!(verdicts(&turns), [Verdict::Standing; 5]);
}

#[test]
fn a_process_that_was_stopped_for_an_hour_is_not_dead() {
    let mut watchdog = Watchdog::default();
    assert_eq!(watchdog.turn(idle(5, 101 * SECOND), 100 * SECOND), Verdict::Alive);
    assert_eq!(watchdog.turn(idle(5, 101 * SECOND), 3_700 * SECOND), Verdict::Standing);
    assert_eq!(watchdog.turn(idle(9, 3_702 * SECOND), 3_701 * SECOND), Verdict::Alive);
}

#[test]
fn the_marks_tell_turns_and_the_next_deadline() {
    let pulse = Pulse::default();
    pulse.begin();
    assert_eq!(pulse.marks(), Marks { begun: 1, ended: 0, due_boot_ns: 0 });
    pulse.end(7 * SECOND, Some(9 * SECOND));
    assert_eq!(pulse.marks(), idle(1, 9 * SECOND));
    assert_eq!(pulse.age(8 * SECOND).as_secs(), 1);
}
