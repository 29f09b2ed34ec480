//! Daemons crash, stop, freeze and restart, and mastership moves as promised, or not at all.
//! Never touches the network; `namespaces` does.

use rustix::process::Signal;

use super::cluster::{Cluster, acting, report};
use super::looks::eventually;
use super::orders::Frail;

const INVALID: i32 = 22;
const INTERRUPTED: i32 = 4;
const ABORTED: i32 = 103;
const TOO_MANY_FILES: i32 = 24;

/// The names of all nodes but `name`.
fn others(cluster: &Cluster, name: &str) -> Vec<String> {
    cluster.nodes.iter().map(|node| node.name.clone()).filter(|other| other != name).collect()
}

/// F01
#[test]
fn a_killed_master_is_replaced_and_returns_as_a_follower() {
    let mut cluster = Cluster::of(3);
    let (first, term) = cluster.settles();
    cluster.crash(&first);
    let (second, later) = cluster.until("another node acts", |view| {
        let acting = view.values().flatten().find(|report| report.role == "master")?;
        (acting.node != first).then(|| (acting.node.clone(), acting.term))
    });
    assert!(later > term, "term {later} is not above {term}");
    cluster.node(&first).start();
    assert_eq!(cluster.settles(), (second, later));
}

#[test]
fn a_terminated_master_hands_over_before_it_ends() {
    let mut cluster = Cluster::of(3);
    let (first, _) = cluster.settles();
    cluster.stop(&first);
    // Its promises were released: nobody waited for them, or the log would tell of a silence.
    let heirs = others(&cluster, &first);
    let heir = cluster.until("another node acts", |view| {
        heirs.iter().find(|name| acting(view, name).is_some()).cloned()
    });
    let log = cluster.node(&first).log();
    assert!(log.contains(&format!("hands over to {heir}")), "{log}");
}

/// F34
#[test]
fn a_frozen_master_is_replaced_and_never_acts_again_when_it_thaws() {
    let mut cluster = Cluster::of(3);
    let (frozen, _) = cluster.settles();
    cluster.node(&frozen).signal(Signal::STOP);
    let heirs = others(&cluster, &frozen);
    cluster.until("another node acts", |view| {
        heirs.iter().any(|name| acting(view, name).is_some()).then_some(())
    });
    cluster.node(&frozen).signal(Signal::CONT);
    let (master, _) = cluster.settles();
    assert_ne!(master, frozen);
}

#[test]
fn restarting_each_follower_in_turn_moves_nothing() {
    let mut cluster = Cluster::of(3);
    let (master, term) = cluster.settles();
    for follower in others(&cluster, &master) {
        cluster.stop(&follower);
        cluster.node(&follower).start();
        assert_eq!(cluster.settles(), (master.clone(), term));
    }
    cluster.until("the master saw one change only, from none to itself", |view| {
        (report(view, &master)?.changes == 1).then_some(())
    });
}

#[test]
fn killing_each_follower_in_turn_moves_nothing() {
    let mut cluster = Cluster::of(3);
    let (master, term) = cluster.settles();
    for follower in others(&cluster, &master) {
        cluster.crash(&follower);
        cluster.node(&follower).start();
        assert_eq!(cluster.settles(), (master.clone(), term));
    }
}

/// F18
#[test]
fn a_cluster_that_was_killed_whole_comes_back_with_a_higher_term() {
    let mut cluster = Cluster::of(3);
    let (_, term) = cluster.settles();
    for name in others(&cluster, "") {
        cluster.crash(&name);
    }
    cluster.nodes.iter_mut().for_each(super::node::Node::start);
    let (_, later) = cluster.settles();
    assert!(later > term, "term {later} is not above {term}");
}

#[test]
fn an_operator_moves_mastership_to_a_named_node() {
    let mut cluster = Cluster::of(3);
    let (master, term) = cluster.settles();
    let target = others(&cluster, &master).pop().unwrap();
    cluster.until("the target may take over", |view| {
        let peers = &report(view, &master)?.peers;
        peers.iter().all(|peer| peer.vote_ready == Some(true)).then_some(())
    });
    cluster.node(&master).ask(&["transfer", &target]).printed();
    let (now, later) = cluster.settles();
    assert_eq!((now, later), (target, term + 1));
}

#[test]
fn a_transfer_to_a_node_that_is_down_stops_nothing() {
    let mut cluster = Cluster::of(3);
    let (master, term) = cluster.settles();
    let target = others(&cluster, &master).pop().unwrap();
    cluster.crash(&target);
    cluster.until("its silence is noticed", |view| {
        let peers = &report(view, &master)?.peers;
        peers.iter().any(|peer| peer.id == target && !peer.heard).then_some(())
    });
    let refused = cluster.node(&master).ask(&["transfer", &target]);
    assert_eq!(refused.code, 1, "{}{}", refused.stdout, refused.stderr);
    let still = cluster.until("the master acts", |view| Some(acting(view, &master)?.term));
    assert_eq!(still, term);
}

/// F107: no system refuses to set an alarm, and a thread that finds it refused panics.
#[test]
fn a_daemon_one_of_whose_threads_panics_ends_at_once_and_another_node_acts() {
    let Some((mut frail, master, term)) = Frail::settled(3) else { return };
    frail.faults(&master).give(&format!("system alarm 1+ fail {INVALID}"));
    let later = frail.cluster.until("another node acts", |view| {
        let acting = view.values().flatten().find(|report| report.role == "master")?;
        (acting.node != master).then_some(acting.term)
    });
    assert!(later > term);
    let log = frail.log(&master);
    assert!(log.contains("this daemon aborts, since half of one must not go on"), "{log}");
    assert_eq!(frail.cluster.node(&master).end(Signal::CONT), 134);
    frail.faults(&master).give("");
    frail.cluster.node(&master).start();
    frail.cluster.settles();
}

/// F109
#[test]
fn a_listener_that_cannot_accept_rests_between_its_attempts_and_then_takes_callers_in() {
    let Some((mut frail, master, term)) = Frail::settled(3) else { return };
    let caller = others(&frail.cluster, &master).remove(0);
    frail.order(&master, &format!("system accept 1+ fail {TOO_MANY_FILES}"));
    frail.cluster.crash(&caller);
    frail.cluster.node(&caller).start();
    let hits = || {
        let diary = frail.faults(&master).diary();
        diary.lines().filter(|line| *line == "hit accept fail").count()
    };
    eventually("it could not take its caller in", || (hits() > 0).then_some(()));
    let before = hits();
    frail.cluster.outlives(&master, 3_000);
    // Two attempts each time, one of which turns a caller away.
    let tried = hits() - before;
    assert!((4..120).contains(&tried), "{tried} attempts in three seconds");
    let log = frail.log(&master);
    assert!(log.contains("cannot accept connections: "), "{log}");
    // What passes is nothing to rest for.
    let passing = [INTERRUPTED, ABORTED, INTERRUPTED];
    let lines =
        passing.iter().zip(1..).map(|(errno, nth)| format!("system accept {nth} fail {errno}\n"));
    frail.order(&master, &lines.collect::<String>());
    frail.cluster.until("its caller is heard again", |view| {
        let peers = &report(view, &master)?.peers;
        peers.iter().find(|peer| peer.id == caller).filter(|peer| peer.heard).map(|_| ())
    });
    assert_eq!(frail.cluster.settles(), (master, term));
}
