//! Runs the checkers that contrib/chaos uses too: of acting logs, and of what children wrote.
//! Never judges by itself; it passes on how a checker ended.

use std::ffi::OsStr;
use std::io::Write as _;
use std::path::Path;

use super::command::run;

const OVERLAP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/contrib/chaos/overlap");
const INTERLEAVED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/contrib/chaos/interleaved");
/// Whether a missing interpreter is a failure: set where one must be there.
const STRICT: &str = "QUORATE_CI";

/// How the checker ended.
#[derive(Debug)]
pub(super) struct Verdict {
    /// 0: no two acted at once; 1: two did; 2: the files cannot tell.
    pub(super) code: i32,
    pub(super) words: String,
}

/// Checks logs, one of each node. Where there is no Python, says so in one visible line.
pub(super) fn check(logs: &[&Path]) -> Option<Verdict> {
    let words = [OVERLAP.as_ref(), "--quiet".as_ref()].into_iter();
    ask(words.chain(logs.iter().map(|log| log.as_os_str())))
}

/// Checks the file that children of several masters wrote into.
pub(super) fn check_shared(file: &Path) -> Option<Verdict> {
    ask([INTERLEAVED.as_ref(), file.as_os_str()].into_iter())
}

fn ask<'a>(words: impl Iterator<Item = &'a OsStr>) -> Option<Verdict> {
    let python = ["env".as_ref(), "python3".as_ref()];
    let outcome = run(&[], python.into_iter().chain(words).collect::<Vec<_>>());
    if outcome.code == 127 {
        assert!(std::env::var_os(STRICT).is_none(), "{STRICT} is set: {}", outcome.stderr);
        let line = format!("SKIPPED: nothing is checked: {}", outcome.stderr);
        // Not by the printing macros, whose output a passing test swallows.
        std::io::stderr().write_all(line.as_bytes()).expect("standard error is open");
        return None;
    }
    Some(Verdict { code: outcome.code, words: outcome.stdout + &outcome.stderr })
}
