//! What can go wrong, at whom, for how long, and how it ends.
//! Never decides when: a plan's pace does, or `aims` at a remarkable moment.

use core::mem;
use core::time::Duration;

use crate::protocol::effects::{Condition, Input, Suspicion};
use crate::sim::charters;
use crate::sim::disk::Health;
use crate::sim::draw::Draw;
use crate::sim::machine::Nap;
use crate::sim::network::Weather;
use crate::sim::plan::DRIFT_PPM;
use crate::sim::world::{Due, World};

/// A kind of fault, or of trouble made by people.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Kind {
    /// One direction of one link is cut.
    OneWayCut,
    /// One link is cut.
    LinkCut,
    /// Nothing reaches a node.
    Deaf,
    /// Nothing a node says arrives.
    Mute,
    /// A node is alone.
    Isolation,
    /// Two sides.
    Partition,
    /// Two sides and one node that reaches both.
    Bridge,
    /// A partition that comes and goes.
    Flapping,
    /// The network is as bad as it gets.
    Storm,
    /// A daemon is killed and comes back.
    Crash,
    /// A machine loses its power and comes back with new clocks.
    PowerLoss,
    /// All daemons are killed and come back.
    AllRestart,
    /// A daemon is killed and is back at once.
    QuickRestart,
    /// A daemon is stopped for a while; its guard is not.
    Pause,
    /// A machine sleeps for a while.
    Suspend,
    /// A disk is slow.
    SlowDisk,
    /// A disk fails; later the daemon starts on a sound one.
    FailingDisk,
    /// A node loses its disk and comes back with a new one; a minority at most.
    Wipe,
    /// What acts under mastership ends by itself, or its guard dies, which kills it.
    WorkEnds,
    /// The clocks of a machine run at the edge of their bound.
    Drift,
    /// One of a machine's clocks is slewed far beyond the bound, the other is honest.
    Slew,
    /// The daemon is told that something is odd.
    Suspicion,
    /// What a node would lead with is out of order for a while.
    Sickness,
    /// An operator moves the mastership.
    Transfer,
    /// An operator wants a node to step down.
    StepDown,
    /// A daemon is told to leave, and comes back.
    Leave,
    /// Somebody edits the document.
    Edit,
    /// A voter is cut from the master, and another one restarts meanwhile.
    ForgetfulVoter,
    /// The voters lose the master one after the other; the first one gets it back.
    StaggeredLoss,
    /// A voter misses an edit, and whoever committed it dies.
    MissedEdit,
    /// All links of a node are whole again.
    Relief,
}

impl Kind {
    /// All of them.
    pub(crate) const ALL: [Self; 31] = [
        Self::OneWayCut,
        Self::LinkCut,
        Self::Deaf,
        Self::Mute,
        Self::Isolation,
        Self::Partition,
        Self::Bridge,
        Self::Flapping,
        Self::Storm,
        Self::Crash,
        Self::PowerLoss,
        Self::AllRestart,
        Self::QuickRestart,
        Self::Pause,
        Self::Suspend,
        Self::SlowDisk,
        Self::FailingDisk,
        Self::Wipe,
        Self::WorkEnds,
        Self::Drift,
        Self::Slew,
        Self::Suspicion,
        Self::Sickness,
        Self::Transfer,
        Self::StepDown,
        Self::Leave,
        Self::Edit,
        Self::ForgetfulVoter,
        Self::StaggeredLoss,
        Self::MissedEdit,
        Self::Relief,
    ];
}

/// A fault that is to strike, at a certain node or at any.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Strike {
    /// What.
    pub(crate) kind: Kind,
    /// At whom.
    pub(crate) at: Option<usize>,
    /// The seed of all chance in it.
    pub(crate) dice: u64,
}

