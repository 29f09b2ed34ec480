//! What was true once, said again: twice, in another order, seconds late, after it was taken back.
//! Never makes anything up: every message here was said by a node, or answers one that was.

use std::collections::VecDeque;

use quorate::protocol::message::{Message, Refusal, Verdict};
use quorate::protocol::units::Term;
use quorate::wire::hello::Hello;

use super::super::cluster::report;
use super::canary::{Canary, fresh, wait_for_line};
use super::peer::{Peer, honest};
use super::scene::Scene;
use super::session::spelled;

/// Answers that are said again later: more than a lease is long.
const OLD_MAX: usize = 40;

/// F15
#[test]
fn answers_that_come_twice_late_and_in_disorder_neither_move_nor_hold_a_master() {
    let mut scene = Scene::with_an_honest_charlie();
    let term = scene.canary.reign().1;
    let mut old = VecDeque::new();
    scene.charlie.follows(Box::new(move |actor, _, message| {
        let Some(answer) = actor.answer(message) else { return Vec::new() };
        old.push_front(answer.clone());
        old.truncate(OLD_MAX);
        std::iter::once(answer).chain(old.iter().cloned()).collect()
    }));
    scene.hears_more_heartbeats_of(term);
    scene.canary.sings(&scene.cluster);
    let beats = scene.heartbeats_of(term);
    let master = scene.leave_the_master_alone_with_charlie();
    scene.charlie.follows(Box::new(move |actor, _, _| {
        beats.iter().map(|beat| Message::HeartbeatAck(actor.promise(beat))).collect()
    }));
    scene.gives_up(master);
}

/// F16
#[test]
fn a_late_heartbeat_of_a_dead_master_delays_and_does_nothing_else() {
    let mut scene = Scene::with_an_honest_charlie();
    let (master, follower) = scene.master_and_follower();
    let term = scene.term();
    let last = scene.heartbeats_of(term.0).pop().expect("a settled master beats");
    scene.cluster.crash(master);
    let ghost = Peer::playing(&scene.cluster, master, Box::new(|_, _, _| Vec::new()));
    ghost.says(follower, Message::Heartbeat(last.clone()));
    let later = scene.acts(follower);
    assert!(later > term.0);
    ghost.says(follower, Message::Heartbeat(last));
    ghost.hears("its term is over", |_, message| {
        let Message::HeartbeatAck(ack) = message else { return None };
        let mine = Term(later);
        (ack.verdict == Verdict::Refused(Refusal::StaleTerm { mine })).then_some(())
    });
    assert_eq!(scene.acts(follower), later);
}

/// F42, F85, F87
#[test]
fn nothing_said_before_a_handover_counts_after_it() {
    let scene = Scene::with_an_honest_charlie();
    let (first, second) = scene.master_and_follower();
    let term = scene.term();
    let hand_over = |from: &str, to: &str| {
        scene.cluster.until("the heir may take over", |view| {
            let heir = report(view, from)?.peers.iter().find(|peer| peer.id == to)?;
            (heir.vote_ready == Some(true)).then_some(())
        });
        let node = scene.cluster.nodes.iter().find(|node| node.name == from);
        node.expect("it is a node").ask(&["transfer", to]).printed();
        let (master, term) = scene.cluster.settles();
        assert_eq!(master, to);
        term
    };
    hand_over(first, second);
    // F42: charlie's promises to the first master come once more.
    let canary = Canary::over(&scene.cluster);
    for beat in scene.heartbeats_of(term.0) {
        let ack = scene.charlie.actor().promise(&beat);
        scene.charlie.says(first, Message::HeartbeatAck(ack));
    }
    scene.hears_more_heartbeats_of(canary.reign().1);
    canary.sings(&scene.cluster);
    // F85, F87: the first master leads again, and its old release comes once more.
    let again = hand_over(second, first);
    let release = scene.charlie.hears("the first release", |_, message| match message {
        Message::Release(release) if release.term == term => Some(release.clone()),
        _ => None,
    });
    let canary = Canary::over(&scene.cluster);
    assert_eq!(canary.reign(), (first, again));
    let ghost = Peer::calling(&scene.cluster, first, honest());
    let mut session = ghost.session(second, None);
    let source = session.source().to_string();
    // As another process of that name it would not be heard: it repeats the hello too.
    let hello = scene.charlie.session(first, None).hear_hello().unwrap();
    session.greet(&Hello { seen: None, ..hello }).unwrap();
    for message in [Message::Release(release.clone()), Message::TimeoutNow(release)] {
        session.say(&spelled(&message)).unwrap();
    }
    // Its own daemon calls again, and the ghost's session ends: by then it was read.
    wait_for_line(&scene.cluster, second, &[first, "is connected from", &source]);
    scene.hears_more_heartbeats_of(again);
    let status = fresh(&scene.cluster, second);
    assert_eq!(status.promised_to.as_deref(), Some(first));
    canary.sings(&scene.cluster);
}
