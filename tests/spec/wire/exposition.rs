//! The text format of Prometheus as it is written.

use std::time::Duration;

use quorate::wire::exposition::{Exposition, Kind, seconds};

#[test]
fn what_means_something_else_in_a_label_is_escaped() {
    let mut text = Exposition::default();
    text.family("a", Kind::Gauge, "What it is.");
    text.sample(&[("x", "\"\\\n"), ("y", "é}{,=")], "1");
    text.part("_sum", &[], "2");
    let wanted =
        "# HELP a What it is.\n# TYPE a gauge\na{x=\"\\\"\\\\\\n\",y=\"é}{,=\"} 1\na_sum 2\n";
    assert_eq!(text.end(), wanted);
}

#[test]
fn seconds_are_exact_to_the_microsecond_and_no_longer_than_needed() {
    for (us, text) in
        [(0, "0"), (1, "0.000001"), (100_000, "0.1"), (10_000_000, "10"), (1_234_567, "1.234567")]
    {
        assert_eq!(seconds(Duration::from_micros(us)), text);
    }
}
