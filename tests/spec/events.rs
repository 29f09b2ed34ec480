//! What a daemon tells about itself: stable names, sentences, and a ring with limits.

use std::sync::Arc;
use std::time::Duration;

use quorate::daemon::events::{EVENTS_KEPT, FOLLOWER_QUEUE_MAX, Loudness, Ring};
use quorate::daemon::events::{name_and_loudness, sentence};
use quorate::protocol::effects::{Alarm, ChangeReason, Event, Timeline};
use quorate::protocol::message::Refusal;
use quorate::protocol::units::Term;

use super::workshop::node;

fn tell(ring: &mut Ring, times: usize) {
    let event = Event::PeerChanged { peer: node("bravo"), is_heard: true };
    for _ in 0..times {
        ring.tell(&event, &node("alpha"), Term(4), "2027-01-15T08:00:00.000Z".to_owned());
    }
}

#[test]
fn an_election_shows_where_the_time_went() {
    let timeline = Timeline {
        detect: Duration::from_millis(4_012),
        vote: Duration::from_micros(2_340),
        commit: Duration::from_micros(1_900),
    };
    assert_eq!(
        sentence(&Event::Elected { term: Term(7), timeline }),
        "MASTER of term 7 (detect 4012.0 ms, vote 2.3 ms, commit 1.9 ms)"
    );
}

#[test]
fn a_failed_election_names_who_refused_why_and_who_kept_silent() {
    let refusals = vec![(node("bravo"), Refusal::StorageFailed)];
    let event = Event::ElectionFailed { term: Term(7), refusals, silent: vec![node("charlie")] };
    assert_eq!(
        sentence(&event),
        "not elected for term 7 (bravo: storage failed; charlie: no answer)"
    );
}

#[test]
fn a_change_of_master_names_both_and_the_reason() {
    let event = Event::MasterChanged {
        from: Some(node("alpha")),
        to: None,
        term: Term(7),
        reason: ChangeReason::PromiseExpired,
    };
    assert_eq!(sentence(&event), "master is none now, was alpha (term 7): it fell silent");
}

#[test]
fn losing_the_quorum_and_alarms_are_louder_than_gaining_it() {
    let quorum = |has_quorum| Event::QuorumChanged { has_quorum, have: 1, need: 2 };
    assert_eq!(name_and_loudness(&quorum(false)), ("quorum-lost", Loudness::Warning));
    assert_eq!(name_and_loudness(&quorum(true)), ("quorum-gained", Loudness::Info));
    let alarm = Event::Alarm(Alarm::ClockRate { voter: node("bravo") });
    assert_eq!(name_and_loudness(&alarm), ("alarm", Loudness::Alarm));
}

#[test]
fn events_are_counted_from_one_and_only_the_newest_are_kept() {
    let mut ring = Ring::default();
    tell(&mut ring, EVENTS_KEPT + 3);
    let kept = ring.kept();
    assert_eq!(kept.len(), EVENTS_KEPT);
    assert_eq!(kept.first().map(|event| event.seq), Some(4));
    assert_eq!(kept.last().map(|event| event.seq), Some(3 + EVENTS_KEPT as u64));
}

#[test]
fn a_follower_gets_the_kept_events_and_every_later_one() {
    let mut ring = Ring::default();
    tell(&mut ring, 2);
    let (kept, news) = ring.follow();
    tell(&mut ring, 1);
    assert_eq!(kept.len(), 2);
    assert_eq!(news.events.try_recv().map(|event| event.seq), Ok(3));
}

#[test]
fn a_follower_that_does_not_read_is_let_go_and_holds_nobody_up() {
    let mut ring = Ring::default();
    let (_, slow) = ring.follow();
    let (_, news) = ring.follow();
    for _ in 0..=FOLLOWER_QUEUE_MAX {
        tell(&mut ring, 1);
        assert!(news.events.try_recv().is_ok());
    }
    assert_eq!(slow.events.iter().count(), FOLLOWER_QUEUE_MAX);
}

#[test]
fn an_event_report_carries_what_programs_need() {
    let mut ring = Ring::default();
    tell(&mut ring, 1);
    let [event] = <[Arc<_>; 1]>::try_from(ring.kept()).unwrap();
    assert_eq!((event.schema, event.seq, event.term), (1, 1, 4));
    assert_eq!([&event.node, &event.code, &event.level], ["alpha", "peer-heard", "info"]);
    assert_eq!(event.message, "bravo is heard");
}
