//! Links are slow and uneven, and mastership neither moves without cause nor doubles.
//! Never measures; a relay in this process makes the latency.

use std::time::Duration;

use super::cluster::{Cluster, acting, loopback_addresses, report};
use super::relay::Relay;

/// Three nodes that reach each other through a relay, started with links like that.
fn behind_a_relay(delay: (u64, u64)) -> (Cluster, Relay) {
    let listens = loopback_addresses(3);
    let relay = Relay::to(&listens);
    relay.delay_all(&(Duration::from_millis(delay.0)..Duration::from_millis(delay.1)));
    let mut cluster = Cluster::prepared(&relay.doors(), &vec![Vec::new(); 3], "never", |nodes| {
        for (node, listen) in nodes.iter_mut().zip(&listens) {
            node.listen.clone_from(listen);
        }
    });
    cluster.start();
    (cluster, relay)
}

/// F14
#[test]
fn slow_and_uneven_links_move_nothing() {
    let (cluster, _relay) = behind_a_relay((50, 300));
    let (master, term) = cluster.settles();
    let seen = cluster.until("it acts", |view| Some(acting(view, &master)?.uptime_ms));
    cluster.until("it acts five seconds later, and its answers take their time", |view| {
        let report = report(view, &master)?;
        assert_eq!((report.role.as_str(), report.term), ("master", term), "it moved");
        let is_slow = |trip: Option<u64>| trip.is_some_and(|us| us >= 100_000);
        let are_slow = report.peers.iter().all(|peer| is_slow(peer.round_trip_us));
        (report.uptime_ms > seen + 5_000 && are_slow).then_some(())
    });
    assert_eq!(cluster.settles(), (master, term));
}

/// F16
#[test]
fn late_heartbeats_of_a_dead_master_delay_its_successor_and_do_nothing_else() {
    let (mut cluster, relay) = behind_a_relay((0, 1));
    let (master, term) = cluster.settles();
    let names: Vec<String> = cluster.nodes.iter().map(|node| node.name.clone()).collect();
    let from = names.iter().position(|name| *name == master).unwrap();
    let late = (from + 1) % 3;
    relay.delay(from, late, Duration::from_secs(3)..Duration::from_secs(3));
    cluster.until("it lives by the other one's answers", |view| {
        let slow = acting(view, &master)?.peers.iter().find(|peer| peer.id == names[late])?;
        slow.round_trip_us.is_some_and(|us| us >= 3_000_000).then_some(())
    });
    cluster.crash(&master);
    let heirs: Vec<&String> = names.iter().filter(|name| **name != master).collect();
    let later = cluster.until("an heir acts and the other one knows", |view| {
        let acting = heirs.iter().find_map(|heir| acting(view, heir))?;
        Some(acting.term)
    });
    assert!(later > term, "term {later} is not above {term}");
    cluster.node(&master).start();
    assert_eq!(cluster.settles().1, later);
}
