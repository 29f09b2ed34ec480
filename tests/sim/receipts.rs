//! How the heartbeats of one node reached another, the newest of them.
//! Never says what they are worth; `history` does.

use core::time::Duration;
use std::collections::VecDeque;

use crate::protocol::units::Term;
use crate::sim::clock::TrueTime;

/// So many heartbeats of each link are remembered: no link delivers one that many later.
const RECEIPTS_MAX: usize = 256;

/// A heartbeat as it reached a voter.
#[derive(Clone, Copy, Hash, Debug)]
pub(crate) struct Receipt {
    /// When it came last; a link may repeat it.
    pub(crate) came: TrueTime,
    /// The promise it named.
    pub(crate) promise: Duration,
    /// Whether the voter knew from the first time that the sender had given this term up.
    pub(crate) is_after_release: bool,
    /// Whether the voter knows by now that the sender gave this term up: the answer, if it is still
    /// on its way to the disk, promises nothing any more.
    pub(crate) is_freed: bool,
}

/// The receipts of one link, ordered by term and sequence: mostly the newest is asked for.
#[derive(Clone, Hash, Default)]
pub(crate) struct Receipts(VecDeque<((Term, u64), Receipt)>);

impl Receipts {
    /// Where the heartbeat `key` is, or belongs.
    fn find(&self, key: (Term, u64)) -> Result<usize, usize> {
        let later = self.0.iter().rev().take_while(|(other, _)| *other > key).count();
        let end = self.0.len() - later;
        match end.checked_sub(1).filter(|last| self.0[*last].0 == key) {
            Some(last) => Ok(last),
            None => Err(end),
        }
    }

    /// How the heartbeat `key` came, if it did.
    pub(crate) fn get(&self, key: (Term, u64)) -> Option<&Receipt> {
        self.find(key).ok().map(|place| &self.0[place].1)
    }

    /// The sender gave up `term` and all before it.
    pub(crate) fn free(&mut self, term: Term) {
        for (_, receipt) in self.0.iter_mut().filter(|((of, _), _)| *of <= term) {
            receipt.is_freed = true;
        }
    }

    /// Remembers how the heartbeat `key` came, instead of what was known of it.
    pub(crate) fn put(&mut self, key: (Term, u64), receipt: Receipt) {
        match self.find(key) {
            Ok(place) => self.0[place].1 = receipt,
            Err(place) => self.0.insert(place, (key, receipt)),
        }
        if self.0.len() > RECEIPTS_MAX {
            self.0.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heartbeats_are_found_in_whatever_order_they_came_and_the_oldest_are_forgotten() {
        let mut receipts = Receipts::default();
        let key = |number: u64| (Term(number / 100), number % 100);
        let receipt = |number| {
            let promise = Duration::from_secs(number);
            Receipt { came: TrueTime(number), promise, is_after_release: false, is_freed: false }
        };
        for number in [7, 3, 150, 99, 3] {
            receipts.put(key(number), receipt(number));
        }
        let came = |receipts: &Receipts, number| receipts.get(key(number)).map(|r| r.came.0);
        assert_eq!([3, 7, 99, 150].map(|n| came(&receipts, n)), [3, 7, 99, 150].map(Some));
        assert_eq!([0, 8, 200].map(|n| came(&receipts, n)), [None; 3]);
        for number in 200..453 {
            receipts.put(key(number), receipt(number));
        }
        assert_eq!([3, 7, 452].map(|n| came(&receipts, n)), [None, Some(7), Some(452)]);
    }
    #[test]
    fn giving_up_a_term_frees_it_and_those_before_and_no_later_one() {
        let mut receipts = Receipts::default();
        let (came, promise) = (TrueTime(1), Duration::from_secs(1));
        for term in 3..6 {
            let receipt = Receipt { came, promise, is_after_release: false, is_freed: false };
            receipts.put((Term(term), 1), receipt);
        }
        receipts.free(Term(4));
        let is_freed = |term| receipts.get((Term(term), 1)).map(|receipt| receipt.is_freed);
        assert_eq!([3, 4, 5].map(is_freed), [true, true, false].map(Some));
    }
}
