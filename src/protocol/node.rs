//! The hub: one node, one step per input. Time first, then the input, then what became due,
//! then what people are told, then the invariants.
//! Never decides by itself: it routes to the roles and composes them; nobody else does.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::time::Duration;

use crate::protocol::activity::Activity;
use crate::protocol::belief::Belief;
use crate::protocol::candidate::Candidate;
use crate::protocol::deadline::Agenda;
use crate::protocol::durable::{Document, Durable};
use crate::protocol::effects::{Alarm, Effects, Input, StopReason};
use crate::protocol::errand::Errand;
use crate::protocol::follower::Follower;
use crate::protocol::master::Master;
use crate::protocol::membership::Member;
use crate::protocol::message::{Message, Presence};
use crate::protocol::petition::Petition;
use crate::protocol::ranking;
use crate::protocol::status::{Glance, Placing, Status};
use crate::protocol::turn::{Patience, Turn};
use crate::protocol::units::{Moment, NodeId, Term};
use crate::protocol::view;
use crate::protocol::voter::Voter;

pub use crate::protocol::mutant::Rule;

/// More changes of role than this in one step would be a loop.
const TURNS_MAX: usize = 8;

/// What a node does at the moment; each variant owns what only it needs.
#[derive(Clone, Hash, Debug)]
pub(crate) enum Role {
    /// Follows, or waits.
    Follower(Follower),
    /// Asks for votes.
    Candidate(Candidate),
    /// Won a term.
    Master(Box<Master>),
}

/// One node of the cluster. Everything that happens to it goes through [`Node::step`].
#[derive(Clone, Hash, Debug)]
pub struct Node {
    pub(crate) voter: Voter,
    pub(crate) role: Role,
    pub(crate) belief: Belief,
    pub(crate) errand: Option<Errand>,
    pub(crate) petition: Option<Petition>,
    next_beat: Moment,
    leave_by: Option<Moment>,
    /// The term whose `TimeoutNow` was followed; each is good once (R39).
    pub(crate) timeout_now_of: Option<Term>,
}

impl Node {
    /// A node as a process starts. `durable` was just re-written to disk (R5), and nothing from
    /// an earlier process of this node still acts. `seed` feeds all chance.
    #[must_use]
    pub fn new(durable: Durable, now: Moment, seed: u64) -> Self {
        let mut voter = Voter::new(durable, now, seed);
        let role = Role::Follower(Follower::new(&mut voter, Patience::from(now)));
        let belief = Belief::new(now);
        Self {
            voter,
            role,
            belief,
            errand: None,
            petition: None,
            next_beat: now,
            leave_by: None,
            timeout_now_of: None,
        }
    }

    /// A node as `new` makes it, but without dice: every random span is the middle of its range.
    #[cfg(test)]
    #[must_use]
    pub fn evened(durable: Durable, now: Moment, seed: u64) -> Self {
        let mut node = Self::new(durable, now, seed);
        node.voter.chance = node.voter.chance.evened();
        node.role = Role::Follower(Follower::new(&mut node.voter, Patience::from(now)));
        node
    }

    /// The same node without `rule`, to see that somebody notices.
    #[cfg(test)]
    #[must_use]
    pub fn without(mut self, rule: Rule) -> Self {
        self.voter.ledger.mutation = crate::protocol::mutant::Mutation::breaking(rule);
        self
    }

    /// The newest record, perhaps not on disk yet.
    #[must_use]
    pub fn durable(&self) -> &Durable {
        self.voter.durable()
    }

    /// The newest document known to be committed.
    #[must_use]
    pub fn committed(&self) -> &Document {
        &self.voter.durable().committed
    }

    /// Everybody but this node in the accepted or the committed document: whom to connect to and
    /// whose keys to trust (R74).
    #[must_use]
    pub fn known_members(&self) -> Vec<Member> {
        self.voter.known_members()
    }

    /// The view for people at `now`.
    #[must_use]
    pub fn status(&self, now: Moment) -> Status {
        view::of(self, now)
    }

    /// What is asked most often, as of the last step, at `now`.
    #[must_use]
    pub fn glance(&self, now: Moment) -> Glance {
        view::glance(self, now)
    }

