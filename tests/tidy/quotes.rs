//! Holds what the documents quote of the daemon's log and of messages to the strings of the source.
//! Never runs anything: it knows what can be said, and the process room what is.

use super::pages::{self, Piece, code_in};
use super::source::{rust_files, strings_of};

/// Fewer letters than these are in many lines.
const LETTERS_MIN: usize = 6;

#[test]
fn every_quoted_line_in_the_documents_is_one_that_the_program_can_say() {
    let sources = rust_files("src");
    let sentences: Vec<Vec<String>> =
        sources.iter().flat_map(|source| strings_of(&source.text)).map(|s| parts(&s)).collect();
    let mut wrong = Vec::new();
    let mut count = 0;
    for page in pages::all() {
        for piece in pages::pieces(&page.text) {
            for (quoted, line) in quotes(piece) {
                count += 1;
                if !sentences.iter().any(|sentence| is_said(sentence, &quoted)) {
                    wrong.push(format!("{}:{line}: {quoted}", page.path));
                }
            }
        }
    }
    assert!(count > 20 && wrong.is_empty(), "{count} lines\n{}", wrong.join("\n"));
}

/// Blocks of `log`, and the first column of tables about what something says.
fn quotes(piece: Piece<'_>) -> Vec<(String, usize)> {
    match piece {
        Piece::Block(line, "log", lines) => {
            lines.into_iter().map(str::to_owned).zip(line..).collect()
        }
        Piece::Prose(line, table) if table.lines().next().is_some_and(is_about_words) => {
            let cells = table.lines().map(|row| row.split('|').nth(1).unwrap_or_default());
            let rows = cells.zip(line..).skip(2);
            rows.flat_map(|(cell, line)| code_in(cell).map(move |code| (code, line))).collect()
        }
        Piece::Block(..) | Piece::Prose(..) | Piece::Hidden(..) => Vec::new(),
    }
}

fn is_about_words(heading: &str) -> bool {
    heading.split('|').nth(1).is_some_and(|cell| cell.trim_end().ends_with("says"))
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
