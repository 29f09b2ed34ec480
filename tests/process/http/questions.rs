//! Yes and no: each question asked of a master, a follower, a node alone, one that just started.
//! Never believes one word of an answer: status, lines and body have to agree.

use rustix::process::Signal;

use super::super::cluster::{acting, report};
use super::super::looks::eventually;
use super::Reply;
use super::{answers, asked, connect, door, founded, founded_with, get, rest};

use std::io::Write;

const MASTER: [&str; 5] = ["/master", "/leader", "/primary", "/read-write", "/read_write"];
const BACKUP: [&str; 3] = ["/backup", "/replica", "/standby"];
const BOTH: [&str; 2] = ["/read-only", "/read_only"];
const SOUND: [&str; 3] = ["/health", "/quorum", "/readiness"];

/// Asks every question, and looks that exactly those of `yes` are answered with yes.
fn says_yes_to(address: &str, yes: &[&[&str]]) {
    let all = [&MASTER[..], &BACKUP, &BOTH, &SOUND, &["/liveness"]];
    for path in all.concat() {
        let wanted = yes.concat().contains(&path);
        for method in ["GET", "HEAD", "OPTIONS"] {
            let reply = asked(address, method, path);
            assert_eq!(reply.status, if wanted { 200 } else { 503 }, "{method} {path}: {reply:?}");
            assert_eq!(reply.body.is_empty(), method != "GET", "{method} {path}: {reply:?}");
        }
        let reply = get(address, path);
        assert_eq!(reply.json()["ok"], wanted, "{path}: {reply:?}");
        assert!(!reply.json()["reason"].as_str().unwrap().is_empty());
    }
}

fn lines(reply: &Reply) -> [&str; 4] {
    let names = ["X-Quorate-Role", "X-Quorate-Node", "X-Quorate-Master", "X-Quorate-Term"];
    names.map(|name| reply.line(name).unwrap_or_else(|| panic!("no {name}: {reply:?}")))
}

#[test]
fn every_question_has_its_answer_on_the_master_on_a_follower_and_on_a_node_alone() {
    let mut cluster = founded(3);
    cluster.start_without(&["bravo", "charlie"]);
    let alpha = door(&cluster, "alpha");
    answers(&alpha);
    // It has just started, and is alone.
    says_yes_to(&alpha, &[&["/liveness"]]);
    let reply = get(&alpha, "/health");
    assert_eq!(reply.json()["reason"], "no majority is heard");
    assert_eq!(reply.line("X-Quorate-Master"), Some("none"));
    cluster.node("bravo").start();
    cluster.node("charlie").start();
    let bravo = door(&cluster, "bravo");
    let term = eventually("alpha leads and bravo knows", || {
        let [one, other] = [&alpha, &bravo].map(|at| std::net::TcpStream::connect(at).ok());
        (one.is_some() && other.is_some()).then_some(())?;
        let is_settled =
            get(&alpha, "/master").status == 200 && get(&bravo, "/backup").status == 200;
        is_settled.then(|| get(&alpha, "/master").json()["term"].as_u64().unwrap())
    });
    says_yes_to(&alpha, &[&MASTER, &BOTH, &SOUND, &["/liveness"]]);
    says_yes_to(&bravo, &[&BACKUP, &BOTH, &SOUND, &["/liveness"]]);
    let term = term.to_string();
    let reply = get(&alpha, "/primary");
    assert_eq!(lines(&reply), ["master", "alpha", "alpha", &term]);
    let left: u64 = reply.line("X-Quorate-Lease-Ms").unwrap().parse().unwrap();
    assert!((1..=2_000).contains(&left), "{left}");
    assert_eq!(reply.json()["lease_ms"], left);
    let reply = get(&bravo, "/primary");
    assert_eq!(lines(&reply), ["follower", "bravo", "alpha", &term]);
    assert_eq!(reply.line("X-Quorate-Lease-Ms"), Some("0"));
    assert_eq!(reply.json()["reason"], "it follows alpha");
    // Without a majority again.
    cluster.crash("bravo");
    cluster.crash("charlie");
    eventually("alpha stopped", || (get(&alpha, "/master").status == 503).then_some(()));
    eventually("alpha is alone", || (get(&alpha, "/health").status == 503).then_some(()));
    eventually("alpha knows nobody", || (get(&alpha, "/readiness").status == 503).then_some(()));
    says_yes_to(&alpha, &[&["/liveness"]]);
}

#[test]
fn a_node_on_standby_and_a_witness_are_of_no_use_to_readers() {
    let mut cluster = founded(3);
    cluster.start();
    cluster.settles_on("alpha", &["bravo", "charlie"]);
    cluster.node("alpha").ask(&["standby", "bravo"]).printed();
    let bravo = door(&cluster, "bravo");
    eventually("bravo leaves the field", || (get(&bravo, "/backup").status == 503).then_some(()));
    let reply = get(&bravo, "/replica");
    assert_eq!(reply.json()["reason"], "it is on standby, by cluster.yaml");
    cluster.node("alpha").ask(&["node", "set", "charlie", "role=witness"]).printed();
    let charlie = door(&cluster, "charlie");
    eventually("charlie has no data", || (get(&charlie, "/backup").status == 503).then_some(()));
    assert!(get(&charlie, "/replica").json()["reason"].as_str().unwrap().contains("witness"));
    assert_eq!(get(&charlie, "/readiness").status, 200);
}

/// H57
#[test]
fn a_master_that_stood_still_answers_no_to_what_it_was_asked_meanwhile() {
    let mut cluster = founded(3);
    cluster.start();
    let (master, term) = cluster.settles();
    let address = door(&cluster, &master);
    cluster.node(&master).signal(Signal::STOP);
    // The kernel takes the call for a process that stands still.
    let mut calls: Vec<_> = (0..8).map(|_| connect(&address)).collect();
    for call in &mut calls {
        call.write_all(b"GET /master HTTP/1.0\r\n\r\n").unwrap();
    }
    let others: Vec<String> = cluster.nodes.iter().map(|node| node.name.clone()).collect();
    cluster.until("another acts", |view| {
        let next = others.iter().find_map(|name| acting(view, name))?;
        (next.node != master && next.term > term).then_some(())
    });
    cluster.node(&master).signal(Signal::CONT);
    for call in calls {
        let text = rest(call);
        assert!(text.starts_with("HTTP/1.1 503 "), "{text}");
    }
    cluster.until("it follows", |view| (report(view, &master)?.role == "follower").then_some(()));
    let reply = get(&address, "/master");
    assert!(reply.json()["core_age_ms"].is_u64(), "{reply:?}");
}

#[test]
fn an_unhealthy_follower_is_taken_out_of_use() {
    let mut cluster = founded_with(3, |_| {
        "health: {command: [/bin/false], interval: 300ms, timeout: 200ms, fall: 1}\n".to_owned()
    });
    cluster.start();
    let (master, _) = cluster.settles();
    let follower = cluster.nodes.iter().find(|node| node.name != master).unwrap().name.clone();
    let address = door(&cluster, &follower);
    let reply = get(&address, "/backup");
    assert_eq!(reply.status, 503, "{reply:?}");
    assert!(reply.json()["reason"].as_str().unwrap().contains("health"), "{reply:?}");
    assert_eq!(get(&address, "/health").status, 200, "the cluster is all right");
    cluster.node(&follower).end(Signal::TERM);
}
