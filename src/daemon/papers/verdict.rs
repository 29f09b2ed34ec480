//! Decides what is to be done about the exported cluster.yaml: from what is in the file, what was
//! exported last and what is committed now.
//! Never reads or writes a file, and never decides on an edit; the master does.
//!
//! | the file holds | the committed document | verdict |
//! |---|---|---|
//! | nothing | | write it |
//! | the committed document | | rest |
//! | what was exported | is newer | write it |
//! | what was exported | is not known yet to be as new | rest |
//! | something else | is another than the exported one | move the file aside, write it |
//! | something else, not valid | is the exported one | tell once, leave the file |
//! | something else, valid | is the exported one | propose it |

use crate::protocol::durable::Document;
use crate::protocol::units::{Hash, Position};

/// What is known of a content: which it is, and its place in history.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mark {
    /// Where it was seen committed.
    pub position: Position,
    /// Its content revision.
    pub revision: u64,
    /// Its bytes' SHA-256.
    pub hash: Hash,
}

impl Mark {
    /// Of `document`.
    #[must_use]
    pub fn of(document: &Document) -> Self {
        let Document { position, revision, hash, .. } = *document;
        Self { position, revision, hash }
    }
}

/// What is in the file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Found {
    /// It is not there, or a power cut left it empty.
    Nothing,
    /// A cluster.yaml that could be proposed.
    Valid(Hash),
    /// Anything else, told from others by this hash.
    Invalid(Hash),
}

/// What is to be done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Nothing.
    Rest,
    /// The file is the committed document: note that.
    Note,
    /// Write the committed document.
    Export,
    /// Keep the file under another name, then write the committed document.
    SetAside,
    /// Say what is wrong with the file, and leave it.
    Tell,
    /// Ask the master for it.
    Propose,
}

/// Judges the file. `told` is what was told to be wrong already; `exported` is none where nobody
/// knows what was exported.
#[must_use]
pub fn judge(found: Found, exported: Option<Mark>, committed: Mark, told: Option<Hash>) -> Verdict {
    let hash = match found {
        Found::Nothing => return Verdict::Export,
        Found::Valid(hash) | Found::Invalid(hash) => hash,
    };
    if hash == committed.hash {
        let is_noted = exported.is_some_and(|exported| {
            (exported.revision, exported.hash) == (committed.revision, committed.hash)
        });
        return if is_noted { Verdict::Rest } else { Verdict::Note };
    }
    let Some(exported) = exported else { return Verdict::SetAside };
    if hash == exported.hash {
        let is_ahead = exported.position > committed.position;
        return if is_ahead { Verdict::Rest } else { Verdict::Export };
    }
    if exported.hash != committed.hash {
        return Verdict::SetAside;
    }
    match found {
        Found::Nothing | Found::Valid(_) => Verdict::Propose,
        Found::Invalid(_) if told == Some(hash) => Verdict::Rest,
        Found::Invalid(_) => Verdict::Tell,
    }
}
