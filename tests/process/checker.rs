//! Runs the checker of acting logs, which contrib/chaos uses too.
//! Never judges by itself; it passes on how the checker ended.

use std::io::Write as _;
use std::path::Path;

use super::command::run;

const CHECKER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/contrib/chaos/overlap");
/// Whether a missing interpreter is a failure: set where one must be there.
const STRICT: &str = "QUORATE_CI";

/// How the checker ended.
#[derive(Debug)]
pub(super) struct Verdict {
    /// 0: no two acted at once; 1: two did; 2: the logs cannot tell.
    pub(super) code: i32,
    pub(super) words: String,
}

/// Checks logs, one of each node. Where there is no Python, says so in one visible line.
pub(super) fn check(logs: &[&Path]) -> Option<Verdict> {
    let mut line = vec!["env".as_ref(), "python3".as_ref(), CHECKER.as_ref(), "--quiet".as_ref()];
    line.extend(logs.iter().map(|log| log.as_os_str()));
    let outcome = run(&[], line);
    if outcome.code == 127 {
        assert!(std::env::var_os(STRICT).is_none(), "{STRICT} is set: {}", outcome.stderr);
        let line = format!("SKIPPED: the acting logs are not checked: {}", outcome.stderr);
        // Not by the printing macros, whose output a passing test swallows.
        std::io::stderr().write_all(line.as_bytes()).expect("standard error is open");
        return None;
    }
    Some(Verdict { code: outcome.code, words: outcome.stdout + &outcome.stderr })
}
