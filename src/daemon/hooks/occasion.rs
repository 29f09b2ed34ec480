//! What a hook is told: why it runs, what this node is now, under which term; as arguments, as
//! environment and as one JSON object. Never starts a hook.

use std::ffi::OsString;
use std::path::PathBuf;

use serde_json::{Map, Value};

use crate::settings::hooks::ArgvStyle;
use crate::wire::environment as names;

/// The schema of the JSON object.
const SCHEMA: u64 = 1;
/// keepalived gives its scripts a priority; ours do not differ by one.
const PRIORITY: &str = "100";

/// What a node is, as its hooks know it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Role {
    /// It is master.
    Master,
    /// Another node is, or may be.
    Backup,
    /// It is not master and hears no majority.
    NoQuorum,
}

impl Role {
    /// The word hooks know it by.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Master => "master",
            Self::Backup => "backup",
            Self::NoQuorum => "no_quorum",
        }
    }

    /// The one `word` names.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Master, Self::Backup, Self::NoQuorum].into_iter().find(|role| role.word() == word)
    }

    /// The state of an instance in keepalived's words.
    fn keepalived(self) -> &'static str {
        match self {
            Self::Master => "MASTER",
            Self::Backup => "BACKUP",
            Self::NoQuorum => "FAULT",
        }
    }
}

/// One reason to run a hook.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Occasion {
    /// `master`, `backup`, `no_quorum`, or the code of an event.
    pub event: String,
    /// What this node is now.
    pub role: Role,
    /// What it was before, if that is known.
    pub prev_role: Option<Role>,
    /// This node's name.
    pub node: String,
    /// The cluster's name.
    pub cluster: String,
    /// The cluster's identity, hexadecimal.
    pub cluster_id: String,
    /// The master's name, if there is one.
    pub master: Option<String>,
    /// Where the master is reached by its peers.
    pub master_address: Option<String>,
    /// The name of the master before.
    pub prev_master: Option<String>,
    /// The fencing token (R35).
    pub term: u64,
    /// Counts occasions: a larger one is a later one.
    pub seq: u64,
    /// The code of why it happened.
    pub reason: Option<String>,
    /// How long this node's lease lasts from now, if it is master.
    pub lease_ms: Option<u64>,
    /// When it happened: RFC 3339, UTC.
    pub timestamp: String,
    /// Where the daemon answers.
    pub socket: PathBuf,
    /// The daemon's version.
    pub version: String,
}

impl Occasion {
    /// What is started: a command's `own` words and what `style` puts after them.
    #[must_use]
    pub fn words(&self, own: &[String], style: ArgvStyle) -> Vec<OsString> {
        let more = match style {
            ArgvStyle::Quorate => vec![self.event.as_str(), self.role.word(), &self.cluster],
            ArgvStyle::Keepalived => {
                vec!["INSTANCE", &self.cluster, self.role.keepalived(), PRIORITY]
            }
        };
        own.iter().map(OsString::from).chain(more.into_iter().map(OsString::from)).collect()
    }

    /// The whole environment; nothing of the daemon's own is in it, and what is not known is there
    /// and empty.
    #[must_use]
    pub fn environment(&self) -> Vec<(String, String)> {
        let own = self.facts().into_iter().map(|(name, value)| (name, text(&value)));
        let all = names::plain().into_iter().chain(own);
        all.map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// The same as one line of JSON: numbers are numbers, and what is not known is null.
    #[must_use]
    pub fn stdin(&self) -> Vec<u8> {
        let mut object = Map::new();
        object.insert("schema".to_owned(), SCHEMA.into());
        object.extend(self.facts().into_iter().map(|(name, value)| (names::key(name), value)));
        let mut line = Value::Object(object).to_string().into_bytes();
        line.push(b'\n');
        line
    }

    /// Every fact under its name, in the order people read them.
    fn facts(&self) -> [(&'static str, Value); names::NAMES.len()] {
        let socket = self.socket.to_string_lossy().into_owned();
        let values: [Value; names::NAMES.len()] = [
            self.event.as_str().into(),
            self.role.word().into(),
            self.prev_role.map(Role::word).into(),
            self.node.as_str().into(),
            self.cluster.as_str().into(),
            self.cluster_id.as_str().into(),
            self.master.as_deref().into(),
            self.master_address.as_deref().into(),
            self.prev_master.as_deref().into(),
            self.term.into(),
            self.seq.into(),
            self.reason.as_deref().into(),
            self.lease_ms.into(),
            self.timestamp.as_str().into(),
            socket.into(),
            self.version.as_str().into(),
        ];
        let mut values = values.into_iter();
        names::NAMES.map(|name| (name, values.next().expect("there are as many values as names")))
    }
}

/// A fact as an environment has it; no variable can hold a zero byte.
fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.replace('\0', ""),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}
