//! The bytes of a backup: what a cluster agreed on, without the identity of any disk. A first line
//! with format version and checksum, then one line of JSON, as a state file has.
//! Never holds a key, a vote or a storage id: nothing can come back from it as what it was.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::protocol::durable::{Document, Durable};
use crate::protocol::units::{ClusterId, NodeId, Term};
use crate::wire::codec::CharterOf;
use crate::wire::record::{self, RecordError, Stored};
use crate::wire::spelling::nanoseconds;

/// The format this release writes, and the only one it reads.
pub const VERSION: u32 = 1;

const MAGIC: &str = "quorate-backup";

/// What is kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Backup {
    /// The cluster.
    pub cluster: ClusterId,
    /// Its generation.
    pub generation: u64,
    /// Who made it.
    pub node: NodeId,
    /// When, by the wall clock, for people.
    pub made: String,
    /// The highest term that node took part in.
    pub term: Term,
    /// The newest document it took.
    pub accepted: Document,
    /// The newest document it knew to be committed.
    pub committed: Document,
    /// The longest promise it gave or asked for (R12).
    pub promise_high_water: Duration,
}

#[derive(Serialize, Deserialize)]
struct Content {
    cluster: ClusterId,
    generation: u64,
    node: NodeId,
    made: String,
    term: Term,
    accepted: Stored,
    committed: Stored,
    #[serde(rename = "promise_high_water_ns", with = "nanoseconds")]
    promise_high_water: Duration,
}

impl Backup {
    /// What of `durable` is not one disk's own, at the wall time `made`.
    #[must_use]
    pub fn of(durable: &Durable, made: String) -> Self {
        Self {
            cluster: durable.identity.cluster,
            generation: durable.identity.generation,
            node: durable.identity.node.clone(),
            made,
            term: durable.term,
            accepted: durable.accepted.clone(),
            committed: durable.committed.clone(),
            promise_high_water: durable.promise_high_water,
        }
    }

    /// Whether `bytes` begin as a backup does.
    #[must_use]
    pub fn is_in(bytes: &[u8]) -> bool {
        bytes.starts_with(MAGIC.as_bytes())
    }

    /// Spells it with its checksum.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let Self { accepted, committed, .. } = self;
        let content = Content {
            cluster: self.cluster,
            generation: self.generation,
            node: self.node.clone(),
            made: self.made.clone(),
            term: self.term,
            accepted: Stored::of(accepted, Some(&accepted.body)),
            committed: Stored::of(committed, Some(&committed.body)),
            promise_high_water: self.promise_high_water,
        };
        record::seal(MAGIC, VERSION, &content)
    }

    /// Reads what [`Backup::encode`] wrote.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn decode(bytes: &[u8], charter_of: CharterOf<'_>) -> Result<Self, RecordError> {
        let content: Content = record::unseal(MAGIC, VERSION, bytes)?;
        let accepted = content.accepted.document(None, charter_of)?;
        let committed = content.committed.document(None, charter_of)?;
        Ok(Self {
            cluster: content.cluster,
            generation: content.generation,
            node: content.node,
            made: content.made,
            term: content.term.max(accepted.position.term),
            accepted,
            committed,
            promise_high_water: content.promise_high_water,
        })
    }
}