    /// Every member in the order in which they would lead at `now`; those who could not come last.
    #[must_use]
    pub fn ranking(&self, now: Moment) -> Vec<Placing> {
        ranking::of(&self.voter, now)
    }

    /// Takes one input and returns all that is to be done about it. `now` is read after the
    /// last thing that could block (R20).
    pub fn step(&mut self, now: Moment, input: Input) -> Effects {
        self.expire(now);
        self.take(now, input);
        self.advance(now);
        self.beat(now);
        self.belief.observe(&mut self.voter, now);
        self.run_errand(now);
        self.run_petition(now);
        self.check_left(now);
        self.check_invariants();
        let mut effects = self.voter.take_effects(now);
        effects.wake = self.wake(now);
        effects
    }

    /// Power that ended while this node was not running ends before anything else happens.
    fn expire(&mut self, now: Moment) {
        if let Role::Master(master) = &mut self.role
            && let Some(turn) = master.expire(&mut self.voter, now)
        {
            self.become_what(turn, now);
        }
        self.voter.watch_stop(now);
    }

    fn take(&mut self, now: Moment, input: Input) {
        match input {
            Input::Tick => {}
            Input::Received { from, message } => self.receive(now, &from, message),
            Input::Connected { to } => self.greet(now, &to),
            Input::Persisted { sequence } => self.voter.persisted(sequence),
            Input::PersistFailed { error } => self.voter.storage_failed(error, now),
            Input::Stopped { term } => self.voter.stopped(term),
            Input::Suspicion(suspicion) => {
                self.voter.alarm(Alarm::Suspicion(suspicion), now);
                if let Role::Master(master) = &mut self.role {
                    master.distrust(&mut self.voter, now);
                }
            }
            Input::Condition(condition) => self.voter.condition = condition,
            Input::Asked { request, wish } => self.ask(now, request, wish),
            Input::Leave => self.leave(now),
        }
    }

    // ---- roles -------------------------------------------------------------------------------

    /// Does what became due, until nothing is.
    fn advance(&mut self, now: Moment) {
        for _ in 0..TURNS_MAX {
            let turn = match &mut self.role {
                Role::Follower(follower) => {
                    let is_my_turn = follower.wants_to_stand(&self.voter, now);
                    if is_my_turn { Turn::Stand(None) } else { Turn::Stay }
                }
                Role::Candidate(candidate) => candidate.advance(&mut self.voter, now),
                Role::Master(master) => master.advance(&mut self.voter, now),
            };
            if turn == Turn::Stay {
                return;
            }
            self.become_what(turn, now);
        }
    }

    pub(crate) fn become_what(&mut self, turn: Turn, now: Moment) {
        let fails = match &self.role {
            Role::Follower(follower) => follower.fails(),
            Role::Candidate(candidate) => candidate.fails(),
            Role::Master(_) => 0,
        };
        let next = match turn {
            Turn::Stay => return,
            Turn::Follow(patience) => Role::Follower(Follower::new(&mut self.voter, patience)),
            Turn::Stand(release) => match Candidate::begin(&mut self.voter, release, fails, now) {
                Some(candidate) => Role::Candidate(candidate),
                None => {
                    let floor = now.after(self.voter.timing().round_limit());
                    let patience = Patience { floor, fails, is_eager: false };
                    Role::Follower(Follower::new(&mut self.voter, patience))
                }
            },
            Turn::Lead(victory) => {
                Role::Master(Box::new(Master::begin(&mut self.voter, victory, now)))
            }
        };
        if let Role::Master(master) = &mut self.role {
            master.abandon_edit(&mut self.voter);
        }
        self.role = next;
    }

    /// The lease this node holds itself, if it is valid.
    pub(crate) fn lease_left(&self, now: Moment) -> Option<Duration> {
        match &self.role {
            Role::Master(master) => master.lease_left(&self.voter, now),
            Role::Follower(_) | Role::Candidate(_) => None,
        }
    }

    // ---- presence ----------------------------------------------------------------------------

