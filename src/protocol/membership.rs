//! Who belongs: who votes, who may lead, who only watches; and the charter they share.
//! Never asks who is alive; `liveness` does.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use crate::protocol::order;
use crate::protocol::quorum;
use crate::protocol::timing::Timing;
use crate::protocol::units::{ClusterId, Label, NodeId, Pin, StorageId};

/// The most voters a cluster may have.
pub const VOTERS_MAX: usize = 9;

/// What a member is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MemberRole {
    /// Votes and may lead.
    Voter,
    /// Votes and keeps the document, never leads (R50).
    Witness,
    /// Receives, never counts (R49).
    Observer,
}

/// One line of the document's node list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Member {
    /// Its name.
    pub id: NodeId,
    /// Where it listens, as `host:port`; the protocol never looks inside.
    pub address: Label,
    /// What it is for.
    pub role: MemberRole,
    /// Higher leads first under policy `priority`; 100 where the document names none.
    pub priority: u32,
    /// Its key's fingerprint: who may speak as this node (R74).
    pub pin: Pin,
    /// The fingerprint of the key that is to follow, while its key changes: trusted as well.
    pub next_pin: Option<Pin>,
    /// The disk whose votes count for it (R52).
    pub storage: StorageId,
    /// Whether its data count as complete. Where the document asks for the freshest data only such
    /// a node may stand (R68); where it does not, every node's do.
    pub is_in_sync: bool,
    /// Set while it leaves the field to others, by an operator's wish.
    pub standby: Option<Override>,
}

/// Something people set for a while. What it overrides is in force again once it is removed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Override {
    /// Who set it, as they are known.
    pub by: Label,
    /// When, in milliseconds since 1970.
    pub since: Option<u64>,
    /// When somebody should remove it, in milliseconds since 1970; the protocol never looks.
    pub until: Option<u64>,
}

impl Member {
    /// Whether its votes and acknowledgements count.
    #[must_use]
    pub fn votes(&self) -> bool {
        match self.role {
            MemberRole::Voter | MemberRole::Witness => true,
            MemberRole::Observer => false,
        }
    }

    /// Every key that may speak as this node.
    pub fn pins(&self) -> impl Iterator<Item = Pin> {
        [self.pin].into_iter().chain(self.next_pin)
    }

    /// Whether it may ever be master.
    #[must_use]
    pub fn may_lead(&self) -> bool {
        self.role == MemberRole::Voter && self.is_in_sync
    }
}

/// The members of one document: names, keys and disks are distinct, 1 to 9 vote, one may lead.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Membership {
    members: Vec<Member>,
    majority: usize,
}

/// Why a list of members cannot be a cluster. Indices are those of the list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MembershipError {
    /// The member at this index has the name of an earlier one.
    SameName(usize),
    /// The member at this index has a key of an earlier one, or one twice.
    SameKey(usize),
    /// The member at this index has the storage id of an earlier one.
    SameStorage(usize),
    /// Nobody may lead.
    NobodyMayLead,
    /// More than nine voters and witnesses.
    TooManyVoters,
}

impl Membership {
    /// Checks and builds; members are kept ordered by name.
    ///
    /// # Errors
    /// The first member that contradicts an earlier one, or a count out of range.
    pub fn new(members: Vec<Member>) -> Result<Self, MembershipError> {
        let (mut names, mut keys, mut disks) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for (index, member) in members.iter().enumerate() {
            if !names.insert(&member.id) {
                return Err(MembershipError::SameName(index));
            }
            if !member.pins().all(|pin| keys.insert(pin.0)) {
                return Err(MembershipError::SameKey(index));
            }
            if !disks.insert(member.storage) {
                return Err(MembershipError::SameStorage(index));
            }
        }
        if !members.iter().any(Member::may_lead) {
            return Err(MembershipError::NobodyMayLead);
        }
        let voters = members.iter().filter(|m| m.votes()).count();
        if voters > VOTERS_MAX {
            return Err(MembershipError::TooManyVoters);
        }
        let members = order::sorted(members, |a, b| a.id.cmp(&b.id));
        Ok(Self { members, majority: quorum::majority(voters) })
    }

    /// Everybody, ordered by name.
    pub fn all(&self) -> impl Iterator<Item = &Member> {
        self.members.iter()
    }

    /// Those whose votes count, ordered by name.
    pub fn voters(&self) -> impl Iterator<Item = &Member> + Clone {
        self.members.iter().filter(|member| member.votes())
    }

