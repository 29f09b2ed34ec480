//! What the later of two people who edit at once is told and offered: what the document was, what
//! others made of it, what this one wanted, and both together where nothing overlaps.
//! Never proposes anything, and never merges unless it was asked to.

use std::io::{self, BufRead, IsTerminal};
use std::time::Duration;

use crate::cli::apply::check;
use crate::cli::commands::committed;
use crate::cli::console::{Console, Failure};
use crate::cli::difference::difference;
use crate::cli::merge::{merge, shown};
use crate::cli::stopwatch::{Stopwatch, pause};
use crate::settings::paths::Place;
use crate::wire::control::DocumentReport;

/// How long the document that came first may take to arrive at the node that is asked.
const ARRIVES_WITHIN: Duration = Duration::from_secs(5);
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Who says whether one change may go on top of the other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Consent {
    /// The flag did.
    Given,
    /// The person is asked, if there is a terminal.
    Asked,
    /// Nobody: it is only said how.
    Hinted,
}

/// A change as a person made it.
#[derive(Debug)]
pub(super) struct Draft<'a> {
    /// What it was made from.
    pub(super) base: &'a DocumentReport,
    pub(super) text: &'a str,
    /// What people know the text by.
    pub(super) name: &'a str,
}

/// Tells of the three texts after somebody else came first. The document now, and the change on top
/// of it, if that is possible and wanted.
///
/// # Errors
/// Any trouble with the daemon.
pub(super) fn offer(
    door: &Place,
    draft: &Draft<'_>,
    consent: Consent,
    console: &mut Console<'_>,
) -> Result<Option<(DocumentReport, String)>, Failure> {
    let Draft { base, text, name } = *draft;
    let theirs = newer_than(door, base.revision)?;
    tell_of_theirs(base, &theirs, console);
    let title = format!("revision {}", base.revision);
    let mine = difference(&base.body, text, [&title, name]);
    console.tell(&format!("You wanted:\n{}", mine.trim_end()));
    let merged = match merge(&base.body, &theirs.body, text) {
        Ok(merged) => merged,
        Err(overlaps) => {
            console.tell(shown(&overlaps).trim_end());
            return Ok(None);
        }
    };
    if let Err(problem) = check(&merged, name) {
        console.tell(&format!(
            "No line was changed by both, but both together are not valid: {problem}"
        ));
        return Ok(None);
    }
    let revision = theirs.revision;
    console.tell("No line was changed by both.");
    let is_wanted = match consent {
        Consent::Given => true,
        Consent::Asked if io::stdin().is_terminal() => {
            answers_yes(&format!("Put yours on top of revision {revision}? [y/N]"), console)?
        }
        Consent::Asked | Consent::Hinted => {
            console.tell(&format!(
                "To put yours on top of revision {revision}: quorate apply FILE --revision {} \
                 --rebase",
                base.revision
            ));
            false
        }
    };
    Ok(is_wanted.then_some((theirs, merged)))
}

/// What others made of `base`, and who they are.
fn tell_of_theirs(base: &DocumentReport, theirs: &DocumentReport, console: &mut Console<'_>) {
    let names = [base, theirs].map(|document| format!("revision {}", document.revision));
    let diff = difference(&base.body, &theirs.body, [&names[0], &names[1]]);
    let who = match &theirs.author {
        Some(author) => format!("{author} was the last"),
        None => "it is not known who".to_owned(),
    };
    console.tell(&format!("Meanwhile somebody changed ({who}):\n{}", diff.trim_end()));
}

/// The committed document, as soon as it is one that came after `revision`.
fn newer_than(door: &Place, revision: u64) -> Result<DocumentReport, Failure> {
    let asked = Stopwatch::start();
    loop {
        let now = committed(door)?;
        let left = asked.left_of(ARRIVES_WITHIN);
        if now.revision > revision || left.is_zero() {
            return Ok(now);
        }
        pause(left.min(LOOK_EVERY));
    }
}

fn answers_yes(question: &str, console: &mut Console<'_>) -> Result<bool, Failure> {
    console.tell(question);
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
