//! The state file's bytes: a first line with format version and checksum, then the record.
//! Never touches the disk; the store does.
//!
//! ```text
//! quorate-state 1 5d41402abc4b…⏎
//! {"identity":{…},"sequence":7,"term":4,…}⏎
//! ```
//!
//! The checksum covers every byte after the first line. A record is read whole or not at all:
//! there is no repair and no falling back to an older one (R52). What may be missing is skipped by
//! releases that do not know it, and needs no new format.

use std::fmt;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::protocol::durable::{Byline, Document, Durable, Identity};
use crate::protocol::units::{Hash, NodeId, Position, Term};
use crate::wire::codec::{CharterOf, Header, hash_of, quoted};
use crate::wire::marks::Marks;
use crate::wire::spelling::nanoseconds;

/// The format this release writes, and the only one it reads.
pub const VERSION: u32 = 1;

const MAGIC: &str = "quorate-state";
/// The longest first line: magic, version, checksum.
const FIRST_LINE_MAX: usize = 100;

/// Why bytes are no state. The file they came from is unchanged.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RecordError {
    /// The first line is not that of a state file.
    NotAState,
    /// Written by a later release.
    NewerVersion(u32),
    /// The file ends before its first line does, or right after it.
    Truncated,
    /// The checksum does not match: cut off, damaged, or edited.
    Corrupt,
    /// The checksum matches and the content makes no sense.
    Malformed(String),
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAState => f.write_str("it is not a quorate state file"),
            Self::NewerVersion(version) => write!(
                f,
                "it has format {version}, written by a later release; this one reads format \
                 {VERSION}: run the later release again"
            ),
            Self::Truncated => f.write_str("it is cut off"),
            Self::Corrupt => f.write_str("its checksum does not match: it is cut off or damaged"),
            Self::Malformed(why) => write!(f, "its content makes no sense: {why}"),
        }
    }
}

impl std::error::Error for RecordError {}

/// Spells `durable` with its checksum.
#[must_use]
pub fn encode(durable: &Durable) -> Vec<u8> {
    encode_marked(durable, &Marks::default())
}

/// Spells `durable` and what is kept beside it, with one checksum.
#[must_use]
pub fn encode_marked(durable: &Durable, marks: &Marks) -> Vec<u8> {
    let content = Content { marks: marks.clone(), ..Content::of(durable) };
    seal(MAGIC, VERSION, &content)
}

/// One line of JSON below a first line with its checksum.
pub(crate) fn seal(magic: &str, version: u32, content: &impl Serialize) -> Vec<u8> {
    let mut content = serde_json::to_vec(content)
        .expect("a record is names, numbers and text: JSON can spell all of them");
    content.push(b'\n');
    let mut bytes = format!("{magic} {version} {}\n", hash_of(&content)).into_bytes();
    bytes.extend_from_slice(&content);
    bytes
}

/// Reads what [`encode`] wrote, or says what is wrong with it.
///
/// # Errors
/// The first thing that is wrong; see [`RecordError`].
pub fn decode(bytes: &[u8], charter_of: CharterOf<'_>) -> Result<Durable, RecordError> {
    decode_marked(bytes, charter_of).map(|(durable, _)| durable)
}

/// Reads what [`encode_marked`] wrote.
///
/// # Errors
/// As [`decode`].
pub fn decode_marked(
    bytes: &[u8],
    charter_of: CharterOf<'_>,
) -> Result<(Durable, Marks), RecordError> {
    let mut content: Content = unseal(MAGIC, VERSION, bytes)?;
    let marks = std::mem::take(&mut content.marks);
    Ok((content.durable(charter_of)?, marks))
}

/// Reads what [`seal`] wrote.
pub(crate) fn unseal<T: DeserializeOwned>(
    magic: &str,
    known: u32,
    bytes: &[u8],
) -> Result<T, RecordError> {
    let (checksum, content) = opened(magic, known, bytes)?;
    if content.is_empty() {
        return Err(RecordError::Truncated);
    }
    if hash_of(content) != checksum {
        return Err(RecordError::Corrupt);
    }
    serde_json::from_slice(content).map_err(|e| RecordError::Malformed(quoted(&e)))
}

