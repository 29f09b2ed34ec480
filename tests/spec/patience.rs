//! How long a disk may stand still before a master leaves it (F56).

use std::time::Duration;

use quorate::daemon::patience::{Patience, WRITE_LIMIT, Writing};

const START: u64 = 100_000_000_000;

fn after(limits: f64) -> u64 {
    START + u64::try_from(WRITE_LIMIT.mul_f64(limits).as_nanos()).unwrap()
}

#[test]
fn an_idle_disk_and_a_quick_write_try_nobodys_patience() {
    let mut patience = Patience::default();
    assert_eq!(patience.look(None, after(9.0)), None);
    assert_eq!(patience.look(Some(START), after(0.9)), None);
    assert_eq!(patience.look(Some(after(0.9)), after(1.1)), None, "another write");
}

#[test]
fn a_write_that_takes_too_long_is_named_once_per_limit() {
    let mut patience = Patience::default();
    let mut looks = [0.5, 1.1, 1.5, 2.1, 2.2].map(|at| patience.look(Some(START), after(at)));
    let named = looks.each_mut().map(|look| look.take().is_some());
    assert_eq!(named, [false, true, false, true, false]);
    assert_eq!(patience.look(None, after(3.1)), None);
    assert_eq!(patience.look(Some(after(4.0)), after(5.2)), Some(WRITE_LIMIT.mul_f64(1.2)));
}

#[test]
fn a_write_under_way_is_seen_from_its_beginning_to_its_end() {
    let writing = Writing::default();
    assert_eq!(writing.since(), None);
    writing.begin(START);
    assert_eq!(writing.since(), Some(START));
    writing.end(2_000);
    assert_eq!(writing.since(), None);
    assert!(WRITE_LIMIT > Duration::from_secs(1), "slower disks than that are common");
}
