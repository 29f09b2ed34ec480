//! The `fence` hook with real daemons: nothing acts in the place of a lost master before it
//! succeeded. Never believes a daemon about its hooks; see `hooked`.

use std::fs::OpenOptions;
use std::io::Write;

use super::cluster::report;
use super::hooked::Hooked;
use super::looks::eventually;

/// Three nodes with all hooks, the `fence` hook included, led by alpha.
fn fenced(more: &str) -> Hooked {
    let mut hooked = Hooked::founded(3, more);
    let script = hooked.cluster.place().join("hook");
    for node in &hooked.cluster.nodes {
        let mut file = OpenOptions::new().append(true).open(node.home.join("node.yaml")).unwrap();
        writeln!(file, "  fence: [{}]", script.display()).unwrap();
    }
    hooked.cluster.start();
    hooked.cluster.settles_on("alpha", &["bravo", "charlie"]);
    hooked.waits_for(0, "alpha", "master", "end");
    hooked
}

/// How often the `fence` hook began.
fn runs(hooked: &Hooked) -> usize {
    hooked.deeds().iter().filter(|deed| deed.what == "fence" && deed.step == "begin").count()
}

#[test]
fn nothing_acts_for_a_lost_master_before_its_fence_hook_succeeded() {
    let mut hooked = fenced("  retries: 0");
    let before = runs(&hooked);
    hooked.gives_up("alpha", &["transfer", "bravo"]);
    hooked.cluster.settles_on("bravo", &["alpha", "charlie"]);
    hooked.waits_for(0, "bravo", "master", "end");
    assert_eq!(runs(&hooked), before, "it gave up by itself");
    ["alpha", "charlie"].iter().for_each(|node| hooked.let_it(node, "fence", "fails"));
    let seen = hooked.deeds().len();
    hooked.cluster.crash("bravo");
    let held = hooked.cluster.until("a winner waits", |view| {
        ["alpha", "charlie"]
            .into_iter()
            .find(|name| report(view, name).is_some_and(|report| report.role == "winner"))
    });
    hooked.waits_for(seen, held, "fence", "begin");
    eventually("it is told whom", || {
        let told = hooked.told(held, "fence", "env");
        told.contains("QUORATE_PREV_MASTER=bravo\n").then_some(())
    });
    assert_eq!(hooked.cluster.node(held).ask(&["is-master"]).code, 1);
    let again = hooked.waits_for(seen, held, "fence", "begin");
    let again = hooked.waits_for(again + 1, held, "fence", "begin");
    let masters = |hooked: &Hooked| {
        hooked.deeds().iter().skip(seen).filter(|deed| deed.what == "master").count()
    };
    assert_eq!(masters(&hooked), 0, "it acted without having fenced");
    let events = hooked.cluster.node(held).ask(&["events"]).printed();
    assert!(events.contains("hook-gave-up"), "{events}");
    hooked.let_it(held, "fence", "plain");
    let fenced = hooked.waits_for(again, held, "fence", "end");
    let acts = hooked.waits_for(seen, held, "master", "begin");
    assert!(fenced < acts, "{:?}", hooked.deeds());
    hooked.cluster.node("bravo").start();
}

#[test]
fn a_lost_master_that_comes_back_and_follows_needs_no_fence_any_more() {
    let mut hooked = fenced("  retries: 0");
    ["bravo", "charlie"].iter().for_each(|node| hooked.let_it(node, "fence", "fails"));
    let seen = hooked.deeds().len();
    hooked.cluster.crash("alpha");
    let held = hooked.cluster.until("a winner waits", |view| {
        ["bravo", "charlie"]
            .into_iter()
            .find(|name| report(view, name).is_some_and(|report| report.role == "winner"))
    });
    hooked.waits_for(seen, held, "fence", "begin");
    hooked.cluster.node("alpha").start();
    hooked.waits_for(seen, held, "master", "begin");
}
