//! A node's key changes while the cluster runs: the old one until all know the new one, then the
//! new one alone, from wherever it was broken off.
//! Never looks into a key; what counts is who is believed.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use quorate::daemon::spare_keys::SpareKeys;
use quorate::daemon::tls::{self, Keys, Trust};
use quorate::protocol::units::NodeId;
use quorate::settings::cluster;
use quorate::wire::keys::KeyReport;

use super::cluster::{Cluster, acting, report};
use super::hostile::{Session, call};
use super::looks::eventually;

fn keys_of(cluster: &mut Cluster, name: &str) -> PathBuf {
    cluster.node(name).state().join("keys")
}

fn key(cluster: &mut Cluster, name: &str) -> KeyReport {
    let printed = cluster.node(name).ask(&["key", "show", "--json"]).printed();
    serde_json::from_str(&printed).unwrap()
}

fn rotate(cluster: &mut Cluster, name: &str, patience: &str) -> super::command::Outcome {
    cluster.node(name).ask(&["key", "rotate", "--wait", patience, "--json"])
}

fn shown(cluster: &mut Cluster, name: &str) -> String {
    cluster.node(name).ask(&["show"]).printed()
}

/// Every file in the keys' directory.
fn files(cluster: &mut Cluster, name: &str) -> Vec<String> {
    let listed = fs::read_dir(keys_of(cluster, name)).unwrap();
    let mut names: Vec<_> =
        listed.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Calls `target` with `keys`, which are nobody's, and waits until it says so and closes. Of each
/// address it says so once in a while: every call has a `number` of its own.
fn is_refused(cluster: &mut Cluster, (target, number): (&str, u8), keys: &Keys) {
    let charter = cluster::parse_agreed(&shown(cluster, target), "cluster.yaml").unwrap();
    let trust = Arc::new(Trust::default());
    trust.set(charter.members.all());
    let wanted = NodeId::new(target).unwrap();
    let address = charter.members.find(&wanted).unwrap().address.to_string();
    let config = tls::dialing(keys, &trust, &wanted).unwrap();
    let (corner, _) = address.rsplit_once('.').unwrap();
    let source = format!("{corner}.{}", 100 + number);
    let mut session = Session::over(call(&address, Some(&source)), config);
    session.until_closed();
    let line = format!("it presented SHA256:{}, which cluster.yaml lists for nobody", keys.pin());
    eventually("the refusal is in the log", || {
        cluster.node(target).log().contains(&line).then_some(())
    });
}

/// Everybody hears `name`, and it hears everybody, both ways.
fn is_heard_by_all(cluster: &Cluster, name: &str) {
    cluster.until(&format!("all are connected with {name}"), |view| {
        let all = view.values().flatten().all(|report| {
            let mut peers = report.peers.iter();
            peers.all(|peer| {
                let concerns = report.node == name || peer.id == name;
                !concerns || peer.heard && peer.link == "connected"
            })
        });
        (all && view.len() == view.values().flatten().count()).then_some(())
    });
}

/// F81
#[test]
fn the_key_of_a_follower_and_of_the_master_changes_and_mastership_stays() {
    let mut cluster = Cluster::of(3);
    let term = cluster.settles_on("alpha", &["bravo", "charlie"]);
    for (number, name) in [(1, "bravo"), (2, "alpha")] {
        let before = key(&mut cluster, name);
        assert_eq!((before.state.as_str(), before.next), ("settled", None));
        let old = Keys::load(&keys_of(&mut cluster, name)).unwrap();
        let done = rotate(&mut cluster, name, "60s").printed();
        let after: KeyReport = serde_json::from_str(&done).unwrap();
        assert!(after.key != before.key && after.made.is_some(), "{after:?}");
        is_heard_by_all(&cluster, name);
        let text = shown(&mut cluster, name);
        assert!(text.contains(&after.key) && !text.contains(&before.key), "{text}");
        assert!(!text.contains("next_key"), "{text}");
        assert_eq!(files(&mut cluster, name), ["node.crt", "node.key"]);
        eventually("charlie knows", || {
            (!shown(&mut cluster, "charlie").contains(&before.key)).then_some(())
        });
        is_refused(&mut cluster, ("charlie", number), &old);
    }
    is_refused(&mut cluster, ("alpha", 3), &Keys::generate(&NodeId::new("bravo").unwrap()));
    assert_eq!(cluster.settles_on("alpha", &["bravo", "charlie"]), term, "it moved");
    let events = cluster.node("bravo").ask(&["events"]).printed();
    assert!(events.contains("key-changed"), "{events}");
    let documents = cluster.node("bravo").ask(&["history", "--documents"]).printed();
    assert!(documents.contains("quorate: bravo"), "{documents}");
    cluster.stop("bravo");
    cluster.node("bravo").start();
    is_heard_by_all(&cluster, "bravo");
}

/// F81
#[test]
fn a_change_of_key_waits_for_a_voter_that_is_down_and_survives_being_killed() {
    let mut cluster = Cluster::of(3);
    cluster.settles_on("alpha", &["bravo", "charlie"]);
    cluster.crash("charlie");
    let old = key(&mut cluster, "bravo").key;
    rotate(&mut cluster, "bravo", "1s").refused(75, &["nothing is lost", "waits for charlie"]);
    let begun = key(&mut cluster, "bravo");
    let next = begun.next.unwrap();
    assert_eq!((begun.key, begun.state.as_str()), (old.clone(), "making-known"));
    assert!(shown(&mut cluster, "alpha").contains(&format!("next_key: \"{next}\"")));
    rotate(&mut cluster, "bravo", "0s").refused(75, &[&next]);
    cluster.crash("bravo");
    cluster.node("bravo").start();
    cluster.settles_on("alpha", &["bravo"]);
    assert_eq!(key(&mut cluster, "bravo").next.as_ref(), Some(&next));
    cluster.node("charlie").start();
    eventually("it is done", || {
        let now = key(&mut cluster, "bravo");
        (now.state == "settled" && now.key == next).then_some(())
    });
    is_heard_by_all(&cluster, "bravo");
    assert!(!shown(&mut cluster, "bravo").contains(&old));
}

/// F81
#[test]
fn a_node_that_was_killed_right_after_it_took_its_new_key_is_believed_and_ends_the_change() {
    let mut cluster = Cluster::of(3);
    cluster.settles_on("alpha", &["bravo", "charlie"]);
    cluster.crash("charlie");
    rotate(&mut cluster, "bravo", "1s").refused(75, &["waits for charlie"]);
    let next = key(&mut cluster, "bravo").next.unwrap();
    cluster.crash("bravo");
    let keys = keys_of(&mut cluster, "bravo");
    let certificate = fs::read(keys.join("node.crt")).unwrap();
    SpareKeys::new(&keys, &NodeId::new("bravo").unwrap()).advance().unwrap();
    // Killed before the certificate of the new key was written, too.
    fs::write(keys.join("node.crt"), certificate).unwrap();
    cluster.node("bravo").start();
    cluster.until("alpha believes it", |view| {
        let peers = &acting(view, "alpha")?.peers;
        peers.iter().find(|peer| peer.id == "bravo" && peer.heard).map(drop)
    });
    eventually("it answers", || {
        (cluster.node("bravo").ask(&["is-master"]).code == 1).then_some(())
    });
    let now = key(&mut cluster, "bravo");
    assert_eq!((now.key.as_str(), now.state.as_str()), (next.as_str(), "taking-out-old"));
    // Charlie never heard of the new key, and hears of it from alpha.
    cluster.node("charlie").start();
    eventually("it is done", || (key(&mut cluster, "bravo").state == "settled").then_some(()));
    assert_eq!(files(&mut cluster, "bravo"), ["node.crt", "node.key"]);
    cluster.until("charlie hears bravo", |view| {
        let peers = &report(view, "charlie")?.peers;
        peers.iter().find(|peer| peer.id == "bravo" && peer.heard).map(drop)
    });
}