/// How a fault ends.
#[derive(Clone, Debug)]
pub(crate) enum Undo {
    /// These directions are whole again.
    Mend(Vec<(usize, usize)>),
    /// These directions are whole again, whatever else cut them.
    MendWholly(Vec<(usize, usize)>),
    /// The network is as planned.
    CalmStorm,
    /// A disk is as quick as planned.
    QuickDisk(usize),
    /// A daemon is killed after all, if its disk failed.
    ReplaceDisk(usize),
    /// A node's work is in order again.
    Cure(usize),
    /// The directions are cut for so long, now.
    CutFor(Vec<(usize, usize)>, Duration),
}

impl World {
    /// Draws the next fault and the time until the one after it.
    pub(crate) fn next_strike(&mut self) {
        let kinds: Vec<Kind> = self.plan.kinds.iter().copied().collect();
        if !kinds.is_empty() {
            let edits = self.plan.churns && self.storm.one_in(2);
            let kind = if edits { Kind::Edit } else { self.storm.pick(&kinds) };
            let at = self.acting().filter(|_| self.storm.one_in(3));
            let strike = Strike { kind, at, dice: self.storm.bits() };
            self.struck.push((self.now, strike));
            self.strike(strike);
        }
        let pause = self.storm.between(Duration::ZERO, self.plan.pace * 2);
        let epoch = self.epoch;
        self.queue.put(self.now.after(pause), Due::NextStrike { epoch });
    }

    /// A fault strikes now, by its own dice.
    pub(crate) fn strike(&mut self, strike: Strike) {
        let own = mem::replace(&mut self.draw, Draw::new(strike.dice));
        self.play(strike);
        self.draw = own;
    }

    fn play(&mut self, strike: Strike) {
        let at = strike.at.unwrap_or_else(|| self.draw.index(self.plan.size));
        self.counters.strike(strike.kind);
        let name = charters::name(at);
        self.trace.note(self.now, format_args!("FAULT {:?} at {name}", strike.kind));
        match strike.kind {
            Kind::OneWayCut
            | Kind::LinkCut
            | Kind::Deaf
            | Kind::Mute
            | Kind::Isolation
            | Kind::Partition
            | Kind::Bridge => {
                let lasts = self.spell();
                let links = self.links_of(strike.kind, at);
                self.cut_for(links, lasts);
            }
            Kind::Flapping => self.flap(at),
            Kind::Storm => self.storm(),
            Kind::Crash | Kind::PowerLoss | Kind::QuickRestart | Kind::AllRestart => {
                self.kill(strike.kind, at);
            }
            Kind::Pause | Kind::Suspend => self.lull(strike.kind, at),
            Kind::SlowDisk => self.slow_disk(at),
            Kind::FailingDisk => self.fail_disk(at),
            Kind::Wipe => self.wipe(at),
            Kind::WorkEnds => self.end_work(self.acting().unwrap_or(at)),
            Kind::Drift | Kind::Slew => self.turn_clocks(strike.kind, at),
            Kind::Suspicion => self.suspect(at),
            Kind::Sickness => {
                self.sicken(at);
                let lasts = self.spell();
                self.later(lasts, Undo::Cure(at));
            }
            Kind::Transfer | Kind::StepDown | Kind::Leave | Kind::Edit => {
                self.operate(strike.kind, at);
            }
            Kind::ForgetfulVoter => self.forgetful_voter(),
            Kind::StaggeredLoss => self.staggered_loss(),
            Kind::MissedEdit => self.missed_edit(),
            Kind::Relief => {
                let links = self.others(at).flat_map(|peer| both(at, peer)).collect();
                self.undo(Undo::MendWholly(links));
            }
        }
    }

    /// A fault ends.
    pub(crate) fn undo(&mut self, undo: Undo) {
        match undo {
            Undo::Mend(links) => {
                for (from, to) in links {
                    if self.network.mend(from, to) {
                        self.open_soon(from, to);
                    }
                }
            }
            Undo::MendWholly(links) => {
                for (from, to) in links {
                    if self.network.mend_wholly(from, to) {
                        self.open_soon(from, to);
                    }
                }
            }
            Undo::CalmStorm => self.network.weather = self.plan.weather,
            Undo::QuickDisk(node) => self.machines[node].disk.latency = self.plan.disk,
            Undo::ReplaceDisk(node) => {
                if self.machines[node].disk.health != Health::Sound {
                    self.crash(node);
                    self.machines[node].disk.health = Health::Sound;
                    self.start(node);
                }
            }
            Undo::Cure(node) => self.feed(node, Input::Condition(Condition::default())),
            Undo::CutFor(links, lasts) => self.cut_for(links, lasts),
        }
    }

