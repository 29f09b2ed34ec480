//! Keeps who is on the way to vote, as read in the committed document.
//! Never reads one document twice: this is asked at every status, as long as somebody joins.

use std::sync::{Mutex, PoisonError};

use crate::daemon::report;
use crate::protocol::durable::Document;
use crate::protocol::units::Hash;
use crate::wire::control::NewcomerReport;

/// What was read last, and the hash of what it was read in.
#[derive(Debug, Default)]
pub(crate) struct Newcomers(Mutex<Option<(Hash, Vec<NewcomerReport>)>>);

impl Newcomers {
    /// Who is on the way by `committed`.
    pub(crate) fn of(&self, committed: &Document) -> Vec<NewcomerReport> {
        // What is kept is replaced whole; nothing half-changed is ever seen.
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*kept {
            Some((hash, newcomers)) if *hash == committed.hash => newcomers.clone(),
            Some(_) | None => {
                let newcomers = report::newcomers(committed);
                *kept = Some((committed.hash, newcomers.clone()));
                newcomers
            }
        }
    }
}
