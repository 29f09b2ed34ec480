//! Documents of the past: who asked for them, what they changed, the way back; and two who edit at
//! once.
//! Never reads the archive itself; what the commands print is what counts.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use super::cluster::Cluster;
use super::looks::eventually;

fn led() -> Cluster {
    let cluster = Cluster::of(3);
    cluster.settles_on("alpha", &["bravo", "charlie"]);
    cluster
}

fn json(cluster: &mut Cluster, node: &str, words: &[&str]) -> Vec<Value> {
    let lines = cluster.node(node).ask(words).printed();
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn shown(cluster: &mut Cluster, node: &str) -> Value {
    json(cluster, node, &["show", "--json"]).remove(0)
}

fn body(cluster: &mut Cluster, node: &str) -> String {
    shown(cluster, node)["body"].as_str().unwrap().to_owned()
}

fn written(cluster: &Cluster, name: &str, text: &str) -> String {
    let path: PathBuf = cluster.place().join(name);
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Makes `text` the document, and waits until `node` knows.
fn applied(cluster: &mut Cluster, node: &str, text: &str) {
    let path = written(cluster, "applied.yaml", text);
    cluster.node(node).ask(&["apply", &path]).printed();
    eventually("the node that was asked has it", || (body(cluster, node) == text).then_some(()));
}

#[test]
fn the_history_of_documents_names_who_and_what_and_the_way_back_is_a_new_revision() {
    let mut cluster = led();
    let first = body(&mut cluster, "bravo");
    let second = first.replace("failback: never", "failback: 7m");
    applied(&mut cluster, "bravo", &second);
    let third = second.clone() + "# a remark\n";
    applied(&mut cluster, "bravo", &third);
    let rows = json(&mut cluster, "bravo", &["history", "--documents", "--json"]);
    let numbers: Vec<_> = rows.iter().map(|row| row["revision"].as_u64().unwrap()).collect();
    assert_eq!(numbers, [1, 2, 3]);
    assert_eq!((&rows[0]["author"], &rows[0]["change"]), (&Value::Null, &Value::Null));
    assert!(rows[1]["author"].as_str().unwrap().ends_with("@bravo"), "{}", rows[1]);
    // The comment that explains it names it, too.
    assert_eq!((&rows[1]["added"], &rows[1]["removed"]), (&2.into(), &2.into()));
    assert!(rows[1]["change"].as_str().unwrap().contains("failback: 7m"), "{}", rows[1]);
    assert_eq!(rows[2]["change"], "# a remark");
    let table = cluster.node("bravo").ask(&["history", "--documents", "-n", "1"]).printed();
    assert!(table.contains("@bravo") && !table.contains("failback"), "{table}");
    let patches = cluster.node("bravo").ask(&["history", "--documents", "-p"]).printed();
    assert!(patches.contains("\n+election: {policy: lowest-id, failback: 7m}"), "{patches}");
    let old = cluster.node("bravo").ask(&["show", "--revision", "1"]).printed();
    assert_eq!(old, first);
    cluster.node("bravo").ask(&["show", "--revision", "9"]).refused(1, &["no revision 9"]);
    let back = cluster.node("bravo").ask(&["apply", "--revision", "1"]);
    assert!(back.stderr.contains("committed as revision 4"), "{}", back.stderr);
    eventually("it is as it was", || (body(&mut cluster, "charlie") == first).then_some(()));
    cluster.node("bravo").ask(&["apply", "--revision", "1", "--rebase"]).refused(2, &["FILE"]);
}

#[test]
fn a_node_that_was_away_says_which_documents_it_did_not_see_and_its_files_tell_while_it_is_down() {
    let mut cluster = led();
    cluster.stop("charlie");
    let first = body(&mut cluster, "alpha");
    let second = first.clone() + "# two\n";
    applied(&mut cluster, "alpha", &second);
    let third = second + "# three\n";
    applied(&mut cluster, "alpha", &third);
    cluster.node("charlie").start();
    eventually("charlie is up to date", || {
        let shown = cluster.node("charlie").ask(&["show"]);
        (shown.stdout == third).then_some(())
    });
    let told = cluster.node("charlie").ask(&["history", "--documents"]);
    assert!(told.stderr.contains("did not see revisions 2 to 2"), "{}", told.stderr);
    assert!(told.stdout.contains("not kept here"), "{}", told.stdout);
    eventually("the newest document is in the archive", || {
        let place = cluster.node("charlie").state().join("documents/3");
        place.exists().then_some(())
    });
    cluster.stop("charlie");
    let kept = cluster.node("charlie").state().join("documents/1");
    fs::write(&kept, fs::read(&kept).unwrap().split_last().unwrap().1).unwrap();
    let told = cluster.node("charlie").ask(&["history", "--documents"]);
    for words in ["no daemon answers", "nothing before revision 3", "1 damaged"] {
        assert!(told.stderr.contains(words), "{}", told.stderr);
    }
}

#[test]
fn who_edits_second_sees_both_changes_and_has_both_where_no_line_was_changed_twice() {
    let mut cluster = led();
    let before = body(&mut cluster, "bravo");
    let theirs = before.replace("failback: never", "failback: 3m");
    applied(&mut cluster, "alpha", &theirs);
    eventually("bravo has it", || (body(&mut cluster, "bravo") == theirs).then_some(()));
    let mine = written(&cluster, "mine.yaml", &(before.clone() + "# mine\n"));
    let stale = ["apply", &mine, "--revision", "1"];
    let refused = cluster.node("bravo").ask(&stale);
    let words = ["@alpha was the last", "+# mine", "No line was changed by both", "--rebase"];
    refused.refused(1, &words);
    assert!(refused.stderr.contains("+election: {policy: lowest-id, failback: 3m}"));
    let both = theirs.clone() + "# mine\n";
    let rebase = [&stale[..], &["--rebase"]].concat();
    let dry = cluster.node("bravo").ask(&[&rebase[..], &["--dry-run"]].concat()).printed();
    assert!(dry.contains("+# mine") && !dry.contains("failback: never"), "{dry}");
    cluster.node("bravo").ask(&rebase).printed();
    eventually("both changes are had", || (body(&mut cluster, "charlie") == both).then_some(()));
    let clash = before.replace("failback: never", "failback: 55m");
    let clash = written(&cluster, "clash.yaml", &clash);
    let clashing = ["apply", &clash, "--revision", "1", "--rebase"];
    let words = ["Both changed what stands at line", "theirs ", "failback: 55m", "nothing was"];
    cluster.node("bravo").ask(&clashing).refused(1, &words);
    assert_eq!(body(&mut cluster, "bravo"), both);
}
