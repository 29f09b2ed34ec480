//! The exported cluster.yaml: the same on every node, and an edit of it by hand is an edit like any
//! other, or is kept.
//! Never waits for a certain time: what must not happen is shown by what happened instead.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use super::cluster::Cluster;
use super::looks::eventually;

const FAILBACK: &str = "failback: never";

fn led() -> Cluster {
    let cluster = Cluster::of(3);
    cluster.settles_on("alpha", &["bravo", "charlie"]);
    cluster
}

fn file(cluster: &mut Cluster, node: &str, name: &str) -> PathBuf {
    cluster.node(node).state().join(name)
}

fn text(cluster: &mut Cluster, node: &str, name: &str) -> String {
    fs::read_to_string(file(cluster, node, name)).unwrap_or_default()
}

fn shown(cluster: &mut Cluster, node: &str) -> Value {
    let report = cluster.node(node).ask(&["show", "--json"]).printed();
    serde_json::from_str(&report).unwrap()
}

fn body(cluster: &mut Cluster, node: &str) -> String {
    shown(cluster, node)["body"].as_str().unwrap().to_owned()
}

/// Saves as an editor does that puts a new file in the old one's place.
fn save_by_rename(cluster: &mut Cluster, node: &str, text: &str) {
    let new = file(cluster, node, "cluster.yaml.swp");
    fs::write(&new, text).unwrap();
    fs::rename(new, file(cluster, node, "cluster.yaml")).unwrap();
}

/// Saves as an editor does that writes into the file.
fn save_in_place(cluster: &mut Cluster, node: &str, text: &str) {
    fs::write(file(cluster, node, "cluster.yaml"), text).unwrap();
}

/// Waits until every running node has exported `text`.
fn all_have(cluster: &mut Cluster, nodes: &[&str], text: &str) {
    for node in nodes {
        let path = file(cluster, node, "cluster.yaml");
        let is_there = || (fs::read_to_string(&path).ok()? == text).then_some(());
        eventually(&format!("{node} exports the document"), is_there);
    }
}

const ALL: [&str; 3] = ["alpha", "bravo", "charlie"];

#[test]
fn an_edit_by_hand_on_any_node_becomes_the_document_on_all_with_its_comments() {
    let mut cluster = led();
    let before = body(&mut cluster, "alpha");
    all_have(&mut cluster, &ALL, &before);
    let renamed = before.replace(FAILBACK, "failback: 7m") + "# by rename\n";
    save_by_rename(&mut cluster, "bravo", &renamed);
    all_have(&mut cluster, &ALL, &renamed);
    let written = renamed.replace("failback: 7m", "failback: 8m") + "# in place\n";
    save_in_place(&mut cluster, "charlie", &written);
    all_have(&mut cluster, &ALL, &written);
    let report = shown(&mut cluster, "alpha");
    assert_eq!((&report["body"], &report["revision"]), (&written.into(), &3.into()));
    assert!(report["author"].as_str().unwrap().ends_with("@charlie"), "{}", report["author"]);
    let events = cluster.node("charlie").ask(&["events", "--json"]).printed();
    assert_eq!(events.matches("\"hand-edit-committed\"").count(), 1, "{events}");
}

#[test]
fn a_bad_edit_by_hand_is_told_once_and_left_until_others_change_the_document() {
    let mut cluster = led();
    let before = body(&mut cluster, "alpha");
    all_have(&mut cluster, &ALL, &before);
    let bad = before.replace(FAILBACK, "failbock: never");
    save_in_place(&mut cluster, "bravo", &bad);
    let told = |cluster: &mut Cluster| {
        let events = cluster.node("bravo").ask(&["events", "--json"]).printed();
        let told: Vec<_> = events.lines().filter(|line| line.contains("hand-edit-")).collect();
        told.iter().map(|line| (*line).to_owned()).collect::<Vec<String>>()
    };
    let first = eventually("the mistake is told", || told(&mut cluster).pop());
    let place = format!("{}:", file(&mut cluster, "bravo", "cluster.yaml").display());
    assert!(first.contains("hand-edit-invalid") && first.contains(&place), "{first}");
    // Saved again as it is, it is the same mistake; another edit shows that it was looked at.
    save_in_place(&mut cluster, "bravo", &bad);
    let good = before.replace(FAILBACK, "failback: 9m");
    save_in_place(&mut cluster, "alpha", &good);
    all_have(&mut cluster, &ALL, &good);
    assert_eq!(text(&mut cluster, "bravo", "cluster.yaml.mine"), bad);
    let codes = told(&mut cluster);
    assert_eq!(codes.iter().filter(|line| line.contains("invalid")).count(), 1, "{codes:?}");
    assert!(codes.last().unwrap().contains("hand-edit-set-aside"), "{codes:?}");
}

