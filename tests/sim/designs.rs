//! Faults in a certain order, each designed against one rule that chance alone rarely meets.
//! Never better than the rule's own mutant: `mutants` shows that these are noticed.

use crate::sim::faults::{Kind, Undo, both};
use crate::sim::world::World;

impl World {
    /// B cannot hear the master, C can; C restarts at once, and B asks it for its vote.
    pub(crate) fn forgetful_voter(&mut self) {
        let Some(master) = self.acting() else { return };
        let order = self.draw.shuffled(self.plan.size);
        let others: Vec<usize> = order.into_iter().filter(|node| *node != master).collect();
        let forgetful = others.len() / 2;
        let cut = others[forgetful..].iter().flat_map(|node| both(master, *node)).collect();
        let promise = self.promise();
        self.cut_for(cut, promise * 3);
        let wait = self.draw.between(promise / 2, promise * 3 / 2);
        for node in &others[..forgetful] {
            self.follow_up(wait, Kind::QuickRestart, *node);
        }
    }

    /// The first half of the voters loses the master early and gets it back while it stops.
    pub(crate) fn staggered_loss(&mut self) {
        let Some(master) = self.acting() else { return };
        let order = self.draw.shuffled(self.plan.size);
        let others: Vec<usize> = order.into_iter().filter(|node| *node != master).collect();
        let (first, second) = others.split_at(others.len() / 2);
        let links = |side: &[usize]| side.iter().flat_map(|node| both(master, *node)).collect();
        let promise = self.promise();
        let [first, second]: [Vec<_>; 2] = [links(first), links(second)];
        let lag = self.draw.between(promise / 4, promise);
        let lasts = lag + self.draw.between(promise / 2, promise);
        self.cut_for(first, lasts);
        self.later(lag, Undo::CutFor(second, promise * 2));
    }

    /// A follower misses an edit; then the master dies and only the follower is quick. Or nobody
    /// hears of the edit until the master has stepped down.
    pub(crate) fn missed_edit(&mut self) {
        let Some(master) = self.acting() else { return };
        let order = self.draw.shuffled(self.plan.size);
        let others: Vec<usize> = order.into_iter().filter(|node| *node != master).collect();
        if self.draw.one_in(3) {
            let links = others.iter().flat_map(|node| both(master, *node)).collect();
            self.cut_for(links, self.promise() * 2);
            self.edit(master);
            return;
        }
        let missing = others.len().div_ceil(2);
        let links: Vec<_> = others[..missing].iter().flat_map(|node| both(master, *node)).collect();
        let lasts = self.draw.between(self.promise() / 4, self.promise());
        self.cut_for(links, lasts);
        self.edit(master);
        self.follow_up(lasts / 2, Kind::Crash, master);
    }
}
