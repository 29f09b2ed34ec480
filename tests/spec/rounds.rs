//! How long is waited between two rounds of killing, without any process.

use std::time::Duration;

use quorate::keep::rounds::Rounds;
use quorate::protocol::units::Moment;

fn at(ms: u64) -> Moment {
    Moment { boot_ns: ms * 1_000_000, raw_ns: ms * 1_000_000 }
}

/// F97
#[test]
fn what_does_not_die_is_looked_at_less_often_and_told_of_now_and_then() {
    let mut rounds = Rounds::default();
    assert!(!rounds.tells(at(5_000)), "nothing was killed yet");
    assert_eq!(rounds.pause(at(5_000)), Duration::from_millis(2));
    assert!(!rounds.tells(at(5_999)));
    assert_eq!(rounds.pause(at(5_999)), Duration::from_millis(2));
    assert!(rounds.tells(at(6_000)));
    assert_eq!(rounds.pause(at(6_000)), Duration::from_millis(100));
    assert!(!rounds.tells(at(15_999)));
    assert!(rounds.tells(at(16_000)));
}
