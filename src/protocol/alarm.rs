//! What must not happen, in words for the person who is woken by it.
//! Never raises anything; whoever notices does.

use core::fmt;

use crate::protocol::effects::Suspicion;
use crate::protocol::units::{NodeId, Position, Term, Words};

/// What must not happen. Each is for a person.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Alarm {
    /// The disk failed: this node is silent until it is restarted (R4).
    StorageFailed {
        /// What the system said.
        error: Words,
    },
    /// Two nodes claim the same term.
    TwoMastersInTerm {
        /// The term.
        term: Term,
        /// The first claimant.
        first: NodeId,
        /// The second.
        second: NodeId,
    },
    /// A peer's term is impossibly far ahead (R6).
    TermJump {
        /// The peer.
        peer: NodeId,
        /// Its term.
        term: Term,
    },
    /// One position, two contents.
    PositionConflict {
        /// The peer that has the other one.
        peer: NodeId,
        /// The position.
        at: Position,
    },
    /// A voter with a higher term is ignored while the lease holds (R17, L4).
    VoterIgnored {
        /// The voter.
        voter: NodeId,
        /// Its term.
        term: Term,
    },
    /// A voter's clock runs fast against this node's (R27).
    ClockRate {
        /// The voter.
        voter: NodeId,
    },
    /// This node's clocks or scheduling are suspect (R21).
    Suspicion(Suspicion),
    /// Children are not confirmed dead although the lease has ended (R31).
    StopOverdue {
        /// The term they acted in.
        term: Term,
    },
}

impl Alarm {
    /// Its kind, and the node it is about: what makes two alarms the same for people.
    pub(crate) fn subject(&self) -> (u8, Option<&NodeId>) {
        match self {
            Self::StorageFailed { .. } => (0, None),
            Self::TwoMastersInTerm { second, .. } => (1, Some(second)),
            Self::TermJump { peer, .. } => (2, Some(peer)),
            Self::PositionConflict { peer, .. } => (3, Some(peer)),
            Self::VoterIgnored { voter, .. } => (4, Some(voter)),
            Self::ClockRate { voter } => (5, Some(voter)),
            Self::Suspicion(Suspicion::Stall(_)) => (6, None),
            Self::Suspicion(Suspicion::WallClockJump(_)) => (7, None),
            Self::Suspicion(Suspicion::ClocksDisagree) => (8, None),
            Self::StopOverdue { .. } => (9, None),
        }
    }
}

impl fmt::Display for Alarm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::StorageFailed { error } => write!(
                f,
                "storage failed ({error}): this node neither votes nor acknowledges until it is \
                 restarted on a sound disk"
            ),
            Self::TwoMastersInTerm { term, first, second } => {
                write!(f, "{first} and {second} both claim term {term}")
            }
            Self::TermJump { peer, term } => {
                write!(f, "{peer} claims term {term}, impossibly far ahead; refused")
            }
            Self::PositionConflict { peer, at } => {
                write!(f, "{peer} has another document at position {at}; refused")
            }
            Self::VoterIgnored { voter, term } => write!(
                f,
                "{voter} keeps refusing with later term {term}; ignored while the lease holds"
            ),
            Self::ClockRate { voter } => write!(
                f,
                "the clock of {voter} runs fast against this node's by more than half the drift \
                 bound; beyond twice the bound it does not count for a lease: check time keeping"
            ),
            Self::Suspicion(Suspicion::Stall(by)) => {
                write!(f, "the election loop stood still for {} ms", by.as_millis())
            }
            Self::Suspicion(Suspicion::WallClockJump(by)) => {
                write!(f, "the wall clock jumped by {} ms against boot time", by.as_millis())
            }
            Self::Suspicion(Suspicion::ClocksDisagree) => {
                f.write_str("the two monotonic clocks run apart by more than 1 %")
            }
            Self::StopOverdue { term } => {
                write!(f, "what ran as master of term {term} is not confirmed dead in time")
            }
        }
    }
}
