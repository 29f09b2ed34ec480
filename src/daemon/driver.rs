//! Owns the only lock: the node, and what must move with it. Hands every effect out in the order
//! of its fields: orders, persist, mail, answers, events, left, wake.
//! Never blocks under the lock: disk, network, clients and log are behind bounded queues that
//! drop or replace instead of waiting (R76).

mod gates;
mod programs;
mod publishing;
mod view;

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};

use crate::daemon::acting::ActingWindow;
use crate::daemon::acting_log::ActingLog;
use crate::daemon::clock::{self, Reading};
use crate::daemon::events::{News, Remark, Ring, Stamp};
use crate::daemon::history::History;
use crate::daemon::holders::{Holders, Mailbox, Span};
use crate::daemon::network::{Delivery, Network, Sighting};
use crate::daemon::notice::{Board, Notice};
use crate::daemon::papers::Tray;
use crate::daemon::reset::leash::Sight;
use crate::daemon::store::StoreQueue;
use crate::daemon::suspicion::Detector;
use crate::daemon::tallies::Tallies;
use crate::daemon::timer::{self, Alarm};
use crate::daemon::waiting::Bell;
use crate::daemon::watchdog::Pulse;
use crate::protocol::durable::Document;
use crate::protocol::effects::{
    Answer, Effects, Event, Input, Order, StepDownReason, Suspicion, Wish,
};
use crate::protocol::map::Map;
use crate::protocol::node::Node;
use crate::protocol::units::{Hash, Moment, NodeId, RequestId, Term};
use crate::wire::control::EventReport;

pub use view::View;

/// What a wish may take beyond two leases before its outcome is unknown.
const ANSWER_EXTRA: Duration = Duration::from_secs(5);

/// The node with everything around it that outside threads may touch.
#[derive(Debug)]
pub struct Driver {
    name: NodeId,
    core: Mutex<Core>,
    network: OnceLock<Arc<Network>>,
    store: StoreQueue,
    alarm: Alarm,
    acting: ActingWindow,
    board: Board,
    tallies: Tallies,
    acting_log: OnceLock<ActingLog>,
    listener: OnceLock<Arc<Mailbox>>,
    watchdog_bell: OnceLock<Arc<Bell>>,
    fence_bell: OnceLock<Arc<Bell>>,
    turned: OnceLock<Sender<()>>,
    papers: OnceLock<Arc<Tray>>,
    pulse: Pulse,
    left: (Sender<()>, Receiver<()>),
}

/// What moves with the node, under the lock.
struct Core {
    node: Node,
    name: NodeId,
    detector: Detector,
    due_boot_ns: Option<u64>,
    waiting: Map<RequestId, Sender<Answer>>,
    requests: u64,
    ring: Ring,
    started_boot_ns: u64,
    holders: Holders,
    connected_for: (Hash, Hash, u64),
}

impl std::fmt::Debug for Core {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Core").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Driver {
    /// Takes a node and the queue to the disk. Nothing happens before the first `deliver`.
    ///
    /// # Errors
    /// The system has no alarm for the election loop.
    pub fn new(node: Node, store: StoreQueue) -> io::Result<Self> {
        let name = node.durable().identity.node.clone();
        let board = Board::new(Notice::of(&node, clock::now()));
        let core = Core {
            name: node.durable().identity.node.clone(),
            connected_for: contents(&node),
            node,
            detector: Detector::new(clock::read()),
            due_boot_ns: None,
            waiting: Map::default(),
            requests: 0,
            ring: Ring::default(),
            started_boot_ns: clock::now().boot_ns,
            holders: Holders::default(),
        };
        Ok(Self {
            name,
            core: Mutex::new(core),
            network: OnceLock::new(),
            store,
            alarm: Alarm::new()?,
            acting: ActingWindow::default(),
            board,
            tallies: Tallies::default(),
            acting_log: OnceLock::new(),
            listener: OnceLock::new(),
            watchdog_bell: OnceLock::new(),
            fence_bell: OnceLock::new(),
            turned: OnceLock::new(),
            papers: OnceLock::new(),
            pulse: Pulse::default(),
            left: bounded(1),
        })
    }

