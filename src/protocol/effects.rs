//! All that can happen to a node and all that is to be done about it.
//! Never does it; the daemon and the simulator do, in the order of the fields.

use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use crate::protocol::durable::{Document, Durable};
use crate::protocol::message::{Envelope, HandoverRefusal, Message, Refusal};
use crate::protocol::units::{Moment, NodeId, Position, RequestId, Term, Words};

pub use crate::protocol::alarm::Alarm;
pub use crate::protocol::edit::{EditOutcome, Rejection};

/// All that can happen to a node.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Input {
    /// Time passed; the wake-up time of the last effects has come.
    Tick,
    /// A message came from `from`, whom the session proved.
    Received {
        /// Who sent it.
        from: NodeId,
        /// What it says.
        message: Message,
    },
    /// A way to `to` opened: say hello at once.
    Connected {
        /// The peer.
        to: NodeId,
    },
    /// Every record up to this sequence is on disk.
    Persisted {
        /// The newest durable sequence.
        sequence: u64,
    },
    /// Writing failed; nothing newer than the last `Persisted` can be relied on (R4).
    PersistFailed {
        /// What the system said.
        error: Words,
    },
    /// Everything that acted in `term` is confirmed dead (R34).
    Stopped {
        /// The term it acted in.
        term: Term,
    },
    /// Something says that clocks or scheduling cannot be trusted just now (R21).
    Suspicion(Suspicion),
    /// What this node says about the work it would lead with; healthy and unknown until then.
    Condition(Condition),
    /// A local client wants something; the answer carries `request`.
    Asked {
        /// Names the answer.
        request: RequestId,
        /// What is wanted.
        wish: Wish,
    },
    /// The machine or the operator wants this node gone: hand over, then answer `Effects::left`.
    Leave,
}

/// How fit this node is to lead: never a veto, only a preference (R68, R69).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Condition {
    /// Whether the work it would lead with is in order. A node where it is not stands last, and
    /// as master hands over to one where it is.
    pub is_healthy: bool,
    /// How fresh its data are, greater is fresher; none if unknown, which is least.
    pub freshness: Option<u64>,
}

impl Default for Condition {
    fn default() -> Self {
        Self { is_healthy: true, freshness: None }
    }
}

/// What local clients may ask for.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Wish {
    /// Make `to`, or the best other node, the master.
    Transfer {
        /// The wanted master.
        to: Option<NodeId>,
    },
    /// Give mastership up and do not stand for `hold_off`, unless nobody else can.
    StepDown {
        /// How long to hold off.
        hold_off: Duration,
        /// Who wants it, and why.
        reason: StepDownReason,
    },
    /// Replace the document's content if it is still at `revision` (R43).
    Propose {
        /// The content revision the editor saw.
        revision: u64,
        /// The new content; its position and revision are set here.
        document: Document,
    },
}

/// Why this node shall step down.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum StepDownReason {
    /// An operator asked for it.
    Operator,
    /// A write to this node's disk stands still.
    StalledStorage,
    /// The `master` hook failed for good.
    HookFailed,
    /// The process that ends what runs as master is gone.
    GuardLost,
}

/// Why a clock or the scheduler is distrusted (R21).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Suspicion {
    /// The core did not run for this long past its wake-up time.
    Stall(Duration),
    /// `CLOCK_REALTIME` moved against `CLOCK_BOOTTIME` by this much.
    WallClockJump(Duration),
    /// The two clocks disagree by more than 1 % over the last ten seconds or more.
    ClocksDisagree,
}

/// All that is to be done, in the order of the fields.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Effects {
    /// First: orders to whatever acts under mastership; a stop is never late.
    pub orders: Vec<Order>,
    /// Then: the newest record for the disk. It replaces any record not yet written.
    pub persist: Option<Durable>,
    /// Then: the mail. Whatever had to be durable first already is.
    pub mail: Vec<Envelope>,
    /// Then: answers to local clients.
    pub answers: Vec<(RequestId, Answer)>,
    /// Then: what people and hooks are told.
    pub events: Vec<Event>,
    /// True once after `Input::Leave`: this node holds nothing any more and may exit.
    pub left: bool,
    /// Last: when to come back with `Input::Tick` at the latest, by either clock.
    pub wake: Option<Moment>,
}

