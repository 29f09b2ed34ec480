//! How the documents that a node saw lie on disk: a directory with one file a revision, each a
//! first line with format version and checksum, then `quorate show --json` on one line. Reads
//! whatever is there, and counts what it cannot read.
//! Never trusts a file, never repairs one, and never writes; the daemon does.

use std::fs::{File, read_dir};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::OFlags;
use serde::{Deserialize, Serialize};

use crate::protocol::order;
use crate::wire::codec::hash_of;
use crate::wire::control::{DocumentReport, PositionReport, SCHEMA};

/// The directory's name, in the state directory.
pub const DIRECTORY: &str = "documents";
/// How many documents are kept at most.
pub const DOCUMENTS_MAX: usize = 100;
/// How many bytes all of them may take.
pub const BYTES_MAX: u64 = 8 << 20;
/// A file beyond this size is none of ours: a body of one mebibyte, each byte spelled with six.
const FILE_BYTES_MAX: u64 = 7 << 20;

const FIRST_WORDS: &str = "quorate-document 1";

/// What a node kept of the documents it saw.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Archive {
    /// Every document, by revision.
    pub documents: Vec<DocumentReport>,
    /// How many files are damaged.
    pub unreadable: u64,
}

/// One document that a node kept, `quorate history --documents --json`: one object per line.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RevisionReport {
    /// Always [`SCHEMA`].
    pub schema: u32,
    /// The content revision.
    pub revision: u64,
    /// Where it was first seen committed.
    pub position: PositionReport,
    /// SHA-256 of the body, hexadecimal.
    pub hash: String,
    /// USER@NODE, as in [`DocumentReport`].
    pub author: Option<String>,
    /// When, as in [`DocumentReport`].
    pub time: Option<String>,
    /// How many lines came; null if the revision before is not kept.
    pub added: Option<usize>,
    /// How many lines went; null if the revision before is not kept.
    pub removed: Option<usize>,
    /// The change in one line; null if there is none, or it is not known.
    pub change: Option<String>,
    /// With `--patch`: the change as a diff; null if the revision before is not kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patch: Option<String>,
}

/// The bytes of the file that keeps `document`.
///
/// # Panics
/// Never: a report has string keys only.
#[must_use]
pub fn encode(document: &DocumentReport) -> Vec<u8> {
    let mut content = serde_json::to_vec(document).expect("a report has string keys only");
    content.push(b'\n');
    let first = format!("{FIRST_WORDS} {}\n", hash_of(&content));
    [first.as_bytes(), &content].concat()
}

/// Reads what [`encode`] wrote; none if it is cut off, damaged, edited, or of a later format.
#[must_use]
pub fn decode(bytes: &[u8]) -> Option<DocumentReport> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let (first, content) = (&bytes[..end], &bytes[end + 1..]);
    let is_whole = first == format!("{FIRST_WORDS} {}", hash_of(content)).as_bytes();
    let document: DocumentReport =
        is_whole.then(|| serde_json::from_slice(content).ok()).flatten()?;
    let is_its_own = document.hash == hash_of(document.body.as_bytes()).to_string();
    (document.schema == SCHEMA && is_its_own).then_some(document)
}

/// The revision that the file of this name keeps; none if it is no such file.
#[must_use]
pub fn revision_of(name: &str) -> Option<u64> {
    name.parse().ok().filter(|revision: &u64| revision.to_string() == name)
}

impl Archive {
    /// What is kept in the state directory `place`; nothing if there is no archive yet.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn read(place: &Path) -> io::Result<Self> {
        let directory = place.join(DIRECTORY);
        let mut revisions = Vec::new();
        match read_dir(&directory) {
            Ok(entries) => {
                for entry in entries {
                    revisions.extend(entry?.file_name().to_str().and_then(revision_of));
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let revisions = order::sorted(revisions, u64::cmp);
        let mut archive = Self::default();
        for revision in &revisions[revisions.len().saturating_sub(DOCUMENTS_MAX)..] {
            match find(place, *revision) {
                Some(document) => archive.documents.push(document),
                None => archive.unreadable += 1,
            }
        }
        Ok(archive)
    }
}

/// The document of that revision, if the state directory `place` keeps it whole.
#[must_use]
pub fn find(place: &Path, revision: u64) -> Option<DocumentReport> {
    let path = place.join(DIRECTORY).join(revision.to_string());
    // A link is not followed, and a FIFO holds nobody up.
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    let file = File::options().read(true).custom_flags(flags).open(path).ok()?;
    if !file.metadata().is_ok_and(|found| found.is_file()) {
        return None;
    }
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX).read_to_end(&mut bytes).ok()?;
    decode(&bytes).filter(|document| document.revision == revision)
}
