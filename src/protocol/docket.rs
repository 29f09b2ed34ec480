//! The edits a master was asked for: who waits for the one under way, and what became of the
//! others, so that a message that comes twice is judged once (R43). Never judges one.

use alloc::collections::VecDeque;

use crate::protocol::edit::{EditOutcome, EditReply};
use crate::protocol::effects::Answer;
use crate::protocol::message::Message;
use crate::protocol::units::{NodeId, Nonce, RequestId};
use crate::protocol::voter::Voter;

/// How many decided edits of other nodes are remembered; a node waits for one at a time.
const DECIDED_MAX: usize = 64;

/// Who waits for an edit.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Asker {
    /// A program on this machine.
    Client(RequestId),
    /// A node that was asked by one.
    Peer(NodeId, Nonce),
}

/// What a master knows of the edits it was asked for in its term.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct Docket {
    pending: Option<Asker>,
    decided: VecDeque<(Asker, EditOutcome)>,
}

impl Docket {
    /// An edit of this asker is under way from now on.
    pub(crate) fn open(&mut self, asker: Asker) {
        self.pending = Some(asker);
    }

    pub(crate) fn is_pending(&self, asker: &Asker) -> bool {
        self.pending.as_ref() == Some(asker)
    }

    /// What became of an edit that was decided already.
    pub(crate) fn recall(&self, asker: &Asker) -> Option<EditOutcome> {
        self.decided.iter().find(|(known, _)| known == asker).map(|(_, outcome)| outcome.clone())
    }

    /// The edit under way, if there is one, came to this end. Returns whether there was one.
    pub(crate) fn close(&mut self, voter: &mut Voter, outcome: EditOutcome) -> bool {
        let Some(asker) = self.pending.take() else { return false };
        self.decide(voter, asker, outcome);
        true
    }

    /// Tells and remembers what became of an edit.
    pub(crate) fn decide(&mut self, voter: &mut Voter, asker: Asker, outcome: EditOutcome) {
        tell(voter, &asker, outcome.clone());
        if let Asker::Peer(..) = asker {
            self.decided.truncate(DECIDED_MAX - 1);
            self.decided.push_front((asker, outcome));
        }
    }
}

/// Tells what became of an edit.
pub(crate) fn tell(voter: &mut Voter, asker: &Asker, outcome: EditOutcome) {
    match asker {
        Asker::Client(request) => {
            voter.effects.answers.push((*request, Answer::Edited(outcome)));
        }
        Asker::Peer(id, nonce) => {
            let reply = EditReply { nonce: *nonce, outcome };
            voter.send(id, Message::EditReply(reply));
        }
    }
}
