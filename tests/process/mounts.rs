//! What mounts, device files and owners can do to a state directory.
//! Never mounts anything outside a namespace of the test's own.

use std::fs;
use std::io::Write;
use std::os::fd::OwnedFd;

use rustix::fs::{OFlags, fcntl_setfl};
use rustix::process::Signal;

use super::cluster::{Cluster, acting, loopback_addresses, report};
use super::command::must;
use super::network::{Holder, skip};
use super::node::Node;

/// A founded cluster whose first node sees mounts that only it sees.
fn mounting(count: usize) -> Option<(Cluster, Holder)> {
    let holder = Holder::try_new(&["--mount"])?;
    let mut prefixes = vec![Vec::new(); count];
    prefixes[0].clone_from(&holder.prefix);
    Some((Cluster::at(&loopback_addresses(count), &prefixes, "never"), holder))
}

/// F59
#[test]
fn a_volume_mounted_over_the_state_directory_silences_the_node_and_stays_empty() {
    let Some((mut cluster, holder)) = mounting(3) else { return };
    cluster.start();
    cluster.settles();
    let state = cluster.nodes[0].state();
    must(&holder.prefix, &format!("mount -t tmpfs -o mode=700 over {}", state.display()));
    let (master, _) = cluster.settles();
    cluster.node(&master).ask(&["step-down", "--for", "1s"]);
    cluster.until("alpha says that its storage failed and another node acts", |view| {
        let acts = |name| acting(view, name).is_some();
        (report(view, "alpha")?.storage_failed && (acts("bravo") || acts("charlie"))).then_some(())
    });
    let log = cluster.node("alpha").log();
    assert!(log.contains("mounted over or replaced"), "{log}");
    let list = format!("ls -A {}", state.display());
    assert_eq!(must(&holder.prefix, &list), "", "nothing is written where no start would look");
    must(&holder.prefix, &format!("umount {}", state.display()));
    cluster.crash("alpha");
    cluster.node("alpha").start();
    cluster.settles();
}

/// F53
#[test]
fn a_device_in_place_of_the_state_is_refused_unread() {
    let Some((cluster, holder)) = mounting(1) else { return };
    let state = cluster.nodes[0].state().join("state");
    must(&holder.prefix, &format!("mount --bind /dev/zero {}", state.display()));
    cluster.nodes[0].fail_to_start().refused(65, &["not a plain file"]);
}

/// F60
#[test]
fn a_second_daemon_is_refused_also_when_it_comes_through_another_mount() {
    let Some((mut cluster, holder)) = mounting(1) else { return };
    cluster.start();
    let (_, term) = cluster.settles();
    let home = cluster.place().join("second");
    fs::create_dir_all(home.join("state")).unwrap();
    let first = cluster.nodes[0].home.clone();
    fs::copy(first.join("node.yaml"), home.join("node.yaml")).unwrap();
    let [from, to] = [first.join("state"), home.join("state")];
    must(&holder.prefix, &format!("mount --bind {} {}", from.display(), to.display()));
    let second = Node::new("alpha", &loopback_addresses(1)[0], &home, &holder.prefix);
    second.fail_to_start().refused(75, &["another quorate", "uses"]);
    assert_eq!(cluster.settles().1, term);
}

/// F62
#[test]
fn a_state_or_key_of_another_user_is_refused() {
    let Some((cluster, holder)) = mounting(1) else { return };
    if !rustix::process::geteuid().is_root() {
        return skip("only root can give a file to another user");
    }
    let state = cluster.nodes[0].state();
    for name in ["state", "keys/node.key", "."] {
        let path = state.join(name);
        must(&holder.prefix, &format!("chown 65534 {}", path.display()));
        cluster.nodes[0].fail_to_start().refused(77, &["belongs to user 65534"]);
        must(&holder.prefix, &format!("chown 0 {}", path.display()));
    }
}

/// F58
#[test]
fn a_log_that_nobody_reads_holds_nobody_up() {
    let mut cluster = Cluster::founded(1, "never");
    let (_unread, mut full) = std::io::pipe().unwrap();
    fcntl_setfl(&full, OFlags::NONBLOCK).unwrap();
    while full.write(&[b'x'; 4096]).is_ok() {}
    fcntl_setfl(&full, OFlags::empty()).unwrap();
    cluster.start();
    cluster.settles();
    cluster.stop("alpha");
    let mut unheard = cluster.nodes[0].start_into(fs::File::from(OwnedFd::from(full)));
    let (_, term) = cluster.settles();
    // Its first line already waits in vain; these wait behind it, or are dropped.
    for _ in 0..500 {
        unheard.signal(Signal::USR1);
    }
    let start = cluster.until("alpha acts", |view| Some(acting(view, "alpha")?.uptime_ms));
    cluster.until("alpha acts two leases later, in the same term", |view| {
        let reign = acting(view, "alpha")?;
        (reign.term == term && reign.uptime_ms > start + 4_000).then_some(())
    });
    unheard.signal(Signal::TERM);
    assert_eq!(unheard.wait(), 0);
}
