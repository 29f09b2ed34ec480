//! One state of the small world: three real nodes, their machines, and all that is under way.
//! Never chooses what happens next; `moves` lists it and `search` tries all of it.

use core::hash::{Hash, Hasher};
use core::time::Duration;
use std::collections::VecDeque;
use std::hash::DefaultHasher;
use std::sync::Arc;

use crate::protocol::durable::Durable;
use crate::protocol::effects::{Effects, Input, Order, Wish};
use crate::protocol::membership::Failback;
use crate::protocol::message::Message;
use crate::protocol::mutant::Rule;
use crate::protocol::node::Node;
use crate::protocol::timing::Timing;
use crate::protocol::units::{RequestId, Term};
use crate::sim::charters::{self, Settings};
use crate::sim::clock::{Clocks, TrueTime};
use crate::sim::disk::{Disk, Ending};
use crate::sim::draw::Draw;
use crate::sim::guard::{Guard, Temper};
use crate::sim::history::{Fact, History};
use crate::sim::machine::{Machine, Nap};
use crate::sim::oracles::first_broken_of_all;
use crate::sim::verdicts::View;
use crate::sim::words;
use crate::sim::world::Broken;

/// So many nodes.
pub(crate) const SIZE: usize = 3;
/// The time between two heartbeats; everything else is a multiple or a half of it.
pub(crate) const HEARTBEAT: Duration = Duration::from_millis(300);
/// A promise is four heartbeats.
const PROMISE: Duration = Duration::from_millis(1_200);
/// Chosen so that a master must stop exactly three heartbeats after the one that was answered.
const STOP: Duration = Duration::from_nanos(137_997_600);
/// All clocks show this at the beginning.
const UPTIME: Duration = Duration::from_secs(100);

/// What is due in the present instant, in the order in which it became due.
#[derive(Clone, Hash)]
pub(crate) enum Due {
    /// A node's wake-up time has come.
    Tick { node: usize },
    /// A message arrives.
    Deliver { from: usize, to: usize, message: Arc<Message> },
    /// A write ends.
    Written { node: usize },
    /// A daemon hears that its children are gone.
    Stopped { node: usize, term: Term },
    /// A session opens.
    Open { from: usize, to: usize },
}

impl Due {
    /// The node that will step.
    pub(crate) fn node(&self) -> usize {
        match self {
            Self::Tick { node } | Self::Written { node } | Self::Stopped { node, .. } => *node,
            Self::Deliver { to, .. } => *to,
            Self::Open { from, .. } => *from,
        }
    }
}

/// One state.
#[derive(Clone)]
pub(crate) struct Small {
    /// True time.
    pub(crate) now: TrueTime,
    /// The machines; a node's index is its rank.
    pub(crate) machines: Vec<Machine>,
    /// What the oracles remember.
    pub(crate) history: History,
    /// What is due in this instant.
    pub(crate) queue: VecDeque<Due>,
    /// Messages that are under way for longer: (from, to, message).
    pub(crate) held: Vec<(usize, usize, Arc<Message>)>,
    /// Which links lose everything, by sender and receiver.
    pub(crate) cut: [[bool; SIZE]; SIZE],
    /// Whose disk does not end its write.
    pub(crate) stalled: [bool; SIZE],
    /// How often the document was edited.
    pub(crate) edits: u8,
    /// How often a handover was asked for.
    pub(crate) transfers: u8,
    /// The first broken sentence.
    pub(crate) broken: Option<Broken>,
    /// What happened, in words, if anybody wants them.
    pub(crate) lines: Option<Vec<String>>,
    rule: Option<Rule>,
}

fn settings() -> Settings {
    let timing = Timing::new(HEARTBEAT, PROMISE, STOP, 1, HEARTBEAT);
    Settings::plain(timing.expect("a small but legal timing"), Failback::Never)
}

/// Nothing here is left to chance; what asks for dice uses them for latencies only.
fn no_dice() -> Draw {
    Draw::new(0)
}

impl Small {
    /// A cluster that was just founded; all three daemons start in the first instant.
    pub(crate) fn founded(rule: Option<Rule>) -> Self {
        let document = charters::document(SIZE, settings(), 0);
        let now = TrueTime::default();
        let machine = |index| {
            let latency = (Duration::ZERO, Duration::ZERO);
            let disk = Disk::new(charters::founding(index, &document), latency);
            let clocks = Clocks::new(now, UPTIME, UPTIME);
            let guard = Guard::new(Temper::Stubborn, None);
            Machine::new(charters::name(index), clocks, disk, guard, no_dice())
        };
        let mut small = Self {
            now,
            machines: (0..SIZE).map(machine).collect(),
            history: History::new(&document),
            queue: VecDeque::new(),
            held: Vec::new(),
            cut: Default::default(),
            stalled: Default::default(),
            edits: 0,
            transfers: 0,
            broken: None,
            lines: None,
            rule,
        };
        for node in 0..SIZE {
            small.start(node);
        }
        small
    }

