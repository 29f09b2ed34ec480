//! Nodes that know each other by host names, and what becomes of them when names are gone or lie.
//! Never touches this machine's names: each daemon sees files of its own in their place.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::net::{IpAddr, TcpListener};
use std::path::PathBuf;

use super::clock::PATIENCE;
use super::cluster::{Cluster, acting, loopback_addresses, report};
use super::command::must;
use super::looks::eventually;
use super::network::Holder;

const NODES: [&str; 3] = ["alpha", "bravo", "charlie"];

/// A cluster whose nodes call each other by names, and what each node's names are.
struct Named {
    cluster: Cluster,
    addresses: Vec<String>,
    places: tempfile::TempDir,
    _holders: Vec<Holder>,
}

impl Named {
    fn founded() -> Option<Self> {
        let places = tempfile::tempdir().unwrap();
        let addresses = loopback_addresses(3);
        let mut holders = Vec::new();
        for name in NODES {
            let holder = Holder::try_new(&["--mount"])?;
            // Asked after the file: nobody answers there, and the system says so at once.
            let silent = places.path().join(format!("{name}.resolv"));
            fs::write(&silent, "nameserver 127.0.0.53\noptions timeout:1 attempts:1\n").unwrap();
            let hosts = places.path().join(name);
            fs::write(&hosts, "").unwrap();
            for (file, over) in [(&hosts, "/etc/hosts"), (&silent, "/etc/resolv.conf")] {
                must(&holder.prefix, &format!("mount --bind {} {over}", file.display()));
            }
            holders.push(holder);
        }
        let prefixes: Vec<_> = holders.iter().map(|holder| holder.prefix.clone()).collect();
        let port = addresses[0].rsplit_once(':').unwrap().1;
        let doors = NODES.map(|name| format!("{name}.shop.test:{port}"));
        let cluster = Cluster::prepared(&doors, &prefixes, "never", |nodes| {
            for (node, listen) in nodes.iter_mut().zip(&addresses) {
                node.listen.clone_from(listen);
            }
        });
        let named = Self { cluster, addresses, places, _holders: holders };
        for node in NODES {
            named.knows_all(node);
        }
        Some(named)
    }

    fn knows_all(&self, node: &str) {
        self.knows(node, &[("alpha", 0), ("bravo", 1), ("charlie", 2)]);
    }

    /// From now on `node` knows `name` at these addresses, and nobody else.
    fn knows_only(&self, node: &str, name: &str, hosts: &[String]) {
        let lines: String = hosts.iter().map(|host| format!("{host} {name}.shop.test\n")).collect();
        fs::write(self.places.path().join(node), lines).unwrap();
    }

    /// From now on these are all the names that `node` knows.
    fn knows(&self, node: &str, names: &[(&str, usize)]) {
        let host = |index: usize| self.addresses[index].rsplit_once(':').unwrap().0;
        let line = |(name, index): &(&str, usize)| format!("{} {name}.shop.test\n", host(*index));
        let file: PathBuf = self.places.path().join(node);
        // Into the file that is mounted, not in its place.
        fs::write(file, names.iter().map(line).collect::<String>()).unwrap();
    }
}

/// F24
#[test]
fn open_sessions_outlive_their_names_and_a_wrong_name_leads_to_nobody() {
    let Some(mut named) = Named::founded() else { return };
    named.cluster.start();
    let (master, term) = named.cluster.settles();
    NODES.iter().for_each(|node| named.knows(node, &[]));
    let seen = named.cluster.until("it acts", |view| Some(acting(view, &master)?.uptime_ms));
    named.cluster.until("it acts long after all names are gone", |view| {
        let report = report(view, &master)?;
        assert_eq!((report.role.as_str(), report.term), ("master", term), "it moved");
        (report.uptime_ms > seen + 3_000).then_some(())
    });
    let [first, second] = match master.as_str() {
        "alpha" => ["bravo", "charlie"],
        "bravo" => ["alpha", "charlie"],
        _ => ["alpha", "bravo"],
    };
    let index = |name: &str| NODES.iter().position(|node| *node == name).unwrap();
    // Started anew, one follower finds nobody by name, and the other is where its name says.
    named.cluster.crash(first);
    named.knows(first, &[(&master, index(second))]);
    named.cluster.node(first).start();
    eventually("it says what is wrong with both names", || {
        let log = named.cluster.node(first).log();
        let unknown = format!("cannot reach {second}: its name does not resolve");
        let wrong = format!("cannot reach {master}: ");
        let has_wrong = log.lines().any(|line| line.contains(&wrong) && line.contains(" key"));
        (log.contains(&unknown) && has_wrong).then_some(())
    });
    assert_eq!(named.cluster.until("it acts", |view| Some(acting(view, &master)?.term)), term);
    NODES.iter().for_each(|node| named.knows_all(node));
    assert_eq!(named.cluster.settles(), (master, term));
}

/// Accepts whoever calls, answers what no member would, and gives the address that was called.
fn calls_a_stranger(listener: &TcpListener) -> Option<IpAddr> {
    let (mut stream, _) = listener.accept().ok()?;
    stream.set_nonblocking(false).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    // What it says is read first: closing on unread bytes would be a reset.
    drop(stream.read(&mut [0; 4096]));
    drop(stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n"));
    Some(stream.local_addr().unwrap().ip())
}

/// H29
#[test]
fn of_a_thousand_addresses_eight_are_tried_and_the_key_decides_which_is_the_members() {
    let Some(mut named) = Named::founded() else { return };
    named.cluster.start_without(&["charlie"]);
    named.cluster.until("alpha acts without charlie", |view| acting(view, "alpha").map(|_| ()));
    let (own, port) = named.addresses[2].rsplit_once(':').unwrap();
    let (net, _) = own.rsplit_once('.').unwrap();
    let strangers: Vec<String> = (100..120).map(|host| format!("{net}.{host}")).collect();
    let bind = |host: &String| TcpListener::bind(format!("{host}:{port}")).unwrap();
    let answering: Vec<_> = strangers.iter().map(bind).collect();
    answering.iter().for_each(|listener| listener.set_nonblocking(true).unwrap());
    let nobody = (0..980).map(|host| format!("127.255.{}.{}", host / 200, host % 200 + 20));
    let many: Vec<String> = strangers.iter().cloned().chain(nobody).collect();
    named.knows_only("alpha", "charlie", &many);
    let mut called = Vec::new();
    eventually("so many calls", || {
        called.extend(answering.iter().filter_map(calls_a_stranger));
        (called.len() >= 11).then_some(())
    });
    let distinct: BTreeSet<_> = called.iter().collect();
    assert_eq!(distinct.len(), 8, "{called:?}");
    // One of them is charlie's after all, and not the first.
    named.knows_only("alpha", "charlie", &[called[0].to_string(), own.to_owned()]);
    named.cluster.node("charlie").start();
    eventually("it is connected where its key is", || {
        answering.iter().filter_map(calls_a_stranger).for_each(drop);
        let log = named.cluster.nodes[0].log();
        log.contains("connected to charlie at charlie.shop.test").then_some(())
    });
}
