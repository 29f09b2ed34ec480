//! Whom this node believes to be master, whom it hears, and how that changed.
//! Never decides anything by it; people, hooks and events do.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use core::hash::{Hash, Hasher};
use core::mem;

use crate::protocol::activity::Activity;
use crate::protocol::effects::{ChangeReason, Event, StopReason};
use crate::protocol::lease::Promise;
use crate::protocol::status::Knowledge;
use crate::protocol::units::{Moment, NodeId, Term};
use crate::protocol::voter::Voter;

/// The master as far as this node knows.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Believed {
    pub(crate) id: NodeId,
    pub(crate) term: Term,
    pub(crate) knowledge: Knowledge,
}

/// Since when a peer that is heard has not heard this node, and whether that was told.
#[derive(Clone, Debug)]
struct Deaf {
    since: Moment,
    is_told: bool,
}

/// What this node believes, and its history.
#[derive(Clone, Debug)]
pub(crate) struct Belief {
    pub(crate) master: Option<Believed>,
    pub(crate) since: Moment,
    pub(crate) reason: Option<ChangeReason>,
    pub(crate) changes: u64,
    pub(crate) has_quorum: bool,
    /// Ordered by name.
    heard: Vec<NodeId>,
    /// Who is heard and does not hear this node.
    deaf: BTreeMap<NodeId, Deaf>,
    stopped: Option<StopReason>,
}

/// Reasons and counts are for people: what a node does next never depends on them.
impl Hash for Belief {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.master, self.since, self.has_quorum, &self.heard).hash(state);
    }
}

impl Belief {
    pub(crate) fn new(now: Moment) -> Self {
        Self {
            master: None,
            since: now,
            reason: None,
            changes: 0,
            has_quorum: false,
            heard: Vec::new(),
            deaf: BTreeMap::new(),
            stopped: None,
        }
    }

    /// Compares what is with what was, and tells the differences.
    pub(crate) fn observe(&mut self, voter: &mut Voter, now: Moment) {
        for event in &voter.effects.events {
            if let Event::Demoted { reason, .. } = event {
                self.stopped = Some(reason.clone());
            }
        }
        self.observe_links(voter, now);
        self.observe_quorum(voter, now);
        self.observe_master(voter, now);
    }

    /// Looks whether anything changed, which is rare, and only then at what did.
    fn observe_links(&mut self, voter: &mut Voter, now: Moment) {
        let mut before = self.heard.iter();
        let [mut are_same, mut all_hear_us] = [true; 2];
        for (id, peer) in voter.peers.all_heard(now, voter.dead_after()) {
            are_same &= before.next() == Some(id);
            all_hear_us &= peer.hears_us;
        }
        if !are_same || before.next().is_some() {
            self.observe_peers(voter, now);
        }
        if !all_hear_us || !self.deaf.is_empty() {
            self.observe_hearing(voter, now);
        }
    }

    fn observe_peers(&mut self, voter: &mut Voter, now: Moment) {
        let dead_after = voter.dead_after();
        let mut heard: BTreeSet<NodeId> = BTreeSet::new();
        heard.extend(voter.peers.all_heard(now, dead_after).map(|(id, _)| id.clone()));
        let mut before = BTreeSet::new();
        before.extend(mem::take(&mut self.heard));
        for peer in heard.symmetric_difference(&before).cloned() {
            let is_heard = heard.contains(&peer);
            voter.event(Event::PeerChanged { peer, is_heard });
        }
        self.heard = heard.into_iter().collect();
    }

    /// Tells of a link that works one way only. Every link does so for a moment when it comes up,
    /// and dead_after is what silence takes to be told, too.
    ///
    /// Peers say which voters they hear: of any other node nothing can be concluded.
    fn observe_hearing(&mut self, voter: &mut Voter, now: Moment) {
        if !voter.counts(&voter.me, voter.durable().identity.storage) {
            return self.deaf.clear();
        }
        let dead_after = voter.dead_after();
        let mut changed: Vec<(NodeId, bool)> = Vec::new();
        for (id, peer) in voter.peers.all_heard(now, dead_after) {
            if peer.hears_us {
                let was = self.deaf.remove(id);
                changed.extend(was.filter(|was| was.is_told).map(|_| (id.clone(), true)));
                continue;
            }
            let deaf = self.deaf.entry(id.clone()).or_insert(Deaf { since: now, is_told: false });
            if !deaf.is_told && now.waited_since(deaf.since) >= dead_after {
                deaf.is_told = true;
                changed.push((id.clone(), false));
            }
        }
        // Of a peer that fell silent, that is told instead.
        self.deaf.retain(|id, _| self.heard.contains(id));
        for (peer, hears_us) in changed {
            voter.event(Event::HearingChanged { peer, hears_us });
        }
    }

    fn observe_quorum(&mut self, voter: &mut Voter, now: Moment) {
        let has_quorum = voter.hears_majority(now);
        if has_quorum != self.has_quorum {
            self.has_quorum = has_quorum;
            let [have, need] = [voter.voters_heard(now), voter.members().majority()];
            voter.event(Event::QuorumChanged { has_quorum, have, need });
        }
    }