    /// A number that equal states share. States that differ only in counts and reasons for people
    /// are equal; so are those whose held messages differ in order.
    pub(crate) fn fingerprint(&self) -> u64 {
        let mut all = DefaultHasher::new();
        self.now.hash(&mut all);
        for machine in &self.machines {
            (&machine.node, &machine.disk, machine.guard.children()).hash(&mut all);
            (machine.nap, machine.wake.0, &machine.backlog).hash(&mut all);
            machine.knows_disk_failed.hash(&mut all);
        }
        let held = self.held.iter().map(|held| {
            let mut one = DefaultHasher::new();
            held.hash(&mut one);
            one.finish()
        });
        held.fold(0, u64::wrapping_add).hash(&mut all);
        (&self.queue, self.cut, self.stalled, self.edits, self.transfers).hash(&mut all);
        self.history.hash(&mut all);
        all.finish()
    }

    /// The latest term any node knows of.
    pub(crate) fn latest_term(&self) -> Term {
        let known = |machine: &Machine| match &machine.node {
            Some(node) => node.durable().term,
            None => machine.disk.record().term,
        };
        self.machines.iter().map(known).max().unwrap_or_default()
    }

    /// Where something acts now.
    pub(crate) fn acting(&self) -> Option<usize> {
        self.machines.iter().position(|machine| machine.guard.working().is_some())
    }

    /// Whether an edit is on a majority of disks.
    pub(crate) fn has_committed_edit(&self) -> bool {
        self.machines.iter().any(|machine| machine.disk.record().committed.revision > 1)
    }

    pub(crate) fn tell(&mut self, words: impl FnOnce() -> String) {
        let now = self.now;
        if let Some(lines) = &mut self.lines {
            lines.push(format!("{now} {}", words()));
        }
    }

    // ---- facts ---------------------------------------------------------------------------

    fn observe(&mut self, fact: &Fact<'_>) {
        if self.broken.is_some() {
            return;
        }
        let view = View { now: self.now, machines: &self.machines, history: &self.history };
        self.broken = first_broken_of_all(&view, fact).map(|(oracle, detail)| {
            let (promise, sentence) = (oracle.promise, oracle.sentence);
            Broken { at: self.now, promise, sentence, detail }
        });
        self.history.absorb(self.now, fact);
    }

    // ---- time ----------------------------------------------------------------------------

    /// The next instant at which anything is due.
    pub(crate) fn next_instant(&mut self) -> Option<TrueTime> {
        let now = self.now;
        let soonest = self.machines.iter_mut().flat_map(|machine| {
            let wake = machine.wake.0.filter(|_| machine.is_awake());
            let wake = wake.and_then(|wake| machine.clocks.either_reaches(wake));
            let guard = machine.guard.appointment(&machine.clocks).map(|(at, _)| at);
            wake.into_iter().chain(guard)
        });
        soonest.min().map(|at| at.max(now.after(Duration::from_nanos(1))))
    }

    /// Time passes to `at`; what is due there queues up.
    pub(crate) fn pass_to(&mut self, at: TrueTime) {
        self.now = at;
        self.observe(&Fact::TimePassed);
        for node in 0..SIZE {
            self.look(node);
        }
        for node in 0..SIZE {
            self.queue_tick(node);
        }
    }

    /// Queues a tick if the node's wake-up time has come and none is queued.
    fn queue_tick(&mut self, index: usize) {
        let machine = &self.machines[index];
        let reading = machine.clocks.read(self.now);
        let is_due = machine.wake.0.is_some_and(|wake| reading.may_have_reached(wake));
        let is_queued = |due: &Due| matches!(due, Due::Tick { node } if *node == index);
        if is_due && machine.is_awake() && !self.queue.iter().any(is_queued) {
            self.queue.push_back(Due::Tick { node: index });
        }
    }

