//! `quorate wait`: until something is so, and not a moment longer than it may.
//! Never measures how long it took.

use std::fs;
use std::fs::File;

use super::cluster::Cluster;

/// Begins to wait for `goal` at bravo.
fn waiting(cluster: &mut Cluster, goal: &str) -> super::command::Running {
    let log = File::create(cluster.place().join("waits")).unwrap();
    let words = ["wait", "--for", goal, "--timeout", "60s"];
    cluster.node("bravo").start_words(&words, log)
}

#[test]
fn wait_ends_when_a_revision_is_committed_and_when_a_node_is_heard() {
    let mut cluster = Cluster::founded(3, "never");
    cluster.start_without(&["charlie"]);
    cluster.settles();
    let mut revision = waiting(&mut cluster, "revision=2");
    let mut heard = waiting(&mut cluster, "node=charlie");
    let node = cluster.node("bravo");
    let short = ["--timeout", "100ms"];
    for goal in ["revision=2", "node=charlie", "master=charlie"] {
        let outcome = node.ask(&[&["wait", "--for", goal], &short[..]].concat());
        outcome.refused(124, &["not in time: bravo is ", "revision 1, it hears alpha"]);
    }
    let body = node.ask(&["show"]).printed();
    let file = cluster.place().join("next.yaml");
    fs::write(&file, body.replace("failback: never", "failback: 9m")).unwrap();
    cluster.node("alpha").ask(&["apply", file.to_str().unwrap(), "--wait", "60s"]).printed();
    assert_eq!(revision.wait(), 0);
    cluster.node("charlie").start();
    assert_eq!(heard.wait(), 0);
}

#[test]
fn wait_ends_when_that_node_becomes_master() {
    let mut cluster = Cluster::of(3);
    cluster.settles_on("alpha", &["bravo", "charlie"]);
    let mut master = waiting(&mut cluster, "master=charlie");
    let mut role = waiting(&mut cluster, "role=master");
    cluster.node("alpha").ask(&["transfer", "charlie"]).printed();
    assert_eq!(master.wait(), 0);
    cluster.settles_on("charlie", &["alpha", "bravo"]);
    cluster.node("alpha").ask(&["transfer", "bravo"]).printed();
    assert_eq!(role.wait(), 0);
}