    fn observe_master(&mut self, voter: &mut Voter, now: Moment) {
        let evidence = current(voter, now);
        let is_known = match (&evidence, &self.master) {
            (Some(evidence), Some(master)) => evidence.is_for(master),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        if is_known {
            voter.has_known_master |= self.master.is_some();
            return;
        }
        let current = evidence.map(|evidence| evidence.believed());
        let [old, new] = [&self.master, &current].map(|m| m.as_ref().map(|m| &m.id));
        if old != new {
            let [old, new] = [old.cloned(), new.cloned()];
            let reason = self.reason_for(current.as_ref(), voter);
            self.note_end_of(voter, new.as_ref(), &reason, now);
            self.changes = self.changes.saturating_add(1);
            self.since = now;
            self.reason = Some(reason.clone());
            let term = current.as_ref().map_or(voter.term(), |master| master.term);
            voter.event(Event::MasterChanged { from: old, to: new, term, reason });
        }
        voter.has_known_master |= current.is_some();
        self.master = current;
    }

    /// Keeps the cooldown's book: short terms of a preferred node make it wait longer (R41).
    fn note_end_of(
        &self,
        voter: &mut Voter,
        new: Option<&NodeId>,
        reason: &ChangeReason,
        now: Moment,
    ) {
        if let Some(ended) = &self.master {
            let peer = voter.peers.get(&ended.id);
            let is_sick = peer.is_some_and(|peer| !peer.presence.is_healthy);
            let has_failed = *reason == ChangeReason::PromiseExpired
                || *reason == ChangeReason::Released && is_sick;
            if has_failed {
                voter.note_term_length(&ended.id, now.waited_since(self.since), now);
            }
        }
        if new.is_some()
            && let Some(expected) = voter.failback_to.take()
            && new != Some(&expected)
        {
            voter.note_term_length(&expected, core::time::Duration::ZERO, now);
        }
    }

    fn reason_for(&self, current: Option<&Believed>, voter: &Voter) -> ChangeReason {
        match current.map(|master| &master.knowledge) {
            Some(Knowledge::Own) => return ChangeReason::ElectedHere,
            Some(Knowledge::Direct) => return ChangeReason::Announced,
            Some(Knowledge::ToldBy(peer)) => return ChangeReason::ToldBy(peer.clone()),
            None => {}
        }
        let Some(old) = &self.master else { return ChangeReason::NoLongerTold };
        match &old.knowledge {
            Knowledge::Own => {
                let reason = self.stopped.clone().unwrap_or(StopReason::LeaseRanOut);
                ChangeReason::Stopped(reason)
            }
            Knowledge::Direct | Knowledge::ToldBy(_) if voter.has_released(&old.id, old.term) => {
                ChangeReason::Released
            }
            Knowledge::Direct => ChangeReason::PromiseExpired,
            Knowledge::ToldBy(_) => {
                let was_ours = voter.promise.as_ref().is_some_and(|p| p.holder == old.id);
                if was_ours { ChangeReason::PromiseExpired } else { ChangeReason::NoLongerTold }
            }
        }
    }
}

/// Evidence of a master: who, in which term, and from whom this node knows it.
#[derive(Clone, Copy, Debug)]
struct Evidence<'a> {
    id: &'a NodeId,
    term: Term,
    source: Source<'a>,
}

/// A knowledge that is only looked at.
#[derive(Clone, Copy, Debug)]
enum Source<'a> {
    Own,
    Direct,
    ToldBy(&'a NodeId),
}

impl Evidence<'_> {
    /// Whether this is what is believed already.
    fn is_for(&self, believed: &Believed) -> bool {
        let is_known = match (self.source, &believed.knowledge) {
            (Source::Own, Knowledge::Own) | (Source::Direct, Knowledge::Direct) => true,
            (Source::ToldBy(peer), Knowledge::ToldBy(before)) => peer == before,
            (Source::Own | Source::Direct | Source::ToldBy(_), _) => false,
        };
        is_known && *self.id == believed.id && self.term == believed.term
    }

    fn believed(&self) -> Believed {
        let knowledge = match self.source {
            Source::Own => Knowledge::Own,
            Source::Direct => Knowledge::Direct,
            Source::ToldBy(peer) => Knowledge::ToldBy(peer.clone()),
        };
        Believed { id: self.id.clone(), term: self.term, knowledge }
    }
}

/// The master by the best evidence there is now.
fn current(voter: &Voter, now: Moment) -> Option<Evidence<'_>> {
    if let Activity::Acting { term, until } = voter.activity
        && !now.may_have_reached(until)
    {
        return Some(Evidence { id: &voter.me, term, source: Source::Own });
    }
    if let Some(promise) = voter.running_promise(now).filter(|promise| promise.is_acting) {
        let Promise { holder: id, term, .. } = promise;
        return Some(Evidence { id, term: *term, source: Source::Direct });
    }
    told(voter, now)
}

/// The master that a heard peer follows; of several the one in the latest term.
fn told(voter: &Voter, now: Moment) -> Option<Evidence<'_>> {
    let tales = voter.peers.all_heard(now, voter.dead_after()).filter_map(|(peer, seen)| {
        let id = seen.presence.follows.as_ref()?;
        let term = seen.presence.term;
        let is_credible = *id != voter.me && !voter.has_released(id, term);
        is_credible.then_some((id, term, peer))
    });
    let (id, term, peer) = tales.max_by_key(|(_, term, _)| *term)?;
    Some(Evidence { id, term, source: Source::ToldBy(peer) })
}
