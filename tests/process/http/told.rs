//! All that programs may read, from one cluster in several situations, held against the schema;
//! and every field of the schema seen with a value, but for those that need a fault of their own.
//! Never looks at what a value means.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::Value;

use super::super::cluster::Cluster;
use super::super::looks::eventually;
use super::{door, founded_with, get, row};
use crate::spec::schema::{Judge, judged, schema};

/// What has no value here, and why: a field, or all of a definition.
const ELSEWHERE: [(&str, &str); 26] = [
    ("Status.forced", "after `quorate recover` only"),
    ("Status.watchdog", "with a hardware watchdog"),
    ("Status.quiet_left_ms", "for a moment after a start"),
    ("Newcomer", "while a node joins: the tests of joining read it"),
    ("Node.becomes", "while a node joins"),
    ("Node.next_key", "while a key changes"),
    ("Key.next", "while a key changes"),
    ("Peer.clock", "after 30 s"),
    ("Clock", "after 30 s"),
    ("Said.address", "of a node that moved"),
    ("Said.unknown", "of a later release"),
    ("Facts.files_max", "where there is such a limit"),
    ("Facts.locked_max", "where there is such a limit"),
    ("Space.free_files", "where there is such a limit"),
    ("Alarm", "after an alarm"),
    ("Writes.under_way_ms", "while a disk is slow"),
    ("Found.hidden", "of a file that nobody may look at"),
    ("Finding", "where something needs attention: the tests of the doctor read it"),
    ("Past.error", "with a damaged disk"),
    ("Later", "while a daemon stands still"),
    ("Hook", "by hooks: a test of theirs reads it"),
    ("LogLine", "in the log: a test of the log reads it"),
    ("Origin", "by any node: see below"),
    ("Place", "by any node: see below"),
    ("Handover.reason", "of a handover that is refused"),
    ("Edit.reason", "of an edit that is refused: the tests of edits read it"),
];

/// What is asked of every node in every situation.
const QUESTIONS: [&[&str]; 14] = [
    &["status", "--json"],
    &["doctor", "--json"],
    &["events", "--json"],
    &["history", "--json"],
    &["history", "--all", "--json"],
    &["history", "--documents", "--patch", "--json"],
    &["show", "--json"],
    &["explain", "who", "--json"],
    &["explain", "--json"],
    &["node", "list", "--json"],
    &["invite", "--list", "--json"],
    &["key", "show", "--json"],
    &["config", "timing", "--json"],
    &["config", "timing", "lan", "--json"],
];
const PAGES: [&str; 6] = ["/status", "/cluster", "/history", "/config", "/master", "/liveness"];

/// alpha leads, bravo is not fit for it, and nobody knows how fresh bravo's data is.
fn cluster() -> Cluster {
    let mut cluster = founded_with(3, |name| match name {
        "bravo" => "health: {command: [/bin/false], interval: 500ms, fall: 1}\n\
                    position: {command: [/bin/false], interval: 500ms}\n"
            .to_owned(),
        _ => String::new(),
    });
    cluster.start();
    cluster.settles_on("alpha", &["bravo", "charlie"]);
    cluster
}

/// Has everything told by that node.
fn hear_all(judge: &mut Judge<'_>, cluster: &mut Cluster, name: &str) {
    for words in QUESTIONS {
        let told = cluster.node(name).ask(words).stdout;
        assert!(!told.is_empty() || words.contains(&"--list"), "{name} says nothing to {words:?}");
        judged(judge, words, &told);
    }
    let address = door(cluster, name);
    for page in PAGES {
        let reply = get(&address, page);
        judged(judge, &["GET", row(page, &reply)], &reply.body);
    }
    assert_eq!(judge.wrong, Vec::<String>::new(), "{name}");
}

/// Does one thing that answers with JSON.
fn deed(judge: &mut Judge<'_>, cluster: &mut Cluster, words: &[&str]) {
    let words = [words, &["--json"]].concat();
    let told = cluster.node("alpha").ask(&words).printed();
    judged(judge, &words, &told);
}

fn status(cluster: &mut Cluster, name: &str) -> Value {
    let told = cluster.node(name).ask(&["status", "--json"]).printed();
    serde_json::from_str(&told).unwrap()
}

