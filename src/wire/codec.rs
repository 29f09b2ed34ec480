//! One message as bytes: a line of JSON, and after it, for a message that carries a document, the
//! document's body verbatim. Never trusts a byte: names, hashes, lengths and ranges are
//! checked before a `Message` exists.
//!
//! ```text
//! {"fetch":{"have":{"term":4,"version":17}}}
//! {"offer":{"document":{"position":{"term":5,"version":8},"revision":3,"hash":"9f…"}}}⏎cluster: …
//! ```

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use ring::digest;
use serde::de::{self, IgnoredAny};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::protocol::durable::{AUTHOR_BYTES_MAX, Byline, Document};
use crate::protocol::edit::{Edit, EditReply};
use crate::protocol::membership::Charter;
use crate::protocol::message::{
    Append, AppendAck, Ballot, Candidacy, Fetch, Handover, HandoverReply, Heartbeat, HeartbeatAck,
    Message, Offer, Presence, Release,
};
use crate::protocol::units::{Hash, Nonce, Position, Term};

/// The largest document's body, in bytes (H14).
pub const BODY_MAX: usize = 1 << 20;
/// The longest promise a heartbeat may ask for (H18).
const PROMISE_MAX: Duration = Duration::from_secs(300);
/// The most characters of somebody else's words that are repeated in an error.
const QUOTE_MAX: usize = 200;

/// The most characters of an unknown message's name that are repeated.
const KIND_MAX: usize = 32;

/// How a document's body becomes the charter the protocol acts on.
pub type CharterOf<'a> = &'a dyn Fn(&str) -> Result<Charter, String>;

/// Why bytes are no message. Nothing was taken from them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum WireError {
    /// Not the JSON of any message.
    Malformed(String),
    /// A message that this release cannot read: one of a later release, or a wrong one. What it
    /// calls itself, and what this release does not know about it.
    Unknown {
        /// Its name.
        kind: String,
        /// Why it cannot be read.
        why: String,
    },
    /// Bytes after the message, or a document's body where none belongs.
    Trailing,
    /// The message carries a document and its body is missing.
    NoBody,
    /// The body is larger than [`BODY_MAX`].
    BodyTooLarge(usize),
    /// The body is not UTF-8.
    BodyNotText,
    /// The body's SHA-256 is not the one the message claims.
    HashMismatch,
    /// The body is no charter this release understands.
    Charter(String),
    /// The heartbeat asks for no promise, or for one of more than 300 s.
    PromiseOutOfRange,
}

impl fmt::Display for WireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(why) | Self::Unknown { why, .. } => {
                write!(f, "not a message this release knows: {why}")
            }
            Self::Trailing => f.write_str("bytes after the end of the message"),
            Self::NoBody => f.write_str("a document without its body"),
            Self::BodyTooLarge(size) => {
                write!(f, "a document of {size} bytes; at most {BODY_MAX} are allowed")
            }
            Self::BodyNotText => f.write_str("a document that is not UTF-8 text"),
            Self::HashMismatch => f.write_str("a document whose SHA-256 is not the claimed one"),
            Self::Charter(why) => write!(f, "a document that this release cannot read: {why}"),
            Self::PromiseOutOfRange => f.write_str("a heartbeat with an impossible promise"),
        }
    }
}

impl std::error::Error for WireError {}

/// Whether `message` needs the large frame.
#[must_use]
pub fn carries_document(message: &Message) -> bool {
    body_of(message).is_some()
}

/// Spells `message`.
#[must_use]
pub fn encode(message: &Message) -> Vec<u8> {
    let mut bytes = serde_json::to_vec(&Line::of(message))
        .expect("a message is names, numbers and lists: JSON can spell all of them");
    if let Some(body) = body_of(message) {
        bytes.reserve_exact(1 + body.len());
        bytes.push(b'\n');
        bytes.extend_from_slice(body.as_bytes());
    }
    bytes
}