/// An order to whatever acts under mastership.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Order {
    /// Begin to act; end by yourself when either clock reaches `until`.
    Start {
        /// The fencing token (R35).
        term: Term,
        /// The lease's end less the stop budget, unless extended.
        until: Moment,
        /// The lease's end less the time to kill: what was not over by itself is killed then.
        kill: Moment,
    },
    /// Go on, now until `until`.
    Extend {
        /// The fencing token.
        term: Term,
        /// The new end; it may be earlier than the old one (R25).
        until: Moment,
        /// The new moment to kill at. It comes with the end, so that a new time to stop is never
        /// applied to a lease that has no room for it.
        kill: Moment,
    },
    /// End now. What is not dead at `kill` is killed. Answered by `Input::Stopped`.
    Stop {
        /// The fencing token.
        term: Term,
        /// When patience ends.
        kill: Moment,
    },
}

/// The answer to a `Wish`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Answer {
    /// Mastership arrived at this node.
    HandedOver {
        /// The new master.
        to: NodeId,
        /// Its term.
        term: Term,
    },
    /// Mastership was given up; a successor was not seen yet.
    SteppedDown,
    /// Nothing was stopped.
    HandoverRefused(HandoverRefusal),
    /// The old master stopped, and no new one was seen in time: ask again for the master.
    HandoverUnknown,
    /// What became of an edit.
    Edited(EditOutcome),
}

/// What a node tells the world about itself, in order.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Event {
    /// This node asks for votes.
    Standing {
        /// The term it would have.
        term: Term,
    },
    /// An attempt to be elected failed.
    ElectionFailed {
        /// The attempt's term.
        term: Term,
        /// Who refused and why.
        refusals: Vec<(NodeId, Refusal)>,
        /// Who did not answer.
        silent: Vec<NodeId>,
    },
    /// This node won `term` and does not act yet.
    Won {
        /// The term.
        term: Term,
    },
    /// This node acts as master from now on.
    Elected {
        /// The term: the fencing token.
        term: Term,
        /// Where the time went.
        timeline: Timeline,
    },
    /// This node stops acting as master.
    Demoted {
        /// The term that ends.
        term: Term,
        /// Why.
        reason: StopReason,
    },
    /// All that acted in `term` is dead.
    StopConfirmed {
        /// The term.
        term: Term,
    },
    /// The master this node believes in changed.
    MasterChanged {
        /// Before.
        from: Option<NodeId>,
        /// Now.
        to: Option<NodeId>,
        /// The term now.
        term: Term,
        /// How this node knows.
        reason: ChangeReason,
    },
    /// A majority can be heard, or no longer can.
    QuorumChanged {
        /// Whether it can.
        has_quorum: bool,
        /// How many voters are heard, this node included.
        have: usize,
        /// How many are needed.
        need: usize,
    },
    /// A peer is heard again, or no longer is.
    PeerChanged {
        /// The peer.
        peer: NodeId,
        /// Whether it is heard.
        is_heard: bool,
    },
    /// A peer that is heard does not hear this node, and has not for dead_after; or it does again.
    HearingChanged {
        /// The peer.
        peer: NodeId,
        /// Whether it says that it hears this node.
        hears_us: bool,
    },
    /// A new document is committed.
    DocumentCommitted {
        /// Its position.
        position: Position,
        /// Its content revision.
        revision: u64,
    },
    /// A handover was begun by this node.
    HandoverBegun {
        /// Towards whom; nobody in particular if `None`.
        to: Option<NodeId>,
        /// Why.
        reason: StopReason,
    },
    /// Something that must not happen, or that a person must look at.
    Alarm(Alarm),
}