    /// Another fault strikes as part of this one.
    pub(crate) fn follow_up(&mut self, after: Duration, kind: Kind, at: usize) {
        let strike = Strike { kind, at: Some(at), dice: self.draw.bits() };
        self.queue.put(self.now.after(after), Due::Strike { epoch: self.epoch, strike });
    }

    pub(crate) fn later(&mut self, after: Duration, undo: Undo) {
        let epoch = self.epoch;
        self.queue.put(self.now.after(after), Due::Undo { epoch, undo });
    }

    /// The promise length now in force, as far as anybody here knows.
    pub(crate) fn promise(&self) -> Duration {
        let nodes = self.machines.iter().filter_map(|machine| machine.node.as_ref());
        let longest = nodes.map(|node| node.committed().charter.timing.dead_after()).max();
        longest.unwrap_or_else(|| self.plan.settings[0].timing.dead_after())
    }

    /// How long an ordinary fault lasts.
    pub(crate) fn spell(&mut self) -> Duration {
        let promise = self.promise();
        self.draw.skewed(promise / 50, promise * 4)
    }

    fn others(&self, node: usize) -> impl Iterator<Item = usize> + use<> {
        (0..self.plan.size).filter(move |other| *other != node)
    }

    // ---- links ---------------------------------------------------------------------------

    /// Cuts these directions now and mends them after `lasts`.
    pub(crate) fn cut_for(&mut self, links: Vec<(usize, usize)>, lasts: Duration) {
        for (from, to) in &links {
            self.network.cut(*from, *to);
        }
        self.later(lasts, Undo::Mend(links));
    }

    pub(crate) fn links_of(&mut self, kind: Kind, at: usize) -> Vec<(usize, usize)> {
        let size = self.plan.size;
        let peer = (at + 1 + self.draw.index(size.saturating_sub(1))) % size;
        let into: Vec<_> = self.others(at).map(|peer| (peer, at)).collect();
        let out: Vec<_> = self.others(at).map(|peer| (at, peer)).collect();
        match kind {
            _ if size == 1 => Vec::new(),
            Kind::OneWayCut if self.draw.one_in(2) => vec![(at, peer)],
            Kind::OneWayCut => vec![(peer, at)],
            Kind::LinkCut => both(at, peer).to_vec(),
            Kind::Deaf => into,
            Kind::Mute => out,
            Kind::Isolation => [into, out].concat(),
            _ => {
                let order = self.draw.shuffled(size);
                let (left, right) = order.split_at(1 + self.draw.index(size - 1));
                let bridge = (kind == Kind::Bridge).then_some(at);
                let across = left.iter().flat_map(|a| right.iter().map(move |b| (*a, *b)));
                let kept = across.filter(|(a, b)| Some(*a) != bridge && Some(*b) != bridge);
                kept.flat_map(|(a, b)| both(a, b)).collect()
            }
        }
    }

    fn flap(&mut self, at: usize) {
        let links = self.links_of(Kind::Partition, at);
        let half = self.promise() / 2;
        for flap in 0..6 {
            self.later(half * 2 * flap, Undo::CutFor(links.clone(), half));
        }
    }

    fn storm(&mut self) {
        let promise = self.promise();
        self.network.weather = Weather {
            delay_min: Duration::from_micros(100),
            delay_max: self.draw.pick(&[promise / 10, promise / 4, promise / 2, promise]),
            loss: self.draw.pick(&[0, 10, 30, 60]),
            repeat: self.draw.pick(&[0, 20]),
            late: self.draw.pick(&[0, 10]),
            lateness: promise * 3,
            overtaking: true,
        };
        let lasts = self.spell();
        self.later(lasts, Undo::CalmStorm);
    }

