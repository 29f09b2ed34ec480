//! A member that says what is not so. The other two are a majority: nothing it says moves them.
//! Never takes a daemon's support away; `support` does.

use std::sync::Arc;

use quorate::protocol::durable::Document;
use quorate::protocol::message::{
    Append, Candidacy, HeartbeatAck, Message, Offer, Refusal, Release, Verdict,
};
use quorate::protocol::units::{Nonce, Position, Term};
use quorate::wire::codec::hash_of;
use quorate::wire::frame::Class;

use super::super::cluster::acting;
use super::actor::charter_of;
use super::canary::{Canary, log, wait_for_line};
use super::scene::Scene;
use super::session::framed;

/// The newest document the master handed out.
fn document_of(scene: &Scene) -> Document {
    let term = scene.term();
    scene.charlie.hears("the master's document", |_, message| match message {
        Message::Append(append) if append.term == term => Some(append.document.clone()),
        _ => None,
    })
}

/// The same document with that body.
fn with_body(document: &Document, body: &str) -> Document {
    let charter = Arc::new(charter_of(body).expect("the test writes what daemons can read"));
    Document { hash: hash_of(body.as_bytes()), body: body.into(), charter, ..document.clone() }
}

/// The committed document as both daemons show it to people.
fn shown(scene: &Scene) -> Vec<String> {
    let running = scene.cluster.nodes.iter().filter(|node| node.name != "charlie");
    running.map(|node| node.ask(&["show"]).printed()).collect()
}

/// F113
#[test]
fn terms_beyond_all_belief_are_refused_with_an_alarm() {
    let scene = Scene::with_an_honest_charlie();
    let actor = scene.charlie.actor();
    for term in [Term(u64::MAX), Term(scene.term().0 + (1 << 40))] {
        let position = Position { term, version: u64::MAX };
        let candidacy = Candidacy {
            term,
            position,
            storage: actor.identity.storage,
            nonce: Nonce(term.0),
            release: None,
        };
        let release = Release { term, successor: None };
        scene.says_to_both(&[
            Message::Heartbeat(actor.heartbeat(term)),
            Message::PreVote(candidacy.clone()),
            Message::Offer(Offer { document: document_of(&scene).restamped(position) }),
            Message::Release(release.clone()),
            Message::TimeoutNow(release),
            Message::Vote(candidacy),
        ]);
    }
    for name in ["alpha", "bravo"] {
        wait_for_line(&scene.cluster, name, &["charlie claims term 18446744073709551615"]);
        scene.charlie.hears("its last vote is refused", |from, message| {
            let Message::VoteReply(ballot) = message else { return None };
            let is_refused = matches!(ballot.verdict, Verdict::Refused(Refusal::TermJump { .. }));
            (from == name && ballot.nonce != Nonce(u64::MAX) && is_refused).then_some(())
        });
    }
    scene.canary.sings(&scene.cluster);
}

/// F117
#[test]
fn a_second_claim_to_a_won_term_is_refused_with_an_alarm() {
    let scene = Scene::with_an_honest_charlie();
    let mut beat = scene.charlie.actor().heartbeat(scene.term());
    let document = document_of(&scene);
    (beat.position, beat.hash) = (document.position, document.hash);
    let append = Append { term: beat.term, document };
    scene.says_to_both(&[Message::Append(append), Message::Heartbeat(beat)]);
    let claim = format!("{} and charlie both claim term {}", scene.canary.reign().0, scene.term());
    for name in ["alpha", "bravo"] {
        wait_for_line(&scene.cluster, name, &[&claim]);
        scene.charlie.hears("its heartbeat is refused", |from, message| {
            let Message::HeartbeatAck(ack) = message else { return None };
            let is_refused = matches!(ack.verdict, Verdict::Refused(Refusal::SecondMaster { .. }));
            (from == name && is_refused).then_some(())
        });
    }
    scene.canary.sings(&scene.cluster);
}

/// F118
#[test]
fn other_bytes_at_a_known_position_are_refused_with_an_alarm() {
    let scene = Scene::with_an_honest_charlie();
    let (_, follower) = scene.master_and_follower();
    let before = shown(&scene);
    let document = document_of(&scene);
    let other = with_body(&document, &format!("{}# other bytes\n", document.body));
    assert_ne!(other.hash, document.hash);
    scene.says_to_both(&[
        Message::Append(Append { term: scene.term(), document: other.clone() }),
        Message::Offer(Offer { document: other }),
    ]);
    let claim = format!("charlie has another document at position {}", document.position);
    wait_for_line(&scene.cluster, follower, &[&claim]);
    assert_eq!(shown(&scene), before);
    scene.canary.sings(&scene.cluster);
}

