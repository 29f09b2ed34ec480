//! A cluster on machines of its own, led by alpha, which only failures may change.
//! Never skips silently: a machine without namespaces says so in one line.

use super::cluster::{Cluster, acting, report};
use super::network::Network;

/// Nodes each on a machine of its own; alpha is made the master.
pub(super) struct Led {
    pub(super) cluster: Cluster,
    pub(super) network: Network,
    /// The term in which alpha acts.
    pub(super) term: u64,
}

impl Led {
    /// That many nodes, if this machine allows them.
    pub(super) fn of(count: usize) -> Option<Self> {
        let network = Network::of(count)?;
        let mut cluster = Cluster::at(&network.addresses(), &network.prefixes(), "never");
        cluster.start();
        let (master, _) = cluster.settles();
        if master != "alpha" {
            cluster.until("alpha may take over", |view| {
                let peers = &acting(view, &master)?.peers;
                peers.iter().all(|peer| peer.vote_ready == Some(true)).then_some(())
            });
            cluster.node(&master).ask(&["transfer", "alpha"]).printed();
        }
        let (master, term) = cluster.settles();
        assert_eq!(master, "alpha", "nothing failed");
        Some(Self { cluster, network, term })
    }

    /// Waits until `one` no longer hears `other`.
    pub(super) fn notices_silence(&self, one: &str, other: &str) {
        let what = format!("{one} no longer hears {other}");
        self.cluster.until(&what, |view| {
            let peers = &report(view, one)?.peers;
            peers.iter().any(|peer| peer.id == other && !peer.heard).then_some(())
        });
    }

    /// Waits for two more heartbeats' worth of promises, then sees the same master and term, and
    /// that all know it, by whatever way.
    pub(super) fn stays_with_alpha(&self) {
        self.acts_on("alpha", self.term);
        assert_eq!(self.cluster.settles(), ("alpha".to_owned(), self.term));
    }

    /// Sees `master` act in `term`, without a break, for three seconds more.
    pub(super) fn acts_on(&self, master: &str, term: u64) {
        let seen = self.cluster.until("it acts", |view| Some(acting(view, master)?.uptime_ms));
        self.cluster.until("it acts three seconds later", |view| {
            let report = report(view, master)?;
            assert_eq!((report.role.as_str(), report.term), ("master", term), "it moved");
            (report.uptime_ms > seen + 3_000).then_some(())
        });
    }

    /// Waits until one of `heirs` acts; gives its name and its term.
    pub(super) fn is_succeeded_by(&self, heirs: &[&str]) -> (String, u64) {
        let (heir, term) = self.cluster.until("an heir acts", |view| {
            let acting = heirs.iter().find_map(|heir| acting(view, heir))?;
            Some((acting.node.clone(), acting.term))
        });
        assert!(term > self.term, "term {term} is not above {}", self.term);
        (heir, term)
    }

    /// Waits until none of `names` acts or hears a quorum.
    pub(super) fn are_idle(&self, names: &[&str]) {
        self.cluster.until("they neither act nor hear a quorum", |view| {
            let idle = |name: &&str| {
                report(view, name).is_some_and(|r| r.role != "master" && !r.quorum.ok)
            };
            names.iter().all(idle).then_some(())
        });
    }
}
