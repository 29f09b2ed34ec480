//! Compares the commands that the README shows with those that the program has.
//! Never runs a shown command; the process room does.

use std::collections::BTreeSet;
use std::process::Command;

use super::source::root;

#[test]
fn the_readme_shows_only_commands_that_exist() {
    let known = help_words();
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let shown = shown_commands(&readme);
    let unknown: Vec<_> = shown.difference(&known).collect();
    assert!(shown.len() > 5, "the README shows {shown:?} only");
    assert!(unknown.is_empty(), "`quorate --help` does not know {unknown:?}");
}

/// The word after `quorate` in code: in a fenced block or between backticks.
fn shown_commands(readme: &str) -> BTreeSet<String> {
    let mut shown = BTreeSet::new();
    // Odd pieces between backticks are code, also for the three of a fence.
    for code in readme.replace("```", "`").split('`').skip(1).step_by(2) {
        for (at, _) in code.match_indices("quorate ") {
            let is_command = at == 0 || code[..at].ends_with([' ', '\n', '(']);
            let word: String = code[at + "quorate ".len()..]
                .chars()
                .take_while(|c| c.is_ascii_lowercase() || *c == '-')
                .collect();
            if is_command && !word.is_empty() && !word.starts_with('-') {
                shown.insert(word);
            }
        }
    }
    shown
}

#[expect(clippy::disallowed_methods, reason = "asks the built program for its own help")]
fn help_words() -> BTreeSet<String> {
    let output = Command::new(env!("CARGO_BIN_EXE_quorate")).arg("--help").output();
    let output = output.expect("the built program can be started");
    assert!(output.status.success(), "`quorate --help` failed");
    let text = String::from_utf8_lossy(&output.stdout);
    text.split(|c: char| !c.is_ascii_lowercase() && c != '-').map(str::to_owned).collect()
}

#[test]
fn commands_are_found_in_code_and_not_in_prose() {
    let text = "quorate is calm. Run `quorate status --json`:\n```\n$ quorate serve\n```\n";
    let wanted = BTreeSet::from(["serve".to_owned(), "status".to_owned()]);
    assert_eq!(shown_commands(text), wanted);
}
