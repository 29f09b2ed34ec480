//! Which membership may follow the present one: one voter at a time, and never one whose arrival
//! or leaving could leave the cluster without a majority (R45, R46).
//! Never changes anything; `proposal` asks before the master takes an edit.
//!
//! Majorities of two memberships that differ by one voter share a voter, so whoever is elected
//! under one is known to whoever commits under the other. With two at once they need not.

use core::fmt;

use crate::protocol::membership::{Member, MemberRole, Membership};
use crate::protocol::mutant::Rule;
use crate::protocol::publication::Publication;
use crate::protocol::units::{Moment, NodeId};
use crate::protocol::voter::Voter;

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
    /// A voter does not have the document that names the new one, so it would not know its key.
    DocumentMissing {
        /// The voter that lacks it.
        at: NodeId,
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
                write!(f, "{at} does not have the document with the new voter's key yet")
            }
            Self::NoMajority { have, need } => {
                write!(f, "only {have} of the new voters could vote now, {need} must")
            }
        }
    }
}

/// Whether the document's members may become `after` (R45, R46).
pub(crate) fn check(
    voter: &Voter,
    publication: &Publication,
    after: &Membership,
    now: Moment,
) -> Result<(), ChangeRefusal> {
    let before = voter.members();
    let comes = |member: &&Member| before.voter(&member.id, member.storage).is_none();
    let goes = |member: &&Member| after.voter(&member.id, member.storage).is_none();
    let came = after.voters().filter(comes).count();
    let changes = came + before.voters().filter(goes).count();
    if changes > 1 && voter.keeps(Rule::OneVoterAtATime) {
        return Err(ChangeRefusal::TwoAtOnce);
    }
    let me = after.voter(&voter.me, voter.durable().identity.storage);
    if !me.is_some_and(Member::may_lead) {
        return Err(ChangeRefusal::MasterMustLead);
    }
    if changes == 0 {
        return Ok(());
    }
    for new in after.voters().filter(comes) {
        check_new(voter, publication, new, now)?;
    }
    let ready =
        after.voters().filter(|member| member.id == voter.me || is_ready(voter, member, now));
    let [have, need] = [ready.count(), after.majority()];
    if have < need { Err(ChangeRefusal::NoMajority { have, need }) } else { Ok(()) }
}

/// Observer first: known to everybody, connected for a while, up to date (R46).
fn check_new(
    voter: &Voter,
    publication: &Publication,
    new: &Member,
    now: Moment,
) -> Result<(), ChangeRefusal> {
    let node = new.id.clone();
    let old = voter.members().find(&new.id);
    let is_observer = old.is_some_and(|old| {
        old.role == MemberRole::Observer && old.storage == new.storage && old.pin == new.pin
    });
    if !is_observer {
        return Err(ChangeRefusal::NotAnObserver { node });
    }
    let is_caught_up = voter.heard(new, now).is_some_and(|peer| {
        peer.presence.position == voter.durable().accepted.position
            && now.waited_since(peer.streak_start) >= voter.dead_after() * 2
    });
    if !is_caught_up {
        return Err(ChangeRefusal::NotCaughtUp { node });
    }
    let lacks = |member: &&Member| !publication.is_held_by(&member.id);
    match voter.members().voters().find(lacks) {
        Some(member) => Err(ChangeRefusal::DocumentMissing { at: member.id.clone() }),
        None => Ok(()),
    }
}

/// A new voter cannot be vote-ready as long as it is an observer; that it is heard must do.
fn is_ready(voter: &Voter, member: &Member, now: Moment) -> bool {
    let is_new = voter.members().voter(&member.id, member.storage).is_none();
    voter.heard(member, now).is_some_and(|peer| is_new || peer.presence.is_vote_ready)
}
