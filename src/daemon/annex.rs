//! Owns what the state file keeps beside the node's record, while the daemon runs.
//! Never writes it; the store does, with each record, and soon when something here changed.
//!
//! How far the others' disks have come is best effort: what was heard of after the last write is
//! lost with the process. It is what makes a rolled-back disk known, and one that nobody noticed
//! for ten seconds may go unnoticed once more (R54).

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crossbeam_channel::{Receiver, Sender, bounded};

use crate::protocol::units::{NodeId, StorageId};
use crate::wire::marks::{Binding, Former, Marks, Seen};

/// The marks, and whether the file has them.
#[derive(Debug)]
pub struct Annex {
    kept: Mutex<Kept>,
    hurry: (Sender<()>, Receiver<()>),
}

#[derive(Debug, Default)]
struct Kept {
    marks: Marks,
    /// The disks that matter: those whose votes count.
    voters: BTreeSet<(NodeId, StorageId)>,
    has_changed: bool,
}

impl Default for Annex {
    fn default() -> Self {
        Self::new(Marks::default())
    }
}

impl Annex {
    /// Begins with what a state file had.
    #[must_use]
    pub fn new(marks: Marks) -> Self {
        Self { kept: Mutex::new(Kept { marks, ..Kept::default() }), hurry: bounded(1) }
    }

    /// Everything, for whoever only looks.
    #[must_use]
    pub fn marks(&self) -> Marks {
        self.lock().marks.clone()
    }

    /// Everything, to be written now.
    pub(crate) fn take_for_writing(&self) -> Marks {
        let mut kept = self.lock();
        kept.has_changed = false;
        kept.marks.clone()
    }

    /// Whether something changed since the last write.
    #[must_use]
    pub fn has_changed(&self) -> bool {
        self.lock().has_changed
    }

    /// Speaks when something must be written at once.
    pub(crate) fn hurry(&self) -> &Receiver<()> {
        &self.hurry.1
    }

    /// This state belongs to that machine and directory.
    pub fn bind(&self, binding: Binding) {
        let mut kept = self.lock();
        kept.has_changed |= kept.marks.binding != binding;
        kept.marks.binding = binding;
    }

    /// Exactly these disks vote.
    pub fn set_voters(&self, voters: BTreeSet<(NodeId, StorageId)>) {
        let mut kept = self.lock();
        let before = kept.marks.seen.len();
        kept.marks.seen.retain(|node, seen| voters.contains(&(node.clone(), seen.storage)));
        kept.has_changed |= kept.marks.seen.len() != before;
        kept.voters = voters;
    }

    /// How far that node's disk has come.
    #[must_use]
    pub fn seen(&self, node: &NodeId) -> Option<Seen> {
        self.lock().marks.seen.get(node).copied()
    }

    /// A node has written so often; less than before of one disk says nothing new here.
    pub fn saw(&self, node: &NodeId, storage: StorageId, sequence: u64) {
        let mut kept = self.lock();
        let known = kept.marks.seen.get(node).filter(|seen| seen.storage == storage);
        let is_voter = kept.voters.contains(&(node.clone(), storage));
        if is_voter && known.is_none_or(|seen| seen.sequence < sequence) {
            kept.marks.seen.insert(node.clone(), Seen { storage, sequence });
            kept.has_changed = true;
        }
    }

    /// Nothing that this disk says may count any more; true if that is news.
    pub fn suspend(&self, why: &str) -> bool {
        let mut kept = self.lock();
        let is_news = kept.marks.suspended.is_none();
        if is_news {
            kept.marks.suspended = Some(why.to_owned());
            kept.has_changed = true;
            // One slot: the store writes everything there is.
            self.hurry.0.try_send(()).ok();
        }
        is_news
    }

    /// Why nothing that this disk says may count.
    #[must_use]
    pub fn suspended(&self) -> Option<String> {
        self.lock().marks.suspended.clone()
    }

    /// The cluster that this one was made from by force.
    #[must_use]
    pub fn former(&self) -> Option<Former> {
        self.lock().marks.former.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        // A thread that panics ends the process; nothing half-changed is ever seen.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
