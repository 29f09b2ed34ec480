//! Which membership may follow the present one: one voter at a time, and never one whose arrival
//! or leaving could leave the cluster without a majority (R45, R46).
//! Never changes anything; `proposal` asks before the master takes an edit.
//!
//! Majorities of two memberships that differ by one voter share a voter, so whoever is elected
//! under one is known to whoever commits under the other. With two at once they need not.

use crate::protocol::membership::{ChangeRefusal, Member, MemberRole, Membership};
use crate::protocol::mutant::Rule;
use crate::protocol::publication::Publication;
use crate::protocol::units::Moment;
use crate::protocol::voter::Voter;

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
    for member in after.voters() {
        check_key(voter, publication, member)?;
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

/// A voter's key changes only to the one that was named as its next, once every voter has the
/// document that names it: whoever had not heard of it would shut it out (R74).
fn check_key(voter: &Voter, publication: &Publication, new: &Member) -> Result<(), ChangeRefusal> {
    let old = voter.members().find(&new.id).filter(|old| old.votes() && old.pin != new.pin);
    match old {
        None => Ok(()),
        Some(old) if old.next_pin == Some(new.pin) => check_all_have_it(voter, publication),
        Some(_) => Err(ChangeRefusal::OtherKey { node: new.id.clone() }),
    }
}

fn check_all_have_it(voter: &Voter, publication: &Publication) -> Result<(), ChangeRefusal> {
    let lacks = |member: &&Member| !publication.is_held_by(&member.id);
    match voter.members().voters().find(lacks) {
        Some(member) => Err(ChangeRefusal::DocumentMissing { at: member.id.clone() }),
        None => Ok(()),
    }
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
    check_all_have_it(voter, publication)
}

/// A new voter cannot be vote-ready as long as it is an observer; that it is heard must do.
fn is_ready(voter: &Voter, member: &Member, now: Moment) -> bool {
    let is_new = voter.members().voter(&member.id, member.storage).is_none();
    voter.leans_on(member, now)
        && voter.heard(member, now).is_some_and(|peer| is_new || peer.presence.is_vote_ready)
}
