//! Two changes of one text: both are had, or what overlaps is shown.

use quorate::cli::merge::{Overlap, merge, shown};

const BASE: &str = "a\nb\nc\nd\ne\n";

#[test]
fn changes_in_different_places_are_both_had() {
    assert_eq!(merge(BASE, "a\nB\nc\nd\ne\n", "a\nb\nc\nD\ne\n").unwrap(), "a\nB\nc\nD\ne\n");
    assert_eq!(merge(BASE, "b\nc\nd\ne\n", "a\nb\nc\nd\ne\nf\n").unwrap(), "b\nc\nd\ne\nf\n");
    assert_eq!(merge(BASE, "0\na\nb\nc\nd\ne\n", "a\nb\ne\n").unwrap(), "0\na\nb\ne\n");
}

#[test]
fn the_same_change_by_both_is_had_once() {
    let changed = "a\nB\nc\nd\ne\nf\n";
    assert_eq!(merge(BASE, changed, changed).unwrap(), changed);
    assert_eq!(merge(BASE, "a\nB\nc\nd\ne\n", changed).unwrap(), changed);
}

#[test]
fn a_change_by_one_only_is_what_that_one_wrote() {
    for text in ["", "x", "a\nb\nc\nd\ne", "a\n\nb\nc\nc\nd\ne\n", "e\nd\nc\nb\na\n"] {
        assert_eq!(merge(BASE, BASE, text).unwrap(), text);
        assert_eq!(merge(BASE, text, BASE).unwrap(), text);
        assert_eq!(merge("", "", text).unwrap(), text);
    }
}

#[test]
fn different_changes_of_one_line_overlap_and_are_shown_with_their_place() {
    let overlaps = merge(BASE, "a\nb\nX\nd\ne\n", "a\nb\nY\nd\ne\n").unwrap_err();
    let [base, theirs, mine] = ["c\n", "X\n", "Y\n"].map(str::to_owned);
    assert_eq!(overlaps, [Overlap { line: 3, base, theirs, mine }]);
    let text = shown(&overlaps);
    for words in ["line 3", "was    c", "theirs X", "yours  Y"] {
        assert!(text.contains(words), "{text}");
    }
}

#[test]
fn a_line_changed_by_one_and_removed_by_the_other_overlaps() {
    let overlaps = merge(BASE, "a\nb\nd\ne\n", "a\nb\nY\nd\ne\n").unwrap_err();
    assert!(overlaps[0].theirs.is_empty() && shown(&overlaps).contains("theirs (nothing)"));
}

#[test]
fn what_both_add_at_one_place_overlaps_and_neighbours_do_too() {
    assert!(merge(BASE, "a\nb\nc\nd\ne\nf\n", "a\nb\nc\nd\ne\ng\n").is_err());
    assert!(merge(BASE, "a\nB\nc\nd\ne\n", "a\nb\nC\nd\ne\n").is_err());
}
