//! The preferred node comes back: after its cooldown, not before, and at once if nobody leads.
//! Never waits for the default of two minutes; the cooldown here is three seconds.

use super::cluster::{Cluster, acting, report};

/// Three nodes whose master is alpha, with a cooldown of three seconds.
fn led_by_alpha() -> (Cluster, u64) {
    let cluster = Cluster::with(3, "3s");
    // Whoever won the first election, alpha gets mastership by the cooldown itself.
    let term = cluster.settles_on("alpha", &["bravo", "charlie"]);
    (cluster, term)
}

/// Kills alpha and waits for the next master; gives its name.
fn without_alpha(cluster: &mut Cluster) -> String {
    cluster.crash("alpha");
    cluster.until("another node acts", |view| {
        let acting = acting(view, "bravo").or_else(|| acting(view, "charlie"))?;
        Some(acting.node.clone())
    })
}

/// For how long the master has heard alpha without a break, once it hears it.
fn heard_by(cluster: &Cluster, master: &str) -> u64 {
    cluster.until("the master hears alpha", |view| {
        let peers = &report(view, master)?.peers;
        peers.iter().find(|peer| peer.id == "alpha" && peer.heard)?.streak_ms
    })
}

/// Waits until alpha acts; gives who acted last before it, and for how long that one had heard it
/// at its last acting answer. It need not be the first heir: that one hands over to a better one.
fn streak_at_takeover(cluster: &Cluster) -> (String, u64) {
    let last = std::cell::RefCell::default();
    cluster.until("alpha takes over", |view| {
        if let Some(report) = ["bravo", "charlie"].iter().find_map(|heir| acting(view, heir)) {
            let alpha = report.peers.iter().find(|peer| peer.id == "alpha" && peer.heard);
            let streak_ms = alpha.and_then(|peer| peer.streak_ms).unwrap_or(0);
            *last.borrow_mut() = (report.node.clone(), streak_ms);
        }
        acting(view, "alpha").map(|_| last.borrow().clone())
    })
}

#[test]
fn a_returning_preferred_node_takes_over_after_its_cooldown_and_not_before() {
    let (mut cluster, _) = led_by_alpha();
    without_alpha(&mut cluster);
    cluster.node("alpha").start();
    let (heir, streak) = streak_at_takeover(&cluster);
    assert!(streak > 2_500, "alpha took over after {streak} ms");
    let log = cluster.node(&heir).log();
    assert!(log.contains("hands over to alpha: failback to the preferred node"), "{log}");
}

#[test]
fn a_flap_of_the_preferred_node_restarts_its_cooldown() {
    let (mut cluster, _) = led_by_alpha();
    let heir = without_alpha(&mut cluster);
    cluster.node("alpha").start();
    heard_by(&cluster, &heir);
    cluster.crash("alpha");
    cluster.until("its silence is noticed", |view| {
        let peers = &report(view, &heir)?.peers;
        peers.iter().any(|peer| peer.id == "alpha" && !peer.heard).then_some(())
    });
    cluster.node("alpha").start();
    let (_, streak) = streak_at_takeover(&cluster);
    assert!((2_500..8_000).contains(&streak), "alpha took over after {streak} ms");
}

#[test]
fn a_quorum_regained_from_none_ignores_the_cooldown() {
    let mut cluster = Cluster::with(3, "2m");
    cluster.settles();
    for name in ["alpha", "bravo", "charlie"] {
        cluster.crash(name);
    }
    cluster.node("alpha").start();
    cluster
        .until("alpha is up and alone", |view| (!report(view, "alpha")?.quorum.ok).then_some(()));
    cluster.node("bravo").start();
    // Two minutes have not passed; nobody leads, so nobody is waited for.
    cluster.until("somebody acts", |view| {
        acting(view, "alpha").or_else(|| acting(view, "bravo")).map(|_| ())
    });
}
