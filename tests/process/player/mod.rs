//! Plays documents: what a page says to type is typed, on the machine that it names, in a cluster
//! of real daemons; what it says is answered must be answered. Hidden lines build the stage:
//!
//! | hidden line | what happens |
//! |---|---|
//! | `<!-- lab: cluster alpha bravo -->` | a story begins, on these nodes, which run and have a master |
//! | `<!-- lab: machines alpha bravo -->` | the same, on machines where nothing was done yet |
//! | `<!-- lab: on alpha -->` | what follows is typed there; "On `alpha`" in the text says the same |
//! | `<!-- lab: sh alpha: COMMAND -->` | that is done there, and the page does not show it |
//! | `<!-- lab: … -->` | something happens to a node, or has to be so: see `scenes` |
//! | `<!-- lab: end -->` | the story is over |
//! | `<!-- not played: why -->` | the next block is typed nowhere |
//!
//! Within a story a block of `sh`, or one with prompts such as `alpha# `, is typed, and a block of
//! `log` has to be in the log of that machine. Never a command that is not on the page.

mod lab;
mod scenes;
mod script;

use lab::Lab;
use script::{Step, steps};

use crate::tidy::pages;
use crate::tidy::shell::calls;

/// Plays every story of the document at that path.
fn play_page(path: &str) {
    play(&pages::page(path).text);
}

/// Plays the stories in `text`.
fn play(text: &str) {
    let mut lab = None;
    let mut played = 0;
    for step in steps(text) {
        match step {
            Step::Begin { names, founded } => lab = Some(Lab::of(&names, founded)),
            Step::End => lab = None,
            Step::Idle(..) => {}
            Step::Scene(words) => lab.as_mut().expect("a story has begun").scene(&words),
            Step::Hidden(machine, line) => {
                lab.as_mut().expect("a story has begun").types(machine, line, &[]);
            }
            Step::Type(machine, typed) => {
                played += 1;
                let lab = lab.as_mut().expect("a story has begun");
                lab.types(machine, &typed.text(), &typed.answer);
            }
            Step::Log(machine, lines) => {
                played += 1;
                lab.as_mut().expect("a story has begun").logged(machine, &lines);
            }
        }
    }
    assert!(played > 0, "nothing of it was played");
}

/// The sections of a document whose titles begin so.
fn sections(path: &str, titles: &[&str]) -> String {
    let text = pages::page(path).text;
    let all: Vec<&str> = text.split("\n## ").collect();
    let of = |title: &&str| {
        let found = all.iter().find(|section| section.starts_with(*title));
        *found.unwrap_or_else(|| panic!("{path} has no section {title}"))
    };
    titles.iter().map(of).collect()
}

const DISASTER: &str = "contrib/doc/disaster.md";

/// F63, F64, F65
#[test]
fn the_page_brings_back_one_lost_damaged_rolled_back_or_cloned_disk() {
    let all = ["One disk", "A state file", "A virtual machine", "A machine was cloned"];
    play(&sections(DISASTER, &all));
}

/// F75
#[test]
fn the_page_goes_on_after_the_majority_is_lost() {
    play(&sections(DISASTER, &["The majority is lost"]));
}

/// F75
#[test]
fn the_page_goes_on_from_a_backup_alone_and_from_one_half() {
    play(&sections(DISASTER, &["All is lost", "Two halves"]));
}

/// F76
#[test]
fn the_page_ends_a_recovery_that_was_wrong() {
    play(&sections(DISASTER, &["Somebody recovered"]));
}

#[test]
fn the_page_about_days_at_work_is_as_it_says() {
    play_page("contrib/doc/operations.md");
}

#[test]
fn the_page_about_trouble_is_as_it_says() {
    play_page("contrib/doc/troubleshooting.md");
}

#[test]
fn the_page_about_coming_from_elsewhere_is_as_it_says() {
    play_page("contrib/doc/migration.md");
}

#[test]
fn the_readme_is_as_it_says() {
    play_page("README.md");
}

#[test]
fn the_pages_about_joining_documents_and_upgrades_are_as_they_say() {
    ["joining", "documents", "upgrade"]
        .iter()
        .for_each(|name| play_page(&format!("contrib/doc/{name}.md")));
}

/// The pages that are played, each by a test above; of one, by its sections.
const PLAYED: [&str; 8] = [
    "README.md",
    "contrib/doc/disaster.md",
    "contrib/doc/documents.md",
    "contrib/doc/joining.md",
    "contrib/doc/migration.md",
    "contrib/doc/operations.md",
    "contrib/doc/troubleshooting.md",
    "contrib/doc/upgrade.md",
];

#[test]
fn every_page_with_a_story_is_played() {
    let pages = pages::all().into_iter();
    let is_played = |step: &Step<'_>| !matches!(step, Step::Idle(..));
    let told = pages.filter(|page| steps(&page.text).iter().any(is_played));
    let told: Vec<String> = told.map(|page| page.path).collect();
    assert_eq!(told, PLAYED);
    let disaster = pages::page(DISASTER).text;
    let titles = ["One disk", "A state file", "A virtual machine", "A machine was cloned"];
    let titles = [&titles[..], &["The majority is lost", "All is lost"]].concat();
    let titles = [&titles[..], &["Two halves", "Somebody recovered"]].concat();
    assert_eq!(steps(&sections(DISASTER, &titles)).len(), steps(&disaster).len());
}

#[test]
fn every_block_with_a_command_is_played_or_says_why_not() {
    let mut idle = Vec::new();
    for page in pages::all() {
        for step in steps(&page.text) {
            let Step::Idle(line, lines) = step else { continue };
            if !calls(&lines.join("\n")).is_empty() {
                idle.push(format!("{}:{line}: {}", page.path, lines[0]));
            }
        }
    }
    assert!(idle.is_empty(), "neither in a story nor excused:\n{}", idle.join("\n"));
}
