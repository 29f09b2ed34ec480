//! What people set and take back of who may lead, and who is preferred by what they set.
//! Never breaks anything; `faults` does.

use core::time::Duration;

use crate::protocol::durable::Document;
use crate::protocol::effects::Wish;
use crate::protocol::membership::Policy;
use crate::sim::charters;
use crate::sim::world::World;

/// One daemon is older than another if it is so by ten seconds; messages that tell of it take time.
const AGES_APART_MIN: Duration = Duration::from_secs(9);
/// So often people try to put a cluster in order.
const ORDER_TRIES: u32 = 60;

impl World {
    /// People take back whatever keeps mastership from moving by itself. Where nobody leads, and
    /// nobody may stand unasked, they ask somebody to (R68).
    pub(crate) fn put_in_order(&mut self) {
        let in_order = |document: &Document| {
            let customs = charters::settings(document).customs;
            customs == customs.in_order()
        };
        let every = self.promise();
        if self.plan.churns && self.editing.is_open() {
            // What is under way comes first, or it would undo the order.
            self.run_for(every);
        }
        for _ in 0..ORDER_TRIES {
            if self.broken.is_some() || self.concerned().all(in_order) {
                return;
            }
            match self.acting() {
                Some(master) => self.take_back(master),
                None => self.summon_somebody(),
            }
            self.run_for(every);
        }
        let documents: Vec<_> = self.documents().map(|document| document.position).collect();
        let detail = format!("the documents are at {documents:?}, {:?} acts", self.acting());
        self.fail("P7", "people can put a cluster in order whose majority can talk", detail);
    }

    /// The documents of whoever is to hear of edits: who was taken out hears of none any more.
    fn concerned(&self) -> impl Iterator<Item = &Document> {
        let is_named = |node: &usize| self.members().find(&charters::name(*node)).is_some();
        (0..self.plan.size).filter(is_named).filter_map(|node| self.document_at(node))
    }

    fn take_back(&mut self, master: usize) {
        let Some(node) = self.machines[master].node.as_ref() else { return };
        let committed = node.committed().clone();
        let seats = charters::seats(&committed, self.plan.size);
        let mut settings = charters::settings(&committed);
        settings.customs = settings.customs.in_order();
        self.edits += 1;
        if let Some(document) = charters::seated(&seats, settings, self.edits) {
            self.ask(master, Wish::Propose { revision: committed.revision, document });
        }
    }

    fn summon_somebody(&mut self) {
        let able: Vec<usize> = (0..self.plan.size).filter(|node| self.can_lead(*node)).collect();
        if let [_, ..] = able.as_slice() {
            let node = self.draw.pick(&able);
            self.ask(node, Wish::Transfer { to: Some(charters::name(node)) });
        }
    }

    /// The policy of the newest document.
    pub(crate) fn policy(&self) -> Policy {
        let newest = self.documents().max_by_key(|document| document.position);
        newest.expect("there is a machine").charter.election.policy
    }

    /// Whether `one` is preferred to `other` in the calm, where nobody's data are known to be
    /// fresher; by age it may be, as far as their own clocks tell.
    pub(crate) fn is_better(&self, one: usize, other: usize) -> bool {
        let by_priority = (charters::priority(other), one) < (charters::priority(one), other);
        match self.policy() {
            Policy::LowestId => one < other,
            Policy::Priority | Policy::Freshest => by_priority,
            Policy::Seniority => self.age(one) > self.age(other) + AGES_APART_MIN,
            Policy::Sticky => false,
        }
    }

    /// How long a daemon has run by its own clocks.
    fn age(&self, node: usize) -> Duration {
        let machine = &self.machines[node];
        let running = machine.node.as_ref();
        running.map_or(Duration::ZERO, |running| running.voter.age(machine.clocks.read(self.now)))
    }

    /// Whether nobody who can lead is preferred to this node.
    pub(crate) fn is_best(&self, node: usize) -> bool {
        let mut others = (0..self.plan.size).filter(|other| *other != node);
        !others.any(|other| self.can_lead(other) && self.is_better(other, node))
    }
}