/// How long each part of an election took, for the log.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Timeline {
    /// From the last sign of the old master to standing; zero if none was known.
    pub detect: Duration,
    /// From standing to the majority of votes.
    pub vote: Duration,
    /// From the votes to the committed own-term document and a usable lease.
    pub commit: Duration,
}

/// Why a master stops.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum StopReason {
    /// The lease could not be renewed: too few voters answered.
    LeaseRanOut,
    /// A voter has a higher term (R17).
    HigherTerm {
        /// The voter.
        voter: NodeId,
        /// Its term.
        term: Term,
    },
    /// An operator asked for a transfer.
    TransferAsked,
    /// A preferred node served its cooldown.
    Failback,
    /// An operator asked this node to step down.
    StepDownAsked,
    /// This node's daemon is being stopped.
    Leaving,
    /// The disk failed (R4).
    StorageFailed,
    /// A write to this node's disk stands still.
    StalledStorage,
    /// This node's health command fails.
    Unhealthy,
    /// The document has this node leave the field to others.
    Standby,
    /// The `master` hook failed for good.
    HookFailed,
    /// The process that ends what runs as master is gone.
    GuardLost,
    /// Won, but no lease or no commit within dead_after (R16).
    NeverActivated,
    /// What ran as master ended by itself, or its guard did.
    ActivityEnded,
    /// A master of a later term is there.
    Superseded {
        /// Who.
        by: NodeId,
    },
}

impl From<StepDownReason> for StopReason {
    fn from(reason: StepDownReason) -> Self {
        match reason {
            StepDownReason::Operator => Self::StepDownAsked,
            StepDownReason::StalledStorage => Self::StalledStorage,
            StepDownReason::HookFailed => Self::HookFailed,
            StepDownReason::GuardLost => Self::GuardLost,
        }
    }
}

impl fmt::Display for StopReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LeaseRanOut => f.write_str("lease not renewed: too few voters answered"),
            Self::HigherTerm { voter, term } => write!(f, "{voter} is in later term {term}"),
            Self::TransferAsked => f.write_str("transfer asked for"),
            Self::Failback => f.write_str("failback to the preferred node"),
            Self::StepDownAsked => f.write_str("step-down asked for"),
            Self::Leaving => f.write_str("daemon is stopping"),
            Self::StorageFailed => f.write_str("storage failed"),
            Self::StalledStorage => f.write_str("the disk does not finish a write"),
            Self::Unhealthy => f.write_str("this node is not healthy"),
            Self::Standby => f.write_str("this node is on standby"),
            Self::HookFailed => f.write_str("the master hook failed"),
            Self::GuardLost => f.write_str("the guard of what runs as master is gone"),
            Self::NeverActivated => f.write_str("won but could not take office in time"),
            Self::ActivityEnded => f.write_str("what ran as master ended by itself"),
            Self::Superseded { by } => write!(f, "{by} leads a later term"),
        }
    }
}

/// How a node came to believe in another master, or in none.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum ChangeReason {
    /// This node was elected.
    ElectedHere,
    /// This node stopped acting.
    Stopped(StopReason),
    /// A heartbeat of an acting master came.
    Announced,
    /// A peer follows that master; this node does not hear it itself.
    ToldBy(NodeId),
    /// The promise to the master ran out unrenewed.
    PromiseExpired,
    /// The master gave its term up.
    Released,
    /// The peer that told of the master fell silent or follows nobody now.
    NoLongerTold,
}

impl fmt::Display for ChangeReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ElectedHere => f.write_str("elected here"),
            Self::Stopped(reason) => write!(f, "stopped here: {reason}"),
            Self::Announced => f.write_str("it announced itself"),
            Self::ToldBy(peer) => write!(f, "told by {peer}; not heard directly"),
            Self::PromiseExpired => f.write_str("it fell silent"),
            Self::Released => f.write_str("it gave mastership up"),
            Self::NoLongerTold => f.write_str("nobody tells of it any more"),
        }
    }
}
