//! Nodes come and go by commands, in steps that are shown, and what is set for a while ends.
//! Never edits a text by hand but to begin with: what the commands leave alone is looked at.

use std::fs;

use serde_json::Value;

use super::cluster::{Cluster, acting, loopback_addresses, report};
use super::command::Outcome;
use super::looks::eventually;
use super::node::Node;

/// Three nodes led by alpha whose document has remarks, and a fourth that has an identity only.
fn remarked() -> (Cluster, Node, String) {
    let mut addresses = loopback_addresses(4);
    let address = addresses.pop().unwrap();
    let mut cluster = Cluster::at(&addresses, &vec![Vec::new(); 3], "never");
    cluster.start();
    cluster.settles_on("alpha", &["bravo", "charlie"]);
    let body = shown(&mut cluster, "alpha");
    let body = body.replace("nodes:\n", "nodes:   # the cellar, from left to right\n");
    let body = body.replace("  - {id: \"charlie\"", "  # borrowed\n  - {id: \"charlie\"");
    let file = cluster.place().join("remarked.yaml");
    fs::write(&file, body).unwrap();
    cluster.node("alpha").ask(&["apply", file.to_str().unwrap()]).printed();
    let home = cluster.place().join("delta");
    fs::create_dir(&home).unwrap();
    let delta = Node::new("delta", &address, &home, &[]);
    let line = delta.identify(&[]);
    (cluster, delta, line)
}

fn shown(cluster: &mut Cluster, node: &str) -> String {
    cluster.node(node).ask(&["show"]).printed()
}

/// The words of `node add` for the line that `init` printed.
fn words_of(line: &str) -> Vec<String> {
    let value = |key: &str| {
        let rest = line.split_once(&format!("{key}: \"")).unwrap().1;
        format!("{key}={}", rest.split('"').next().unwrap())
    };
    vec![value("address"), value("key"), value("storage")]
}

fn add(cluster: &mut Cluster, line: &str, more: &[&str]) -> Outcome {
    let words = words_of(line);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    cluster.node("bravo").ask(&[&["node", "add", "delta"], words.as_slice(), more].concat())
}

/// Starts `node` with the document that the cluster has, and waits until it follows.
fn starts(cluster: &mut Cluster, mut node: Node) {
    let file = cluster.place().join("joins.yaml");
    fs::write(&file, shown(cluster, "bravo")).unwrap();
    node.found(&file);
    node.start();
    eventually("the new node follows", || {
        let status: Value = serde_json::from_str(&node.ask(&["status", "--json"]).stdout).ok()?;
        (status["master"]["id"].is_string()).then_some(())
    });
    cluster.nodes.push(node);
}

fn listed(cluster: &mut Cluster, node: &str) -> Vec<(String, String)> {
    let list = cluster.node(node).ask(&["node", "list", "--json"]).printed();
    let list: Value = serde_json::from_str(&list).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let nodes = list["nodes"].as_array().unwrap();
    nodes.iter().map(|node| (text(&node["id"]), text(&node["role"]))).collect()
}

fn roles(roles: &[(&str, &str)]) -> Vec<(String, String)> {
    roles.iter().map(|(id, role)| ((*id).to_owned(), (*role).to_owned())).collect()
}

