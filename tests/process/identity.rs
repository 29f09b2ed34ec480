//! Disks that are lost, damaged, foreign, cloned or rolled back, under real daemons: never two
//! masters, the others go on, the message says what to do, and doing exactly that repairs it.
//! Never decides which copy is the right one; an operator does.

use std::fs;
use std::path::Path;

use super::cluster::{Cluster, loopback_addresses, report};
use super::command::{Outcome, must};
use super::looks::eventually;
use super::mending::{comes_back, told};
use super::network::Holder;
use super::node::Node;

/// What a refusal says is to be done.
const RENEW: &str = "run `quorate init --renew`";

fn copy(from: &Path, to: &Path) {
    must(&[], &format!("cp -a {} {}", from.display(), to.display()));
}

/// The line that an identity-making command printed, and that it said how to go on.
fn line_of(outcome: Outcome) -> String {
    assert!(outcome.stderr.contains("role: observer"), "{}", outcome.stderr);
    outcome.printed()
}

fn renewed(cluster: &mut Cluster, name: &str) -> String {
    let outcome = cluster.node(name).ask(&["init", "--renew"]);
    assert!(outcome.stderr.contains("state.old-1"), "{}", outcome.stderr);
    line_of(outcome)
}

/// Every voter counts: with `name` and one other there is a majority.
fn counts_again(mut cluster: Cluster, name: &str) {
    cluster.settles();
    let other = cluster.nodes.iter().find(|node| node.name != name).unwrap().name.clone();
    let third = cluster.nodes.iter().map(|node| node.name.clone());
    let third = third.into_iter().find(|node| *node != name && *node != other).unwrap();
    cluster.crash(&other);
    cluster.until("the other two have a master", |view| {
        let knows = |node: &str| report(view, node).is_some_and(|one| one.master.is_some());
        let acts = |node: &str| report(view, node).is_some_and(|one| one.role == "master");
        (knows(name) && knows(&third) && (acts(name) || acts(&third))).then_some(())
    });
}

/// F63
#[test]
fn a_wiped_disk_comes_back_under_a_new_storage_id_by_what_the_messages_say() {
    let mut cluster = Cluster::of(3);
    cluster.settles_on("alpha", &["bravo", "charlie"]);
    cluster.stop("charlie");
    let state = cluster.node("charlie").state();
    fs::remove_dir_all(&state).unwrap();
    fs::create_dir(&state).unwrap();
    let words = ["keys", "quorate init"];
    let refused = cluster.node("charlie").fail_to_start();
    assert!(words.iter().all(|word| refused.stderr.contains(word)), "{}", refused.stderr);
    let line = line_of(cluster.node("charlie").ask(&["init"]));
    cluster.settles_on("alpha", &["bravo"]);
    comes_back(&mut cluster, "bravo", "charlie", &line);
    counts_again(cluster, "charlie");
}

/// F63
#[test]
fn a_damaged_a_foreign_and_a_neighbours_state_are_named_and_left_out() {
    let mut cluster = Cluster::of(3);
    cluster.settles_on("alpha", &["bravo", "charlie"]);
    let strangers = Cluster::founded(3, "never");
    cluster.stop("charlie");
    let file = cluster.node("charlie").state().join("state");
    let own = fs::read(&file).unwrap();
    let neighbour = cluster.node("bravo").state().join("state");
    copy(&neighbour, &file);
    let refused = cluster.node("charlie").fail_to_start();
    refused.refused(78, &["is that of node bravo of cluster shop", RENEW]);
    copy(&strangers.nodes[2].state().join("state"), &file);
    let refused = cluster.node("charlie").fail_to_start();
    refused.refused(78, &["of charlie in cluster shop", "another key", RENEW]);
    let mut damaged = own;
    damaged[200] ^= 1;
    fs::write(&file, damaged).unwrap();
    cluster.node("charlie").fail_to_start().refused(65, &["votes are lost", "init --renew"]);
    let line = renewed(&mut cluster, "charlie");
    comes_back(&mut cluster, "alpha", "charlie", &line);
    counts_again(cluster, "charlie");
}

/// A machine whose machine-id is another than here.
fn other_machine(cluster: &Cluster) -> Option<Holder> {
    let holder = Holder::try_new(&["--mount"])?;
    let id = cluster.place().join("machine-id");
    fs::write(&id, "0123456789abcdef0123456789abcdef\n").unwrap();
    must(&holder.prefix, "mount -t tmpfs other /etc");
    must(&holder.prefix, &format!("cp {} /etc/machine-id", id.display()));
    Some(holder)
}

