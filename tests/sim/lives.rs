//! How daemons and children live, sleep and die on their machines.
//! Never decides when: faults do, and orders.

use core::time::Duration;
use std::sync::Arc;

use crate::protocol::effects::{Input, Order, Suspicion};
use crate::protocol::membership::Member;
use crate::protocol::node::Node;
use crate::protocol::units::Term;
use crate::sim::charters;
use crate::sim::clock::Clocks;
use crate::sim::counters::Count;
use crate::sim::history::Fact;
use crate::sim::machine::Nap;
use crate::sim::missing::Missing;
use crate::sim::world::{Due, World};

/// How long the guard takes at most to notice that its daemon died.
const ORPHANS_NOTICED_MAX: Duration = Duration::from_secs(1);

impl World {
    // ---- the daemon's process ------------------------------------------------------------

    /// The daemon is killed. What was not on disk is lost; the guard notices soon.
    pub(crate) fn crash(&mut self, node: usize) {
        let machine = &mut self.machines[node];
        if machine.node.take().is_none() {
            return;
        }
        self.trace.note(self.now, format_args!("{} crashes", machine.id));
        machine.life += 1;
        machine.naps += 1;
        machine.backlog.clear();
        machine.wake.0 = None;
        let life = machine.life;
        let was_suspended = machine.nap == Nap::Suspended;
        machine.nap = Nap::Awake;
        if was_suspended {
            machine.clocks.set_rates(self.now, 0, 0);
        }
        if machine.acting().is_some() {
            self.counters.add(Count::CrashesWhileActing);
        }
        let machine = &mut self.machines[node];
        let (lost_record, before) = machine.disk.crash(&mut machine.draw);
        if let Some(before) = before {
            self.record_written(node, &before);
        }
        self.observe(&Fact::Crashed { node, lost_record });
        self.look(node);
        let after = self.machines[node].draw.skewed(Duration::ZERO, ORPHANS_NOTICED_MAX);
        self.queue.put(self.now.after(after), Due::Orphaned { node, life });
    }

    /// The power goes: daemon and children end at once, and the clocks begin anew.
    pub(crate) fn lose_power(&mut self, node: usize) {
        self.crash(node);
        let machine = &mut self.machines[node];
        let booted = machine.draw.between(Duration::from_millis(1), Duration::from_secs(1));
        let fresh = Clocks::new(self.now, booted, booted);
        machine.clocks = fresh;
        if let Some(term) = machine.guard.lose_power() {
            self.observe(&Fact::Died { term });
        }
    }

    /// The daemon starts, unless it runs. It knows nothing of what its last process left behind.
    pub(crate) fn start(&mut self, node: usize) {
        let machine = &mut self.machines[node];
        if machine.node.is_some() || machine.is_gone || machine.is_away {
            return;
        }
        self.trace.note(self.now, format_args!("{} starts", machine.id));
        machine.life += 1;
        let before = machine.disk.write_back();
        machine.knows_disk_failed = false;
        self.record_written(node, &before);
        let machine = &mut self.machines[node];
        let record = machine.disk.record().clone();
        let started = Node::new(record, machine.clocks.read(self.now), machine.draw.bits());
        machine.node = Some(Arc::new(match self.missing {
            Some(Missing::Rule(rule)) => started.without(rule),
            Some(Missing::Guard | Missing::BootClock) | None => started,
        }));
        let accepted = self.machines[node].disk.record().accepted.position;
        self.observe(&Fact::Started { node, accepted });
        self.meet(node);
        self.step(node, Input::Tick);
        for peer in (0..self.plan.size).filter(|peer| *peer != node) {
            self.open_soon(node, peer);
            self.open_soon(peer, node);
        }
    }

    /// The daemon is stopped, or its machine put to sleep, until `resume`.
    pub(crate) fn put_to_sleep(&mut self, node: usize, nap: Nap) {
        let machine = &mut self.machines[node];
        if !machine.is_awake() {
            return;
        }
        self.trace.note(self.now, format_args!("{} is {nap:?}", machine.id));
        if machine.acting().is_some() {
            self.counters.add(Count::NapsWhileActing);
        }
        machine.nap = nap;
        machine.naps += 1;
        if nap == Nap::Suspended && self.missing == Some(Missing::BootClock) {
            machine.clocks.stop(self.now);
        } else if nap == Nap::Suspended {
            machine.clocks.suspend(self.now);
        }
    }

