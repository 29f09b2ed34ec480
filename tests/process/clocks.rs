//! Clocks run fast, slow and apart, jump and stand still, and no two nodes ever act at once.
//! Never touches this machine's clocks: a library shows bent ones to each daemon.

use super::cluster::{acting, report};
use super::network::Network;
use super::orders::Frail;

const DAY_MS: i64 = 86_400_000;
const HOUR_MS: i64 = 3_600_000;

impl Frail {
    /// Each on a machine of its own, settled; gives the master and the others too.
    fn apart() -> Option<(Self, Network, String, Vec<String>)> {
        let (mut frail, network) = Self::networked()?;
        frail.cluster.start();
        let (master, _) = frail.cluster.settles();
        let others = frail.others(&master);
        Some((frail, network, master, others))
    }

    /// Cuts the master off, waits for the next one and heals; the watch compares their times.
    fn cut_off(&self, network: &Network, master: &str, meanwhile: impl FnOnce()) {
        let index = self.cluster.nodes.iter().position(|node| node.name == master);
        network.isolate(index.expect("it is one of them"));
        meanwhile();
        self.cluster.until("another node acts and the one cut off does not", |view| {
            let is_replaced = self.others(master).iter().any(|name| acting(view, name).is_some());
            (is_replaced && report(view, master)?.role != "master").then_some(())
        });
        network.heal();
        self.cluster.settles();
    }
}

/// Boot, raw and monotonic time all run faster by that many millionths.
fn all_clocks(ppm: i64) -> String {
    format!("clock boot {ppm} 0\nclock raw {ppm} 0\nclock monotonic {ppm} 0")
}

/// F28
#[test]
fn a_slow_master_and_fast_voters_within_the_bound_never_act_at_once() {
    let Some((frail, network, master, others)) = Frail::apart() else { return };
    frail.order(&master, &all_clocks(-10_000));
    others.iter().for_each(|name| frail.order(name, &all_clocks(10_000)));
    frail.cluster.outlives(&master, 4_000);
    frail.cut_off(&network, &master, || ());
}

/// F29: two windows of half a minute each. All clocks run four times as fast, or this would take
/// that long.
#[test]
fn a_voter_whose_clocks_run_far_off_is_found_out_and_carries_no_lease() {
    let timing = "{heartbeat: 1s, dead_after: 10s, stop: 1s}";
    let Some(mut frail) = Frail::timed(3, timing) else { return };
    let (fast, sound) = ("charlie", ["alpha", "bravo"]);
    sound.iter().for_each(|name| frail.faults(name).give(&all_clocks(3_000_000)));
    frail.faults(fast).give(&all_clocks(3_600_000));
    frail.cluster.start();
    frail.cluster.until("both others lean on it no more, and still on each other", |view| {
        let shuns = |name: &str, peer: &str| {
            let peers = &report(view, name)?.peers;
            Some(peers.iter().find(|one| one.id == peer)?.clock_deviant)
        };
        let [one, other] = sound;
        let all = [shuns(one, fast)?, shuns(other, fast)?, !shuns(one, other)?];
        all.iter().all(|it| *it).then_some(())
    });
    let [one, other] = frail.cluster.until("one of them acts", |view| {
        let one = sound.into_iter().find(|name| acting(view, name).is_some())?;
        Some([one, if one == sound[0] { sound[1] } else { sound[0] }])
    });
    frail.cluster.crash(other);
    // The fast one may lead: its leases end early, and never late.
    frail.cluster.until(
        "the one left does not lean on that clock, and it on the one left",
        |view| {
            let is_idle = report(view, one)?.role != "master";
            (is_idle && acting(view, fast).is_some()).then_some(())
        },
    );
    frail.cluster.outlives(one, 20_000);
    let log = frail.log(one);
    assert!(log.contains("lease not renewed: too few voters answered"), "{log}");
    frail.cluster.node(other).start();
    frail.cluster.settles();
}

