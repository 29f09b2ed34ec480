//! A small cluster in fair weather, and verbs for what may happen to it.
//! Never looks into a node; it sees what people see, and what the disks hold.

use core::time::Duration;

use crate::protocol::durable::Durable;
use crate::protocol::effects::{Answer, Condition, Input, Wish};
use crate::protocol::membership::{Failback, MemberRole};
use crate::protocol::message::Message;
use crate::protocol::status::{Duty, Placing, Status};
use crate::protocol::timing::Timing;
use crate::protocol::units::{Moment, Term};
use crate::sim::charters::{self, Customs, Settings};
use crate::sim::clock::TrueTime;
use crate::sim::disk::Health;
use crate::sim::draw::Draw;
use crate::sim::guard::Temper;
use crate::sim::machine::Nap;
use crate::sim::missing::Missing;
use crate::sim::network::Weather;
use crate::sim::plan::{Ending, Plan};
use crate::sim::trace::Detail;
use crate::sim::world::{Due, Listener, World};

/// Long enough for anything these tests wait for.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) const A: usize = 0;
pub(crate) const B: usize = 1;
pub(crate) const C: usize = 2;

/// A cluster of nodes `a`, `b`, `c` … with the lan timing.
pub(crate) struct Stage {
    world: World,
}

impl Stage {
    /// `size` nodes, failback after `failback`, all started.
    pub(crate) fn of(size: usize, failback: Failback) -> Self {
        let settings = Settings::plain(Timing::LAN, failback);
        Self::founded(size, settings)
    }

    /// `size` nodes that never fail back, under `timing`, of which the preferred one leads.
    pub(crate) fn timed(size: usize, timing: Timing) -> Self {
        let settings = Settings::plain(timing, Failback::Never);
        Self::lacking(None, &vec![MemberRole::Voter; size], settings)
    }

    /// Nodes for these roles under `settings`, of which the preferred one leads, with something
    /// `missing`.
    pub(crate) fn lacking(
        missing: Option<Missing>,
        roles: &[MemberRole],
        settings: Settings,
    ) -> Self {
        let mut stage = Self::seeded(missing, roles, settings, 1);
        let nodes = 0..roles.len();
        stage.await_that("all run", |stage| nodes.clone().all(|node| stage.is_up(node)));
        stage.await_master(A);
        stage
    }

    /// `size` nodes with the lan timing, failback after `failback`; chance follows `seed`.
    pub(crate) fn by_chance(size: usize, failback: Failback, seed: u64) -> Self {
        let settings = Settings::plain(Timing::LAN, failback);
        Self::seeded(None, &vec![MemberRole::Voter; size], settings, seed)
    }

    /// `size` nodes with the lan timing, every message and every write of which takes one
    /// millisecond, and somebody who hears of every fact. What is left to chance follows `seed`.
    pub(crate) fn overheard(
        size: usize,
        failback: Failback,
        seed: u64,
        listener: Listener,
    ) -> Self {
        Self::overheard_by(&vec![MemberRole::Voter; size], failback, seed, listener)
    }

    /// The same with those roles.
    pub(crate) fn overheard_by(
        roles: &[MemberRole],
        failback: Failback,
        seed: u64,
        listener: Listener,
    ) -> Self {
        let size = roles.len();
        let settings = Settings::plain(Timing::LAN, failback);
        let mut stage = Self::seeded(None, roles, settings, seed);
        stage.set_delay(Duration::from_millis(1));
        for node in 0..size {
            stage.slow_disk(node, Duration::from_millis(1));
        }
        // All at once, so that a page about something else begins the same way every time.
        let now = stage.world.now;
        stage.world.queue.forget_after(now, |due| matches!(due, Due::Start { .. }));
        for node in 0..size {
            stage.start(node);
        }
        stage.world.listener = Some(listener);
        stage
    }

    /// Three nodes with the lan timing under these customs, all started at once.
    pub(crate) fn under(customs: Customs, failback: Failback) -> Self {
        let settings = Settings { customs, ..Settings::plain(Timing::LAN, failback) };
        let mut stage = Self::founded(3, settings);
        for node in 0..3 {
            stage.start(node);
        }
        stage
    }

