//! What comes next: events ordered by true time, and by birth where times are equal.
//! Never looks inside an event.

use std::collections::BTreeMap;

use crate::sim::clock::TrueTime;

/// The future, as far as it is known.
pub(crate) struct Queue<E> {
    future: BTreeMap<(TrueTime, u64), E>,
    births: u64,
}

impl<E> Queue<E> {
    /// Nothing is to happen.
    pub(crate) fn new() -> Self {
        Self { future: BTreeMap::new(), births: 0 }
    }

    /// `event` is to happen at `at`, after all that was put there before it.
    pub(crate) fn put(&mut self, at: TrueTime, event: E) {
        self.births += 1;
        self.future.insert((at, self.births), event);
    }

    /// Events after `limit` that are `of_a_kind` will not happen.
    pub(crate) fn forget_after(&mut self, limit: TrueTime, of_a_kind: impl Fn(&E) -> bool) {
        self.future.retain(|(at, _), event| *at <= limit || !of_a_kind(event));
    }

    /// The next event, if it is due by `limit`.
    pub(crate) fn take_until(&mut self, limit: TrueTime) -> Option<(TrueTime, E)> {
        let next = self.future.first_entry().filter(|entry| entry.key().0 <= limit)?;
        let ((at, _), event) = next.remove_entry();
        Some((at, event))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_of_one_instant_come_in_the_order_they_were_put() {
        let mut queue = Queue::new();
        for (at, name) in [(2, "c"), (1, "a"), (2, "d"), (1, "b"), (9, "late")] {
            queue.put(TrueTime(at), name);
        }
        let seen: Vec<_> =
            core::iter::from_fn(|| queue.take_until(TrueTime(5))).map(|(_, name)| name).collect();
        assert_eq!(seen, ["a", "b", "c", "d"]);
    }
}
