//! Turns YAML text into a `Tree`, and refuses everything in YAML that surprises: anchors, aliases,
//! tags, directives, block texts, merge and repeated keys, several documents, bombs, odd bytes.
//! Never knows which keys mean something; `cluster` and `node` do.

use std::cell::Cell;
use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny};
use serde::de::{MapAccess, SeqAccess, Visitor};

use super::locate::Step;
use super::problem::{Place, Problem};

/// The largest text that is read (H59, H65).
const TEXT_BYTES_MAX: usize = 1 << 20;
/// The deepest nesting that is read (H59).
const DEPTH_MAX: usize = 8;
/// The most keys of one mapping; no mapping of ours has a tenth of them.
const KEYS_MAX: usize = 64;
/// The most characters that may begin a YAML token: bounds the memory of one reading.
const TOKENS_MAX: usize = 100_000;
/// The YAML reader's time grows with nesting times tokens: bounds the time of one reading.
const BRACKETS_TIMES_TOKENS_MAX: usize = 1 << 25;

/// What a text says, before anybody asks what it means.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Tree {
    /// `null`, `~` or nothing at all.
    Nothing,
    /// `true` or `false`.
    Switch(bool),
    /// A whole number that is not negative.
    Whole(u64),
    /// Any other number; nothing of ours is one.
    Number,
    /// Text, quoted or not.
    Text(String),
    /// A list.
    List(Vec<Tree>),
    /// A mapping in the order of the text; no key is there twice.
    Table(Vec<(String, Tree)>),
}

impl Tree {
    /// What it is, for "expected X, found Y".
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Switch(_) => "true or false",
            Self::Whole(_) | Self::Number => "a number",
            Self::Text(_) => "text",
            Self::List(_) => "a list",
            Self::Table(_) => "a mapping",
        }
    }

    /// What is at the end of `way`, if that leads anywhere.
    pub(super) fn at(&self, way: &[Step]) -> Option<&Self> {
        way.iter().try_fold(self, |tree, step| match (tree, step) {
            (Self::Table(entries), Step::Key(key)) => {
                entries.iter().find(|(name, _)| name == key).map(|(_, value)| value)
            }
            (Self::List(items), Step::Item(index)) => items.get(*index),
            _ => None,
        })
    }

    /// The same, to change it.
    pub(super) fn at_mut(&mut self, way: &[Step]) -> Option<&mut Self> {
        way.iter().try_fold(self, |tree, step| match (tree, step) {
            (Self::Table(entries), Step::Key(key)) => {
                entries.iter_mut().find(|(name, _)| name == key).map(|(_, value)| value)
            }
            (Self::List(items), Step::Item(index)) => items.get_mut(*index),
            _ => None,
        })
    }
}

/// Reads `text`, strictly.
pub(super) fn read(text: &str, file: &str) -> Result<Tree, Problem> {
    refuse_size(text, file)?;
    refuse_characters(text, file)?;
    refuse_special_tokens(text, file)?;
    let fault = Cell::new(None);
    let seed = TreeSeed { depth: 0, fault: &fault };
    seed.deserialize(serde_yaml::Deserializer::from_str(text)).map_err(|error| {
        let Some(Fault { message, hint }) = fault.take() else {
            return explain(text, file, &error);
        };
        Problem::new(file, message).at(Place::reported_by(&error)).hint(hint)
    })
}

fn refuse_size(text: &str, file: &str) -> Result<(), Problem> {
    if text.len() > TEXT_BYTES_MAX {
        let message = format!("the file has {} bytes, more than {TEXT_BYTES_MAX}", text.len());
        return Err(Problem::new(file, message).hint("check that this is the right file"));
    }
    let count = |wanted: &[u8]| text.bytes().filter(|byte| wanted.contains(byte)).count();
    let tokens = count(b"[{,:-?\n");
    if tokens > TOKENS_MAX || tokens * count(b"[{") > BRACKETS_TIMES_TOKENS_MAX {
        return Err(Problem::new(
            file,
            "the file has too many lines, commas and brackets to be read",
        )
        .hint("check that this is the right file; write long lists one key per line"));
    }
    Ok(())
}

