//! A node that listens elsewhere is found by its key, and the document follows it.
//! Never edits the document by hand.

use std::fs;

use super::cluster::{Cluster, loopback_addresses};
use super::looks::eventually;

/// F111: founded as three; charlie moves to the fourth address while it is down.
#[test]
fn a_node_that_moved_is_written_down_by_the_master_once_it_was_reached_there() {
    let mut addresses = loopback_addresses(4);
    let elsewhere = addresses.pop().unwrap();
    let mut cluster = Cluster::at(&addresses, &vec![Vec::new(); 3], "never");
    cluster.start();
    let term = cluster.settles_on("alpha", &["bravo", "charlie"]);
    cluster.stop("charlie");
    let charlie = cluster.node("charlie");
    let text = format!("id: charlie\nlisten: \"{elsewhere}\"\nadvertise: \"{elsewhere}\"\n");
    fs::write(charlie.home.join("node.yaml"), text).unwrap();
    charlie.start();
    let moved = format!("address: \"{elsewhere}\"");
    eventually("all have the new address", || {
        let has = |name: &&str| {
            cluster
                .nodes
                .iter()
                .any(|node| node.name == **name && node.ask(&["show"]).stdout.contains(&moved))
        };
        ["alpha", "bravo", "charlie"].iter().all(has).then_some(())
    });
    assert_eq!(cluster.settles_on("alpha", &["bravo", "charlie"]), term, "nothing else moved");
    let documents = cluster.node("bravo").ask(&["history", "--documents", "--json"]).printed();
    assert!(documents.contains("quorate: alpha moved charlie"), "{documents}");
    let events = cluster.node("alpha").ask(&["events"]).printed();
    assert!(events.contains("node-moved"), "{events}");
}
