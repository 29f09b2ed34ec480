//! Who would lead in whose place, and what keeps each of the others from it: for people.
//! Never decides anything; votes are given without it (R68).

use alloc::vec::Vec;

use crate::protocol::membership::{Member, MemberRole};
use crate::protocol::preference;
use crate::protocol::status::{Hindrance, Placing};
use crate::protocol::units::Moment;
use crate::protocol::voter::Voter;

/// Every member, those who could lead first and in the order in which they would.
pub(crate) fn of(voter: &Voter, now: Moment) -> Vec<Placing> {
    let members = &voter.durable().committed.charter.members;
    let ordered = preference::order(voter, members.all(), now);
    let placings = ordered.into_iter().map(|member| placing(voter, member, now));
    let (mut able, hindered): (Vec<_>, Vec<_>) =
        placings.partition(|placing| placing.hindrance.is_none());
    able.extend(hindered);
    able
}

fn placing(voter: &Voter, member: &Member, now: Moment) -> Placing {
    let is_me = member.id == voter.me;
    let heard = voter.heard(member, now).map(|peer| &peer.presence);
    let freshness = if is_me { voter.condition.freshness } else { heard.and_then(|p| p.freshness) };
    let hindrance =
        if is_me { own_hindrance(voter, member, now) } else { hindrance(voter, member, now) };
    Placing {
        id: member.id.clone(),
        hindrance,
        priority: member.priority,
        freshness,
        age: preference::age(voter, &member.id, now),
        is_incumbent: voter.is_incumbent(&member.id),
    }
}

/// What the document says against a node.
fn written(member: &Member) -> Option<Hindrance> {
    match member.role {
        MemberRole::Witness | MemberRole::Observer => Some(Hindrance::NeverLeads(member.role)),
        MemberRole::Voter if !member.is_in_sync => Some(Hindrance::OutOfSync),
        MemberRole::Voter if member.standby.is_some() => Some(Hindrance::Standby),
        MemberRole::Voter => None,
    }
}

fn own_hindrance(voter: &Voter, member: &Member, now: Moment) -> Option<Hindrance> {
    let unable = (!voter.is_able()).then_some(Hindrance::Unable);
    let unhealthy = (!voter.condition.is_healthy).then_some(Hindrance::Unhealthy);
    let held_off = voter.is_held_off(now).then_some(Hindrance::HeldOff);
    written(member).or(unable).or(unhealthy).or(held_off)
}

fn hindrance(voter: &Voter, member: &Member, now: Moment) -> Option<Hindrance> {
    if let Some(hindrance) = written(member) {
        return Some(hindrance);
    }
    let Some(peer) = voter.heard(member, now) else { return Some(Hindrance::NotHeard) };
    if !peer.presence.is_healthy {
        return Some(Hindrance::Unhealthy);
    }
    (!peer.presence.is_electable).then_some(Hindrance::HeldOff)
}
