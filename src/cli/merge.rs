//! Decides whether two changes of one text can both be had: line by line, and never where both
//! touch the same place.
//! Never guesses: what overlaps is shown, not settled.
//!
//! ```text
//!   base    a b c d e          theirs  a B c d e        mine  a b c D e
//!   pieces  [a] (b) [c] (d) [e]     a piece in () was changed by one, or by both: then it overlaps
//! ```

use std::fmt::Write;

use crate::cli::difference::stayed;

/// A place that both changed, each in another way.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Overlap {
    /// Its first line in the base, from 1.
    pub line: usize,
    /// What stood there.
    pub base: String,
    /// What others made of it.
    pub theirs: String,
    /// What this person made of it.
    pub mine: String,
}

/// `mine` on top of `theirs`, both made from `base`.
///
/// # Errors
/// Every place that both changed.
pub fn merge(base: &str, theirs: &str, mine: &str) -> Result<String, Vec<Overlap>> {
    let [base, theirs, mine] =
        [base, theirs, mine].map(|text| text.split_inclusive('\n').collect::<Vec<_>>());
    let [in_theirs, in_mine] = [&theirs, &mine].map(|text| places(&base, text));
    let mut merged = String::new();
    let mut overlaps = Vec::new();
    let mut begin = (0, 0, 0);
    for line in 0..=base.len() {
        // A line that stayed in both ends a piece; so does the end of all three.
        let end = match (in_theirs.get(line), in_mine.get(line)) {
            (Some(Some(there)), Some(Some(here))) => (line, *there, *here),
            (None, _) | (_, None) => (base.len(), theirs.len(), mine.len()),
            (Some(_), Some(_)) => continue,
        };
        let was = base[begin.0..end.0].concat();
        let [their, my] = [theirs[begin.1..end.1].concat(), mine[begin.2..end.2].concat()];
        match () {
            () if my == was || my == their => merged.push_str(&their),
            () if their == was => merged.push_str(&my),
            () => {
                let line = begin.0 + 1;
                overlaps.push(Overlap { line, base: was, theirs: their, mine: my });
            }
        }
        if let Some(stays) = base.get(end.0) {
            merged.push_str(stays);
        }
        begin = (end.0 + 1, end.1 + 1, end.2 + 1);
    }
    if overlaps.is_empty() { Ok(merged) } else { Err(overlaps) }
}

/// For each line of `base` its place in `text`, if it stayed.
fn places(base: &[&str], text: &[&str]) -> Vec<Option<usize>> {
    let mut places = vec![None; base.len()];
    for (line, place) in stayed(base, text) {
        places[line] = Some(place);
    }
    places
}

/// The overlaps, for a person.
#[must_use]
pub fn shown(overlaps: &[Overlap]) -> String {
    let mut text = String::new();
    for Overlap { line, base, theirs, mine } in overlaps {
        writeln!(text, "Both changed what stands at line {line}:").expect("a text has room");
        for (whose, lines) in [("was", base), ("theirs", theirs), ("yours", mine)] {
            if lines.is_empty() {
                writeln!(text, "  {whose:<7}(nothing)").expect("a text has room");
            }
            for line in lines.lines() {
                writeln!(text, "  {whose:<7}{line}").expect("a text has room");
            }
        }
    }
    text
}
