//! What must be on disk before a word is said: one record per node, replaced whole (R1).
//! Never writes; it only says what to write and whether one record may follow another.

use alloc::sync::Arc;
use core::hash::{Hash, Hasher};
use core::time::Duration;

use crate::protocol::membership::Charter;
use crate::protocol::units::{self, ClusterId, Label, NodeId, Position, StorageId, Term};

/// The most bytes an author's name may have.
pub const AUTHOR_BYTES_MAX: usize = 128;

/// Who asked for a content, and when: for people. No decision looks at it, no hash covers it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Byline {
    author: Label,
    /// By the wall clock of the node that was asked: milliseconds since 1970.
    pub at_ms: u64,
}

impl Byline {
    /// None if `author` is empty, too long, or nothing a terminal may be given.
    #[must_use]
    pub fn new(author: &str, at_ms: u64) -> Option<Self> {
        let is_sound = !author.is_empty()
            && author.len() <= AUTHOR_BYTES_MAX
            && !author.chars().any(char::is_control);
        is_sound.then(|| Self { author: author.into(), at_ms })
    }

    /// USER@NODE: who it was there, and which node was asked; or `quorate: NODE DEED`, for what the
    /// daemon did by itself.
    #[must_use]
    pub fn author(&self) -> &str {
        &self.author
    }
}

/// The cluster's one document at one position. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Document {
    /// Its place in history; a re-stamp changes this and nothing else (R18).
    pub position: Position,
    /// Counts changes of content, so that two editors meet (R43); re-stamps leave it.
    pub revision: u64,
    /// SHA-256 of `body`.
    pub hash: units::Hash,
    /// The bytes people wrote, verbatim.
    pub body: Label,
    /// The same, parsed.
    pub charter: Arc<Charter>,
    /// Whose content it is, if that is known; a re-stamp leaves it.
    pub byline: Option<Byline>,
}

impl Document {
    /// The same content at another position (R18).
    #[must_use]
    pub fn restamped(&self, position: Position) -> Self {
        Self { position, ..self.clone() }
    }
}

/// The content's hash stands for body and charter; who wrote it makes no difference.
impl Hash for Document {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.position, self.revision, self.hash).hash(state);
    }
}

/// Which node of which cluster on which disk: fixed for the life of a state file.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Identity {
    /// The cluster.
    pub cluster: ClusterId,
    /// Raised by forced recovery only.
    pub generation: u64,
    /// This node.
    pub node: NodeId,
    /// This disk.
    pub storage: StorageId,
}

/// The state file's content (R1).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Durable {
    /// Whose state this is.
    pub identity: Identity,
    /// +1 on each write: a lower one is a rolled-back disk (R54).
    pub sequence: u64,
    /// The highest term this node took part in.
    pub term: Term,
    /// Who has this node's vote in `term`; never changed within it (P3).
    pub vote: Option<NodeId>,
    /// The newest document this node took; its voters make the quorums (R42).
    pub accepted: Document,
    /// The newest document this node knows to be committed; everything else follows it (R42).
    pub committed: Document,
    /// M: the longest promise ever acknowledged to another node, or asked of others (R12).
    pub promise_high_water: Duration,
}

impl Durable {
    /// The state of a node that has just been given the cluster's first document.
    #[must_use]
    pub fn founding(identity: Identity, document: Document) -> Self {
        Self {
            identity,
            sequence: 1,
            term: document.position.term,
            vote: None,
            accepted: document.clone(),
            committed: document,
            promise_high_water: Duration::ZERO,
        }
    }

    /// Whether this record may replace `earlier` (R3, P3): nothing decreases, no vote changes
    /// within a term, and the document's term is not above the node's.
    #[must_use]
    pub fn may_follow(&self, earlier: &Self) -> bool {
        let vote_kept =
            self.term > earlier.term || earlier.vote.is_none() || self.vote == earlier.vote;
        self.identity == earlier.identity
            && self.sequence > earlier.sequence
            && self.term >= earlier.term
            && vote_kept
            && self.accepted.position >= earlier.accepted.position
            && self.committed.position >= earlier.committed.position
            && self.accepted.position >= self.committed.position
            && self.accepted.position.term <= self.term
    }
}