    /// A nap ends; all that came meanwhile is worked off.
    pub(crate) fn resume(&mut self, node: usize) {
        let machine = &mut self.machines[node];
        let nap = core::mem::replace(&mut machine.nap, Nap::Awake);
        if nap == Nap::Awake {
            return;
        }
        self.trace.note(self.now, format_args!("{} goes on", machine.id));
        machine.naps += 1;
        machine.wake.0 = None;
        if nap == Nap::Suspended {
            machine.clocks.set_rates(self.now, 0, 0);
        }
        self.look(node);
        let machine = &mut self.machines[node];
        let mut missed: Vec<Input> = machine.backlog.drain(..).collect();
        if machine.draw.one_in(2) {
            missed.insert(0, Input::Suspicion(Suspicion::Stall(Duration::from_secs(1))));
        }
        let tick = machine.draw.index(missed.len() + 1);
        missed.insert(tick, Input::Tick);
        for input in missed {
            self.feed(node, input);
        }
    }

    /// Whether the machine of this member is there for good, with the disk that it votes with.
    pub(crate) fn is_whole(&self, member: &Member) -> bool {
        let machine = &self.machines[charters::index(&member.id)];
        let storage = machine.disk.record().identity.storage;
        !machine.is_gone && !machine.is_away && storage == member.storage
    }

    // ---- guard and children --------------------------------------------------------------

    pub(crate) fn order(&mut self, node: usize, order: Order) {
        self.trace.note(self.now, format_args!("{} orders {order:?}", charters::name(node)));
        self.observe(&Fact::Ordered { node, order });
        let machine = &mut self.machines[node];
        let Some(running) = machine.node.as_ref() else { return };
        let timing = running.committed().charter.timing;
        let accepted = running.durable().accepted.position;
        let was_idle = machine.guard.children().is_none();
        machine.guard.obey(order, timing, self.now, &mut machine.draw);
        match order {
            Order::Start { term, .. } if was_idle => {
                self.observe(&Fact::Began { node, term, accepted });
            }
            // Nothing to stop: the guard says so at once.
            Order::Stop { term, .. } if was_idle => self.confirm_stopped(node, term),
            Order::Start { .. } | Order::Extend { .. } | Order::Stop { .. } => {}
        }
        self.look(node);
    }

    /// The guard does what is due and plans its next appointment.
    pub(crate) fn look(&mut self, node: usize) {
        let machine = &mut self.machines[node];
        if machine.nap == Nap::Suspended {
            return;
        }
        let was_working = machine.guard.working().is_some();
        let gone = machine.guard.look(self.now, &machine.clocks, &mut machine.draw);
        let ended_itself = was_working && machine.guard.working().is_none();
        if let Some((at, generation)) = machine.guard.appointment(&machine.clocks) {
            self.queue.put(at.max(self.now), Due::Guard { node, generation });
        }
        if ended_itself {
            self.counters.add(Count::ChildrenEndedByGuard);
        }
        if let Some(term) = gone {
            self.trace.note(self.now, format_args!("{} is rid of {term:?}", charters::name(node)));
            self.observe(&Fact::Died { term });
            self.confirm_stopped(node, term);
        }
    }

    /// What acts ends, untold.
    pub(crate) fn end_work(&mut self, node: usize) {
        let machine = &mut self.machines[node];
        machine.guard.kill(self.now, &mut machine.draw);
        self.look(node);
    }

    fn confirm_stopped(&mut self, node: usize, term: Term) {
        let machine = &mut self.machines[node];
        let after = machine.draw.skewed(Duration::from_micros(20), Duration::from_millis(2));
        let life = machine.life;
        self.queue.put(self.now.after(after), Due::Stopped { node, life, term });
    }
}
