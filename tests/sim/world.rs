//! The whole cluster in one thread and one seed: machines, network, true time, the next event.
//! Never decides what goes wrong; `faults` does. Never judges; `oracles` does.

use core::time::Duration;

use crate::protocol::effects::{Answer, Effects, Event, Input, Wish};
use crate::protocol::message::{Message, Refusal, Verdict};
use crate::protocol::units::{RequestId, Term};
use crate::sim::charters;
use crate::sim::clock::{Clocks, TrueTime};
use crate::sim::counters::Counters;
use crate::sim::disk::{self, Disk};
use crate::sim::draw::Draw;
use crate::sim::editing::Editing;
use crate::sim::faults::{Strike, Undo};
use crate::sim::guard::Guard;
use crate::sim::history::{Fact, History};
use crate::sim::machine::Machine;
use crate::sim::missing::Missing;
use crate::sim::network::Network;
use crate::sim::oracles::{first_broken, first_broken_of_all};
use crate::sim::plan::Plan;
use crate::sim::queue::Queue;
use crate::sim::trace::{Detail, Trace};
use crate::sim::verdicts::View;
use crate::sim::words;

/// So many events of one instant are a node that spins.
const EVENTS_PER_INSTANT_MAX: u32 = 20_000;

/// An event of the future.
pub(crate) enum Due {
    /// A node's wake-up time.
    Wake { node: usize, number: u64 },
    /// A message arrives.
    Deliver { to: usize, input: Box<Input> },
    /// A write ends.
    Written { node: usize, life: u64 },
    /// A guard has an appointment.
    Guard { node: usize, generation: u64 },
    /// A daemon hears that its children are gone.
    Stopped { node: usize, life: u64, term: Term },
    /// A guard notices that its daemon died.
    Orphaned { node: usize, life: u64 },
    /// Somebody starts a daemon.
    Start { node: usize },
    /// A machine is set up anew.
    Join { node: usize },
    /// A session opens.
    Open { from: usize, to: usize },
    /// A nap ends.
    Resume { node: usize, nap: u64 },
    /// A fault strikes.
    Strike { epoch: u64, strike: Strike },
    /// A fault is over.
    Undo { epoch: u64, undo: Undo },
    /// The next fault is drawn.
    NextStrike { epoch: u64 },
}

/// A sentence that did not hold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Broken {
    /// When.
    pub(crate) at: TrueTime,
    /// The promise.
    pub(crate) promise: &'static str,
    /// The sentence.
    pub(crate) sentence: &'static str,
    /// How.
    pub(crate) detail: String,
}

