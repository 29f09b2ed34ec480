//! The hardware watchdog: when it is armed, petted and disarmed, and when acting waits for it.

use std::time::Duration;

use quorate::daemon::reset::leash::{HELD_MAX, LOOK_EVERY, Leash, Sight, Task, Verdict};
use quorate::protocol::units::{Moment, Term};

const TERM: Term = Term(7);
/// Twice that fits into a lease.
const TIMEOUT: Duration = Duration::from_secs(2);
/// From the last pet until it surely fired, although the daemon may die and the kernel pet it then.
const FIRES_MS: u64 = 4_000;
const STOP: Duration = Duration::from_millis(800);

fn at(ms: u64) -> Moment {
    Moment { boot_ns: ms * 1_000_000, raw_ns: ms * 1_000_000 }
}

fn sight(task: Task) -> Sight {
    Sight { task, stop: STOP, reach: Duration::from_secs(4), due_boot_ns: None }
}

fn held(limit: u64) -> Sight {
    sight(Task::Held { term: TERM, limit: at(limit) })
}

fn acting(limit: u64) -> Sight {
    sight(Task::Acting { term: TERM, limit: at(limit) })
}

fn stopping(limit: u64) -> Sight {
    sight(Task::Stopping { limit: at(limit) })
}

fn usable(timeout: Duration, is_for_good: bool) -> Leash {
    let mut leash = Leash::default();
    leash.allow(at(0), timeout, is_for_good);
    leash
}

/// Armed at zero.
fn armed() -> Leash {
    let mut leash = usable(TIMEOUT, false);
    leash.petted(at(0));
    leash
}

/// Does what the leash says from `from` until `to`, each millisecond: what it said but to rest.
fn drive(leash: &mut Leash, (from, to): (u64, u64), sight: &Sight) -> Vec<(u64, Verdict)> {
    let mut said = Vec::new();
    for ms in from..to {
        let verdict = leash.turn(at(ms), sight);
        if matches!(verdict, Verdict::Rest(_)) {
            continue;
        }
        said.push((ms, verdict));
        match verdict {
            Verdict::Pet | Verdict::Arm => leash.petted(at(ms)),
            Verdict::Disarm => leash.disarmed(),
            Verdict::End(_) => break,
            Verdict::Rest(_) | Verdict::Look | Verdict::Grant(_) => {}
        }
    }
    said
}

/// Promises: P6
#[test]
fn acting_waits_until_the_device_is_armed() {
    let mut leash = usable(TIMEOUT, false);
    assert_eq!(leash.turn(at(10), &held(5_000)), Verdict::Arm);
    leash.petted(at(10));
    assert_eq!(leash.turn(at(11), &held(5_000)), Verdict::Grant(TERM));
}

#[test]
fn acting_waits_until_the_device_would_fire_in_time() {
    let mut leash = usable(TIMEOUT, false);
    assert!(matches!(leash.turn(at(10), &held(4_000)), Verdict::Rest(_)));
    assert_eq!(leash.turn(at(20), &held(4_500)), Verdict::Arm);
}

#[test]
fn mastership_ends_where_the_device_cannot_be_armed() {
    let mut leash = Leash::default();
    assert_eq!(leash.turn(at(5), &held(3_000)), Verdict::Look, "nobody has looked yet");
    leash.refuse(at(5));
    assert_eq!(leash.turn(at(6), &held(3_000)), Verdict::End(TERM));
}

#[test]
fn who_wins_all_the_same_is_held_back_before_mastership_ends() {
    let mut leash = Leash::default();
    leash.refuse(at(0));
    assert_eq!(leash.turn(at(1_000), &held(9_000)), Verdict::Rest(HELD_MAX));
    assert_eq!(leash.turn(at(6_000), &held(9_000)), Verdict::End(TERM));
    assert!(matches!(leash.turn(at(6_001), &sight(Task::Idle)), Verdict::Rest(_)));
    assert!(matches!(leash.turn(at(9_000), &held(20_000)), Verdict::Rest(_)));
    assert_eq!(leash.turn(at(10_000), &held(20_000)), Verdict::Look);
    leash.allow(at(10_000), TIMEOUT, false);
    assert_eq!(leash.turn(at(10_001), &held(20_000)), Verdict::Arm);
}

