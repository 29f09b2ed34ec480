//! Builds the read-only status of a node. Never changes it.

use alloc::vec::Vec;

use crate::protocol::activity::Activity;
use crate::protocol::membership::Member;
use crate::protocol::node::{Node, Role};
use crate::protocol::status::{Blocker, Duty, Glance, KnownMaster, PeerStatus, Status};
use crate::protocol::units::{Label, Moment, NodeId};
use crate::protocol::voter::Voter;

/// Everything about `node` at `now`.
pub(crate) fn of(node: &Node, now: Moment) -> Status {
    let voter = &node.voter;
    let durable = voter.durable();
    let charter = &durable.committed.charter;
    let acting_until = match voter.activity {
        Activity::Acting { until, .. } if !now.may_have_reached(until) => Some(until),
        Activity::Acting { .. } | Activity::Idle | Activity::Stopping { .. } => None,
    };
    Status {
        at: now,
        node: voter.me.clone(),
        storage: durable.identity.storage,
        cluster_name: charter.name.clone(),
        cluster: durable.identity.cluster,
        generation: durable.identity.generation,
        duty: duty(node, acting_until.is_some()),
        term: durable.term,
        master: node.belief.master.as_ref().map(|master| KnownMaster {
            id: master.id.clone(),
            address: address_of(voter, &master.id),
            term: master.term,
            knowledge: master.knowledge.clone(),
        }),
        since: now.held_since(node.belief.since),
        reason: node.belief.reason.clone(),
        changes: node.belief.changes,
        acting_until,
        lease_left: node.lease_left(now),
        promise: voter
            .running_promise(now)
            .and_then(|p| p.remaining(now).map(|left| (p.holder.clone(), left))),
        quiet_left: voter.quiet_left(now),
        is_storage_failed: voter.is_storage_failed(),
        condition: voter.condition,
        hold_off_left: voter
            .hold_off
            .filter(|_| voter.is_held_off(now))
            .map(|until| until.held_since(now)),
        quorum_have: voter.voters_heard(now),
        quorum_need: voter.members().majority(),
        accepted: durable.accepted.position,
        committed: durable.committed.position,
        revision: durable.committed.revision,
        peers: voter.known_members().iter().map(|member| peer(voter, member, now)).collect(),
        blockers: blockers(node, now),
        policy: charter.election.policy,
        moves_by_itself: charter.moves_by_itself(),
        timing: voter.timing(),
    }
}

/// What is asked most often about `node` as of its last step, and what it does at `now`.
pub(crate) fn glance(node: &Node, now: Moment) -> Glance {
    let voter = &node.voter;
    let is_acting = match voter.activity {
        Activity::Acting { until, .. } => !now.may_have_reached(until),
        Activity::Idle | Activity::Stopping { .. } => false,
    };
    Glance {
        duty: duty(node, is_acting),
        term: voter.durable().term,
        master: node.belief.master.as_ref().map(|master| master.id.clone()),
        has_quorum: node.belief.has_quorum,
        is_storage_failed: voter.is_storage_failed(),
        is_healthy: voter.condition.is_healthy,
    }
}

fn duty(node: &Node, is_acting: bool) -> Duty {
    match (&node.role, node.voter.activity) {
        (Role::Master(_), _) if is_acting => Duty::Master,
        (_, Activity::Acting { .. } | Activity::Stopping { .. }) => Duty::Stopping,
        (Role::Master(_), Activity::Idle) => Duty::Winner,
        (Role::Candidate(_), Activity::Idle) => Duty::Candidate,
        (Role::Follower(_), Activity::Idle) => Duty::Follower,
    }
}

fn address_of(voter: &Voter, id: &NodeId) -> Label {
    let committed = voter.durable().committed.charter.members.find(id);
    let member = committed.or_else(|| voter.members().find(id));
    member.map_or_else(|| "".into(), |member| member.address.clone())
}

fn peer(voter: &Voter, member: &Member, now: Moment) -> PeerStatus {
    let dead_after = voter.dead_after();
    let known = voter.peers.get(&member.id);
    let heard = voter.peers.heard(&member.id, now, dead_after);
    let presence = known.map(|peer| &peer.presence);
    let is_spoken_of = voter.counts(&voter.me, voter.durable().identity.storage);
    PeerStatus {
        id: member.id.clone(),
        address: member.address.clone(),
        role: member.role,
        is_heard: heard.is_some(),
        // Peers say which voters they hear: of any other node nothing can be concluded.
        hears_us: heard.filter(|_| is_spoken_of).map(|peer| peer.hears_us),
        last_heard: known.map(|peer| now.held_since(peer.last_heard)),
        streak: heard.map(|peer| now.held_since(peer.streak_start)),
        round_trip: heard.and_then(|peer| peer.round_trip),
        position: presence.map(|presence| presence.position),
        term: presence.map(|presence| presence.term),
        is_vote_ready: heard.map(|peer| peer.presence.is_vote_ready),
        is_healthy: heard.map(|peer| peer.presence.is_healthy),
        freshness: heard.and_then(|peer| peer.presence.freshness),
        follows: heard.and_then(|peer| peer.presence.follows.clone()),
        hears: heard.map_or_else(Vec::new, |peer| peer.presence.hears.to_vec()),
        is_clock_deviant: known.is_some_and(|peer| peer.is_clock_deviant()),
        clock: known.and_then(|peer| peer.clock_rate()),
    }
}

/// If the master vanished now: who would be left, and could they elect?
fn blockers(node: &Node, now: Moment) -> Vec<Blocker> {
    let voter = &node.voter;
    let mut found = Vec::new();
    if voter.is_storage_failed() {
        found.push(Blocker::StorageFailed);
    }
    let master = node.belief.master.as_ref().map(|master| &master.id);
    let is_left = |id: &NodeId| Some(id) != master;
    let heard = |id: &NodeId| voter.peers.heard(id, now, voter.dead_after());
    let others: Vec<&Member> =
        voter.other_voters().filter(|m| is_left(&m.id) && heard(&m.id).is_some()).collect();
    let own = voter.own_vote().filter(|_| is_left(&voter.me));
    let remaining = others.len() + usize::from(own.is_some());
    let need = voter.members().majority();
    if remaining < need {
        found.push(Blocker::TooFewVoters { remaining, need });
    }
    let unready = others
        .iter()
        .filter(|member| heard(&member.id).is_some_and(|peer| !peer.presence.is_vote_ready));
    found.extend(unready.map(|member| Blocker::NotVoteReady(member.id.clone())));
    if own.is_some() && !voter.is_vote_ready(now) && !voter.is_storage_failed() {
        found.push(Blocker::NotVoteReady(voter.me.clone()));
    }
    if !others.iter().copied().chain(own).any(Member::may_lead) {
        found.push(Blocker::NobodyMayLead);
    }
    found
}
