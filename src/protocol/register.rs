//! The replicated document: which one to take, and when a majority has it.
//! Never sends and never writes; it judges.

use alloc::collections::BTreeSet;

use crate::protocol::durable::Document;
use crate::protocol::membership::Membership;
use crate::protocol::units::{Hash, NodeId, Position, Term};

/// How an offered document stands to one's own.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Relation {
    /// Take it.
    Newer,
    /// It is the one here.
    Same,
    /// Keep what is here.
    Older,
    /// Same position, other bytes: one of both is damaged.
    Conflict,
}

/// Compares by position; equal positions must have equal hashes (pitfall 11).
pub(crate) fn relation(mine: &Document, position: Position, hash: Hash) -> Relation {
    match position.cmp(&mine.position) {
        core::cmp::Ordering::Greater => Relation::Newer,
        core::cmp::Ordering::Less => Relation::Older,
        core::cmp::Ordering::Equal if hash == mine.hash => Relation::Same,
        core::cmp::Ordering::Equal => Relation::Conflict,
    }
}

/// Who has exactly this document on disk, as acknowledged in exactly this term (R18).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Copies {
    term: Term,
    position: Position,
    hash: Hash,
    holders: BTreeSet<NodeId>,
}

impl Copies {
    pub(crate) fn of(term: Term, document: &Document) -> Self {
        let Document { position, hash, .. } = *document;
        Self { term, position, hash, holders: BTreeSet::new() }
    }

    /// Counts `holder` if it acknowledged exactly this document in exactly this term.
    pub(crate) fn count(&mut self, holder: &NodeId, term: Term, position: Position, hash: Hash) {
        if (term, position, hash) == (self.term, self.position, self.hash) {
            self.holders.insert(holder.clone());
        }
    }

    pub(crate) fn has(&self, holder: &NodeId) -> bool {
        self.holders.contains(holder)
    }

    /// Whether a majority of the document's own voters has it (R18, R42).
    pub(crate) fn are_committed(&self, members: &Membership) -> bool {
        let held = members.voters().filter(|voter| self.holders.contains(&voter.id)).count();
        held >= members.majority()
    }
}