#[test]
fn an_edit_by_hand_that_the_master_refuses_is_kept_with_the_reason() {
    let mut cluster = led();
    let before = body(&mut cluster, "alpha");
    all_have(&mut cluster, &ALL, &before);
    let wrong = before.replace("shop", "shed");
    save_by_rename(&mut cluster, "charlie", &wrong);
    let kept = file(&mut cluster, "charlie", "cluster.yaml.rejected");
    eventually("the text is kept", || (fs::read_to_string(&kept).ok()? == wrong).then_some(()));
    all_have(&mut cluster, &ALL, &before);
    let events = cluster.node("charlie").ask(&["events", "--json"]).printed();
    let told = events.lines().find(|line| line.contains("hand-edit-rejected")).unwrap();
    assert!(told.contains("rejected-other-cluster"), "{told}");
    assert_eq!(shown(&mut cluster, "alpha")["revision"], 1);
}

#[test]
fn of_twenty_edits_by_hand_on_two_nodes_at_once_none_is_lost() {
    let mut cluster = led();
    let mut marks = Vec::new();
    for round in 0..10 {
        let before = body(&mut cluster, "alpha");
        all_have(&mut cluster, &ALL, &before);
        for node in ["bravo", "charlie"] {
            let mark = format!("# edit {round} of {node}\n");
            let text = format!("{before}{mark}");
            let save = if round % 2 == 0 { save_by_rename } else { save_in_place };
            save(&mut cluster, node, &text);
            marks.push(mark);
        }
        eventually("one of both wins, and both files show it", || {
            let files = ALL.map(|node| text(&mut cluster, node, "cluster.yaml"));
            (files[0] != before && files[0] == files[1] && files[1] == files[2]).then_some(())
        });
    }
    let committed = body(&mut cluster, "alpha");
    assert_eq!(shown(&mut cluster, "alpha")["revision"], 11, "one edit of each round wins");
    for (number, mark) in marks.iter().enumerate() {
        let node = ["bravo", "charlie"][number % 2];
        let place = cluster.node(node).state();
        eventually(&format!("{mark} is in the document or beside it"), || {
            let mut files = fs::read_dir(&place).ok()?.flatten();
            let is_kept = files.any(|entry| {
                let is_aside = entry.file_name().to_string_lossy().starts_with("cluster.yaml.");
                is_aside && fs::read_to_string(entry.path()).is_ok_and(|text| text.ends_with(mark))
            });
            (committed.contains(mark) != is_kept).then_some(())
        });
    }
}

#[test]
fn an_edit_by_hand_while_the_daemon_was_down_is_proposed_or_kept_if_others_came_first() {
    let mut cluster = led();
    let before = body(&mut cluster, "alpha");
    all_have(&mut cluster, &ALL, &before);
    cluster.stop("charlie");
    let first = before.replace(FAILBACK, "failback: 5m");
    save_in_place(&mut cluster, "charlie", &first);
    cluster.node("charlie").start();
    all_have(&mut cluster, &ALL, &first);
    cluster.crash("charlie");
    let late = first.replace("failback: 5m", "failback: 6m");
    save_by_rename(&mut cluster, "charlie", &late);
    let second = first.replace("failback: 5m", "failback: 4m");
    save_in_place(&mut cluster, "bravo", &second);
    all_have(&mut cluster, &["alpha", "bravo"], &second);
    cluster.node("charlie").start();
    all_have(&mut cluster, &ALL, &second);
    eventually("the late text is beside the file", || {
        let kept = ["cluster.yaml.mine", "cluster.yaml.rejected"];
        let kept = kept.map(|name| text(&mut cluster, "charlie", name));
        kept.contains(&late).then_some(())
    });
}

#[test]
fn an_edit_by_hand_that_a_killed_daemon_had_in_hand_is_kept() {
    let mut cluster = led();
    let before = body(&mut cluster, "alpha");
    all_have(&mut cluster, &ALL, &before);
    let newer = before.replace(FAILBACK, "failback: 5m");
    save_in_place(&mut cluster, "alpha", &newer);
    all_have(&mut cluster, &ALL, &newer);
    cluster.stop("charlie");
    // As if it had just put the newer document in the place of what a person had saved there.
    let mine = before.replace(FAILBACK, "failback: 6m");
    fs::write(file(&mut cluster, "charlie", ".cluster.yaml.new"), &mine).unwrap();
    let note = text(&mut cluster, "charlie", "exported");
    fs::write(file(&mut cluster, "charlie", "exported"), note.repeat(2)).unwrap();
    cluster.node("charlie").start();
    eventually("the text is beside the file", || {
        (text(&mut cluster, "charlie", "cluster.yaml.mine") == mine).then_some(())
    });
    assert!(!file(&mut cluster, "charlie", ".cluster.yaml.new").exists());
    all_have(&mut cluster, &ALL, &newer);
}