/// Splits off the first line and reads it.
fn opened<'a>(magic: &str, known: u32, bytes: &'a [u8]) -> Result<(Hash, &'a [u8]), RecordError> {
    let start = &bytes[..bytes.len().min(FIRST_LINE_MAX)];
    let Some(end) = start.iter().position(|byte| *byte == b'\n') else {
        let is_ours = start.starts_with(magic.as_bytes()) || magic.as_bytes().starts_with(start);
        return Err(if is_ours { RecordError::Truncated } else { RecordError::NotAState });
    };
    let line = std::str::from_utf8(&bytes[..end]).map_err(|_| RecordError::NotAState)?;
    let mut words = line.split(' ');
    if words.next() != Some(magic) {
        return Err(RecordError::NotAState);
    }
    let version = words.next().and_then(|word| word.parse().ok()).ok_or(RecordError::NotAState)?;
    if version > known {
        return Err(RecordError::NewerVersion(version));
    }
    let checksum = words.next().and_then(Hash::from_hex);
    match (version == known, checksum, words.next()) {
        (true, Some(checksum), None) => Ok((checksum, &bytes[end + 1..])),
        (true, _, _) => Err(RecordError::Corrupt),
        (false, _, _) => Err(RecordError::NotAState),
    }
}

#[derive(Serialize, Deserialize)]
struct Content {
    identity: Identity,
    sequence: u64,
    term: Term,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    vote: Option<NodeId>,
    accepted: Stored,
    committed: Stored,
    #[serde(rename = "promise_high_water_ns", with = "nanoseconds")]
    promise_high_water: Duration,
    #[serde(default, skip_serializing_if = "Marks::is_empty")]
    marks: Marks,
}

/// A document. A committed one with the accepted one's body does not repeat it.
#[derive(Serialize, Deserialize)]
pub(crate) struct Stored {
    position: Position,
    revision: u64,
    hash: Hash,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    byline: Option<Byline>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body: Option<String>,
}

impl Stored {
    pub(crate) fn of(document: &Document, body: Option<&str>) -> Self {
        let Document { position, revision, hash, ref byline, .. } = *document;
        Self { position, revision, hash, byline: byline.clone(), body: body.map(str::to_owned) }
    }

    pub(crate) fn document(
        self,
        other: Option<&str>,
        charter_of: CharterOf<'_>,
    ) -> Result<Document, RecordError> {
        let body = self.body.as_deref().or(other);
        let body = body.ok_or_else(|| RecordError::Malformed("a document has no body".into()))?;
        let Self { position, revision, hash, ref byline, .. } = self;
        let header = Header { position, revision, hash, byline: byline.clone() };
        let joined = header.joined(body.as_bytes(), charter_of);
        joined.map_err(|error| RecordError::Malformed(error.to_string()))
    }
}

impl Content {
    fn of(durable: &Durable) -> Self {
        let Durable { accepted, committed, .. } = durable;
        let own_body = (committed.hash != accepted.hash).then_some(&*committed.body);
        Self {
            identity: durable.identity.clone(),
            sequence: durable.sequence,
            term: durable.term,
            vote: durable.vote.clone(),
            accepted: Stored::of(accepted, Some(&accepted.body)),
            committed: Stored::of(committed, own_body),
            promise_high_water: durable.promise_high_water,
            marks: Marks::default(),
        }
    }

    fn durable(self, charter_of: CharterOf<'_>) -> Result<Durable, RecordError> {
        let accepted = self.accepted.document(None, charter_of)?;
        let committed = self.committed.document(Some(&accepted.body), charter_of)?;
        if accepted.position < committed.position || accepted.position.term > self.term {
            let why = format!(
                "term {}, accepted document {}, committed document {} contradict each other",
                self.term, accepted.position, committed.position
            );
            return Err(RecordError::Malformed(why));
        }
        Ok(Durable {
            identity: self.identity,
            sequence: self.sequence,
            term: self.term,
            vote: self.vote,
            accepted,
            committed,
            promise_high_water: self.promise_high_water,
        })
    }
}
