//! `quorate hook test`: what would run is shown, and run once, for real.
//! Never needs more than one node.

use std::env::current_exe;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use serde_json::Value;

use super::cluster::Cluster;
use super::command::run;
use super::network::apart;
use super::node::Node;

/// One node, not started, with a script as each of these hooks.
fn hooked(names: &[&str], script: &str, more: &str) -> Cluster {
    let mut cluster = Cluster::founded(1, "never");
    let node = cluster.node("alpha");
    let program = program(node);
    fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
    let path = node.home.join("node.yaml");
    let mut text = fs::read_to_string(&path).unwrap();
    text.push_str("hooks:\n");
    for name in names {
        text.push_str(&format!("  {name}: [{program:?}, own word]\n"));
    }
    fs::write(&path, format!("{text}{more}\n")).unwrap();
    cluster
}

fn program(node: &Node) -> PathBuf {
    node.home.join("hook")
}

const TELL_ALL: &str = "echo \"argv $*\"\nenv | sort | sed 's/^/env /'\nsed 's/^/stdin /'\n\
                        echo \"cwd $(pwd)\"\necho 'to standard error' >&2";

#[test]
fn a_hook_is_shown_as_it_would_run_without_a_daemon_and_does_not_run() {
    let mut cluster = hooked(&["master"], "touch \"$0.ran\"", "");
    let node = cluster.node("alpha");
    let shown = node.ask(&["hook", "test", "master", "--dry-run"]).printed();
    let argv =
        format!("argv     \"{}\" \"own word\" \"master\" \"master\"", program(node).display());
    let wanted =
        ["facts    an example: ", "file     sound", &argv, "timeout  30s", "QUORATE_ROLE=master"];
    for words in wanted {
        assert!(shown.contains(words), "no `{words}` in: {shown}");
    }
    assert!(!node.home.join("hook.ran").exists());
}

#[test]
fn a_hook_runs_with_what_was_shown_and_with_nothing_else() {
    let mut cluster = hooked(&["master"], TELL_ALL, "");
    cluster.start();
    let (_, term) = cluster.settles();
    let node = cluster.node("alpha");
    let outcome = node.ask(&["hook", "test", "master"]);
    assert!(outcome.stderr.contains("to standard error"), "{}", outcome.stderr);
    let told = outcome.printed();
    assert!(told.contains("\nargv own word master master shop\n"), "{told}");
    assert!(told.contains("\ncwd /\n") && told.contains("facts    of alpha, as its daemon says"));
    assert!(told.contains("it succeeded, with exit code 0, after "), "{told}");
    let given = |prefix: &str| {
        let of_line = |line: &str| line.strip_prefix(prefix).map(str::to_owned);
        let mut found: Vec<_> = told.lines().filter_map(of_line).collect();
        found.sort();
        found
    };
    // The shell adds these by itself.
    let is_shells =
        |line: &String| ["PWD=", "_=", "SHLVL="].iter().any(|own| line.starts_with(own));
    let mut environment = given("env ");
    environment.retain(|line| !is_shells(line));
    assert_eq!(environment, given("    "), "{told}");
    assert!(environment.contains(&format!("QUORATE_TERM={term}")), "{told}");
    let stdin: Value = serde_json::from_str(&given("stdin ")[0]).unwrap();
    assert_eq!((&stdin["schema"], &stdin["term"]), (&Value::from(1), &Value::from(term)));
    assert_eq!(stdin["master"], Value::from("alpha"));
}

#[test]
fn a_node_whose_session_began_outside_its_process_namespace_acts_and_runs_its_hooks() {
    let Some(prefix) = apart() else { return };
    let mut line = vec![current_exe().unwrap().to_str().unwrap().to_owned(), "--exact".to_owned()];
    let again = "process::hooks_tried::a_hook_runs_with_what_was_shown_and_with_nothing_else";
    line.push(again.to_owned());
    let told = run(&prefix, line).printed();
    assert!(told.contains(" 1 passed; 0 failed"), "{told}");
}

#[test]
fn a_hook_that_contradicts_the_role_needs_force() {
    let mut cluster = hooked(&["master", "backup"], "exit 0", "");
    let node = cluster.node("alpha");
    let words = ["nobody knows whether this node is master", "--force", "--dry-run"];
    node.ask(&["hook", "test", "master"]).refused(107, &words);
    node.ask(&["hook", "test", "master", "--force"]).printed();
    cluster.start();
    cluster.settles();
    let node = cluster.node("alpha");
    node.ask(&["hook", "test", "backup"]).refused(107, &["this node is master, and"]);
    node.ask(&["hook", "test", "master"]).printed();
}

#[test]
fn how_a_hook_ended_is_told_by_words_and_exit_code() {
    let cases = [
        ("exit 7", 1, "it failed, with exit code 7, after "),
        ("kill -9 $$", 1, "it failed, ended by signal 9, after "),
        ("sleep 1000", 124, "it was killed, not over within 1s, after "),
    ];
    for (script, code, words) in cases {
        let mut cluster = hooked(&["event"], script, "  timeout: 1s");
        let outcome = cluster.node("alpha").ask(&["hook", "test", "event"]);
        assert_eq!(outcome.code, code, "{outcome:?}");
        assert!(outcome.stdout.contains(words), "{}", outcome.stdout);
    }
}

#[test]
fn what_would_be_refused_is_not_tried_and_says_why() {
    let mut cluster = hooked(&["event"], "touch \"$0.ran\"", "");
    let node = cluster.node("alpha");
    fs::set_permissions(program(node), Permissions::from_mode(0o777)).unwrap();
    let checked = node.ask(&["config", "check"]).printed();
    let warning = "warning: hooks.event would not be run here: ";
    assert!(checked.contains(warning) && checked.contains("chmod go-w"), "{checked}");
    for more in ["--dry-run", "--force"] {
        let outcome = node.ask(&["hook", "test", "event", more]);
        outcome.refused(1, &["it would not be run", "can be changed by everybody", "chmod go-w"]);
        assert!(outcome.stdout.contains("file     REFUSED: "), "{}", outcome.stdout);
    }
    assert!(!node.home.join("hook.ran").exists());
    node.ask(&["hook", "test", "master"]).refused(78, &["names no program for hooks.master"]);
    node.ask(&["hook", "test", "no-quorum"]).refused(2, &["hook test no_quorum"]);
    node.ask(&["hook", "test"]).refused(2, &["NAME is missing: master, backup"]);
}
