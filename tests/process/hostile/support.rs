//! A member whose word a master needs, since nobody else is left, and who must not be counted.
//! Each test shows first that an honest word would have counted.

use quorate::protocol::message::{AppendAck, HeartbeatAck, Message};
use quorate::protocol::units::{Nonce, Position, StorageId, Term};

use super::super::cluster::{acting, report};
use super::canary::Canary;
use super::peer::{Peer, Script, honest};
use super::scene::{Scene, without};

/// F114
#[test]
fn acknowledgements_of_what_was_never_sent_are_no_support() {
    let mut scene = Scene::with_an_honest_charlie();
    let (master, follower) = scene.master_and_follower();
    let term = scene.canary.reign().1;
    scene.leave_the_master_alone_with_charlie();
    scene.cluster.until("the master leans on charlie alone", |view| {
        let peers = &report(view, master)?.peers;
        peers.iter().any(|peer| peer.id == follower && !peer.heard).then_some(())
    });
    assert_eq!(scene.acts(master), term);
    scene.charlie.follows(Box::new(|actor, _, message| match message {
        Message::Heartbeat(beat) => {
            let ahead = Position { term: beat.term, version: beat.position.version + 7 };
            let ack = actor.promise(beat);
            vec![
                Message::HeartbeatAck(HeartbeatAck { sequence: u64::MAX, ..ack.clone() }),
                Message::HeartbeatAck(HeartbeatAck { sequence: 1 << 32, ..ack.clone() }),
                Message::HeartbeatAck(HeartbeatAck { term: Term(beat.term.0 + 1), ..ack.clone() }),
                Message::HeartbeatAck(HeartbeatAck { term: Term(0), position: ahead, ..ack }),
                Message::AppendAck(AppendAck {
                    term: beat.term,
                    position: ahead,
                    hash: beat.hash,
                    storage: actor.identity.storage,
                }),
            ]
        }
        _ => Vec::new(),
    }));
    scene.gives_up(master);
}

/// F115
#[test]
fn votes_that_answer_no_question_or_answer_twice_elect_nobody() {
    let cluster = without(5, &["bravo", "charlie", "delta", "echo"]);
    let only_present = || -> Script {
        Box::new(|actor, _, message| match message {
            Message::Beat(_) => actor.answer(message).into_iter().collect(),
            _ => Vec::new(),
        })
    };
    let delta = Peer::playing(&cluster, "delta", only_present());
    let charlie = Peer::playing(
        &cluster,
        "charlie",
        Box::new(|actor, _, message| match message {
            Message::PreVote(asked) | Message::Vote(asked) => {
                let right = actor.grant(asked);
                let mut other = right.clone();
                other.nonce = Nonce(asked.nonce.0 ^ 1);
                let mut later = right.clone();
                later.candidacy = Term(asked.term.0 + 1);
                let ballots = [right.clone(), right, other, later];
                let pre_votes = ballots.clone().map(Message::PreVoteReply);
                pre_votes.into_iter().chain(ballots.map(Message::VoteReply)).collect()
            }
            other => actor.answer(other).into_iter().collect(),
        }),
    );
    charlie.hears_all("alpha asks again and again", |heard| {
        let asked = |message: &Message| matches!(message, Message::PreVote(_));
        (heard.iter().filter(|(_, message)| asked(message)).count() >= 4).then_some(())
    });
    let is_vote = |_: &str, message: &Message| matches!(message, Message::Vote(_)).then_some(());
    assert!(charlie.has_heard(is_vote).is_none(), "two of five voters are a majority");
    // One more honest word, and the same votes do elect.
    delta.follows(honest());
    cluster.until("alpha acts", |view| acting(view, "alpha").map(|_| ()));
}

/// F116: no release has observers yet; a disk that the document does not name counts as little.
#[test]
fn promises_and_votes_of_a_disk_that_is_no_voter_do_not_count() {
    let mut scene = Scene::with_an_honest_charlie();
    scene.charlie.follows(Box::new(|actor, _, message| {
        actor.identity.storage = StorageId([9; 16]);
        actor.answer(message).into_iter().collect()
    }));
    let master = scene.leave_the_master_alone_with_charlie();
    scene.gives_up(master);
    let asked = |scene: &Scene| {
        scene.charlie.hears_all("it hears the others", |heard| {
            Some(heard.iter().filter(|(_, m)| matches!(m, Message::Beat(_))).count())
        })
    };
    let before = asked(&scene);
    scene.charlie.hears_all("the master goes on alone", |heard| {
        let beats = heard.iter().filter(|(_, m)| matches!(m, Message::Beat(_))).count();
        (beats >= before + 5).then_some(())
    });
    scene.gives_up(master);
    scene.charlie.follows(Box::new(|actor, _, message| {
        actor.identity.storage = actor
            .members
            .iter()
            .find(|m| m.id == actor.identity.node)
            .expect("it is a member")
            .storage;
        actor.answer(message).into_iter().collect()
    }));
    scene.acts(master);
}

/// F122
#[test]
fn a_voter_that_keeps_its_connection_and_never_answers_counts_as_down() {
    let cluster = without(3, &["charlie"]);
    let canary = Canary::over(&cluster);
    let charlie = Peer::playing(&cluster, "charlie", Box::new(|_, _, _| Vec::new()));
    let mut scene = Scene { charlie, canary, cluster };
    for name in ["alpha", "bravo"] {
        scene.cluster.until("it is connected and not heard", |view| {
            let peers = &report(view, name)?.peers;
            let is_mute = |peer: &&_| {
                let peer: &quorate::wire::control::PeerReport = peer;
                peer.id == "charlie" && peer.link == "connected" && !peer.heard
            };
            peers.iter().find(is_mute).map(|_| ())
        });
    }
    scene.hears_more_heartbeats_of(scene.canary.reign().1);
    scene.canary.sings(&scene.cluster);
    let master = scene.leave_the_master_alone_with_charlie();
    scene.gives_up(master);
}
