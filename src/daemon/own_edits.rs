//! Owns how the daemon edits the document on its own account: strokes in, what became of them out,
//! with a byline that says which node did what.
//! Never decides what is to be edited, and never asks twice.

use std::fmt;

use crate::daemon::byline;
use crate::daemon::driver::Driver;
use crate::protocol::durable::Document;
use crate::protocol::edit::{EditOutcome, Rejection};
use crate::protocol::effects::{Answer, Wish};
use crate::settings::cluster;
use crate::settings::pen::{self, Stroke};

/// Why an edit was not committed, as far as is known.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum NotDone {
    /// The text cannot become that one: only another text can.
    Hopeless(String),
    /// The master did not take it, or there is none.
    Rejected(Rejection),
    /// It may have been committed all the same.
    Unknown,
}

impl fmt::Display for NotDone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hopeless(why) => f.write_str(why),
            Self::Rejected(why) => why.fmt(f),
            Self::Unknown => f.write_str("what became of the edit is not known"),
        }
    }
}

/// Asks for `document` after `strokes`, wherever the master is; `deed` says what this node did, as
/// in `alpha promoted pi` without the name. Gives the content revision.
///
/// # Errors
/// It was not committed, or that is not known.
pub(crate) fn propose(
    driver: &Driver,
    document: &Document,
    strokes: &[Stroke],
    deed: &str,
) -> Result<u64, NotDone> {
    let body = pen::write(&document.body, strokes)
        .map_err(|error| NotDone::Hopeless(error.to_string()))?;
    propose_body(driver, document, &body, deed).map(|document| document.revision)
}

/// The same with the whole text as it shall be; gives the document as it was committed.
///
/// # Errors
/// As [`propose`].
pub(crate) fn propose_body(
    driver: &Driver,
    old: &Document,
    body: &str,
    deed: &str,
) -> Result<Document, NotDone> {
    let Document { position, revision, .. } = *old;
    let mut document = cluster::document(body, "cluster.yaml", position, revision)
        .map_err(|problem| NotDone::Hopeless(problem.to_string()))?;
    document.byline = byline::of_daemon(driver.name(), deed);
    let wish = Wish::Propose { revision, document: document.clone() };
    match driver.outcome_of(wish) {
        Some(Answer::Edited(EditOutcome::Committed { position, revision })) => {
            Ok(Document { position, revision, ..document })
        }
        Some(Answer::Edited(EditOutcome::Rejected(why))) => Err(NotDone::Rejected(why)),
        _ => Err(NotDone::Unknown),
    }
}