/// Reads what [`encode`] wrote, or says what is wrong with it.
///
/// # Errors
/// The first thing that is wrong; see [`WireError`].
pub fn decode(bytes: &[u8], charter_of: CharterOf<'_>) -> Result<Message, WireError> {
    // JSON writes a line feed inside a string as `\n`: the first raw one ends the line.
    let (line, body) = match bytes.iter().position(|byte| *byte == b'\n') {
        Some(end) => (&bytes[..end], Some(&bytes[end + 1..])),
        None => (bytes, None),
    };
    let line: Line = serde_json::from_slice(line).map_err(|error| unread(line, &error))?;
    line.message(body, charter_of)
}

/// Why `line` is no message, and whether it may be one of a later release: those are one object
/// with one key, too.
fn unread(line: &[u8], error: &serde_json::Error) -> WireError {
    let why = quoted(error);
    match serde_json::from_slice::<BTreeMap<String, IgnoredAny>>(line) {
        Ok(object) if object.len() == 1 => {
            let kind = object.keys().next().map(|kind| quoted_kind(kind)).unwrap_or_default();
            WireError::Unknown { kind, why }
        }
        Ok(_) | Err(_) => WireError::Malformed(why),
    }
}

fn quoted_kind(kind: &str) -> String {
    kind.chars().take(KIND_MAX).flat_map(char::escape_default).collect()
}

/// SHA-256 of a document's body.
#[must_use]
pub fn hash_of(body: &[u8]) -> Hash {
    let sum = digest::digest(&digest::SHA256, body);
    Hash(sum.as_ref().try_into().expect("SHA-256 has 32 bytes"))
}

/// Somebody else's words, safe to show: short, and without control characters.
pub(crate) fn quoted(words: &dyn fmt::Display) -> String {
    words.to_string().chars().take(QUOTE_MAX).flat_map(char::escape_default).collect()
}

/// A document without its body.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Header {
    pub(crate) position: Position,
    pub(crate) revision: u64,
    pub(crate) hash: Hash,
    /// Missing in what earlier releases wrote; they skip it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) byline: Option<Byline>,
}

/// How a byline is spelled.
#[derive(Serialize, Deserialize)]
struct BylineSpelling<T> {
    author: T,
    at_ms: u64,
}

impl Serialize for Byline {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        BylineSpelling { author: self.author(), at_ms: self.at_ms }.serialize(to)
    }
}

impl<'de> Deserialize<'de> for Byline {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let BylineSpelling::<String> { author, at_ms } = BylineSpelling::deserialize(from)?;
        Self::new(&author, at_ms).ok_or_else(|| {
            de::Error::custom(format!("an author is 1 to {AUTHOR_BYTES_MAX} printable bytes"))
        })
    }
}

impl Header {
    pub(crate) fn of(document: &Document) -> Self {
        let Document { position, revision, hash, ref byline, .. } = *document;
        Self { position, revision, hash, byline: byline.clone() }
    }

    /// Joins header and body; a body that is not the one the header speaks of is refused.
    pub(crate) fn joined(
        self,
        body: &[u8],
        charter_of: CharterOf<'_>,
    ) -> Result<Document, WireError> {
        if body.len() > BODY_MAX {
            return Err(WireError::BodyTooLarge(body.len()));
        }
        let text = std::str::from_utf8(body).map_err(|_| WireError::BodyNotText)?;
        if hash_of(body) != self.hash {
            return Err(WireError::HashMismatch);
        }
        let charter = charter_of(text).map_err(|why| WireError::Charter(quoted(&why)))?;
        Ok(Document {
            position: self.position,
            revision: self.revision,
            hash: self.hash,
            body: text.into(),
            charter: Arc::new(charter),
            byline: self.byline,
        })
    }
}

/// The message's line. One key, the message's name; what follows is its content.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Line {
    Beat(Presence),
    Heartbeat(Heartbeat),
    HeartbeatAck(HeartbeatAck),
    PreVote(Candidacy),
    PreVoteReply(Ballot),
    Vote(Candidacy),
    VoteReply(Ballot),
    Append { term: Term, document: Header },
    AppendAck(AppendAck),
    Fetch(Fetch),
    Offer { document: Header },
    Release(Release),
    TimeoutNow(Release),
    Handover(Handover),
    HandoverReply(HandoverReply),
    Edit { term: Term, nonce: Nonce, revision: u64, document: Header },
    EditReply(EditReply),
}

