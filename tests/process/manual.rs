//! The pages of the manual: set without a warning, and complete.
//! Never judges how they look.

use quorate::cli::help::{Shelf, TOPICS};
use quorate::settings::keys;

use super::command::{QUORATE, run};
use super::network::tell_skipped;

fn page(section: &str) -> String {
    run(&[], [QUORATE, "man", section]).printed()
}

/// The page as plain text without a break of a line, if there is somebody to set it.
fn set(section: &str) -> Option<String> {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("page");
    std::fs::write(&file, page(section)).unwrap();
    let file = file.to_str().unwrap();
    let lint = run(&[], ["env", "mandoc", "-Tlint", "-W", "error", file]);
    match lint.code {
        127 => tell_skipped("there is no mandoc: the manual is not checked by it"),
        code => assert_eq!(code, 0, "{}{}", lint.stdout, lint.stderr),
    }
    let words = ["env", "groff", "-man", "-Tascii", "-ww", "-P-cbou", "-rLL=500n", file];
    let plain = run(&[], words);
    if plain.code == 127 {
        tell_skipped("there is no groff: the manual is not set");
        return None;
    }
    assert_eq!(plain.stderr, "", "groff warns");
    Some(plain.printed())
}

#[test]
fn every_command_and_every_flag_of_the_table_is_in_the_manual() {
    let roff = page("1");
    let plain = set("1");
    for topic in TOPICS.iter().filter(|topic| topic.shelf != Shelf::Internal) {
        let heading = format!("\n.SS {}\n", topic.name.replace('-', "\\-"));
        let (_, command) = roff.split_once(&heading).expect(topic.name);
        let command = command.split("\n.S").next().unwrap();
        for flag in topic.flags {
            let flag = format!("\\fB\\-\\-{}\\fR", flag.long.replace('-', "\\-"));
            assert!(command.contains(&flag), "{}: {flag}", topic.name);
        }
        if let Some(plain) = &plain {
            let words = topic.about.split_whitespace().map(|word| word.replace('`', ""));
            let about = words.collect::<Vec<_>>().join(" ");
            let all = plain.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(all.contains(topic.summary), "{}: {plain}", topic.name);
            assert!(all.contains(&about), "{}: {about}\n{all}", topic.name);
        }
    }
}

#[test]
fn the_page_of_the_daemon_says_how_to_set_it_up_and_run_it() {
    let roff = page("8");
    set("8");
    for name in ["init", "serve", "run"] {
        assert!(roff.contains(&format!("\n.SS {name}\n")), "{name}");
    }
    assert!(!roff.contains(".SS status\n"));
}

#[test]
fn every_key_of_both_files_is_in_the_manual() {
    let roff = page("5");
    let plain = set("5");
    for file in keys::FILES {
        let heading = format!("\n.SH {}\n", file.name.to_uppercase());
        let (_, part) = roff.split_once(&heading).expect(file.name);
        let part = part.split("\n.SH ").next().unwrap();
        for key in file.mappings.iter().flat_map(|mapping| mapping.keys) {
            assert!(part.contains(&format!(".TP\n\\fB{}\\fR\n", key.name)), "{}", key.name);
            let Some(plain) = &plain else { continue };
            let all = plain.split_whitespace().collect::<Vec<_>>().join(" ");
            for words in [key.means, key.takes] {
                assert!(all.contains(&words.replace('`', "")), "{words}\n{all}");
            }
        }
    }
}

#[test]
fn a_section_or_a_shell_that_is_not_known_is_refused() {
    run(&[], [QUORATE, "man", "3"]).refused(2, &["1, 5 and 8"]);
    run(&[], [QUORATE, "completions", "tcsh"]).refused(2, &["bash, zsh or fish"]);
    run(&[], [QUORATE, "completions"]).refused(2, &["bash, zsh or fish"]);
}
