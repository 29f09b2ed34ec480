//! Takes a cluster.yaml from one document to another through the steps that `plan` names, visibly,
//! and stops at the first that is not taken with an account of what was done and what was not.
//! Never undoes a step: each was a whole edit that the cluster agreed on.

use std::time::Duration;

use crate::cli::apply::{invalid, propose};
use crate::cli::client::{self, ANSWER_LIMIT};
use crate::cli::console::{Console, Failure};
use crate::cli::exit::Exit;
use crate::cli::plan::{self, Step};
use crate::settings::cluster;
use crate::settings::paths::Place;
use crate::settings::pen::PenError;
use crate::wire::control::EditReport;

/// How the steps are counted: `done` others came before them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counted {
    /// So many.
    pub(super) done: usize,
}

/// Asks for `after` in the place of `before`, which is the content of `revision`.
///
/// # Errors
/// Any trouble with the daemon; before the first step only, that no steps could be written.
pub(super) fn carry_out(
    door: &Place,
    (revision, before): (u64, &str),
    after: &str,
    patience: Duration,
    counted: Counted,
    console: &mut Console<'_>,
) -> Result<EditReport, Failure> {
    let steps = match plan::steps(before, after) {
        Ok(steps) => steps,
        // The master knows why not, and says so.
        Err(PenError::ByHand(_) | PenError::Wrong(_) | PenError::Absent(_)) => {
            vec![Step { title: "the document changes".to_owned(), body: after.to_owned() }]
        }
    };
    let count = counted.done + steps.len();
    if steps.len() > 1 {
        refuse_masterless(door, after)?;
    }
    let mut revision = revision;
    let mut last = None;
    for (index, step) in steps.iter().enumerate() {
        let number = counted.done + index + 1;
        if count > 1 {
            console.tell(&format!("step {number} of {count}: {}", step.title));
        }
        let report = match propose(door, revision, &step.body, patience) {
            Ok(report) if count == 1 => return Ok(report),
            Ok(report) => report,
            Err(failure) if count == 1 => return Err(failure),
            Err(failure) => {
                let message = account(&steps, index, count, &failure.message);
                return Err(Failure::new(failure.exit, message));
            }
        };
        match report.revision.filter(|_| report.outcome == "committed") {
            Some(committed) => {
                revision = committed;
                if index + 1 < steps.len() {
                    console.tell(&report.message);
                }
                last = Some(report);
            }
            None => {
                let message = account(&steps, index, count, &report.message);
                return Ok(EditReport { message, ..report });
            }
        }
    }
    Ok(last.expect("a plan has at least one step"))
}

/// The steps with these titles, one a line, if there are several.
pub(super) fn listed(titles: &[String]) -> Option<String> {
    if titles.len() < 2 {
        return None;
    }
    let line = |(index, title): (usize, &String)| {
        format!("  step {} of {}: {title}", index + 1, titles.len())
    };
    let lines: Vec<String> = titles.iter().enumerate().map(line).collect();
    Some(format!("this is done in steps:\n{}", lines.join("\n")))
}

/// The same for the way from one document to another.
pub(super) fn shown(before: &str, after: &str) -> Option<String> {
    let steps = plan::steps(before, after).ok()?;
    listed(&steps.into_iter().map(|step| step.title).collect::<Vec<_>>())
}

/// The last of several steps could not be taken if it takes the vote of the acting master.
fn refuse_masterless(door: &Place, after: &str) -> Result<(), Failure> {
    let status = client::status(door, ANSWER_LIMIT)?;
    let Some(master) = status.master else { return Ok(()) };
    let members = cluster::parse_agreed(after, "cluster.yaml").map_err(invalid)?.members;
    if members.all().any(|member| member.id.as_str() == master.id && member.may_lead()) {
        return Ok(());
    }
    let message = format!(
        "nothing was changed: {} is the master and could not be any more; hand mastership over \
         with quorate transfer NODE first",
        master.id
    );
    Err(Failure::new(Exit::No, message))
}

/// What happened up to the step that was not taken, and what is left.
fn account(steps: &[Step], at: usize, count: usize, why: &str) -> String {
    let first = count - steps.len();
    let number = first + at + 1;
    let mut text = format!("step {number} of {count} ({}) was not taken: {why}", steps[at].title);
    if number > 1 {
        text.push_str(&format!("\nwhat was done before it stays: {} of {count} steps", number - 1));
    }
    let left: Vec<&str> = steps[at + 1..].iter().map(|step| step.title.as_str()).collect();
    if !left.is_empty() {
        text.push_str(&format!("\nnot tried: {}", left.join("; ")));
    }
    text.push_str("\nthe same command goes on from here once the reason is gone");
    text
}
