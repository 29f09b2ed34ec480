//! How the difference of two texts is shown.

use quorate::cli::difference::difference;

const NAMES: [&str; 2] = ["old", "new"];

#[test]
fn what_is_the_same_has_no_difference() {
    assert_eq!(difference("a\nb\n", "a\nb\n", NAMES), "");
    assert_eq!(difference("", "", NAMES), "");
}

#[test]
fn a_changed_line_is_shown_with_two_lines_around_it() {
    let old = "1\n2\n3\n4\n5\n6\n7\n";
    let new = "1\n2\n3\nfour\n5\n6\n7\n";
    let wanted = "--- old\n+++ new\n@@ -2,5 +2,5 @@\n 2\n 3\n-4\n+four\n 5\n 6\n";
    assert_eq!(difference(old, new, NAMES), wanted);
}

#[test]
fn changes_far_from_each_other_are_shown_apart() {
    let old: String = (1..=20).map(|line| format!("{line}\n")).collect();
    let new = old.replacen("3\n", "", 1).replace("18\n", "18\nmore\n");
    let wanted = "--- old\n+++ new\n@@ -1,5 +1,4 @@\n 1\n 2\n-3\n 4\n 5\n\
                  @@ -17,4 +16,5 @@\n 17\n 18\n+more\n 19\n 20\n";
    assert_eq!(difference(&old, &new, NAMES), wanted);
}

#[test]
fn all_of_a_text_may_come_or_go() {
    assert_eq!(difference("", "a\nb\n", NAMES), "--- old\n+++ new\n@@ -0,0 +1,2 @@\n+a\n+b\n");
    assert_eq!(difference("a\n", "", NAMES), "--- old\n+++ new\n@@ -1,1 +0,0 @@\n-a\n");
}

#[test]
fn the_difference_of_two_huge_texts_is_all_of_both() {
    let old: String = (0..3000).map(|line| format!("old {line}\n")).collect();
    let new: String = (0..3000).map(|line| format!("new {line}\n")).collect();
    let shown = difference(&old, &new, NAMES);
    assert_eq!(shown.lines().filter(|line| line.starts_with("-old")).count(), 3000);
    assert_eq!(shown.lines().filter(|line| line.starts_with("+new")).count(), 3000);
}
