//! Who is let into a cluster, by one document and one request; what a token is worth where.
//! Never edits anything: the documents that come out are looked at only.

use quorate::daemon::admission::{Admission, judge};
use quorate::daemon::doorway::{Arrival, Refusal};
use quorate::protocol::durable::Document;
use quorate::protocol::units::{ClusterId, NodeId, Pin, Position, StorageId, Term};
use quorate::settings::arrivals::{INVITES_MAX, arrivals};
use quorate::settings::cluster;
use quorate::wire::join::{JoinAnswer, JoinRequest};
use quorate::wire::proof::{Proof, kept};
use quorate::wire::token::{InviteId, Secret, Seed, Token, TokenError};

const CLUSTER: ClusterId = ClusterId([7; 16]);
const NUMBER: [u8; 32] = [3; 32];
const NOW: &str = "2026-11-22T12:00:00Z";

fn token(invite: u8) -> Token {
    Token {
        cluster: CLUSTER,
        invite: InviteId([invite; 4]),
        secret: Secret([invite; 16]),
        name: None,
        seeds: vec![Seed::new(&Pin([1; 32]), "10.0.0.1:9901")],
    }
}

/// The document's line for a token.
fn open(token: &Token, more: &str, until: &str) -> String {
    let hash = kept(token.cluster, token.invite, &token.secret);
    format!(
        "  - {{id: \"{}\", {more}until: \"{until}\", secret: \"SHA256:{hash}\"}}\n",
        token.invite
    )
}

/// A cluster of one voter and one observer, with these invitations.
fn document(invites: &str) -> Document {
    let node = |id: &str, role: &str, number: u8| {
        format!(
            "  - {{id: {id}, address: \"10.0.0.{number}:9901\", role: {role}, key: \
             \"SHA256:{}\", storage: \"{}\"}}\n",
            Pin([number; 32]),
            StorageId([number; 16])
        )
    };
    let list = if invites.is_empty() { String::new() } else { format!("invites:\n{invites}") };
    let text = format!(
        "cluster: shop\nid: \"{CLUSTER}\"\n{list}nodes:  # ours\n{}{}",
        node("alpha", "voter", 1),
        node("desk", "observer", 2)
    );
    let position = Position { term: Term(1), version: 3 };
    cluster::document(&text, "cluster.yaml", position, 5).expect("it is a document")
}

/// Delta, with that token, in the session of [`NUMBER`].
fn delta(token: &Token) -> Arrival {
    let node = NodeId::new("delta").unwrap();
    let proof = Proof::of(token, &NUMBER);
    let place = "10.0.0.4:9901".to_owned();
    let of = (token.cluster, token.invite);
    Arrival {
        request: JoinRequest::new(of, node, place, StorageId([4; 16]), proof),
        pin: Pin([4; 32]),
        number: NUMBER,
        source: "10.0.0.4:40000".parse().unwrap(),
    }
}

fn admitted(invites: &str, arrival: &Arrival) -> String {
    match judge(&document(invites), arrival, NOW) {
        Ok(Admission::By(body)) => body,
        other => panic!("not let in: {other:?}"),
    }
}

/// Why it is refused, and whether it is told.
fn refused(invites: &str, arrival: &Arrival) -> (String, bool) {
    match judge(&document(invites), arrival, NOW) {
        Err(Refusal::Untold(why)) => (why, false),
        Err(Refusal::Told(why)) => (why, true),
        other => panic!("not refused: {other:?}"),
    }
}

const LATER: &str = "2026-11-22T12:00:01Z";

