//! Puts lists in order, all of them by one sort: one of its own for every kind of list, and for
//! every set and map that is collected and not filled by `extend`, would be a thirtieth of the
//! program. Never knows what is in a list.

use alloc::vec::Vec;
use core::cmp::Ordering;

/// `list` in the order of `compare`; what is equal stays as it was.
#[must_use]
pub fn sorted<T>(list: Vec<T>, compare: impl Fn(&T, &T) -> Ordering) -> Vec<T> {
    let order = places(list.len(), &|one, other| compare(&list[one], &list[other]));
    let mut list: Vec<Option<T>> = list.into_iter().map(Some).collect();
    order.into_iter().filter_map(|place| list[place].take()).collect()
}

/// The places from zero to `count` in the order of what is there.
fn places(count: usize, compare: &dyn Fn(usize, usize) -> Ordering) -> Vec<usize> {
    let mut places: Vec<usize> = (0..count).collect();
    places.sort_by(|one, other| compare(*one, *other));
    places
}
