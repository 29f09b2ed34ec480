//! What every node is, whatever its role: a disk, a vote, a promise, peers, a document.
//! Never decides to stand or to lead; the roles do, and they all work on this.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::mem;
use core::time::Duration;

use crate::protocol::activity::Activity;
use crate::protocol::durable::{Document, Durable};
use crate::protocol::effects::{Alarm, Condition, Effects, Event};
use crate::protocol::lease::Promise;
use crate::protocol::ledger::Ledger;
use crate::protocol::liveness::{Peer, Peers, SaidToHear};
use crate::protocol::membership::{Member, Membership};
use crate::protocol::message::{Candidacy, Envelope, Message, Presence, Released};
use crate::protocol::mutant::Rule;
use crate::protocol::order;
use crate::protocol::register;
use crate::protocol::timing::Timing;
use crate::protocol::units::{
    Chance, Hash, Moment, NodeId, Nonce, Position, StorageId, Term, Words,
};
use crate::protocol::vote::Poll;

/// The same alarm about the same node is raised this often at most.
const ALARM_INTERVAL: Duration = Duration::from_secs(60);

/// The part of a node that all roles share.
#[derive(Clone, Hash, Debug)]
pub(crate) struct Voter {
    pub(crate) me: NodeId,
    pub(crate) promise: Option<Promise>,
    pub(crate) peers: Peers,
    pub(crate) chance: Chance,
    pub(crate) activity: Activity,
    pub(crate) effects: Effects,
    pub(crate) ledger: Ledger,
    /// The last node that proved to be master of a term (R10).
    pub(crate) master_of: Option<(Term, NodeId)>,
    /// A term to adopt once everything has stopped (R17).
    pub(crate) pending_term: Option<Term>,
    /// Whether any master was known since this process started.
    pub(crate) has_known_master: bool,
    /// The preferred node this one handed over to, until it leads or fails to (R41).
    pub(crate) failback_to: Option<NodeId>,
    /// Set by the node when it is leaving: it must not stand any more.
    pub(crate) is_leaving: bool,
    /// What this node last said about its work.
    pub(crate) condition: Condition,
    /// No candidacy before this unless nobody else can (step-down).
    pub(crate) hold_off: Option<Moment>,
    /// Until when this node stands because somebody asked it to.
    pub(crate) summoned: Option<Moment>,
    /// When this process started, and M at that time (R12).
    pub(crate) started: Moment,
    quiet_length: Duration,
    pub(crate) releases: BTreeMap<NodeId, Term>,
    /// When each kind of alarm was last raised about each node.
    alarmed: BTreeMap<(u8, Option<NodeId>), Moment>,
    pub(crate) disruptions: BTreeMap<NodeId, Moment>,
    /// Doublings of a preferred node's cooldown after short or failed terms (R41).
    pub(crate) short_terms: BTreeMap<NodeId, u32>,
    last_fetch: BTreeMap<NodeId, Moment>,
    /// Since when the disk owes an answer.
    writing_since: Option<Moment>,
    said_to_hear: SaidToHear,
}

impl Voter {
    pub(crate) fn new(durable: Durable, now: Moment, seed: u64) -> Self {
        let quiet_length = durable.promise_high_water;
        Self {
            me: durable.identity.node.clone(),
            promise: None,
            peers: Peers::default(),
            chance: Chance::new(seed),
            activity: Activity::Idle,
            effects: Effects::default(),
            ledger: Ledger::new(durable, now),
            master_of: None,
            pending_term: None,
            has_known_master: false,
            failback_to: None,
            is_leaving: false,
            condition: Condition::default(),
            hold_off: None,
            summoned: None,
            started: now,
            quiet_length,
            releases: BTreeMap::new(),
            alarmed: BTreeMap::new(),
            disruptions: BTreeMap::new(),
            short_terms: BTreeMap::new(),
            last_fetch: BTreeMap::new(),
            writing_since: None,
            said_to_hear: SaidToHear::default(),
        }
    }

    // ---- what it is ----------------------------------------------------------------------

    pub(crate) fn durable(&self) -> &Durable {
        self.ledger.durable()
    }

    /// Whether `rule` holds; outside tests always.
    pub(crate) fn keeps(&self, rule: Rule) -> bool {
        self.ledger.mutation.keeps(rule)
    }

    pub(crate) fn term(&self) -> Term {
        self.durable().term
    }

    /// The accepted document's members make the quorums (R42).
    pub(crate) fn members(&self) -> &Membership {
        &self.durable().accepted.charter.members
    }

    /// The committed document's timing is in force (R42).
    pub(crate) fn timing(&self) -> Timing {
        self.durable().committed.charter.timing
    }

    pub(crate) fn dead_after(&self) -> Duration {
        self.timing().dead_after()
    }

