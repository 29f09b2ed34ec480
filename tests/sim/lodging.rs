//! How machines come into a cluster, lose their disks, and come back: joins, wipes and restores;
//! and who talks to whom meanwhile.
//! Never decides when; faults do, and edits decide who is let in.

use core::time::Duration;

use crate::protocol::durable::{Document, Durable};
use crate::protocol::effects::Input;
use crate::sim::charters;
use crate::sim::counters::Count;
use crate::sim::disk::Disk;
use crate::sim::faults::Kind;
use crate::sim::world::{Due, World};

/// So many edits people make because a disk was lost: the new one is named, and then votes.
const REPAIR_STEPS: u32 = 4;

impl World {
    /// A machine that waits to be set up begins with the document that names its disk (R46); while
    /// there is none it asks again.
    pub(crate) fn join(&mut self, node: usize) {
        if !self.machines[node].is_away {
            return;
        }
        let storage = self.machines[node].disk.record().identity.storage;
        let running = self.machines.iter().filter_map(|machine| machine.node.as_ref());
        let names_it = |document: &&Document| {
            let member = document.charter.members.find(&charters::name(node));
            member.is_some_and(|member| member.storage == storage)
        };
        let newest = running.map(|running| running.committed()).filter(names_it);
        let newest = newest.max_by_key(|document| document.position);
        if let Some(document) = newest.cloned() {
            let first = charters::refounded(node, charters::disk(storage), &document);
            self.settle_in(node, first);
            self.start(node);
            self.counters.add(Count::MachinesJoined);
        } else {
            let again = self.promise();
            self.queue.put(self.now.after(again), Due::Join { node });
        }
    }

    /// A daemon dies and its disk with it. Where people edit all the while, the machine joins anew
    /// or has a backup restored, and edits may make it a voter again; elsewhere it comes back with
    /// a disk that no document ever names.
    pub(crate) fn wipe(&mut self, node: usize) {
        let lost = self.machines[node].disk.record().clone();
        let lost_disk = charters::disk(lost.identity.storage);
        let Some(disk) = charters::next_disk(lost_disk) else { return };
        if self.machines[node].is_away || !self.can_spare(node) {
            return;
        }
        self.crash(node);
        let founders = &self.plan.roles[..self.plan.size - self.plan.newcomers];
        let founding = charters::document_of(founders, self.plan.settings[0], 0);
        let mut first = charters::refounded(node, disk, &founding.expect("somebody may lead"));
        let joins = self.plan.churns && self.draw.one_in(2);
        if self.plan.churns && (node >= founders.len() || self.draw.one_in(2)) {
            // The backup was made just before.
            first = Durable {
                term: lost.term,
                promise_high_water: lost.promise_high_water,
                ..charters::refounded(node, disk, &lost.committed)
            };
        }
        self.settle_in(node, first);
        self.machines[node].is_away = joins;
        self.counters.add(if joins { Count::DisksLost } else { Count::BackupsRestored });
        let away = self.draw.skewed(Duration::from_millis(1), self.promise() * 3);
        let next = if joins { Due::Join { node } } else { Due::Start { node } };
        self.queue.put(self.now.after(away), next);
        if self.plan.churns {
            for step in 1..=REPAIR_STEPS {
                self.follow_up(away + self.promise() * 3 * step, Kind::Edit, node);
            }
        }
    }

    fn settle_in(&mut self, node: usize, first: Durable) {
        let machine = &mut self.machines[node];
        machine.disk = Disk::new(first, machine.disk.latency);
        machine.is_away = false;
    }

    /// Whether one daemon trusts the key of another, by the documents it has. Where nobody comes or
    /// goes everybody does.
    pub(crate) fn knows(&self, node: usize, peer: usize) -> bool {
        !self.plan.churns || self.known_by(node) & 1 << peer != 0
    }

    fn known_by(&self, node: usize) -> u16 {
        let Some(running) = self.machines[node].node.as_ref() else { return u16::MAX };
        let record = running.durable();
        let members = [&record.accepted, running.committed()]
            .into_iter()
            .flat_map(|document| document.charter.members.all());
        members.fold(0, |bits, member| bits | 1 << charters::index(&member.id))
    }

    /// Whether what comes is let in: a stranger's words are not (R74).
    pub(crate) fn is_let_in(&self, to: usize, input: &Input) -> bool {
        match input {
            Input::Received { from, .. } => self.knows(to, charters::index(from)),
            _ => true,
        }
    }

    /// Sessions open with whom a node did not know before.
    pub(crate) fn meet(&mut self, node: usize) {
        if !self.plan.churns {
            return;
        }
        let known = self.known_by(node);
        let before = core::mem::replace(&mut self.machines[node].known, known);
        for peer in (0..self.plan.size).filter(|peer| known & !before & 1 << peer != 0) {
            if peer != node {
                self.open_soon(node, peer);
                self.open_soon(peer, node);
            }
        }
    }
}
