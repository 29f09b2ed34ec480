//! Every message between nodes. A session has already proved who speaks, that both belong to the
//! same cluster and generation, and that the bytes are whole; nothing here repeats that.
//! Never spells bytes; wire does.
//!
//! | message | sent by | to | answered by |
//! |---|---|---|---|
//! | `Beat` | everybody, once per heartbeat | every peer that got nothing else | nothing |
//! | `Heartbeat` | the master of a term | every peer | `HeartbeatAck` |
//! | `PreVote` | a node about to stand | every other voter | `PreVoteReply` |
//! | `Vote` | a candidate, its term and own vote durable | every other voter | `VoteReply` |
//! | `Append` | the master | whoever does not have the document | `AppendAck` |
//! | `Fetch` | whoever knows of a newer document | one who has it | `Offer` |
//! | `Release` | a master whose children are dead | every voter | nothing |
//! | `TimeoutNow` | the same | the node that shall lead | its `Vote` |
//! | `Handover` | any node asked by an operator | the master | `HandoverReply` |
//! | `Edit` | any node asked by an operator | the master | `EditReply`, when it is decided |

use alloc::sync::Arc;
use core::fmt;
use core::time::Duration;

use crate::protocol::durable::Document;
use crate::protocol::edit::{Edit, EditReply};
use crate::protocol::units::{Hash, Moment, NodeId, Nonce, Position, StorageId, Term};

/// A message and whom it is for.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Envelope {
    /// Whom it is for.
    pub to: NodeId,
    /// What it says.
    pub message: Message,
}

/// One message between two nodes.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
#[allow(missing_docs, reason = "the table above and each body say it")]
pub enum Message {
    Beat(Presence),
    Heartbeat(Heartbeat),
    HeartbeatAck(HeartbeatAck),
    PreVote(Candidacy),
    PreVoteReply(Ballot),
    Vote(Candidacy),
    VoteReply(Ballot),
    Append(Append),
    AppendAck(AppendAck),
    Fetch(Fetch),
    Offer(Offer),
    Release(Release),
    TimeoutNow(Release),
    Handover(Handover),
    HandoverReply(HandoverReply),
    Edit(Edit),
    EditReply(EditReply),
}

/// What a node says about itself, alone as a `Beat` or inside a heartbeat or its answer.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Presence {
    /// The sender's term.
    pub term: Term,
    /// The sender's accepted document.
    pub position: Position,
    /// The disk behind the sender's votes.
    pub storage: StorageId,
    /// May vote now: storage sound, no quiet period, nothing of its own still running.
    pub is_vote_ready: bool,
    /// May lead now: nothing holds it off.
    pub is_electable: bool,
    /// Whether the work it would lead with is in order (R69).
    pub is_healthy: bool,
    /// How fresh its data are, greater is fresher.
    pub freshness: Option<u64>,
    /// How long its process has run.
    pub age: Duration,
    /// The master it follows under a running promise, or itself while it acts.
    pub follows: Option<NodeId>,
    /// Which voters the sender hears, with clocks it can lean on: received from within dead_after.
    pub hears: Arc<[NodeId]>,
    /// The sender's clocks at sending: for round trips and rates (R27).
    pub reading: Moment,
    /// The newest reading the sender has from the receiver, and how long ago it came.
    pub echo: Option<Echo>,
}

/// Gives a peer its own reading back, so that it can measure the round trip.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Echo {
    /// The peer's reading.
    pub reading: Moment,
    /// How long it lay here.
    pub held: Duration,
}

/// Renews the promises of all who acknowledge it (R23).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Heartbeat {
    /// The sender's term, which it won.
    pub term: Term,
    /// Counts this master's heartbeats; the acknowledgement repeats it.
    pub sequence: u64,
    /// P: the promise asked for, by this message and not by anybody's settings (D8).
    pub promise: Duration,
    /// The master's document.
    pub position: Position,
    /// Its hash.
    pub hash: Hash,
    /// The newest committed position.
    pub committed: Position,
    /// Whether the sender is the acting master, not merely the winner.
    pub is_acting: bool,
    /// About the sender.
    pub presence: Presence,
}

/// Answers a heartbeat: a promise made, or a refusal with the term that stands against it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct HeartbeatAck {
    /// The heartbeat's term.
    pub term: Term,
    /// The heartbeat's sequence.
    pub sequence: u64,
    /// The sender's document.
    pub position: Position,
    /// Its hash.
    pub hash: Hash,
    /// `Granted` is the promise of R24.
    pub verdict: Verdict,
    /// About the sender.
    pub presence: Presence,
}

/// Asks for a (pre-)vote. In a `PreVote`, `term` is the term the sender *would* stand in.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Candidacy {
    /// The term stood for.
    pub term: Term,
    /// The candidate's document (R8).
    pub position: Position,
    /// The disk the candidate's own vote is on.
    pub storage: StorageId,
    /// Repeated by the answer.
    pub nonce: Nonce,
    /// The release that made room for this candidacy, if a handover did (R37).
    pub release: Option<Released>,
}

/// Answers a (pre-)vote.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Ballot {
    /// The candidacy's term.
    pub candidacy: Term,
    /// The candidacy's nonce.
    pub nonce: Nonce,
    /// The sender's own term.
    pub term: Term,
    /// The sender's accepted document.
    pub position: Position,
    /// The disk this vote is on (R15).
    pub storage: StorageId,
    /// Granted, or why not.
    pub verdict: Verdict,
}

/// A yes, or a no with its reason.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Verdict {
    /// Yes.
    Granted,
    /// No.
    Refused(Refusal),
}