    /// Gives the driver the network its mail goes to; until then mail is dropped, as on a network
    /// that is down. Called once.
    pub fn connect(&self, network: Arc<Network>) {
        assert!(self.network.set(network).is_ok(), "a driver has one network");
    }

    /// Gives the driver the log of its acting. Called once, before the first `deliver`.
    pub fn log_acting(&self, log: ActingLog) {
        assert!(self.acting_log.set(log).is_ok(), "a driver has one acting log");
    }

    /// Waits until the acting log is written, at most `patience`.
    pub fn flush_acting_log(&self, patience: Duration) {
        if let Some(log) = self.acting_log.get() {
            log.flush(patience);
        }
    }

    /// Gives the driver the place for each committed document with a new content. Called once,
    /// before the first `deliver`.
    pub fn file_documents(&self, tray: &Arc<Tray>) {
        assert!(self.papers.set(Arc::clone(tray)).is_ok(), "a driver has one tray");
    }

    /// Gives the driver the history that its events go to.
    pub fn keep_history(&self, history: History) {
        self.lock().ring.keep_in(history);
    }

    /// Waits until the history is written, at most `patience`.
    pub fn flush_history(&self, patience: Duration) {
        let history = self.lock().ring.history().cloned();
        if let Some(history) = history {
            history.journal().flush(patience);
        }
    }

    /// What the clocks say that events are stamped with.
    pub fn stamp(&self) -> Stamp {
        self.lock().stamp()
    }

    /// The election loop: ticks whenever the node's deadline comes, for ever.
    ///
    /// # Errors
    /// The alarm broke: the process must end, since nothing would wake the node any more.
    pub fn run_alarm(&self) -> io::Result<()> {
        loop {
            self.deliver(Input::Tick);
            self.alarm.wait()?;
        }
    }

    /// Asks the node for something. The answer comes through the channel; whoever stops waiting
    /// for it says so with `forget`.
    pub fn ask(&self, wish: Wish) -> (RequestId, Receiver<Answer>) {
        let (sender, receiver) = bounded(1);
        let mut core = self.lock();
        let request = core.next_request();
        core.waiting.insert(request, sender);
        self.take(core, Input::Asked { request, wish });
        (request, receiver)
    }

    /// Asks for `wish` and waits for what became of it, if that is known in time.
    pub fn outcome_of(&self, wish: Wish) -> Option<Answer> {
        let dead_after = self.committed().charter.timing.dead_after();
        let (request, answer) = self.ask(wish);
        let answer = answer.recv_timeout(dead_after * 2 + ANSWER_EXTRA);
        self.forget(request);
        answer.ok()
    }

    /// Asks the node for something on the daemon's own behalf: nobody waits for the answer.
    pub fn want(&self, wish: Wish) {
        let mut core = self.lock();
        let request = core.next_request();
        self.take(core, Input::Asked { request, wish });
    }

    /// Nobody waits for the answer to `request` any more.
    pub fn forget(&self, request: RequestId) {
        self.lock().waiting.remove(&request);
    }

    /// Who this node is.
    pub fn name(&self) -> &NodeId {
        &self.name
    }

    /// The committed document.
    pub fn committed(&self) -> Document {
        self.lock().node.committed().clone()
    }

    /// Speaks once whenever there is another document. Called once.
    pub fn tell_of_documents(&self) -> Receiver<()> {
        let (sender, receiver) = bounded(1);
        assert!(self.turned.set(sender).is_ok(), "one thread looks after the documents");
        receiver
    }

    /// Tells an event of the daemon's own as the node's are told: to the log, the ring, whoever
    /// follows. Takes the lock for a moment.
    pub fn say(&self, remark: Remark) {
        let core = &mut *self.lock();
        let term = core.node.durable().term;
        let stamp = core.stamp();
        core.ring.say(remark, &core.name, term, stamp);
    }

    /// The kept events.
    pub fn events(&self) -> Vec<Arc<EventReport>> {
        self.lock().ring.kept()
    }

    /// The kept events, and all later ones.
    pub fn follow_events(&self) -> (Vec<Arc<EventReport>>, News) {
        let mut core = self.lock();
        let name = core.name.clone();
        core.ring.follow(&name)
    }