#[test]
fn whoever_shows_an_open_invitation_comes_in_as_an_observer_and_uses_it_up() {
    let invites = [open(&token(1), "", LATER), open(&token(2), "role: witness, ", LATER)].concat();
    let body = admitted(&invites, &delta(&token(2)));
    let charter = cluster::parse(&body, "cluster.yaml").unwrap();
    let member = charter.members.find(&NodeId::new("delta").unwrap()).unwrap();
    assert!(!member.votes() && member.pin == Pin([4; 32]) && member.storage.0 == [4; 16]);
    assert!(body.contains("becomes: witness") && body.contains("nodes:  # ours"), "{body}");
    let left = arrivals(&body).unwrap();
    assert_eq!((left.invites.len(), left.invites[0].id.as_str()), (1, "01010101"));
    assert!(left.newcomers[0].is_approved);
    let (why, is_told) = match judge(
        &cluster::document(&body, "cluster.yaml", Position::default(), 6).unwrap(),
        &Arrival { pin: Pin([5; 32]), ..delta(&token(2)) },
        NOW,
    ) {
        Err(Refusal::Untold(why)) => (why, false),
        other => panic!("{other:?}"),
    };
    assert!(why.contains("no invitation 02020202 is open") && !is_told, "{why}");
}

/// H31, H32, H34
#[test]
fn a_wrong_old_or_foreign_token_is_refused_and_only_the_log_knows_why() {
    let invites = open(&token(1), "", LATER);
    let guessed = Token { secret: Secret([0; 16]), ..token(1) };
    let foreign = Token { cluster: ClusterId([8; 16]), ..token(1) };
    let replayed = Arrival { number: [4; 32], ..delta(&token(1)) };
    let over = open(&token(1), "", NOW);
    for (invites, arrival, words) in [
        (&invites, delta(&guessed), "does not have the secret of invitation 01010101"),
        (&invites, delta(&foreign), "its token is of cluster 0808"),
        (&invites, delta(&token(9)), "no invitation 09090909 is open"),
        (&invites, replayed, "does not have the secret"),
        (&over, delta(&token(1)), "ended at 2026-11-22T12:00:00Z"),
    ] {
        let (why, is_told) = refused(invites, &arrival);
        assert!(why.contains(words) && !is_told, "{words}: {why}");
        let answer = Refusal::Untold(why).answer();
        assert_eq!(answer, JoinAnswer::No(String::new()), "all are told the same");
    }
}

/// H37
#[test]
fn what_a_member_has_is_nobody_elses() {
    let invites = open(&token(1), "", LATER);
    let with = |change: fn(&mut Arrival)| {
        let mut arrival = delta(&token(1));
        change(&mut arrival);
        arrival
    };
    for (arrival, words) in [
        (with(|it| it.request.node = NodeId::new("alpha").unwrap()), "its name is that of"),
        (with(|it| it.request.address = "10.0.0.1:9901".to_owned()), "its address is that of"),
        (with(|it| it.request.storage = StorageId([1; 16])), "its disk is that of"),
        (with(|it| it.pin = Pin([1; 32])), "its key is that of member alpha"),
        (with(|it| it.request.address = "0.0.0.0:9901".to_owned()), "nobody can reach it"),
        (with(|it| it.request.address = "delta".to_owned()), "nobody can reach it"),
    ] {
        let (why, is_told) = refused(&invites, &arrival);
        assert!(why.contains(words) && is_told, "{words}: {why}");
    }
    let named = open(&token(1), "name: echo, ", LATER);
    assert!(refused(&named, &delta(&token(1))).0.contains("for echo, and it calls itself delta"));
}

#[test]
fn a_newcomer_that_was_let_in_and_not_told_is_told_again_and_no_other() {
    let asks = |node: &str, storage: u8| {
        let mut arrival = delta(&token(1));
        arrival.pin = Pin([2; 32]);
        arrival.request.node = NodeId::new(node).unwrap();
        arrival.request.storage = StorageId([storage; 16]);
        judge(&document(""), &arrival, NOW)
    };
    assert_eq!(asks("desk", 2), Ok(Admission::Already));
    assert!(matches!(asks("desk", 3), Err(Refusal::Told(_))), "another disk");
    assert!(matches!(asks("table", 2), Err(Refusal::Told(_))), "another name");
    let mut voter = delta(&token(1));
    (voter.pin, voter.request.storage) = (Pin([1; 32]), StorageId([1; 16]));
    voter.request.node = NodeId::new("alpha").unwrap();
    assert!(matches!(judge(&document(""), &voter, NOW), Err(Refusal::Told(_))), "a voter");
}

