//! Nodes that join by a token, with the commands of the README and nothing else.
//! Never puts a document together by hand.

use std::fs;
use std::path::Path;
use std::thread;

use quorate::daemon::tls::{self, Keys};
use quorate::protocol::units::{ClusterId, NodeId, StorageId};
use quorate::wire::control::{InviteReport, StatusReport};
use quorate::wire::frame::Class;
use quorate::wire::join::JoinRequest;
use quorate::wire::proof::{EXPORT_LABEL, Proof};
use quorate::wire::token::{Secret, Token};
use serde_json::Value;

use super::cluster::{Cluster, loopback_addresses};
use super::command::Outcome;
use super::hostile::{Session, call, framed};
use super::looks::eventually;
use super::node::Node;

/// A cluster of that many nodes led by alpha, and the addresses of others that may join.
fn led(count: usize, guests: usize) -> (Cluster, Vec<String>) {
    let mut addresses = loopback_addresses(count + guests);
    let others = addresses.split_off(count);
    let mut cluster = Cluster::at(&addresses, &vec![Vec::new(); count], "never");
    cluster.start();
    cluster.settles_on("alpha", &["bravo", "charlie"][..count - 1]);
    (cluster, others)
}

/// A machine on which nothing was done yet but to say where it listens.
fn fresh(cluster: &Cluster, name: &str, address: &str) -> Node {
    let home = cluster.place().join(format!("{name}-home"));
    fs::create_dir_all(&home).unwrap();
    let node = Node::new(name, address, &home, &[]);
    write_node_yaml(&node, name, address);
    node
}

fn write_node_yaml(node: &Node, name: &str, advertise: &str) {
    let listen = &node.listen;
    let text = format!("id: {name}\nlisten: \"{listen}\"\nadvertise: \"{advertise}\"\nhttp: off\n");
    fs::write(node.home.join("node.yaml"), text).unwrap();
}

fn invite(cluster: &mut Cluster, at: &str, more: &[&str]) -> String {
    let printed = cluster.node(at).ask(&[&["invite"], more].concat()).printed();
    assert_eq!(printed.lines().count(), 1, "one word, so that it can be piped: {printed}");
    printed.trim().to_owned()
}

/// Joins with a token from a file, where no other user sees it.
fn join(node: &Node, token: &str, more: &[&str]) -> Outcome {
    let file = node.home.join("token");
    fs::write(&file, token).unwrap();
    let line = ["join", "--token-file", file.to_str().unwrap()];
    node.ask(&[&line, more].concat())
}

fn told(node: &Node) -> Option<StatusReport> {
    serde_json::from_str(&node.ask(&["status", "--json"]).stdout).ok()
}

/// Waits until `at` counts that many voters as needed for a majority.
fn until_needed(cluster: &mut Cluster, at: &str, need: usize) {
    let node = &*cluster.node(at);
    eventually(&format!("{need} voters are needed"), || {
        told(node).filter(|report| report.quorum.need == need && report.newcomers.is_empty())
    });
}

fn has_line(node: &Node, words: &str) {
    eventually(&format!("{} logs: {words}", node.name), || {
        node.log().contains(words).then_some(())
    });
}

/// Whatever of it is in a file below `place`.
fn is_kept_below(place: &Path, secret: &str) -> bool {
    fs::read_dir(place).unwrap().map(|entry| entry.unwrap().path()).any(|path| {
        if path.is_dir() {
            return is_kept_below(&path, secret);
        }
        let is_ours = path.file_name().is_some_and(|name| name == "token");
        path.is_file()
            && !is_ours
            && String::from_utf8_lossy(&fs::read(&path).unwrap()).contains(secret)
    })
}

/// H38
#[test]
fn two_nodes_join_a_founded_one_and_all_three_vote() {
    let (mut cluster, others) = led(1, 2);
    for (name, address, need) in [("bravo", &others[0], 2), ("charlie", &others[1], 2)] {
        let token = invite(&mut cluster, "alpha", &[]);
        let mut node = fresh(&cluster, name, address);
        let outcome = join(&node, &token, &[]);
        assert!(outcome.stderr.contains("becomes a voter when it is up to date"), "{outcome:?}");
        outcome.printed();
        assert!(join(&node, &token, &[]).printed().is_empty(), "a second time changes nothing");
        node.start();
        cluster.nodes.push(node);
        until_needed(&mut cluster, "alpha", need);
        let part = &token[40..80];
        assert!(!is_kept_below(cluster.place(), part), "a part of the token is on a disk");
    }
    eventually("three voters are heard", || {
        told(cluster.node("alpha")).filter(|report| report.quorum.have == 3)
    });
    cluster.crash("bravo");
    let report = told(cluster.node("alpha")).unwrap();
    assert_eq!((report.role.as_str(), report.newcomers.len()), ("master", 0));
}

