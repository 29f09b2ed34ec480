//! What shells offer to complete: driven in real shells, and held against the table of commands.
//! Never trusts the order of what is offered.

use std::collections::BTreeSet;
use std::path::Path;

use quorate::cli::help::{self, Shelf, TOPICS};

use super::cluster::Cluster;
use super::command::{Outcome, QUORATE, run};
use super::network::tell_skipped;

const NOWHERE: &str = "/nonexistent/quorate.sock";

/// What the program offers in place of the last of `words`.
fn offered(words: &[&str]) -> BTreeSet<String> {
    let socket = ["--socket", NOWHERE, "complete"];
    let line = [QUORATE].into_iter().chain(socket).chain(words.iter().copied());
    let printed = run(&[], line).printed();
    let word = |line: &str| line.split('\t').next().map(str::to_owned);
    printed.lines().filter_map(word).collect()
}

fn set(words: &[&str]) -> BTreeSet<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

#[test]
fn every_command_and_every_flag_of_the_table_is_offered() {
    let first = offered(&[""]);
    let shown = TOPICS.iter().filter(|topic| topic.shelf != Shelf::Internal);
    let mut commands = 0;
    for topic in shown {
        commands += 1;
        let words: Vec<_> = topic.name.split(' ').collect();
        assert!(first.contains(words[0]), "{}", topic.name);
        if let [group, second] = words[..] {
            assert!(offered(&[group, ""]).contains(second), "{}", topic.name);
        }
        let flags = offered(&[&words[..], &["--"]].concat());
        let table = topic.every_flag().map(|flag| format!("--{}", flag.long));
        assert_eq!(flags, table.collect(), "{}", topic.name);
    }
    assert!(commands > 30, "{commands}");
    assert!(!first.contains("run-keeper") && !first.contains("complete"));
}

#[test]
fn a_word_is_completed_by_what_stands_before_it() {
    assert_eq!(offered(&["sta"]), set(&["standby", "status"]));
    assert_eq!(offered(&["status", "--w"]), set(&["--watch"]));
    assert_eq!(offered(&["maintenance", ""]), set(&["on", "off"]));
    assert_eq!(offered(&["--socket", "/s", "maintenance", "--for", "1h", "of"]), set(&["off"]));
    assert_eq!(offered(&["run", "--while", ""]), set(&["master", "backup"]));
    assert_eq!(offered(&["run", "--while=b"]), set(&["--while=backup"]));
    assert_eq!(offered(&["invite", "--role", "w"]), set(&["witness"]));
    assert_eq!(offered(&["wait", "--for", "q"]), set(&["quorum"]));
    assert_eq!(offered(&["completions", ""]), set(&["bash", "zsh", "fish"]));
    assert_eq!(offered(&["man", ""]), set(&["1", "5", "8"]));
    assert_eq!(offered(&["service", ""]), set(&["openrc", "runit", "systemd"]));
    assert_eq!(offered(&["hook", "test", "f"]), set(&["fence"]));
    assert!(offered(&["explain", ""]).contains("who"));
    assert!(!offered(&["status", "--watch", "--"]).contains("--watch"), "it is given already");
    let nothing = [
        &["status", ""][..],
        &["run", "--", "ls", "--"],
        &["nonsense", ""],
        &["transfer", ""],
        &["backup", ""],
    ];
    for words in nothing {
        assert_eq!(offered(words), BTreeSet::new(), "{words:?}");
    }
}

/// What bash offers at the end of `line`, whose program is the one under test.
fn in_bash(line: &str) -> BTreeSet<String> {
    let script = "source <(\"$1\" completions bash) || exit 3
        COMP_LINE=$2 COMP_POINT=${#2} COMP_WORDS=($2)
        complete -p quorate >/dev/null || exit 4
        _quorate \"$1\"
        printf '%s\\n' \"${COMPREPLY[@]}\"";
    let printed = run(&[], ["bash", "-uc", script, "bash", QUORATE, line]);
    assert_eq!(printed.stderr, "", "{line}");
    printed.printed().lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

#[test]
fn bash_completes_commands_flags_and_the_names_of_nodes() {
    assert_eq!(in_bash("quorate sta"), set(&["standby", "status"]));
    assert_eq!(in_bash("quorate node r"), set(&["remove"]));
    assert_eq!(in_bash("quorate status --js"), set(&["--json"]));
    assert_eq!(in_bash("quorate run --while=b"), set(&["backup"]));
    let cluster = Cluster::of(2);
    cluster.settles();
    let socket = cluster.nodes[0].socket().display().to_string();
    let line = format!("quorate --socket {socket} transfer ");
    assert_eq!(in_bash(&line), set(&["alpha", "bravo"]));
    assert_eq!(in_bash(&format!("quorate --socket {socket} wait --for master=b")), set(&["bravo"]));
    assert_eq!(in_bash(&format!("quorate --socket {NOWHERE} transfer ")), BTreeSet::new());
}

/// Runs a shell, or says that there is none.
fn shell(name: &str, words: &[&str]) -> Option<Outcome> {
    let outcome = run(&[], ["env", name].iter().chain(words));
    if outcome.code == 127 {
        tell_skipped(&format!("there is no {name}: its completions are not tried"));
        return None;
    }
    Some(outcome)
}

#[test]
fn zsh_takes_its_completions() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("_quorate");
    std::fs::write(&file, run(&[], [QUORATE, "completions", "zsh"]).printed()).unwrap();
    let Some(syntax) = shell("zsh", &["-n", file.to_str().unwrap()]) else { return };
    assert_eq!((syntax.code, syntax.stderr.as_str()), (0, ""));
    let load = "fpath=($1 $fpath); autoload -Uz compinit; compinit -u -d $1/dump
        [[ $_comps[quorate] == _quorate ]]
        # Stands for the widget of the line editor, which is not there.
        _describe() { print -rl -- \"${(@P)2}\" }
        _files() { print files }
        words=($2 status --js) CURRENT=3 PREFIX=--js; autoload +X _quorate
        source $1/_quorate; _quorate";
    let words = ["-fc", load, "zsh", place.path().to_str().unwrap(), QUORATE];
    let said = shell("zsh", &words).expect("it was there a moment ago");
    let flag = help::find("status").unwrap().flag("json").unwrap();
    assert_eq!(said.stdout, format!("--json:{}\n", flag.about), "{}", said.stderr);
    assert_eq!(said.code, 0, "{}", said.stderr);
}

#[test]
fn fish_takes_its_completions() {
    let programs = Path::new(QUORATE).parent().unwrap().to_str().unwrap();
    let ask = "set -x PATH $argv[1] $PATH; quorate completions fish | source
        complete -C 'quorate status --js'; complete -C 'quorate node r'";
    let Some(said) = shell("fish", &["--no-config", "-c", ask, programs]) else { return };
    let flag = help::find("status").unwrap().flag("json").unwrap();
    let remove = help::find("node remove").unwrap().summary;
    assert_eq!(said.stdout, format!("--json\t{}\nremove\t{remove}\n", flag.about), "{said:?}");
}
