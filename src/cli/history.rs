//! `history`: who was master from when to when, or all events kept, through restarts. From the
//! daemon; from its files where none answers.
//! Never writes to those files, and never hides that lines of them are missing.

use std::io;
use std::path::Path;

use crate::cli::args::{Format, Scope};
use crate::cli::client::{ANSWER_LIMIT, Client, Trouble};
use crate::cli::commands::{Outcome, print_event};
use crate::cli::console::{Console, Failure};
use crate::cli::exit::Exit;
use crate::cli::reigns::{self, MASTER, NOT_WATCHED};
use crate::cli::style::{Style, Tone, span};
use crate::settings::paths::Places;
use crate::wire::control::{HistoryEnd, ReignReport, Request, Response};
use crate::wire::history::{FILE, Past};

/// How wide a name may be in the table.
const NAME_WIDTH: usize = 16;

/// What was kept.
struct Kept {
    past: Past,
    /// None where no daemon told when it ends.
    end: Option<HistoryEnd>,
}

/// The newest `count` masterships, or events.
///
/// # Errors
/// Neither the daemon nor its files tell, or trouble with the output.
pub(super) fn history(
    places: &Places,
    count: usize,
    scope: Scope,
    format: Format,
    console: &mut Console<'_>,
) -> Outcome {
    let Kept { past, end } = find(places, console)?;
    match scope {
        Scope::Reigns => {
            let reigns = reigns::reigns(&past.events, end.as_ref());
            let newest = &reigns[reigns.len().saturating_sub(count)..];
            match format {
                Format::Json => newest.iter().try_for_each(|one| console.print_json(one))?,
                Format::Text => {
                    let node = past.events.last().map_or("-", |event| &event.node);
                    console.print(&table(node, newest, console.style))?;
                }
            }
        }
        Scope::Documents | Scope::Patches => unreachable!("documents tells of these"),
        Scope::Events => {
            let newest = &past.events[past.events.len().saturating_sub(count)..];
            newest.iter().try_for_each(|event| print_event(event, format, console))?;
        }
    }
    if past.unreadable > 0 {
        let lines = past.unreadable;
        console.tell(&format!("{lines} damaged lines of the history are left out"));
    }
    Ok(Exit::Done)
}

/// What the daemon tells. If none answers, what its files do.
fn find(places: &Places, console: &mut Console<'_>) -> Result<Kept, Failure> {
    let directory = &places.state_dir.path;
    let file = directory.join(FILE);
    told_or_kept(ask(places), &file, console, |mut failure| match Past::read(directory) {
        Ok(past) => Ok(Kept { past, end: None }),
        Err(error) => {
            if error.kind() == io::ErrorKind::PermissionDenied {
                failure.exit = Exit::Permission;
            }
            let is_missing = error.kind() == io::ErrorKind::NotFound;
            let unread = || format!("cannot be read: {error}");
            let why = if is_missing { "is not there yet".to_owned() } else { unread() };
            failure.message += &format!("; and {} {why}", file.display());
            Err(failure)
        }
    })
}

/// What the daemon told. If none answers, what `read` makes of that and of its files at `place`.
///
/// # Errors
/// Any other trouble with the daemon, or that of `read`.
pub(super) fn told_or_kept<T>(
    told: Result<T, Trouble>,
    place: &Path,
    console: &mut Console<'_>,
    read: impl FnOnce(Failure) -> Result<T, Failure>,
) -> Result<T, Failure> {
    match told {
        Err(trouble @ (Trouble::NotThere(_) | Trouble::Silent(_))) => {
            let kept = read(trouble.into())?;
            console.tell(&format!("no daemon answers: read from {}", place.display()));
            Ok(kept)
        }
        told => told.map_err(Failure::from),
    }
}

fn ask(places: &Places) -> Result<Kept, Trouble> {
    let mut client = Client::connect(&places.socket, ANSWER_LIMIT)?;
    client.say(&Request::History {})?;
    let mut past = Past::default();
    loop {
        match client.hear()? {
            Response::Event(event) => past.events.push(*event),
            Response::EndOfHistory(end) => {
                past.unreadable = end.unreadable;
                return Ok(Kept { past, end: Some(end) });
            }
            Response::Status(_)
            | Response::Document(_)
            | Response::Handover(_)
            | Response::Edit(_)
            | Response::EndOfEvents
            | Response::Doctor(_)
            | Response::Key(_)
            | Response::Taken
            | Response::NotMaster
            | Response::Granted(_)
            | Response::Extended(_)
            | Response::Stop { .. }
            | Response::Error(_) => return Err(client.foreign()),
        }
    }
}

/// The masterships as a table of 80 columns.
#[must_use]
pub fn table(node: &str, reigns: &[ReignReport], style: Style) -> String {
    let head = format!("who was master, as {node} saw it; times are UTC\n");
    let titles = row(style, ["FROM", "LASTED", "MASTER", "TERM", "ENDED"]);
    let lines = reigns.iter().map(|reign| line(reign, style));
    let lines = core::iter::once(style.paint(Tone::Quiet, &titles)).chain(lines);
    lines.fold(style.paint(Tone::Quiet, &head), |text, line| format!("{text}{line}\n"))
}

fn line(reign: &ReignReport, style: Style) -> String {
    let from: String = reign.from.chars().take(19).collect::<String>().replace('T', " ");
    let doubt = if reign.exact { "" } else { "~" };
    let lasted = format!("{doubt}{}", span(reign.lasted_ms));
    let (who, tone) = match (&reign.master, reign.kind.as_str()) {
        (Some(master), MASTER) => (master.as_str(), None),
        (_, NOT_WATCHED) => ("(not watched)", Some(Tone::Quiet)),
        _ => ("no master", Some(Tone::Warn)),
    };
    let term = reign.term.map_or(String::new(), |term| term.to_string());
    let ended = reign.ended.as_deref().unwrap_or("lasts");
    let text = row(style, [&from, &lasted, who, &term, ended]);
    tone.map_or(text.clone(), |tone| style.paint(tone, &text))
}

fn row(style: Style, cells: [&str; 5]) -> String {
    let [from, lasted, who, term, ended] = cells;
    let who = style.fit(who, NAME_WIDTH);
    format!("{from:<19}  {lasted:<10}  {who}  {term:>5}  {ended}")
}