impl Line {
    fn of(message: &Message) -> Self {
        match message.clone() {
            Message::Beat(it) => Self::Beat(it),
            Message::Heartbeat(it) => Self::Heartbeat(it),
            Message::HeartbeatAck(it) => Self::HeartbeatAck(it),
            Message::PreVote(it) => Self::PreVote(it),
            Message::PreVoteReply(it) => Self::PreVoteReply(it),
            Message::Vote(it) => Self::Vote(it),
            Message::VoteReply(it) => Self::VoteReply(it),
            Message::Append(it) => {
                Self::Append { term: it.term, document: Header::of(&it.document) }
            }
            Message::AppendAck(it) => Self::AppendAck(it),
            Message::Fetch(it) => Self::Fetch(it),
            Message::Offer(it) => Self::Offer { document: Header::of(&it.document) },
            Message::Release(it) => Self::Release(it),
            Message::TimeoutNow(it) => Self::TimeoutNow(it),
            Message::Handover(it) => Self::Handover(it),
            Message::HandoverReply(it) => Self::HandoverReply(it),
            Message::Edit(Edit { term, nonce, revision, document }) => {
                Self::Edit { term, nonce, revision, document: Header::of(&document) }
            }
            Message::EditReply(it) => Self::EditReply(it),
        }
    }

    fn message(self, body: Option<&[u8]>, charter_of: CharterOf<'_>) -> Result<Message, WireError> {
        let document = |header: Header| header.joined(body.ok_or(WireError::NoBody)?, charter_of);
        let message = match self {
            Self::Append { term, document: header } => {
                return Ok(Message::Append(Append { term, document: document(header)? }));
            }
            Self::Offer { document: header } => {
                return Ok(Message::Offer(Offer { document: document(header)? }));
            }
            Self::Edit { term, nonce, revision, document: header } => {
                let document = document(header)?;
                return Ok(Message::Edit(Edit { term, nonce, revision, document }));
            }
            Self::Beat(it) => Message::Beat(it),
            Self::Heartbeat(it) => {
                if it.promise.is_zero() || it.promise > PROMISE_MAX {
                    return Err(WireError::PromiseOutOfRange);
                }
                Message::Heartbeat(it)
            }
            Self::HeartbeatAck(it) => Message::HeartbeatAck(it),
            Self::PreVote(it) => Message::PreVote(it),
            Self::PreVoteReply(it) => Message::PreVoteReply(it),
            Self::Vote(it) => Message::Vote(it),
            Self::VoteReply(it) => Message::VoteReply(it),
            Self::AppendAck(it) => Message::AppendAck(it),
            Self::Fetch(it) => Message::Fetch(it),
            Self::Release(it) => Message::Release(it),
            Self::TimeoutNow(it) => Message::TimeoutNow(it),
            Self::Handover(it) => Message::Handover(it),
            Self::HandoverReply(it) => Message::HandoverReply(it),
            Self::EditReply(it) => Message::EditReply(it),
        };
        if body.is_some() { Err(WireError::Trailing) } else { Ok(message) }
    }
}

/// The body a message carries, if it carries one.
fn body_of(message: &Message) -> Option<&str> {
    match message {
        Message::Append(it) => Some(&it.document.body),
        Message::Offer(it) => Some(&it.document.body),
        Message::Edit(it) => Some(&it.document.body),
        Message::Beat(_)
        | Message::Heartbeat(_)
        | Message::HeartbeatAck(_)
        | Message::PreVote(_)
        | Message::PreVoteReply(_)
        | Message::Vote(_)
        | Message::VoteReply(_)
        | Message::AppendAck(_)
        | Message::Fetch(_)
        | Message::Release(_)
        | Message::TimeoutNow(_)
        | Message::Handover(_)
        | Message::HandoverReply(_)
        | Message::EditReply(_) => None,
    }
}