#[test]
fn mastership_ends_where_the_device_would_never_fire_in_time() {
    let mut leash = usable(TIMEOUT, false);
    let held_max = u64::try_from(HELD_MAX.as_millis()).unwrap();
    for ms in 0..held_max {
        assert!(matches!(leash.turn(at(ms), &held(ms + 3_900)), Verdict::Rest(_)), "{ms}");
    }
    assert_eq!(leash.turn(at(held_max), &held(held_max + 3_900)), Verdict::End(TERM));
}

#[test]
fn it_is_petted_four_times_within_its_timeout() {
    let pets = drive(&mut armed(), (0, 1_900), &acting(60_000));
    assert_eq!(pets, [500, 1_000, 1_500].map(|ms| (ms, Verdict::Pet)));
}

/// F36
/// Promises: P6
#[test]
fn it_fires_by_the_limit_unless_the_lease_is_renewed() {
    let said = drive(&mut armed(), (0, 3_000), &acting(5_300));
    let pets: Vec<u64> =
        said.iter().filter(|(_, what)| *what == Verdict::Pet).map(|(ms, _)| *ms).collect();
    let last = *pets.last().unwrap();
    assert!(last + FIRES_MS <= 5_300, "it fires at {}", last + FIRES_MS);
    assert!(last + FIRES_MS > 5_280, "as late as it may, at {}", last + FIRES_MS);
    let (ended, verdict) = *said.last().unwrap();
    assert_eq!(verdict, Verdict::End(TERM));
    assert_eq!(ended, last + 2_000 - 800, "with the time to stop before it fires");
}

/// F97
/// Promises: P6
#[test]
fn what_outlives_its_limit_is_not_petted_for() {
    let mut leash = armed();
    let said = drive(&mut leash, (0, 9_000), &stopping(4_900));
    assert!(said.iter().all(|(_, what)| *what == Verdict::Pet));
    let last = said.last().unwrap().0;
    assert!(last + FIRES_MS <= 4_900 && last + FIRES_MS > 4_880, "{said:?}");
    assert!(leash.is_armed());
}

#[test]
fn it_is_disarmed_once_nothing_lives() {
    let mut leash = armed();
    assert_eq!(leash.turn(at(10), &sight(Task::Idle)), Verdict::Disarm);
    leash.disarmed();
    assert!(matches!(leash.turn(at(11), &sight(Task::Idle)), Verdict::Rest(_)));
}

#[test]
fn one_that_fires_too_late_for_a_lease_is_petted_until_the_limit() {
    let mut leash = usable(Duration::from_secs(60), false);
    assert_eq!(leash.turn(at(0), &held(3_000)), Verdict::Arm);
    leash.petted(at(0));
    let pets = drive(&mut leash, (0, 9_000), &stopping(3_000));
    assert!(pets.len() >= 3 && pets.iter().all(|(ms, _)| *ms < 3_000), "{pets:?}");
}

#[test]
fn a_core_that_is_overdue_is_not_petted_for() {
    let late = Sight { due_boot_ns: Some(1_000_000), ..acting(60_000) };
    let said = drive(&mut armed(), (600, 2_000), &late);
    assert_eq!(said, [(1_200, Verdict::End(TERM))]);
}

#[test]
fn acting_ends_when_the_device_takes_no_pet() {
    let mut leash = armed();
    let view = acting(60_000);
    assert_eq!(leash.turn(at(500), &view), Verdict::Pet);
    leash.not_petted();
    assert_eq!(leash.turn(at(600), &view), Verdict::Pet, "it is tried again");
    leash.not_petted();
    assert_eq!(leash.turn(at(1_200), &view), Verdict::End(TERM));
}

#[test]
fn one_that_cannot_be_disarmed_is_petted_while_nothing_is_done() {
    let mut leash = usable(TIMEOUT, true);
    leash.petted(at(0));
    let pets = drive(&mut leash, (0, 1_100), &sight(Task::Idle));
    assert_eq!(pets, [500, 1_000].map(|ms| (ms, Verdict::Pet)));
}

#[test]
fn one_that_is_not_armed_is_looked_at_every_ten_seconds() {
    let mut leash = usable(TIMEOUT, false);
    assert_eq!(leash.turn(at(4_000), &sight(Task::Idle)), Verdict::Rest(LOOK_EVERY * 6 / 10));
    assert_eq!(leash.turn(at(10_000), &sight(Task::Idle)), Verdict::Look);
}