    /// Rings the bell of `mailbox` at every event from now on. Called once.
    pub fn ring_at_events(&self, mailbox: &Arc<Mailbox>) {
        assert!(self.listener.set(Arc::clone(mailbox)).is_ok(), "a driver has one stage");
    }

    /// What the hardware watchdog needs to know; takes the lock for a moment.
    pub fn sight(&self) -> Sight {
        let core = self.lock();
        let timing = core.node.committed().charter.timing;
        Sight {
            task: core.holders.task(timing.kill()),
            stop: timing.stop() + timing.kill(),
            reach: timing.reset_reach(),
            due_boot_ns: core.due_boot_ns,
        }
    }

    /// Nobody could end what acts in `term` any more, so the node gives it up at once, to whoever
    /// is ready or to nobody (R33).
    pub fn end_acting(&self, term: Term) {
        let mut core = self.lock();
        if core.holders.may_go_on(term) {
            let request = core.next_request();
            let (hold_off, reason) = (Duration::ZERO, StepDownReason::GuardLost);
            let wish = Wish::StepDown { hold_off, reason };
            self.take(core, Input::Asked { request, wish });
        }
    }

    /// How the connections of each peer stand, and what it said of itself.
    pub fn sightings(&self) -> Map<NodeId, Sighting> {
        self.network.get().map(|network| network.sightings()).unwrap_or_default()
    }

    /// Everything that is wrong with anybody's identity, in words.
    pub fn doubts(&self) -> Vec<String> {
        self.network.get().map(|network| network.doubts()).unwrap_or_default()
    }

    /// Whether this node acts as master, readable without the lock.
    pub fn acting(&self) -> &ActingWindow {
        &self.acting
    }

    /// The marks of progress, readable without the lock.
    pub fn pulse(&self) -> &Pulse {
        &self.pulse
    }

    /// Speaks once when the node holds nothing any more after `Input::Leave`.
    pub fn left(&self) -> &Receiver<()> {
        &self.left.1
    }