    /// From now on `node` hears nothing, whatever else heals.
    pub(crate) fn deafen_for_good(&mut self, node: usize) {
        self.trace.note(self.now, format_args!("{} is deaf for good", charters::name(node)));
        for peer in self.others(node) {
            self.network.cut(peer, node);
        }
    }

    // ---- processes -----------------------------------------------------------------------

    fn kill(&mut self, kind: Kind, at: usize) {
        let promise = self.promise();
        let victims =
            if kind == Kind::AllRestart { (0..self.plan.size).collect() } else { vec![at] };
        for node in victims {
            match kind {
                Kind::PowerLoss => self.lose_power(node),
                _ => self.crash(node),
            }
            let away = match kind {
                Kind::QuickRestart => self.draw.between(Duration::ZERO, promise / 10),
                _ => self.draw.skewed(Duration::from_millis(1), promise * 3),
            };
            self.queue.put(self.now.after(away), Due::Start { node });
        }
    }

    fn lull(&mut self, kind: Kind, node: usize) {
        let nap = if kind == Kind::Pause { Nap::Paused } else { Nap::Suspended };
        self.put_to_sleep(node, nap);
        let lasts = self.spell();
        let nap = self.machines[node].naps;
        self.queue.put(self.now.after(lasts), Due::Resume { node, nap });
    }

    // ---- disks and clocks ----------------------------------------------------------------

    fn slow_disk(&mut self, node: usize) {
        let promise = self.promise();
        self.machines[node].disk.latency = (promise / 50, promise);
        let lasts = self.spell();
        self.later(lasts, Undo::QuickDisk(node));
    }

    fn fail_disk(&mut self, node: usize) {
        if self.machines[node].disk.health == Health::Sound {
            self.machines[node].disk.health = Health::Failing;
        }
        let lasts = self.spell() * 2;
        self.later(lasts, Undo::ReplaceDisk(node));
    }

    /// Within the bound for good; a slew far beyond it hits the clock that is steered by the time
    /// of day, never the raw one: over a whole promise one of both keeps the bound (R21).
    fn turn_clocks(&mut self, kind: Kind, node: usize) {
        let edge = i64::try_from(DRIFT_PPM).expect("a small number");
        let rates = match kind {
            Kind::Slew => (self.draw.pick(&[83_000, -83_000]), 0),
            _ if self.draw.one_in(2) => {
                let both = self.draw.pick(&[-edge, edge]);
                (both, both)
            }
            _ => (self.draw.pick(&[-edge, 0, edge]), self.draw.pick(&[-edge, 0, edge])),
        };
        self.set_clock_rates(node, rates);
    }

    /// The clocks of a machine that is awake run off by so much; all appointments move.
    pub(crate) fn set_clock_rates(&mut self, node: usize, (boot, raw): (i64, i64)) {
        let machine = &mut self.machines[node];
        if machine.nap != Nap::Suspended {
            machine.clocks.set_rates(self.now, boot, raw);
            self.set_alarm(node);
            self.look(node);
        }
    }

    /// The work at `node` is out of order; a daemon that starts again does not know it any more.
    pub(crate) fn sicken(&mut self, node: usize) {
        let freshness = self.draw.one_in(2).then(|| self.draw.below(100));
        let condition = Condition { is_healthy: false, freshness };
        self.feed(node, Input::Condition(condition));
    }

    fn suspect(&mut self, node: usize) {
        let span = self.spell();
        let suspicion = self.draw.pick(&[
            Suspicion::Stall(span),
            Suspicion::WallClockJump(span),
            Suspicion::ClocksDisagree,
        ]);
        self.feed(node, Input::Suspicion(suspicion));
    }
}

/// Both directions of a link.
pub(crate) fn both(a: usize, b: usize) -> [(usize, usize); 2] {
    [(a, b), (b, a)]
}
