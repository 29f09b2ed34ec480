//! What a peer may send without harm: a valid key does not make a peer correct.

use core::time::Duration;

use crate::protocol::message::{
    Append, AppendAck, Ballot, Candidacy, Fetch, Heartbeat, HeartbeatAck, Message, Offer, Presence,
    Refusal, Release, Released, Verdict,
};
use crate::protocol::units::{Hash, Moment, Nonce, Position, TERM_JUMP_MAX, Term};
use crate::sim::charters;
use crate::spec::stage::{A, B, C, Stage};

const AHEAD: Position = Position { term: Term(u64::MAX), version: u64::MAX };

fn presence(of: usize, term: Term) -> Presence {
    Presence {
        term,
        position: AHEAD,
        storage: charters::storage(of),
        is_vote_ready: true,
        is_electable: true,
        is_healthy: true,
        freshness: None,
        age: Duration::ZERO,
        follows: Some(charters::name(of)),
        hears: vec![charters::name(A); 9].into(),
        reading: Moment::default(),
        echo: None,
    }
}

fn heartbeat(of: usize, term: Term) -> Heartbeat {
    Heartbeat {
        term,
        sequence: u64::MAX,
        promise: Duration::from_secs(1_000_000),
        position: AHEAD,
        hash: Hash([9; 32]),
        committed: AHEAD,
        is_acting: true,
        presence: presence(of, term),
    }
}

/// Promises: P12, P10
#[test]
fn nothing_a_peer_makes_up_moves_the_mastership() {
    let mut stage = Stage::led_by_a(3);
    stage.run_for(Duration::from_secs(1));
    let document = stage.disk(C).accepted.restamped(AHEAD);
    let verdict = Verdict::Granted;
    let ballot = Ballot {
        candidacy: Term(u64::MAX),
        nonce: Nonce(0),
        term: Term(u64::MAX),
        position: AHEAD,
        storage: charters::storage(B),
        verdict,
    };
    let ack = AppendAck {
        term: Term(1),
        position: AHEAD,
        hash: Hash([9; 32]),
        storage: charters::storage(B),
    };
    for to in [A, C] {
        for message in [
            Message::Beat(presence(B, Term(u64::MAX))),
            Message::Heartbeat(heartbeat(B, Term(u64::MAX))),
            Message::Heartbeat(heartbeat(B, Term(1))),
            Message::PreVoteReply(ballot.clone()),
            Message::VoteReply(ballot.clone()),
            Message::Append(Append { term: Term(1), document: document.clone() }),
            Message::AppendAck(ack.clone()),
            Message::Fetch(Fetch { have: AHEAD }),
            Message::Offer(Offer { document: document.clone() }),
            Message::Release(Release { term: Term(u64::MAX), successor: None }),
            Message::TimeoutNow(Release { term: Term(1), successor: Some(charters::name(to)) }),
        ] {
            stage.tell(to, B, message);
        }
    }
    assert_eq!(stage.term(C), Term(1));
    stage.assert_only_acting(A, Duration::from_secs(5));
}

/// Promises: P12
#[test]
fn a_term_at_the_edge_of_belief_is_taken_and_survived() {
    let mut stage = Stage::led_by_a(3);
    stage.run_for(Duration::from_secs(1));
    let mut beat = heartbeat(B, Term(1 + TERM_JUMP_MAX));
    beat.promise = Duration::from_millis(600);
    beat.position = Position { term: Term(1 + TERM_JUMP_MAX), version: 9 };
    stage.tell(C, B, Message::Heartbeat(beat));
    assert_eq!(stage.term(C), Term(1 + TERM_JUMP_MAX));
    stage.run_for(Duration::from_secs(10));
    assert_eq!(stage.acting(), Some(A), "a gives way once and leads again above that term");
}

/// Promises: P10, P2
#[test]
fn a_second_master_in_a_term_is_refused() {
    let mut stage = Stage::led_by_a(3);
    stage.run_for(Duration::from_secs(1));
    let mut beat = heartbeat(B, Term(1));
    beat.promise = Duration::from_millis(600);
    beat.position = stage.disk(A).accepted.position;
    beat.hash = stage.disk(A).accepted.hash;
    stage.tell(C, B, Message::Heartbeat(beat));
    let (to, _) = stage.status(C).promise.expect("c is promised");
    assert_eq!(to, charters::name(A));
    stage.assert_only_acting(A, Duration::from_secs(5));
}

/// Promises: P10
#[test]
fn a_disk_that_does_not_count_topples_no_master() {
    let mut stage = Stage::led_by_a(3);
    stage.run_for(Duration::from_secs(1));
    let document = stage.disk(A).accepted;
    let mut foreign = presence(B, Term(2));
    foreign.storage = charters::storage(8);
    let ack = HeartbeatAck {
        term: Term(1),
        sequence: 1,
        position: document.position,
        hash: document.hash,
        verdict: Verdict::Refused(Refusal::StaleTerm { mine: Term(2) }),
        presence: foreign,
    };
    stage.tell(A, B, Message::HeartbeatAck(ack));
    stage.assert_only_acting(A, Duration::from_secs(5));
    assert_eq!(stage.term(A), Term(1));
}

/// Promises: P10
#[test]
fn a_made_up_release_silences_nobody() {
    let mut stage = Stage::led_by_a(3);
    stage.run_for(Duration::from_secs(1));
    let asked = Candidacy {
        term: Term(2),
        position: stage.disk(B).accepted.position,
        storage: charters::storage(B),
        nonce: Nonce(7),
        release: Some(Released { holder: charters::name(A), term: Term(u64::MAX) }),
    };
    stage.tell(C, B, Message::PreVote(asked.clone()));
    stage.tell(C, B, Message::Vote(asked));
    let (to, _) = stage.status(C).promise.expect("c is promised");
    assert_eq!(to, charters::name(A));
    stage.assert_only_acting(A, Duration::from_secs(5));
}
