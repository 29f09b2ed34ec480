//! `quorate doctor`: one page about everything that decides whether this node, and the cluster as
//! it sees it, will do what it is for. Gathers, has it judged, and shows it.
//! Never changes anything, and writes nothing to find something out.

use serde::Serialize;

pub mod facts;
pub mod hearing;
pub mod judge;
mod local;
pub mod outlook;
pub mod page;
mod surroundings;

use core::time::Duration;
use std::path::Path;

use facts::{Daemon, Facts, Finding};
use judge::Diagnosis;
use outlook::Consequence;

use crate::cli::args::Format;
use crate::cli::budget::Budget;
use crate::cli::client::{self, Trouble};
use crate::cli::commands::Outcome;
use crate::cli::config;
use crate::cli::console::Console;
use crate::cli::exit::Exit;
use crate::daemon::hooks::sound;
use crate::daemon::premises;
use crate::settings::node::{self, LISTEN_DEFAULT, NodeSettings};
use crate::settings::paths::{Place, Places};
use crate::wire::control::{Request, Response, SCHEMA};
use crate::wire::facts::FactsReport;

/// How long the daemon may take: at three in the morning nobody waits for long.
const ANSWER_LIMIT: Duration = Duration::from_secs(3);

/// `quorate doctor --json`.
#[derive(Serialize)]
struct DoctorReport<'a> {
    /// Always [`SCHEMA`].
    schema: u32,
    /// Whether nothing needs attention.
    well: bool,
    /// What somebody should know, the gravest first.
    findings: &'a [Finding],
    /// What each single failure would do.
    outlook: &'a [Consequence],
    /// What the timing in force means; null if it is not known.
    timing: Option<Budget>,
    /// The files of this node.
    files: &'a [premises::FileFacts],
    /// The room for its state; null if nobody can say.
    space: Option<premises::Space>,
    /// What the daemon says; null if it does not answer.
    daemon: Option<&'a FactsReport>,
}

/// `quorate doctor`.
///
/// # Errors
/// Trouble with the output; all else is a finding.
pub(super) fn doctor(places: &Places, format: Format, console: &mut Console<'_>) -> Outcome {
    let facts = gathered(places);
    let diagnosis = Diagnosis::of(&facts);
    match format {
        Format::Text => console.print(&page::page(&facts, &diagnosis, console.style))?,
        Format::Json => console.print_json(&DoctorReport {
            schema: SCHEMA,
            well: diagnosis.is_well(),
            findings: &diagnosis.findings,
            outlook: &diagnosis.outlook,
            timing: diagnosis.budget,
            files: &facts.files,
            space: facts.space.as_ref().ok().copied(),
            daemon: facts.report(),
        })?,
    }
    Ok(if diagnosis.is_well() { Exit::Done } else { Exit::No })
}

fn gathered(places: &Places) -> Facts {
    let settings = read(&places.config.path);
    let unsound = settings.as_ref().map(unsound).unwrap_or_default();
    let daemon = match asked(&places.socket) {
        Ok(report) => Daemon::Up(report),
        Err(trouble @ Trouble::NotThere(_)) => {
            let listen = settings.as_ref().map_or(LISTEN_DEFAULT, |settings| &settings.listen);
            let may_move = settings.as_ref().is_ok_and(|settings| settings.may_move);
            let start = premises::start(places, listen, may_move);
            Daemon::Down(trouble.to_string(), Box::new(start))
        }
        Err(trouble) => Daemon::Odd(trouble.to_string()),
    };
    Facts {
        daemon,
        files: premises::files(places),
        settings,
        unsound,
        space: premises::space(&places.state_dir.path).map_err(|error| error.to_string()),
        user: rustix::process::geteuid().as_raw(),
    }
}

fn asked(door: &Place) -> Result<Box<FactsReport>, Trouble> {
    let Response::Doctor(report) = client::ask(door, &Request::Doctor {}, ANSWER_LIMIT)? else {
        return Err(Trouble::Foreign(door.path.clone()));
    };
    Ok(report)
}

fn read(path: &Path) -> Result<NodeSettings, String> {
    let text = config::read(path).map_err(|failure| failure.message)?;
    node::parse(&text, &config::name_of(path)).map_err(|problem| problem.to_string())
}

fn unsound(settings: &NodeSettings) -> Vec<(String, String)> {
    let refused = |(key, program): (String, &str)| {
        sound::check(Path::new(program)).err().map(|why| (key, why.to_string()))
    };
    settings.programs().filter_map(refused).collect()
}
