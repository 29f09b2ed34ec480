//! What happened is known after restarts and crashes: who was master when, for how long, and why it
//! ended. Never looks into the files; people do not either.

use quorate::wire::control::{EventReport, ReignReport};
use serde::de::DeserializeOwned;

use super::cluster::Cluster;
use super::node::Node;
use super::orders::Frail;

/// What that node tells, one value a line.
fn history<T: DeserializeOwned>(node: &Node, words: &[&str]) -> Vec<T> {
    let printed = node.ask(&[&["history", "--json"], words].concat()).printed();
    printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The masterships that node knows of, as name and term.
fn masters(node: &Node) -> Vec<(String, u64)> {
    let reigns: Vec<ReignReport> = history(node, &[]);
    reigns.into_iter().filter_map(|reign| Some((reign.master?, reign.term?))).collect()
}

#[test]
fn a_history_survives_kills_and_restarts_and_shows_who_was_master_for_how_long() {
    let mut cluster = Cluster::of(3);
    let (first, term) = cluster.settles();
    let names: Vec<String> = cluster.nodes.iter().map(|node| node.name.clone()).collect();
    let witness = names.iter().find(|name| **name != first).unwrap().clone();
    cluster.crash(&first);
    let (second, later) = cluster.until("another node acts", |view| {
        let acting = view.values().flatten().find(|report| report.role == "master")?;
        (acting.node != first).then(|| (acting.node.clone(), acting.term))
    });
    cluster.node(&first).start();
    assert_eq!(cluster.settles(), (second.clone(), later));
    let expected = [(first.clone(), term), (second, later)];
    assert_eq!(masters(cluster.node(&witness)), expected, "and the same after it was killed:");
    let before: Vec<ReignReport> = history(cluster.node(&witness), &[]);
    let reign = before.iter().find(|reign| reign.master.as_deref() == Some(&first)).unwrap();
    assert!(reign.lasted_ms > 0 && reign.exact, "{reign:?}");
    assert_eq!(reign.ended.as_deref(), Some("promise-expired"));
    cluster.crash(&witness);
    // Nobody answers, and the file tells.
    let silent = cluster.node(&witness).ask(&["history"]);
    assert!(silent.stderr.contains("no daemon answers: read from"), "{}", silent.stderr);
    assert!(silent.printed().contains("promise-expired"));
    cluster.node(&witness).start();
    let (last, last_term) = cluster.settles();
    let known = masters(cluster.node(&witness));
    assert_eq!(known[..1], expected[..1], "{known:?}");
    assert_eq!(known.last(), Some(&(last, last_term)));
    let events: Vec<EventReport> = history(cluster.node(&witness), &["--all", "-n", "1000"]);
    let starts = events.iter().filter(|event| event.code == "daemon-started").count();
    assert_eq!(starts, 2);
}

#[test]
fn a_daemon_that_ends_well_says_so_in_its_history() {
    let mut cluster = Cluster::of(1);
    cluster.settles();
    cluster.stop("alpha");
    let events: Vec<EventReport> = history(cluster.node("alpha"), &["--all"]);
    let codes: Vec<_> = events.iter().map(|event| event.code.as_str()).collect();
    assert_eq!(codes.first(), Some(&"daemon-started"), "{codes:?}");
    assert_eq!(codes.last(), Some(&"daemon-stopped"), "{codes:?}");
    assert!(codes.contains(&"elected") && codes.contains(&"demoted"), "{codes:?}");
}

/// F58
#[test]
fn a_history_that_cannot_be_written_or_stands_still_holds_nobody_up() {
    let Some((frail, master, term)) = Frail::settled(3) else { return };
    let state = frail.cluster.nodes.iter().find(|node| node.name == master).unwrap().state();
    let only = |lines: &str| format!("under {}/history.log\n{lines}", state.display());
    frail.order(&master, &only("disk write 1+ stall 600000"));
    let other = frail.others(&master).remove(0);
    let ask = |words: &[&str]| {
        let node = frail.cluster.nodes.iter().find(|node| node.name == master).unwrap();
        node.ask(words)
    };
    ask(&["transfer", &other]).printed();
    frail.cluster.until("its history stands still", |_| {
        frail.faults(&master).tells("hit write stall").then_some(())
    });
    let (now, later) = frail.cluster.settles();
    assert!(now == other && later > term, "{now} {later}");
    assert!(ask(&["history"]).printed().contains(&master), "what was written before is there");
    frail.order(&master, &only("disk write 1+ fail 28"));
    frail.cluster.until("the rest cannot be written", |_| {
        frail.faults(&master).tells("hit write fail").then_some(())
    });
    frail.order(&master, "");
    frail.cluster.until("the gap is owned up to", |_| {
        ask(&["history", "--all"]).stdout.contains("could not be written").then_some(())
    });
    let log = frail.log(&master);
    assert!(log.contains("history.log has gaps from now on"), "{log}");
}
