//! What recover, backup and restore refuse, and that they change nothing then.
//! Never a whole story; `disaster` plays those.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::cluster::Cluster;
use super::mending::comes_back;

/// F75
#[test]
fn a_recovery_is_refused_while_a_voter_answers_and_without_the_clusters_name() {
    let mut cluster = Cluster::of(3);
    cluster.settles();
    cluster.crash("alpha");
    let alpha = cluster.nodes.iter().find(|node| node.name == "alpha").unwrap();
    let file = alpha.state().join("state");
    let before = fs::read(&file).unwrap();
    let unnamed = alpha.ask(&["recover", "--generation"]);
    unnamed.refused(1, &["nothing was changed", "--cluster shop"]);
    assert!(unnamed.stdout.contains("best"), "{}", unnamed.stdout);
    let misnamed = alpha.ask(&["recover", "--generation", "--cluster", "shed"]);
    misnamed.refused(1, &["nothing was changed", "the cluster's name is shop, and not `shed`"]);
    let alive = alpha.ask(&["recover", "--generation", "--cluster", "shop"]);
    let words = ["nothing was changed", "bravo (it answers)", "charlie (it answers)"];
    alive.refused(1, &words);
    let strangers = Cluster::founded(1, "never");
    let stranger = strangers.nodes[0].state().join("state");
    let mixed = ["recover", "--generation", "--cluster", "shop", stranger.to_str().unwrap()];
    alpha.ask(&mixed).refused(1, &["leave out what is not of this cluster"]);
    assert_eq!(fs::read(&file).unwrap(), before);
}

#[test]
fn a_backup_is_private_whole_and_of_no_disk_and_is_never_restored_over_a_state() {
    let mut cluster = Cluster::of(1);
    cluster.settles();
    let file = cluster.place().join("shop.backup");
    let path = file.to_str().unwrap();
    let node = cluster.node("alpha");
    // Beside a daemon, and again over the old one.
    node.ask(&["backup", path]).printed();
    node.ask(&["backup", path]).printed();
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.starts_with("quorate-backup 1 "), "{text}");
    let line = node.ask(&["init"]).printed();
    let storage = line.split("storage: \"").nth(1).unwrap().split('"').next().unwrap();
    let identity = text.split("\"body\"").next().unwrap();
    assert!(!identity.contains(storage) && !text.contains("PRIVATE KEY"), "{identity}");
    node.end(rustix::process::Signal::TERM);
    node.ask(&["restore", path]).refused(73, &["this node has a state", "init --renew"]);
    let damaged = text.replacen("shop", "shed", 1);
    fs::write(&file, damaged).unwrap();
    node.ask(&["restore", path]).refused(65, &["shop.backup", "checksum"]);
    node.start();
    cluster.settles();
}

/// F75
#[test]
fn after_two_recoveries_a_node_that_is_founded_anew_still_believes_the_term() {
    let mut cluster = Cluster::of(2);
    cluster.settles();
    cluster.stop("alpha");
    cluster.stop("bravo");
    let alpha = cluster.node("alpha");
    for _ in 0..2 {
        alpha.ask(&["recover", "--generation", "--cluster", "shop"]).printed();
    }
    let doctor = alpha.ask(&["doctor"]).stdout;
    assert!(doctor.contains("recovered by force: generation 3"), "{doctor}");
    alpha.start();
    let line = cluster.node("bravo").ask(&["init", "--renew"]).printed();
    comes_back(&mut cluster, "alpha", "bravo", &line);
    let (_, term) = cluster.settles();
    assert!(term > 1 << 20, "a fresh node would refuse no term below: {term}");
}
