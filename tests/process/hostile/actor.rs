//! What a member would say if it were honest: enough of a voter to be counted on, no more.
//! Never lies by itself; a script begins with the honest answer and bends it.

use std::fs;
use std::path::Path;

use quorate::daemon::clock;
use quorate::protocol::durable::{Document, Durable, Identity};
use quorate::protocol::membership::{Charter, Member};
use quorate::protocol::message::{
    AppendAck, Ballot, Candidacy, Heartbeat, HeartbeatAck, Message, Presence, Verdict,
};
use quorate::protocol::units::{NodeId, Term};
use quorate::settings::cluster::parse_agreed;
use quorate::wire::hello::Hello;
use quorate::wire::record;

/// A voter without a disk.
#[derive(Clone, Debug)]
pub(super) struct Actor {
    pub(super) identity: Identity,
    pub(super) document: Document,
    pub(super) term: Term,
    /// Every member of the document it was founded with.
    pub(super) members: Vec<Member>,
    /// How many writes its disk had: with fewer nobody listens to it.
    sequence: u64,
}

impl Actor {
    /// Plays the node whose state is in that directory.
    pub(super) fn of(state: &Path) -> Self {
        let bytes = fs::read(state.join("state")).expect("the node was founded");
        let durable = record::decode(&bytes, &charter_of).expect("nobody touched it");
        let members = durable.accepted.charter.members.all().cloned().collect();
        let Durable { identity, accepted: document, term, sequence, .. } = durable;
        Self { identity, document, term, sequence, members }
    }

    /// The hello of a process of this node.
    pub(super) fn hello(&self) -> Hello {
        Hello::of(&self.identity, 4_711, self.sequence)
    }

    /// What it says about itself.
    pub(super) fn presence(&self) -> Presence {
        Presence {
            term: self.term,
            position: self.document.position,
            storage: self.identity.storage,
            is_vote_ready: true,
            is_electable: false,
            is_healthy: true,
            freshness: None,
            age: std::time::Duration::ZERO,
            follows: None,
            hears: self.members.iter().map(|member| member.id.clone()).collect(),
            reading: clock::now(),
            echo: None,
        }
    }

    /// The honest answer, if there is one.
    pub(super) fn answer(&mut self, message: &Message) -> Option<Message> {
        match message {
            Message::Beat(_) => Some(Message::Beat(self.presence())),
            Message::Heartbeat(beat) => {
                self.term = self.term.max(beat.term);
                Some(Message::HeartbeatAck(self.promise(beat)))
            }
            Message::PreVote(asked) => Some(Message::PreVoteReply(self.grant(asked))),
            Message::Vote(asked) => {
                self.term = self.term.max(asked.term);
                Some(Message::VoteReply(self.grant(asked)))
            }
            Message::Append(append) => {
                self.document = append.document.clone();
                Some(Message::AppendAck(AppendAck {
                    term: append.term,
                    position: self.document.position,
                    hash: self.document.hash,
                    storage: self.identity.storage,
                }))
            }
            _ => None,
        }
    }

    /// A promise to whoever sent `beat`.
    pub(super) fn promise(&self, beat: &Heartbeat) -> HeartbeatAck {
        HeartbeatAck {
            term: beat.term,
            sequence: beat.sequence,
            position: self.document.position,
            hash: self.document.hash,
            verdict: Verdict::Granted,
            presence: self.presence(),
        }
    }

    /// A yes to whoever stands.
    pub(super) fn grant(&self, asked: &Candidacy) -> Ballot {
        Ballot {
            candidacy: asked.term,
            nonce: asked.nonce,
            term: self.term,
            position: self.document.position,
            storage: self.identity.storage,
            verdict: Verdict::Granted,
        }
    }

    /// A heartbeat of a master of `term` with this actor's document.
    pub(super) fn heartbeat(&self, term: Term) -> Heartbeat {
        Heartbeat {
            term,
            sequence: 1,
            promise: self.document.charter.timing.dead_after(),
            position: self.document.position,
            hash: self.document.hash,
            committed: self.document.position,
            is_acting: true,
            presence: Presence { term, ..self.presence() },
        }
    }

    /// The member of that name.
    pub(super) fn member(&self, name: &NodeId) -> &Member {
        self.members.iter().find(|member| member.id == *name).expect("it is a member")
    }
}

/// Reads a document's body as a daemon does.
pub(super) fn charter_of(body: &str) -> Result<Charter, String> {
    parse_agreed(body, "cluster.yaml").map_err(|problem| problem.to_string())
}