    pub(crate) fn is_storage_failed(&self) -> bool {
        self.ledger.is_failed()
    }

    /// This node as a voter of its own document with this very disk (R13, R52).
    pub(crate) fn own_vote(&self) -> Option<&Member> {
        self.members().voter(&self.me, self.durable().identity.storage)
    }

    /// Whether `id` is a member with the disk `storage` (R52).
    pub(crate) fn belongs(&self, id: &NodeId, storage: StorageId) -> bool {
        self.members().find(id).is_some_and(|member| self.is_disk_of(member, storage))
    }

    /// Whether what `id` says with the disk `storage` counts in a quorum (R52).
    pub(crate) fn counts(&self, id: &NodeId, storage: StorageId) -> bool {
        let member = self.members().find(id).filter(|member| member.votes());
        member.is_some_and(|member| self.is_disk_of(member, storage))
    }

    fn is_disk_of(&self, member: &Member, storage: StorageId) -> bool {
        member.storage == storage || !self.keeps(Rule::StorageCounts)
    }

    pub(crate) fn other_voters(&self) -> impl Iterator<Item = &Member> + Clone {
        self.members().voters().filter(|member| member.id != self.me)
    }

    /// Everybody of the accepted or committed document whom this node has to do with: every other
    /// member, or only those that vote if this node does not (R49).
    pub(crate) fn known_members(&self) -> Vec<Member> {
        let accepted = self.durable().accepted.charter.members.all();
        let committed = self.durable().committed.charter.members.all();
        let mut known: BTreeMap<&NodeId, &Member> = BTreeMap::new();
        for member in committed.chain(accepted).filter(|member| self.has_to_do_with(member)) {
            known.insert(&member.id, member);
        }
        known.into_values().cloned().collect()
    }

    /// Observers have nothing to say to each other, and there may be thousands.
    fn has_to_do_with(&self, other: &Member) -> bool {
        let [accepted, committed] = [&self.durable().accepted, &self.durable().committed];
        let votes = |id: &NodeId| {
            let votes_by =
                |document: &Document| document.charter.members.find(id).is_some_and(Member::votes);
            votes_by(accepted) || votes_by(committed)
        };
        other.id != self.me && (other.votes() || votes(&self.me) || votes(&other.id))
    }

    /// The names of all [`Self::known_members`], in their order.
    pub(crate) fn peer_names(&self) -> Vec<NodeId> {
        let [accepted, committed] = [&self.durable().accepted, &self.durable().committed];
        if Arc::ptr_eq(&accepted.charter, &committed.charter) {
            let names = accepted.charter.members.all();
            let name = |member: &Member| member.id.clone();
            return names.filter(|member| self.has_to_do_with(member)).map(name).collect();
        }
        self.known_members().into_iter().map(|member| member.id).collect()
    }

    pub(crate) fn knows(&self, id: &NodeId) -> bool {
        let accepted = &self.durable().accepted.charter.members;
        accepted.find(id).is_some() || self.durable().committed.charter.members.find(id).is_some()
    }

    /// Whether `id` may lead under the accepted document, or under the committed one if that
    /// alone names it.
    pub(crate) fn knows_as_electable(&self, id: &NodeId) -> bool {
        let [accepted, committed] = [&self.durable().accepted, &self.durable().committed];
        let find = |document: &'_ Document| document.charter.members.find(id).map(Member::may_lead);
        let may_lead = find(accepted).or_else(|| find(committed));
        may_lead.is_some_and(|it| it || !self.keeps(Rule::LeadersMayLead))
    }

    /// That voter as a peer, if it was heard within dead_after from the disk that counts (R52).
    pub(crate) fn heard(&self, voter: &Member, now: Moment) -> Option<&Peer> {
        let peer = self.peers.heard(&voter.id, now, self.dead_after())?;
        self.is_disk_of(voter, peer.presence.storage).then_some(peer)
    }

    /// Voters heard within dead_after, this node included if it votes.
    pub(crate) fn voters_heard(&self, now: Moment) -> usize {
        let others = self.other_voters().filter(|voter| self.heard(voter, now).is_some()).count();
        others + usize::from(self.own_vote().is_some())
    }

    /// Whether those are a majority.
    pub(crate) fn hears_majority(&self, now: Moment) -> bool {
        self.are_enough(self.other_voters().filter(|voter| self.heard(voter, now).is_some()))
    }

