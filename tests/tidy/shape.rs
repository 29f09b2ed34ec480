//! Keeps files small, lines short, first lines telling and test names sentences.
//! Never measures functions; clippy does.

use super::source::{Source, rust_files};

/// Lines of a file, comments and blanks included.
const LINES_MAX: usize = 500;
/// Lines of a file that are neither blank nor only a comment.
const CODE_LINES_MAX: usize = 400;
/// Characters of a line.
const COLUMNS_MAX: usize = 100;

#[test]
fn no_file_outgrows_one_idea() {
    let large: Vec<_> = everything()
        .filter(|s| s.text.lines().count() > LINES_MAX || code_lines(s) > CODE_LINES_MAX)
        .map(|s| format!("{}: {} lines, {} code", s.path, s.text.lines().count(), code_lines(&s)))
        .collect();
    assert!(large.is_empty(), "split by idea:\n{}", large.join("\n"));
}

#[test]
fn no_line_is_wider_than_a_hundred_columns() {
    let mut wide = Vec::new();
    for source in everything() {
        for (index, line) in source.text.lines().enumerate() {
            // A row of a table in the documentation cannot be folded.
            if line.chars().count() > COLUMNS_MAX && !line.starts_with("//! |") {
                wide.push(format!("{}:{}", source.path, index + 1));
            }
        }
    }
    assert!(wide.is_empty(), "wider than {COLUMNS_MAX} columns:\n{}", wide.join("\n"));
}

#[test]
fn every_module_starts_by_saying_what_it_owns() {
    for source in everything() {
        let first = source.text.lines().next().unwrap_or_default();
        let sentence = first.strip_prefix("//! ").unwrap_or_default();
        assert!(sentence.len() > 5, "{} does not start with a //! sentence", source.path);
    }
}

#[test]
fn every_test_is_named_by_a_sentence() {
    for source in rust_files("tests") {
        let code = source.code();
        for test in code.split("#[test]").skip(1) {
            let name = test.split_once("fn ").map_or("", |(_, rest)| rest);
            let name = name.split('(').next().unwrap_or_default();
            let is_sentence = name.matches('_').count() >= 2 && !name.starts_with("test_");
            assert!(is_sentence, "{}: `{name}` is not a sentence", source.path);
        }
    }
}

fn everything() -> impl Iterator<Item = Source> {
    rust_files("src").into_iter().chain(rust_files("tests"))
}

fn code_lines(source: &Source) -> usize {
    let is_code = |line: &&str| !line.trim().is_empty() && !line.trim().starts_with("//");
    source.text.lines().filter(is_code).count()
}
