//! What the clients of a run saw of their edits, for a checker that is not ours.
//! Never part of a decision; a run whose edits nobody records is the same run.

use std::collections::BTreeMap;

use crate::protocol::durable::Document;
use crate::protocol::edit::Rejection;
use crate::protocol::effects::{Answer, EditOutcome};
use crate::protocol::units::RequestId;
use crate::spec::linear::{Edit, Look, Outcome, Record, Text};

/// The edits of a run, and what was seen of the document where it cannot be outdated.
pub(crate) struct Editing {
    before: Text,
    edits: BTreeMap<RequestId, Edit>,
    looks: Vec<Look>,
    /// Counts questions, answers and looks: two at one instant have an order, too.
    moments: u64,
}

fn text(document: &Document) -> Text {
    (document.revision, document.hash.to_string())
}

impl Editing {
    /// Nothing was asked for yet.
    pub(crate) fn of(founded: &Document) -> Self {
        Self { before: text(founded), edits: BTreeMap::new(), looks: Vec::new(), moments: 0 }
    }

    fn moment(&mut self) -> u64 {
        self.moments += 1;
        self.moments
    }

    /// A client that saw `seen` asks for `document` over `revision`.
    pub(crate) fn asked(
        &mut self,
        request: RequestId,
        seen: Option<&Document>,
        revision: u64,
        document: &Document,
    ) {
        let asked = self.moment();
        let base = seen.filter(|seen| seen.revision == revision).map(|seen| text(seen).1);
        let (over, tag) = ((revision, base), text(document).1);
        let edit = Edit { asked, answered: asked, over, tag, outcome: Outcome::Unknown };
        self.edits.insert(request, edit);
    }

    /// A client is told what became of its edit.
    pub(crate) fn answered(&mut self, request: RequestId, answer: &Answer) {
        let answered = self.moment();
        let Some(edit) = self.edits.get_mut(&request) else { return };
        let Answer::Edited(outcome) = answer else { return };
        edit.answered = answered;
        edit.outcome = match outcome {
            EditOutcome::Committed { revision, .. } => Outcome::Committed(*revision),
            EditOutcome::Rejected(Rejection::RevisionMoved { now }) => Outcome::Moved(*now),
            EditOutcome::Rejected(_) => Outcome::Refused,
            EditOutcome::Unknown => Outcome::Unknown,
        };
    }

    /// Whether anybody was not told yet what became of an edit.
    pub(crate) fn is_open(&self) -> bool {
        self.edits.values().any(|edit| edit.answered == edit.asked)
    }

    /// Somebody looks at the document of the acting master.
    pub(crate) fn looked(&mut self, document: &Document) {
        let at = self.moment();
        self.looks.push(Look { at, seen: text(document) });
    }

    /// All of it.
    pub(crate) fn record(&self) -> Record {
        let edits = self.edits.values().cloned().collect();
        Record { before: self.before.clone(), edits, looks: self.looks.clone() }
    }
}
