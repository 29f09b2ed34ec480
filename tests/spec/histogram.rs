//! Spans counted by how long they took.

use quorate::daemon::histogram::Histogram;

#[test]
fn a_span_counts_in_each_step_that_it_does_not_exceed() {
    let mut histogram = Histogram::new(&[10, 20, 40]);
    [0, 10, 11, 40, 41, u64::MAX / 2].into_iter().for_each(|us| histogram.note(us));
    assert_eq!(histogram.steps().collect::<Vec<_>>(), [(10, 2), (20, 3), (40, 4)]);
    assert_eq!((histogram.count(), histogram.sum_us()), (6, u64::MAX / 2 + 102));
}