#[test]
fn a_node_is_added_promoted_and_another_removed_and_every_remark_stays() {
    let (mut cluster, delta, line) = remarked();
    let before = shown(&mut cluster, "bravo");
    let dry = add(&mut cluster, &line, &["--dry-run"]);
    assert!(dry.printed().contains("+  - {id: \"delta\""));
    add(&mut cluster, &line, &[]).printed();
    let twice = add(&mut cluster, &line, &[]);
    twice.refused(65, &["has the `address` of node"]);
    starts(&mut cluster, delta);
    let promoted = cluster.node("charlie").ask(&["node", "promote", "delta", "--wait", "60s"]);
    let arithmetic = "3 voters, 2 must agree, the loss of 1 is survived -> 4 voters, 3 must agree";
    assert!(promoted.stderr.contains(arithmetic), "{}", promoted.stderr);
    promoted.printed();
    let removed = cluster.node("delta").ask(&["node", "remove", "bravo", "--wait", "60s"]);
    assert!(removed.stderr.contains("-> 3 voters, 2 must agree"), "{}", removed.stderr);
    removed.printed();
    eventually("charlie knows", || {
        let all = [("alpha", "voter"), ("charlie", "voter"), ("delta", "voter")];
        (listed(&mut cluster, "charlie") == roles(&all)).then_some(())
    });
    let after = shown(&mut cluster, "charlie");
    let kept: Vec<&str> = before.lines().filter(|line| !line.contains("\"bravo\"")).collect();
    let others = after.lines().filter(|line| !line.contains("\"delta\""));
    assert_eq!(others.collect::<Vec<_>>(), kept, "what was not asked for changed");
    let nobody = cluster.node("delta").ask(&["node", "demote", "bravo"]);
    nobody.refused(1, &["nothing was changed", "no node `bravo`"]);
}

#[test]
fn one_voter_is_swapped_for_another_in_steps_that_are_shown() {
    let (mut cluster, delta, line) = remarked();
    // It is known as an observer, so that it can be founded and follow.
    add(&mut cluster, &line, &[]).printed();
    starts(&mut cluster, delta);
    let wanted = shown(&mut cluster, "bravo").replace("role: observer, ", "");
    let charlies = |line: &&str| !line.contains("{id: \"charlie\"");
    let wanted: String = wanted.lines().filter(charlies).map(|line| format!("{line}\n")).collect();
    let file = cluster.place().join("swapped.yaml");
    fs::write(&file, &wanted).unwrap();
    let file = file.to_str().unwrap();
    let list = ["step 1 of 2: delta becomes a voter", "step 2 of 2: charlie is removed"];
    let dry = cluster.node("bravo").ask(&["apply", file, "--dry-run"]);
    let done = cluster.node("bravo").ask(&["apply", file, "--wait", "60s"]);
    for words in list {
        assert!(dry.stderr.contains(words), "{}", dry.stderr);
        assert!(done.stderr.contains(words), "{}", done.stderr);
    }
    done.printed();
    eventually("bravo has the wanted text", || {
        (shown(&mut cluster, "bravo") == wanted).then_some(())
    });
    // A step that is not taken ends it, and what was done before stays.
    let before = shown(&mut cluster, "bravo");
    let none = cluster.place().join("none.yaml");
    let [pin, storage] = [64, 32].map(|digits| "e".repeat(digits));
    let echo = format!(
        "  - {{id: \"echo\", address: \"10.0.0.9:9901\", key: \"SHA256:{pin}\", \
         storage: \"{storage}\"}}\n"
    );
    fs::write(&none, format!("{before}{echo}")).unwrap();
    let refused = cluster.node("bravo").ask(&["apply", none.to_str().unwrap(), "--wait", "1s"]);
    let account = ["step 1 of 2: echo enters as an observer", "step 2 of 2 (echo becomes a voter)"];
    refused.refused(75, &[account[0], account[1], "was not taken", "1 of 2 steps"]);
    assert!(shown(&mut cluster, "alpha").contains("id: \"echo\""));
    let echo = ("echo".to_owned(), "observer".to_owned());
    assert!(listed(&mut cluster, "alpha").contains(&echo));
}

