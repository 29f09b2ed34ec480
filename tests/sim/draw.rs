//! All chance of one run, from one seed, in the shapes the simulator needs.
//! Never asks the system for anything.

use core::time::Duration;

use crate::protocol::units::Chance;
use crate::sim::clock::nanoseconds;

/// The dice of one run.
#[derive(Clone)]
pub(crate) struct Draw(Chance);

impl Draw {
    /// Dice whose whole future is `seed`.
    pub(crate) fn new(seed: u64) -> Self {
        Self(Chance::new(seed))
    }

    /// Other dice, whose whole future is decided by these.
    pub(crate) fn fork(&mut self) -> Self {
        Self::new(self.bits())
    }

    /// The next 64 bits.
    pub(crate) fn bits(&mut self) -> u64 {
        self.0.bits()
    }

    /// A number in `[0, limit)`; zero for a zero limit.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.bits().checked_rem(limit).unwrap_or(0)
    }

    /// An index into something of this length.
    pub(crate) fn index(&mut self, length: usize) -> usize {
        let limit = u64::try_from(length).expect("lengths fit in 64 bits");
        usize::try_from(self.below(limit)).expect("below a usize")
    }

    /// True once in `n` times.
    pub(crate) fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    /// True `percent` times in a hundred.
    pub(crate) fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// A span in `[low, high]`.
    pub(crate) fn between(&mut self, low: Duration, high: Duration) -> Duration {
        let [low, high] = [low, high].map(nanoseconds);
        Duration::from_nanos(low + self.below(high.saturating_sub(low) + 1))
    }

    /// A span that is mostly short and sometimes up to `high`: delays look like that.
    pub(crate) fn skewed(&mut self, low: Duration, high: Duration) -> Duration {
        let cut = self.below(6);
        let [low, high] = [low, high].map(nanoseconds);
        Duration::from_nanos(low + self.below((high.saturating_sub(low) >> cut) + 1))
    }

    /// One of these.
    pub(crate) fn pick<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[self.index(choices.len())].clone()
    }

    /// These in another order.
    pub(crate) fn shuffled(&mut self, count: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..count).collect();
        for last in (1..count).rev() {
            order.swap(last, self.index(last + 1));
        }
        order
    }
}