/// Why a node says no to a peer. People read these.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Refusal {
    /// The asker's term is not above (pre-vote) or is below (vote, heartbeat) this node's.
    StaleTerm {
        /// This node's term.
        mine: Term,
    },
    /// The asker's term is impossibly far above this node's (R6).
    TermJump {
        /// This node's term.
        mine: Term,
    },
    /// This node's vote in that term is taken (P3).
    AlreadyVoted {
        /// By whom.
        by: NodeId,
    },
    /// The asker's document is older (R9).
    PositionBehind {
        /// This node's position.
        mine: Position,
    },
    /// Same position, other bytes: one of both is damaged.
    PositionConflict {
        /// The position both claim.
        at: Position,
    },
    /// A promise to another node still runs (R8).
    Promised {
        /// To whom.
        to: NodeId,
        /// For how much longer.
        remaining: Duration,
    },
    /// This node holds the lease itself.
    LeaseHolder {
        /// For how much longer.
        remaining: Duration,
    },
    /// What ran under this node's own mastership is not confirmed dead (R34).
    StillStopping,
    /// Started too recently to know what it promised before (R12).
    QuietPeriod {
        /// For how much longer.
        remaining: Duration,
    },
    /// The disk failed; this node is silent until restarted (R4).
    StorageFailed,
    /// The asker is no voter of this node's document (R48).
    NotAVoter,
    /// Another node is already master of that term: a fault worth an alarm.
    SecondMaster {
        /// The first one.
        first: NodeId,
    },
    /// The asker gave this term up (R38).
    Released,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::StaleTerm { mine } => write!(f, "stale term: mine is {mine}"),
            Self::TermJump { mine } => write!(f, "term jump: mine is only {mine}"),
            Self::AlreadyVoted { by } => write!(f, "already voted for {by}"),
            Self::PositionBehind { mine } => write!(f, "document behind mine at {mine}"),
            Self::PositionConflict { at } => write!(f, "another document at {at}"),
            Self::Promised { to, remaining } => {
                write!(f, "promised to {to} for {} ms", remaining.as_millis())
            }
            Self::LeaseHolder { remaining } => {
                write!(f, "master here for {} ms", remaining.as_millis())
            }
            Self::StillStopping => f.write_str("still stopping what ran as master"),
            Self::QuietPeriod { remaining } => {
                write!(f, "quiet after start for {} ms", remaining.as_millis())
            }
            Self::StorageFailed => f.write_str("storage failed"),
            Self::NotAVoter => f.write_str("not a voter of my document"),
            Self::SecondMaster { first } => write!(f, "{first} is master of that term"),
            Self::Released => f.write_str("you gave that term up"),
        }
    }
}

/// Hands the document to a node that does not have it; only the master of the term sends it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Append {
    /// The master's term; an acknowledgement counts in it and in no other (R18).
    pub term: Term,
    /// The document.
    pub document: Document,
}

/// Says that exactly this document is on the sender's disk (R2).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct AppendAck {
    /// The `Append`'s term.
    pub term: Term,
    /// The document's position.
    pub position: Position,
    /// The document's hash.
    pub hash: Hash,
    /// The disk it is on.
    pub storage: StorageId,
}

/// Asks for a document newer than `have` (R14, R70).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Fetch {
    /// What the sender has.
    pub have: Position,
}

/// Answers a `Fetch`. Taking it raises the term and is never an acknowledgement (R71).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Offer {
    /// The document.
    pub document: Document,
}

/// The sender ends its mastership of `term`, for ever (R38).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Release {
    /// The term given up.
    pub term: Term,
    /// Who is asked to lead next; nobody else hurries.
    pub successor: Option<NodeId>,
}

/// A release as a third node passes it on (R37).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Released {
    /// Who gave up.
    pub holder: NodeId,
    /// Which term.
    pub term: Term,
}

/// An operator's wish, passed on to the master.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Handover {
    /// Repeated by the answer.
    pub nonce: Nonce,
    /// The wanted successor; `None` asks for the best.
    pub to: Option<NodeId>,
}

/// Answers a `Handover`: begun, or why nothing was stopped (R36).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct HandoverReply {
    /// The question's nonce.
    pub nonce: Nonce,
    /// `Ok`: begun, towards this node.
    pub begun: Result<NodeId, HandoverRefusal>,
}

/// Why a handover did not begin. Nothing was stopped (R36).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum HandoverRefusal {
    /// The node asked is not the acting master.
    NotMaster,
    /// No such member, or one that may not lead.
    NotElectable,
    /// The target is the master already.
    AlreadyMaster,
    /// No answer from the target within two heartbeats.
    NotFresh,
    /// The target's document is not the committed one.
    Behind,
    /// The target may not vote yet: quiet period, failed storage, or still stopping.
    NotReady,
    /// The target holds itself off.
    HeldOff,
    /// The target says that the work it would lead with is not in order.
    Unhealthy,
    /// The target hears no majority.
    SeesNoMajority,
    /// Fewer than a majority are ready to vote for the target.
    TooFewVoters,
    /// An edit waits for its majority.
    EditPending,
    /// A handover runs already.
    Underway,
}

impl fmt::Display for HandoverRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotMaster => "the node asked is not the acting master",
            Self::NotElectable => "the target is not a member that may lead",
            Self::AlreadyMaster => "the target is the master already",
            Self::NotFresh => "the target did not answer within the last two heartbeats",
            Self::Behind => "the target does not have the committed document yet",
            Self::NotReady => {
                "the target may not vote yet (just started, storage failed, or still stopping)"
            }
            Self::Unhealthy => "the target is not healthy",
            Self::HeldOff => "the target holds itself off after a step-down",
            Self::SeesNoMajority => "the target hears no majority of the voters",
            Self::TooFewVoters => "fewer than a majority are ready to vote for the target",
            Self::EditPending => "an edit of the document waits for its majority",
            Self::Underway => "a handover runs already",
        })
    }
}