    /// The member of that name.
    #[must_use]
    pub fn find(&self, id: &NodeId) -> Option<&Member> {
        let place = self.members.binary_search_by(|member| member.id.cmp(id)).ok()?;
        Some(&self.members[place])
    }

    /// The voter of that name whose disk is `storage`; other disks of the same name do not count.
    #[must_use]
    pub fn voter(&self, id: &NodeId, storage: StorageId) -> Option<&Member> {
        self.find(id).filter(|member| member.votes() && member.storage == storage)
    }

    /// ⌊voters/2⌋+1: how many must agree.
    #[must_use]
    pub fn majority(&self) -> usize {
        self.majority
    }
}

/// Why a membership may not follow the present one now. Nothing was changed.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum ChangeRefusal {
    /// More than one voter would come or go.
    TwoAtOnce,
    /// The master would no longer be a voter that may lead.
    MasterMustLead,
    /// A new voter is not an observer with that very disk and key yet.
    NotAnObserver {
        /// The new voter.
        node: NodeId,
    },
    /// A new voter is not heard for long enough, or lacks the present document.
    NotCaughtUp {
        /// The new voter.
        node: NodeId,
    },
    /// A voter does not have the document that names the new one, or the next key of one, so it
    /// would not know that key.
    DocumentMissing {
        /// The voter that lacks it.
        at: NodeId,
    },
    /// A voter would have another key than the one named as its next: those who have not heard of
    /// it would shut it out (R74).
    OtherKey {
        /// The voter.
        node: NodeId,
    },
    /// A majority of the new voters could not vote now.
    NoMajority {
        /// How many could.
        have: usize,
        /// How many must.
        need: usize,
    },
}

impl fmt::Display for ChangeRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TwoAtOnce => f.write_str("only one voter may come or go in one edit"),
            Self::MasterMustLead => {
                f.write_str("the master must stay a voter: transfer the mastership first")
            }
            Self::NotAnObserver { node } => {
                write!(f, "{node} must be an observer before it becomes a voter")
            }
            Self::NotCaughtUp { node } => {
                write!(f, "{node} is not connected and up to date for long enough yet")
            }
            Self::DocumentMissing { at } => {
                write!(f, "{at} does not have the document with the new key yet")
            }
            Self::OtherKey { node } => {
                write!(
                    f,
                    "the key of {node} cannot change at once while it votes: run quorate key \
                     rotate there, or demote it first"
                )
            }
            Self::NoMajority { have, need } => {
                write!(f, "only {have} of the new voters could vote now, {need} must")
            }
        }
    }
}

/// Who should lead when several could. It orders candidates and never vetoes (R68).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Policy {
    /// The lowest name by bytes.
    LowestId,
    /// The highest priority, then the freshest data, then the lowest name.
    Priority,
    /// The process that has run longest, then the freshest data, then the highest name.
    Seniority,
    /// The freshest data, then the highest priority, then the lowest name.
    Freshest,
    /// Whoever was master last, then the lowest name.
    Sticky,
}

/// When a better node gets the mastership back from a sitting master.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Failback {
    /// After this much unbroken liveness of the better node.
    After(Duration),
    /// Not by itself.
    Never,
}

/// The election part of a charter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Election {
    /// Who is preferred.
    pub policy: Policy,
    /// How long a better node must live before the master hands over to it.
    pub failback: Failback,
    /// Whether another node takes over by itself when the master is lost.
    pub is_automatic: bool,
}

/// What a document says, parsed: the part of cluster.yaml the protocol acts on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Charter {
    /// The cluster's name, for people.
    pub name: Label,
    /// The cluster's identity.
    pub cluster: ClusterId,
    /// Raised by a forced recovery only (R62).
    pub generation: u64,
    /// The timing everybody uses.
    pub timing: Timing,
    /// Who is preferred.
    pub election: Election,
    /// Who belongs.
    pub members: Membership,
    /// Set while mastership stays where it is until people say otherwise.
    pub maintenance: Option<Override>,
    /// Whether this release knows all that the document says. One that does not keeps, votes and
    /// acknowledges, but does not lead (R44).
    pub is_understood: bool,
}

impl Charter {
    /// Whether mastership goes to another node without being told to. Where it does not, only
    /// whoever was master last stands by itself; all others stand when somebody asks them to.
    #[must_use]
    pub fn moves_by_itself(&self) -> bool {
        self.election.is_automatic && self.maintenance.is_none()
    }
}