/// Every field of the schema, as `Definition.field`.
fn described() -> BTreeSet<String> {
    let definitions = schema()["$defs"].as_object().unwrap();
    let fields = |rules: &Value| -> Vec<String> {
        let properties = rules["properties"].as_object().into_iter().flatten();
        properties.map(|(name, _)| name.clone()).collect()
    };
    let mut all = BTreeSet::new();
    for (name, rules) in definitions {
        let choices = rules["oneOf"].as_array().into_iter().flatten();
        let inside = fields(rules).into_iter().chain(choices.flat_map(fields));
        all.extend(inside.map(|field| format!("{name}.{field}")));
    }
    all
}

#[test]
fn what_every_program_reads_is_described_and_every_field_has_a_value_somewhere() {
    let mut cluster = cluster();
    let mut judge = Judge::by(schema());
    let node = cluster.node("charlie");
    node.ask(&["set-position", "7"]).printed();
    eventually("bravo knows why it is not fit", || {
        let report = status(&mut cluster, "bravo");
        let reasons = [&report["health"]["reason"], &report["freshness"]["reason"]];
        reasons.iter().all(|reason| reason.is_string()).then_some(())
    });
    let body = cluster.node("alpha").ask(&["show"]).printed();
    let file = cluster.place().join("next.yaml");
    fs::write(&file, body.replace("failback: never", "failback: 9m")).unwrap();
    deed(&mut judge, &mut cluster, &["apply", file.to_str().unwrap()]);
    deed(&mut judge, &mut cluster, &["apply", file.to_str().unwrap()]);
    deed(&mut judge, &mut cluster, &["standby", "bravo", "--for", "1h"]);
    cluster.node("alpha").ask(&["invite", "--name", "delta"]).printed();
    eventually("charlie has the newest document", || {
        let [alpha, charlie] = ["alpha", "charlie"].map(|name| status(&mut cluster, name));
        (alpha["committed"] == charlie["committed"]).then_some(())
    });
    deed(&mut judge, &mut cluster, &["transfer", "charlie"]);
    cluster.settles_on("charlie", &["alpha", "bravo"]);
    cluster.node("charlie").ask(&["step-down", "--for", "1h"]).printed();
    cluster.settles_on("alpha", &["bravo", "charlie"]);
    for name in ["alpha", "bravo", "charlie"] {
        hear_all(&mut judge, &mut cluster, name);
    }
    cluster.stop("charlie");
    cluster.crash("bravo");
    eventually("alpha is alone", || {
        (status(&mut cluster, "alpha")["quorum"]["ok"] == false).then_some(())
    });
    hear_all(&mut judge, &mut cluster, "alpha");
    let is_elsewhere = |field: &&String| {
        let owner = field.split('.').next().unwrap();
        ELSEWHERE.iter().any(|(known, _)| *known == owner || known == *field)
    };
    let all = described();
    let unseen: Vec<_> = all.difference(&judge.seen).filter(|field| !is_elsewhere(field)).collect();
    assert!(unseen.is_empty(), "never seen with a value: {unseen:#?}");
    assert!(judge.seen.len() > 150, "{}", judge.seen.len());
    let owners: BTreeMap<&str, ()> =
        all.iter().map(|field| (field.split('.').next().unwrap(), ())).collect();
    for (known, _) in ELSEWHERE {
        assert!(all.contains(known) || owners.contains_key(known), "there is no {known}");
    }
}

#[test]
fn a_path_that_is_no_text_is_told_all_the_same() {
    use std::os::unix::ffi::OsStrExt;
    let place = std::ffi::OsStr::from_bytes(b"/nonexistent/\xff");
    for words in [&["doctor", "--json"][..], &["config", "origin", "--json"]] {
        let line = [super::super::command::QUORATE].iter().chain(words);
        let line = line.map(std::ffi::OsString::from);
        let places = ["--state-dir".into(), place.to_owned()];
        let told = super::super::command::run(&[], line.chain(places)).stdout;
        let mut judge = Judge::by(schema());
        judged(&mut judge, words, &told);
        assert!(told.contains('\u{fffd}') && judge.wrong.is_empty(), "{:?} {told}", judge.wrong);
    }
}
