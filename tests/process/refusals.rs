//! What must not start does not start, says why and what to do, and ends with its exit code.
//! Never lets a refused daemon change a file or reach a peer.

use std::fs::{self, File};
use std::io::Write;
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rustix::fs::{OFlags, fcntl_setfl};

use super::cluster::{Cluster, acting, loopback_addresses};
use super::node::Node;

#[test]
fn a_directory_without_an_identity_is_not_served() {
    let place = tempfile::tempdir().unwrap();
    let node = Node::new("alpha", &loopback_addresses(1)[0], place.path(), &[]);
    node.fail_to_start().refused(66, &["node.yaml", "quorate init"]);
    node.identify(&[]);
    node.fail_to_start().refused(66, &["no cluster yet", "init --from cluster.yaml"]);
}

#[test]
fn a_removed_state_file_is_not_made_up_again() {
    let cluster = Cluster::founded(1, "never");
    fs::remove_file(cluster.nodes[0].state().join("state")).unwrap();
    cluster.nodes[0].fail_to_start().refused(66, &["does not exist"]);
}

#[test]
fn a_truncated_or_damaged_state_file_is_refused_and_left_as_it_is() {
    let cluster = Cluster::founded(1, "never");
    let path = cluster.nodes[0].state().join("state");
    let whole = fs::read(&path).unwrap();
    let mut damaged = whole.clone();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    for bytes in [&whole[..whole.len() - 7], &whole[..0], &damaged] {
        fs::write(&path, bytes).unwrap();
        cluster.nodes[0].fail_to_start().refused(65, &["votes are lost", "new storage id"]);
        assert_eq!(fs::read(&path).unwrap(), bytes);
    }
}

#[test]
fn a_state_file_of_another_node_is_refused() {
    let cluster = Cluster::founded(2, "never");
    let [ours, others] = [0, 1].map(|index| cluster.nodes[index].state().join("state"));
    fs::copy(others, ours).unwrap();
    cluster.nodes[0].fail_to_start().refused(78, &["that of node bravo"]);
}

#[test]
fn a_state_file_behind_a_symbolic_link_is_refused() {
    let cluster = Cluster::founded(1, "never");
    let path = cluster.nodes[0].state().join("state");
    let elsewhere = cluster.place().join("elsewhere");
    fs::rename(&path, &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &path).unwrap();
    cluster.nodes[0].fail_to_start().refused(65, &["symbolic link"]);
}

#[test]
fn a_key_that_others_can_read_is_refused() {
    let cluster = Cluster::founded(1, "never");
    let key = cluster.nodes[0].state().join("keys/node.key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    cluster.nodes[0].fail_to_start().refused(77, &["node.key", "0644"]);
}

#[test]
fn a_key_that_the_cluster_does_not_know_is_refused() {
    let cluster = Cluster::founded(2, "never");
    let [ours, others] = [0, 1].map(|index| cluster.nodes[index].state().join("keys"));
    fs::remove_dir_all(&ours).unwrap();
    fs::rename(others, &ours).unwrap();
    cluster.nodes[0].fail_to_start().refused(78, &["another key"]);
}

#[test]
fn a_second_daemon_on_the_same_directory_is_refused_and_the_first_goes_on() {
    let cluster = Cluster::of(1);
    let (_, term) = cluster.settles();
    cluster.nodes[0].fail_to_start().refused(75, &["another quorate", "uses"]);
    assert_eq!(cluster.settles().1, term);
}

#[test]
fn a_port_in_use_is_refused_by_its_address() {
    let cluster = Cluster::founded(1, "never");
    let address = cluster.nodes[0].address.clone();
    let _taken = std::net::TcpListener::bind(&address).unwrap();
    cluster.nodes[0].fail_to_start().refused(73, &[&address]);
}

#[test]
fn a_cluster_yaml_that_does_not_list_the_node_founds_nothing() {
    let cluster = Cluster::founded(1, "never");
    let home = cluster.place().join("stranger");
    fs::create_dir(&home).unwrap();
    let stranger = Node::new("zulu", &loopback_addresses(1)[0], &home, &[]);
    stranger.identify(&[]);
    let file = cluster.place().join("cluster.yaml");
    let refused = stranger.ask(&["init", "--from", file.to_str().unwrap()]);
    refused.refused(78, &["does not list node zulu", "Its line must be"]);
    assert!(!stranger.state().join("state").exists());
}

#[test]
fn a_node_of_another_cluster_at_a_members_address_is_kept_out() {
    let mut cluster = Cluster::of(3);
    let (master, term) = cluster.settles();
    let place = if master == "charlie" { "bravo" } else { "charlie" };
    cluster.crash(place);
    // The same names at the same addresses, with another cluster's id and keys.
    let addresses: Vec<String> = cluster.nodes.iter().map(|node| node.address.clone()).collect();
    let mut foreign = Cluster::at(&addresses, &vec![Vec::new(); 3], "never");
    foreign.node(place).start();
    cluster.until("the master says that another key answers there", |view| {
        let peers = &acting(view, &master)?.peers;
        let peer = peers.iter().find(|peer| peer.id == place)?;
        (!peer.heard && peer.link.contains("key")).then_some(())
    });
    foreign.stop(place);
    cluster.node(place).start();
    assert_eq!(cluster.settles(), (master, term));
}

#[test]
fn a_refusal_that_nobody_can_read_still_ends_with_its_code() {
    let place = tempfile::tempdir().unwrap();
    let node = Node::new("alpha", &loopback_addresses(1)[0], place.path(), &[]);
    assert_eq!(node.start_another(Path::new("/dev/full")).wait(), 66);
    let (_unread, mut full) = std::io::pipe().unwrap();
    fcntl_setfl(&full, OFlags::NONBLOCK).unwrap();
    while full.write(&[b'x'; 4096]).is_ok() {}
    fcntl_setfl(&full, OFlags::empty()).unwrap();
    assert_eq!(node.start_into(File::from(OwnedFd::from(full))).wait(), 66);
}

#[test]
fn too_few_files_are_refused_with_the_way_to_more() {
    let mut cluster = Cluster::founded(1, "never");
    let script = "ulimit -n 32; exec \"$@\"";
    cluster.nodes[0].prefix = ["sh", "-c", script, "sh"].map(str::to_owned).to_vec();
    cluster.nodes[0].fail_to_start().refused(78, &["32 files", "ulimit -n"]);
}

#[test]
fn a_document_may_come_through_a_pipe() {
    let place = tempfile::tempdir().unwrap();
    let address = &loopback_addresses(1)[0];
    let file = place.path().join("cluster.yaml");
    let mut node = Node::new("alpha", address, place.path(), &[]);
    fs::write(&file, node.identify(&["--cluster", "shop"])).unwrap();
    let script = format!("(cat; cat {}) | \"$@\"", file.display());
    node.prefix = ["sh", "-c", &script, "sh"].map(str::to_owned).to_vec();
    for name in ["-", "/dev/stdin"] {
        node.ask(&["init", "--from", name]).printed();
    }
    assert!(node.state().join("state").exists());
}
