//! The election loop's alarm: when it rings, and that nothing makes it spin.

use std::time::Duration;

use quorate::daemon::clock;
use quorate::daemon::timer::{Alarm, DELAY_MIN, RETRY_MAX, ring_at};
use quorate::protocol::units::Moment;

const NOW: Moment = Moment { boot_ns: 50_000_000_000, raw_ns: 40_000_000_000 };

/// The delay until the alarm rings for a deadline that far off by each clock, in microseconds.
fn delay(boot_us: u64, raw_us: u64) -> Duration {
    let wake =
        Moment { boot_ns: NOW.boot_ns + boot_us * 1_000, raw_ns: NOW.raw_ns + raw_us * 1_000 };
    Duration::from_nanos(ring_at(NOW, wake) - NOW.boot_ns)
}

#[test]
fn the_earlier_clock_wakes_the_loop() {
    assert_eq!(delay(3_000, 2_000), Duration::from_micros(2_000));
    assert_eq!(delay(2_000, 3_000), Duration::from_micros(2_000));
}

#[test]
fn clocks_that_are_due_together_cost_one_wake_up() {
    assert_eq!(delay(2_000, 2_080), Duration::from_micros(2_080));
}

#[test]
fn a_deadline_that_one_clock_passed_is_asked_for_again_without_spinning() {
    assert_eq!(delay(0, 3_600_000_000), RETRY_MAX);
    assert_eq!(delay(0, 2_000), Duration::from_micros(2_000));
}

#[test]
fn a_deadline_in_the_past_is_served_soon_and_not_at_once() {
    assert_eq!(ring_at(NOW, Moment::default()), NOW.after(DELAY_MIN).boot_ns);
}

#[test]
fn the_alarm_rings_when_boot_time_reaches_it() {
    let alarm = Alarm::new().unwrap();
    let at = clock::now().after(Duration::from_millis(20)).boot_ns;
    alarm.arm(Some(at));
    alarm.wait().unwrap();
    assert!(clock::now().boot_ns >= at);
}

#[test]
fn an_alarm_that_is_moved_rings_at_the_new_time_only() {
    let alarm = Alarm::new().unwrap();
    alarm.arm(Some(clock::now().after(Duration::from_secs(3_600)).boot_ns));
    alarm.arm(Some(1));
    alarm.wait().unwrap();
}