/// Hears of every fact when it happens, and changes nothing.
pub(crate) type Listener = Box<dyn FnMut(&Fact<'_>) + Send>;

/// The cluster and its surroundings.
pub(crate) struct World {
    /// What was drawn in advance.
    pub(crate) plan: Plan,
    /// True time.
    pub(crate) now: TrueTime,
    /// The machines; a node's index is its rank.
    pub(crate) machines: Vec<Machine>,
    /// The links.
    pub(crate) network: Network,
    /// The future.
    pub(crate) queue: Queue<Due>,
    /// The dice of the moment: a strike brings its own.
    pub(crate) draw: Draw,
    /// The dice that decide which faults strike when.
    pub(crate) storm: Draw,
    /// Every strike that was not part of another, with its time: a run from these is the same run.
    pub(crate) struck: Vec<(TrueTime, Strike)>,
    /// What happened.
    pub(crate) history: History,
    /// How often.
    pub(crate) counters: Counters,
    /// In words.
    pub(crate) trace: Trace,
    /// The first broken sentence.
    pub(crate) broken: Option<Broken>,
    /// Faults and their ends belong to the epoch they were planned in.
    pub(crate) epoch: u64,
    /// Faults come from a script: none is drawn.
    pub(crate) is_scripted: bool,
    /// Faults may strike.
    pub(crate) is_stormy: bool,
    /// The next winner becomes deaf.
    pub(crate) deafens_winner: bool,
    /// A voter that refuses every heartbeat, in a later term of its own making.
    pub(crate) refuser: Option<usize>,
    /// The newest answer to the newest question of a test.
    pub(crate) answers: Vec<(RequestId, Answer)>,
    /// How often the document was edited.
    pub(crate) edits: u64,
    /// What whoever edited it saw.
    pub(crate) editing: Editing,
    /// Who writes a transcript, if anybody does.
    pub(crate) listener: Option<Listener>,
    requests: u64,
    /// What is missing, if anything.
    pub(crate) missing: Option<Missing>,
    spins: u32,
}

impl World {
    /// A cluster that was just founded; every daemon starts within the first moments.
    pub(crate) fn new(
        plan: Plan,
        mut draw: Draw,
        missing: Option<Missing>,
        detail: Detail,
    ) -> Self {
        let founders = plan.size - plan.newcomers;
        let document = charters::document_of(&plan.roles[..founders], plan.settings[0], 0);
        let document = document.expect("somebody may lead");
        let history = History::new(&document);
        let editing = Editing::of(&document);
        let now = TrueTime::default();
        let machine = |index| {
            let disk = Disk::new(charters::founding(index, &document), plan.disk);
            let clocks = fresh_clocks(now, &mut draw);
            let guard = Guard::new(plan.temper, missing);
            let mut machine = Machine::new(charters::name(index), clocks, disk, guard, draw.fork());
            machine.is_away = index >= founders;
            machine
        };
        let machines: Vec<Machine> = (0..plan.size).map(machine).collect();
        let mut world = Self {
            network: Network::new(plan.size, plan.weather, &mut draw),
            storm: draw.fork(),
            struck: Vec::new(),
            plan,
            now,
            machines,
            queue: Queue::new(),
            draw,
            history,
            counters: Counters::default(),
            trace: Trace::new(detail),
            broken: None,
            epoch: 0,
            is_scripted: false,
            is_stormy: false,
            deafens_winner: false,
            refuser: None,
            answers: Vec::new(),
            edits: 0,
            editing,
            listener: None,
            requests: 0,
            missing,
            spins: 0,
        };
        for node in 0..world.plan.size {
            let draw = &mut world.machines[node].draw;
            let at = draw.skewed(Duration::ZERO, Duration::from_millis(200));
            let first = if node < founders { Due::Start { node } } else { Due::Join { node } };
            world.queue.put(now.after(at), first);
        }
        world
    }

    // ---- time ----------------------------------------------------------------------------

    /// Lets the next event happen if it is due by `limit`. Says whether one was.
    pub(crate) fn advance(&mut self, limit: TrueTime) -> bool {
        if self.broken.is_some() {
            return false;
        }
        let Some((at, due)) = self.queue.take_until(limit) else {
            self.now = limit;
            return false;
        };
        self.spins = if at == self.now { self.spins + 1 } else { 0 };
        if self.spins > EVENTS_PER_INSTANT_MAX {
            self.fail("P12", "time goes on", "events of one instant never end".to_owned());
        }
        self.now = at;
        self.observe(&Fact::TimePassed);
        self.happen(due);
        self.broken.is_none()
    }

    fn happen(&mut self, due: Due) {
        match due {
            Due::Wake { node, number } => self.wake(node, number),
            Due::Deliver { to, input } if self.is_let_in(to, &input) => self.feed(to, *input),
            Due::Written { node, life } if self.machines[node].life == life => self.written(node),
            Due::Guard { node, generation }
                if self.machines[node].guard.generation == generation =>
            {
                self.look(node);
            }
            Due::Stopped { node, life, term } if self.machines[node].life == life => {
                self.feed(node, Input::Stopped { term });
            }
            Due::Orphaned { node, life } if self.machines[node].life == life => {
                let machine = &mut self.machines[node];
                machine.guard.orphan(self.now, &mut machine.draw);
                self.look(node);
            }
            Due::Start { node } => self.start(node),
            Due::Join { node } => self.join(node),
            Due::Open { from, to } => self.open(from, to),
            Due::Resume { node, nap } if self.machines[node].naps == nap => self.resume(node),
            Due::Strike { epoch, strike } if epoch == self.epoch => self.strike(strike),
            Due::Undo { epoch, undo } if epoch == self.epoch => self.undo(undo),
            Due::NextStrike { epoch } if epoch == self.epoch => self.next_strike(),
            // What belonged to an earlier life, nap or epoch is void.
            _ => {}
        }
    }

    // ---- facts ---------------------------------------------------------------------------

    /// Judges a fact, counts it, remembers it.
    pub(crate) fn observe(&mut self, fact: &Fact<'_>) {
        if self.broken.is_some() {
            return;
        }
        if let Some(listener) = self.listener.as_mut() {
            listener(fact);
        }
        let view = View { now: self.now, machines: &self.machines, history: &self.history };
        let broken = first_broken(&view, fact);
        if self.trace.is_wanted() {
            let by_all = first_broken_of_all(&view, fact).map(|(oracle, _)| oracle.sentence);
            let by_some = broken.as_ref().map(|(oracle, _)| oracle.sentence);
            assert_eq!(by_some, by_all, "no oracle judges what it does not name: {fact:?}");
        }
        if let Some((oracle, detail)) = broken {
            self.fail(oracle.promise, oracle.sentence, detail);
            return;
        }
        self.counters.observe(&self.history, fact);
        self.history.absorb(self.now, fact);
    }

    /// Ends the run: this sentence did not hold.
    pub(crate) fn fail(&mut self, promise: &'static str, sentence: &'static str, detail: String) {
        self.trace.note(self.now, format_args!("BROKEN {promise} {sentence}: {detail}"));
        self.broken.get_or_insert(Broken { at: self.now, promise, sentence, detail });
    }

    // ---- the daemon's process ------------------------------------------------------------

    /// Something happens to a daemon: now, later if it sleeps, never if it is down.
    pub(crate) fn feed(&mut self, node: usize, input: Input) {
        let machine = &mut self.machines[node];
        if machine.is_awake() {
            self.step(node, input);
        } else {
            machine.miss(input);
        }
    }

    pub(crate) fn step(&mut self, index: usize, input: Input) {
        if self.trace.is_wanted() {
            let words = words::of_input(&input);
            self.trace.note(self.now, format_args!("{} <- {words}", charters::name(index)));
        }
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
            self.meet(index);
        }
        self.apply(index, effects);
    }

    /// Does what a node asks for, in the order of the fields.
    fn apply(&mut self, node: usize, effects: Effects) {
        for order in effects.orders {
            self.order(node, order);
        }
        if let Some(record) = effects.persist {
            let machine = &mut self.machines[node];
            let latency = machine.disk.submit(record, &mut machine.draw);
            self.await_write(node, latency);
        }
        for envelope in effects.mail {
            self.post(node, charters::index(&envelope.to), envelope.message);
        }
        for (request, answer) in effects.answers {
            self.trace.note(self.now, format_args!("{} answers {answer:?}", charters::name(node)));
            self.observe(&Fact::Answered { request, answer: &answer });
            self.editing.answered(request, &answer);
            self.answers.push((request, answer));
        }
        for event in effects.events {
            self.trace.note(self.now, format_args!("{} tells {event:?}", charters::name(node)));
            self.observe(&Fact::Told { node, event: &event });
            self.take_aim(node, &event);
        }
        if effects.left {
            self.trace.note(self.now, format_args!("{} leaves", charters::name(node)));
            self.crash(node);
            let longest = self.plan.longest_promise();
            let away = self.machines[node].draw.skewed(Duration::from_millis(1), longest);
            self.queue.put(self.now.after(away), Due::Start { node });
        } else if self.machines[node].wake.0 != effects.wake {
            self.machines[node].wake.0 = effects.wake;
            self.set_alarm(node);
        }
    }

    /// Plans the next wake-up of a node by its present clocks.
    pub(crate) fn set_alarm(&mut self, node: usize) {
        let machine = &mut self.machines[node];
        machine.wake.1 += 1;
        let number = machine.wake.1;
        let due = machine.wake.0.and_then(|wake| machine.clocks.either_reaches(wake));
        if let Some(at) = due {
            let late = machine.draw.between(Duration::from_nanos(1), self.plan.oversleep);
            self.queue.put(at.max(self.now).after(late), Due::Wake { node, number });
        }
    }

    fn wake(&mut self, node: usize, number: u64) {
        let machine = &mut self.machines[node];
        if machine.wake.1 == number && machine.is_awake() {
            machine.wake.0 = None;
            self.step(node, Input::Tick);
        }
    }

    fn post(&mut self, from: usize, to: usize, mut message: Message) {
        if self.refuser == Some(from)
            && let Message::HeartbeatAck(ack) = &mut message
        {
            let mine = Term(ack.term.0 + 1);
            ack.verdict = Verdict::Refused(Refusal::StaleTerm { mine });
        }
        if self.trace.is_wanted() {
            let [from, to, words] = [
                charters::name(from).to_string(),
                charters::name(to).to_string(),
                words::of_message(&message),
            ];
            self.trace.note(self.now, format_args!("{from} -> {to} {words}"));
        }
        self.observe(&Fact::Said { node: from, to, message: &message });
        self.aim_at_words(from, to, &message);
        let [first, second] = self.network.carry(self.now, from, to);
        let Some(last) = second.or(first) else { return };
        let input = Box::new(Input::Received { from: charters::name(from), message });
        if let (Some(at), true) = (first, second.is_some()) {
            self.queue.put(at, Due::Deliver { to, input: input.clone() });
        }
        self.queue.put(last, Due::Deliver { to, input });
    }

    fn open(&mut self, from: usize, to: usize) {
        let is_up = |node: usize| self.machines[node].node.is_some();
        let are_known = self.knows(from, to) && self.knows(to, from);
        if is_up(from) && is_up(to) && are_known && !self.network.is_cut(from, to) {
            self.feed(from, Input::Connected { to: charters::name(to) });
        }
    }

    /// Sessions in one direction open soon, if nothing prevents it then.
    pub(crate) fn open_soon(&mut self, from: usize, to: usize) {
        let after = self.network.opening(from, to);
        self.queue.put(self.now.after(after), Due::Open { from, to });
    }

    // ---- the disk ------------------------------------------------------------------------

    fn await_write(&mut self, node: usize, latency: Option<Duration>) {
        if let Some(latency) = latency {
            let life = self.machines[node].life;
            self.queue.put(self.now.after(latency), Due::Written { node, life });
        }
    }

    fn written(&mut self, node: usize) {
        let machine = &mut self.machines[node];
        match machine.disk.finish(&mut machine.draw) {
            Some(disk::Ending::Written(before)) => {
                let sequence = self.record_written(node, &before);
                self.meet(node);
                let machine = &mut self.machines[node];
                let latency = machine.disk.begin(&mut machine.draw);
                self.await_write(node, latency);
                self.feed(node, Input::Persisted { sequence });
            }
            Some(disk::Ending::Failed(before)) => {
                if let Some(before) = before {
                    self.record_written(node, &before);
                }
                self.feed(node, Input::PersistFailed { error: "input/output error".to_owned() });
            }
            None => {}
        }
    }

    pub(crate) fn record_written(
        &mut self,
        node: usize,
        before: &crate::protocol::durable::Durable,
    ) -> u64 {
        let after = self.machines[node].disk.record().clone();
        self.observe(&Fact::Wrote { node, before, after: &after });
        after.sequence
    }

    // ---- clients -------------------------------------------------------------------------

    /// A local client of `node` wants something.
    pub(crate) fn ask(&mut self, node: usize, wish: Wish) -> RequestId {
        self.requests += 1;
        let request = RequestId(self.requests);
        if let Wish::Propose { revision, document } = &wish {
            self.observe(&Fact::Asked { request, hash: document.hash });
            self.look_at_document();
            let seen = self.machines[node].node.as_ref().map(|node| node.committed());
            self.editing.asked(request, seen, *revision, document);
        }
        self.feed(node, Input::Asked { request, wish });
        request
    }

    /// Somebody looks at the document where it cannot be outdated: at the acting master, unless
    /// its daemon was started anew while what it had let run still acts.
    pub(crate) fn look_at_document(&mut self) {
        let acting = self.acting().and_then(|master| self.machines[master].node.as_ref());
        if let Some(master) = acting.filter(|master| master.voter.activity.is_acting()) {
            self.editing.looked(master.committed());
        }
    }

    /// Where something acts now.
    pub(crate) fn acting(&self) -> Option<usize> {
        self.machines.iter().position(|machine| machine.acting().is_some())
    }

    /// Aims at what an event shows.
    fn take_aim(&mut self, node: usize, event: &Event) {
        if self.deafens_winner && matches!(event, Event::Won { .. }) {
            self.deafens_winner = false;
            if self.can_spare(node) {
                self.deafen_for_good(node);
            }
        }
        self.aim(node, event);
    }
}

/// Clocks of a machine that was just switched on.
pub(crate) fn fresh_clocks(now: TrueTime, draw: &mut Draw) -> Clocks {
    let uptime = draw.between(Duration::from_secs(1), Duration::from_secs(100_000));
    let slept = draw.between(Duration::ZERO, Duration::from_secs(1000));
    Clocks::new(now, uptime + slept, uptime)
}
