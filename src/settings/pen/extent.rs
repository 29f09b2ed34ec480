//! Where a key or value of the document begins and ends, in bytes.
//! Never guesses a beginning: the reader saw it. Ends follow from the innermost last value, whose
//! end is read off and, without quotes, compared with what the reader made of it.

use std::ops::Range;

use crate::settings::locate::{Step, locate};
use crate::settings::problem::Place;
use crate::settings::yaml::{self, Tree};

/// A text and what it says.
pub(super) struct Page<'a> {
    pub(super) text: &'a str,
    pub(super) tree: &'a Tree,
}

impl Page<'_> {
    /// Whether the mapping or list at `way` is written between brackets.
    pub(super) fn is_flow(&self, way: &[Step]) -> Option<bool> {
        Some(self.text[self.start(way)?..].starts_with(['{', '[']))
    }

    /// The value at `way`; one that is written as nothing at all is where it would stand.
    pub(super) fn value(&self, way: &[Step]) -> Option<Range<usize>> {
        let start = self.start(way)?;
        match self.tree.at(way)? {
            Tree::Nothing => self.nothing(start, way),
            Tree::Table(entries) => {
                let last = entries.last().map(|(key, _)| Step::Key(key.clone()));
                Some(start..self.holder_end(start, way, last)?)
            }
            Tree::List(items) => {
                let last = items.len().checked_sub(1).map(Step::Item);
                Some(start..self.holder_end(start, way, last)?)
            }
            scalar @ (Tree::Switch(_) | Tree::Whole(_) | Tree::Number | Tree::Text(_)) => {
                Some(start..self.scalar_end(start, way, scalar)?)
            }
        }
    }

    /// The key that ends `way`, without its colon.
    pub(super) fn key(&self, way: &[Step]) -> Option<Range<usize>> {
        let (Step::Key(name), owner) = way.split_last()? else { return None };
        let named = [owner, &[Step::Name(name.clone())]].concat();
        let start = offset(self.text, locate(self.text, &named)?)?;
        let end = self.scalar_end(start, way, &Tree::Text(name.clone()))?;
        Some(start..end)
    }

    /// Behind the colon of the key that ends `way`.
    pub(super) fn colon_end(&self, way: &[Step]) -> Option<usize> {
        let end = self.key(way)?.end;
        let rest = self.text[end..].trim_start_matches(' ');
        let colon = self.text.len() - rest.len();
        rest.starts_with(':').then_some(colon + 1)
    }

    fn start(&self, way: &[Step]) -> Option<usize> {
        offset(self.text, locate(self.text, way)?)
    }

    /// `~` and its like, or the place behind the colon.
    fn nothing(&self, start: usize, way: &[Step]) -> Option<Range<usize>> {
        let end = plain_end(self.text, start, self.is_inside_flow(way)?);
        let is_spelled = ["~", "null", "Null", "NULL"].contains(&&self.text[start..end]);
        if is_spelled {
            return Some(start..end);
        }
        let end = self.colon_end(way)?;
        Some(end..end)
    }

    /// The end of a mapping or list whose last entry or item is at `last`.
    fn holder_end(&self, start: usize, way: &[Step], last: Option<Step>) -> Option<usize> {
        let inner = match last {
            None => start + 1,
            Some(last) => self.value(&[way, &[last]].concat())?.end,
        };
        let close = match self.text[start..].chars().next()? {
            '{' => '}',
            '[' => ']',
            _ => return Some(inner),
        };
        let end = skip_between(self.text, inner);
        self.text[end..].starts_with(close).then_some(end + 1)
    }

    fn scalar_end(&self, start: usize, way: &[Step], scalar: &Tree) -> Option<usize> {
        let text = &self.text[start..];
        if text.starts_with('"') {
            return quoted_end(text, '"').map(|end| start + end);
        }
        if text.starts_with('\'') {
            return quoted_end(text, '\'').map(|end| start + end);
        }
        let end = plain_end(self.text, start, self.is_inside_flow(way)?);
        let says = yaml::read(&self.text[start..end], "").ok()?;
        (says == *scalar).then_some(end)
    }

    /// Whether some mapping or list around what is at `way` is written between brackets.
    fn is_inside_flow(&self, way: &[Step]) -> Option<bool> {
        for length in (0..way.len()).rev() {
            if self.is_flow(&way[..length])? {
                return Some(true);
            }
        }
        Some(false)
    }
}

/// The byte at a place.
fn offset(text: &str, place: Place) -> Option<usize> {
    let line = place.line.checked_sub(1)?;
    let begin = match line {
        0 => 0,
        _ => text.match_indices('\n').nth(line - 1)?.0 + 1,
    };
    let rest = &text[begin..];
    let inside = rest.char_indices().map(|(at, _)| at).chain([rest.len()]);
    inside.into_iter().nth(place.column.checked_sub(1)?).map(|at| begin + at)
}

/// The end of a text that begins with a quote.
fn quoted_end(text: &str, quote: char) -> Option<usize> {
    let mut characters = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = characters.next() {
        if quote == '"' && c == '\\' {
            characters.next();
        } else if c == quote {
            if quote == '\'' && characters.next_if(|(_, next)| *next == quote).is_some() {
                continue;
            }
            return Some(at + 1);
        }
    }
    None
}

/// The end of a text without quotes on its first line.
fn plain_end(text: &str, start: usize, is_in_flow: bool) -> usize {
    let line = text[start..].split(['\n', '\r']).next().unwrap_or_default();
    let mut end = line.len();
    for (at, c) in line.char_indices() {
        let before = line[..at].chars().next_back();
        let after = line[at + c.len_utf8()..].chars().next();
        let is_comment = c == '#' && before.is_none_or(|c| c == ' ' || c == '\t');
        let is_bracket = |c: char| matches!(c, ',' | '[' | ']' | '{' | '}');
        let is_colon =
            c == ':' && after.is_none_or(|c| c == ' ' || c == '\t' || is_in_flow && is_bracket(c));
        if is_comment || is_colon || is_in_flow && is_bracket(c) {
            end = at;
            break;
        }
    }
    start + line[..end].trim_end_matches([' ', '\t']).len()
}

/// Where the next character is that is no space, comma, line end or comment.
fn skip_between(text: &str, mut at: usize) -> usize {
    loop {
        let rest = &text[at..];
        let tight = rest.trim_start_matches([' ', '\t', '\r', '\n', ',']);
        at = text.len() - tight.len();
        if !tight.starts_with('#') {
            return at;
        }
        at += tight.find('\n').unwrap_or(tight.len());
    }
}

/// Whether a comment may stand in this part of a text.
pub(super) fn may_comment(part: &str) -> bool {
    part.match_indices('#')
        .any(|(at, _)| part[..at].chars().next_back().is_none_or(char::is_whitespace))
}
