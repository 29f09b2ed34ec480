//! Edits on their way to whoever decides on them: asked for here, passed on to the master, judged
//! there, answered (R43). Never changes a document by itself; the master spreads what was judged.

use crate::protocol::docket::{self, Asker};
use crate::protocol::durable::Document;
use crate::protocol::edit::{Edit, EditOutcome, EditReply, Rejection};
use crate::protocol::effects::Answer;
use crate::protocol::message::Message;
use crate::protocol::mutant::Rule;
use crate::protocol::node::{Node, Role};
use crate::protocol::proposal;
use crate::protocol::units::{Moment, NodeId, Nonce, RequestId};

/// An edit that was passed on, and that a local client waits for.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Petition {
    request: RequestId,
    nonce: Nonce,
    deadline: Moment,
}

impl Petition {
    pub(crate) fn deadline(&self) -> Moment {
        self.deadline
    }
}

impl Node {
    /// A local client wants the document to become this one.
    pub(crate) fn ask_edit(
        &mut self,
        now: Moment,
        request: RequestId,
        revision: u64,
        document: Document,
    ) {
        let asker = Asker::Client(request);
        if matches!(self.role, Role::Master(_)) {
            return self.judge_edit(now, asker, revision, &document);
        }
        let Some(master) = &self.belief.master else {
            let nobody = EditOutcome::Rejected(Rejection::NotMaster { master: None });
            return docket::tell(&mut self.voter, &asker, nobody);
        };
        if self.petition.is_some() {
            let pending = EditOutcome::Rejected(Rejection::EditPending);
            return docket::tell(&mut self.voter, &asker, pending);
        }
        let nonce = self.voter.nonce();
        let edit = Edit { term: master.term, nonce, revision, document };
        self.voter.send(&master.id, Message::Edit(edit));
        let deadline = now.after(self.voter.dead_after() * 2);
        self.petition = Some(Petition { request, nonce, deadline });
    }

    /// Another node passes an operator's edit on. Whoever does not lead the term it was meant for
    /// cannot know what became of it: it may have come twice.
    pub(crate) fn on_edit(&mut self, now: Moment, from: &NodeId, edit: &Edit) {
        let asker = Asker::Peer(from.clone(), edit.nonce);
        let known = match &self.role {
            Role::Master(master) if master.term() == edit.term => {
                if master.docket().is_pending(&asker) && self.voter.keeps(Rule::EditOnce) {
                    return;
                }
                master.docket().recall(&asker).filter(|_| self.voter.keeps(Rule::EditOnce))
            }
            Role::Follower(_) | Role::Candidate(_) | Role::Master(_) => Some(EditOutcome::Unknown),
        };
        match known {
            Some(outcome) => docket::tell(&mut self.voter, &asker, outcome),
            None => self.judge_edit(now, asker, edit.revision, &edit.document),
        }
    }

    fn judge_edit(&mut self, now: Moment, asker: Asker, revision: u64, document: &Document) {
        let Role::Master(master) = &mut self.role else { return };
        let office = master.office(&self.voter, &document.charter.members);
        match proposal::judge(&office, &self.voter, revision, document, now) {
            Ok(document) => {
                self.voter.ledger.accept(document);
                master.spread(&mut self.voter, asker, now);
            }
            Err(why) => master.reject_edit(&mut self.voter, asker, why),
        }
    }

    pub(crate) fn on_edit_reply(&mut self, reply: EditReply) {
        if self.petition.as_ref().is_some_and(|petition| petition.nonce == reply.nonce) {
            self.end_petition(reply.outcome);
        }
    }

    /// Whoever waits for longer than any answer takes is told that nobody knows.
    pub(crate) fn run_petition(&mut self, now: Moment) {
        let is_over = |petition: &Petition| now.has_surely_reached(petition.deadline);
        if self.petition.as_ref().is_some_and(is_over) {
            self.end_petition(EditOutcome::Unknown);
        }
    }

    fn end_petition(&mut self, outcome: EditOutcome) {
        if let Some(Petition { request, .. }) = self.petition.take() {
            self.voter.effects.answers.push((request, Answer::Edited(outcome)));
        }
    }
}
