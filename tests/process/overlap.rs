//! The checkers find what they are there to find, in made-up logs.
//! Never starts a daemon; every cluster of this room is checked by it when its test ends.

use std::path::Path;

use super::checker::{Verdict, check, check_shared};

/// Writes logs into a fresh place and checks them.
fn verdict(logs: &[&str]) -> Option<Verdict> {
    let place = tempfile::tempdir().unwrap();
    let paths: Vec<_> = (0..logs.len()).map(|n| place.path().join(format!("{n}.log"))).collect();
    for (path, text) in paths.iter().zip(logs) {
        std::fs::write(path, text).unwrap();
    }
    check(&paths.iter().map(AsRef::<Path>::as_ref).collect::<Vec<_>>())
}

/// The logs are fine: nobody acted at one time with another.
fn is_clean(logs: &[&str]) {
    let Some(verdict) = verdict(logs) else { return };
    assert_eq!(verdict.code, 0, "{}", verdict.words);
    assert!(verdict.words.contains("overlap: 0 ns"), "{}", verdict.words);
}

/// The checker ends with `code` and says `words`.
fn is_refused(logs: &[&str], code: i32, words: &str) {
    let Some(verdict) = verdict(logs) else { return };
    assert_eq!(verdict.code, code, "{}", verdict.words);
    assert!(verdict.words.contains(words), "{}", verdict.words);
}

const ALPHA: &str = "\
10 open 0 0 alpha 7 boot=b
100 begin 1 200 alpha 7
150 extend 1 250 alpha 7
180 end 1 180 alpha 7
";

#[test]
fn a_successor_that_begins_at_the_end_does_not_overlap() {
    is_clean(&[ALPHA, "180 begin 2 300 bravo 8\n"]);
}

#[test]
fn one_nanosecond_of_two_masters_is_found() {
    is_refused(&[ALPHA, "179 begin 2 300 bravo 8\n"], 1, "overlap: 1 ns");
}

#[test]
fn a_killed_master_may_have_acted_until_the_last_end_it_was_given() {
    let killed = ALPHA.lines().take(3).map(|line| format!("{line}\n")).collect::<String>();
    is_refused(&[&killed, "200 begin 2 300 bravo 8\n"], 1, "overlap: 50 ns");
    is_clean(&[&killed, "250 begin 2 300 bravo 8\n"]);
}

#[test]
fn an_end_that_was_drawn_in_counts_from_then_on() {
    let shorter = "100 begin 1 300 alpha 7\n150 extend 1 200 alpha 7\n";
    is_clean(&[shorter, "200 begin 2 300 bravo 8\n"]);
    is_refused(&[shorter, "199 begin 2 300 bravo 8\n"], 1, "overlap: 1 ns");
}

#[test]
fn a_restarted_node_continues_its_log_and_does_not_double_itself() {
    let twice = "100 begin 1 200 alpha 7\n120 open 0 0 alpha 9 boot=b\n150 begin 2 250 alpha 9\n";
    is_clean(&[twice, "250 begin 3 300 bravo 8\n"]);
    is_refused(&[twice, "240 begin 3 300 bravo 8\n"], 1, "overlap: 10 ns");
}

#[test]
fn a_term_that_is_begun_twice_is_found() {
    is_refused(&[ALPHA, "500 begin 1 600 bravo 8\n"], 1, "TERMS DO NOT RISE");
}

#[test]
fn events_and_pairs_of_later_releases_are_passed_over() {
    is_clean(&[
        &format!("{ALPHA}190 spawned 1 200 alpha 7 child=12\n"),
        "200 begin 2 300 bravo 8 x=y\n",
    ]);
}

#[test]
fn logs_that_cannot_tell_prove_nothing() {
    is_refused(&[ALPHA, "200 lost 0 0 bravo 8 count=3\n"], 2, "bravo lost 3 lines");
    is_refused(&[ALPHA, "200 begin 2"], 2, "not a whole line");
    is_refused(&[ALPHA, "10 open 0 0 bravo 8 boot=c\n"], 2, "more than one boot");
    is_refused(&["10 open 0 0 alpha 7 boot=b\n"], 2, "masterships: 0");
}

/// What children of one master after the other wrote, and how the checker ends.
fn is_told(written: &str, code: i32, words: &str) {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("shared");
    std::fs::write(&file, written).unwrap();
    let Some(verdict) = check_shared(&file) else { return };
    assert_eq!(verdict.code, code, "{}", verdict.words);
    assert!(verdict.words.contains(words), "{}", verdict.words);
}

#[test]
fn a_child_that_writes_after_its_successor_is_found() {
    is_told("1 a first 5\n1 a orphan 6\n2 b first 7\n", 0, "out of order: 0");
    is_told("1 a first 5\n2 b first 7\n1 a orphan 8\n", 1, "a wrote token 1 after 2");
    is_told("1 a first 5\n1 b first 7\n", 1, "TWO OWNERS");
    is_told("", 2, "lines: 0");
}

#[test]
fn a_hook_that_begins_before_the_last_one_is_undone_is_found() {
    let begun = "1 a hook-master 5\n1 a orphan 6\n";
    is_told(&format!("{begun}1 a hook-backup 7\n2 b hook-master 8\n"), 0, "out of order: 0");
    is_told(&format!("{begun}2 b hook-backup 7\n2 b hook-master 8\n"), 1, "NOT UNDONE: b began");
    // Undone, and yet it acts beside the next one.
    let outlived = format!("{begun}1 a hook-backup 7\n2 b hook-master 8\n1 a orphan 9\n");
    is_told(&outlived, 1, "a wrote token 1 after 2");
}

#[test]
fn a_hook_that_begins_again_on_its_node_and_undoes_twice_is_no_failure() {
    let again = "1 a hook-master 5\n1 a hook-master 6\n1 a hook-backup 7\n0 a hook-backup 8\n";
    is_told(&format!("{again}2 b hook-master 9\n"), 0, "out of order: 0");
    is_told(&format!("{again}1 b hook-master 9\n"), 1, "TWO OWNERS of token 1");
}
