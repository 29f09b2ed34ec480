//! Durations and percentages as people write them (H68).

use std::time::Duration;

use quorate::settings::duration::{self, DurationError};
use quorate::settings::{Problem, percent};

#[test]
fn a_duration_is_numbers_with_units() {
    for (text, ms) in [
        ("250ms", 250),
        ("5s", 5_000),
        ("2m", 120_000),
        ("1h", 3_600_000),
        ("1m30s", 90_000),
        ("0s", 0),
        ("1h2m3s4ms", 3_723_004),
    ] {
        assert_eq!(duration::parse(text), Ok(Duration::from_millis(ms)), "{text}");
    }
}

#[test]
fn anything_else_is_not_a_duration() {
    let malformed =
        ["", "s", "-1s", "1d", "1M", "5 m", " 5s", "1.5s", "1year", "5S", "ms5", "5s\n"];
    for text in malformed {
        assert_eq!(duration::parse(text), Err(DurationError::Malformed(text.into())));
    }
    assert_eq!(duration::parse("5"), Err(DurationError::NoUnit("5".into())));
    for text in ["9999999h", "99999999999999999999999999s", "18446744073709551615h"] {
        assert_eq!(duration::parse(text), Err(DurationError::TooLong(text.into())));
    }
    let words = duration::parse("5").unwrap_err().to_string();
    assert!(words.contains("`5ms`") && words.contains("`5m` for minutes"), "{words}");
}

#[test]
fn a_duration_is_shown_in_its_shortest_exact_form() {
    for text in ["0s", "250ms", "1500ms", "4s", "90s", "2m", "90m", "1h", "24h", "7us", "3ns"] {
        let span = duration::parse(text).unwrap();
        assert_eq!(duration::show(span), text);
    }
    assert_eq!(duration::show(duration::parse("1m30s").unwrap()), "90s");
}

#[test]
fn a_percentage_is_kept_exactly() {
    for (text, ppm) in [("1%", 10_000), ("0.5%", 5_000), ("0.0001%", 1), ("100%", 1_000_000)] {
        assert_eq!(percent::parse(text), Some(ppm));
        assert_eq!(percent::show(ppm), text);
    }
    let refused =
        ["1", "%", "-1%", "0.00001%", "1.%", ".5%", "1 %", "101%", "99999999999999999999%"];
    for text in refused {
        assert_eq!(percent::parse(text), None, "{text}");
    }
}

#[test]
fn a_problem_reads_as_file_line_column_message_and_hint() {
    let mut problem = Problem {
        file: "cluster.yaml".into(),
        line: Some(3),
        column: Some(7),
        message: "it is wrong".into(),
        hint: Some("put it right".into()),
    };
    assert_eq!(problem.to_string(), "cluster.yaml:3:7: it is wrong\n  put it right");
    (problem.line, problem.column, problem.hint) = (None, None, None);
    assert_eq!(problem.to_string(), "cluster.yaml: it is wrong");
}
