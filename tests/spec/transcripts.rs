//! Golden conversations for newcomers, in `tests/transcripts`: prose, steps, and a log of what
//! the nodes then say, write and do, which must be what truly happens.
//! Never hides a difference: `UPDATE_TRANSCRIPTS=1 cargo test transcripts` rewrites the logs, and
//! the change is read before it is committed.

mod note;
mod page;
mod scene;
mod script;
mod story;

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::sync::Mutex;

use page::Piece;
use scene::Scene;
use script::Step;

/// Set, it lets the logs be rewritten.
const UPDATE: &str = "UPDATE_TRANSCRIPTS";
/// The chance that the logs were written with.
const SEED: u64 = 1;
/// Up to this one, too, what the pages wait for and expect must come to be.
const LUCK: u64 = 10;
/// The page that lists the others.
const INDEX: &str = "README.md";

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts")
}

/// Held by whoever reads or writes a page: a test must not read what another is half done with.
static FILES: Mutex<()> = Mutex::new(());

fn text_of(name: &str) -> String {
    let _held = FILES.lock().unwrap();
    fs::read_to_string(folder().join(name)).unwrap()
}

fn rewrite(name: &str, text: &str) {
    let _held = FILES.lock().unwrap();
    fs::write(folder().join(name), text).unwrap();
}

/// Every page but the index, by name.
fn pages() -> Vec<String> {
    let entries = fs::read_dir(folder()).expect("the folder is part of the repository");
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let pages: BTreeSet<String> = names.filter(|name| name != INDEX).collect();
    pages.into_iter().collect()
}

/// The page with its logs as things happen now, where chance follows `seed`.
fn played(text: &str, seed: u64) -> Result<Vec<Piece>, String> {
    let mut pieces = page::read(text)?;
    let mut scene: Option<Scene> = None;
    for piece in &mut pieces {
        let Piece::Scene { steps, log } = piece else { continue };
        if let Some(scene) = &mut scene {
            scene.begin();
        }
        for words in steps {
            let step = Step::read(words)?;
            if let Step::Found { size, failback, is_settled } = step {
                let scene = scene.insert(Scene::found(size, failback, seed));
                if is_settled {
                    scene.settle();
                }
            }
            let scene = scene.as_mut().ok_or("found a cluster first")?;
            scene
                .play(&step, words)
                .map_err(|why| format!("{why}; until then:\n{}", tail(scene)))?;
        }
        *log = scene.as_ref().ok_or("a block without steps")?.lines();
    }
    scene.map(|_| pieces).ok_or_else(|| "no steps".to_owned())
}

fn tail(scene: &Scene) -> String {
    let lines = scene.lines();
    lines[lines.len().saturating_sub(20)..].join("\n")
}

#[test]
fn every_transcript_is_what_truly_happens() {
    let is_update = std::env::var_os(UPDATE).is_some();
    let mut wrong = Vec::new();
    for name in pages() {
        let text = text_of(&name);
        let happened = played(&text, SEED).unwrap_or_else(|why| panic!("{name}: {why}"));
        if is_update {
            rewrite(&name, &page::write(&happened));
            continue;
        }
        for (written, happened) in page::read(&text).unwrap().iter().zip(&happened) {
            if let (Piece::Scene { log: written, steps }, Piece::Scene { log, .. }) =
                (written, happened)
                && written != log
            {
                let difference = page::difference(written, log);
                wrong.push(format!("{name}, after `{}`:\n{difference}", steps.join("; ")));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{}\n\nIf this is wanted: {UPDATE}=1 cargo test transcripts, and read the diff.",
        wrong.join("\n\n")
    );
}

#[test]
fn what_a_transcript_waits_for_and_expects_is_no_matter_of_luck() {
    let mut wrong = Vec::new();
    for name in pages() {
        let text = text_of(&name);
        for seed in SEED..=LUCK {
            wrong
                .extend(played(&text, seed).err().map(|why| format!("{name}, seed {seed}: {why}")));
        }
    }
    assert!(wrong.is_empty(), "{} times:\n{}", wrong.len(), wrong.join("\n\n"));
}

#[test]
fn the_index_lists_every_transcript_once_in_order_with_a_sentence() {
    let index = text_of(INDEX);
    let links = index.lines().filter_map(|line| {
        let (_, rest) = line.split_once("](")?;
        let (name, sentence) = rest.split_once(')')?;
        let is_page = !name.contains('/');
        is_page.then(|| (name.to_owned(), sentence.trim_start_matches(": ").to_owned()))
    });
    let links: Vec<(String, String)> = links.collect();
    let listed: Vec<&String> = links.iter().map(|(name, _)| name).collect();
    let pages = pages();
    assert_eq!(listed, pages.iter().collect::<Vec<_>>(), "the index and the folder differ");
    let silent = links.iter().find(|(_, sentence)| sentence.len() < 20);
    assert_eq!(silent, None, "says nothing of a transcript");
}

#[test]
fn every_transcript_says_which_promises_it_shows() {
    for name in pages() {
        let text = text_of(&name);
        let shows = text.lines().find_map(|line| line.strip_prefix("Shows: "));
        assert!(shows.is_some_and(|shows| shows.starts_with("**P")), "{name}: no `Shows: **P…`");
    }
}

#[test]
fn an_unknown_step_a_log_without_steps_and_a_wrong_expectation_are_refused() {
    let scene = |steps: &str| played(&format!("```steps\n{steps}\n```\n"), SEED);
    assert!(scene("found 3 voters\nrun 1 s").is_ok());
    for (steps, complaint) in [
        ("found 3 voters\ndance", "unknown step `dance`"),
        ("found 3 voters\ncut a - x", "unknown step `cut a - x`"),
        ("run 1 s", "found a cluster first"),
        ("found 3 voters\nexpect a acts", "not so: expect a acts"),
        ("found 3 voters\nisolate a\nrun until a acts", "never came to be: run until a acts"),
    ] {
        let error = scene(steps).expect_err(steps);
        assert!(error.contains(complaint), "{steps}: {error}");
    }
    assert!(page::read("```log\n```\n").is_err());
    assert!(page::read("```steps\n").is_err());
}

#[test]
fn a_page_is_put_together_as_it_was_and_a_difference_shows_what_changed() {
    let text = "# T\n\n```steps\nheal\n```\n```log\na\nb\nc\n```\n\nend\n";
    let pieces = page::read(text).unwrap();
    assert_eq!(page::write(&pieces), text);
    let lines = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let difference = page::difference(&lines("a b c d e"), &lines("a b x d e"));
    assert_eq!(difference, "  a\n  b\n- c\n+ x");
    assert_eq!(page::difference(&lines("a b"), &lines("a")), "  a\n- b");
}