/// Characters that cannot be seen change what a line seems to say (H64).
fn refuse_characters(text: &str, file: &str) -> Result<(), Problem> {
    if text.starts_with('\u{feff}') {
        return Err(Problem::new(file, "the file begins with a byte order mark")
            .at(Place { line: 1, column: 1 })
            .hint("remove it: save the file as UTF-8 without BOM"));
    }
    let is_unseen = |c: char| match c {
        '\n' | '\t' => false,
        '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => true,
        '\u{feff}' | '\u{fffe}' | '\u{ffff}' => true,
        _ => c.is_control(),
    };
    let ends_line = |offset: usize| text[offset..].starts_with("\r\n");
    match text.char_indices().find(|(offset, c)| is_unseen(*c) && !ends_line(*offset)) {
        None => Ok(()),
        Some((offset, c)) => {
            let message = format!("there is a control character, U+{:04X}", u32::from(c));
            Err(Problem::new(file, message).at(Place::of(text, offset)).hint("remove it"))
        }
    }
}

/// Anchors, aliases, tags, directives and block texts begin with a character of their own. In a
/// copy each such character becomes `@`, which may stand in comments and inside texts but begins
/// nothing: the reader itself then says whether, and where, one of them began something.
fn refuse_special_tokens(text: &str, file: &str) -> Result<(), Problem> {
    let special = ['&', '*', '!', '%', '|', '>'];
    let masked = text.replace(special, "@");
    let Err(error) = IgnoredAny::deserialize(serde_yaml::Deserializer::from_str(&masked)) else {
        return Ok(());
    };
    let place = Place::reported_by(&error);
    let what = match place.and_then(|place| place.character(text)) {
        _ if !error.to_string().contains(CANNOT_START) => None,
        Some('&') => Some("anchors (`&`) are"),
        Some('*') => Some("aliases (`*`) are"),
        Some('!') => Some("tags (`!`) are"),
        Some('%') => Some("a directive or text beginning with `%` is"),
        Some('|' | '>') => Some("a block text (`|` or `>`) is"),
        Some(_) | None => None,
    };
    match (what, place) {
        (Some(what), Some(place)) => Err(Problem::new(file, format!("{what} not available here"))
            .at(place)
            .hint("write the value itself; put text that begins with a special sign in quotes")),
        _ => Err(explain(text, file, &error)),
    }
}

const CANNOT_START: &str = "cannot start any token";

/// The YAML reader's own complaint, with its place in front and advice for the usual causes.
fn explain(text: &str, file: &str, error: &serde_yaml::Error) -> Problem {
    let words = error.to_string();
    if words.contains("more than one document") {
        return Problem::new(file, "the file holds more than one document")
            .at(second_document(text))
            .hint("keep one; `---` may stand only before it");
    }
    let Some(place) = Place::reported_by(error) else {
        return Problem::new(file, format!("not valid YAML: {words}"));
    };
    let own_place = format!(" at line {} column {}", place.line, place.column);
    let message = format!("not valid YAML: {}", words.replacen(&own_place, "", 1));
    let problem = Problem::new(file, message).at(place);
    let causes = [
        (CANNOT_START, "indent with spaces, not tabs; put text with special signs in quotes"),
        (
            "mapping values are not allowed",
            "put text that holds `: ` in quotes, or check the \
             indentation: keys that belong together begin in the same column",
        ),
        ("did not find expected key", "keys that belong together begin in the same column"),
        ("unexpected end of stream", "close the quote or bracket opened before"),
        ("did not find expected node content", "close the bracket opened before, or add a value"),
        ("did not find expected ',' or", "close the bracket opened before, or add a comma"),
    ];
    match causes.iter().find(|(complaint, _)| words.contains(complaint)) {
        Some((_, hint)) => problem.hint(*hint),
        None => problem,
    }
}

/// The first document marker after some content.
fn second_document(text: &str) -> Option<Place> {
    let is_content = |line: &str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
    let mut lines = text.lines().enumerate().skip_while(|(_, line)| !is_content(line)).skip(1);
    let (index, _) = lines.find(|(_, line)| line.starts_with("---") || line.starts_with("..."))?;
    Some(Place { line: index + 1, column: 1 })
}