    /// What is due happens.
    pub(crate) fn happen(&mut self, due: Due) {
        match due {
            Due::Tick { node } => {
                let machine = &mut self.machines[node];
                let reading = machine.clocks.read(self.now);
                if machine.wake.0.is_some_and(|wake| reading.may_have_reached(wake)) {
                    machine.wake.0 = None;
                    self.feed(node, Input::Tick);
                }
            }
            Due::Deliver { from, to, message } => {
                let (from, message) = (charters::name(from), (*message).clone());
                self.feed(to, Input::Received { from, message });
            }
            Due::Written { node } => self.written(node),
            Due::Stopped { node, term } => self.feed(node, Input::Stopped { term }),
            Due::Open { from, to } => {
                let is_up = |node: usize| self.machines[node].node.is_some();
                if is_up(from) && is_up(to) && !self.cut[from][to] {
                    self.feed(from, Input::Connected { to: charters::name(to) });
                }
            }
        }
    }

    // ---- the daemon's process ------------------------------------------------------------

    /// Something happens to a daemon: now, later if it is stopped, never if it is down.
    pub(crate) fn feed(&mut self, node: usize, input: Input) {
        if self.machines[node].is_awake() {
            self.step(node, input);
        } else {
            self.machines[node].miss(input);
        }
    }

    fn step(&mut self, index: usize, input: Input) {
        self.tell(|| format!("{} <- {}", charters::name(index), words::of_input(&input)));
        let (has, term) = self.machines[index].stands_at();
        if let Input::Received { from, message } = &input {
            let from = charters::index(from);
            self.observe(&Fact::Heard { node: index, from, has, term, message });
        }
        if matches!(input, Input::PersistFailed { .. }) {
            self.machines[index].knows_disk_failed = true;
            self.observe(&Fact::DiskFailed);
        }
        let Some(effects) = self.machines[index].react(self.now, input) else { return };
        if let Some(document) = self.machines[index].taken_since(has) {
            self.observe(&Fact::Accepted { node: index, before: has, document: &document });
        }
        self.apply(index, effects);
    }

    /// Does what a node asks for, in the order of the fields.
    fn apply(&mut self, node: usize, effects: Effects) {
        for order in effects.orders {
            self.order(node, order);
        }
        if let Some(record) = effects.persist
            && self.machines[node].disk.submit(record, &mut no_dice()).is_some()
        {
            self.queue.push_back(Due::Written { node });
        }
        for envelope in effects.mail {
            self.post(node, charters::index(&envelope.to), envelope.message);
        }
        for (request, answer) in effects.answers {
            self.tell(|| format!("{} answers {answer:?}", charters::name(node)));
            self.observe(&Fact::Answered { request, answer: &answer });
        }
        for event in effects.events {
            self.tell(|| format!("{} tells {event:?}", charters::name(node)));
            self.observe(&Fact::Told { node, event: &event });
        }
        self.machines[node].wake.0 = effects.wake;
        self.queue_tick(node);
        if !self.machines[node].disk.is_writing() {
            self.history.forget_receipts(node);
        }
    }

    fn post(&mut self, from: usize, to: usize, message: Message) {
        let is_cut = self.cut[from][to];
        self.tell(|| {
            let is_lost = if is_cut { " (lost)" } else { "" };
            let [from, to] = [from, to].map(charters::name);
            format!("    {from} -> {to} {}{is_lost}", words::of_message(&message))
        });
        self.observe(&Fact::Said { node: from, to, message: &message });
        if !self.cut[from][to] {
            self.queue.push_back(Due::Deliver { from, to, message: Arc::new(message) });
        }
    }

    /// The daemon starts: what was loaded is written back first (R5).
    pub(crate) fn start(&mut self, node: usize) {
        let machine = &mut self.machines[node];
        machine.life += 1;
        let seed = machine.life << 8 | u64::try_from(node).expect("three nodes");
        let before = machine.disk.write_back();
        machine.knows_disk_failed = false;
        self.record_written(node, &before);
        let machine = &mut self.machines[node];
        let record = machine.disk.record().clone();
        let started = Node::evened(record, machine.clocks.read(self.now), seed);
        machine.node = Some(Arc::new(match self.rule {
            Some(rule) => started.without(rule),
            None => started,
        }));
        let accepted = self.machines[node].disk.record().accepted.position;
        self.observe(&Fact::Started { node, accepted });
        self.step(node, Input::Tick);
        for peer in (0..SIZE).filter(|peer| *peer != node) {
            self.queue.push_back(Due::Open { from: node, to: peer });
            self.queue.push_back(Due::Open { from: peer, to: node });
        }
    }