    fn founded(size: usize, settings: Settings) -> Self {
        Self::seeded(None, &vec![MemberRole::Voter; size], settings, 1)
    }

    fn seeded(
        missing: Option<Missing>,
        roles: &[MemberRole],
        settings: Settings,
        seed: u64,
    ) -> Self {
        let plan = Plan {
            size: roles.len(),
            roles: roles.to_vec(),
            newcomers: 0,
            churns: false,
            settings: vec![settings],
            stormy: Duration::ZERO,
            pace: PATIENCE,
            kinds: std::collections::BTreeSet::new(),
            aim: 0,
            weather: Weather::FAIR,
            disk: (Duration::from_micros(300), Duration::from_micros(500)),
            oversleep: Duration::from_nanos(1),
            temper: Temper::Meek,
            ending: Ending::AllWell,
            watch: Duration::ZERO,
        };
        Self { world: World::new(plan, Draw::new(seed), missing, Detail::Kept) }
    }

    /// `size` nodes of which the preferred one leads, and which never fail back by themselves.
    pub(crate) fn led_by_a(size: usize) -> Self {
        Self::timed(size, Timing::LAN)
    }

    // ---- verbs -------------------------------------------------------------------------------

    /// Lets the next event happen, if one is due by `limit`.
    pub(crate) fn advance(&mut self, limit: Duration) -> bool {
        let more = self.world.advance(TrueTime::default().after(limit));
        self.assert_sound();
        more
    }

    /// Asks a node for something and does not wait.
    pub(crate) fn wish(&mut self, node: usize, wish: Wish) {
        self.world.ask(node, wish);
    }

    /// Asks for a daemon to be started now.
    pub(crate) fn start(&mut self, node: usize) {
        self.world.queue.put(self.world.now, Due::Start { node });
    }

    pub(crate) fn run_for(&mut self, span: Duration) {
        self.world.run_for(span);
        self.assert_sound();
    }

    pub(crate) fn crash(&mut self, node: usize) {
        self.world.crash(node);
    }

    pub(crate) fn restart(&mut self, node: usize) {
        self.start(node);
        self.await_that("it starts", |stage| stage.is_up(node));
    }

    /// What runs under a master's lease ends, untold.
    pub(crate) fn end_work(&mut self, node: usize) {
        self.world.end_work(node);
    }

    pub(crate) fn pause(&mut self, node: usize) {
        self.world.put_to_sleep(node, Nap::Paused);
    }

    /// The machine sleeps; one of its clocks runs on.
    pub(crate) fn suspend(&mut self, node: usize) {
        self.world.put_to_sleep(node, Nap::Suspended);
    }

    /// The virtual machine stands still, and so do its clocks.
    pub(crate) fn halt(&mut self, node: usize) {
        self.suspend(node);
        let now = self.world.now;
        self.world.machines[node].clocks.stop(now);
    }

    pub(crate) fn resume(&mut self, node: usize) {
        self.world.resume(node);
    }

    /// Cuts the link in both directions.
    pub(crate) fn cut(&mut self, one: usize, other: usize) {
        self.cut_one_way(one, other);
        self.cut_one_way(other, one);
    }

    /// Nothing that `from` sends reaches `to`.
    pub(crate) fn cut_one_way(&mut self, from: usize, to: usize) {
        self.world.network.cut(from, to);
    }

    /// Every message takes about this long from now on.
    pub(crate) fn slow_links(&mut self, delay: Duration) {
        let weather = &mut self.world.network.weather;
        (weather.delay_min, weather.delay_max) = (delay, delay + Duration::from_millis(1));
    }

    /// Every message takes exactly this long from now on.
    pub(crate) fn set_delay(&mut self, delay: Duration) {
        let weather = &mut self.world.network.weather;
        (weather.delay_min, weather.delay_max) = (delay, delay);
    }

    pub(crate) fn isolate(&mut self, node: usize) {
        for other in (0..self.world.plan.size).filter(|other| *other != node) {
            self.cut(node, other);
        }
    }

