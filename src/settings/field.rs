//! Reads a `Tree` key by key, and says of each key that is missing, unknown or of the wrong kind
//! where it is and what would be right. Never knows what a cluster or a node is.

use std::cell::Cell;
use std::path::PathBuf;
use std::time::Duration;

use super::address::Address;
use super::keys::Mapping;
use super::locate::{Step, locate};
use super::problem::Problem;
use super::yaml::{self, Tree};
use super::{duration, suggest};

/// For whom a document is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Reader {
    /// A person wrote it: what is not known is a mistake.
    Person,
    /// The cluster agreed on it: what is not known comes from a later release (R44).
    Member,
}

/// The text everything is read from, and the name its file goes by.
pub(super) struct Source<'a> {
    text: &'a str,
    file: &'a str,
    tree: Tree,
    reader: Reader,
    met_unknown: Cell<bool>,
}

impl<'a> Source<'a> {
    /// Reads `text` as YAML.
    pub(super) fn read(text: &'a str, file: &'a str, reader: Reader) -> Result<Self, Problem> {
        let tree = yaml::read(text, file)?;
        Ok(Self { text, file, tree, reader, met_unknown: Cell::new(false) })
    }

    /// Whether nothing was passed over so far.
    pub(super) fn is_understood(&self) -> bool {
        !self.met_unknown.get()
    }

    /// The whole document, which must be a mapping of `known` keys.
    pub(super) fn table(&self, known: &'static Mapping) -> Result<Table<'_>, Problem> {
        if self.tree == Tree::Nothing {
            let message = "the file is empty, or all of it is comments";
            return Err(Problem::new(self.file, message).hint(format!(
                "it must be a mapping of these keys: {}",
                known.names().join(", ")
            )));
        }
        Field { source: self, tree: &self.tree, way: Vec::new() }.table(known)
    }

    fn problem_at(&self, way: &[Step], message: String) -> Problem {
        Problem::new(self.file, message).at(locate(self.text, way))
    }
}

/// One value and the way to it.
#[derive(Clone)]
pub(super) struct Field<'a> {
    source: &'a Source<'a>,
    tree: &'a Tree,
    way: Vec<Step>,
}

impl<'a> Field<'a> {
    /// What is wrong with this value, at its place.
    pub(super) fn problem(&self, message: impl Into<String>) -> Problem {
        self.source.problem_at(&self.way, message.into())
    }

    /// The key this value belongs to, as people call it.
    pub(super) fn name(&self) -> String {
        match self.way.last() {
            Some(Step::Key(name) | Step::Name(name)) => format!("`{}`", name.escape_debug()),
            Some(Step::Item(index)) => format!("item {}", index + 1),
            None => "the document".into(),
        }
    }

    /// That this value is of the wrong kind.
    pub(super) fn expected(&self, what: &str) -> Problem {
        self.problem(format!("{} must be {what}, and is {}", self.name(), self.tree.kind()))
    }

    /// A mapping of `known` keys and no others.
    pub(super) fn table(&self, known: &'static Mapping) -> Result<Table<'a>, Problem> {
        let Tree::Table(entries) = self.tree else {
            let keys = format!("it has these keys: {}", known.names().join(", "));
            return Err(self.expected("a mapping").hint(keys));
        };
        let table = Table { field: self.clone(), entries, known };
        match entries.iter().find(|(key, _)| !known.has(key)) {
            None => Ok(table),
            Some(_) if self.passes_over() => Ok(table),
            Some((key, _)) => {
                let names = known.names();
                let meant = suggest::did_you_mean(key, &names);
                let message = format!("unknown key `{}`{meant}", key.escape_debug());
                let keys = format!("the keys here are: {}", names.join(", "));
                Err(table.key_problem(key, message).hint(keys))
            }
        }
    }

    /// Whether what this release does not know here is left alone, since a later one wrote it.
    pub(super) fn passes_over(&self) -> bool {
        let passes = self.source.reader == Reader::Member;
        if passes {
            self.source.met_unknown.set(true);
        }
        passes
    }

    /// A list.
    pub(super) fn items(&self) -> Result<Vec<Self>, Problem> {
        let Tree::List(items) = self.tree else {
            return Err(self.expected("a list"));
        };
        let item = |(index, tree)| Self {
            source: self.source,
            tree,
            way: [self.way.as_slice(), &[Step::Item(index)]].concat(),
        };
        Ok(items.iter().enumerate().map(item).collect())
    }

    /// Text; what YAML takes for a number or for nothing is not text until it is quoted (H62).
    pub(super) fn text(&self) -> Result<&'a str, Problem> {
        match self.tree {
            Tree::Text(text) => Ok(text),
            Tree::Nothing | Tree::Switch(_) | Tree::Whole(_) | Tree::Number => {
                Err(self.expected("text").hint("if that is the text you mean, put it in quotes"))
            }
            Tree::List(_) | Tree::Table(_) => Err(self.expected("text")),
        }
    }

