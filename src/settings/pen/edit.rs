//! Does one task in the text: a few characters more, fewer or others.
//! Never checks what came of it; `pen` reads it again.

use std::ops::Range;

use super::extent::{Page, may_comment};
use super::ink::{Ink, Quotes};
use super::{PenError, Task};
use crate::settings::locate::Step;
use crate::settings::yaml::Tree;

/// Behind which other keys a new one goes: the order of the reference.
const TOP_ORDER: [&str; 8] =
    ["cluster", "id", "generation", "timing", "election", "maintenance", "nodes", "invites"];
const NODE_ORDER: [&str; 8] =
    ["id", "address", "role", "priority", "key", "storage", "in_sync", "standby"];

const STRANGE: PenError = PenError::ByHand("its layout is unusual");
const COMMENTED: PenError = PenError::ByHand("a comment stands inside what would change");

/// The text after `task`.
pub(super) fn done(page: &Page<'_>, task: &Task) -> Result<String, PenError> {
    let edit = match task {
        Task::Set(way, key, ink) => {
            let place = below(way, key);
            match page.tree.at(&place) {
                Some(old) => replace(page, &place, old, ink),
                None => insert(page, way, key, ink),
            }
        }
        Task::Unset(way, key) => cut_entry(page, way, key),
        Task::Append(way, ink) => append(page, way, ink),
        Task::Remove(way, index) => cut_item(page, way, *index),
    }?;
    let mut text = page.text.to_owned();
    text.replace_range(edit.place, &edit.text);
    Ok(text)
}

/// These bytes become this text.
struct Edit {
    place: Range<usize>,
    text: String,
}

fn below(way: &[Step], key: &str) -> Vec<Step> {
    [way, &[Step::Key(key.into())]].concat()
}

/// Another value for a key that is there.
fn replace(page: &Page<'_>, way: &[Step], old: &Tree, ink: &Ink) -> Result<Edit, PenError> {
    let value = page.value(way).ok_or(STRANGE)?;
    let (is_holder, is_nothing) = match old {
        Tree::List(_) | Tree::Table(_) => (true, false),
        Tree::Nothing => (false, value.is_empty()),
        Tree::Switch(_) | Tree::Whole(_) | Tree::Number | Tree::Text(_) => (false, false),
    };
    if !is_holder && !is_nothing {
        let quotes = Quotes::of(&page.text[value.clone()]);
        return Ok(Edit { place: value, text: ink.spelled_like(quotes) });
    }
    let place = page.colon_end(way).ok_or(STRANGE)?..value.end;
    if may_comment(&page.text[place.clone()]) {
        return Err(COMMENTED);
    }
    Ok(Edit { place, text: format!(" {}", ink.spelled()) })
}

/// One more key of a mapping.
fn insert(page: &Page<'_>, way: &[Step], key: &str, ink: &Ink) -> Result<Edit, PenError> {
    let Some(Tree::Table(entries)) = page.tree.at(way) else { return Err(STRANGE) };
    let is_flow = page.is_flow(way).ok_or(STRANGE)?;
    let order: &[&str] = if way.is_empty() { &TOP_ORDER } else { &NODE_ORDER };
    let Some((anchor, _)) = anchor(entries, order, key) else {
        let start = page.value(way).ok_or(STRANGE)?.start + 1;
        return Ok(Edit { place: start..start, text: format!("{key}: {}", ink.spelled()) });
    };
    let anchor = below(way, anchor);
    let end = page.value(&anchor).ok_or(STRANGE)?.end;
    if is_flow {
        return Ok(Edit { place: end..end, text: format!(", {key}: {}", ink.spelled()) });
    }
    let begin = page.key(&anchor).ok_or(STRANGE)?.start;
    let indent = indent_of(page.text, begin)?;
    let newline = newline_of(page.text);
    let spelled = match ink {
        Ink::List(items) => {
            items.iter().map(|item| format!("{newline}{indent}  - {}", item.spelled())).collect()
        }
        Ink::Word(_) | Ink::Text(_) | Ink::Whole(_) | Ink::Switch(_) | Ink::Table(_) => {
            format!(" {}", ink.spelled())
        }
    };
    let at = line_end(page.text, end)?;
    Ok(Edit { place: at..at, text: format!("{newline}{indent}{key}:{spelled}") })
}

/// The entry behind which `key` goes: the one before it in the order, else the last.
fn anchor<'a>(
    entries: &'a [(String, Tree)],
    order: &[&str],
    key: &str,
) -> Option<(&'a str, &'a Tree)> {
    let rank = |name: &str| order.iter().position(|known| *known == name);
    let mine = rank(key).unwrap_or(usize::MAX);
    let before = |entry: &&(String, Tree)| rank(&entry.0).is_some_and(|rank| rank < mine);
    let best = entries.iter().filter(before).max_by_key(|(name, _)| rank(name));
    best.filter(|_| mine != usize::MAX).or(entries.last()).map(|(name, tree)| (name.as_str(), tree))
}