/// Our own complaint on its way around the reader's error type, which keeps only the place.
struct Fault {
    message: String,
    hint: &'static str,
}

#[derive(Clone, Copy)]
struct TreeSeed<'a> {
    depth: usize,
    fault: &'a Cell<Option<Fault>>,
}

impl TreeSeed<'_> {
    fn refuse<T, E: Error>(self, message: impl Into<String>, hint: &'static str) -> Result<T, E> {
        let message = message.into();
        self.fault.set(Some(Fault { message, hint }));
        Err(E::custom("refused"))
    }

    fn inner<E: Error>(self) -> Result<Self, E> {
        if self.depth == DEPTH_MAX {
            let message = format!("lists and mappings are nested more than {DEPTH_MAX} deep");
            return self.refuse(message, "check the brackets and the indentation");
        }
        Ok(Self { depth: self.depth + 1, ..self })
    }
}

impl<'de> DeserializeSeed<'de> for TreeSeed<'_> {
    type Value = Tree;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Tree, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for TreeSeed<'_> {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a plain value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Tree, E> {
        Ok(Tree::Switch(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Tree, E> {
        Ok(Tree::Whole(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Tree, E> {
        Ok(u64::try_from(value).map_or(Tree::Number, Tree::Whole))
    }

    fn visit_u128<E>(self, _: u128) -> Result<Tree, E> {
        Ok(Tree::Number)
    }

    fn visit_i128<E>(self, _: i128) -> Result<Tree, E> {
        Ok(Tree::Number)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Tree, E> {
        Ok(Tree::Number)
    }

    fn visit_str<E>(self, value: &str) -> Result<Tree, E> {
        Ok(Tree::Text(value.into()))
    }

    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Nothing)
    }

    fn visit_none<E>(self) -> Result<Tree, E> {
        Ok(Tree::Nothing)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Tree, A::Error> {
        let inner = self.inner()?;
        let mut items = Vec::new();
        while let Some(item) = access.next_element_seed(inner)? {
            items.push(item);
        }
        Ok(Tree::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Tree, A::Error> {
        let inner = self.inner()?;
        let mut entries: Vec<(String, Tree)> = Vec::new();
        while let Some(key) = access.next_key_seed(KeySeed { entries: &entries, tree: self })? {
            let value = access.next_value_seed(inner)?;
            entries.push((key, value));
        }
        Ok(Tree::Table(entries))
    }
}

/// Reads one key and refuses it if it cannot join `entries`.
struct KeySeed<'a> {
    entries: &'a [(String, Tree)],
    tree: TreeSeed<'a>,
}

impl KeySeed<'_> {
    fn refuse_kind<E: Error>(self) -> Result<String, E> {
        self.tree.refuse("this key is not text", "write a word before the colon")
    }
}

impl<'de> DeserializeSeed<'de> for KeySeed<'_> {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for KeySeed<'_> {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<String, E> {
        if key == "<<" {
            return self.tree.refuse("merge keys (`<<`) are not available here", "write the keys");
        }
        if self.entries.iter().any(|(taken, _)| taken == key) {
            let message = format!("the key `{}` is here twice", key.escape_debug());
            return self.tree.refuse(message, "keep one of the two lines");
        }
        if self.entries.len() == KEYS_MAX {
            let message = format!("this mapping has more than {KEYS_MAX} keys");
            return self.tree.refuse(message, "check that this is the right file");
        }
        Ok(key.into())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<String, E> {
        self.refuse_kind()
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<String, E> {
        self.refuse_kind()
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<String, E> {
        self.refuse_kind()
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<String, E> {
        self.refuse_kind()
    }

    fn visit_unit<E: Error>(self) -> Result<String, E> {
        self.refuse_kind()
    }

    fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<String, A::Error> {
        self.refuse_kind()
    }

    fn visit_map<A: MapAccess<'de>>(self, _: A) -> Result<String, A::Error> {
        self.refuse_kind()
    }
}
