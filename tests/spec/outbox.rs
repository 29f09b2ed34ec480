//! The box of mail for one peer: bounded, newest state first to stay, nothing stale.

use std::time::Duration;

use quorate::daemon::outbox::{CAPACITY, Outbox};
use quorate::protocol::message::{Fetch, Message, Offer, Presence, Release};
use quorate::protocol::units::{Moment, Position, StorageId, Term};

use super::wire::document;

fn outbox() -> Outbox {
    Outbox::new(Duration::from_secs(60)).unwrap()
}

fn beat(term: u64) -> Message {
    Message::Beat(Presence {
        term: Term(term),
        position: Position::default(),
        storage: StorageId([0; 16]),
        is_vote_ready: true,
        is_electable: true,
        is_healthy: true,
        freshness: None,
        age: Duration::ZERO,
        follows: None,
        hears: [].into(),
        reading: Moment::default(),
        echo: None,
    })
}

fn fetch(version: u64) -> Message {
    Message::Fetch(Fetch { have: Position { term: Term(1), version } })
}

fn release(term: u64) -> Message {
    Message::Release(Release { term: Term(term), successor: None })
}

fn all(outbox: &Outbox) -> Vec<Message> {
    std::iter::from_fn(|| outbox.take()).collect()
}

#[test]
fn a_newer_beat_replaces_the_waiting_one_and_the_rest_keeps_its_order() {
    let outbox = outbox();
    for message in [beat(1), release(1), beat(2), fetch(1), beat(3)] {
        outbox.post(message);
    }
    assert_eq!(all(&outbox), [release(1), fetch(1), beat(3)]);
    assert_eq!(outbox.dropped(), 0, "a replaced message is not lost");
}

#[test]
fn a_newer_document_replaces_the_waiting_one() {
    let outbox = outbox();
    let offer = |body| Message::Offer(Offer { document: document(body) });
    outbox.post(offer("old"));
    outbox.post(offer("new"));
    assert_eq!(all(&outbox), [offer("new")]);
}

#[test]
fn a_full_box_loses_what_is_repeated_anyway_before_what_is_said_once() {
    let outbox = outbox();
    outbox.post(release(1));
    for version in 0..2 * CAPACITY as u64 {
        outbox.post(fetch(version));
    }
    let kept = all(&outbox);
    assert_eq!(kept.len(), CAPACITY);
    assert_eq!(kept[0], release(1));
    assert_eq!(kept[CAPACITY - 1], fetch(2 * CAPACITY as u64 - 1));
    assert_eq!(outbox.dropped(), CAPACITY as u64 + 1);
}

#[test]
fn mail_that_waited_too_long_is_not_sent() {
    let outbox = Outbox::new(Duration::ZERO).unwrap();
    outbox.post(fetch(1));
    assert_eq!(outbox.take(), None);
    assert_eq!(outbox.dropped(), 1);
}

#[test]
fn a_closed_box_gives_what_it_has_and_takes_no_more() {
    let outbox = outbox();
    outbox.post(fetch(1));
    outbox.close();
    outbox.post(fetch(2));
    assert_eq!(all(&outbox), [fetch(1)]);
}

#[test]
fn mail_is_fresh_for_as_long_as_the_document_says_now() {
    let outbox = outbox();
    outbox.keep_fresh_for(Duration::ZERO);
    outbox.post(fetch(1));
    assert_eq!(all(&outbox), []);
    outbox.keep_fresh_for(Duration::from_secs(60));
    outbox.post(fetch(2));
    assert_eq!(all(&outbox), [fetch(2)]);
}
