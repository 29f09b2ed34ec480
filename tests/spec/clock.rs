//! The clocks, and when they are not believed (R21).

use std::time::Duration;

use quorate::daemon::clock::{self, Reading};
use quorate::daemon::suspicion::Detector;
use quorate::protocol::effects::Suspicion;
use quorate::protocol::units::Moment;

const DEAD_AFTER: Duration = Duration::from_secs(4);
const START: Reading = Reading {
    moment: Moment { boot_ns: 1_000_000_000_000, raw_ns: 900_000_000_000 },
    wall_ns: 1_800_000_000_000_000_000,
};

/// The reading after both clocks and the wall clock ran on by these milliseconds.
fn after(from: Reading, boot_ms: u64, raw_ms: u64, wall_ms: u64) -> Reading {
    let Moment { boot_ns, raw_ns } = from.moment;
    Reading {
        moment: Moment {
            boot_ns: boot_ns + boot_ms * 1_000_000,
            raw_ns: raw_ns + raw_ms * 1_000_000,
        },
        wall_ns: from.wall_ns + wall_ms * 1_000_000,
    }
}

fn judge(now: Reading) -> Vec<Suspicion> {
    Detector::new(START).observe(now, None, DEAD_AFTER)
}

#[test]
fn both_clocks_run_and_never_back() {
    let first = clock::now();
    let second = clock::now();
    assert!(second.boot_ns >= first.boot_ns && second.raw_ns >= first.raw_ns);
    assert!(first.boot_ns > 0 && first.raw_ns > 0);
}

#[test]
fn the_wall_clock_reads_as_rfc_3339_in_utc_with_milliseconds() {
    assert_eq!(clock::wall_text_of(1_800_000_000_123_000_000), "2027-01-15T08:00:00.123Z");
}

#[test]
fn an_even_pace_raises_no_suspicion() {
    let mut detector = Detector::new(START);
    for step in 1..=60 {
        let now = after(START, step * 500, step * 500, step * 500);
        let due = Some(now.moment.boot_ns);
        assert_eq!(detector.observe(now, due, DEAD_AFTER), []);
    }
}

#[test]
fn a_wake_up_later_than_a_quarter_of_dead_after_is_a_stall() {
    let now = after(START, 2_000, 2_000, 2_000);
    let due = |late_ms: u64| Some(now.moment.boot_ns - late_ms * 1_000_000);
    let stall = |late_ms| Detector::new(START).observe(now, due(late_ms), DEAD_AFTER);
    assert_eq!(stall(1_000), []);
    assert_eq!(stall(1_001), [Suspicion::Stall(Duration::from_millis(1_001))]);
}

#[test]
fn a_wall_clock_that_jumps_either_way_is_noticed() {
    let forward = after(START, 100, 100, 100 + 251);
    let by = Duration::from_millis(251);
    assert_eq!(judge(forward), [Suspicion::WallClockJump(by)]);
    let mut backward = after(START, 100, 100, 100);
    backward.wall_ns -= 251_000_000;
    assert_eq!(judge(backward), [Suspicion::WallClockJump(by)]);
    assert_eq!(judge(after(START, 100, 100, 350)), []);
}

#[test]
fn a_slowly_slewed_wall_clock_is_no_jump() {
    let mut detector = Detector::new(START);
    for step in 1..=1_000 {
        let now = after(START, step * 100, step * 100, step * 110);
        assert_eq!(detector.observe(now, None, DEAD_AFTER), []);
    }
}

#[test]
fn clocks_that_run_apart_by_more_than_one_percent_are_noticed_after_ten_seconds() {
    let mut detector = Detector::new(START);
    assert_eq!(detector.observe(after(START, 9_000, 8_000, 9_000), None, DEAD_AFTER), []);
    let now = after(START, 10_000, 9_890, 10_000);
    assert_eq!(detector.observe(now, None, DEAD_AFTER), [Suspicion::ClocksDisagree]);
    let again = after(now, 10_000, 9_910, 10_000);
    assert_eq!(detector.observe(again, None, DEAD_AFTER), []);
}