    /// Whether these other voters are a majority, together with this node if it votes.
    fn are_enough<'a>(&self, others: impl Iterator<Item = &'a Member>) -> bool {
        let needed = self.members().majority() - usize::from(self.own_vote().is_some());
        others.take(needed).count() == needed
    }

    /// The round trip within which a majority of `members` answers, if enough were measured.
    pub(crate) fn round_trip_under(&self, members: &Membership) -> Option<Duration> {
        let others = members.voters().filter(|member| member.id != self.me);
        let measured = others.filter_map(|member| self.peers.get(&member.id)?.round_trip);
        let trips: Vec<Duration> = order::sorted(measured.collect(), Duration::cmp);
        let needed = members.majority() - 1;
        needed.checked_sub(1).map_or(Some(Duration::ZERO), |last| trips.get(last).copied())
    }

    /// Whether that voter is heard and its clock fit for a lease (R27).
    pub(crate) fn leans_on(&self, voter: &Member, now: Moment) -> bool {
        self.heard(voter, now).is_some_and(|peer| !self.is_deviant(peer))
    }

    /// Whether that peer's clock runs off too far for a lease (R27).
    pub(crate) fn is_clock_deviant(&self, id: &NodeId) -> bool {
        self.peers.get(id).is_some_and(|peer| self.is_deviant(peer))
    }

    fn is_deviant(&self, peer: &Peer) -> bool {
        peer.is_clock_deviant() && self.keeps(Rule::ClockRateWatch)
    }

    /// Whether a majority is there whose promises could carry a lease of this node.
    pub(crate) fn leans_on_majority(&self, now: Moment) -> bool {
        self.are_enough(self.other_voters().filter(|voter| self.leans_on(voter, now)))
    }

    pub(crate) fn quiet_left(&self, now: Moment) -> Option<Duration> {
        let until = self.quiet_until().filter(|until| !now.has_surely_reached(*until))?;
        let boot = until.boot_ns.saturating_sub(now.boot_ns);
        let raw = until.raw_ns.saturating_sub(now.raw_ns);
        Some(Duration::from_nanos(boot.max(raw)))
    }

    /// The end of the quiet period, if this node ever promised anything (R12).
    pub(crate) fn quiet_until(&self) -> Option<Moment> {
        let length =
            if self.keeps(Rule::HighWater) { self.quiet_length } else { self.dead_after() };
        (!self.quiet_length.is_zero()).then(|| self.started.after(length))
    }

    /// The promise to somebody else that still runs.
    pub(crate) fn running_promise(&self, now: Moment) -> Option<&Promise> {
        self.promise.as_ref().filter(|p| p.holder != self.me && p.remaining(now).is_some())
    }

    pub(crate) fn is_vote_ready(&self, now: Moment) -> bool {
        !self.is_storage_failed()
            && self.own_vote().is_some()
            && self.quiet_left(now).is_none()
            && !self.is_disk_slow(now)
            && !self.activity.is_stopping()
    }

    /// Whether the disk owes an answer for so long that a vote could not be relied on.
    fn is_disk_slow(&self, now: Moment) -> bool {
        let limit = self.dead_after() / 2;
        self.writing_since.is_some_and(|since| now.held_since(since) >= limit)
    }

    pub(crate) fn poll(&self, now: Moment, lease_left: Option<Duration>) -> Poll<'_> {
        Poll {
            now,
            durable: self.durable(),
            promise: self.promise.as_ref().filter(|promise| {
                promise.term == self.term() || self.keeps(Rule::PromiseOutlivesTerm)
            }),
            quiet_left: self.quiet_left(now),
            lease_left,
            is_stopping: self.activity != Activity::Idle,
            is_storage_failed: self.ledger.is_failed(),
            mutation: &self.ledger.mutation,
        }
    }

    // ---- speaking ------------------------------------------------------------------------

    pub(crate) fn event(&mut self, event: Event) {
        self.effects.events.push(event);
    }

    /// Raises `alarm`, unless one of its kind about the same node was raised within a minute.
    pub(crate) fn alarm(&mut self, alarm: Alarm, now: Moment) {
        let (kind, about) = alarm.subject();
        let last = self.alarmed.get(&(kind, about.cloned()));
        if last.is_none_or(|last| now.held_since(*last) >= ALARM_INTERVAL) {
            self.alarmed.insert((kind, about.cloned()), now);
            self.event(Event::Alarm(alarm));
        }
    }

    pub(crate) fn send(&mut self, to: &NodeId, message: Message) {
        self.effects.mail.push(Envelope { to: to.clone(), message });
    }

    /// Sends once the record with `sequence` is on disk (P5).
    fn send_after(&mut self, sequence: u64, to: &NodeId, message: Message) {
        let envelope = Envelope { to: to.clone(), message };
        if self.ledger.is_recorded(sequence) {
            self.effects.mail.push(envelope);
        } else {
            self.ledger.hold(sequence, envelope);
        }
    }

    /// Sends once the present term, vote and high-water mark are on disk.
    pub(crate) fn send_vowed(&mut self, to: &NodeId, message: Message) {
        self.send_after(self.ledger.vow_sequence(), to, message);
    }

    /// Sends once everything this node holds now is on disk.
    pub(crate) fn send_recorded(&mut self, to: &NodeId, message: Message) {
        self.send_after(self.durable().sequence, to, message);
    }

    pub(crate) fn nonce(&mut self) -> Nonce {
        Nonce(self.chance.bits())
    }

    /// What this node says about itself, to `to`.
    pub(crate) fn presence_for(&mut self, to: &NodeId, now: Moment) -> Presence {
        Presence { echo: self.peers.echo_for(to, now), ..self.presence(now) }
    }

    /// What this node says about itself, to nobody yet.
    pub(crate) fn presence(&mut self, now: Moment) -> Presence {
        let follows = match self.activity {
            Activity::Acting { .. } => Some(self.me.clone()),
            Activity::Stopping { .. } => None,
            Activity::Idle => {
                self.running_promise(now).filter(|p| p.is_acting).map(|p| p.holder.clone())
            }
        };
        let hears = self.hears(now);
        Presence {
            term: self.durable().term,
            position: self.ledger.on_disk().0,
            storage: self.durable().identity.storage,
            is_vote_ready: self.is_vote_ready(now),
            is_electable: self.is_electable(now),
            is_healthy: self.condition.is_healthy,
            freshness: self.condition.freshness,
            age: self.age(now),
            follows,
            hears,
            reading: now,
            echo: None,
        }
    }

    /// The other voters whose clocks can be leant on.
    fn hears(&mut self, now: Moment) -> Arc<[NodeId]> {
        let leant_on = self.other_voters().filter(|voter| self.leans_on(voter, now));
        let leant_on = leant_on.map(|voter| &voter.id);
        if !leant_on.clone().eq(self.said_to_hear.0.iter()) {
            self.said_to_hear = SaidToHear(leant_on.cloned().collect());
        }
        Arc::clone(&self.said_to_hear.0)
    }

    /// This node's candidacy for `term`.
    pub(crate) fn candidacy(
        &self,
        term: Term,
        nonce: Nonce,
        release: Option<Released>,
    ) -> Candidacy {
        let position = self.durable().accepted.position;
        Candidacy { term, position, storage: self.durable().identity.storage, nonce, release }
    }

    // ---- the disk ------------------------------------------------------------------------

    /// Everything up to `sequence` is on disk: what waited for it goes out.
    pub(crate) fn persisted(&mut self, sequence: u64) {
        self.effects.mail.extend(self.ledger.persisted(sequence));
        if !self.ledger.is_waiting() {
            self.writing_since = None;
        }
    }

    /// The disk failed: this node is silent from now on (R4, P11).
    pub(crate) fn storage_failed(&mut self, error: Words, now: Moment) {
        if !self.ledger.is_failed() && self.keeps(Rule::FailedDisk) {
            self.ledger.fail();
            self.alarm(Alarm::StorageFailed { error }, now);
        }
    }

    /// Notes that the accepted document is committed.
    pub(crate) fn commit_accepted(&mut self) {
        if let Some((position, revision)) = self.ledger.commit_accepted() {
            self.event(Event::DocumentCommitted { position, revision });
        }
    }

    /// Ends a step: hands out its effects, the record last changed among them.
    pub(crate) fn take_effects(&mut self, now: Moment) -> Effects {
        self.effects.persist = self.ledger.take_record();
        if self.effects.persist.is_some() {
            self.writing_since.get_or_insert(now);
        }
        mem::take(&mut self.effects)
    }

    // ---- documents ---------------------------------------------------------------------------

    /// Asks `from` for its document if it has a newer one; once per heartbeat at most (R70).
    pub(crate) fn fetch_if_behind(&mut self, from: &NodeId, theirs: Position, now: Moment) {
        let mine = self.durable().accepted.position;
        let pause = self.timing().heartbeat();
        let last = self.last_fetch.get(from);
        let asked = last.is_some_and(|last| now.held_since(*last) < pause);
        let may_ask = !asked && !self.is_storage_failed() && self.keeps(Rule::FetchWhenBehind);
        if theirs > mine && may_ask {
            self.last_fetch.insert(from.clone(), now);
            self.send(from, Message::Fetch(crate::protocol::message::Fetch { have: mine }));
        }
    }

    /// How `position` with `hash`, named by `peer`, stands to the document here.
    pub(crate) fn compare(
        &mut self,
        peer: &NodeId,
        position: Position,
        hash: Hash,
        now: Moment,
    ) -> register::Relation {
        let relation = register::relation(&self.durable().accepted, position, hash);
        if relation == register::Relation::Conflict {
            self.alarm(Alarm::PositionConflict { peer: peer.clone(), at: position }, now);
        }
        relation
    }
}
