//! When what runs under mastership is asked to end and when it is killed, without any process.

use std::time::Duration;

use quorate::keep::hold::{Act, Hold};
use quorate::protocol::units::Moment;

fn at(ms: u64) -> Moment {
    Moment { boot_ns: ms * 1_000_000, raw_ns: ms * 1_000_000 }
}

/// May run until 1000 ms, dies at 1500 ms.
fn hold() -> Hold {
    Hold::new(at(1_000), at(1_500), None)
}

/// Promises: P6
#[test]
fn without_a_word_it_is_asked_at_its_end_and_killed_at_the_moment_to_kill() {
    let mut hold = hold();
    assert_eq!(hold.turn(at(999)), Act::Rest);
    assert_eq!(hold.wake(), at(1_000));
    assert_eq!(hold.turn(at(1_000)), Act::Ask);
    assert_eq!(hold.turn(at(1_499)), Act::Rest);
    assert_eq!(hold.wake(), at(1_500));
    assert_eq!(hold.turn(at(1_500)), Act::Kill);
    assert_eq!(hold.turn(at(1_501)), Act::Kill);
}

/// Promises: P6
#[test]
fn either_clock_alone_ends_it() {
    let ahead = Moment { boot_ns: at(0).boot_ns, raw_ns: at(1_500).raw_ns };
    assert_eq!(hold().turn(ahead), Act::Kill);
    let slept = Moment { boot_ns: at(1_200).boot_ns, raw_ns: at(10).raw_ns };
    assert_eq!(hold().turn(slept), Act::Ask);
}

/// Promises: P6
#[test]
fn a_machine_that_slept_past_both_ends_kills_at_once() {
    assert_eq!(hold().turn(at(9_000)), Act::Kill);
}

/// F37
#[test]
fn nothing_may_start_once_either_clock_has_reached_the_end() {
    assert!(hold().may_start(at(999)));
    assert!(!hold().may_start(at(1_000)));
    assert!(!hold().may_start(Moment { boot_ns: 0, raw_ns: at(1_000).raw_ns }));
}

#[test]
fn an_extension_moves_both_ends_also_back() {
    let mut hold = hold();
    hold.extend(at(500), at(2_000), at(2_500));
    assert_eq!(hold.turn(at(1_999)), Act::Rest);
    hold.extend(at(1_999), at(1_999), at(2_100));
    assert_eq!(hold.turn(at(1_999)), Act::Ask);
    assert_eq!(hold.turn(at(2_100)), Act::Kill);
}

/// Promises: P6
#[test]
fn an_extension_that_comes_too_late_reverses_nothing() {
    let mut hold = hold();
    hold.extend(at(1_000), at(5_000), at(5_500));
    assert_eq!(hold.turn(at(1_000)), Act::Ask);
    assert_eq!(hold.turn(at(1_500)), Act::Kill);
}

#[test]
fn a_stop_asks_at_once_and_never_kills_later_than_known_before() {
    let mut hold = hold();
    hold.stop(at(100), at(9_000));
    assert_eq!(hold.turn(at(100)), Act::Ask);
    assert_eq!(hold.turn(at(1_500)), Act::Kill);
    let mut hold = self::hold();
    hold.stop(at(100), at(300));
    assert_eq!((hold.turn(at(100)), hold.turn(at(300))), (Act::Ask, Act::Kill));
}

#[test]
fn a_grace_shortens_the_asking_and_never_lengthens_it() {
    let mut hold = Hold::new(at(1_000), at(1_500), Some(Duration::from_millis(200)));
    hold.end(at(100));
    assert_eq!((hold.turn(at(100)), hold.turn(at(300))), (Act::Ask, Act::Kill));
    let mut hold = Hold::new(at(1_000), at(1_500), Some(Duration::from_secs(60)));
    assert_eq!((hold.turn(at(1_000)), hold.turn(at(1_500))), (Act::Ask, Act::Kill));
}