/// One key of a mapping less, with what stands on its lines.
fn cut_entry(page: &Page<'_>, way: &[Step], key: &str) -> Result<Edit, PenError> {
    let Some(Tree::Table(entries)) = page.tree.at(way) else { return Err(STRANGE) };
    let at = entries.iter().position(|(name, _)| name == key).ok_or(STRANGE)?;
    let part = |index: usize| {
        let (name, _) = entries.get(index)?;
        let way = below(way, name);
        Some(page.key(&way)?.start..page.value(&way)?.end)
    };
    let own = part(at).ok_or(STRANGE)?;
    let previous = at.checked_sub(1).and_then(part);
    if page.is_flow(way).ok_or(STRANGE)? {
        return Ok(cut(page.text, previous, own, part(at + 1)));
    }
    let begin = line_start(page.text, own.start);
    if page.text[begin..own.start].trim_start_matches(' ').is_empty() {
        return cut_lines(page.text, begin..own.end);
    }
    // The first key of an item stands behind its dash, and the next one must.
    let next = part(at + 1).ok_or(STRANGE)?;
    let place = own.start..next.start;
    if may_comment(&page.text[line_end(page.text, own.end)?..next.start]) {
        return Err(COMMENTED);
    }
    Ok(Edit { place, text: String::new() })
}

/// One more item behind the last of a list.
fn append(page: &Page<'_>, way: &[Step], ink: &Ink) -> Result<Edit, PenError> {
    let Some(Tree::List(items)) = page.tree.at(way) else { return Err(STRANGE) };
    let index = items.len().checked_sub(1).ok_or(STRANGE)?;
    let last = [way, &[Step::Item(index)]].concat();
    let own = page.value(&last).ok_or(STRANGE)?;
    let prefix = &page.text[line_start(page.text, own.start)..own.start];
    let newline = newline_of(page.text);
    if page.is_flow(way).ok_or(STRANGE)? {
        let is_alone = index > 0 && prefix.trim_start_matches(' ').is_empty();
        let between = if is_alone { format!(",{newline}{prefix}") } else { ", ".to_owned() };
        let text = format!("{between}{}", ink.spelled());
        return Ok(Edit { place: own.end..own.end, text });
    }
    if prefix.trim_matches(' ') != "-" {
        return Err(STRANGE);
    }
    let is_block = matches!(items[index], Tree::Table(_)) && !page.is_flow(&last).ok_or(STRANGE)?;
    let body = if is_block {
        ink.entries().join(&format!("{newline}{}", indent_of(page.text, own.start)?))
    } else {
        ink.spelled()
    };
    let at = line_end(page.text, own.end)?;
    Ok(Edit { place: at..at, text: format!("{newline}{prefix}{body}") })
}

/// One item of a list less, with what stands on its lines.
fn cut_item(page: &Page<'_>, way: &[Step], index: usize) -> Result<Edit, PenError> {
    let Some(Tree::List(items)) = page.tree.at(way) else { return Err(STRANGE) };
    let part = |index: usize| {
        items.get(index)?;
        page.value(&[way, &[Step::Item(index)]].concat())
    };
    let own = part(index).ok_or(STRANGE)?;
    if page.is_flow(way).ok_or(STRANGE)? {
        let previous = index.checked_sub(1).and_then(part);
        return Ok(cut(page.text, previous, own, part(index + 1)));
    }
    let begin = line_start(page.text, own.start);
    if page.text[begin..own.start].trim_matches(' ') != "-" {
        return Err(STRANGE);
    }
    cut_lines(page.text, begin..own.end)
}

/// Cuts one part out of what is between brackets, with one comma and without any comment.
fn cut(
    text: &str,
    previous: Option<Range<usize>>,
    own: Range<usize>,
    next: Option<Range<usize>>,
) -> Edit {
    let place = match (previous, next) {
        (_, Some(next)) if !may_comment(&text[own.end..next.start]) => own.start..next.start,
        (Some(previous), None) if !may_comment(&text[previous.end..own.start]) => {
            previous.end..own.end
        }
        (_, Some(_)) => {
            // Without its comma the text would be none, and a person is asked.
            let behind = text[own.end..].trim_start_matches(' ');
            let comma = text.len() - behind.len() + 1;
            own.start..if behind.starts_with(',') { comma } else { own.end }
        }
        (_, None) => own,
    };
    Edit { place, text: String::new() }
}

/// Cuts whole lines, and the line end before them if nothing comes after.
fn cut_lines(text: &str, part: Range<usize>) -> Result<Edit, PenError> {
    let end = line_end(text, part.end)?;
    let rest = &text[end..];
    let place = match rest.find('\n') {
        Some(newline) => part.start..end + newline + 1,
        None => text[..part.start].trim_end_matches(['\r', '\n']).len()..end,
    };
    Ok(Edit { place, text: String::new() })
}

fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |newline| newline + 1)
}

/// The end of the line of `at`, behind which only a comment may stand.
fn line_end(text: &str, at: usize) -> Result<usize, PenError> {
    let rest = text[at..].split('\n').next().unwrap_or_default();
    let rest = rest.strip_suffix('\r').unwrap_or(rest);
    let behind = rest.trim_start_matches([' ', '\t']);
    if !behind.is_empty() && !behind.starts_with('#') {
        return Err(STRANGE);
    }
    Ok(at + rest.len())
}

/// As many spaces as stand, with dashes or not, before `at` on its line.
fn indent_of(text: &str, at: usize) -> Result<String, PenError> {
    let prefix = &text[line_start(text, at)..at];
    if prefix.chars().all(|c| c == ' ' || c == '-') {
        return Ok(" ".repeat(prefix.len()));
    }
    Err(STRANGE)
}

fn newline_of(text: &str) -> &'static str {
    let first = text.find('\n').unwrap_or_default();
    if text[..first].ends_with('\r') { "\r\n" } else { "\n" }
}
