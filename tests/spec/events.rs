//! What a daemon tells about itself: stable names, sentences, and a ring with limits.

use std::sync::Arc;
use std::time::Duration;

use quorate::daemon::events::{
    EVENTS_KEPT, FOLLOWER_QUEUE_MAX, Loudness, News, Remark, Ring, Stamp, loudness, sentence,
};
use quorate::protocol::effects::{Alarm, ChangeReason, Event, StopReason, Timeline};
use quorate::protocol::message::Refusal;
use quorate::protocol::units::Term;

use super::workshop::node;

fn at(time: &str) -> Stamp {
    Stamp { time: time.to_owned(), uptime_ms: 7 }
}

fn tell(ring: &mut Ring, times: usize) {
    let event = Event::PeerChanged { peer: node("bravo"), is_heard: true };
    for _ in 0..times {
        ring.tell(&event, &node("alpha"), Term(4), at("2027-01-15T08:00:00.000Z"));
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
    assert_eq!(loudness(&quorum(false)), Loudness::Warning);
    assert_eq!(loudness(&quorum(true)), Loudness::Info);
    let alarm = Event::Alarm(Alarm::ClockRate { voter: node("bravo") });
    assert_eq!(loudness(&alarm), Loudness::Alarm);
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
    let (kept, mut news) = ring.follow(&node("alpha"));
    tell(&mut ring, 1);
    assert_eq!(kept.len(), 2);
    assert_eq!(rest(&mut news), [(3, 0)]);
}

/// All that is there now: each one's sequence, and how many are missing.
fn rest(news: &mut News) -> Vec<(u64, u64)> {
    let next = || news.next(Duration::ZERO, String::new).ok();
    std::iter::from_fn(next).map(|event| (event.seq, event.lost)).collect()
}

const QUEUE: u64 = FOLLOWER_QUEUE_MAX as u64;

#[test]
fn a_follower_that_does_not_read_holds_nobody_up() {
    let mut ring = Ring::default();
    let (_, _slow) = ring.follow(&node("alpha"));
    let (_, mut quick) = ring.follow(&node("alpha"));
    for seq in 1..=QUEUE * 2 {
        tell(&mut ring, 1);
        assert_eq!(rest(&mut quick), [(seq, 0)]);
    }
}

#[test]
fn a_slow_follower_is_told_how_many_events_are_missing_where_they_are_missing() {
    let mut ring = Ring::default();
    let (_, mut slow) = ring.follow(&node("alpha"));
    tell(&mut ring, FOLLOWER_QUEUE_MAX + 3);
    let first = slow.next(Duration::ZERO, String::new).unwrap();
    assert_eq!((first.seq, first.lost), (1, 0));
    tell(&mut ring, 1);
    let told = rest(&mut slow);
    assert_eq!(told.len(), FOLLOWER_QUEUE_MAX + 1);
    assert_eq!(told[FOLLOWER_QUEUE_MAX - 2..], [(QUEUE, 0), (QUEUE + 3, 3), (QUEUE + 4, 0)]);
    tell(&mut ring, 1);
    assert_eq!(rest(&mut slow), [(QUEUE + 5, 0)]);
}

#[test]
fn events_that_were_lost_last_are_counted_without_waiting_for_another() {
    let mut ring = Ring::default();
    tell(&mut ring, 2);
    let (_, mut slow) = ring.follow(&node("alpha"));
    tell(&mut ring, FOLLOWER_QUEUE_MAX + 5);
    let told = rest(&mut slow);
    assert_eq!(told.last(), Some(&(QUEUE + 7, 5)));
    assert_eq!(told.len(), FOLLOWER_QUEUE_MAX + 1);
    assert_eq!(rest(&mut slow), []);
}

#[test]
fn missing_events_are_a_warning_with_a_code() {
    let mut ring = Ring::default();
    let (_, mut slow) = ring.follow(&node("alpha"));
    tell(&mut ring, FOLLOWER_QUEUE_MAX + 5);
    let next = || slow.next(Duration::ZERO, || "now".to_owned()).ok();
    let lost = std::iter::from_fn(next).find(|event| event.lost > 0).unwrap();
    assert_eq!([&lost.code, &lost.level, &lost.time], ["events-lost", "warning", "now"]);
    assert_eq!((lost.term, lost.node.as_str()), (4, "alpha"));
    assert_eq!(lost.message, "5 events are missing here: they were not read fast enough");
}

#[test]
fn an_event_carries_its_reason_as_a_code() {
    let mut ring = Ring::default();
    let term = Term(7);
    for event in [
        Event::Demoted { term, reason: StopReason::Failback },
        Event::MasterChanged { from: None, to: None, term, reason: ChangeReason::Released },
        Event::Alarm(Alarm::StopOverdue { term }),
    ] {
        ring.tell(&event, &node("alpha"), term, at(""));
    }
    let reasons: Vec<_> = ring.kept().iter().map(|event| event.reason.clone()).collect();
    assert_eq!(reasons, [Some("ended-failback".to_owned()), Some("released".to_owned()), None]);
    assert_eq!(ring.kept()[2].code, "alarm-stop-overdue");
}

#[test]
fn a_failed_election_carries_who_refused_and_why_as_codes() {
    let mut ring = Ring::default();
    let refusals = vec![(node("bravo"), Refusal::StorageFailed)];
    let event = Event::ElectionFailed { term: Term(7), refusals, silent: vec![node("charlie")] };
    ring.tell(&event, &node("alpha"), Term(7), at(""));
    let refusals: Vec<_> = ring.kept()[0].refusals.clone().into_iter().collect();
    let wanted = [("bravo", "refused-storage-failed"), ("charlie", "no-answer")];
    assert_eq!(refusals, wanted.map(|(node, why)| (node.to_owned(), why.to_owned())));
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

#[test]
fn what_the_daemon_says_of_itself_is_counted_and_passed_on_like_an_event_of_its_node() {
    let mut ring = Ring::default();
    let (_, mut news) = ring.follow(&node("alpha"));
    tell(&mut ring, 1);
    let remark = Remark {
        code: "daemon-started",
        loudness: Loudness::Warning,
        reason: Some("ended-hook-failed"),
        message: "it runs".to_owned(),
    };
    ring.say(remark, &node("alpha"), Term(4), at("now"));
    assert_eq!(rest(&mut news), [(1, 0), (2, 0)]);
    let said = ring.kept()[1].clone();
    assert_eq!((said.node.as_str(), said.term, said.time.as_str()), ("alpha", 4, "now"));
    assert_eq!([&said.code, &said.level, &said.message], ["daemon-started", "warning", "it runs"]);
    assert_eq!(said.reason.as_deref(), Some("ended-hook-failed"));
}
