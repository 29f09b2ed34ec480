//! Who should be master when several could: an order of candidates.
//! Never a veto (R68): the order only spaces out who asks first and whom a master hands over to.

use alloc::vec::Vec;
use core::cmp::Ordering;
use core::time::Duration;

use crate::protocol::membership::{Member, Policy};
use crate::protocol::order;
use crate::protocol::units::{Moment, NodeId};
use crate::protocol::voter::Voter;

/// Processes that started within so much of each other are equally senior, or two machines powered
/// on together would each take the other for the older one.
const SENIORITY_STEP: Duration = Duration::from_secs(10);

/// Whether `one` is preferred to `other` under the committed document's policy.
pub(crate) fn is_better(voter: &Voter, one: &NodeId, other: &NodeId, now: Moment) -> bool {
    compare(voter, one, other, now) == Ordering::Less
}

/// Whether this node, as the master, gives way to `other` (R40): it is preferred, and stays so.
/// Among processes of about the same age none is: they pass the steps of seniority one after the
/// other, and mastership would go round with them, again and again.
pub(crate) fn displaces_me(voter: &Voter, other: &NodeId, now: Moment) -> bool {
    match voter.durable().committed.charter.election.policy {
        Policy::Seniority => age(voter, other, now) > voter.age(now).saturating_add(SENIORITY_STEP),
        Policy::LowestId | Policy::Priority | Policy::Freshest | Policy::Sticky => {
            is_better(voter, other, &voter.me, now)
        }
    }
}

/// How many of the `rivals` are preferred to this node: the number of staggers to wait (R67).
pub(crate) fn rank<'a>(
    voter: &Voter,
    rivals: impl Iterator<Item = &'a Member>,
    now: Moment,
) -> u32 {
    let better = rivals.filter(|rival| is_better(voter, &rival.id, &voter.me, now)).count();
    u32::try_from(better).unwrap_or(u32::MAX)
}

/// Those of `candidates` in order of preference, best first.
pub(crate) fn order<'a>(
    voter: &Voter,
    candidates: impl Iterator<Item = &'a Member>,
    now: Moment,
) -> Vec<&'a Member> {
    order::sorted(candidates.collect(), |a, b| compare(voter, &a.id, &b.id, now))
}

/// The preferred one of two is less.
fn compare(voter: &Voter, one: &NodeId, other: &NodeId, now: Moment) -> Ordering {
    let more = |what: &dyn Fn(&NodeId) -> u64| what(other).cmp(&what(one));
    let fresher = || freshness(voter, other).cmp(&freshness(voter, one));
    let priority = |id: &NodeId| u64::from(priority(voter, id));
    let seniority = |id: &NodeId| age(voter, id, now).as_secs() / SENIORITY_STEP.as_secs();
    let incumbency = |id: &NodeId| u64::from(voter.is_incumbent(id));
    let lower_name = || one.cmp(other);
    match voter.durable().committed.charter.election.policy {
        Policy::LowestId => lower_name(),
        Policy::Priority => more(&priority).then_with(fresher).then_with(lower_name),
        Policy::Seniority => more(&seniority).then_with(fresher).then_with(|| other.cmp(one)),
        Policy::Freshest => fresher().then_with(|| more(&priority)).then_with(lower_name),
        Policy::Sticky => more(&incumbency).then_with(lower_name),
    }
}

fn priority(voter: &Voter, id: &NodeId) -> u32 {
    let members = &voter.durable().committed.charter.members;
    members.find(id).map_or(0, |member| member.priority)
}

/// How fresh its data are, as it last said; unknown is least.
fn freshness(voter: &Voter, id: &NodeId) -> Option<u64> {
    if *id == voter.me {
        return voter.condition.freshness;
    }
    voter.peers.get(id)?.presence.freshness
}

/// How long its process has run, as far as this node can tell.
pub(crate) fn age(voter: &Voter, id: &NodeId, now: Moment) -> Duration {
    if *id == voter.me {
        return voter.age(now);
    }
    let Some(peer) = voter.peers.get(id) else { return Duration::ZERO };
    peer.presence.age.saturating_add(now.held_since(peer.last_heard))
}
