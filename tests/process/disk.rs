//! A disk fills up under a running node, and the node falls silent while the cluster goes on.
//! Never fills a real disk: the node's home is a small file system in memory.

use super::cluster::{Cluster, loopback_addresses, report};
use super::command::{must, run};
use super::network::Holder;
use super::node::Node;

#[test]
fn a_full_disk_silences_its_node_and_not_the_cluster() {
    let Some(holder) = Holder::try_new(&["--mount"]) else { return };
    let prefixes = [holder.prefix.clone(), Vec::new(), Vec::new()];
    let small_disk = |nodes: &mut [Node]| {
        let state = nodes[0].state();
        std::fs::create_dir(&state).unwrap();
        let mount = format!("mount -t tmpfs -o size=64k,mode=700 small {}", state.display());
        must(&holder.prefix, &mount);
    };
    let addresses = loopback_addresses(3);
    let mut cluster = Cluster::prepared(&addresses, &prefixes, "never", small_disk);
    cluster.start();
    cluster.settles();
    let home = cluster.nodes[0].home.clone();
    let fill = format!("cat /dev/zero > {}/state/filler", home.display());
    assert_ne!(run(&holder.prefix, ["sh", "-c", &fill]).code, 0, "the disk never filled up");
    // Whoever leads gives up, and the next election has to be written down by every voter.
    let (master, _) = cluster.settles();
    cluster.node(&master).ask(&["step-down", "--for", "1s"]);
    cluster.until("alpha says that its storage failed and another node acts", |view| {
        let alpha = report(view, "alpha")?;
        let leads = |name| report(view, name).is_some_and(|report| report.role == "master");
        (alpha.storage_failed && (leads("bravo") || leads("charlie"))).then_some(())
    });
    let log = cluster.node("alpha").log();
    assert!(log.contains("restarted on a sound disk"), "{log}");
    must(&holder.prefix, &format!("rm {}/state/filler", home.display()));
    cluster.crash("alpha");
    cluster.node("alpha").start();
    cluster.settles();
}