/// H33
#[test]
fn of_two_joins_with_one_token_at_once_exactly_one_wins() {
    let (mut cluster, others) = led(3, 2);
    let token = invite(&mut cluster, "bravo", &["--role", "observer"]);
    let guests = [("delta", &others[0]), ("echo", &others[1])];
    let guests = guests.map(|(name, address)| fresh(&cluster, name, address));
    let outcomes = thread::scope(|scope| {
        let token = &token;
        let asked = guests.map(|node| scope.spawn(move || join(&node, token, &[])));
        asked.map(|one| one.join().unwrap())
    });
    let codes = outcomes.each_ref().map(|outcome| outcome.code);
    assert!(codes == [0, 1] || codes == [1, 0], "{outcomes:?}");
    let body = cluster.node("alpha").ask(&["show"]).printed();
    let known = ["delta", "echo"].map(|name| body.contains(&format!("id: \"{name}\"")));
    assert_eq!(known, codes.map(|code| code == 0), "{body}");
    assert!(!body.contains("invites"), "{body}");
}

/// H31, H32, H34, F77
#[test]
fn tokens_that_are_used_over_revoked_foreign_or_guessed_are_refused_alike() {
    let (mut cluster, others) = led(1, 6);
    let used = invite(&mut cluster, "alpha", &["--role", "observer"]);
    join(&fresh(&cluster, "delta", &others[0]), &used, &[]).printed();
    let over = invite(&mut cluster, "alpha", &["--ttl", "1s"]);
    let revoked = invite(&mut cluster, "alpha", &[]);
    let id = Token::parse(&revoked).unwrap().invite.to_string();
    cluster.node("alpha").ask(&["invite", "--revoke", &id]).printed();
    let open = Token::parse(&invite(&mut cluster, "alpha", &[])).unwrap();
    let guessed = Token { secret: Secret([0; 16]), ..open.clone() }.spell();
    let foreign = Token { cluster: ClusterId([1; 16]), ..open }.spell();
    eventually("the first one is over", || {
        let list = cluster.node("alpha").ask(&["invite", "--list", "--json"]).printed();
        let mut all = list.lines().map(|line| serde_json::from_str::<InviteReport>(line).unwrap());
        // It goes with the next edit, or shows as over.
        all.all(|it| it.over || it.id != Token::parse(&over).unwrap().invite.to_string())
            .then_some(())
    });
    let all = [used, over, revoked, guessed, foreign];
    let words = [
        "is open: it was used, revoked or never made",
        "",
        "is open: it was used, revoked or never made",
        "it does not have the secret",
        "its token is of cluster 0101",
    ];
    let mut said = Vec::new();
    for ((token, words), address) in all.iter().zip(words).zip(&others[1..]) {
        let outcome = join(&fresh(&cluster, "echo", address), token, &[]);
        outcome.refused(1, &["the token is refused: it was used already, is over, was revoked"]);
        said.push(outcome.stderr);
        let from = address.rsplit_once(':').unwrap().0;
        let place = format!("refused {from}:");
        has_line(cluster.node("alpha"), &place);
        let log = cluster.node("alpha").log();
        let line = log.lines().find(|line| line.contains(&place)).unwrap();
        assert!(line.contains(words) && line.contains("it wants to join"), "{line}");
    }
    assert!(said.iter().all(|one| *one == said[0]), "{said:?}");

    // One address that goes on guessing is not listened to any more.
    let stubborn = fresh(&cluster, "echo", &others[4]);
    let codes = [0; 6].map(|_| join(&stubborn, &all[3], &["--wait", "0s"]).code);
    assert_eq!(codes, [1, 1, 1, 1, 75, 75], "one was refused before");
    join(&stubborn, &all[3][..50], &[]).refused(65, &["this token is not whole"]);
}