    /// Tells every peer that this node lives, unless heartbeats already do.
    fn beat(&mut self, now: Moment) {
        if matches!(self.role, Role::Master(_)) || !now.has_surely_reached(self.next_beat) {
            return;
        }
        self.next_beat = now.after(self.voter.timing().heartbeat());
        let master = self.voter.running_promise(now).map(|promise| promise.holder.clone());
        let presence = self.voter.presence(now);
        for to in self.voter.peer_names() {
            if Some(&to) != master.as_ref() {
                let echo = self.voter.peers.echo_for(&to, now);
                let presence = Presence { echo, ..presence.clone() };
                self.voter.send(&to, Message::Beat(presence));
            }
        }
    }

    fn greet(&mut self, now: Moment, to: &NodeId) {
        if let Role::Master(master) = &mut self.role {
            master.greet(&mut self.voter, to, now);
            return;
        }
        let presence = self.voter.presence_for(to, now);
        self.voter.send(to, Message::Beat(presence));
    }

    // ---- leaving -----------------------------------------------------------------------------

    fn leave(&mut self, now: Moment) {
        if self.leave_by.is_some() {
            return;
        }
        let timing = self.voter.timing();
        self.voter.is_leaving = true;
        self.leave_by = Some(now);
        match &mut self.role {
            Role::Follower(_) => {}
            Role::Candidate(_) => self.become_what(Turn::Follow(Patience::from(now)), now),
            Role::Master(master) => {
                self.leave_by =
                    Some(now.after(timing.stop_budget()).after(timing.dead_after() / 2));
                if !master.is_saying_farewell() {
                    master.leave(&mut self.voter, StopReason::Leaving, now);
                }
            }
        }
    }

    /// Whether this node holds nothing any more and its vote is no longer waited for.
    fn check_left(&mut self, now: Moment) {
        let Some(leave_by) = self.leave_by else { return };
        let is_free =
            !matches!(self.role, Role::Master(_)) && self.voter.activity == Activity::Idle;
        let is_replaced = self.belief.master.as_ref().is_some_and(|m| m.id != self.voter.me);
        let is_alone = self.voter.other_voters().next().is_none();
        let is_done = is_replaced || is_alone || now.has_surely_reached(leave_by);
        self.voter.effects.left = is_free && is_done;
    }

    // ---- the end of a step -------------------------------------------------------------------

    fn wake(&self, now: Moment) -> Option<Moment> {
        let mut agenda = Agenda::new(now);
        match &self.role {
            Role::Follower(follower) => follower.agenda(&self.voter, now, &mut agenda),
            Role::Candidate(candidate) => candidate.agenda(&mut agenda),
            Role::Master(master) => master.agenda(&self.voter, &mut agenda),
        }
        if !matches!(self.role, Role::Master(_)) {
            agenda.waits_until(self.next_beat);
        }
        if let Some(promise) = self.voter.running_promise(now) {
            agenda.waits_until(promise.until);
        }
        if let Activity::Stopping { kill, is_overdue: false, .. } = self.voter.activity {
            let timing = self.voter.timing();
            agenda.ends_at(kill.after(timing.kill()).after(timing.margin()));
        }
        for silence in self.voter.peers.silences(now, self.voter.dead_after()) {
            agenda.waits_until(silence);
        }
        let waits = self.petition.iter().map(Petition::deadline);
        let waits = waits.chain(self.errand.iter().map(Errand::deadline));
        for end in waits.chain(self.leave_by) {
            if !now.has_surely_reached(end) {
                agenda.waits_until(end);
            }
        }
        agenda.wake()
    }

    /// What must hold after every step, in release builds too.
    fn check_invariants(&self) {
        let durable = self.voter.durable();
        let acting_in = match self.voter.activity {
            Activity::Acting { term, .. } => Some(term),
            Activity::Idle | Activity::Stopping { .. } => None,
        };
        match &self.role {
            Role::Master(master) => {
                assert_eq!(master.term(), durable.term, "a master is in its own term");
                assert_eq!(
                    durable.vote.as_ref(),
                    Some(&self.voter.me),
                    "a master voted for itself"
                );
                assert!(acting_in.is_none_or(|t| t == master.term()), "it acts in its own term");
            }
            Role::Follower(_) | Role::Candidate(_) => {
                assert!(acting_in.is_none(), "only a master acts");
            }
        }
    }
}
