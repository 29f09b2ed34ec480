//! `config check` and `config origin`: what the files mean and where they are.
//! Never changes a file.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use rustix::fs::{Mode, OFlags};
use serde::Serialize;

use crate::cli::args::{Format, TimingSource};
use crate::cli::budget::{self, Budget};
use crate::cli::commands::Outcome;
use crate::cli::console::{Console, Failure};
use crate::cli::exit::Exit;
use crate::daemon::hooks::sound;
use crate::daemon::reset::{device, leash};
use crate::settings::node::NodeSettings;
use crate::settings::paths::{Place, Places};
use crate::settings::{cluster, config_check, node, node_check};
use crate::wire::control::SCHEMA;

/// No settings file is larger.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// What a file is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Node,
    Cluster,
}

/// `quorate config check FILE`: as a node.yaml if it is called so, else as a cluster.yaml.
///
/// # Errors
/// That it cannot be read or is wrong.
pub(super) fn check_file(file: &Path, console: &mut Console<'_>) -> Outcome {
    let is_node = file.file_name().is_some_and(|name| name == "node.yaml");
    check(file, if is_node { Kind::Node } else { Kind::Cluster }, console)
}

fn check(file: &Path, kind: Kind, console: &mut Console<'_>) -> Outcome {
    let text = read(file)?;
    let name = name_of(file);
    let notes = match kind {
        Kind::Node => node::parse(&text, &name)
            .map(|node| [node_check(&node), unsound(&node), watchdog_notes(&node)].concat()),
        Kind::Cluster => config_check(&text, &name),
    };
    let notes = notes.map_err(|problem| Failure::new(Exit::Config, problem.to_string()))?;
    console.print(&format!("{name}: valid\n"))?;
    for note in notes {
        console.print(&format!("  {note}\n"))?;
    }
    Ok(Exit::Done)
}

/// What its daemon would refuse to start on this machine; on its own it may be different.
fn unsound(node: &NodeSettings) -> Vec<String> {
    let refused = |(key, program): (String, &str)| {
        let why = sound::check(Path::new(program)).err()?;
        Some(format!("warning: {key} would not be run here: {why}"))
    };
    node.programs().filter_map(refused).collect()
}

/// What there is to say about the hardware watchdog on this machine; its daemon may be on another.
fn watchdog_notes(node: &NodeSettings) -> Vec<String> {
    let Some(path) = &node.watchdog else { return Vec::new() };
    let facts = match device::look(path) {
        Ok(facts) => facts,
        Err(why) => return vec![format!("warning: {} cannot be armed: {why}", path.display())],
    };
    let mut notes = vec![match facts.timeout {
        Some(timeout) => format!("watchdog: fires {} s after the last pet", timeout.as_secs()),
        None => "warning: nobody can say when the watchdog fires; 60 s are assumed".to_owned(),
    }];
    if facts.is_for_good {
        let words = "warning: the watchdog cannot be disarmed (nowayout): this machine is reset \
                     soon after the daemon ends, however it ends";
        notes.push(words.to_owned());
    }
    notes
}

/// Whether this node's hardware watchdog fits into the leases of its cluster.
fn watchdog_fit(config: &Path, document: &Path) -> Option<String> {
    let (config_text, document_text) = (read(config).ok()?, read(document).ok()?);
    let path = node::parse(&config_text, "node.yaml").ok()?.watchdog?;
    let timing = cluster::parse(&document_text, "cluster.yaml").ok()?.timing;
    let timeout = device::look(&path).ok()?.timeout?;
    let (seconds, reach) = (timeout.as_secs(), timing.reset_reach().as_millis());
    Some(match leash::fits(timeout, timing.reset_reach()) {
        true => format!(
            "watchdog: twice its {seconds} s fits into a lease, which has room for {reach}ms"
        ),
        false => format!(
            "warning: twice the watchdog's {seconds} s does not fit into a lease, which has room \
             for {reach}ms: another node may act before it fires"
        ),
    })
}

/// `quorate config check`: this node's node.yaml, and its cluster.yaml if it has one.
///
/// # Errors
/// As [`check_file`].
pub(super) fn check_own(places: &Places, console: &mut Console<'_>) -> Outcome {
    check(&places.config.path, Kind::Node, console)?;
    let document = places.state_dir.path.join("cluster.yaml");
    match fs::exists(&document) {
        Ok(false) => {
            console.tell(&format!("{}: not there, so not checked", document.display()));
            Ok(Exit::Done)
        }
        Ok(true) | Err(_) => {
            let outcome = check(&document, Kind::Cluster, console)?;
            if let Some(note) = watchdog_fit(&places.config.path, &document) {
                console.print(&format!("  {note}\n"))?;
            }
            Ok(outcome)
        }
    }
}

/// What people know `file` by.
pub(super) fn name_of(file: &Path) -> String {
    match file.as_os_str() == "-" {
        true => "standard input".to_owned(),
        false => file.display().to_string(),
    }
}

/// The text of `file`, or of standard input for `-`. A plain file or nothing: others may never
/// answer, or never end.
///
/// # Errors
/// That it cannot be read, or is too large.
pub(super) fn read(file: &Path) -> Result<String, Failure> {
    if file.as_os_str() == "-" {
        return text(io::stdin().lock(), "standard input");
    }
    let name = file.display().to_string();
    let file = open(file).map_err(|error| cannot_read(&name, &error))?;
    if !file.metadata().map_err(|error| cannot_read(&name, &error))?.is_file() {
        let message = format!("{name} is no plain file: name one, or - for standard input");
        return Err(Failure::new(Exit::NoInput, message));
    }
    text(file, &name)
}

