//! `hooks` of node.yaml: which programs a node may start, and what it is told when that is wrong.

use std::time::Duration;

use quorate::settings::hooks::{ArgvStyle, HookName, Hooks, OnFail};
use quorate::settings::{node, node_check};

fn hooks(text: &str) -> Hooks {
    let text = format!("id: a\nhooks: {text}\n");
    node::parse(&text, "node.yaml").expect("the file must be accepted").hooks.expect("it has hooks")
}

fn refusal(text: &str) -> String {
    let text = format!("id: a\nhooks: {text}\n");
    node::parse(&text, "node.yaml").expect_err("the file must be refused").to_string()
}

fn notes(text: &str) -> String {
    let text = format!("id: a\n{text}\n");
    node_check(&node::parse(&text, "node.yaml").expect("the file must be accepted")).join("\n")
}

#[test]
fn what_hooks_leave_out_has_defaults() {
    let hooks = hooks("{master: [/hooks/m, --up, two words]}");
    let words = ["/hooks/m", "--up", "two words"].map(str::to_owned);
    assert_eq!(hooks, Hooks { master: Some(words.to_vec()), ..Hooks::default() });
    assert_eq!((hooks.timeout, hooks.retries), (Duration::from_secs(30), 2));
    assert_eq!((hooks.on_fail, hooks.argv), (OnFail::StepDown, ArgvStyle::Quorate));
}

#[test]
fn every_hook_is_found_by_its_key() {
    let hooks = hooks("{master: [/m], backup: [/b], no_quorum: [/n], event: [/e], fence: [/f]}");
    let programs = HookName::ALL.map(|name| hooks.command(name).expect("all have one")[0].clone());
    assert_eq!(programs, ["/m", "/b", "/n", "/e", "/f"]);
    for name in HookName::ALL {
        assert_eq!(HookName::parse(name.word()), Some(name));
    }
    assert_eq!(HookName::parse("no-quorum"), None);
}

#[test]
fn every_word_of_the_choices_is_read() {
    for on_fail in [OnFail::Retry, OnFail::StepDown, OnFail::Ignore] {
        assert_eq!(hooks(&format!("{{on_fail: {}}}", on_fail.word())).on_fail, on_fail);
    }
    for argv in [ArgvStyle::Quorate, ArgvStyle::Keepalived] {
        assert_eq!(hooks(&format!("{{argv: {}}}", argv.word())).argv, argv);
    }
    let odd = hooks("{timeout: 10m, retries: 10}");
    assert_eq!((odd.timeout, odd.retries), (Duration::from_secs(600), 10));
    assert_eq!(hooks("{retries: 0, timeout: 1s}").retries, 0);
}

#[test]
fn a_command_is_a_list_of_words_and_begins_with_a_whole_path() {
    let cases = [
        ("{master: /hooks/m}", "2:17: `master` must be a list, and is text"),
        ("{master: /hooks/m a}", "write it as a list of words: [\"/hooks/m\", \"a\"]"),
        ("{master: []}", "2:17: `master` names no program"),
        ("{master: [hooks/m]}", "2:18: item 1 is `hooks/m`: no path from the root"),
        ("{master: [/hooks/m, 5]}", "2:28: item 2 must be text, and is a number"),
        ("{master: [/hooks/m, 5]}", "put it in quotes"),
        ("{master: [/hooks/m, \"a\\0\"]}", "item 2 has a zero byte in it"),
        ("{master: {run: /hooks/m}}", "2:17: `master` must be a list, and is a mapping"),
    ];
    for (text, words) in cases {
        assert!(refusal(text).contains(words), "{}", refusal(text));
    }
    let long = format!("{{master: [/m{}]}}", ", a".repeat(64));
    assert!(refusal(&long).contains("more than 64 words"));
    let large = format!("{{master: [/m, \"{}\"]}}", "a".repeat(8_192));
    assert!(refusal(&large).contains("longer than 8192 bytes"));
}

#[test]
fn what_hooks_cannot_be_is_refused_with_its_place() {
    let cases = [
        ("{timeout: 999ms}", "2:18: `timeout` must be 1s to 10m, and is 999ms"),
        ("{timeout: 11m}", "`timeout` must be 1s to 10m, and is 11m"),
        ("{timeout: 30}", "2:18: `timeout` is `30`, without a unit"),
        ("{retries: 11}", "2:18: `retries` must be 0 to 10, and is 11"),
        ("{on_fail: stepdown}", "unknown word `stepdown`, did you mean `step-down`?"),
        ("{argv: patroni}", "the words here are: quorate, keepalived"),
        ("{bakup: [/b]}", "2:9: unknown key `bakup`, did you mean `backup`?"),
        ("[/hooks/m]", "2:8: `hooks` must be a mapping, and is a list"),
    ];
    for (text, words) in cases {
        assert!(refusal(text).contains(words), "{}", refusal(text));
    }
}

#[test]
fn a_check_says_what_hooks_do_and_what_is_unwise() {
    let both = notes("hooks: {master: [/m], backup: [/b], retries: 4, timeout: 5s}");
    assert!(both.contains("hooks: master, backup; each is given 5s and tried 5 times"), "{both}");
    assert!(!both.contains("warning"), "{both}");
    let alone = notes("hooks: {master: [/m]}");
    assert!(alone.contains("warning: `hooks` has `master` and no `backup`"), "{alone}");
    let none = notes("hooks: {timeout: 5s}");
    assert!(none.contains("warning: `hooks` names no program"), "{none}");
}
