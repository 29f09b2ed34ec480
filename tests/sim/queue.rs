//! What comes next: events ordered by true time, and by birth where times are equal.
//! Never looks inside an event.

use crate::sim::clock::TrueTime;

/// The future, as far as it is known.
pub(crate) struct Queue<E> {
    /// When, and where it lies; the soonest is last, and of one instant the first. Few are under
    /// way at a time and most new ones are soon, so that little is moved to keep the order.
    order: Vec<(TrueTime, usize)>,
    /// Events lie still.
    events: Vec<Option<E>>,
    /// Where nothing lies any more.
    free: Vec<usize>,
}

impl<E> Queue<E> {
    /// Nothing is to happen.
    pub(crate) fn new() -> Self {
        Self { order: Vec::new(), events: Vec::new(), free: Vec::new() }
    }

    /// `event` is to happen at `at`, after all that was put there before it.
    pub(crate) fn put(&mut self, at: TrueTime, event: E) {
        let place = match self.free.pop() {
            Some(place) => {
                self.events[place] = Some(event);
                place
            }
            None => {
                self.events.push(Some(event));
                self.events.len() - 1
            }
        };
        let turn = self.order.partition_point(|(other, _)| *other > at);
        self.order.insert(turn, (at, place));
    }

    /// Events after `limit` that are `of_a_kind` will not happen.
    pub(crate) fn forget_after(&mut self, limit: TrueTime, of_a_kind: impl Fn(&E) -> bool) {
        let Self { order, events, free, .. } = self;
        order.retain(|(at, place)| {
            let is_kept = *at <= limit || !events[*place].as_ref().is_some_and(&of_a_kind);
            if !is_kept {
                events[*place] = None;
                free.push(*place);
            }
            is_kept
        });
    }

    /// The next event, if it is due by `limit`.
    pub(crate) fn take_until(&mut self, limit: TrueTime) -> Option<(TrueTime, E)> {
        let (at, place) = self.order.pop_if(|(at, _)| *at <= limit)?;
        self.free.push(place);
        Some((at, self.events[place].take()?))
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

    #[test]
    fn what_is_forgotten_never_comes_and_its_place_is_used_again() {
        let mut queue = Queue::new();
        for (at, name) in [(2, "c"), (1, "a"), (3, "d"), (1, "b")] {
            queue.put(TrueTime(at), name);
        }
        queue.forget_after(TrueTime(1), |name| *name == "b" || *name == "c");
        queue.put(TrueTime(2), "e");
        let seen: Vec<_> =
            core::iter::from_fn(|| queue.take_until(TrueTime(5))).map(|(_, name)| name).collect();
        assert_eq!(seen, ["a", "b", "e", "d"]);
        assert_eq!(queue.events.len(), 4);
    }
}
