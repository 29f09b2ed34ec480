//! Owns how often something took how long, in steps that never change.
//! Never forgets: what a reader wants of a certain time is the difference of two looks.

/// Counts spans by how long they took.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Histogram {
    bounds_us: &'static [u64],
    counts: Vec<u64>,
    sum_us: u64,
}

impl Histogram {
    /// Without any; `bounds_us` are the steps, rising, in microseconds.
    #[must_use]
    pub fn new(bounds_us: &'static [u64]) -> Self {
        Self { bounds_us, counts: vec![0; bounds_us.len() + 1], sum_us: 0 }
    }

    /// One more, which took that long.
    pub fn note(&mut self, us: u64) {
        let step = self.bounds_us.partition_point(|bound| *bound < us);
        self.counts[step] += 1;
        self.sum_us = self.sum_us.saturating_add(us);
    }

    /// How many took at most each step.
    pub fn steps(&self) -> impl Iterator<Item = (u64, u64)> {
        let mut sum = 0;
        self.bounds_us.iter().zip(&self.counts).map(move |(bound, count)| {
            sum += count;
            (*bound, sum)
        })
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// How long all of them took together, in microseconds.
    #[must_use]
    pub fn sum_us(&self) -> u64 {
        self.sum_us
    }
}
