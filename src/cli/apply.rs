//! `quorate apply`: shows what would change in the cluster.yaml, asks for it, and tells what became
//! of it. Never writes a file, and never decides: the master does (R43).

use std::time::Duration;

use crate::cli::client::{ANSWER_LIMIT, Client, Trouble};
use crate::cli::command::{ApplyOptions, Format, Wanted};
use crate::cli::commands::{Outcome, committed, unsure};
use crate::cli::config;
use crate::cli::console::{Console, Failure};
use crate::cli::difference::difference;
use crate::cli::documents;
use crate::cli::exit::Exit;
use crate::cli::rebase::{self, Consent, Draft};
use crate::cli::steps::{self, Counted};
use crate::cli::stopwatch::{Stopwatch, pause};
use crate::settings::paths::Place;
use crate::settings::{Problem, config_check};
use crate::wire::control::{DocumentReport, EditReport, Request, Response, SCHEMA};

/// How long the master may take to decide; a long lease has to run out first.
const DECISION_LIMIT: Duration = Duration::from_secs(120);
/// Between two tries while nobody can decide.
pub(super) const TRY_EVERY: Duration = Duration::from_millis(200);
/// What may be over soon: no master yet, the edit of somebody else, a newcomer that is not up to
/// date yet.
const PASSING: [&str; 4] = [
    "rejected-not-master",
    "rejected-edit-pending",
    "rejected-not-caught-up",
    "rejected-document-missing",
];

/// `quorate apply`.
///
/// # Errors
/// That FILE is wrong or the edit was not taken, or any trouble with the daemon or the output.
pub(super) fn apply(door: &Place, options: &ApplyOptions, console: &mut Console<'_>) -> Outcome {
    let (mut text, name) = wanted(door, &options.text)?;
    let notes = check(&text, &name).map_err(invalid)?;
    let mut now = committed(door)?;
    if text == now.body {
        return conclude(unchanged(&now), options.format, console);
    }
    notes.iter().for_each(|note| console.tell(note));
    let mut base = base(door, &options.text, &now);
    let consent = if options.rebase { Consent::Given } else { Consent::Hinted };
    loop {
        let revision = base.as_ref().map_or_else(|unknown| *unknown, |base| base.revision);
        let is_known = base.is_ok();
        let mut refused = None;
        // Whoever wants it on top of what is there need not be refused first.
        if revision == now.revision || !options.rebase || !is_known {
            if options.format == Format::Text {
                console.print(&difference(&now.body, &text, ["committed", &name]))?;
            }
            let before = base.as_ref().map_or(now.body.as_str(), |base| base.body.as_str());
            if options.dry_run {
                if let Some(list) = steps::shown(before, &text) {
                    console.tell(&list);
                }
                return Ok(Exit::Done);
            }
            let (from, none) = ((revision, before), Counted::default());
            let report = steps::carry_out(door, from, &text, options.patience, none, console)?;
            refused = Some(report);
        }
        let next = match (&base, &refused) {
            (Err(unknown), Some(report)) if is_moved(report) => {
                let number = unknown;
                console.tell(&format!(
                    "This node has no revision {number}: what changed since cannot be shown."
                ));
                None
            }
            (Ok(base), report) if report.as_ref().is_none_or(is_moved) => {
                rebase::offer(door, &Draft { base, text: &text, name: &name }, consent, console)?
            }
            (Ok(_) | Err(_), _) => None,
        };
        match (next, refused) {
            (Some((theirs, merged)), _) if merged == theirs.body => {
                return conclude(unchanged(&theirs), options.format, console);
            }
            (Some((theirs, merged)), _) => {
                (base, now, text) = (Ok(theirs.clone()), theirs, merged);
            }
            (None, Some(report)) => return conclude(report, options.format, console),
            (None, None) => {
                let words = "nothing was changed: put your change into what is committed now";
                return Err(Failure::new(Exit::No, words));
            }
        }
    }
}

/// What the document shall become, and what people know that by.
fn wanted(door: &Place, wanted: &Wanted) -> Result<(String, String), Failure> {
    match wanted {
        Wanted::File { path, .. } => Ok((config::read(path)?, config::name_of(path))),
        Wanted::Revision(number) => {
            let name = format!("revision {number}");
            Ok((documents::revision(door, *number)?.body, name))
        }
    }
}

/// What it was made from; only the number of it where this node does not have it.
fn base(door: &Place, wanted: &Wanted, now: &DocumentReport) -> Result<DocumentReport, u64> {
    match wanted {
        Wanted::File { made_from: Some(number), .. } if *number != now.revision => {
            documents::revision(door, *number).map_err(|_| *number)
        }
        Wanted::File { .. } | Wanted::Revision(_) => Ok(now.clone()),
    }
}

/// What a person should know of a text that is valid.
pub(super) fn check(text: &str, name: &str) -> Result<Vec<String>, Problem> {
    let mut notes = config_check(text, name)?;
    notes.retain(|note| note.starts_with("warning"));
    Ok(notes)
}

/// The text is no cluster.yaml.
pub(super) fn invalid(problem: Problem) -> Failure {
    Failure::new(Exit::BadData, problem.to_string())
}

/// Asks for `text` instead of `revision`, for as long as nobody can decide.
///
/// # Errors
/// Any trouble with the daemon.
pub(super) fn propose(
    door: &Place,
    revision: u64,
    text: &str,
    patience: Duration,
) -> Result<EditReport, Failure> {
    let asked = Stopwatch::start();
    loop {
        let report = propose_once(door, revision, text)?;
        let is_passing = report.reason.as_deref().is_some_and(|reason| PASSING.contains(&reason));
        let left = asked.left_of(patience);
        if !is_passing || left.is_zero() {
            return Ok(report);
        }
        pause(left.min(TRY_EVERY));
    }
}

fn propose_once(door: &Place, revision: u64, text: &str) -> Result<EditReport, Failure> {
    let mut client = Client::connect(door, ANSWER_LIMIT)?;
    client.be_patient(Some(DECISION_LIMIT))?;
    let failure = |trouble: Trouble| unsure(trouble, "compare it with quorate show");
    client.say(&Request::Edit { revision, body: text.to_owned() }).map_err(failure)?;
    let Response::Edit(report) = client.hear().map_err(failure)? else {
        return Err(failure(client.foreign()));
    };
    Ok(report)
}

/// Whether somebody else's edit came first.
pub(super) fn is_moved(report: &EditReport) -> bool {
    report.reason.as_deref() == Some("rejected-revision-moved")
}

/// Nothing was asked for, since everything is so already.
pub(super) fn unchanged(before: &DocumentReport) -> EditReport {
    EditReport {
        schema: SCHEMA,
        outcome: "unchanged".to_owned(),
        revision: Some(before.revision),
        position: None,
        reason: None,
        message: format!("nothing to change: this is revision {} already", before.revision),
    }
}

/// Tells what became of it, and what that means to a script.
pub(super) fn conclude(report: EditReport, format: Format, console: &mut Console<'_>) -> Outcome {
    if format == Format::Json {
        console.print_json(&report)?;
    }
    let exit = match report.outcome.as_str() {
        "committed" | "unchanged" => {
            if format == Format::Text {
                console.tell(&report.message);
            }
            return Ok(Exit::Done);
        }
        "rejected" if report.reason.as_deref().is_some_and(|why| PASSING.contains(&why)) => {
            Exit::TryAgain
        }
        "rejected" => Exit::No,
        _ => Exit::TryAgain,
    };
    Err(Failure::new(exit, report.message))
}