/// NONBLOCK keeps a FIFO from holding us; for plain files it means nothing.
fn open(file: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    Ok(File::from(rustix::fs::open(file, flags, Mode::empty())?))
}

fn text(source: impl Read, name: &str) -> Result<String, Failure> {
    let mut text = String::new();
    let read = source.take(FILE_BYTES_MAX + 1).read_to_string(&mut text);
    match read.map(u64::try_from) {
        Ok(Ok(..=FILE_BYTES_MAX)) => Ok(text),
        Ok(_) => {
            let message = format!("{name} is larger than {FILE_BYTES_MAX} bytes");
            Err(Failure::new(Exit::BadData, message))
        }
        Err(error) => Err(cannot_read(name, &error)),
    }
}

fn cannot_read(name: &str, error: &io::Error) -> Failure {
    let kinds = [
        (io::ErrorKind::PermissionDenied, Exit::Permission),
        (io::ErrorKind::InvalidData, Exit::Config),
    ];
    let exit = kinds.iter().find(|(kind, _)| *kind == error.kind());
    let exit = exit.map_or(Exit::NoInput, |(_, exit)| *exit);
    Failure::new(exit, format!("cannot read {name}: {error}"))
}

/// `quorate config timing PRESET --json`, and of a file.
#[derive(Serialize)]
struct ArithmeticReport {
    /// Always [`SCHEMA`].
    schema: u32,
    /// What follows from it.
    timing: Budget,
}

/// `quorate config timing --json`.
#[derive(Serialize)]
struct PresetsReport {
    /// Always [`SCHEMA`].
    schema: u32,
    /// What follows from each preset, by its name.
    presets: BTreeMap<&'static str, Budget>,
}

/// `quorate config timing`.
///
/// # Errors
/// That the file cannot be read or is wrong.
pub(super) fn timing(source: &TimingSource, format: Format, console: &mut Console<'_>) -> Outcome {
    let timing = match source {
        TimingSource::Presets => return all_presets(format, console),
        TimingSource::Preset(preset) => {
            let mut presets = budget::presets().into_iter();
            let found = presets.find(|(name, _)| *name == preset.name());
            found.expect("every preset has a timing").1
        }
        TimingSource::File(file) => {
            let charter = cluster::parse(&read(file)?, &name_of(file));
            charter.map_err(|problem| Failure::new(Exit::Config, problem.to_string()))?.timing
        }
    };
    let budget = Budget::of(&timing);
    match format {
        Format::Json => console.print_json(&ArithmeticReport { schema: SCHEMA, timing: budget })?,
        Format::Text => {
            console.print(
                &budget.lines().iter().map(|line| format!("{line}\n")).collect::<String>(),
            )?;
        }
    }
    Ok(Exit::Done)
}

fn all_presets(format: Format, console: &mut Console<'_>) -> Outcome {
    if format == Format::Json {
        let budgets = budget::presets().map(|(name, timing)| (name, Budget::of(&timing)));
        let presets = BTreeMap::from(budgets);
        console.print_json(&PresetsReport { schema: SCHEMA, presets })?;
        return Ok(Exit::Done);
    }
    console.print(&format!("{:<28}{:>10}{:>10}{:>10}\n", "", "lan", "default", "wan"))?;
    for [name, lan, default, wan] in budget::table() {
        console.print(&format!("{name:<28}{lan:>10}{default:>10}{wan:>10}\n"))?;
    }
    console.print("\nquorate config timing PRESET or FILE shows the arithmetic.\n")?;
    Ok(Exit::Done)
}

/// `quorate config origin --json`.
#[derive(Serialize)]
struct OriginReport<'a> {
    /// Always [`SCHEMA`].
    schema: u32,
    /// node.yaml.
    config: PlaceReport<'a>,
    /// The state directory.
    state_dir: PlaceReport<'a>,
    /// The control socket.
    socket: PlaceReport<'a>,
}

/// One place.
#[derive(Serialize)]
struct PlaceReport<'a> {
    /// Where it is.
    path: String,
    /// Who said so: a flag, a variable of the environment, or the default.
    from: &'a str,
}

impl<'a> PlaceReport<'a> {
    fn of(place: &'a Place) -> Self {
        Self { path: place.path.display().to_string(), from: &place.origin }
    }
}

/// `quorate config origin`.
///
/// # Errors
/// Trouble with the output.
pub(super) fn origin(places: &Places, format: Format, console: &mut Console<'_>) -> Outcome {
    if format == Format::Json {
        console.print_json(&OriginReport {
            schema: SCHEMA,
            config: PlaceReport::of(&places.config),
            state_dir: PlaceReport::of(&places.state_dir),
            socket: PlaceReport::of(&places.socket),
        })?;
        return Ok(Exit::Done);
    }
    let rows =
        [("config", &places.config), ("state-dir", &places.state_dir), ("socket", &places.socket)];
    let width = rows.iter().map(|(_, place)| place.path.as_os_str().len()).max().unwrap_or(0);
    for (name, place) in rows {
        let path = place.path.display().to_string();
        console.print(&format!("{name:<10} {path:<width$}  from {}\n", place.origin))?;
    }
    Ok(Exit::Done)
}
