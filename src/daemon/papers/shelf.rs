//! Owns the archive: the committed documents this node saw, one file each, the oldest thrown away
//! when there are too many. `wire::archive` spells and reads them.
//! Never holds the protocol up, and never depends on what is on it: it is for people.

use std::io;

use super::files::Folder;
use crate::protocol::order;
use crate::wire::archive::{self, BYTES_MAX, DIRECTORY, DOCUMENTS_MAX};
use crate::wire::control::DocumentReport;

/// What a file is called until it is whole.
const UNFINISHED: &str = "unfinished";

/// Keeps `document` in the state directory `state`, and throws away what there is no room for.
/// One that is there already is left.
pub(super) fn keep(state: &Folder, document: &DocumentReport) -> io::Result<()> {
    let folder = state.inner(DIRECTORY)?;
    let (name, bytes) = (document.revision.to_string(), archive::encode(document));
    let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    let is_there = |page: super::files::Page| {
        archive::decode(&page.bytes).is_some_and(|kept| kept.hash == document.hash)
    };
    // What cannot be read is replaced by what can.
    if folder.read(&name, length).ok().flatten().is_some_and(is_there) {
        return Ok(());
    }
    folder.replace(&name, UNFINISHED, &bytes)?;
    let sizes = folder.list()?;
    let kept = sizes
        .iter()
        .filter_map(|(name, size)| Some((archive::revision_of(name.to_str().ok()?)?, *size)));
    surplus(kept.collect(), document.revision)
        .into_iter()
        .try_for_each(|revision| folder.remove(&revision.to_string()))
}

/// Which of the revisions with these sizes have to go so that the others fit, the oldest first and
/// `newest` never.
#[must_use]
pub fn surplus(mut kept: Vec<(u64, u64)>, newest: u64) -> Vec<u64> {
    let mut bytes: u64 = kept.iter().map(|(_, size)| size).sum();
    let mut count = kept.len();
    kept.retain(|(revision, _)| *revision != newest);
    let mut gone = Vec::new();
    for (revision, size) in order::sorted(kept, Ord::cmp) {
        if count <= DOCUMENTS_MAX && bytes <= BYTES_MAX {
            break;
        }
        gone.push(revision);
        (count, bytes) = (count - 1, bytes - size);
    }
    gone
}