/// F64
#[test]
fn a_clone_on_another_machine_refuses_to_start_and_a_state_that_moved_is_confirmed() {
    let mut cluster = Cluster::of(3);
    let Some(holder) = other_machine(&cluster) else { return };
    cluster.settles_on("alpha", &["bravo", "charlie"]);
    let home = cluster.place().join("clone");
    copy(&cluster.node("charlie").home.clone(), &home);
    let address = cluster.node("charlie").address.clone();
    let clone = Node::new("charlie", &address, &home, &holder.prefix);
    let elsewhere = ["was written elsewhere", "quorate confirm-moved", RENEW];
    clone.fail_to_start().refused(78, &elsewhere);
    let page = clone.ask(&["doctor"]);
    assert_eq!(page.code, 1);
    assert!(elsewhere.iter().all(|words| page.stdout.contains(words)), "{}", page.stdout);
    assert!(page.stdout.contains("(cannot-start)"), "{}", page.stdout);
    cluster.settles_on("alpha", &["bravo", "charlie"]);

    // The same state, moved: its old place is gone for good.
    cluster.stop("charlie");
    fs::remove_dir_all(home.join("state")).unwrap();
    let from = cluster.node("charlie").state();
    must(&[], &format!("mv {} {}", from.display(), home.join("state").display()));
    clone.fail_to_start().refused(78, &["was written elsewhere"]);
    let confirmed = clone.ask(&["confirm-moved"]);
    assert!(confirmed.stderr.contains("belongs here now"), "{}", confirmed.stderr);
    let place = cluster.nodes.iter().position(|node| node.name == "charlie").unwrap();
    cluster.nodes[place] = clone;
    cluster.nodes[place].start();
    eventually("charlie follows alpha from there", || {
        let report = told(&cluster.nodes[place])?;
        report.master.filter(|master| master.id == "alpha")
    });
}

/// F65
#[test]
fn of_two_live_instances_neither_counts_until_one_is_gone() {
    let mut cluster = Cluster::of(3);
    cluster.settles_on("alpha", &["bravo", "charlie"]);
    let home = cluster.place().join("clone");
    copy(&cluster.node("charlie").home.clone(), &home);
    let address = loopback_addresses(1).remove(0);
    // Whoever says that a state may move has only this net left.
    let settings = format!("id: charlie\nlisten: \"{address}\"\nmay_move: true\n");
    fs::write(home.join("node.yaml"), settings).unwrap();
    let mut clone = Node::new("charlie", &address, &home, &[]);
    clone.start();
    for name in ["alpha", "bravo"] {
        eventually("both are named, and neither is heard", || {
            let report = told(cluster.node(name))?;
            let charlie = report.peers.iter().find(|peer| peer.id == "charlie")?;
            let is_named = report.doubts.iter().any(|doubt| {
                doubt.contains("two processes use the key of charlie") && doubt.contains(" and ")
            });
            (is_named && !charlie.heard).then_some(())
        });
        let events = cluster.node(name).ask(&["events"]).printed();
        assert!(events.contains("two processes use the key of charlie"), "{events}");
    }
    let copies = [told(cluster.node("charlie")).unwrap(), told(&clone).unwrap()];
    for copy in copies {
        assert!(
            copy.doubts.iter().any(|doubt| doubt.contains("stop the one")),
            "{:?}",
            copy.doubts
        );
    }
    cluster.settles_on("alpha", &["bravo"]);
    // Without bravo there is no majority, though both copies are there.
    cluster.crash("bravo");
    cluster.until("alpha has nobody", |view| {
        let alpha = report(view, "alpha")?;
        (alpha.role != "master" && !alpha.quorum.ok).then_some(())
    });
    clone.end(rustix::process::Signal::KILL);
    cluster.until("charlie counts again, alone", |view| {
        let alpha = report(view, "alpha")?;
        (alpha.master.is_some() && alpha.doubts.is_empty()).then_some(())
    });
    let events = cluster.node("alpha").ask(&["events"]).printed();
    assert!(events.contains("only one process uses the key of charlie now"), "{events}");
}

/// F64, R54
#[test]
fn a_disk_that_was_rolled_back_is_known_even_to_those_who_restarted_meanwhile() {
    let mut cluster = Cluster::of(3);
    cluster.settles_on("alpha", &["bravo", "charlie"]);
    cluster.stop("charlie");
    let file = cluster.node("charlie").state().join("state");
    let snapshot = cluster.place().join("snapshot");
    copy(&file, &snapshot);
    cluster.node("charlie").start();
    cluster.settles_on("alpha", &["bravo", "charlie"]);
    for _ in 0..3 {
        let (master, _) = cluster.settles();
        cluster.node(&master).ask(&["transfer"]).printed();
    }
    cluster.settles();
    cluster.stop("charlie");
    copy(&snapshot, &file);
    // Nobody who saw the rest is the same process any more.
    for name in ["alpha", "bravo"] {
        cluster.stop(name);
        cluster.node(name).start();
        cluster.until("two of them have a master", |view| {
            view.values().flatten().any(|one| one.role == "master").then_some(())
        });
    }
    cluster.node("charlie").start();
    let suspended = cluster.until("charlie knows, and is mute", |view| {
        let charlie = report(view, "charlie")?;
        charlie.storage_failed.then(|| charlie.doubts.clone())
    });
    assert!(suspended.iter().any(|doubt| doubt.contains("was rolled back")), "{suspended:?}");
    cluster.until("whoever saw it says so", |view| {
        let told = |name| report(view, name).map(|one| one.doubts.join(" ")).unwrap_or_default();
        let doubts = format!("{} {}", told("alpha"), told("bravo"));
        doubts.contains("the disk of charlie was rolled back").then_some(())
    });
    // However often it starts, it does not grow into what was seen.
    cluster.crash("charlie");
    for _ in 0..2 {
        cluster.node("charlie").fail_to_start().refused(78, &["was rolled back", RENEW]);
    }
    cluster.node("charlie").ask(&["confirm-moved"]).refused(78, &["was rolled back"]);
    let line = renewed(&mut cluster, "charlie");
    comes_back(&mut cluster, "alpha", "charlie", &line);
    counts_again(cluster, "charlie");
}
