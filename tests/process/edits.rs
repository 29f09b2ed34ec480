//! The one document, edited while the cluster runs: asked of any node, decided by the master.
//! Never looks at a state file: what `show` prints is what counts.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use serde_json::Value;

use super::cluster::{Cluster, loopback_addresses};
use super::command::QUORATE;
use super::looks::eventually;

/// A cluster of that many nodes, led by alpha, where `edit` runs the script `editor` of the place.
fn led(count: usize) -> Cluster {
    let editor = "VISUAL=".to_owned() + "sh \"$EDITOR_SCRIPT\"";
    let addresses = loopback_addresses(count);
    let script = std::env::temp_dir().join(format!("editor-{}", addresses[0].replace(':', "-")));
    let prefix = ["env".to_owned(), editor, format!("EDITOR_SCRIPT={}", script.display())];
    let mut cluster = Cluster::at(&addresses, &vec![prefix.to_vec(); count], "never");
    cluster.start();
    cluster.settles_on("alpha", &["bravo", "charlie"][..count - 1]);
    cluster
}

fn shown(cluster: &mut Cluster, node: &str) -> (String, u64) {
    let report = cluster.node(node).ask(&["show", "--json"]).printed();
    let report: Value = serde_json::from_str(&report).unwrap();
    (report["body"].as_str().unwrap().to_owned(), report["revision"].as_u64().unwrap())
}

/// A file with the committed text, in which `old` is `new`.
fn changed(cluster: &mut Cluster, old: &str, new: &str) -> (String, PathBuf) {
    let (body, _) = shown(cluster, "alpha");
    assert!(body.contains(old), "{body}");
    let file = cluster.place().join(format!("{}.yaml", new.len()));
    let text = body.replace(old, new);
    fs::write(&file, &text).unwrap();
    (text, file)
}

fn all_have(cluster: &mut Cluster, text: &str) {
    for name in ["alpha", "bravo", "charlie"] {
        eventually(&format!("{name} has the new document"), || {
            (shown(cluster, name).0 == text).then_some(())
        });
    }
}

#[test]
fn a_file_applied_at_a_follower_becomes_the_document_everywhere() {
    let mut cluster = led(3);
    let (_, before) = shown(&mut cluster, "bravo");
    let (text, file) = changed(&mut cluster, "failback: never", "failback: 7m");
    let path = file.to_str().unwrap().to_owned();
    let dry = cluster.node("bravo").ask(&["apply", &path, "--dry-run"]).printed();
    assert!(dry.contains("failback: 7m") && dry.contains("\n-") && dry.contains("\n+"), "{dry}");
    assert_eq!(shown(&mut cluster, "bravo").1, before, "a dry run changes nothing");
    let outcome = cluster.node("bravo").ask(&["apply", &path]);
    assert!(outcome.stderr.contains(&format!("committed as revision {}", before + 1)));
    assert_eq!(outcome.printed(), dry);
    all_have(&mut cluster, &text);
    let again = cluster.node("charlie").ask(&["apply", &path, "--json"]).printed();
    let again: Value = serde_json::from_str(&again).unwrap();
    assert_eq!(
        (&again["outcome"], &again["revision"]),
        (&"unchanged".into(), &(before + 1).into())
    );
}

#[test]
fn of_two_edits_of_one_revision_the_second_is_refused_and_changes_nothing() {
    let mut cluster = led(3);
    let (_, seen) = shown(&mut cluster, "charlie");
    let (text, first) = changed(&mut cluster, "failback: never", "failback: 3m");
    let (_, second) = changed(&mut cluster, "failback: never", "failback: 55m");
    let revision = seen.to_string();
    let apply = |cluster: &mut Cluster, node: &str, file: &PathBuf| {
        let line = ["apply", file.to_str().unwrap(), "--revision", &revision];
        cluster.node(node).ask(&line)
    };
    apply(&mut cluster, "charlie", &first).printed();
    let moved = format!("the document is at revision {} now", seen + 1);
    apply(&mut cluster, "bravo", &second).refused(1, &["nothing was changed", &moved]);
    all_have(&mut cluster, &text);
}

#[test]
fn a_wrong_file_is_refused_with_its_place_and_an_impossible_edit_with_its_reason() {
    let mut cluster = led(3);
    let (before, _) = shown(&mut cluster, "alpha");
    let (_, file) = changed(&mut cluster, "failback: never", "failbock: never");
    let path = file.to_str().unwrap().to_owned();
    let place = format!("{path}:");
    let node = cluster.node("alpha");
    node.ask(&["apply", &path]).refused(65, &[&place, "failbock", "failback"]);
    let (_, file) = changed(&mut cluster, "shop", "shed");
    let path = file.to_str().unwrap().to_owned();
    let words = ["nothing was changed", "cluster, id and generation cannot be edited"];
    cluster.node("bravo").ask(&["apply", &path]).refused(1, &words);
    assert_eq!(shown(&mut cluster, "alpha").0, before);
}

