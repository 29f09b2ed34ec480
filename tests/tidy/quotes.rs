//! Holds what the documents quote of the daemon's log and of messages to the strings of the source.
//! Never runs anything: it knows what can be said, and the process room what is.

use super::pages::{self, Piece};
use super::source::{rust_files, strings_of};

/// Fewer letters than these are in many lines.
const LETTERS_MIN: usize = 7;

#[test]
fn every_quoted_line_in_the_documents_is_one_that_the_program_can_say() {
    let sources = rust_files("src");
    let sentences: Vec<Vec<String>> =
        sources.iter().flat_map(|source| strings_of(&source.text)).map(|s| parts(&s)).collect();
    let mut wrong = Vec::new();
    let mut count = 0;
    for page in pages::all() {
        for piece in pages::pieces(&page.text) {
            let Piece::Block(line, "log", lines) = piece else { continue };
            for (quoted, line) in lines.iter().zip(line..) {
                count += 1;
                if !sentences.iter().any(|sentence| is_said(sentence, quoted)) {
                    wrong.push(format!("{}:{line}: {quoted}", page.path));
                }
            }
        }
    }
    assert!(count > 20 && wrong.is_empty(), "{count} lines\n{}", wrong.join("\n"));
}

/// What stands between the places of a string at which something is filled in.
fn parts(string: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut depth = 0_usize;
    for c in string.chars() {
        match c {
            '{' => depth += 1,
            '}' => {
                depth = depth.saturating_sub(1);
                parts.push(String::new());
            }
            c if depth == 0 => parts.last_mut().expect("there is always one").push(c),
            _ => {}
        }
    }
    parts
}

/// Whether the line is that sentence, or begins with it, with something filled in.
fn is_said(sentence: &[String], quoted: &str) -> bool {
    let letters = sentence.iter().flat_map(|part| part.chars()).filter(|c| c.is_alphabetic());
    if letters.count() < LETTERS_MIN || !quoted.starts_with(&sentence[0]) {
        return false;
    }
    let (mut rest, is_cut) = quoted.strip_suffix('…').map_or((quoted, false), |rest| (rest, true));
    let mut letters = 0;
    for part in sentence {
        match rest.split_once(part.as_str()) {
            Some((_, after)) => rest = after,
            // What is left out at the end need not be known; but some of it must be.
            None => return is_cut && letters >= LETTERS_MIN,
        }
        letters += part.chars().filter(|c| c.is_alphabetic()).count();
    }
    true
}

#[test]
fn a_line_is_known_by_what_is_always_in_it() {
    let known = |string: &str, quoted| is_said(&parts(string), quoted);
    assert!(known("cannot reach {peer}: {error}", "cannot reach bravo: refused"));
    assert!(known("{peer} fell silent", "bravo fell silent"));
    assert!(!known("{peer} fell silent", "bravo is silent"));
    assert!(!known("cannot reach {peer}: {error}", "it cannot reach bravo: refused"));
    assert!(!known("{}: {}", "cannot reach bravo: refused"));
}