#[test]
fn a_removal_that_would_do_harm_is_refused_and_the_master_hands_over_first_if_so_asked() {
    let mut cluster = Cluster::of(3);
    cluster.settles_on("alpha", &["bravo", "charlie"]);
    let refused = cluster.node("bravo").ask(&["node", "remove", "alpha"]);
    refused.refused(1, &["alpha is the master", "--transfer"]);
    let done = cluster.node("charlie").ask(&["node", "demote", "alpha", "--transfer"]);
    for words in ["step 1 of 2: mastership goes to bravo", "step 2 of 2: alpha becomes an observer"]
    {
        assert!(done.stderr.contains(words), "{}", done.stderr);
    }
    done.printed();
    cluster.settles_on("bravo", &["alpha", "charlie"]);
    let words = "2 voters, 2 must agree, no loss is survived";
    let again = cluster.node("bravo").ask(&["node", "promote", "alpha", "--wait", "60s"]);
    assert!(again.stderr.contains(words), "{}", again.stderr);
    again.printed();
    cluster.crash("charlie");
    cluster.until("bravo no longer hears charlie", |view| {
        let bravo = report(view, "bravo")?;
        bravo.peers.iter().find(|peer| peer.id == "charlie" && !peer.heard).map(drop)
    });
    let refused = cluster.node("bravo").ask(&["node", "remove", "alpha"]);
    refused.refused(107, &["nothing was changed", "hears only 1", "2 must agree", "--force"]);
    let forced = cluster.node("bravo").ask(&["node", "remove", "alpha", "--force"]);
    forced.refused(1, &["nothing was changed", "only 1 of the new voters"]);
    cluster.node("alpha").ask(&["node", "remove", "charlie"]).printed();
    let refused = cluster.node("alpha").ask(&["node", "set", "bravo", "role=king"]);
    refused.refused(65, &["unknown word `king`"]);
}

#[test]
fn standby_moves_the_mastership_says_who_set_it_and_ends_by_itself() {
    let mut cluster = Cluster::of(3);
    cluster.settles_on("alpha", &["bravo", "charlie"]);
    let before = shown(&mut cluster, "bravo");
    cluster.node("charlie").ask(&["standby", "alpha", "--for", "9s"]).printed();
    let status = cluster.node("charlie").ask(&["status"]).printed();
    assert!(status.contains("standby of alpha; by ") && status.contains("@charlie"), "{status}");
    let next = cluster.until("another acts", |view| {
        ["bravo", "charlie"].into_iter().find(|name| acting(view, name).is_some())
    });
    eventually("it is removed", || (shown(&mut cluster, "charlie") == before).then_some(()));
    let events = cluster.node(next).ask(&["events"]).printed();
    assert!(events.contains("override-over") && events.contains("is over: removed as"), "{events}");
    let documents = cluster.node(next).ask(&["history", "--documents", "--json"]).printed();
    assert!(documents.contains("ended standby of alpha"), "{documents}");
    let online = cluster.node("bravo").ask(&["online", "alpha", "--json"]).printed();
    assert!(online.contains("\"unchanged\""), "{online}");
}

#[test]
fn maintenance_is_shown_until_it_is_taken_back_and_nobody_takes_over_meanwhile() {
    let mut cluster = Cluster::of(3);
    cluster.settles_on("alpha", &["bravo", "charlie"]);
    let before = shown(&mut cluster, "bravo");
    cluster.node("bravo").ask(&["maintenance", "on", "--for", "1h"]).printed();
    cluster.until("both of the others know", |view| {
        let both = ["bravo", "charlie"].map(|name| report(view, name));
        both.iter().all(|it| it.is_some_and(|it| it.overrides.len() == 1)).then_some(())
    });
    cluster.crash("alpha");
    let words = "maintenance: mastership moves only by hand; by ";
    let entry = cluster.until("both know of no master, and why", |view| {
        let both = ["bravo", "charlie"].map(|name| report(view, name));
        let [Some(bravo), Some(charlie)] = both else { return None };
        let nobody = bravo.master.is_none() && charlie.master.is_none();
        let entry = bravo.overrides.first()?.clone();
        (nobody && charlie.overrides.len() == 1).then_some(entry)
    });
    assert_eq!((entry.what.as_str(), entry.node), ("maintenance", None));
    assert!(entry.by.unwrap().ends_with("@bravo") && entry.since.is_some());
    assert!(entry.until.is_some());
    let status = cluster.node("charlie").ask(&["status"]).printed();
    assert!(status.contains(words), "{status}");
    assert!(status.contains("blocked: mastership moves only by hand (maintenance)"), "{status}");
    cluster.node("alpha").start();
    cluster.settles_on("alpha", &["bravo", "charlie"]);
    cluster.node("charlie").ask(&["maintenance", "off", "--wait", "60s"]).printed();
    eventually("it is gone", || (shown(&mut cluster, "bravo") == before).then_some(()));
}
