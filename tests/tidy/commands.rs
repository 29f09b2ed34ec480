//! Holds every command line of the documents to the program's own parser.
//! Never runs one; the process room plays those that it can.

use std::ffi::OsString;

use quorate::cli::args;
use quorate::cli::help;

use super::pages::{self, Page, Piece, code_in, typed};
use super::shell::calls;

/// What is left out of a line; what stands before it is looked at all the same.
const ELISION: &str = "…";

/// What stands for something that the parser looks at. Every other such word, as NODE or FILE, is
/// good as it is.
const STAND_INS: [(&str, &str); 9] = [
    ("CODE", "alarm-stall"),
    ("COMMAND", "status"),
    ("INVITE", "0123abcd"),
    (
        "KEY",
        concat!("SHA256:", "0123456789abcdef0123456789abcdef", "0123456789abcdef0123456789abcdef"),
    ),
    ("KEY=VALUE", "priority=1"),
    ("N", "7"),
    ("PRESET", "lan"),
    ("TERM", "7"),
    ("TIME", "1m"),
];

/// Languages of blocks in which nobody types.
const NOT_TYPED: [&str; 6] = ["log", "python", "rust", "sql", "text", "yaml"];

#[test]
fn every_command_in_the_documents_is_one_that_the_program_understands() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for page in pages::all() {
        for (line, words, is_name) in calls_of(&page) {
            count += 1;
            if let Err(why) = understood(&words, is_name) {
                wrong.push(format!("{}:{line}: quorate {}: {why}", page.path, words.join(" ")));
            }
        }
    }
    assert!(count > 300, "only {count} commands were found in the documents");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Every call in a document, with its line, and whether it may be just the name of a command.
fn calls_of(page: &Page) -> Vec<(usize, Vec<String>, bool)> {
    let mut found = Vec::new();
    for piece in pages::pieces(&page.text) {
        let (line, texts, may_be_name): (_, Vec<String>, _) = match &piece {
            Piece::Prose(line, prose) => (*line, code_in(prose).collect(), true),
            Piece::Block(line, language, block) if !NOT_TYPED.contains(language) => {
                let lines: Vec<_> = typed(block).iter().map(pages::Typed::text).collect();
                (*line, vec![lines.join("\n")], false)
            }
            Piece::Block(..) | Piece::Hidden(..) => continue,
        };
        let calls = texts.iter().flat_map(|text| calls(text));
        found.extend(calls.map(|words| (line, words, may_be_name)));
    }
    found
}

fn understood(words: &[String], may_be_name: bool) -> Result<(), String> {
    if words.is_empty() && may_be_name {
        return Ok(()); // the program's own name
    }
    let is_elided = words.iter().any(|word| word.contains(ELISION));
    let words = words.iter().take_while(|word| !word.contains(ELISION)).map(|word| {
        let known = STAND_INS.iter().find(|(name, _)| name == word);
        // What a variable holds is a number, wherever the parser looks at it.
        let word = if word.contains('$') { "7" } else { word };
        OsString::from(known.map_or(word, |(_, value)| value))
    });
    let mut words: Vec<OsString> = words.collect();
    if is_elided && words.last().is_some_and(|word| word.to_string_lossy().starts_with('-')) {
        // What is left out is the value of this flag.
        words.push("7".into());
    }
    let name = words.join(" ".as_ref()).to_string_lossy().into_owned();
    let is_name = help::find(&name).is_some() || help::find_group(&name).is_some();
    if is_elided || (may_be_name && is_name) {
        // Then nothing that is needed is missed, and nothing that is there may be wrong.
        words.push("--help".into());
    }
    args::parse(words).map(drop).map_err(|error| error.to_string().replace('\n', " "))
}

#[test]
fn what_is_no_command_is_not_understood() {
    let said = |text: &str, may_be_name| {
        let words: Vec<String> = text.split(' ').map(str::to_owned).collect();
        understood(&words, may_be_name).is_ok()
    };
    assert!(said("status --json", false) && said("transfer NODE", false));
    assert!(said("node", true) && said("apply", true) && !said("apply", false));
    assert!(said("wait --for …", false) && !said("wait --fro …", false));
    assert!(!said("leader", true) && !said("status --follow", false));
    assert!(!said("explain alarm-nothing", false) && !said("status x", false));
}
