//! Links are cut between real machines, in both or one direction, and nobody doubles.
//! Never skips silently: a machine without namespaces says so in one line.

use super::cluster::{Cluster, acting, report};
use super::network::Network;

/// Three nodes, each on a machine of its own; alpha is made the master.
struct World {
    cluster: Cluster,
    network: Network,
    term: u64,
}

impl World {
    fn of_three(failback: &str) -> Option<Self> {
        let network = Network::of(3)?;
        let mut cluster = Cluster::at(&network.addresses(), &network.prefixes(), failback);
        cluster.start();
        let (master, _) = cluster.settles();
        if master != "alpha" {
            cluster.until("alpha may take over", |view| {
                let peers = &acting(view, &master)?.peers;
                peers.iter().all(|peer| peer.vote_ready == Some(true)).then_some(())
            });
            cluster.node(&master).ask(&["transfer", "alpha"]).printed();
        }
        let term = cluster.settles_on("alpha", &["bravo", "charlie"]);
        Some(Self { cluster, network, term })
    }

    /// Waits until `one` no longer hears `other`.
    fn notices_silence(&self, one: &str, other: &str) {
        let what = format!("{one} no longer hears {other}");
        self.cluster.until(&what, |view| {
            let peers = &report(view, one)?.peers;
            peers.iter().any(|peer| peer.id == other && !peer.heard).then_some(())
        });
    }

    /// Waits for two more heartbeats' worth of promises, then sees the same master and term.
    fn stays_with_alpha(&self) {
        let seen = self.cluster.until("alpha acts", |view| Some(acting(view, "alpha")?.uptime_ms));
        self.cluster.until("alpha acts three seconds later", |view| {
            let report = report(view, "alpha")?;
            assert_eq!((report.role.as_str(), report.term), ("master", self.term), "it moved");
            (report.uptime_ms > seen + 3_000).then_some(())
        });
        assert_eq!(self.cluster.settles_on("alpha", &["bravo", "charlie"]), self.term);
    }
}

#[test]
fn cutting_the_link_between_the_two_lowest_moves_nothing_and_doubles_nobody() {
    let Some(world) = World::of_three("never") else { return };
    world.network.cut(0, 1);
    world.notices_silence("bravo", "alpha");
    world.stays_with_alpha();
    world.network.heal();
    world.stays_with_alpha();
}

#[test]
fn a_master_that_one_node_cannot_hear_stays_master() {
    let Some(world) = World::of_three("never") else { return };
    world.network.cut_one_way(0, 1);
    world.notices_silence("bravo", "alpha");
    world.stays_with_alpha();
    world.network.heal();
    world.stays_with_alpha();
}

#[test]
fn a_master_that_cannot_hear_one_node_stays_master() {
    let Some(world) = World::of_three("never") else { return };
    world.network.cut_one_way(1, 0);
    world.notices_silence("alpha", "bravo");
    world.stays_with_alpha();
    world.network.heal();
    world.stays_with_alpha();
}

#[test]
fn an_isolated_master_stops_before_the_next_one_acts_and_follows_after_the_heal() {
    let Some(world) = World::of_three("never") else { return };
    world.network.isolate(0);
    let (heir, later) = world.cluster.until("another node acts", |view| {
        let acting = acting(view, "bravo").or_else(|| acting(view, "charlie"))?;
        Some((acting.node.clone(), acting.term))
    });
    assert!(later > world.term);
    world.cluster.until("alpha knows that it is alone", |view| {
        (!report(view, "alpha")?.quorum.ok).then_some(())
    });
    world.network.heal();
    assert_eq!(world.cluster.settles(), (heir, later));
}

#[test]
fn a_follower_that_was_cut_off_disturbs_nobody_when_it_returns() {
    let Some(world) = World::of_three("never") else { return };
    world.network.isolate(2);
    world.cluster.until("charlie knows that it is alone", |view| {
        let report = report(view, "charlie")?;
        (!report.quorum.ok && report.master.is_none()).then_some(())
    });
    world.network.heal();
    world.stays_with_alpha();
}

#[test]
fn when_every_link_is_cut_nobody_is_master_until_the_heal() {
    let Some(world) = World::of_three("never") else { return };
    world.network.isolate(0);
    world.network.cut(1, 2);
    world.cluster.until("nobody acts and nobody has a quorum", |view| {
        let idle = |name| report(view, name).is_some_and(|r| r.role != "master" && !r.quorum.ok);
        ["alpha", "bravo", "charlie"].into_iter().all(idle).then_some(())
    });
    world.network.heal();
    assert!(world.cluster.settles().1 > world.term);
}
