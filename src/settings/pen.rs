//! Changes a cluster.yaml as a careful person does: as few characters as possible, and every
//! comment, order, quote and line ending stays. What was cut goes with what stood on its lines.
//! Never hands out a text that says anything but what was asked: then it asks for a person.
//!
//! ```text
//! body ─ yaml ─► Tree ─ strokes ─► what it shall say ─┐
//!   └─ extent (where the reader saw it) ─ edit ─► text ┴─ read again: equal? a charter? ─► text
//! ```

mod edit;
mod extent;
mod ink;

use std::fmt;

use super::locate::Step;
use super::problem::Problem;
use super::words;
use super::yaml::{self, Tree};
use super::{cluster, cluster::PRIORITY_DEFAULT};
use crate::protocol::membership::{Member, MemberRole};
use crate::protocol::order;
use crate::protocol::units::NodeId;

pub use ink::Ink;

/// The name the text goes by in complaints.
const FILE: &str = "cluster.yaml";

/// One change of the document.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Stroke {
    /// One more node, written as its neighbour is.
    AddNode(Member),
    /// One node less.
    RemoveNode(NodeId),
    /// A key of a node's line, new or with another value.
    SetOfNode(NodeId, &'static str, Ink),
    /// A key of a node's line less; nothing happens if it is not there.
    UnsetOfNode(NodeId, &'static str),
    /// The value at the end of these keys, such as `["timing", "dead_after"]`.
    Set(Vec<&'static str>, Ink),
    /// The same less; nothing happens if it is not there.
    Unset(Vec<&'static str>),
    /// One more item of the list of this name, which may be new.
    AddItem(&'static str, Ink),
    /// The item of this index less, and with the last one the list.
    RemoveItem(&'static str, usize),
}

/// Why nothing was written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PenError {
    /// The document has nothing of this name.
    Absent(String),
    /// The text is written in a way that only a person can change with care.
    ByHand(&'static str),
    /// The document would be none.
    Wrong(Problem),
}

impl fmt::Display for PenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent(name) => write!(f, "cluster.yaml has no {name}"),
            Self::ByHand(why) => write!(
                f,
                "cluster.yaml cannot be changed safely here, since {why}: edit it by hand with \
                 quorate edit"
            ),
            Self::Wrong(problem) => write!(f, "the document would be wrong: {problem}"),
        }
    }
}

impl std::error::Error for PenError {}

/// `body` after all `strokes`, in their order.
///
/// # Errors
/// As [`PenError`] says; then nothing was done.
pub fn write(body: &str, strokes: &[Stroke]) -> Result<String, PenError> {
    let mut text = body.to_owned();
    for stroke in strokes {
        text = written(&text, stroke)?;
    }
    let is_strict = cluster::parse(body, FILE).is_ok();
    let read = if is_strict { cluster::parse } else { cluster::parse_agreed };
    read(&text, FILE).map_err(PenError::Wrong)?;
    Ok(text)
}

/// The line of the node called `id`, to be written elsewhere.
///
/// # Errors
/// There is none.
pub fn node_in(body: &str, id: &NodeId) -> Result<Ink, PenError> {
    let tree = yaml::read(body, FILE).map_err(PenError::Wrong)?;
    let index = index_of(&tree, id)?;
    let found = tree.at(&[Step::Key("nodes".into()), Step::Item(index)]);
    found.and_then(Ink::of).ok_or(PenError::ByHand("the line of a node holds an odd number"))
}

/// The only node of a text that is one line below `nodes:`, as `quorate init` prints it.
///
/// # Errors
/// It is none, with its place in `file`.
pub fn node_of(text: &str, file: &str) -> Result<Ink, Problem> {
    let wrong = || {
        Problem::new(file, "this is not the line of one node")
            .hint("give the line that `quorate init` prints on that machine")
    };
    let Tree::List(items) = yaml::read(text, file)? else { return Err(wrong()) };
    let [item @ Tree::Table(_)] = items.as_slice() else { return Err(wrong()) };
    Ink::of(item).ok_or_else(wrong)
}

/// One stroke, of which only the meaning as YAML is checked: the next may be needed for the rest.
fn written(text: &str, stroke: &Stroke) -> Result<String, PenError> {
    let tree = yaml::read(text, FILE).map_err(PenError::Wrong)?;
    let Some(task) = Task::of(&tree, stroke)? else { return Ok(text.to_owned()) };
    let page = extent::Page { text, tree: &tree };
    let after = edit::done(&page, &task)?;
    let mut shall = tree.clone();
    task.pretend(&mut shall);
    let says = yaml::read(&after, FILE).ok();
    let is_right = says.is_some_and(|says| ordered(says) == ordered(shall));
    if is_right { Ok(after) } else { Err(PenError::ByHand("its layout is unusual")) }
}

/// What a stroke comes down to, in a tree that has the place for it.
#[derive(Clone, Debug)]
enum Task {
    /// This mapping has this key with this value.
    Set(Vec<Step>, String, Ink),
    /// This mapping no longer has this key.
    Unset(Vec<Step>, String),
    /// This list, which is there and not empty, has one more item.
    Append(Vec<Step>, Ink),
    /// This list, which has others, no longer has this item.
    Remove(Vec<Step>, usize),
}

impl Task {
    /// `None` if all is so already.
    fn of(tree: &Tree, stroke: &Stroke) -> Result<Option<Self>, PenError> {
        Ok(match stroke {
            Stroke::AddNode(member) => Some(Self::append(tree, "nodes", node(member))),
            Stroke::RemoveNode(id) => Some(Self::remove(tree, "nodes", index_of(tree, id)?)?),
            Stroke::SetOfNode(id, key, value) => {
                let way = vec![Step::Key("nodes".into()), Step::Item(index_of(tree, id)?)];
                Some(Self::Set(way, (*key).into(), value.clone()))
            }
            Stroke::UnsetOfNode(id, key) => {
                let way = vec![Step::Key("nodes".into()), Step::Item(index_of(tree, id)?)];
                Self::unset(tree, way, key)
            }
            Stroke::Set(keys, value) => Some(Self::set(tree, keys, value)?),
            Stroke::Unset(keys) => {
                let Some((key, way)) = keys.split_last() else { return Ok(None) };
                Self::unset(tree, way_of(way), key)
            }
            Stroke::AddItem(list, item) => Some(Self::append(tree, list, item.clone())),
            Stroke::RemoveItem(list, index) => Some(Self::remove(tree, list, *index)?),
        })
    }

    /// Sets a value, and makes the mapping it belongs to where there is none.
    fn set(tree: &Tree, keys: &[&'static str], value: &Ink) -> Result<Self, PenError> {
        let nothing = PenError::ByHand("no key is named");
        let (key, owners) = keys.split_last().ok_or(nothing)?;
        let way = way_of(owners);
        let entry = ((*key).to_owned(), value.clone());
        match tree.at(&way) {
            Some(Tree::Table(_)) => Ok(Self::Set(way, entry.0, entry.1)),
            None | Some(Tree::Nothing) => Self::set(tree, owners, &Ink::Table(vec![entry])),
            Some(Tree::Text(preset)) if owners == ["timing"] => {
                let preset = ("preset".to_owned(), Ink::Word(preset.clone()));
                Self::set(tree, owners, &Ink::Table(vec![preset, entry]))
            }
            Some(Tree::Text(_) | Tree::List(_) | Tree::Switch(_) | Tree::Whole(_))
            | Some(Tree::Number) => Err(PenError::ByHand("what should hold the key is no mapping")),
        }
    }

    /// Unsets a key, and with the last one what held it.
    fn unset(tree: &Tree, mut way: Vec<Step>, key: &str) -> Option<Self> {
        tree.at(&[way.as_slice(), &[Step::Key(key.into())]].concat())?;
        match (tree.at(&way), way.last()) {
            (Some(Tree::Table(entries)), Some(Step::Key(owner))) if entries.len() == 1 => {
                let owner = owner.clone();
                way.pop();
                Self::unset(tree, way, &owner)
            }
            _ => Some(Self::Unset(way, key.into())),
        }
    }

    fn append(tree: &Tree, list: &str, item: Ink) -> Self {
        let way = vec![Step::Key(list.into())];
        match tree.at(&way) {
            Some(Tree::List(items)) if !items.is_empty() => Self::Append(way, item),
            _ => Self::Set(Vec::new(), list.into(), Ink::List(vec![item])),
        }
    }

    fn remove(tree: &Tree, list: &str, index: usize) -> Result<Self, PenError> {
        let way = vec![Step::Key(list.into())];
        match tree.at(&way) {
            Some(Tree::List(items)) if items.len() == 1 && index == 0 => {
                Ok(Self::Unset(Vec::new(), list.into()))
            }
            Some(Tree::List(items)) if index < items.len() => Ok(Self::Remove(way, index)),
            _ => Err(PenError::Absent(format!("item {} of `{list}`", index + 1))),
        }
    }

    /// What the text must say afterwards.
    fn pretend(&self, tree: &mut Tree) {
        let (Self::Set(way, ..)
        | Self::Unset(way, _)
        | Self::Append(way, _)
        | Self::Remove(way, _)) = self;
        match (self, tree.at_mut(way)) {
            (Self::Set(_, key, ink), Some(Tree::Table(entries))) => {
                entries.retain(|(name, _)| name != key);
                entries.push((key.clone(), ink.tree()));
            }
            (Self::Unset(_, key), Some(Tree::Table(entries))) => {
                entries.retain(|(name, _)| name != key);
            }
            (Self::Append(_, ink), Some(Tree::List(items))) => items.push(ink.tree()),
            (Self::Remove(_, index), Some(Tree::List(items))) if *index < items.len() => {
                items.remove(*index);
            }
            // What is not there cannot change; the text that was written anyway will differ.
            _ => (),
        }
    }
}

fn way_of(keys: &[&str]) -> Vec<Step> {
    keys.iter().map(|key| Step::Key((*key).to_owned())).collect()
}

/// Which item of `nodes` has this name.
fn index_of(tree: &Tree, id: &NodeId) -> Result<usize, PenError> {
    let absent = || PenError::Absent(format!("node `{id}`"));
    let Some(Tree::List(items)) = tree.at(&way_of(&["nodes"])) else { return Err(absent()) };
    let name = [Step::Key("id".into())];
    let is_it = |item: &Tree| item.at(&name) == Some(&Tree::Text(id.as_str().to_owned()));
    items.iter().position(is_it).ok_or_else(absent)
}

/// A node's line, as [`cluster::node_line`] writes it.
fn node(member: &Member) -> Ink {
    let mut entries = vec![
        ("id".to_owned(), Ink::Text(member.id.to_string())),
        ("address".to_owned(), Ink::Text(member.address.to_string())),
    ];
    if member.role != MemberRole::Voter {
        entries.push(("role".to_owned(), Ink::Word(words::of_role(member.role).into())));
    }
    if member.priority != PRIORITY_DEFAULT {
        entries.push(("priority".to_owned(), Ink::Whole(member.priority.into())));
    }
    entries.push(("key".to_owned(), Ink::Text(format!("SHA256:{}", member.pin))));
    entries.push(("storage".to_owned(), Ink::Text(member.storage.to_string())));
    Ink::Table(entries)
}

/// The same with the keys of every mapping in one order, which does not count.
fn ordered(tree: Tree) -> Tree {
    match tree {
        Tree::Table(entries) => {
            let entries = entries.into_iter().map(|(key, value)| (key, ordered(value)));
            Tree::Table(order::sorted(entries.collect(), |(one, _), (other, _)| one.cmp(other)))
        }
        Tree::List(items) => Tree::List(items.into_iter().map(ordered).collect()),
        Tree::Nothing | Tree::Switch(_) | Tree::Whole(_) | Tree::Number | Tree::Text(_) => tree,
    }
}
