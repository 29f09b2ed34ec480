//! A disk dies or stands still under a daemon whose network is fine.
//! Never waits for an election to need the disk: that a master notices by itself is the point.

use super::cluster::{acting, report};
use super::orders::Frail;

impl Frail {
    /// Waits until a node other than `name` acts; gives its term.
    fn replaces(&self, name: &str) -> u64 {
        let others = self.others(name);
        self.cluster.until("another node acts", |view| {
            let found = others.iter().find_map(|other| acting(view, other));
            found.map(|reign| reign.term)
        })
    }
}

/// F57
#[test]
fn a_master_whose_disk_dies_while_nothing_is_to_be_written_hands_over() {
    let Some((mut frail, master, term)) = Frail::settled(3) else { return };
    // Whatever its election had to write down is on disk long since.
    frail.cluster.outlives(&master, 1_500);
    frail.order_disk(&master, "disk open 1+ fail 5\ndisk write 1+ fail 5\ndisk fsync 1+ fail 5");
    assert!(frail.replaces(&master) > term);
    frail.cluster.until("the old master says why", |view| {
        report(view, &master)?.storage_failed.then_some(())
    });
    assert!(frail.faults(&master).tells("hit open fail"));
    let log = frail.log(&master);
    assert!(log.contains("hands over to"), "nobody waited for its lease: {log}");
    frail.restart_sound(&master);
    frail.cluster.settles();
}

/// F56
#[test]
fn a_master_whose_disk_stands_still_hands_over_and_its_core_does_not_wait() {
    let Some((frail, master, term)) = Frail::settled(3) else { return };
    frail.order_disk(&master, "disk fsync 1+ stall 600000");
    frail.cluster.until("its disk stands still", |_| {
        frail.faults(&master).tells("hit fsync stall").then_some(())
    });
    frail.cluster.until("it is master and heard, as if nothing were", |view| {
        (acting(view, &master)?.term == term).then_some(())
    });
    assert!(frail.replaces(&master) > term);
    frail.cluster.until("it follows", |view| {
        let report = report(view, &master)?;
        (report.role == "follower" && !report.storage_failed).then_some(())
    });
    let log = frail.log(&master);
    assert!(log.contains("has not finished a write") && log.contains("hands over to"), "{log}");
    assert!(log.contains("the disk does not finish a write"), "{log}");
    // A disk that goes on in the end is no failed disk.
    frail.order_disk(&master, "");
    frail.cluster.settles();
}

/// F56
#[test]
fn a_voter_whose_disk_stands_still_is_heard_and_delays_nobody() {
    let Some((mut frail, master, _)) = Frail::settled(3) else { return };
    let voter = frail.others(&master).remove(0);
    frail.order_disk(&voter, "disk fsync 1+ stall 600000");
    frail.cluster.node(&master).ask(&["step-down", "--for", "1s"]);
    frail.cluster.until("its disk stands still", |_| {
        frail.faults(&voter).tells("hit fsync stall").then_some(())
    });
    frail.cluster.until("another node acts and hears it, and it does not count", |view| {
        let reign = view.values().flatten().find(|one| one.role == "master")?;
        let peer = reign.peers.iter().find(|peer| peer.id == voter)?;
        (peer.heard && peer.vote_ready == Some(false)).then_some(())
    });
    frail.order_disk(&voter, "");
    frail.cluster.settles();
}
