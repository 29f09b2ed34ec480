//! The read-only view of a node: for people, hooks, scripts and the simulator's oracles.
//! Never decides; every field is copied or derived from the state at one moment.

use alloc::vec::Vec;
use core::time::Duration;

use crate::protocol::effects::Condition;
use crate::protocol::membership::{MemberRole, Policy};
use crate::protocol::units::{ClusterId, Label, Moment, NodeId, Position, StorageId, Term};

/// What a node is doing, in one word.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Duty {
    /// Acts as master under a valid lease.
    Master,
    /// Won its term; commits its document and gathers its lease.
    Winner,
    /// No longer master; what it ran is not confirmed dead.
    Stopping,
    /// Asks for votes.
    Candidate,
    /// Follows a master, or waits for one.
    Follower,
}

/// How this node knows the master.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Knowledge {
    /// It is this node.
    Own,
    /// By its heartbeats.
    Direct,
    /// By this peer, which hears it.
    ToldBy(NodeId),
}

/// The master a node believes in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KnownMaster {
    /// Who.
    pub id: NodeId,
    /// Where it listens.
    pub address: Label,
    /// In which term.
    pub term: Term,
    /// How this node knows.
    pub knowledge: Knowledge,
}

/// One peer as this node sees it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PeerStatus {
    /// Its name.
    pub id: NodeId,
    /// Where it listens.
    pub address: Label,
    /// What it is for.
    pub role: MemberRole,
    /// Whether this node received from it within dead_after.
    pub is_heard: bool,
    /// Whether it says that it receives from this node; `None` while it is not heard, and where
    /// this node does not vote: peers say that of voters only.
    pub hears_us: Option<bool>,
    /// Time since the last message from it; `None` if there never was one.
    pub last_heard: Option<Duration>,
    /// How long it has been heard without a break of dead_after.
    pub streak: Option<Duration>,
    /// The last measured round trip.
    pub round_trip: Option<Duration>,
    /// Its document's position.
    pub position: Option<Position>,
    /// Its term.
    pub term: Option<Term>,
    /// Whether it may vote now.
    pub is_vote_ready: Option<bool>,
    /// Whether the work it would lead with is in order.
    pub is_healthy: Option<bool>,
    /// How fresh its data are, as it says.
    pub freshness: Option<u64>,
    /// Whom it follows.
    pub follows: Option<NodeId>,
    /// Whom it hears.
    pub hears: Vec<NodeId>,
    /// Whether its clock is too far off to count for a lease (R27).
    pub is_clock_deviant: bool,
    /// How fast its clock runs beside this node's, as last measured.
    pub clock: Option<ClockRate>,
}

/// How fast a peer's clock runs beside this node's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ClockRate {
    /// By so much, in parts per million; above zero it runs faster.
    pub off_ppm: i64,
    /// Give or take so much: nobody knows when between question and answer it was read.
    pub within_ppm: u64,
}

/// Everything about one node at one moment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Status {
    /// When this view was taken.
    pub at: Moment,
    /// This node.
    pub node: NodeId,
    /// This node's disk.
    pub storage: StorageId,
    /// The cluster's name.
    pub cluster_name: Label,
    /// The cluster.
    pub cluster: ClusterId,
    /// Raised by forced recovery only.
    pub generation: u64,
    /// What it does.
    pub duty: Duty,
    /// Its durable term.
    pub term: Term,
    /// Whom it believes to be master.
    pub master: Option<KnownMaster>,
    /// How long it has believed so.
    pub since: Duration,
    /// Why it came to believe so, in words.
    pub reason: Option<crate::protocol::effects::ChangeReason>,
    /// How many changes of master it saw, none included.
    pub changes: u64,
    /// While `duty` is `Master`: acting ends when either clock reaches this, unless renewed.
    pub acting_until: Option<Moment>,
    /// While a lease is held: its full remaining length.
    pub lease_left: Option<Duration>,
    /// While promised to a master: to whom and for how much longer.
    pub promise: Option<(NodeId, Duration)>,
    /// Rest of the quiet period (R12), if it runs.
    pub quiet_left: Option<Duration>,
    /// Whether the disk failed (R4).
    pub is_storage_failed: bool,
    /// What this node says about its work.
    pub condition: Condition,
    /// Rest of a step-down's hold-off, if one runs.
    pub hold_off_left: Option<Duration>,
    /// Voters heard, this node included if it votes.
    pub quorum_have: usize,
    /// Voters needed.
    pub quorum_need: usize,
    /// The accepted document.
    pub accepted: Position,
    /// The committed document.
    pub committed: Position,
    /// The committed document's content revision.
    pub revision: u64,
    /// Every other member this node has to do with: of an observer's, those that vote.
    pub peers: Vec<PeerStatus>,
    /// If the master vanished now, what would keep the rest from electing another.
    pub blockers: Vec<Blocker>,
    /// Who is preferred, by the committed document.
    pub policy: Policy,
    /// Whether mastership moves without being asked to, by the committed document.
    pub moves_by_itself: bool,
    /// The promise length and heartbeat in force.
    pub timing: crate::protocol::timing::Timing,
}

/// What is asked of a node most often, cheap enough to be taken after every step.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Glance {
    /// What it does.
    pub duty: Duty,
    /// Its durable term.
    pub term: Term,
    /// Whom it believes to be master.
    pub master: Option<NodeId>,
    /// Whether it hears a majority of the voters.
    pub has_quorum: bool,
    /// Whether the disk failed (R4).
    pub is_storage_failed: bool,
    /// Whether the work it would lead with is in order.
    pub is_healthy: bool,
}

/// Where a member stands in the order of those who could lead, and why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Placing {
    /// Its name.
    pub id: NodeId,
    /// What keeps it from leading, or makes it the last to; nothing if it could lead now.
    pub hindrance: Option<Hindrance>,
    /// Its priority in the document.
    pub priority: u32,
    /// How fresh its data are, as it says.
    pub freshness: Option<u64>,
    /// How long its process has run, as far as this node can tell.
    pub age: Duration,
    /// Whether it was master last, as far as this node knows.
    pub is_incumbent: bool,
}

/// Why a member is not among those who could lead.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Hindrance {
    /// It is a witness or an observer.
    NeverLeads(MemberRole),
    /// Its data do not count as complete, and the document asks for that.
    OutOfSync,
    /// The document has it leave the field to others: it is the last resort.
    Standby,
    /// It was not heard within dead_after.
    NotHeard,
    /// Its work is not in order: it is the last resort.
    Unhealthy,
    /// It stepped down a while ago, is being stopped, or its disk failed, as it says.
    HeldOff,
    /// This node is no voter with this disk, is being stopped, or its disk failed.
    Unable,
}

/// What would block a failover now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Blocker {
    /// Without the master fewer voters remain in sight than are needed.
    TooFewVoters {
        /// Voters heard or present that would remain.
        remaining: usize,
        /// Voters needed.
        need: usize,
    },
    /// That voter may not vote now.
    NotVoteReady(NodeId),
    /// This node's disk failed.
    StorageFailed,
    /// Nobody left could lead.
    NobodyMayLead,
}