/// F119
#[test]
fn a_document_that_no_master_wrote_is_never_committed() {
    let scene = Scene::with_an_honest_charlie();
    let (master, follower) = scene.master_and_follower();
    let before = shown(&scene);
    let document = document_of(&scene);
    let lines = || document.body.lines();
    let keeps = |names: &'static [&str]| {
        move |line: &&str| {
            !line.contains("address:") || names.iter().any(|name| line.contains(name))
        }
    };
    let body = |names| lines().filter(keeps(names)).map(|line| format!("{line}\n")).collect();
    let without_the_master: String =
        if master == "alpha" { body(&["bravo", "charlie"]) } else { body(&["alpha", "charlie"]) };
    let alone: String = body(&["charlie"]);
    for (ahead, text) in (1..).zip([&without_the_master, &alone]) {
        let version = document.position.version + ahead;
        let position = Position { version, ..document.position };
        let forged = with_body(&document, text).restamped(position);
        scene.says_to_both(&[
            Message::Append(Append { term: scene.term(), document: forged.clone() }),
            Message::Offer(Offer { document: forged }),
        ]);
    }
    let nobody: String = body(&[]);
    let header = format!(
        "{{\"offer\":{{\"document\":{{\"position\":{{\"term\":{},\"version\":99}},\
         \"revision\":9,\"hash\":\"{}\"}}}}}}\n{nobody}",
        scene.term(),
        hash_of(nobody.as_bytes()),
    );
    scene.silences_charlie();
    let mut session = scene.charlie.session(follower, None);
    session.greet(&scene.charlie.actor().hello()).unwrap();
    session.say(&framed(Class::Document, header.as_bytes())).unwrap();
    session.until_closed();
    wait_for_line(&scene.cluster, follower, &["charlie", "a document that this release cannot"]);
    assert_eq!(shown(&scene), before);
    scene.canary.sings(&scene.cluster);
}

/// F120
#[test]
fn a_flood_of_pre_votes_delays_nobody() {
    const FLOOD: u64 = 1_500;
    let scene = Scene::with_an_honest_charlie();
    let actor = scene.charlie.actor();
    let asked = |nonce| {
        Message::PreVote(Candidacy {
            term: Term(scene.term().0 + 1),
            position: actor.document.position,
            storage: actor.identity.storage,
            nonce: Nonce(nonce),
            release: None,
        })
    };
    for name in ["alpha", "bravo"] {
        (0..=FLOOD).for_each(|nonce| scene.charlie.says(name, asked(nonce)));
        scene.canary.is_served(&scene.cluster);
        scene.charlie.hears("the last pre-vote is answered", |from, message| {
            let Message::PreVoteReply(ballot) = message else { return None };
            assert_ne!(ballot.verdict, Verdict::Granted);
            (from == name && ballot.nonce == Nonce(FLOOD)).then_some(())
        });
    }
    scene.canary.sings(&scene.cluster);
}

/// F121
#[test]
fn a_voter_that_refuses_for_ever_disturbs_each_master_once_and_is_then_ignored() {
    let scene = Scene::with_an_honest_charlie();
    scene.charlie.follows(Box::new(|actor, _, message| match message {
        Message::Heartbeat(beat) => {
            let mine = Term(beat.term.0 + 1);
            let verdict = Verdict::Refused(Refusal::StaleTerm { mine });
            vec![Message::HeartbeatAck(HeartbeatAck { verdict, ..actor.promise(beat) })]
        }
        other => actor.answer(other).into_iter().collect(),
    }));
    let ignores =
        |name: &&str| log(&scene.cluster, name).contains("charlie keeps refusing with later term");
    let ignoring = scene.cluster.until("a master ignores it", |view| {
        ["alpha", "bravo"].into_iter().filter(ignores).find(|name| acting(view, name).is_some())
    });
    let canary = Canary::over(&scene.cluster);
    assert_eq!(canary.reign().0, ignoring);
    scene.hears_more_heartbeats_of(canary.reign().1);
    canary.sings(&scene.cluster);
    for name in ["alpha", "bravo"] {
        let ends = log(&scene.cluster, name).matches("master no longer").count();
        assert!(ends <= 1, "{name} gave way {ends} times");
    }
}