#[test]
fn invitations_that_are_over_go_with_the_next_one_that_is_used() {
    let old = "2026-01-01T00:00:00Z";
    let lines = [open(&token(1), "", old), open(&token(2), "", LATER), open(&token(3), "", old)];
    let body = admitted(&lines.concat(), &delta(&token(2)));
    assert!(!body.contains("invites"), "{body}");
    let manual = open(&token(4), "approval: manual, ", LATER);
    let body = admitted(&[manual, open(&token(5), "", LATER)].concat(), &delta(&token(4)));
    assert!(body.contains("becomes: voter, approval: manual"), "{body}");
    assert!(!arrivals(&body).unwrap().newcomers[0].is_approved);
}

#[test]
fn an_invitation_is_written_as_quorate_writes_it_or_refused_at_its_place() {
    let wrong = |line: &str, words: &str| {
        let text = document("").body.replace("nodes:", &format!("invites:\n  - {line}\nnodes:"));
        let problem = cluster::parse(&text, "c.yaml").unwrap_err().to_string();
        assert!(problem.starts_with("c.yaml:4:") && problem.contains(words), "{problem}");
    };
    let secret = format!("secret: \"SHA256:{}\"", Pin([1; 32]));
    let until = format!("until: \"{LATER}\"");
    wrong(&format!("{{id: 12345678, {until}, {secret}}}"), "8 digits of 0-9 a-f");
    wrong(&format!("{{id: \"0101010g\", {until}, {secret}}}"), "8 digits of 0-9 a-f");
    wrong(&format!("{{id: \"01010101\", until: tomorrow, {secret}}}"), "a time like");
    wrong(&format!("{{id: \"01010101\", {until}, secret: abc}}"), "SHA256:");
    wrong(&format!("{{id: \"01010101\", {until}}}"), "has no `secret`");
    wrong(&format!("{{id: \"01010101\", {until}, {secret}, role: master}}"), "unknown word");
    let many: String = (0..=INVITES_MAX)
        .map(|number| open(&Token { invite: InviteId([number as u8; 4]), ..token(1) }, "", LATER))
        .collect();
    let text = document("").body.replace("nodes:", &format!("invites:\n{many}nodes:"));
    let problem = cluster::parse(&text, "c.yaml").unwrap_err().to_string();
    assert!(problem.contains("33 invitations are open, at most 32 may"), "{problem}");
    let text = document("").body.replace("role: voter", "role: voter, becomes: witness");
    let problem = cluster::parse(&text, "c.yaml").unwrap_err().to_string();
    assert!(problem.contains("only an observer"), "{problem}");
}

/// H38
#[test]
fn a_token_is_read_however_it_was_pasted_and_never_shown_in_an_error() {
    let token = Token { name: NodeId::new("delta"), ..token(1) };
    let word = token.spell();
    assert!(word.starts_with("qj1_"), "{word}");
    assert!(format!("{token:?}").contains("secret: Secret, "), "{token:?}");
    let pasted = format!("\n  {}\r\n\t{} \n", &word[..30], &word[30..]);
    assert_eq!(Token::parse(&pasted), Ok(token));
    for (text, error) in [
        (String::new(), TokenError::Empty),
        ("hello".to_owned(), TokenError::NotAToken),
        (word.replace("qj1_", "qj2_"), TokenError::OtherVersion),
        (word[..word.len() - 4].to_owned(), TokenError::Damaged),
        ("qj1_".to_owned() + &"A".repeat(5_000), TokenError::TooLong),
        ("A".repeat(1 << 20), TokenError::TooLong),
        ("qj1_\u{1}\u{0}é".to_owned(), TokenError::Damaged),
    ] {
        assert_eq!(Token::parse(&text), Err(error));
    }
}
