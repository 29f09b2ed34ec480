//! The `fence` hook with real daemons: nothing acts in the place of a lost master before it
//! succeeded. Never believes a daemon about its hooks; see `hooked`.

use std::fs::OpenOptions;
use std::io::Write;

use super::cluster::report;
use super::hooked::Hooked;
use super::looks::eventually;

/// Three nodes with all hooks, the `fence` hook included, and who leads them.
fn fenced() -> (Hooked, String) {
    let mut hooked = Hooked::founded(3, "  retries: 0");
    let script = hooked.cluster.place().join("hook");
    for node in &hooked.cluster.nodes {
        let mut file = OpenOptions::new().append(true).open(node.home.join("node.yaml")).unwrap();
        writeln!(file, "  fence: [{}]", script.display()).unwrap();
    }
    hooked.cluster.start();
    let (master, _) = hooked.cluster.settles();
    hooked.waits_for(0, &master, "master", "end");
    (hooked, master)
}

/// Kills that master, whose successor cannot fence it; gives the node that won and waits.
fn held_after(hooked: &mut Hooked, lost: &str) -> String {
    let names = ["alpha", "bravo", "charlie"].into_iter().filter(|name| *name != lost);
    let others: Vec<&str> = names.collect();
    others.iter().for_each(|node| hooked.let_it(node, "fence", "fails"));
    let seen = hooked.deeds().len();
    hooked.cluster.crash(lost);
    let begun = |name: &&&str| {
        hooked.deeds().iter().skip(seen).any(|deed| deed.node == **name && deed.what == "fence")
    };
    let held = eventually("a winner fences", || others.iter().find(begun).copied());
    hooked.cluster.until("it waits", |view| {
        report(view, held).filter(|report| report.role == "winner").map(drop)
    });
    held.to_owned()
}

/// How often the `fence` hook began.
fn runs(hooked: &Hooked) -> usize {
    hooked.deeds().iter().filter(|deed| deed.what == "fence" && deed.step == "begin").count()
}

#[test]
fn nothing_acts_for_a_lost_master_before_its_fence_hook_succeeded() {
    let (mut hooked, first) = fenced();
    let before = runs(&hooked);
    hooked.gives_up(&first, &["transfer"]);
    let (second, _) = hooked.cluster.settles();
    hooked.waits_for(0, &second, "master", "end");
    assert_eq!(runs(&hooked), before, "{first} gave up by itself");
    let seen = hooked.deeds().len();
    let held = held_after(&mut hooked, &second);
    eventually("it is told whom", || {
        let told = hooked.told(&held, "fence", "env");
        told.contains(&format!("QUORATE_PREV_MASTER={second}\n")).then_some(())
    });
    assert_eq!(hooked.cluster.node(&held).ask(&["is-master"]).code, 1);
    let once = hooked.waits_for(seen, &held, "fence", "begin");
    let again = hooked.waits_for(once + 1, &held, "fence", "begin");
    let acted = hooked.deeds().iter().skip(seen).any(|deed| deed.what == "master");
    assert!(!acted, "it acted without having fenced: {:?}", hooked.deeds());
    let events = hooked.cluster.node(&held).ask(&["events"]).printed();
    assert!(events.contains("hook-gave-up"), "{events}");
    hooked.let_it(&held, "fence", "plain");
    let done = hooked.waits_for(again, &held, "fence", "end");
    let acts = hooked.waits_for(seen, &held, "master", "begin");
    assert!(done < acts, "{:?}", hooked.deeds());
}

#[test]
fn a_lost_master_that_comes_back_and_follows_needs_no_fence_any_more() {
    let (mut hooked, first) = fenced();
    let seen = hooked.deeds().len();
    let held = held_after(&mut hooked, &first);
    hooked.cluster.node(&first).start();
    hooked.waits_for(seen, &held, "master", "begin");
    assert!(
        !hooked.deeds().iter().skip(seen).any(|deed| deed.what == "fence" && deed.step == "end")
    );
}
