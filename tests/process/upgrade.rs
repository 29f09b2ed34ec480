//! Releases follow each other while the cluster runs, node by node, as contrib/doc/upgrade.md says.
//! `QUORATE_OTHER_BINARY` names the build that comes before this one; without it both are this one.
//! Never skips a step of the page.

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;

use super::cluster::Cluster;
use super::command::QUORATE;

const OTHER: &str = "QUORATE_OTHER_BINARY";

/// The build that comes before this one.
fn before() -> PathBuf {
    if let Some(path) = std::env::var_os(OTHER) {
        return path.into();
    }
    note(&format!("{OTHER} is not set: this build follows itself"));
    QUORATE.into()
}

/// Says so in one visible line.
fn note(what: &str) {
    // Not by the printing macros, whose output a passing test swallows.
    io::stderr().write_all(format!("NOTE: {what}\n").as_bytes()).expect("standard error is open");
}

/// Three nodes of the build before, led by one of them.
fn started_before() -> (Cluster, String, u64) {
    let mut cluster = Cluster::founded(3, "never");
    let before = before();
    cluster.nodes.iter_mut().for_each(|node| node.program.clone_from(&before));
    cluster.start();
    let (master, term) = cluster.settles();
    (cluster, master, term)
}

/// Stops that node, as its service manager does, and starts it in that build; then waits until
/// the cluster could bear the next loss.
fn becomes(cluster: &mut Cluster, name: &str, program: &str) -> (String, u64) {
    cluster.stop(name);
    cluster.node(name).program = program.into();
    cluster.node(name).start();
    let settled = cluster.settles();
    cluster.until("the next loss would be borne", |view| {
        view.values()
            .all(|report| report.as_ref().is_some_and(|r| r.blockers.is_empty()))
            .then_some(())
    });
    settled
}

/// How many masterships there were, by the nodes' own acting logs.
fn masterships(cluster: &Cluster) -> usize {
    let begun = |log: PathBuf| {
        let text = fs::read_to_string(log).unwrap_or_default();
        text.lines().filter(|line| line.split_whitespace().nth(1) == Some("begin")).count()
    };
    cluster.nodes.iter().map(|node| begun(node.acting_log())).sum()
}

/// Followers first, the master last.
fn order(cluster: &Cluster, master: &str) -> Vec<String> {
    let mut names: Vec<String> = cluster.nodes.iter().map(|node| node.name.clone()).collect();
    names.sort_by_key(|name| name == master);
    names
}

#[test]
fn a_rolling_upgrade_of_three_nodes_costs_exactly_one_handover() {
    let (mut cluster, master, term) = started_before();
    for name in order(&cluster, &master) {
        assert_eq!(masterships(&cluster), 1);
        let (now, _) = becomes(&mut cluster, &name, QUORATE);
        assert_eq!(now == master, name != master, "{now} after {name}");
    }
    let (successor, later) = cluster.settles();
    assert!(successor != master && later > term, "{successor} in {later}");
    assert_eq!(masterships(&cluster), 2);
}

#[test]
fn edits_are_taken_while_two_builds_run_side_by_side() {
    let (mut cluster, master, _) = started_before();
    if cluster.node(&master).ask(&["apply", "--help"]).code != 0 {
        return note("the build before knows no edits: none are made while both run");
    }
    let follower = order(&cluster, &master).remove(0);
    becomes(&mut cluster, &follower, QUORATE);
    for (at, failback) in [(&master, "failback: 7m"), (&follower, "failback: 8m")] {
        let body = cluster.node(at).ask(&["show"]).printed();
        let start = body.find("failback: ").unwrap();
        let end = start + body[start..].find('}').unwrap();
        let next = format!("{}{failback}{}", &body[..start], &body[end..]);
        let file = cluster.place().join("next.yaml");
        fs::write(&file, &next).unwrap();
        cluster.node(at).ask(&["apply", file.to_str().unwrap(), "--wait", "60s"]).printed();
        for name in order(&cluster, &master) {
            super::looks::eventually("every build shows the same bytes", || {
                (cluster.node(&name).ask(&["show"]).stdout == next).then_some(())
            });
        }
    }
}

#[test]
fn a_node_goes_back_to_the_build_before_and_takes_part_again() {
    let (mut cluster, master, term) = started_before();
    let follower = order(&cluster, &master).remove(0);
    becomes(&mut cluster, &follower, QUORATE);
    let program = before();
    let (now, later) = becomes(&mut cluster, &follower, program.to_str().unwrap());
    assert_eq!((now, later), (master, term));
}
