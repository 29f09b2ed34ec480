//! A member of a later release: honest, and with words that this release does not know.
//! Never breaks a rule of the protocol that both speak.

use std::sync::Arc;

use quorate::protocol::durable::Document;
use quorate::protocol::message::{Append, Heartbeat, Message};
use quorate::protocol::units::{Position, Term};
use quorate::wire::codec::hash_of;
use quorate::wire::frame::Class;
use quorate::wire::hello::Hello;
use rustix::process::Signal;
use serde_json::Value;

use super::super::looks::eventually;
use super::actor::charter_of;
use super::canary::wait_for_line;
use super::scene::Scene;
use super::session::framed;

/// The document of a later release: keys, words and comments that nobody here knows.
fn newer_than(document: &Document, term: Term) -> Document {
    let body = format!(
        "# written by a later release\n{}weather: {{mild: [1, 2], \"odd key\": ~}}   # kept\n\n",
        document.body
    );
    let charter = Arc::new(charter_of(&body).expect("what is new is passed over"));
    assert!(!charter.is_understood);
    let position = Position { term, version: document.position.version + 1 };
    let hash = hash_of(body.as_bytes());
    let revision = document.revision + 1;
    Document { position, revision, hash, body: body.as_str().into(), charter, byline: None }
}

/// F80
#[test]
fn a_document_of_a_later_release_is_kept_byte_by_byte_and_through_a_restart() {
    let mut scene = Scene::with_an_honest_charlie();
    let (master, follower) = scene.master_and_follower();
    let known = scene.charlie.hears("the master's document", |_, message| match message {
        Message::Append(append) => Some(append.document.clone()),
        _ => None,
    });
    let term = Term(scene.term().0 + 1);
    let newer = newer_than(&known, term);
    // From now on charlie leads, as a later release may; nobody else has its vote.
    scene.charlie.follows(Box::new(|_, _, _| Vec::new()));
    scene.cluster.crash(master);
    let lead = |scene: &Scene, sequence: u64| {
        let actor = scene.charlie.actor();
        let beat = Heartbeat {
            sequence,
            position: newer.position,
            hash: newer.hash,
            committed: newer.position,
            ..actor.heartbeat(term)
        };
        let append = Append { term, document: newer.clone() };
        scene.charlie.says(follower, Message::Heartbeat(beat));
        scene.charlie.says(follower, Message::Append(append));
    };
    let mut sequence = 0;
    let mut shows_it = |scene: &mut Scene| {
        eventually("it shows the document of the later release", || {
            sequence += 1;
            lead(scene, sequence);
            let shown = scene.cluster.node(follower).ask(&["show"]);
            (shown.code == 0 && *shown.stdout == *newer.body).then_some(())
        });
    };
    shows_it(&mut scene);
    assert_eq!(scene.cluster.node(follower).end(Signal::KILL), 128 + 9);
    scene.cluster.node(follower).start();
    shows_it(&mut scene);
    let found = scene.cluster.node(follower).ask(&["doctor", "--json"]);
    let report: Value = serde_json::from_str(&found.stdout).unwrap();
    assert_eq!((found.code, &report["daemon"]["understands"]), (1, &false.into()));
    let codes: Vec<_> = report["findings"].as_array().unwrap().iter().map(|f| &f["code"]).collect();
    assert!(codes.contains(&&"newer-words".into()), "{codes:?}");
}

#[test]
fn a_member_of_a_later_release_is_understood_as_far_as_both_know_and_shown_as_such() {
    let mut scene = Scene::with_an_honest_charlie();
    let (_, follower) = scene.master_and_follower();
    scene.silences_charlie();
    let mut session = scene.charlie.session(follower, None);
    let hello = scene.charlie.actor().hello();
    session.greet(&Hello { newest: Some(3), release: Some("9.9.9".into()), ..hello }).unwrap();
    session.say(&framed(Class::Message, br#"{"gossip":{"mood":"calm"}}"#)).unwrap();
    let words = ["charlie sends messages that only a later release knows, such as `gossip`"];
    wait_for_line(&scene.cluster, follower, &words);
    let said = scene.cluster.node(follower).ask(&["status", "--json"]).printed();
    let said: Value = serde_json::from_str(&said).unwrap();
    let charlie = said["peers"].as_array().unwrap().iter().find(|peer| peer["id"] == "charlie");
    let said = &charlie.unwrap()["said"];
    assert_eq!((&said["passed_over"], &said["protocol"]), (&1.into(), &1.into()));
    let page = scene.cluster.node(follower).ask(&["doctor"]).stdout;
    assert!(page.contains("1 messages of charlie were passed over, as `gossip`"), "{page}");
}
