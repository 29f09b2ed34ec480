//! Follows what the documents point at: links, files of the repository, codes.
//! Never follows a link out of the repository.

use std::collections::BTreeSet;

use quorate::cli::help;
use quorate::wire::codes;

use super::pages::{self, Page, Piece, code_in, links_in};
use super::source::root;

/// Words of the documents that look like a code and are none: other programs' words, and this
/// one's outside of the table of codes.
const OTHER_WORDS: [&str; 10] = [
    "agent-check",
    "corosync-quorumtool",
    "floating-ip",
    "lowest-id",
    "maintenance-mode",
    "resource-stickiness",
    "start-stop-daemon",
    "supervise-daemon",
    "todc-utils",
    "x-goog-if-generation-match",
];

/// What may follow a number to say that it is an exit code, and what may stand before it.
const BEFORE_EXIT_CODES: [&str; 5] =
    ["ends with ", "ended with ", "exits with ", "exit code ", "exit status "];

#[test]
fn every_link_of_the_documents_leads_somewhere() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for page in pages::all() {
        for (line, prose) in prose_of(&page) {
            for target in links_in(prose).filter(|target| !target.contains("://")) {
                count += 1;
                if !leads_somewhere(&page, target) {
                    wrong.push(format!("{}:{line}: {target}", page.path));
                }
            }
        }
    }
    assert!(count > 50 && wrong.is_empty(), "{count} links\n{}", wrong.join("\n"));
}

fn leads_somewhere(page: &Page, target: &str) -> bool {
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    let folder = root().join(&page.path);
    let folder = folder.parent().expect("a file is in a folder");
    let file = if path.is_empty() { root().join(&page.path) } else { folder.join(path) };
    let anchors = || std::fs::read_to_string(&file).is_ok_and(|text| has_anchor(&text, anchor));
    file.exists() && (anchor.is_empty() || anchors())
}

/// Whether a heading of that text is reached by that name.
fn has_anchor(text: &str, anchor: &str) -> bool {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    headings.map(|line| line.trim_start_matches('#').trim().to_lowercase()).any(|heading| {
        let kept = heading.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        kept.map(|c| if c == ' ' { '-' } else { c }).eq(anchor.chars())
    })
}

#[test]
fn every_file_of_the_repository_that_a_document_names_is_there() {
    let mut wrong = Vec::new();
    for page in pages::all() {
        for word in words_of(&page) {
            let word = word.trim_end_matches(['.', ',', ':', ';', ')']);
            let is_ours = ["contrib/", "src/", "tests/"].iter().any(|room| word.starts_with(room));
            if is_ours && !word.contains('*') && !root().join(word).exists() {
                wrong.push(format!("{}: {word}", page.path));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The words of all code of a page.
fn words_of(page: &Page) -> Vec<String> {
    let mut words = Vec::new();
    for piece in pages::pieces(&page.text) {
        match piece {
            Piece::Prose(_, prose) => words.extend(code_in(prose)),
            Piece::Block(_, _, lines) => words.extend(lines.into_iter().map(str::to_owned)),
            Piece::Hidden(..) => {}
        }
    }
    words.iter().flat_map(|code| code.split_whitespace()).map(str::to_owned).collect()
}

#[test]
fn every_code_that_a_document_names_is_in_the_table() {
    let ours = help::TOPICS.iter().flat_map(|topic| {
        let flags = topic.every_flag().map(|flag| flag.long);
        flags.chain([topic.name])
    });
    let known: BTreeSet<&str> = codes::names().chain(ours).chain(OTHER_WORDS).collect();
    let mut wrong = Vec::new();
    let mut count = 0;
    for page in pages::all() {
        for (line, prose) in prose_of(&page) {
            for word in code_in(prose).filter(|word| looks_like_a_code(word)) {
                count += 1;
                if !known.contains(word.as_str()) {
                    wrong.push(format!("{}:{line}: {word}", page.path));
                }
            }
        }
    }
    assert!(count > 50 && wrong.is_empty(), "{count} codes\n{}", wrong.join("\n"));
}

/// Words of small letters with dashes between them.
fn looks_like_a_code(word: &str) -> bool {
    let is_part = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase());
    word.contains('-') && word.split('-').all(is_part)
}

#[test]
fn every_exit_code_that_a_document_names_is_in_the_table() {
    let known: BTreeSet<&str> = codes::names().collect();
    let mut wrong = Vec::new();
    let mut count = 0;
    for page in pages::all() {
        for (line, prose) in prose_of(&page) {
            let prose = prose.replace('\n', " ");
            for before in BEFORE_EXIT_CODES {
                for (_, rest) in prose.match_indices(before).map(|(at, _)| prose.split_at(at)) {
                    let rest = rest[before.len()..].trim_start_matches('`');
                    let digits = rest.split(|c: char| !c.is_ascii_digit()).next().unwrap_or("");
                    count += usize::from(!digits.is_empty());
                    if !digits.is_empty() && !known.contains(digits) {
                        wrong.push(format!("{}:{line}: {before}{digits}", page.path));
                    }
                }
            }
        }
    }
    assert!(count > 5 && wrong.is_empty(), "{count} exit codes\n{}", wrong.join("\n"));
}

fn prose_of(page: &Page) -> Vec<(usize, &str)> {
    let pieces = pages::pieces(&page.text).into_iter();
    pieces
        .filter_map(|piece| match piece {
            Piece::Prose(line, prose) => Some((line, prose)),
            Piece::Block(..) | Piece::Hidden(..) => None,
        })
        .collect()
}

#[test]
fn a_heading_is_reached_as_in_a_browser() {
    assert!(has_anchor("# A\n## Who may ask?\n", "who-may-ask"));
    assert!(!has_anchor("## Who\nwho may ask", "who-may-ask"));
}