#[test]
fn without_a_majority_no_edit_is_said_to_be_committed() {
    let mut cluster = led(3);
    let (text, file) = changed(&mut cluster, "failback: never", "failback: 4m");
    let path = file.to_str().unwrap().to_owned();
    cluster.crash("bravo");
    cluster.crash("charlie");
    let outcome = cluster.node("alpha").ask(&["apply", &path, "--wait", "1s"]);
    assert_eq!(outcome.code, 75, "{}{}", outcome.stdout, outcome.stderr);
    // It was not, or it was unknown: whoever asks again gets an answer.
    cluster.node("bravo").start();
    cluster.node("charlie").start();
    cluster.settles();
    let outcome = cluster.node("charlie").ask(&["apply", &path, "--wait", "30s"]);
    assert_eq!(outcome.code, 0, "{}{}", outcome.stdout, outcome.stderr);
    all_have(&mut cluster, &text);
}

/// H74: earlier and later each time, between its start and its end.
#[test]
fn an_edit_that_is_interrupted_happens_whole_or_not_at_all() {
    let mut cluster = led(3);
    let mut ends = Vec::new();
    for looks in 0..6 {
        let (before, _) = shown(&mut cluster, "alpha");
        let (text, file) = changed(&mut cluster, "nodes:", &format!("# {looks}\nnodes:"));
        let log = fs::File::create(cluster.place().join("interrupted")).unwrap();
        let words = ["apply", file.to_str().unwrap(), "--wait", "60s"];
        let mut apply = cluster.node("bravo").start_words(&words, log);
        for _ in 0..looks {
            shown(&mut cluster, "charlie");
        }
        apply.signal(rustix::process::Signal::INT);
        ends.push(apply.wait());
        let now = eventually("all show one of the two", || {
            let now = ["alpha", "bravo", "charlie"].map(|name| shown(&mut cluster, name).0);
            (now[0] == now[1] && now[1] == now[2]).then(|| now[0].clone())
        });
        assert!(now == before || now == text, "neither: {now}");
    }
    assert!(ends.iter().all(|code| [0, 130].contains(code)), "{ends:?}");
}

#[test]
fn an_editor_changes_the_document_and_a_mistake_keeps_the_text() {
    let mut cluster = led(3);
    let script = PathBuf::from(cluster.node("alpha").prefix[2].split_once('=').unwrap().1);
    let edit_by = |cluster: &mut Cluster, words: &str| {
        fs::write(&script, format!("{words}\n")).unwrap();
        fs::set_permissions(&script, Permissions::from_mode(0o755)).unwrap();
        let outcome = cluster.node("bravo").ask(&["edit"]);
        fs::remove_file(&script).unwrap();
        outcome
    };
    let (before, seen) = shown(&mut cluster, "bravo");
    let outcome = edit_by(&mut cluster, "true");
    assert!(outcome.stderr.contains("nothing to change"), "{}", outcome.stderr);
    let outcome = edit_by(&mut cluster, "sed -i 's/failback: never/failback: 6m/' \"$1\"");
    assert!(outcome.stderr.contains(&format!("committed as revision {}", seen + 1)));
    assert!(outcome.printed().contains("+election: {policy: lowest-id, failback: 6m}"));
    all_have(&mut cluster, &before.replace("failback: never", "failback: 6m"));
    let outcome = edit_by(&mut cluster, "echo 'no yaml: [' >> \"$1\"");
    outcome.refused(65, &["cluster.yaml:", "your text is kept in "]);
    let kept = outcome.stderr.split_once("your text is kept in ").unwrap().1.trim().to_owned();
    assert!(fs::read_to_string(&kept).unwrap().ends_with("no yaml: [\n"));
    fs::remove_dir_all(PathBuf::from(kept).parent().unwrap()).unwrap();
}

#[test]
fn what_was_typed_goes_on_top_of_what_others_changed_meanwhile_if_that_is_wanted() {
    let mut cluster = led(3);
    let script = PathBuf::from(cluster.node("alpha").prefix[2].split_once('=').unwrap().1);
    let (theirs, file) = changed(&mut cluster, "failback: never", "failback: 3m");
    let socket = cluster.node("bravo").socket();
    let apply = format!("{QUORATE} apply {} --socket {}", file.display(), socket.display());
    let words = format!("{apply} 2>/dev/null >&2; echo '# mine' >> \"$1\"\n");
    fs::write(&script, words).unwrap();
    let outcome = cluster.node("bravo").ask(&["edit", "--rebase"]);
    assert_eq!(outcome.code, 0, "{}{}", outcome.stdout, outcome.stderr);
    all_have(&mut cluster, &(theirs + "# mine\n"));
    let kept = cluster.node("bravo").ask(&["edit"]);
    fs::remove_file(&script).unwrap();
    // The script undoes its own line and adds another at the same place: nobody can merge that.
    kept.refused(1, &["Both changed what stands at line", "your text is kept in "]);
    let kept = kept.stderr.split_once("your text is kept in ").unwrap().1.trim().to_owned();
    fs::remove_dir_all(PathBuf::from(kept).parent().unwrap()).unwrap();
}
