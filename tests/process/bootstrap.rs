//! Clusters come up: one, three and five nodes, and answer as the README says.
//! Never breaks anything; `faults` does.

use super::cluster::Cluster;

#[test]
fn a_cluster_of_one_elects_itself() {
    let cluster = Cluster::of(1);
    assert_eq!(cluster.settles().0, "alpha");
}

#[test]
fn a_cluster_of_three_elects_one_master_that_all_know() {
    let cluster = Cluster::of(3);
    let (master, term) = cluster.settles();
    for node in &cluster.nodes {
        assert_eq!(node.ask(&["master"]).printed().trim(), master);
        let json = node.ask(&["status", "--json"]).printed();
        assert!(json.contains("\"schema\":1") || json.contains("\"schema\": 1"), "{json}");
    }
    assert!(term > 0);
}

#[test]
fn a_cluster_of_five_elects_one_master_that_all_know() {
    let cluster = Cluster::of(5);
    cluster.settles();
}

#[test]
fn only_the_master_says_yes_by_its_exit_code() {
    let mut cluster = Cluster::of(3);
    let (master, _) = cluster.settles();
    for node in &cluster.nodes {
        let wanted = if node.name == master { 0 } else { 1 };
        assert_eq!(node.ask(&["is-master"]).code, wanted, "{}", node.name);
        assert_eq!(node.ask(&["has-quorum"]).code, 0, "{}", node.name);
    }
    cluster.stop("charlie");
    assert_eq!(cluster.node("charlie").ask(&["is-master"]).code, 69);
}

#[test]
fn without_a_majority_nobody_is_master() {
    let mut cluster = Cluster::of(3);
    let (master, _) = cluster.settles();
    let others: Vec<_> =
        cluster.nodes.iter().map(|n| n.name.clone()).filter(|name| *name != master).collect();
    others.iter().for_each(|name| cluster.crash(name));
    cluster.until("the last node gives up and says so", |view| {
        let report = view[&master].as_ref()?;
        (report.role != "master" && !report.quorum.ok && report.master.is_none()).then_some(())
    });
    let alone = cluster.node(&master);
    assert_eq!(alone.ask(&["is-master"]).code, 1);
    assert_eq!(alone.ask(&["has-quorum"]).code, 1);
    assert_eq!(alone.ask(&["master"]).code, 75);
    assert_eq!(alone.ask(&["wait", "--for", "master", "--timeout", "1s"]).code, 124);
}

#[test]
fn the_events_tell_the_election_as_json_lines() {
    let cluster = Cluster::of(1);
    cluster.settles();
    let printed = cluster.nodes[0].ask(&["events", "--json"]).printed();
    let elected = printed.lines().find(|line| line.contains("\"elected\""));
    let event: quorate::wire::control::EventReport =
        serde_json::from_str(elected.expect("the election is told")).unwrap();
    assert_eq!((event.schema, event.node.as_str()), (1, "alpha"));
}
