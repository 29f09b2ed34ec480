//! A value that is to be written, and how it is spelled.
//! Never chooses where it goes.

use crate::settings::yaml::{self, Tree};

/// What the pen can write.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ink {
    /// A word of the document's own, without quotes wherever that says the same.
    Word(String),
    /// Text of somebody's, in quotes.
    Text(String),
    /// A number.
    Whole(u64),
    /// `true` or `false`.
    Switch(bool),
    /// A mapping, in this order, on one line.
    Table(Vec<(String, Ink)>),
    /// A list.
    List(Vec<Ink>),
}

/// How people quoted what stood there before.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Quotes {
    Double,
    Single,
    /// None, or nothing stood there.
    None,
}

impl Quotes {
    /// Those of this text.
    pub(super) fn of(text: &str) -> Self {
        match text.chars().next() {
            Some('"') => Self::Double,
            Some('\'') => Self::Single,
            _ => Self::None,
        }
    }
}

impl Ink {
    /// What writes this; there is no ink for an odd number or nothing.
    pub(super) fn of(tree: &Tree) -> Option<Self> {
        Some(match tree {
            Tree::Nothing | Tree::Number => return None,
            Tree::Switch(on) => Self::Switch(*on),
            Tree::Whole(number) => Self::Whole(*number),
            Tree::Text(text) => Self::Text(text.clone()),
            Tree::List(items) => Self::List(items.iter().map(Self::of).collect::<Option<_>>()?),
            Tree::Table(entries) => {
                let entry = |(key, value): &(String, Tree)| Some((key.clone(), Self::of(value)?));
                Self::Table(entries.iter().map(entry).collect::<Option<_>>()?)
            }
        })
    }

    /// The same mapping with `key`, which is this word unless it is there.
    #[must_use]
    pub fn or_with(mut self, key: &str, word: &str) -> Self {
        if let Self::Table(entries) = &mut self
            && !entries.iter().any(|(name, _)| name == key)
        {
            let at = entries.len().min(2);
            entries.insert(at, (key.to_owned(), Self::Word(word.to_owned())));
        }
        self
    }

    /// What a reader must find.
    pub(super) fn tree(&self) -> Tree {
        match self {
            Self::Word(text) | Self::Text(text) => Tree::Text(text.clone()),
            Self::Whole(number) => Tree::Whole(*number),
            Self::Switch(on) => Tree::Switch(*on),
            Self::Table(entries) => {
                Tree::Table(entries.iter().map(|(key, ink)| (key.clone(), ink.tree())).collect())
            }
            Self::List(items) => Tree::List(items.iter().map(Self::tree).collect()),
        }
    }

    /// On one line, where nothing stood before.
    pub(super) fn spelled(&self) -> String {
        match self {
            Self::Word(word) => plain(word).unwrap_or_else(|| in_quotes(word)),
            Self::Text(text) => in_quotes(text),
            Self::Whole(number) => number.to_string(),
            Self::Switch(on) => on.to_string(),
            Self::Table(entries) => format!("{{{}}}", joined(entries.iter().map(entry))),
            Self::List(items) => format!("[{}]", joined(items.iter().map(Self::spelled))),
        }
    }

    /// On one line, in the place of a value that was quoted like this.
    pub(super) fn spelled_like(&self, quotes: Quotes) -> String {
        let (Self::Word(text) | Self::Text(text)) = self else { return self.spelled() };
        match quotes {
            Quotes::Double => in_quotes(text),
            Quotes::Single if !text.contains(|c: char| c == '\'' || c.is_control()) => {
                format!("'{text}'")
            }
            Quotes::Single => in_quotes(text),
            Quotes::None => plain(text).unwrap_or_else(|| in_quotes(text)),
        }
    }

    /// The entries of a mapping, each `key: value`; of anything else, the value itself.
    pub(super) fn entries(&self) -> Vec<String> {
        match self {
            Self::Table(entries) => entries.iter().map(entry).collect(),
            Self::Word(_) | Self::Text(_) | Self::Whole(_) | Self::Switch(_) | Self::List(_) => {
                vec![self.spelled()]
            }
        }
    }
}

fn entry((key, ink): &(String, Ink)) -> String {
    format!("{key}: {}", ink.spelled())
}

fn joined(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(", ")
}

/// Without quotes, if that is safe everywhere and says the same.
fn plain(text: &str) -> Option<String> {
    let is_tame = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '%');
    let is_safe =
        text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.chars().all(is_tame);
    let says = is_safe.then(|| yaml::read(text, "").ok()).flatten();
    (says == Some(Tree::Text(text.to_owned()))).then(|| text.to_owned())
}

fn in_quotes(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                quoted.push('\\');
                quoted.push(c);
            }
            c if c.is_control() => quoted.push_str(&format!("\\U{:08x}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
