//! What `quorate doctor` says of a cluster that is well, of one that is not, and of a node whose
//! daemon is down. Never asks for more than this machine can promise: alarms and slow disks are
//! findings, and a busy machine may have them.

use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use super::cluster::Cluster;
use super::command::Outcome;
use super::looks::eventually;

/// What a machine that is busy with other tests may bring about.
const OF_THE_MACHINE: [&str; 5] =
    ["alarms-lately", "disk-slow", "far-apart", "clock-off", "limits-low"];

fn check_up(cluster: &mut Cluster, name: &str) -> (Outcome, Value) {
    let outcome = cluster.node(name).ask(&["doctor", "--json"]);
    let report = serde_json::from_str(&outcome.stdout).unwrap();
    (outcome, report)
}

/// The codes and messages of all findings that are not the machine's.
fn found(report: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let findings = report["findings"].as_array().unwrap().iter();
    let told = findings.map(|one| (text(&one["code"]), text(&one["message"])));
    told.filter(|(code, _)| !OF_THE_MACHINE.contains(&code.as_str())).collect()
}

#[test]
fn a_cluster_that_is_well_is_said_to_be_and_every_single_failure_is_foretold() {
    let mut cluster = Cluster::of(3);
    cluster.settles_on("alpha", &["bravo", "charlie"]);
    let report = eventually("nothing to complain of", || {
        let (outcome, report) = check_up(&mut cluster, "bravo");
        assert_eq!(outcome.code, i32::from(report["well"] == false));
        found(&report).is_empty().then_some(report)
    });
    let outlook = report["outlook"].as_array().unwrap();
    let told: Vec<_> = outlook.iter().map(|one| one["event"].as_str().unwrap()).collect();
    assert_eq!(
        told[..4],
        ["alpha fails", "bravo fails", "charlie fails", "the link alpha - bravo is cut"]
    );
    assert_eq!(outlook[0]["outcome"], "bravo or charlie takes over, after about 2020 ms");
    assert!(outlook.iter().all(|one| one["fatal"] == false), "{outlook:?}");
    let page = cluster.node("bravo").ask(&["doctor"]).stdout;
    for words in [
        "who hears whom",
        "if charlie fails: 2 of 3 voters stay with it, 2 needed: alpha stays master",
        "if any one of 3 other links is cut: the master stays",
        "in a row may be lost",
        "disk: last write",
    ] {
        assert!(page.contains(words), "`{words}` is not in\n{page}");
    }
    assert!(!page.contains(" NO "), "{page}");
}

#[test]
fn a_node_that_is_gone_is_named_and_the_next_loss_is_foretold_as_fatal() {
    let mut cluster = Cluster::of(3);
    cluster.settles_on("alpha", &["bravo", "charlie"]);
    cluster.crash("charlie");
    let findings = eventually("charlie is missed", || {
        let (outcome, report) = check_up(&mut cluster, "alpha");
        let findings = found(&report);
        let is_complete = findings.iter().any(|(code, _)| code == "node-silent")
            && findings.iter().any(|(code, _)| code == "one-failure");
        (outcome.code == 1 && is_complete).then_some(findings)
    });
    let of = |wanted: &str| findings.iter().find(|(code, _)| code == wanted).unwrap().1.clone();
    assert!(of("node-silent").starts_with("nobody hears charlie; alpha calls it at 127."));
    assert!(of("node-silent").contains("connection refused"), "{findings:?}");
    let fatal = "nobody would be master if alpha fails, or if bravo fails, or if the link \
                 alpha - bravo is cut";
    assert_eq!(of("one-failure"), fatal);
}

#[test]
fn without_a_daemon_it_says_whether_one_could_start() {
    let mut cluster = Cluster::of(3);
    cluster.settles_on("alpha", &["bravo", "charlie"]);
    cluster.stop("charlie");
    let codes = |cluster: &mut Cluster| -> Vec<String> {
        let (outcome, report) = check_up(cluster, "charlie");
        assert_eq!((outcome.code, &report["daemon"]), (1, &Value::Null));
        found(&report).into_iter().map(|(code, _)| code).collect()
    };
    assert_eq!(codes(&mut cluster), ["daemon-down"]);
    let page = cluster.node("charlie").ask(&["doctor"]).stdout;
    assert!(page.contains("state of charlie, cluster shop: term "), "{page}");
    let key = cluster.node("charlie").state().join("keys/node.key");
    fs::set_permissions(&key, Permissions::from_mode(0o644)).unwrap();
    assert_eq!(codes(&mut cluster), ["file-wrong", "cannot-start", "daemon-down"]);
    fs::set_permissions(&key, Permissions::from_mode(0o600)).unwrap();
    let address = cluster.node("charlie").listen.clone();
    let other = TcpListener::bind(&address).unwrap();
    assert_eq!(codes(&mut cluster), ["cannot-start", "daemon-down"]);
    drop(other);
    let state = cluster.node("charlie").state();
    fs::set_permissions(&state, Permissions::from_mode(0o755)).unwrap();
    assert!(codes(&mut cluster).contains(&"file-wrong".to_owned()));
    let mode = fs::metadata(&state).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o755, "the doctor changed what it looked at");
    fs::set_permissions(&state, Permissions::from_mode(0o700)).unwrap();
    cluster.node("charlie").start();
    cluster.settles();
}

#[test]
fn a_member_that_says_another_address_is_shown_and_told_once() {
    let mut cluster = Cluster::of(3);
    cluster.settles_on("alpha", &["bravo", "charlie"]);
    let charlie = cluster.node("charlie");
    let (file, address) = (charlie.home.join("node.yaml"), charlie.address.clone());
    let elsewhere = "charlie.elsewhere.example:9901";
    let text = fs::read_to_string(&file).unwrap();
    let advertise = format!("advertise: \"{address}\"");
    fs::write(&file, text.replace(&advertise, &format!("advertise: \"{elsewhere}\""))).unwrap();
    cluster.stop("charlie");
    cluster.node("charlie").start();
    let words = format!("charlie says it listens at {elsewhere}, the document says {address}");
    eventually("the doctor of bravo shows it", || {
        let (_, report) = check_up(&mut cluster, "bravo");
        found(&report).contains(&("other-address".to_owned(), words.clone())).then_some(())
    });
    cluster.settles_on("alpha", &["bravo", "charlie"]);
    let events = cluster.node("bravo").ask(&["events", "--json"]).printed();
    let told = events.lines().filter(|line| line.contains("address-differs"));
    assert_eq!(told.count(), 1, "{events}");
}