/// F31, F46
#[test]
fn slewed_boot_time_is_noticed_and_neither_lengthens_a_lease_nor_shortens_a_promise() {
    let Some((frail, network, master, others)) = Frail::apart() else { return };
    let slewed = |ppm: i64| format!("clock boot {ppm} 0\nclock monotonic {ppm} 0");
    frail.order(&master, &slewed(-83_333));
    frail.order(&others[0], &slewed(83_333));
    // A change of the clock source: less than one percent is nothing to speak of.
    frail.order(&others[1], &slewed(5_000));
    frail.cluster.until("both say that their clocks run apart", |_| {
        let says = |name: &str| frail.log(name).contains("clocks run apart by more than 1 %");
        (says(&master) && says(&others[0])).then_some(())
    });
    frail.cluster.outlives(&others[1], 11_000);
    let log = frail.log(&others[1]);
    assert!(!log.contains("run apart"), "{log}");
    let (master, _) = frail.cluster.settles();
    frail.cut_off(&network, &master, || ());
}

/// F30, F38, F46
#[test]
fn a_wall_clock_that_jumps_is_reported_and_moves_nothing() {
    let Some((frail, master, term)) = Frail::settled(3) else { return };
    let others = frail.others(&master);
    let nodes = [master.as_str(), others[0].as_str(), others[1].as_str()];
    let to_1970 = -60 * 365 * DAY_MS;
    let past_2038 = 84 * 365 * DAY_MS;
    let jumps = [[-1_000, 1_000, 30_000], [DAY_MS, -DAY_MS, DAY_MS], [to_1970; 3], [past_2038; 3]];
    for steps in jumps {
        for (name, step_ms) in nodes.into_iter().zip(steps) {
            frail.order(name, &format!("clock wall 0 {step_ms}"));
        }
        frail.cluster.outlives(&master, 1_000);
    }
    frail.cluster.outlives(&master, 2_500);
    for name in nodes {
        let log = frail.log(name);
        assert!(log.contains("the wall clock jumped by"), "{name}: {log}");
    }
    assert_eq!(frail.cluster.settles(), (master, term));
}

/// F82: certificates have dates, and nobody asks for them.
#[test]
fn nodes_that_start_in_1970_know_each_other_by_their_keys() {
    let Some(mut frail) = Frail::founded(3) else { return };
    let past = format!("clock wall 0 {}", -56 * 365 * DAY_MS);
    frail.faults.iter().for_each(|faults| faults.give(&past));
    frail.cluster.start();
    frail.cluster.settles();
    for name in ["alpha", "bravo", "charlie"] {
        let log = frail.log(name);
        assert!(log.lines().all(|line| line.starts_with("197")), "{name}: {log}");
    }
}

/// F32
#[test]
fn a_master_that_was_suspended_for_an_hour_acts_no_more_in_its_old_term() {
    let Some((frail, master, term)) = Frail::settled(3) else { return };
    frail.order(&master, &format!("clock boot 0 {HOUR_MS}\nclock wall 0 {HOUR_MS}"));
    let later = frail.cluster.until("somebody acts in a later term", |view| {
        let reign = view.values().flatten().find(|one| one.role == "master" && one.term > term)?;
        Some(reign.term)
    });
    assert!(later > term);
    frail.cluster.settles();
    let log = frail.log(&master);
    assert!(log.contains("the election loop stood still"), "{log}");
    assert!(!log.contains("wall clock jumped"), "both ran on together: {log}");
}

/// F33
#[test]
fn a_promise_does_not_end_early_because_its_voter_was_suspended() {
    let Some((frail, network, master, others)) = Frail::apart() else { return };
    let suspend = format!("clock boot 0 {HOUR_MS}\nclock wall 0 {HOUR_MS}");
    frail.cut_off(&network, &master, || {
        others.iter().for_each(|name| frail.order(name, &suspend));
    });
    others.iter().for_each(|name| {
        let log = frail.log(name);
        assert!(log.contains("the election loop stood still"), "{log}");
    });
}
