//! Pairs the promises in the protocol's front page with the spec tests that name them.
//! Never checks that a promise is kept; the named tests do.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use super::source::{Source, root, rust_files};

/// A spec test names what it shows in a doc comment line of this form, right above the test.
const MARK: &str = "/// Promises: ";

#[test]
fn every_promise_is_named_by_a_spec_test() {
    let named: BTreeSet<String> = spec_claims().into_values().flatten().collect();
    let orphans: Vec<_> = promises().difference(&named).cloned().collect();
    assert!(orphans.is_empty(), "no spec test says `{MARK}…` for {orphans:?}");
}

#[test]
fn every_promise_a_spec_test_names_exists() {
    let promises = promises();
    for (test, claimed) in spec_claims() {
        let unknown: Vec<_> = claimed.difference(&promises).collect();
        assert!(unknown.is_empty(), "{test} names {unknown:?}, unknown in src/protocol/mod.rs");
    }
}

#[test]
fn every_promise_mark_stands_above_a_test() {
    for source in rust_files("tests/spec") {
        let marks = source.text.lines().filter(|line| line.trim().starts_with(MARK.trim())).count();
        let claims = claims(&source);
        assert_eq!(marks, claims.len(), "{}: a mark without a #[test] below it", source.path);
    }
}

#[test]
fn the_protocol_lists_its_promises_in_order() {
    let listed = listed();
    let wanted: Vec<_> = (1..=listed.len()).map(|n| format!("P{n}")).collect();
    assert!(listed.len() >= 12, "the front page lists {listed:?} only");
    assert_eq!(listed, wanted);
}

/// The promises of the protocol's front page.
fn promises() -> BTreeSet<String> {
    listed().into_iter().collect()
}

/// The same in the order of the page.
fn listed() -> Vec<String> {
    let front = fs::read_to_string(root().join("src/protocol/mod.rs"));
    front.expect("the protocol has a front page").lines().filter_map(promise).collect()
}

/// `//! - **P1 One master.** …` lists `P1`.
fn promise(line: &str) -> Option<String> {
    let rest = line.strip_prefix("//! - **P")?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    (!digits.is_empty()).then(|| format!("P{digits}"))
}

/// What each test of the spec room claims to show.
fn spec_claims() -> BTreeMap<String, BTreeSet<String>> {
    rust_files("tests/spec").iter().flat_map(claims).collect()
}

fn claims(source: &Source) -> Vec<(String, BTreeSet<String>)> {
    let mut found = Vec::new();
    let mut claimed: Option<BTreeSet<String>> = None;
    let mut is_test = false;
    for line in source.text.lines().map(str::trim) {
        if let Some(list) = line.strip_prefix(MARK) {
            claimed = Some(list.trim_end_matches('.').split(", ").map(str::to_owned).collect());
        } else if line == "#[test]" {
            is_test = true;
        } else if let Some(rest) = line.strip_prefix("fn ") {
            let name = rest.split('(').next().unwrap_or_default();
            if let (true, Some(claimed)) = (is_test, claimed.take()) {
                found.push((format!("{}::{name}", source.path), claimed));
            }
            is_test = false;
        } else if !line.starts_with("///") && !line.starts_with("#[") {
            (claimed, is_test) = (None, false);
        }
    }
    found
}

#[test]
fn a_promise_mark_is_read_with_its_test() {
    let text =
        "/// Sentence.\n/// Promises: P1, P7\n#[test]\nfn a_b() {\n}\n/// Promises: P2\nfn c()";
    let source = Source { path: "x.rs".to_owned(), text: text.to_owned() };
    let wanted = BTreeSet::from(["P1".to_owned(), "P7".to_owned()]);
    assert_eq!(claims(&source), [("x.rs::a_b".to_owned(), wanted)]);
}
