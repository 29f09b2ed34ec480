//! Reads and writes node.yaml: what is true of one node only, and is the admin's.
//! Never holds timing or members; those come from the cluster's document.

use std::path::PathBuf;

use log::LevelFilter;

use super::address::Address;
use super::cluster::named;
use super::field::{Field, Reader, Source, Table};
use super::problem::Problem;
use crate::protocol::units::NodeId;

/// Where a node listens that names nothing else.
pub const LISTEN_DEFAULT: &str = "0.0.0.0:9901";

const KEYS: [&str; 10] = [
    "id",
    "listen",
    "advertise",
    "log",
    "acting_log",
    "http",
    "watchdog",
    "hooks",
    "health",
    "position",
];
/// Known, and to come.
const UNAVAILABLE_KEYS: [&str; 3] = ["hooks", "health", "position"];
/// To come, and accepted while `off`.
const SWITCHED_OFF_KEYS: [&str; 2] = ["http", "watchdog"];
const LOG_KEYS: [&str; 2] = ["level", "format"];

/// What node.yaml says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NodeSettings {
    /// This node's name; the cluster's document lists it.
    pub id: NodeId,
    /// Where it listens for its peers, as `host:port`.
    pub listen: String,
    /// Where its peers reach it, if that is not where it listens.
    pub advertise: Option<String>,
    /// What it logs.
    pub log: LogSettings,
    /// Where it writes down when it acted as master, if it does.
    pub acting_log: Option<PathBuf>,
}

/// What a node logs, and how it looks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LogSettings {
    /// The least important line that is written.
    pub level: LevelFilter,
    /// How lines look.
    pub format: LogFormat,
}

impl Default for LogSettings {
    fn default() -> Self {
        Self { level: LevelFilter::Info, format: LogFormat::Text }
    }
}

/// How log lines look.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object per line.
    Json,
}

impl LogFormat {
    /// The word of node.yaml.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
        }
    }
}

impl NodeSettings {
    /// Settings with every default.
    #[must_use]
    pub fn new(id: NodeId) -> Self {
        let log = LogSettings::default();
        Self { id, listen: LISTEN_DEFAULT.into(), advertise: None, log, acting_log: None }
    }

    /// Where peers reach this node: `advertise`, else `listen` if that is one address, else the
    /// host's name, which is not asked for before, with the port of `listen`.
    ///
    /// # Errors
    /// Why the host's name is not known.
    pub fn advertise_address<E>(
        &self,
        host_name: impl FnOnce() -> Result<String, E>,
    ) -> Result<String, E> {
        if let Some(advertise) = &self.advertise {
            return Ok(advertise.clone());
        }
        match Address::parse(&self.listen) {
            Ok(listen) if !listen.is_specific() => {
                host_name().map(|name| format!("{name}:{}", listen.port))
            }
            Ok(_) | Err(_) => Ok(self.listen.clone()),
        }
    }
}

/// Reads a node.yaml. `file` is the name people know it by.
///
/// # Errors
/// The first thing that is wrong, with its place and what to do.
pub fn parse(text: &str, file: &str) -> Result<NodeSettings, Problem> {
    let source = Source::read(text, file, Reader::Person)?;
    let table = source.table(&KEYS)?;
    for key in UNAVAILABLE_KEYS {
        table.refuse_unavailable(key)?;
    }
    for key in SWITCHED_OFF_KEYS {
        refuse_unless_off(&table, key)?;
    }
    let id = named(&table.need("id", "give this node a name: `id: alpha`")?)?;
    let mut settings = NodeSettings::new(id);
    if let Some(listen) = table.find("listen") {
        listen.address()?;
        settings.listen = listen.text()?.into();
    }
    if let Some(advertise) = table.find("advertise") {
        advertise.specific_address()?;
        settings.advertise = Some(advertise.text()?.into());
    }
    if let Some(log) = table.find("log") {
        settings.log = log_settings(&log)?;
    }
    if let Some(file) = table.find("acting_log") {
        settings.acting_log = Some(file.absolute_path()?);
    }
    Ok(settings)
}

fn refuse_unless_off(table: &Table<'_>, key: &str) -> Result<(), Problem> {
    match table.find(key) {
        Some(field) if field.as_text() != Some("off") => {
            let problem = field.not_available(&format!("`{key}`"));
            Err(problem.hint(format!("remove the line, or write `{key}: off`")))
        }
        Some(_) | None => Ok(()),
    }
}

fn log_settings(field: &Field<'_>) -> Result<LogSettings, Problem> {
    let table = field.table(&LOG_KEYS)?;
    let mut settings = LogSettings::default();
    if let Some(level) = table.find("level") {
        settings.level = match level.word(&["error", "warn", "info", "debug", "trace"])? {
            "error" => LevelFilter::Error,
            "warn" => LevelFilter::Warn,
            "debug" => LevelFilter::Debug,
            "trace" => LevelFilter::Trace,
            _ => LevelFilter::Info,
        };
    }
    if let Some(format) = table.find("format") {
        settings.format = match format.word(&["text", "json"])? {
            "json" => LogFormat::Json,
            _ => LogFormat::Text,
        };
    }
    Ok(settings)
}

/// The node.yaml that says `settings`, with comments; [`parse`] reads it back.
#[must_use]
pub fn render(settings: &NodeSettings) -> String {
    let NodeSettings { id, listen, advertise, log, acting_log } = settings;
    let advertise = match advertise {
        Some(address) => format!("advertise: \"{address}\""),
        None => "# advertise: \"alpha.example.net:9901\"".into(),
    };
    let acting_log = match acting_log {
        Some(file) => format!("acting_log: {}", quoted(&file.to_string_lossy())),
        None => "# acting_log: /var/lib/quorate/acting.log".into(),
    };
    let [level, format] = [log.level.as_str().to_lowercase(), log.format.word().into()];
    format!(
        "# This node only. quorate wrote this file once and will not change it: it is yours.
# Timing and members are the cluster's, in cluster.yaml.

# This node's name, as cluster.yaml lists it.
id: \"{id}\"

# Where it listens for the other nodes.
listen: \"{listen}\"

# Where the other nodes reach it, if that is not where it listens.
{advertise}

# level: error, warn, info, debug or trace; format: text or json.
log: {{level: {level}, format: {format}}}

# A file to which every begin, extension and end of acting as master is appended, for audits.
{acting_log}
"
    )
}

/// A text as YAML reads it back, whatever is in it: JSON is YAML.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("a text is always JSON")
}