    /// The text, if it is text.
    pub(super) fn as_text(&self) -> Option<&'a str> {
        match self.tree {
            Tree::Text(text) => Some(text),
            Tree::Nothing | Tree::Switch(_) | Tree::Whole(_) | Tree::Number => None,
            Tree::List(_) | Tree::Table(_) => None,
        }
    }

    /// Whether it is the number 0, the one duration that needs no unit.
    pub(super) fn is_zero(&self) -> bool {
        *self.tree == Tree::Whole(0)
    }

    /// A whole number from `least` to `most`.
    pub(super) fn whole(&self, least: u64, most: u64) -> Result<u64, Problem> {
        match self.tree {
            Tree::Whole(number) if (least..=most).contains(number) => Ok(*number),
            Tree::Whole(number) => {
                let range = match most {
                    u64::MAX => format!("at least {least}"),
                    _ => format!("{least} to {most}"),
                };
                Err(self.problem(format!("{} must be {range}, and is {number}", self.name())))
            }
            Tree::Nothing
            | Tree::Switch(_)
            | Tree::Number
            | Tree::Text(_)
            | Tree::List(_)
            | Tree::Table(_) => Err(self.expected("a whole number")),
        }
    }

    /// `true` or `false`.
    pub(super) fn switch(&self) -> Result<bool, Problem> {
        match self.tree {
            Tree::Switch(on) => Ok(*on),
            Tree::Nothing
            | Tree::Whole(_)
            | Tree::Number
            | Tree::Text(_)
            | Tree::List(_)
            | Tree::Table(_) => Err(self.expected("true or false")),
        }
    }

    /// Neither list nor mapping: for values that are there and not used.
    pub(super) fn scalar(&self) -> Result<(), Problem> {
        match self.tree {
            Tree::List(_) | Tree::Table(_) => Err(self.expected("one value")),
            Tree::Nothing | Tree::Switch(_) | Tree::Whole(_) | Tree::Number | Tree::Text(_) => {
                Ok(())
            }
        }
    }

    /// A duration with its unit.
    pub(super) fn duration(&self) -> Result<Duration, Problem> {
        let words = match self.tree {
            Tree::Whole(number) => number.to_string(),
            Tree::Text(text) => text.clone(),
            Tree::Nothing | Tree::Switch(_) | Tree::Number | Tree::List(_) | Tree::Table(_) => {
                return Err(self.expected("a duration").hint("write one like 250ms, 5s, 2m or 1h"));
            }
        };
        duration::parse(&words).map_err(|error| match error {
            duration::DurationError::NoUnit(text) => self
                .problem(format!("{} is `{text}`, without a unit", self.name()))
                .hint(format!("write `{text}ms`, `{text}s`, `{text}m` or `{text}h`")),
            error @ (duration::DurationError::Malformed(_)
            | duration::DurationError::TooLong(_)) => {
                self.problem(format!("{}: {error}", self.name()))
            }
        })
    }

    /// A duration from `least` to `most`.
    pub(super) fn duration_within(
        &self,
        least: Duration,
        most: Duration,
    ) -> Result<Duration, Problem> {
        let span = self.duration()?;
        if (least..=most).contains(&span) {
            return Ok(span);
        }
        let [least, most, shown] = [least, most, span].map(duration::show);
        let name = self.name();
        Err(self.problem(format!("{name} must be {least} to {most}, and is {shown}")))
    }

    /// An address with its port.
    pub(super) fn address(&self) -> Result<Address<'a>, Problem> {
        let text = self.text()?;
        Address::parse(text).map_err(|error| {
            let name = self.name();
            self.problem(format!("{name} is `{}`: {error}", text.escape_debug()))
                .hint("write host:port, such as \"10.0.0.1:9901\" or \"[2001:db8::1]:9901\"")
        })
    }

    /// An address others can connect to.
    pub(super) fn specific_address(&self) -> Result<Address<'a>, Problem> {
        let address = self.address()?;
        if address.is_specific() {
            return Ok(address);
        }
        let message = format!("{} is every address of a machine, not one", self.name());
        Err(self.problem(message).hint("write the address the other nodes connect to"))
    }

    /// A path that means the same wherever the reader runs.
    pub(super) fn absolute_path(&self) -> Result<PathBuf, Problem> {
        let path = PathBuf::from(self.text()?);
        if path.is_absolute() {
            return Ok(path);
        }
        let message = format!("{} is `{}`: no path from the root", self.name(), path.display());
        Err(self.problem(message).hint("write the whole path, beginning with /"))
    }

    /// One word of `words`.
    pub(super) fn word(&self, words: &[&'static str]) -> Result<&'static str, Problem> {
        self.place_in(words).map(|place| words[place])
    }

    /// One of `all`, which are called as `word` says.
    pub(super) fn one_of<T: Copy>(
        &self,
        all: &[T],
        word: fn(T) -> &'static str,
    ) -> Result<T, Problem> {
        let words: Vec<_> = all.iter().map(|one| word(*one)).collect();
        self.place_in(&words).map(|place| all[place])
    }

    fn place_in(&self, words: &[&'static str]) -> Result<usize, Problem> {
        let text = self.text()?;
        words.iter().position(|word| *word == text).ok_or_else(|| {
            let meant = suggest::did_you_mean(text, words);
            let unknown = format!("{}: unknown word `{}`{meant}", self.name(), text.escape_debug());
            self.problem(unknown).hint(format!("the words here are: {}", words.join(", ")))
        })
    }
}

/// A mapping whose keys are all known.
pub(super) struct Table<'a> {
    field: Field<'a>,
    entries: &'a [(String, Tree)],
    known: &'static Mapping,
}

impl<'a> Table<'a> {
    /// What is wrong with the mapping as a whole.
    pub(super) fn problem(&self, message: impl Into<String>) -> Problem {
        self.field.problem(message)
    }

    /// What is wrong with the key itself, at the key.
    fn key_problem(&self, key: &str, message: String) -> Problem {
        let way = [self.field.way.as_slice(), &[Step::Name(key.into())]].concat();
        self.field.source.problem_at(&way, message)
    }

    /// The value of `key`, which the table of keys has, if it is there.
    pub(super) fn find(&self, key: &str) -> Option<Field<'a>> {
        debug_assert!(self.known.has(key), "`{key}` is not in the table of keys");
        let (name, tree) = self.entries.iter().find(|(name, _)| name == key)?;
        let way = [self.field.way.as_slice(), &[Step::Key(name.clone())]].concat();
        Some(Field { source: self.field.source, tree, way })
    }

    /// The value of `key`, which must be there; `hint` says what to write.
    pub(super) fn need(&self, key: &str, hint: &str) -> Result<Field<'a>, Problem> {
        self.find(key).ok_or_else(|| {
            let owner = self.field.name();
            self.problem(format!("{owner} has no `{key}`")).hint(hint)
        })
    }
}
