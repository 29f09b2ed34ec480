//! Reads the words of the commands that change one thing in cluster.yaml.
//! Never looks at a cluster.yaml: whether there is such a node is seen later.

use std::time::Duration;

use super::operands::DECIDED_WITHIN;
use super::{Command, Typed, UsageError};
use crate::cli::command::{Change, ChangeFlags, NewNode};
use crate::protocol::membership::MemberRole;
use crate::protocol::units::NodeId;
use crate::settings::pen::Ink;
use crate::settings::suggest::nearest;
use crate::settings::words;

/// What `node set` changes.
const SET_KEYS: [&str; 3] = ["address", "role", "priority"];
/// What a node's line has.
const ADD_KEYS: [&str; 5] = ["address", "role", "priority", "key", "storage"];

/// `node remove`, `node promote`, `node demote`, `online`.
pub(super) fn about_node(
    typed: &mut Typed,
    change: impl Fn(NodeId) -> Change,
) -> Result<Command, UsageError> {
    let id = node(typed)?;
    finish(typed, change(id))
}

/// `standby NODE [--for TIME]`.
pub(super) fn standby(typed: &mut Typed) -> Result<Command, UsageError> {
    let span = span(typed)?;
    let id = node(typed)?;
    finish(typed, Change::Standby(id, span))
}

/// `maintenance on|off [--for TIME]`.
pub(super) fn maintenance(typed: &mut Typed) -> Result<Command, UsageError> {
    let span = span(typed)?;
    let word = typed.operands.pop().unwrap_or_default();
    let change = match (word.to_str(), span) {
        (Some("on"), span) => Change::MaintenanceOn(span),
        (Some("off"), None) => Change::MaintenanceOff,
        (Some("off"), Some(_)) => {
            return Err(typed.wrong("--for says how long it is on: leave it out".to_owned()));
        }
        _ => return Err(typed.wrong("say on or off: quorate maintenance on|off".to_owned())),
    };
    finish(typed, change)
}

/// `node add -`, or `node add ID KEY=VALUE...`.
pub(super) fn add(typed: &mut Typed) -> Result<Command, UsageError> {
    if typed.operands.len() == 1 && typed.operands[0] == "-" {
        typed.operands.clear();
        return finish(typed, Change::Add(NewNode::Printed));
    }
    let pairs = pairs(typed, &ADD_KEYS)?;
    let id = node(typed)?;
    let has = |wanted: &str| pairs.iter().any(|(key, _)| *key == wanted);
    for (key, hint) in [
        ("address", "address=HOST:PORT, where it listens"),
        ("key", "key=SHA256:..., as `quorate init` prints it on that machine"),
        ("storage", "storage=..., as `quorate init` prints it on that machine"),
    ] {
        if !has(key) {
            return Err(typed.wrong(format!("`{key}` is missing: {hint}")));
        }
    }
    let mut entries = vec![("id".to_owned(), Ink::Text(id.as_str().to_owned()))];
    for wanted in ADD_KEYS {
        let found = pairs.iter().find(|(key, _)| *key == wanted);
        match found {
            Some((key, ink)) => entries.push(((*key).to_owned(), ink.clone())),
            // Nobody votes before it has what the others have.
            None if wanted == "role" => {
                let observer = words::of_role(MemberRole::Observer).to_owned();
                entries.push(("role".to_owned(), Ink::Word(observer)));
            }
            None => {}
        }
    }
    finish(typed, Change::Add(NewNode::Line(Ink::Table(entries))))
}

/// `node set ID KEY=VALUE...`.
pub(super) fn set(typed: &mut Typed) -> Result<Command, UsageError> {
    let pairs = pairs(typed, &SET_KEYS)?;
    if pairs.is_empty() {
        return Err(typed.wrong(format!("KEY=VALUE is missing: {}", SET_KEYS.join(", "))));
    }
    let id = node(typed)?;
    finish(typed, Change::Set(id, pairs))
}

fn finish(typed: &mut Typed, change: Change) -> Result<Command, UsageError> {
    let flags = ChangeFlags {
        dry_run: typed.has("dry-run"),
        transfer: typed.has("transfer"),
        force: typed.has("force"),
        patience: typed.time("wait", DECIDED_WITHIN)?,
        format: typed.format(),
    };
    Ok(Command::Change(change, flags))
}

fn span(typed: &mut Typed) -> Result<Option<Duration>, UsageError> {
    if !typed.has("for") {
        return Ok(None);
    }
    match typed.time("for", Duration::ZERO)? {
        Duration::ZERO => Err(typed.wrong("--for 0s: must be longer than that".to_owned())),
        span => Ok(Some(span)),
    }
}

/// The node that the last word names.
fn node(typed: &mut Typed) -> Result<NodeId, UsageError> {
    match super::node(typed)? {
        Some(node) => Ok(node),
        None => Err(typed.wrong("the node's name is missing: see quorate node list".to_owned())),
    }
}

/// Everything after the first word, as key and value.
fn pairs(
    typed: &mut Typed,
    known: &[&'static str],
) -> Result<Vec<(&'static str, Ink)>, UsageError> {
    let words = typed.operands.split_off(typed.operands.len().min(1));
    let mut pairs: Vec<(&'static str, Ink)> = Vec::new();
    for word in words {
        let word = word.to_string_lossy().into_owned();
        let Some((key, value)) = word.split_once('=') else {
            return Err(typed.wrong(format!("{word} is no KEY=VALUE: {}", known.join(", "))));
        };
        let Some(key) = known.iter().find(|known| **known == key) else {
            let meant = nearest(key, known.iter().copied()).map(|key| format!("{key}={value}"));
            let wrong = format!("unknown key {key}: the keys here are {}", known.join(", "));
            return Err(UsageError { meant, ..typed.wrong(wrong) });
        };
        if pairs.iter().any(|(taken, _)| taken == key) {
            return Err(typed.wrong(format!("{key} is given twice")));
        }
        pairs.push((key, ink(typed, key, value)?));
    }
    Ok(pairs)
}

fn ink(typed: &Typed, key: &str, value: &str) -> Result<Ink, UsageError> {
    match key {
        "priority" => value.parse().map(Ink::Whole).map_err(|_| {
            typed.wrong(format!("priority={value}: must be a whole number from 0 to {}", u32::MAX))
        }),
        "role" => Ok(Ink::Word(value.to_owned())),
        _ => Ok(Ink::Text(value.to_owned())),
    }
}
