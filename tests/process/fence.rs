//! `fence-check` by many processes at once, and killed in the middle.
//! Never needs a daemon; neither does what is tested.

use std::fs::{self, File};
use std::path::PathBuf;
use std::thread::scope;
use std::time::Duration;

use rustix::process::Signal;
use tempfile::TempDir;

use super::clock::now;
use super::command::{Outcome, QUORATE, Running, run};
use super::orders::Faults;
use crate::spec::crashes::{STEPS, Step};

/// How many ask at once.
const CROWD: u64 = 100;

/// A token file.
struct World {
    place: TempDir,
}

impl World {
    fn new() -> Self {
        Self { place: tempfile::tempdir().unwrap() }
    }

    fn file(&self) -> PathBuf {
        self.place.path().join("token")
    }

    fn line(&self, term: u64) -> Vec<String> {
        let file = self.file().to_str().unwrap().to_owned();
        vec![QUORATE.to_owned(), "fence-check".to_owned(), file, term.to_string()]
    }

    fn check(&self, term: u64) -> Outcome {
        run(&[], self.line(term))
    }

    /// What the file holds; zero if it is not there.
    fn term(&self) -> u64 {
        match fs::read_to_string(self.file()) {
            Ok(text) => text.strip_suffix('\n').and_then(|text| text.parse().ok()).unwrap(),
            Err(error) => {
                assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
                0
            }
        }
    }
}

/// One process of the crowd.
#[derive(Clone, Copy, Debug)]
struct Answer {
    term: u64,
    code: i32,
    asked: Duration,
    answered: Duration,
}

/// Terms that look drawn, several of them twice, the same in every run.
fn terms() -> Vec<u64> {
    (1..=CROWD).map(|index| index * 7_919 % 61 + 1).collect()
}

#[test]
fn in_a_crowd_nobody_passes_after_a_higher_term_was_let_pass() {
    let world = World::new();
    let ask = |term| {
        let asked = now();
        let code = world.check(term).code;
        Answer { term, code, asked, answered: now() }
    };
    let answers: Vec<Answer> = scope(|scope| {
        let asking: Vec<_> =
            terms().into_iter().map(|term| scope.spawn(move || ask(term))).collect();
        asking.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let highest = *terms().iter().max().unwrap();
    assert_eq!((world.term(), world.check(highest - 1).code), (highest, 1));
    let passed: Vec<_> = answers.iter().filter(|answer| answer.code == 0).collect();
    assert!(passed.iter().any(|answer| answer.term == highest), "{answers:?}");
    assert_eq!(passed.len() + answers.iter().filter(|answer| answer.code == 1).count(), 100);
    for late in &passed {
        let before = passed.iter().find(|one| one.term > late.term && one.answered < late.asked);
        assert!(before.is_none(), "{late:?} passed after {before:?}");
    }
}

#[test]
fn checks_that_are_killed_at_any_moment_leave_a_whole_term_that_never_falls() {
    let world = World::new();
    let log = || File::create(world.place.path().join("log")).unwrap();
    let mut acknowledged = 0;
    for round in 1..=40 {
        let [quick, killed] = [2 * round, 2 * round + 1];
        let mut victims: Vec<_> =
            (0..3).map(|_| Running::start(&[], world.line(killed), log())).collect();
        // How far the others come in this time is different every time.
        if world.check(quick).code == 0 {
            acknowledged = quick;
        }
        victims.iter().for_each(|victim| victim.signal(Signal::KILL));
        if victims.iter_mut().map(Running::wait).any(|code| code == 0) {
            acknowledged = killed;
        }
        let found = world.term();
        assert!((acknowledged..=killed).contains(&found), "{found}, and {acknowledged} passed");
    }
    assert!(acknowledged > 2, "none of the checks came through");
    assert_eq!([acknowledged - 1, 1_000].map(|term| world.check(term).code), [1, 0]);
}

/// The program with faults in it, in the file's directory.
struct Frail {
    world: World,
    faults: Faults,
}

impl Frail {
    fn new() -> Option<Self> {
        let faults = Faults::for_each_of(1)?.pop()?;
        Some(Self { world: World::new(), faults })
    }

    fn check(&self, term: u64, lines: &str) -> Outcome {
        self.faults.give(&format!("under {}\n{lines}", self.world.place.path().display()));
        run(&self.faults.prefix(), self.world.line(term))
    }

    /// What the last checks did to the disk.
    fn calls(&self) -> Vec<String> {
        let diary = self.faults.diary();
        diary.lines().filter_map(|line| line.strip_prefix("did ")).map(str::to_owned).collect()
    }
}

/// The calls of one check, the making of the lock first.
const CALLS: [&str; 7] =
    ["open 1", "unlink 1", "open 2", "write 1", "fsync 1", "rename 1", "fsync 2"];

#[test]
fn a_check_killed_at_any_step_leaves_the_old_or_the_new_term() {
    let Some(frail) = Frail::new() else { return };
    let mut next = 2;
    assert_eq!(frail.check(1, "").code, 0);
    for call in CALLS {
        for action in ["crash-before", "crash-after"] {
            let lines = format!("disk {call} {action}");
            assert_eq!(frail.check(next, &lines).code, 137, "{lines}");
            let found = frail.world.term();
            assert!([next - 1, next].contains(&found), "{lines}: {found}");
            let answers = [next, next - 1].map(|term| frail.check(term, "").code);
            assert_eq!(answers, [0, 1], "{lines}");
            next += 1;
        }
    }
}

#[test]
fn a_disk_that_fails_lets_nobody_pass_and_keeps_a_whole_term() {
    let Some(frail) = Frail::new() else { return };
    assert_eq!(frail.check(1, "").code, 0);
    for call in CALLS {
        for errno in [5, 28, 30] {
            let outcome = frail.check(2, &format!("disk {call} fail {errno}"));
            let code = if call.starts_with("open") { 73 } else { 74 };
            outcome.refused(code, &["token", "os error"]);
            // The rename may have happened: that nobody lower passes is safe, and whole it is.
            let found = frail.world.term();
            assert!(if call == "fsync 2" { found <= 2 } else { found == 1 }, "{call}: {found}");
            fs::write(frail.world.file(), "1\n").unwrap();
        }
    }
    assert_eq!(frail.check(2, "").code, 0);
}

/// The order is that of the state file, whose power cuts `spec::crashes` plays through.
#[test]
fn a_term_is_on_disk_before_anybody_is_told_to_go_on() {
    let Some(frail) = Frail::new() else { return };
    assert_eq!(frail.check(5, "trace").code, 0);
    let replaced = frail.calls();
    assert_eq!(replaced[0], "open", "the lock is made first");
    assert_eq!(replaced[1..], STEPS.map(Step::call));
    // An equal term may come from one that was killed before it had flushed.
    assert_eq!(frail.check(5, "trace").code, 0);
    assert_eq!(frail.calls()[replaced.len()..], ["open", "fsync", "fsync"]);
}

#[test]
fn neither_daemon_nor_configuration_nor_home_is_needed() {
    let world = World::new();
    let bare = |term: &str| {
        let term = format!("QUORATE_TERM={term}");
        let file = world.file();
        let words = ["env", "-i", &term, QUORATE, "fence-check", file.to_str().unwrap()];
        run(&[], words).code
    };
    assert_eq!(["7", "6", "7", ""].map(bare), [0, 1, 0, 2]);
    let inside = format!("cd {} && {QUORATE} fence-check token 8", world.place.path().display());
    assert_eq!(run(&[], ["sh", "-c", &inside]).code, 0);
    assert_eq!(world.term(), 8);
}
