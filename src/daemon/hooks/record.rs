//! Owns hooks.json: what the last hook made of this machine, for people and for the next daemon,
//! which goes on counting from it. Never decides that a hook need not run: a lost or torn file
//! costs nothing but the count.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::daemon::clock;
use crate::daemon::hooks::conductor::State;
use crate::daemon::hooks::cues::hook_of;
use crate::daemon::hooks::occasion::Role;

const FILE: &str = "hooks.json";
const SCHEMA: u64 = 1;
/// No record of ours is larger.
const BYTES_MAX: u64 = 4096;

/// The file.
#[derive(Debug)]
pub(crate) struct Record {
    path: PathBuf,
}

impl Record {
    /// In that state directory.
    pub(crate) fn of(state_dir: &Path) -> Self {
        Self { path: state_dir.join(FILE) }
    }

    /// The last role and sequence, as far as they can be read.
    pub(crate) fn read(&self) -> (Option<Role>, u64) {
        let is_ours = fs::metadata(&self.path).is_ok_and(|found| found.len() <= BYTES_MAX);
        let bytes = if is_ours { fs::read(&self.path).unwrap_or_default() } else { Vec::new() };
        let record: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        let role = record["role"].as_str().and_then(Role::parse);
        (role, record["seq"].as_u64().unwrap_or(0))
    }

    /// Replaces it: afterwards there is the old one or the new one, unless power is lost.
    ///
    /// # Errors
    /// What the system said.
    pub(crate) fn write(&self, state: Option<State>, seq: u64) -> io::Result<()> {
        let term = match state {
            Some(State::Master(term)) => Some(term.0),
            Some(State::Backup | State::NoQuorum) | None => None,
        };
        let role = state.map(|state| hook_of(state).1.word());
        let time = clock::wall_text();
        let record =
            json!({"schema": SCHEMA, "role": role, "term": term, "seq": seq, "time": time});
        let unfinished = self.path.with_extension("json.unfinished");
        fs::write(&unfinished, format!("{record}\n"))?;
        fs::rename(&unfinished, &self.path)
    }
}
