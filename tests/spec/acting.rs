//! The published answer to "does this node act now?".

use std::time::Duration;

use quorate::daemon::acting::ActingWindow;
use quorate::protocol::units::{Moment, Term};

const NOW: Moment = Moment { boot_ns: 5_000_000_000, raw_ns: 4_000_000_000 };

#[test]
fn nobody_acts_before_the_first_order() {
    assert_eq!(ActingWindow::default().term_at(NOW), None);
}

#[test]
fn an_open_window_names_its_term_until_either_clock_reaches_the_end() {
    let window = ActingWindow::default();
    let until = NOW.after(Duration::from_secs(1));
    window.open(Term(3), until);
    assert_eq!(window.term_at(NOW), Some(Term(3)));
    assert_eq!(window.term_at(Moment { boot_ns: until.boot_ns, ..NOW }), None);
    assert_eq!(window.term_at(Moment { raw_ns: until.raw_ns, ..NOW }), None);
}

#[test]
fn a_window_may_become_shorter() {
    let window = ActingWindow::default();
    window.open(Term(3), NOW.after(Duration::from_secs(2)));
    window.open(Term(3), NOW.after(Duration::from_secs(1)));
    assert_eq!(window.term_at(NOW.after(Duration::from_secs(1))), None);
}

#[test]
fn a_closed_window_says_no() {
    let window = ActingWindow::default();
    window.open(Term(3), NOW.after(Duration::from_secs(1)));
    window.close();
    assert_eq!(window.term_at(NOW), None);
}
