//! Reads and writes node.yaml: what is true of one node only, and is the admin's.
//! Never holds timing or members; those come from the cluster's document.

use std::path::PathBuf;

use log::LevelFilter;

use super::address::Address;
use super::cluster::named;
use super::command::quoted;
use super::field::{Field, Reader, Source};
use super::hooks::{self, HookName, Hooks};
use super::http::{self, HttpSettings};
use super::keys;
use super::probe::{self, HealthProbe, PositionProbe};
use super::problem::Problem;
use crate::protocol::units::NodeId;

/// Where a node listens that names nothing else.
pub const LISTEN_DEFAULT: &str = "0.0.0.0:9901";

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
    /// What it runs when its role changes.
    pub hooks: Option<Hooks>,
    /// What it asks whether it is fit to be master.
    pub health: Option<HealthProbe>,
    /// What it asks how fresh its data is.
    pub position: Option<PositionProbe>,
    /// What it answers over HTTP.
    pub http: HttpSettings,
    /// The device that resets the machine when nobody pets it, if it is used.
    pub watchdog: Option<PathBuf>,
    /// Whether its state directory may turn up on another machine, or as another directory.
    pub may_move: bool,
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
    /// Every program that node.yaml lets this node start: its key, and its path.
    pub fn programs(&self) -> impl Iterator<Item = (String, &str)> {
        let Self { hooks, health, position, .. } = self;
        let hook = |name: HookName| {
            let words = hooks.as_ref()?.command(name)?;
            Some((format!("hooks.{}", name.word()), words))
        };
        let health = health.as_ref().map(|probe| ("health".into(), &probe.command[..]));
        let position = position.as_ref().map(|probe| ("position".into(), &probe.command[..]));
        let all = HookName::ALL.map(hook).into_iter().chain([health, position]);
        all.flatten().map(|(key, words)| (key, words[0].as_str()))
    }

    /// Settings with every default.
    #[must_use]
    pub fn new(id: NodeId) -> Self {
        Self {
            id,
            listen: LISTEN_DEFAULT.into(),
            advertise: None,
            log: LogSettings::default(),
            acting_log: None,
            hooks: None,
            health: None,
            position: None,
            http: HttpSettings::default(),
            watchdog: None,
            may_move: false,
        }
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
    let table = source.table(&keys::NODE)?;
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
    settings.hooks = table.find("hooks").map(|field| hooks::read(&field)).transpose()?;
    settings.health = table.find("health").map(|field| probe::read_health(&field)).transpose()?;
    settings.position =
        table.find("position").map(|field| probe::read_position(&field)).transpose()?;
    settings.http = http::read(&table)?;
    settings.watchdog = match table.find("watchdog") {
        Some(field) if field.as_text() != Some("off") => Some(device(&field)?),
        Some(_) | None => None,
    };
    settings.may_move = table.find("may_move").map_or(Ok(false), |field| field.switch())?;
    Ok(settings)
}

fn device(field: &Field<'_>) -> Result<PathBuf, Problem> {
    field.absolute_path().map_err(|problem| problem.hint("write `off`, or `/dev/watchdog`"))
}

fn log_settings(field: &Field<'_>) -> Result<LogSettings, Problem> {
    let table = field.table(&keys::LOG)?;
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
    let NodeSettings { id, listen, log, may_move, .. } = settings;
    let [level, format] = [log.level.as_str().to_lowercase(), log.format.word().into()];
    let [advertise, acting_log, watchdog] = render_words(settings);
    let [hooks, health, position] = render_programs(settings);
    let [http, http_hosts, agent] = http::render(&settings.http);
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

# What it runs when its role changes: whole paths, no shell, safe to run twice.
# Try one with: quorate hook test master --dry-run
{hooks}

# What says whether this node is fit to be master: exit code 0 is yes, anything else is no.
{health}

# What says how fresh this node's data is: it prints one whole number, larger is fresher.
{position}

# Where it answers over HTTP: who is master, status, metrics. It only ever answers questions, to
# anybody who reaches that address. off: nowhere.
{http}

# By what names whoever asks may call it, besides its own and any address.
{http_hosts}

# Where it tells HAProxy's agent-check whether it is master.
{agent}

# A device that resets the machine when the node can no longer end what it runs.
{watchdog}

# true: the state directory moves between machines, such as a volume of a container, and whoever
# moves it never has it in two places. Else a node whose machine changed does not start.
may_move: {may_move}
"
    )
}

fn render_words(settings: &NodeSettings) -> [String; 3] {
    let path = |key: &str, path: &PathBuf| format!("{key}: {}", quoted(&path.to_string_lossy()));
    [
        settings.advertise.as_ref().map_or_else(
            || "# advertise: \"alpha.example.net:9901\"".into(),
            |address| format!("advertise: \"{address}\""),
        ),
        settings.acting_log.as_ref().map_or_else(
            || "# acting_log: /var/lib/quorate/acting.log".into(),
            |file| path("acting_log", file),
        ),
        settings
            .watchdog
            .as_ref()
            .map_or_else(|| "watchdog: off".into(), |device| path("watchdog", device)),
    ]
}

fn render_programs(settings: &NodeSettings) -> [String; 3] {
    let hooks = "# hooks:
#   master: [/etc/quorate/hooks/master]        # when this node became master
#   backup: [/etc/quorate/hooks/backup]        # when it stopped being master, and once at start
#   no_quorum: [/etc/quorate/hooks/no_quorum]  # when it is not master and hears no majority
#   event: [/etc/quorate/hooks/event]          # for every event
#   timeout: 30s                               # for one run, 1s to 10m
#   retries: 2                                 # of a failed one, 0 to 10
#   on_fail: step-down                         # or retry, ignore: when `master` failed for good
#   argv: quorate                              # or keepalived";
    let health = "# health: {command: [/usr/local/bin/db-ok], interval: 5s, timeout: 2s, rise: 2, \
                  fall: 3}";
    let position = "# position: {command: [/usr/local/bin/db-lsn], interval: 5s, timeout: 2s}";
    [
        settings.hooks.as_ref().map_or_else(|| hooks.into(), hooks::render),
        settings.health.as_ref().map_or_else(|| health.into(), probe::render_health),
        settings.position.as_ref().map_or_else(|| position.into(), probe::render_position),
    ]
}
