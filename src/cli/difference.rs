//! Owns how the difference of two texts is shown: as `diff -u` does, which everybody can read.
//! Never reads a file.

use std::fmt::Write;

/// So many lines around a change are shown.
const AROUND: usize = 2;
/// What differs in more pairs of lines than this is shown as all gone and all new.
const PAIRS_MAX: usize = 4_000_000;

/// What has to be done to `old` to have `new`, under the names of both; empty if nothing.
#[must_use]
pub fn difference(old: &str, new: &str, names: [&str; 2]) -> String {
    let lines = compared(old, new);
    let changed: Vec<usize> = (0..lines.len()).filter(|at| lines[*at].0 != ' ').collect();
    if changed.is_empty() {
        return String::new();
    }
    let mut text = format!("--- {}\n+++ {}\n", names[0], names[1]);
    let mut at = 0;
    while at < changed.len() {
        let begin = changed[at].saturating_sub(AROUND);
        while changed.get(at + 1).is_some_and(|next| next - changed[at] <= 2 * AROUND) {
            at += 1;
        }
        let end = (changed[at] + AROUND + 1).min(lines.len());
        show(&mut text, &lines, begin, end);
        at += 1;
    }
    text
}

/// One piece, with where it begins in both texts and how long it is there.
fn show(text: &mut String, lines: &[(char, &str)], begin: usize, end: usize) {
    let count =
        |part: &[(char, &str)], other: char| part.iter().filter(|(mark, _)| *mark != other).count();
    let place = |other: char| {
        let length = count(&lines[begin..end], other);
        let before = count(&lines[..begin], other);
        // A piece of no line stands after the line before it.
        (before + usize::from(length > 0), length)
    };
    let (old, new) = (place('+'), place('-'));
    let written = writeln!(text, "@@ -{},{} +{},{} @@", old.0, old.1, new.0, new.1);
    written.expect("a text has room");
    for (mark, line) in &lines[begin..end] {
        text.push(*mark);
        text.push_str(line);
        text.push('\n');
    }
}

/// All lines of both: gone, come, or stayed.
fn compared<'a>(old: &'a str, new: &'a str) -> Vec<(char, &'a str)> {
    let [old, new] = [old, new].map(|text| text.lines().collect::<Vec<_>>());
    let mut lines = Vec::new();
    let (mut at, mut there) = (0, 0);
    for (kept, its_place) in stayed(&old, &new) {
        lines.extend(old[at..kept].iter().map(|line| ('-', *line)));
        lines.extend(new[there..its_place].iter().map(|line| ('+', *line)));
        lines.push((' ', old[kept]));
        (at, there) = (kept + 1, its_place + 1);
    }
    lines.extend(old[at..].iter().map(|line| ('-', *line)));
    lines.extend(new[there..].iter().map(|line| ('+', *line)));
    lines
}

/// Which lines of `old` are which ones of `new`, both in order.
#[must_use]
pub fn stayed(old: &[&str], new: &[&str]) -> Vec<(usize, usize)> {
    let alike = old.iter().zip(new).take_while(|(one, other)| one == other).count();
    let [old_rest, new_rest] = [&old[alike..], &new[alike..]];
    let pairs = old_rest.iter().rev().zip(new_rest.iter().rev());
    let tail = pairs.take_while(|(one, other)| one == other).count();
    let [old_rest, new_rest] = [old_rest, new_rest].map(|rest| &rest[..rest.len() - tail]);
    let mut pairs: Vec<_> = (0..alike).map(|line| (line, line)).collect();
    if old_rest.len().saturating_mul(new_rest.len()) <= PAIRS_MAX {
        let (mut at, mut there) = (alike, alike);
        for found in diff::slice(old_rest, new_rest) {
            match found {
                diff::Result::Left(_) => at += 1,
                diff::Result::Right(_) => there += 1,
                diff::Result::Both(..) => {
                    pairs.push((at, there));
                    (at, there) = (at + 1, there + 1);
                }
            }
        }
    }
    pairs.extend((0..tail).rev().map(|back| (old.len() - 1 - back, new.len() - 1 - back)));
    pairs
}
