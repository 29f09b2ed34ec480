//! `quorate key show` and `quorate key rotate`: what this node's key is, and a new one for it.
//! Never touches a key: the daemon makes, shows and removes them.

use core::time::Duration;

use crate::cli::client::{self, ANSWER_LIMIT, Trouble};
use crate::cli::command::Format;
use crate::cli::commands::Outcome;
use crate::cli::console::{Console, Failure};
use crate::cli::exit::Exit;
use crate::cli::stopwatch::{Stopwatch, pause};
use crate::settings::paths::Place;
use crate::wire::control::{Request, Response};
use crate::wire::keys::KeyReport;

/// Between two looks at how far it is.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// `quorate key show`.
///
/// # Errors
/// Any trouble with the daemon or the output.
pub(super) fn show(door: &Place, format: Format, console: &mut Console<'_>) -> Outcome {
    let report = ask(door, &Request::Key {})?;
    match format {
        Format::Json => console.print_json(&report)?,
        Format::Text => console.print(&text(&report))?,
    }
    Ok(Exit::Done)
}

/// `quorate key rotate`: begins it, or goes on with one that was begun, and waits for its end.
///
/// # Errors
/// It is not done in time, or any trouble with the daemon or the output.
pub(super) fn rotate(
    door: &Place,
    patience: Duration,
    format: Format,
    console: &mut Console<'_>,
) -> Outcome {
    let waited = Stopwatch::start();
    let mut report = ask(door, &Request::RotateKey {})?;
    while report.state != "settled" {
        if waited.left_of(patience).is_zero() {
            return Err(Failure::new(Exit::TryAgain, unfinished(&report)));
        }
        pause(LOOK_EVERY);
        report = ask(door, &Request::Key {})?;
    }
    match format {
        Format::Json => console.print_json(&report)?,
        Format::Text => {
            console.print(&format!("the key of {} is {} now\n", report.node, report.key))?
        }
    }
    Ok(Exit::Done)
}

fn ask(door: &Place, request: &Request) -> Result<KeyReport, Failure> {
    let Response::Key(report) = client::ask(door, request, ANSWER_LIMIT)? else {
        return Err(Trouble::Foreign(door.path.clone()).into());
    };
    Ok(*report)
}

fn text(report: &KeyReport) -> String {
    let mut text = format!("{} of {}", report.key, report.node);
    if let Some(made) = &report.made {
        text.push_str(&format!(", made {made}"));
    }
    text.push('\n');
    if report.state != "settled" {
        text.push_str(&format!("{}\n", under_way(report)));
    }
    text
}

fn unfinished(report: &KeyReport) -> String {
    format!(
        "not done yet, nothing is lost, and the daemon goes on by itself: {}; quorate key show \
         says how far it is",
        under_way(report)
    )
}

fn under_way(report: &KeyReport) -> String {
    let mut words = match &report.next {
        Some(next) => format!("its next key is {next}"),
        None => "it shows its new key, and the old one is still in cluster.yaml".to_owned(),
    };
    if !report.waits_for.is_empty() {
        words.push_str(&format!("; it waits for {}", report.waits_for.join(", ")));
    }
    if !report.why.is_empty() {
        words.push_str(&format!(" ({})", report.why));
    }
    words
}
