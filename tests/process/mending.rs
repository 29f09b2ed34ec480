//! The way back into a cluster, by the words that the messages and the manual use.
//! Never edits behind the cluster's back: all goes through `apply`.

use std::fs;

use quorate::wire::control::StatusReport;

use super::cluster::Cluster;
use super::looks::eventually;
use super::node::Node;

/// What that node says of itself, if it is up.
pub(super) fn told(node: &Node) -> Option<StatusReport> {
    serde_json::from_str(&node.ask(&["status", "--json"]).stdout).ok()
}

/// Makes `line` the node's line, at a node that runs.
pub(super) fn enter(cluster: &mut Cluster, at: &str, name: &str, line: &str) {
    let body = cluster.node(at).ask(&["show"]).printed();
    let others = body.lines().filter(|known| !known.contains(&format!("{{id: \"{name}\"")));
    let text: String = others.map(|known| format!("{known}\n")).collect();
    let file = cluster.place().join("next.yaml");
    fs::write(&file, format!("{text}{line}")).unwrap();
    cluster.node(at).ask(&["apply", file.to_str().unwrap(), "--wait", "60s"]).printed();
}

/// The line with the role of an observer in it.
pub(super) fn observing(line: &str) -> String {
    line.replace(", key:", ", role: observer, key:")
}

/// What `quorate init` and its `--renew` say has to be done, from the printed line on: observer,
/// the committed document, the daemon, voter.
pub(super) fn comes_back(cluster: &mut Cluster, at: &str, name: &str, line: &str) {
    eventually("it may be asked", || told(cluster.node(at)));
    enter(cluster, at, name, &observing(line));
    let body = cluster.node(at).ask(&["show"]).printed();
    let file = cluster.place().join("cluster.yaml");
    fs::write(&file, body).unwrap();
    let node = cluster.node(name);
    node.found(&file);
    node.start();
    follows(node);
    enter(cluster, at, name, line);
    eventually("it is counted again", || {
        let report = told(cluster.node(at))?;
        let peer = report.peers.into_iter().find(|peer| peer.id == name)?;
        (peer.role == "voter" && peer.vote_ready == Some(true)).then_some(())
    });
}

/// Waits until that node follows some master.
pub(super) fn follows(node: &Node) {
    eventually(&format!("{} follows a master", node.name), || {
        let report = told(node)?;
        (report.role == "follower" && report.master.is_some()).then_some(())
    });
}
