//! Nodes come, go and change what they are for while the cluster runs; each is a voter, a witness
//! that never leads, or an observer that counts for nothing.
//! Never edits behind the cluster's back: all goes through `apply`.

use std::fs;
use std::path::PathBuf;

use quorate::wire::control::StatusReport;
use serde_json::Value;

use super::cluster::{Cluster, loopback_addresses, report};
use super::command::Outcome;
use super::looks::eventually;
use super::node::Node;

/// Applies the committed text as `change` makes it, at that node.
fn apply(cluster: &mut Cluster, at: &str, change: impl Fn(&str) -> String) -> Outcome {
    let body = cluster.node(at).ask(&["show"]).printed();
    let file: PathBuf = cluster.place().join("next.yaml");
    fs::write(&file, change(&body)).unwrap();
    cluster.node(at).ask(&["apply", file.to_str().unwrap(), "--wait", "60s"])
}

/// Makes `name` something else, by its line.
fn becomes(name: &'static str, role: &'static str) -> impl Fn(&str) -> String {
    move |body| {
        let known = ["voter", "witness", "observer"].map(|role| format!("role: {role}, "));
        let line = |line: &str| {
            if !line.contains(&format!("{{id: \"{name}\"")) {
                return format!("{line}\n");
            }
            let plain = known.iter().fold(line.to_owned(), |line, role| line.replace(role, ""));
            format!("{}\n", plain.replace("key:", &format!("role: {role}, key:")))
        };
        body.lines().map(line).collect()
    }
}

fn without(name: &'static str) -> impl Fn(&str) -> String {
    move |body| {
        let stays = |line: &&str| !line.contains(&format!("{{id: \"{name}\""));
        body.lines().filter(stays).map(|line| format!("{line}\n")).collect()
    }
}

#[test]
fn a_witness_votes_and_never_leads_and_any_one_of_three_may_die() {
    let mut cluster = Cluster::of(3);
    cluster.settles_on("alpha", &["bravo", "charlie"]);
    apply(&mut cluster, "bravo", becomes("charlie", "witness")).printed();
    cluster
        .node("charlie")
        .ask(&["transfer", "charlie"])
        .refused(1, &["not a member that may lead"]);
    for (dead, master, follower) in [
        ("alpha", "bravo", "charlie"),
        ("charlie", "bravo", "alpha"),
        ("bravo", "alpha", "charlie"),
    ] {
        cluster.crash(dead);
        cluster.settles_on(master, &[follower]);
        cluster.node(dead).start();
        cluster.settles_on(master, &[follower, dead]);
    }
    // Both that may lead are gone: the witness stays what it is.
    cluster.crash("alpha");
    cluster.crash("bravo");
    cluster.until("charlie hears nobody and knows of no master", |view| {
        let charlie = report(view, "charlie")?;
        (!charlie.quorum.ok && charlie.master.is_none()).then_some(())
    });
    cluster.node("alpha").start();
    cluster.settles_on("alpha", &["charlie"]);
}

/// What that node is for and whether it is acting, as it says itself.
fn told(node: &Node) -> Option<StatusReport> {
    let outcome = node.ask(&["status", "--json"]);
    serde_json::from_str(&outcome.stdout).ok()
}

fn follows(node: &Node, master: &str) {
    eventually(&format!("{} follows {master}", node.name), || {
        let report = told(node)?;
        let known = report.master.as_ref()?;
        (known.id == master && report.role == "follower").then_some(())
    });
}

#[test]
fn a_node_joins_as_an_observer_becomes_a_voter_and_can_leave_again() {
    let mut addresses = loopback_addresses(4);
    let address = addresses.pop().unwrap();
    let mut cluster = Cluster::at(&addresses, &vec![Vec::new(); 3], "never");
    cluster.start();
    cluster.settles_on("alpha", &["bravo", "charlie"]);
    let home = cluster.place().join("delta");
    fs::create_dir(&home).unwrap();
    let mut delta = Node::new("delta", &address, &home, &[]);
    let line = delta.identify(&[]);

    let joins = |body: &str| format!("{body}{line}");
    let observes = |body: &str| becomes("delta", "observer")(&joins(body));
    apply(&mut cluster, "bravo", observes).printed();
    let body = cluster.node("charlie").ask(&["show"]).printed();
    let file = cluster.place().join("cluster.yaml");
    fs::write(&file, body).unwrap();
    delta.found(&file);
    delta.start();
    follows(&delta, "alpha");
    assert_eq!(told(&delta).unwrap().quorum.need, 2, "an observer does not count");

    // It may ask for that itself, and waits until it is up to date.
    eventually("delta has the newest document", || {
        let report: Value = serde_json::from_str(&delta.ask(&["show", "--json"]).stdout).ok()?;
        (report["revision"] == 2).then_some(())
    });
    cluster.nodes.push(delta);
    apply(&mut cluster, "delta", becomes("delta", "voter")).printed();
    eventually("four voters need three", || {
        (told(cluster.node("alpha")).unwrap().quorum.need == 3).then_some(())
    });
    cluster.crash("bravo");
    follows(cluster.node("delta"), "alpha");
    cluster.node("bravo").start();
    follows(cluster.node("bravo"), "alpha");

    // One voter goes, and the rest is three again.
    cluster.stop("bravo");
    apply(&mut cluster, "delta", without("bravo")).printed();
    cluster.stop("charlie");
    follows(cluster.node("delta"), "alpha");
    let report = told(cluster.node("alpha")).unwrap();
    assert_eq!((report.role.as_str(), report.quorum.need, report.quorum.ok), ("master", 2, true));
    let two = |body: &str| without("charlie")(&without("delta")(body));
    let done = apply(&mut cluster, "alpha", two);
    for words in ["step 1 of 2: charlie is removed", "step 2 of 2: delta is removed"] {
        assert!(done.stderr.contains(words), "{}", done.stderr);
    }
    done.printed();
    eventually("alpha needs nobody", || {
        (told(cluster.node("alpha")).unwrap().quorum.need == 1).then_some(())
    });
}