    pub(crate) fn heal(&mut self) {
        for from in 0..self.world.plan.size {
            for to in 0..self.world.plan.size {
                if self.world.network.mend_wholly(from, to) {
                    self.world.open_soon(from, to);
                }
            }
        }
    }

    pub(crate) fn break_disk(&mut self, node: usize) {
        self.world.machines[node].disk.health = Health::Failing;
    }

    pub(crate) fn mend_disk(&mut self, node: usize) {
        self.world.machines[node].disk.health = Health::Sound;
    }

    /// Writes of this node end after `latency` from now on.
    pub(crate) fn slow_disk(&mut self, node: usize, latency: Duration) {
        self.world.machines[node].disk.latency = (latency, latency + Duration::from_nanos(1));
    }

    /// Both clocks of this node run off by so many parts per million, beyond any bound.
    pub(crate) fn run_clocks_off(&mut self, node: usize, ppm: i64) {
        self.world.set_clock_rates(node, (ppm, ppm));
        let bound = &mut self.world.history.drift_ppm;
        *bound = ppm.unsigned_abs().max(*bound);
    }

    /// One clock of this node is fast by so many parts per million, the other is honest.
    pub(crate) fn slew_clock(&mut self, node: usize, ppm: i64) {
        self.world.set_clock_rates(node, (ppm, 0));
    }

    /// The data of `node` are this fresh from now on.
    pub(crate) fn set_freshness(&mut self, node: usize, freshness: u64) {
        let condition = Condition { is_healthy: true, freshness: Some(freshness) };
        self.world.feed(node, Input::Condition(condition));
    }

    /// The work at `node` is in order from now on, or is not.
    pub(crate) fn set_health(&mut self, node: usize, is_healthy: bool) {
        let condition = Condition { is_healthy, freshness: None };
        self.world.feed(node, Input::Condition(condition));
    }

    pub(crate) fn leave(&mut self, node: usize) {
        self.world.feed(node, Input::Leave);
    }

    /// Hands `message` to a node as if `from` had sent it.
    pub(crate) fn tell(&mut self, node: usize, from: usize, message: Message) {
        self.world.feed(node, Input::Received { from: charters::name(from), message });
        self.assert_sound();
    }

    /// Asks a node for something and waits for the answer.
    pub(crate) fn ask(&mut self, node: usize, wish: Wish) -> Answer {
        let request = self.world.ask(node, wish);
        let has_answer = |world: &World| world.answers.iter().any(|(id, _)| *id == request);
        assert!(self.world.run_until(PATIENCE, has_answer), "no answer to {request:?}");
        let found = self.world.answers.iter().find(|(id, _)| *id == request);
        found.map(|(_, answer)| answer.clone()).expect("it was just seen")
    }

    /// Proposes the next document, with these contents, to a node.
    pub(crate) fn edit(&mut self, node: usize, failback: Failback) -> Answer {
        self.edit_to(node, Settings::plain(Timing::LAN, failback))
    }

    /// Proposes a document with another timing to a node.
    pub(crate) fn edit_timing(&mut self, node: usize, timing: Timing) -> Answer {
        self.edit_to(node, Settings::plain(timing, Failback::Never))
    }

    /// Proposes a document under other customs to a node.
    pub(crate) fn edit_customs(&mut self, node: usize, customs: Customs) -> Answer {
        let settings = charters::settings(&self.disk(node).committed);
        self.edit_to(node, Settings { customs, ..settings })
    }

    fn edit_to(&mut self, node: usize, settings: Settings) -> Answer {
        let wish = self.next_edit(node, settings);
        self.ask(node, wish)
    }

    /// Proposes a document in which the nodes are for something else, and does not wait.
    pub(crate) fn propose_roles(&mut self, node: usize, roles: &[MemberRole]) {
        let wish = self.next_roles(node, roles);
        self.world.ask(node, wish);
    }

    /// Proposes a document in which the nodes are for something else.
    pub(crate) fn edit_roles(&mut self, node: usize, roles: &[MemberRole]) -> Answer {
        let wish = self.next_roles(node, roles);
        self.ask(node, wish)
    }

