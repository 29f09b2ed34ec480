//! An address of a cluster moves with its master: real daemons run `vip`, and a machine that is no
//! node uses the address. Never believes a daemon: the kernels of all machines are asked.

use std::fs::{self, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;

use super::super::cluster::Cluster;
use super::super::command::must;
use super::super::hooked;
use super::super::network::{Network, skip};
use super::{eventually, shipped};

const ADDRESS: &str = "10.99.0.100";
const NODES: usize = 3;

/// Three nodes, and one machine more.
struct Scene {
    cluster: Cluster,
    network: Network,
}

impl Scene {
    /// Whoever is master has the address, and the machine that uses it knows.
    fn new() -> Option<Self> {
        let network = Network::of(NODES + 1)?;
        if must(&network.prefixes()[0], "stat -c %u /") != "0\n" {
            skip("a daemon in a user's namespace may not trust what belongs to root");
            return None;
        }
        let choices = ("never", hooked::TIMING);
        let (addresses, prefixes) = (&network.addresses()[..NODES], &network.prefixes()[..NODES]);
        let mut cluster = Cluster::founded_with(addresses, prefixes, choices, |_| {});
        // A checkout may belong to anybody; what a daemon of root runs may not.
        let hook = cluster.place().join("vip");
        fs::copy(shipped("vip"), &hook).unwrap();
        fs::set_permissions(&hook, Permissions::from_mode(0o755)).unwrap();
        let words = format!("[{}, {ADDRESS}, dev, wire, announce, \"2\"]", hook.display());
        for node in &cluster.nodes {
            let path = node.home.join("node.yaml");
            let mut file = OpenOptions::new().append(true).open(path).unwrap();
            let each = ["master", "backup", "no_quorum"].map(|role| format!("  {role}: {words}\n"));
            write!(file, "hooks:\n{}", each.concat()).unwrap();
        }
        cluster.start();
        Some(Self { cluster, network })
    }

    fn machine(&self, index: usize) -> Vec<String> {
        self.network.prefixes().swap_remove(index)
    }

    fn has_it(&self, index: usize) -> bool {
        !must(&self.machine(index), &format!("ip -o address show to {ADDRESS}")).is_empty()
    }

    /// Who has the address: never two. One that had it before another was seen with it, and has it
    /// still, had it at the same time.
    fn holder(&self) -> Option<usize> {
        let mut found = (0..NODES).filter(|index| self.has_it(*index));
        let (first, second) = (found.next()?, found.next());
        if let Some(second) = second {
            assert!(!self.has_it(first), "machines {first} and {second} have {ADDRESS}");
        }
        second.or(Some(first))
    }

    /// Waits until a machine other than `not` has the address, looking all the time.
    fn is_taken_up(&self, not: Option<usize>) -> usize {
        eventually("another machine has the address", || {
            self.holder().is_some_and(|holder| Some(holder) != not)
        });
        self.holder().expect("nothing fails now")
    }

    /// Waits until the machine that only uses the address has learned where it is.
    fn is_known_to_be_on(&self, index: usize) {
        let link = must(&self.machine(index), "ip -o link show dev wire");
        let words: Vec<_> = link.split_whitespace().collect();
        let at = words.iter().position(|word| *word == "link/ether").unwrap();
        eventually("the neighbour learns of it", || {
            let known = must(&self.machine(NODES), &format!("ip neigh show to {ADDRESS}"));
            known.contains(words[at + 1])
        });
    }

    fn is_used(&self) {
        must(&self.machine(NODES), &format!("ping -q -c 1 -W 60 {ADDRESS}"));
    }
}

/// The address moves when `breaks` does something to the node that has it, and moves alone.
fn moves_when(breaks: impl FnOnce(&mut Scene, usize)) {
    let Some(mut scene) = Scene::new() else { return };
    let (master, _) = scene.cluster.settles();
    let old = scene.is_taken_up(None);
    assert_eq!(scene.cluster.nodes[old].name, master, "nothing failed");
    scene.is_used();
    scene.is_known_to_be_on(old);
    breaks(&mut scene, old);
    let new = scene.is_taken_up(Some(old));
    scene.is_known_to_be_on(new);
    scene.is_used();
    let heir = scene.cluster.nodes[new].name.clone();
    scene.network.heal();
    scene.cluster.until("the heir acts", |view| {
        let report = view.get(&heir)?.as_ref()?;
        (report.role == "master").then_some(())
    });
    assert_eq!(scene.holder(), Some(new));
}

/// F01
#[test]
fn an_address_leaves_a_node_whose_daemon_is_killed_before_another_takes_it() {
    moves_when(|scene, old| {
        let name = scene.cluster.nodes[old].name.clone();
        scene.cluster.crash(&name);
        eventually("its guard takes the address away", || scene.holder() != Some(old));
    });
}

/// F03
#[test]
fn an_address_leaves_an_isolated_node_before_another_takes_it() {
    moves_when(|scene, old| scene.network.isolate(old));
}
