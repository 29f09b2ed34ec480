//! The driver with the real node, disk and alarm, alone in its cluster: nothing but threads added.

use std::sync::Arc;
use std::time::Duration;

use quorate::daemon::clock;
use quorate::daemon::driver::Driver;
use quorate::daemon::network::Delivery;
use quorate::daemon::store::StoreQueue;
use quorate::protocol::effects::{Answer, Input, Wish};
use quorate::protocol::node::Node;
use quorate::protocol::status::Duty;
use quorate::protocol::units::Term;
use quorate::wire::control::EventReport;

use super::workshop::{Workshop, alone};

/// Far beyond what a lone voter needs, and only waited for by a test that fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A driver of a lone voter whose disk and alarm run.
pub(crate) fn running(workshop: &Workshop) -> Arc<Driver> {
    running_with(workshop, |_| {})
}

/// The same; `prepare` sees it before anything happens.
pub(crate) fn running_with(workshop: &Workshop, prepare: impl FnOnce(&Driver)) -> Arc<Driver> {
    let store = workshop.store(alone());
    let node = Node::new(store.last().clone(), clock::now(), 1);
    let (queue, records) = StoreQueue::new();
    let driver = Arc::new(Driver::new(node, queue).unwrap());
    prepare(&driver);
    let [disk, alarm] = [Arc::clone(&driver), Arc::clone(&driver)];
    let builder = |name: &str| std::thread::Builder::new().name(name.to_owned());
    builder("store").spawn(move || store.run(&records, disk.as_ref(), || true)).unwrap();
    builder("election").spawn(move || alarm.run_alarm()).unwrap();
    driver
}

/// The first event with that code, kept or to come.
pub(crate) fn wait_for(driver: &Driver, code: &str) -> EventReport {
    let (kept, mut news) = driver.follow_events();
    let is_it = |event: &Arc<EventReport>| event.code == code;
    let found = kept
        .into_iter()
        .find(is_it)
        .or_else(|| std::iter::from_fn(|| news.next(PATIENCE, String::new).ok()).find(is_it));
    found.unwrap_or_else(|| panic!("no {code} within {PATIENCE:?}")).as_ref().clone()
}

#[test]
fn a_lone_voter_becomes_master_as_soon_as_its_disk_says_so() {
    let workshop = Workshop::new();
    let driver = running(&workshop);
    let elected = wait_for(&driver, "elected");
    assert_eq!(elected.term, 1);
    let status = driver.status();
    assert_eq!((status.duty, status.term), (Duty::Master, Term(1)));
    assert_eq!(driver.acting().term_at(clock::now()), Some(Term(1)));
}

#[test]
fn nobody_acts_before_the_vote_is_on_disk() {
    let workshop = Workshop::new();
    let store = workshop.store(alone());
    let node = Node::new(store.last().clone(), clock::now(), 1);
    let (queue, records) = StoreQueue::new();
    let driver = Driver::new(node, queue).unwrap();
    let record = std::iter::repeat_with(|| {
        driver.deliver(Input::Tick);
        records.recv_timeout(Duration::from_millis(1)).ok()
    });
    let vote = record.flatten().next().unwrap();
    assert_eq!(vote.term, Term(1));
    assert_eq!(driver.acting().term_at(clock::now()), None);
    assert_ne!(driver.status().duty, Duty::Master);
}

#[test]
fn a_master_that_leaves_closes_its_window_and_says_so_once() {
    let workshop = Workshop::new();
    let driver = running(&workshop);
    wait_for(&driver, "elected");
    driver.deliver(Input::Leave);
    driver.left().recv_timeout(PATIENCE).unwrap();
    assert_eq!(driver.acting().term_at(clock::now()), None);
    assert_eq!(wait_for(&driver, "demoted").term, 1);
}

#[test]
fn a_failed_disk_raises_an_alarm() {
    let workshop = Workshop::new();
    let driver = running(&workshop);
    wait_for(&driver, "elected");
    driver.deliver(Input::PersistFailed { error: "no space left".to_owned() });
    let alarm = wait_for(&driver, "alarm-storage-failed");
    assert_eq!(alarm.level, "alarm");
    assert!(alarm.message.contains("no space left"), "{}", alarm.message);
    assert!(driver.status().is_storage_failed);
}

#[test]
fn a_wish_is_answered_to_who_asked() {
    let workshop = Workshop::new();
    let driver = running(&workshop);
    wait_for(&driver, "elected");
    let (_, answer) = driver.ask(Wish::Transfer { to: None });
    let answer = answer.recv_timeout(PATIENCE).unwrap();
    assert!(matches!(answer, Answer::HandoverRefused(_)), "{answer:?}");
}

#[test]
fn a_quiet_node_leaves_the_marks_of_its_last_turn() {
    let workshop = Workshop::new();
    let driver = running(&workshop);
    wait_for(&driver, "elected");
    let marks = driver.pulse().marks();
    assert!(marks.ended > 0 && marks.due_boot_ns > 0);
    assert!(driver.pulse().age(clock::now().boot_ns) < PATIENCE);
}