/// H36, H40
#[test]
fn a_token_outlives_the_master_that_made_it_and_a_follower_takes_it() {
    let (mut cluster, others) = led(3, 1);
    let mut token = Token::parse(&invite(&mut cluster, "alpha", &[])).unwrap();
    cluster.crash("alpha");
    let mut delta = fresh(&cluster, "delta", &others[0]);
    // While there is no master nobody is let in, and nobody is half in.
    token.seeds.rotate_left(2);
    let outcome = join(&delta, &token.spell(), &["--wait", "60s"]);
    assert_eq!(outcome.code, 0, "{outcome:?}");
    cluster.settles_on("bravo", &["charlie"]);
    has_line(cluster.node("charlie"), "delta joined by invitation");
    delta.start();
    cluster.nodes.push(delta);
    // Every voter has to know a newcomer's key before that one votes.
    has_line(cluster.node("bravo"), "delta is still an observer: alpha does not have the document");
    cluster.node("alpha").start();
    until_needed(&mut cluster, "bravo", 3);
}

/// H37
#[test]
fn a_known_name_key_or_address_is_never_taken_over_and_the_token_stays_good() {
    let (mut cluster, others) = led(1, 1);
    let token = invite(&mut cluster, "alpha", &["--role", "observer"]);
    let taken = cluster.node("alpha").address.clone();
    let delta = fresh(&cluster, "delta", &others[0]);
    write_node_yaml(&delta, "alpha", &others[0]);
    join(&delta, &token, &[]).refused(1, &["its name is that of member alpha already"]);
    write_node_yaml(&delta, "delta", &taken);
    join(&delta, &token, &[]).refused(1, &["its address is that of member alpha already"]);
    write_node_yaml(&delta, "delta", &others[0]);
    let keys = ["node.key", "node.crt"].map(|name| {
        let [from, to] = [cluster.node("alpha").state(), delta.state()].map(|dir| dir.join("keys"));
        let own = fs::read(to.join(name)).unwrap();
        fs::copy(from.join(name), to.join(name)).unwrap();
        (to.join(name), own)
    });
    join(&delta, &token, &[]).refused(1, &["its key is that of member alpha already"]);
    keys.iter().for_each(|(path, own)| fs::write(path, own).unwrap());
    join(&delta, &token, &[]).printed();
    let known = cluster.node("alpha").ask(&["show"]).printed();
    assert_eq!(known.matches("storage:").count(), 2, "{known}");
}

#[test]
fn a_join_whose_answer_got_lost_is_answered_again() {
    let (mut cluster, others) = led(1, 1);
    let token = Token::parse(&invite(&mut cluster, "alpha", &[])).unwrap();
    let delta = fresh(&cluster, "delta", &others[0]);
    let line = delta.identify(&[]);
    let storage = line.split("storage: \"").nth(1).unwrap();
    let storage = StorageId::from_hex(&storage[..32]).unwrap();
    let keys = Keys::load(&delta.state().join("keys")).unwrap();
    let config = tls::joining(&keys, &token.seeds).unwrap();
    let mut session = Session::over(call(&token.seeds[0].address, None), config);
    session.say(&[]).unwrap();
    let number = session.shaken(EXPORT_LABEL);
    let request = JoinRequest::new(
        (token.cluster, token.invite),
        NodeId::new("delta").unwrap(),
        others[0].clone(),
        storage,
        Proof::of(&token, &number),
    );
    session.say(&framed(Class::Join, &request.encode())).unwrap();
    drop(session);
    eventually("delta is let in", || {
        cluster.node("alpha").ask(&["show"]).printed().contains("id: \"delta\"").then_some(())
    });
    join(&delta, &token.spell(), &[]).printed();
    has_line(cluster.node("alpha"), "delta joined before, and was answered again");
}

/// H35
#[test]
fn a_manual_invitation_votes_only_after_its_very_key_was_approved() {
    let (mut cluster, others) = led(1, 1);
    let token = invite(&mut cluster, "alpha", &["--manual", "--role", "witness", "--name", "pi"]);
    let mut pi = fresh(&cluster, "delta", &others[0]);
    join(&pi, &token, &[]).refused(78, &["the token is for a node called pi"]);
    fs::remove_file(pi.home.join("node.yaml")).unwrap();
    let outcome = join(&pi, &token, &["--advertise", &others[0]]);
    let key = outcome.stderr.split("quorate approve ").nth(1).unwrap().trim().to_owned();
    outcome.printed();
    // Here many nodes share one machine's addresses.
    write_node_yaml(&pi, "pi", &others[0]);
    pi.name = "pi".to_owned();
    pi.start();
    cluster.nodes.push(pi);
    eventually("pi is heard, and waits", || {
        let report = told(cluster.node("alpha"))?;
        let waits = report.newcomers.first().is_some_and(|it| !it.approved && it.key == key);
        (waits && report.peers.first()?.heard).then_some(())
    });
    let report = told(cluster.node("pi")).unwrap();
    assert_eq!((report.quorum.need, report.newcomers[0].becomes.as_str()), (1, "witness"));
    let list = cluster.node("alpha").ask(&["node", "list"]).printed();
    assert!(list.contains("becomes a witness once its key is approved"), "{list}");
    let wrong = format!("SHA256:{}", "0".repeat(64));
    cluster.node("alpha").ask(&["approve", &wrong]).refused(1, &["has that key"]);
    cluster.node("pi").ask(&["approve", &key]).printed();
    until_needed(&mut cluster, "alpha", 2);
    let events = cluster.node("alpha").ask(&["events", "--json"]).printed();
    let codes: Vec<Value> = events.lines().map(|it| serde_json::from_str(it).unwrap()).collect();
    let has = |code: &str| codes.iter().any(|event| event["code"] == code);
    assert!(has("node-joined") && has("node-promoted"), "{events}");
    let documents = cluster.node("alpha").ask(&["history", "--documents", "--json"]).printed();
    for deed in ["quorate: alpha let pi join", "quorate: alpha promoted pi"] {
        assert!(documents.contains(deed), "{deed}: {documents}");
    }
}

