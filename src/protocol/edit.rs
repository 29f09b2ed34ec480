//! An edit of the document on its way between the node that was asked for it and the master that
//! decides on it (R43). Never judges one; `proposal` does.

use core::fmt;
use core::time::Duration;

use crate::protocol::durable::Document;
use crate::protocol::membership::ChangeRefusal;
use crate::protocol::units::{NodeId, Nonce, Position, Term};

/// An operator's edit, passed on to the master.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Edit {
    /// The master's term: in another one nobody knows any more what became of it.
    pub term: Term,
    /// Repeated by the answer. A master judges it once, however often the message comes.
    pub nonce: Nonce,
    /// The content revision the editor saw.
    pub revision: u64,
    /// The new content; its position and revision are set by the master.
    pub document: Document,
}

/// Answers an `Edit`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct EditReply {
    /// The question's nonce.
    pub nonce: Nonce,
    /// What became of it.
    pub outcome: EditOutcome,
}

/// What became of an edit (R43).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum EditOutcome {
    /// It is on a majority of disks.
    Committed {
        /// Its position.
        position: Position,
        /// Its content revision.
        revision: u64,
    },
    /// It was not taken, and will not be.
    Rejected(Rejection),
    /// It may still commit.
    Unknown,
}

/// Why an edit was not taken; the document is unchanged.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Rejection {
    /// Only the acting master decides.
    NotMaster {
        /// Who is, as far as this node knows.
        master: Option<NodeId>,
    },
    /// Somebody edited meanwhile (R43).
    RevisionMoved {
        /// The revision now.
        now: u64,
    },
    /// Another edit waits for its majority (R19).
    EditPending,
    /// The cluster's name, id or generation may not be edited.
    OtherCluster,
    /// The members may not become these now (R45, R46).
    Members(ChangeRefusal),
    /// The present lease is too short for the new time to stop (R25).
    LeaseTooShort,
    /// The voters are too far apart for the new timing: nobody could lead under it (R28).
    TooFarApart {
        /// The round trip within which a majority answers; none if it was not measured yet.
        round_trip: Option<Duration>,
    },
    /// This node's storage failed.
    StorageFailed,
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotMaster { master: Some(id) } => write!(f, "not master here: ask {id}"),
            Self::NotMaster { master: None } => f.write_str("no master to decide on it"),
            Self::RevisionMoved { now } => write!(f, "the document is at revision {now} now"),
            Self::EditPending => f.write_str("another edit waits for its majority"),
            Self::OtherCluster => f.write_str("cluster, id and generation cannot be edited"),
            Self::Members(refusal) => refusal.fmt(f),
            Self::LeaseTooShort => f.write_str(
                "the present lease is too short for the new timing: raise dead_after first, and \
                 stop and heartbeat in a second edit",
            ),
            Self::TooFarApart { round_trip: Some(round_trip) } => write!(
                f,
                "with round trips of {} ms nobody could lead under the new timing",
                round_trip.as_millis()
            ),
            Self::TooFarApart { round_trip: None } => {
                f.write_str("the round trips between the voters are not measured yet: try again")
            }
            Self::StorageFailed => f.write_str("storage failed on the master"),
        }
    }
}
