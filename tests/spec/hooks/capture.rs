//! What is passed on of what a hook writes.

use quorate::keep::guard::capture::{BYTES_MAX, Lines};

fn taken(lines: &mut Lines, bytes: &[u8]) -> Vec<String> {
    let mut told = Vec::new();
    lines.take(bytes, |line| told.push(line));
    told
}

#[test]
fn lines_are_whole_whatever_the_pieces_and_hold_nothing_that_changes_a_terminal() {
    let mut lines = Lines::default();
    assert_eq!(taken(&mut lines, b"one\ntw"), ["one"]);
    assert_eq!(taken(&mut lines, b"o\x1b[2J\xff\n\n"), ["two?[2J\u{fffd}", ""]);
    assert_eq!(taken(&mut lines, b"rest"), [""; 0]);
    let mut told = Vec::new();
    lines.end(|line| told.push(line));
    assert_eq!(told, ["rest"]);
    assert_eq!(lines.last(), Some("rest"));
}

/// F103
#[test]
fn a_flood_is_cut_and_counted() {
    let mut lines = Lines::default();
    let told = (0..64).flat_map(|_| taken(&mut lines, &[b'x'; 64 << 10]));
    let passed: usize = told.map(|line| line.len()).sum();
    assert!(passed <= BYTES_MAX, "{passed} bytes");
    assert!(lines.dropped() >= 63 << 16, "{} counted", lines.dropped());
}

#[test]
fn a_flood_of_empty_lines_is_a_flood() {
    let mut lines = Lines::default();
    let told = taken(&mut lines, &[b'\n'; 1 << 20]);
    assert!(told.len() <= BYTES_MAX / 64, "{} lines", told.len());
    assert_eq!(lines.last(), None);
}