    /// The daemon is killed. Its guard does not notice: the children live to their deadline.
    pub(crate) fn crash(&mut self, node: usize, got_there: bool) {
        let machine = &mut self.machines[node];
        machine.node = None;
        machine.nap = Nap::Awake;
        machine.backlog.clear();
        machine.wake.0 = None;
        self.stalled[node] = false;
        let (lost_record, before) = self.machines[node].disk.cut_off(got_there);
        if let Some(before) = before {
            self.record_written(node, &before);
        }
        self.observe(&Fact::Crashed { node, lost_record });
        self.queue.retain(|due| match due {
            Due::Deliver { .. } => true,
            Due::Tick { .. } | Due::Written { .. } | Due::Stopped { .. } | Due::Open { .. } => {
                due.node() != node
            }
        });
    }

    /// The power goes: the children end with the daemon.
    pub(crate) fn lose_power(&mut self, node: usize) {
        self.crash(node, false);
        if let Some(term) = self.machines[node].guard.lose_power() {
            self.observe(&Fact::Died { term });
        }
    }

    /// A stopped daemon goes on; what came meanwhile comes now, after a tick.
    pub(crate) fn resume(&mut self, node: usize) {
        let machine = &mut self.machines[node];
        machine.nap = Nap::Awake;
        machine.wake.0 = None;
        let missed: Vec<Input> = machine.backlog.drain(..).collect();
        self.feed(node, Input::Tick);
        for input in missed {
            self.feed(node, input);
        }
    }

    // ---- guard and children --------------------------------------------------------------

    fn order(&mut self, node: usize, order: Order) {
        self.tell(|| format!("    {} orders {order:?}", charters::name(node)));
        self.observe(&Fact::Ordered { node, order });
        let machine = &mut self.machines[node];
        let Some(running) = machine.node.as_ref() else { return };
        let timing = running.committed().charter.timing;
        let accepted = running.durable().accepted.position;
        let was_idle = machine.guard.children().is_none();
        machine.guard.obey(order, timing, self.now, &mut no_dice());
        match order {
            Order::Start { term, .. } if was_idle => {
                self.observe(&Fact::Began { node, term, accepted });
            }
            Order::Stop { term, .. } if was_idle => {
                self.queue.push_back(Due::Stopped { node, term });
            }
            Order::Start { .. } | Order::Extend { .. } | Order::Stop { .. } => {}
        }
        self.look(node);
    }

    fn look(&mut self, node: usize) {
        let machine = &mut self.machines[node];
        if let Some(term) = machine.guard.look(self.now, &machine.clocks, &mut no_dice()) {
            self.tell(|| format!("{} is rid of {term:?}", charters::name(node)));
            self.observe(&Fact::Died { term });
            if self.machines[node].node.is_some() {
                self.queue.push_back(Due::Stopped { node, term });
            }
        }
    }

    // ---- the disk ------------------------------------------------------------------------

    pub(crate) fn written(&mut self, node: usize) {
        match self.machines[node].disk.finish(&mut no_dice()) {
            Some(Ending::Written(before)) => {
                let sequence = self.record_written(node, &before);
                if self.machines[node].disk.begin(&mut no_dice()).is_some() {
                    self.queue.push_back(Due::Written { node });
                }
                self.feed(node, Input::Persisted { sequence });
            }
            Some(Ending::Failed(before)) => {
                if let Some(before) = before {
                    self.record_written(node, &before);
                }
                self.feed(node, Input::PersistFailed { error: "input/output error".to_owned() });
            }
            None => {}
        }
    }

    fn record_written(&mut self, node: usize, before: &Durable) -> u64 {
        let after = self.machines[node].disk.record().clone();
        self.observe(&Fact::Wrote { node, before, after: &after });
        after.sequence
    }

    // ---- people --------------------------------------------------------------------------

    /// An operator edits the document at `node`.
    pub(crate) fn edit(&mut self, node: usize) {
        self.edits += 1;
        let document = charters::document(SIZE, settings(), u64::from(self.edits));
        let Some(running) = &self.machines[node].node else { return };
        let revision = running.durable().accepted.revision;
        let request = RequestId(u64::from(self.edits));
        self.observe(&Fact::Asked { request, hash: document.hash });
        self.feed(node, Input::Asked { request, wish: Wish::Propose { revision, document } });
    }

    /// An operator asks `node` to hand over to `to`.
    pub(crate) fn transfer(&mut self, node: usize, to: usize) {
        self.transfers += 1;
        let wish = Wish::Transfer { to: Some(charters::name(to)) };
        let request = RequestId(100 + u64::from(self.transfers));
        self.feed(node, Input::Asked { request, wish });
    }
}