    fn lock(&self) -> MutexGuard<'_, Core> {
        self.core.lock().expect("a panic under the lock ends the process")
    }

    /// One turn: everything that follows from `input` without waiting for anybody. The clocks are
    /// read only now, with the lock in hand (R20).
    fn take(&self, mut core: MutexGuard<'_, Core>, input: Input) {
        self.pulse.begin();
        if let (Input::Persisted { sequence }, Some(network)) = (&input, self.network.get()) {
            network.wrote(*sequence);
        }
        let reading = clock::read();
        for suspicion in core.judge(reading) {
            self.tallies.suspect(&suspicion);
            self.step(&mut core, Input::Suspicion(suspicion));
        }
        if let Some(stopped) = self.confirm(&mut core) {
            self.step(&mut core, stopped);
        }
        self.step(&mut core, input);
        self.publish(&core, reading.moment);
        self.pulse.end(reading.moment.boot_ns, core.due_boot_ns);
    }

    /// Steps the node, and again for each stop that is confirmed at once, since nothing ran.
    fn step(&self, core: &mut Core, input: Input) {
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            let now = clock::now();
            let effects = core.node.step(now, input);
            inputs.extend(self.hand_out(core, now, effects));
        }
    }

    /// In the order of the fields. Gives back what the orders caused.
    fn hand_out(&self, core: &mut Core, now: Moment, effects: Effects) -> Vec<Input> {
        let Effects { orders, persist, mail, answers, events, left, wake } = effects;
        let stopped = self.obey(core, now, &orders);
        if let Some(record) = persist {
            self.store.put(record);
        }
        if let Some(network) = self.network.get() {
            mail.into_iter().for_each(|envelope| network.send(envelope));
        }
        for (request, answer) in answers {
            if let Some(client) = core.waiting.remove(&request) {
                // One slot, one answer: it fails only if the client stopped waiting.
                client.try_send(answer).ok();
            }
        }
        self.tallies.note(&events);
        core.tell(&events);
        if let (Some(listener), false) = (self.listener.get(), events.is_empty()) {
            listener.bell().ring();
        }
        self.reconnect(core);
        if left {
            // One slot: a second notice says nothing new.
            self.left.0.try_send(()).ok();
        }
        let wakes = [wake, core.holders.next()].into_iter().flatten();
        self.wake_at(core, wakes.map(|wake| timer::ring_at(now, wake)).min());
        stopped
    }

    /// Moves the alarm; one that is set for that very moment already has not rung yet.
    fn wake_at(&self, core: &mut Core, due_boot_ns: Option<u64>) {
        if core.due_boot_ns != due_boot_ns {
            self.alarm.arm(due_boot_ns);
            core.due_boot_ns = due_boot_ns;
        }
    }

    /// What the acting log shows encloses what the window allows: its lines are on their way
    /// before the window opens, and the end is read after it was closed and all that acted is gone.
    fn obey(&self, core: &mut Core, now: Moment, orders: &[Order]) -> Vec<Input> {
        let log = self.acting_log.get();
        let mut stopped = Vec::new();
        for order in orders {
            match *order {
                Order::Start { term, until, kill } => {
                    log.inspect(|log| log.begin(now, term, until));
                    core.holders.start(Span { term, until, kill });
                    self.open(core, term, until);
                }
                Order::Extend { term, until, kill } => {
                    log.inspect(|log| log.extend(now, term, until));
                    self.open(core, term, until);
                    core.holders.extend(Span { term, until, kill });
                }
                Order::Stop { term, kill } => {
                    self.acting.close();
                    let kill_time = core.node.committed().charter.timing.kill();
                    core.holders.stop(term, kill, kill_time);
                    stopped.extend(self.confirm(core));
                }
            }
            self.ring_gates();
        }
        stopped
    }

    /// Opens the window, unless acting is held back.
    fn open(&self, core: &Core, term: Term, until: Moment) {
        if !core.holders.is_held() {
            self.acting.open(term, until);
        }
    }

    /// What the node is told once the last that acted in a stopped term is gone (R34).
    fn confirm(&self, core: &mut Core) -> Option<Input> {
        let term = core.holders.confirm(clock::now())?;
        self.acting_log.get().inspect(|log| log.end(clock::now(), term));
        self.ring_gates();
        Some(Input::Stopped { term })
    }

    /// Tells the network whom to talk to and whom to trust, if the documents moved (R74).
    fn reconnect(&self, core: &mut Core) {
        let contents = contents(&core.node);
        if contents == core.connected_for {
            return;
        }
        let was = std::mem::replace(&mut core.connected_for, contents);
        self.board.put(Notice::of(&core.node, clock::now()));
        if let Some(turned) = self.turned.get() {
            // One slot: whoever looks sees the newest.
            turned.try_send(()).ok();
        }
        if let Some(papers) =
            self.papers.get().filter(|_| (was.1, was.2) != (contents.1, contents.2))
        {
            papers.put(core.node.committed().clone());
        }
        if let Some(network) = self.network.get() {
            network.set_timing(core.node.committed().charter.timing.dead_after());
            network.set_members(core.node.known_members());
        }
    }
}

impl Delivery for Driver {
    fn deliver(&self, input: Input) {
        self.take(self.lock(), input);
    }

    fn say(&self, remark: Remark) {
        Self::say(self, remark);
    }
}

impl Core {
    fn next_request(&mut self) -> RequestId {
        self.requests += 1;
        RequestId(self.requests)
    }

    fn judge(&mut self, reading: Reading) -> Vec<Suspicion> {
        let dead_after = self.node.committed().charter.timing.dead_after();
        self.detector.observe(reading, self.due_boot_ns, dead_after)
    }

    fn tell(&mut self, events: &[Event]) {
        let term = self.node.durable().term;
        for event in events {
            let stamp = self.stamp();
            self.ring.tell(event, &self.name, term, stamp);
        }
    }

    fn stamp(&self) -> Stamp {
        let Reading { moment, wall_ns } = clock::read();
        let uptime_ns = moment.boot_ns.saturating_sub(self.started_boot_ns);
        Stamp { time: clock::wall_text_of(wall_ns), uptime_ms: uptime_ns / 1_000_000 }
    }
}

/// Which contents the network's members come from, and which content revision is committed; a
/// re-stamp leaves them.
fn contents(node: &Node) -> (Hash, Hash, u64) {
    let durable = node.durable();
    (durable.accepted.hash, durable.committed.hash, durable.committed.revision)
}