#[test]
fn what_an_invited_node_becomes_is_over_once_an_operator_says_what_it_is() {
    let (mut cluster, others) = led(1, 1);
    let token = invite(&mut cluster, "alpha", &["--manual", "--role", "witness"]);
    let mut delta = fresh(&cluster, "delta", &others[0]);
    join(&delta, &token, &[]).printed();
    delta.start();
    eventually("it follows", || told(&delta)?.master);
    cluster.nodes.push(delta);
    cluster.node("delta").ask(&["node", "promote", "delta", "--wait", "60s"]).printed();
    until_needed(&mut cluster, "alpha", 2);
    let body = cluster.node("alpha").ask(&["show"]).printed();
    assert!(!body.contains("becomes") && !body.contains("approval"), "{body}");
    let list = cluster.node("alpha").ask(&["node", "list", "--json"]).printed();
    let list: Value = serde_json::from_str(&list).unwrap();
    assert_eq!(list["nodes"][1]["role"], "voter");
    assert!(list["nodes"][1]["becomes"].is_null(), "{list}");
}

/// H39
#[test]
fn at_most_thirty_two_invitations_are_open_at_once() {
    let (mut cluster, _) = led(1, 0);
    let tokens = [0; 32].map(|_| invite(&mut cluster, "alpha", &[]));
    let more = cluster.node("alpha").ask(&["invite"]);
    more.refused(1, &["32 invitations are open, and no more may be"]);
    assert!(more.stdout.is_empty(), "no token that nobody would take");
    let id = Token::parse(&tokens[7]).unwrap().invite.to_string();
    cluster.node("alpha").ask(&["invite", "--revoke", &id]).printed();
    cluster.node("alpha").ask(&["invite", "--revoke", &id]).refused(1, &["no invitation"]);
    invite(&mut cluster, "alpha", &[]);
}

/// H31
#[test]
fn whoever_comes_to_join_says_one_small_thing_or_is_closed() {
    let (mut cluster, others) = led(1, 1);
    let token = Token::parse(&invite(&mut cluster, "alpha", &[])).unwrap();
    let delta = fresh(&cluster, "delta", &others[0]);
    delta.identify(&[]);
    let keys = Keys::load(&delta.state().join("keys")).unwrap();
    let config = tls::joining(&keys, &token.seeds).unwrap();
    let corner = others[0].rsplit_once('.').unwrap().0.to_owned();
    let cases = [
        (framed(Class::Hello, b"{}"), "a Hello frame where none belongs"),
        (vec![b'D', 0, 15, 0, 0, 1], "a Document frame where none belongs"),
        (vec![b'J', 0, 0, 4, 1], "a Join frame of 1025 bytes; at most 1024 are allowed"),
        (framed(Class::Join, b"{}"), "it sent not a message this release knows"),
        (vec![b'J', 0, 0, 0, 200], "the request took too long"),
    ];
    for (number, (bytes, words)) in cases.into_iter().enumerate() {
        let source = format!("{corner}.{}", 150 + number);
        let stream = call(&token.seeds[0].address, Some(&source));
        let mut session = Session::over(stream, config.clone());
        session.say(&bytes).unwrap();
        session.until_closed();
        has_line(cluster.node("alpha"), &format!("refused {source}:"));
        has_line(cluster.node("alpha"), words);
    }
    join(&delta, &token.spell(), &[]).printed();
}