    /// The wish to replace the document that `node` knows by one with these roles.
    pub(crate) fn next_roles(&mut self, node: usize, roles: &[MemberRole]) -> Wish {
        let settings = charters::settings(&self.disk(node).committed);
        self.next_document(node, roles, settings)
    }

    /// Proposes a document with another timing, and does not wait.
    pub(crate) fn propose_timing(&mut self, node: usize, timing: Timing) {
        let committed = self.disk(node).committed;
        let settings = Settings { timing, ..charters::settings(&committed) };
        let wish = self.next_document(node, &charters::roles(&committed), settings);
        self.world.ask(node, wish);
    }

    fn next_document(&mut self, node: usize, roles: &[MemberRole], settings: Settings) -> Wish {
        let revision = self.status(node).revision;
        self.world.edits += 1;
        let document = charters::document_of(roles, settings, self.world.edits);
        Wish::Propose { revision, document: document.expect("somebody may lead") }
    }

    /// The wish to replace the document that `node` knows by the next one, with these contents.
    pub(crate) fn next_edit(&mut self, node: usize, settings: Settings) -> Wish {
        let revision = self.status(node).revision;
        self.world.edits += 1;
        let roles = &self.world.plan.roles;
        let document = charters::document_of(roles, settings, self.world.edits);
        Wish::Propose { revision, document: document.expect("somebody may lead") }
    }

    // ---- what is seen ------------------------------------------------------------------------

    pub(crate) fn status(&self, node: usize) -> Status {
        let machine = &self.world.machines[node];
        let running = machine.node.as_ref().expect("the node runs");
        running.status(machine.clocks.read(self.world.now))
    }

    pub(crate) fn ranking(&self, node: usize) -> Vec<Placing> {
        let machine = &self.world.machines[node];
        let running = machine.node.as_ref().expect("the node runs");
        running.ranking(machine.clocks.read(self.world.now))
    }

    pub(crate) fn is_up(&self, node: usize) -> bool {
        self.world.machines[node].node.is_some()
    }

    /// Whether nothing that `from` sends reaches `to`.
    pub(crate) fn is_cut(&self, from: usize, to: usize) -> bool {
        self.world.network.is_cut(from, to)
    }

    /// How long until the clocks of a machine show `moment`, if neither runs off.
    pub(crate) fn until(&self, node: usize, moment: Moment) -> Duration {
        moment.held_since(self.world.machines[node].clocks.read(self.world.now))
    }

    /// The record on a node's disk.
    pub(crate) fn disk(&self, node: usize) -> Durable {
        self.world.machines[node].disk.record().clone()
    }

    pub(crate) fn acting(&self) -> Option<usize> {
        self.world.acting()
    }

    pub(crate) fn term(&self, node: usize) -> Term {
        self.status(node).term
    }

    pub(crate) fn now(&self) -> Duration {
        Duration::from_nanos(self.world.now.0)
    }

    pub(crate) fn await_master(&mut self, node: usize) {
        self.await_that("it acts", |stage| stage.acting() == Some(node));
    }

    pub(crate) fn await_no_master(&mut self) {
        self.await_that("nobody acts", |stage| stage.acting().is_none());
    }

    /// Runs until `is_so`; the oracles of the simulator look on all the while.
    pub(crate) fn await_that(&mut self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let limit = self.world.now.after(PATIENCE);
        while !is_so(self) {
            let more = self.world.advance(limit);
            self.assert_sound();
            assert!(more, "never came to be: {what}");
        }
    }

    /// Asserts that for `span` exactly `node` acts, without a break.
    pub(crate) fn assert_only_acting(&mut self, node: usize, span: Duration) {
        let limit = self.world.now.after(span);
        while self.world.advance(limit) {
            assert_eq!(self.acting(), Some(node), "at {:?}", self.now());
        }
        self.assert_sound();
        assert_eq!(self.status(node).duty, Duty::Master);
    }

    fn assert_sound(&self) {
        if let Some(broken) = &self.world.broken {
            panic!("{} {}: {}", broken.promise, broken.sentence, broken.detail);
        }
    }
}
