//! Health and position as an operator has them: programs that fail, hang, cannot be started, flap,
//! print nonsense; and what the cluster makes of it.
//! Never waits for a fixed time: a run of the program is seen by what it leaves behind.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use quorate::wire::control::StatusReport;

use super::cluster::{Cluster, acting, report};
use super::node::Node;

/// Fast enough for a test, slow enough for a busy machine.
const RHYTHM: &str = "interval: 1s, timeout: 1s";
/// For what never ends by itself.
const SHORT: &str = "interval: 300ms, timeout: 200ms";

/// Makes an executable script of that name.
fn script(node: &Node, name: &str, text: &str) -> PathBuf {
    let path = node.home.join(name);
    // Written beside and renamed: nobody executes a file that is open for writing.
    let draft = node.home.join(format!("{name}.draft"));
    fs::write(&draft, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(&draft, Permissions::from_mode(0o755)).unwrap();
    fs::rename(&draft, &path).unwrap();
    path
}

fn configure(node: &Node, lines: &str) {
    let path = node.home.join("node.yaml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("{text}{lines}\n")).unwrap();
}

/// The node's health depends on whether a file `sick` is there; two bad runs count.
fn watch_health(node: &Node) {
    let sick = sick(node);
    let text = format!("[ ! -e {sick:?} ] || {{ echo 'the database is gone' >&2; exit 3; }}");
    let program = script(node, "health", &text);
    configure(node, &format!("health: {{command: [{program:?}], {RHYTHM}, rise: 2, fall: 2}}"));
}

fn sick(node: &Node) -> PathBuf {
    node.home.join("sick")
}

fn fall_sick(node: &Node) {
    fs::write(sick(node), "").unwrap();
}

fn state(report: &StatusReport) -> Option<&str> {
    report.health.as_ref().map(|health| health.state.as_str())
}

/// One node whose health command is this script, in that rhythm.
fn alone_with(text: &str, rhythm: &str) -> Cluster {
    let mut cluster = Cluster::founded(1, "never");
    let program = script(cluster.node("alpha"), "health", text);
    let line = format!("health: {{command: [{program:?}], {rhythm}}}");
    configure(cluster.node("alpha"), &line);
    cluster.start();
    cluster
}

/// Waits until alpha objects to itself in these words.
fn objects(cluster: &Cluster, words: &str) {
    cluster.until(words, |view| {
        let objections = &report(view, "alpha")?.objections;
        objections.iter().any(|one| one.contains(words)).then_some(())
    });
}

fn lines(path: &Path) -> usize {
    fs::read_to_string(path).unwrap_or_default().lines().count()
}

#[test]
fn a_sick_master_hands_over_to_a_healthy_node_and_says_why() {
    let mut cluster = Cluster::founded(3, "never");
    cluster.nodes.iter().for_each(watch_health);
    cluster.start();
    let (first, _) = cluster.settles();
    fall_sick(cluster.node(&first));
    cluster.until("a healthy node acts, and the others know why", |view| {
        let next = view.values().flatten().find(|report| report.role == "master")?;
        let seen = next.peers.iter().find(|peer| peer.id == first)?;
        (next.node != first && seen.healthy == Some(false)).then_some(())
    });
    let node = cluster.node(&first);
    let status = node.ask(&["status"]).printed();
    assert!(status.contains("unhealthy"), "{status}");
    assert!(status.contains("exit code 3: the database is gone"), "{status}");
    let events = node.ask(&["events", "--json"]).printed();
    assert!(events.contains("\"health-changed\"") && events.contains("\"ended-unhealthy\""));
    fs::remove_file(sick(node)).unwrap();
    cluster.until("it is healthy again", |view| {
        (state(report(view, &first)?) == Some("healthy")).then_some(())
    });
}

#[test]
fn where_every_node_is_sick_one_leads_all_the_same() {
    let mut cluster = Cluster::founded(3, "never");
    for node in &cluster.nodes {
        watch_health(node);
        fall_sick(node);
    }
    cluster.start();
    let (master, _) = cluster.settles();
    cluster.until("the master is unhealthy", |view| {
        (state(acting(view, &master)?) == Some("unhealthy")).then_some(())
    });
}

#[test]
fn a_health_command_that_hangs_is_killed_with_all_it_started_and_counts_as_failed() {
    let text = "cd \"$(dirname \"$0\")\"\ntrap '' TERM\nsleep 1000 &\necho $! >> children\n\
                echo waiting >&2\nwait";
    let mut cluster = alone_with(text, &format!("{SHORT}, fall: 1"));
    objects(&cluster, "health: not over within 200ms, and killed: waiting");
    let children = cluster.node("alpha").home.join("children");
    cluster.until("it ran three times", |_| (lines(&children) >= 3).then_some(()));
    let text = fs::read_to_string(&children).unwrap();
    let first = text.lines().next().unwrap().to_owned();
    let is_sleeping = |pid: &str| {
        let line = fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        line.starts_with("sleep")
    };
    cluster.until("what the first run started is dead", |_| (!is_sleeping(&first)).then_some(()));
}

#[test]
fn a_health_command_that_cannot_be_run_counts_as_failed_and_says_why() {
    let cluster = alone_with("exit 0", &format!("{RHYTHM}, rise: 1, fall: 1"));
    let program = cluster.nodes[0].home.join("health");
    let set_mode =
        |mode| fs::set_permissions(&program, Permissions::from_mode(mode)).expect("it is there");
    cluster.until("it is healthy", |view| {
        (state(report(view, "alpha")?) == Some("healthy")).then_some(())
    });
    set_mode(0o644);
    objects(&cluster, "health may not be executed (mode 0644)");
    set_mode(0o777);
    objects(&cluster, "health can be changed by everybody (mode 0777)");
    fs::remove_file(&program).unwrap();
    objects(&cluster, "health does not exist");
    fs::create_dir(&program).unwrap();
    objects(&cluster, "health is no plain file");
    fs::remove_dir(&program).unwrap();
    script(&cluster.nodes[0], "health", "kill -9 $$");
    objects(&cluster, "ended by signal 9");
    script(&cluster.nodes[0], "health", "yes | head -c 10000000 >&2; echo the end >&2; exit 126");
    objects(&cluster, "exit code 126: the end");
    fs::write(&program, "#!/tmp\n").unwrap();
    objects(&cluster, "cannot start");
    script(&cluster.nodes[0], "health", "exit 0");
    cluster.until("it is healthy again", |view| {
        report(view, "alpha")?.objections.is_empty().then_some(())
    });
}

#[test]
fn a_health_command_that_flaps_below_fall_changes_nothing() {
    // Good at first, then two bad ones to each good one.
    let text = "cd \"$(dirname \"$0\")\"\necho >> runs\n[ $(($(wc -l < runs) % 3)) -eq 1 ]";
    let mut cluster = alone_with(text, &format!("{RHYTHM}, rise: 1, fall: 3"));
    let runs = cluster.node("alpha").home.join("runs");
    cluster.until("it ran ten times", |_| (lines(&runs) >= 10).then_some(()));
    let events = cluster.node("alpha").ask(&["events", "--json"]).printed();
    assert_eq!(events.matches("\"health-changed\"").count(), 1, "{events}");
}

#[test]
fn every_node_shows_how_fresh_the_data_of_the_others_is() {
    let mut cluster = Cluster::founded(3, "never");
    let alpha = cluster.node("alpha");
    let place = alpha.home.join("place");
    fs::write(&place, "42\n").unwrap();
    let program = script(alpha, "position", &format!("cat {}", place.display()));
    configure(alpha, &format!("position: {{command: [{program:?}], {RHYTHM}}}"));
    cluster.start();
    let freshness = |of: &str| {
        let of = of.to_owned();
        move |report: &StatusReport| {
            report.peers.iter().find(|peer| peer.id == of).and_then(|peer| peer.freshness)
        }
    };
    cluster.until("charlie shows what alpha's command prints", |view| {
        (freshness("alpha")(report(view, "charlie")?) == Some(42)).then_some(())
    });
    cluster.node("bravo").ask(&["set-position", "77"]).printed();
    cluster.until("charlie shows what bravo was told", |view| {
        (freshness("bravo")(report(view, "charlie")?) == Some(77)).then_some(())
    });
    let refused = cluster.node("alpha").ask(&["set-position", "7"]);
    refused.refused(1, &["names a `position` command"]);
    fs::write(&place, "0/16B3748\n").unwrap();
    cluster.until("nonsense counts as unknown, and alpha says why", |view| {
        let own = report(view, "alpha")?.freshness.as_ref()?;
        let is_unknown = own.value.is_none() && own.reason.as_ref()?.contains("no whole number");
        let seen = freshness("alpha")(report(view, "charlie")?);
        (is_unknown && seen.is_none()).then_some(())
    });
}
