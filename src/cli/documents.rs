//! `history --documents` and `show --revision`: the documents that a node kept, who asked for each
//! and when, and what it changed. From the daemon; the list from its files where none answers.
//! Never hides that documents are missing: a node has only what it saw, and keeps so many.

use crate::cli::args::{Format, Scope};
use crate::cli::client::{self, ANSWER_LIMIT, Client, Trouble};
use crate::cli::columns;
use crate::cli::commands::Outcome;
use crate::cli::console::{Console, Failure};
use crate::cli::difference::difference;
use crate::cli::exit::Exit;
use crate::cli::history::told_or_kept;
use crate::cli::style::{Style, Tone};
use crate::settings::paths::{Place, Places};
use crate::wire::archive::{Archive, RevisionReport};
use crate::wire::control::{DocumentReport, Request, Response, SCHEMA};

/// How wide the column of authors is at least.
const AUTHOR_WIDTH: usize = 20;
/// How wide one may make it: `quorate: NAME DEED` of a usual length fits.
const AUTHOR_WIDTH_MAX: usize = 44;
/// How wide a change may be in it.
const CHANGE_WIDTH: usize = 100;

/// The document of that revision.
///
/// # Errors
/// The node has none, or any trouble with the daemon.
pub(super) fn revision(door: &Place, revision: u64) -> Result<DocumentReport, Failure> {
    match client::ask(door, &Request::Revision { revision }, ANSWER_LIMIT) {
        Ok(Response::Document(document)) => Ok(document),
        Ok(_) => Err(Trouble::Foreign(door.path.clone()).into()),
        Err(Trouble::Refused(words)) => Err(Failure::new(Exit::No, words)),
        Err(trouble) => Err(trouble.into()),
    }
}

/// The newest `count` documents.
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
    let archive = find(places, console)?;
    let all = &archive.documents;
    let newest = all.len().saturating_sub(count)..all.len();
    let with_patch = scope == Scope::Patches;
    let rows: Vec<_> = newest.map(|at| row(all, at, with_patch)).collect();
    match format {
        Format::Json => rows.iter().try_for_each(|row| console.print_json(row))?,
        Format::Text if with_patch => {
            rows.iter().try_for_each(|row| console.print(&page(row, console.style)))?;
        }
        Format::Text => console.print(&table(&rows, console.style))?,
    }
    tell_of_gaps(&archive, console);
    Ok(Exit::Done)
}

/// What the daemon tells. If none answers, what its files do.
fn find(places: &Places, console: &mut Console<'_>) -> Result<Archive, Failure> {
    let place = &places.state_dir.path;
    told_or_kept(ask(places), place, console, |mut failure| match Archive::read(place) {
        Ok(archive) if !archive.documents.is_empty() => Ok(archive),
        Ok(_) => Err(failure),
        Err(error) => {
            failure.message += &format!("; and its documents cannot be read: {error}");
            Err(failure)
        }
    })
}

fn ask(places: &Places) -> Result<Archive, Trouble> {
    let mut client = Client::connect(&places.socket, ANSWER_LIMIT)?;
    client.say(&Request::Documents {})?;
    let mut documents = Vec::new();
    loop {
        let answer = client.hear()?;
        if let Response::Document(document) = answer {
            documents.push(document);
        } else if let Response::EndOfHistory(end) = answer {
            return Ok(Archive { documents, unreadable: end.unreadable });
        } else {
            return Err(client.foreign());
        }
    }
}

/// One document beside the one before it.
fn row(all: &[DocumentReport], at: usize, with_patch: bool) -> RevisionReport {
    let document = &all[at];
    let before = at.checked_sub(1).map(|at| &all[at]);
    let before = before.filter(|before| before.revision + 1 == document.revision);
    let patch = before.map(|before| {
        let names = [before, document].map(|one| format!("revision {}", one.revision));
        difference(&before.body, &document.body, [&names[0], &names[1]])
    });
    let lines = |sign: char| {
        let body = patch.as_ref().map(|patch| patch.lines().skip(2));
        body.map(|body| body.filter(|line| line.starts_with(sign)).count())
    };
    RevisionReport {
        schema: SCHEMA,
        revision: document.revision,
        position: document.position.clone(),
        hash: document.hash.clone(),
        author: document.author.clone(),
        time: document.time.clone(),
        added: lines('+'),
        removed: lines('-'),
        change: patch.as_deref().and_then(gist),
        patch: patch.filter(|_| with_patch),
    }
}

/// The change in one line: the first line that came, or else the first that went; a comment only
/// if there is nothing else.
fn gist(patch: &str) -> Option<String> {
    let lines = || patch.lines().skip(2).filter(|line| line.starts_with(['+', '-']));
    let is_remark = |line: &&str| matches!(line[1..].trim_start().chars().next(), None | Some('#'));
    let of_sign = |sign: char, remarks: bool| {
        lines().find(|line| line.starts_with(sign) && is_remark(line) == remarks)
    };
    let found = of_sign('+', false).or_else(|| of_sign('-', false));
    let found = found.or_else(|| of_sign('+', true)).or_else(|| of_sign('-', true))?;
    let sign = if found.starts_with('-') { "without " } else { "" };
    let plain = |letter: char| if letter.is_control() { '?' } else { letter };
    Some(format!("{sign}{}", found[1..].trim()).chars().map(plain).collect())
}

/// The documents as a table.
#[must_use]
fn table(rows: &[RevisionReport], style: Style) -> String {
    let names = rows.iter().filter_map(|row| row.author.as_deref());
    let widest = names.map(columns::width).max().unwrap_or_default();
    let width = widest.clamp(AUTHOR_WIDTH, AUTHOR_WIDTH_MAX);
    let head = line(style, width, ["REVISION", "WHEN (UTC)", "WHO", "LINES", "CHANGE"]);
    let lines = rows.iter().map(|row| {
        let counts = match (row.added, row.removed) {
            (Some(added), Some(removed)) => format!("+{added} -{removed}"),
            _ => "-".to_owned(),
        };
        let change = row.change.as_deref().unwrap_or(match row.added {
            Some(_) => "the same text",
            None => "(what was before is not kept here)",
        });
        let change = if row.revision == 1 { "the first document" } else { change };
        let who = row.author.as_deref().unwrap_or("-");
        let (revision, when) = (row.revision.to_string(), when(row));
        let change = style.cut(change, CHANGE_WIDTH);
        line(style, width, [&revision, &when, who, &counts, change.trim_end()])
    });
    let head = style.paint(Tone::Quiet, &head);
    core::iter::once(head).chain(lines).fold(String::new(), |text, line| text + &line + "\n")
}

fn line(style: Style, width: usize, cells: [&str; 5]) -> String {
    let [revision, when, who, counts, change] = cells;
    let who = style.fit(who, width);
    format!("{revision:>8}  {when:<19}  {who}  {counts:<8}  {change}")
}

/// One document with all it changed.
fn page(row: &RevisionReport, style: Style) -> String {
    let who = row.author.as_deref().unwrap_or("nobody knows whom");
    let head = format!("revision {} by {who}, {}\n", row.revision, when(row));
    let patch = row.patch.as_deref().unwrap_or("(what was before is not kept here)\n");
    format!("{}{patch}\n", style.paint(Tone::Strong, &head))
}

fn when(row: &RevisionReport) -> String {
    let time = row.time.as_deref().unwrap_or("-");
    time.chars().take(19).collect::<String>().replace('T', " ")
}

/// What this node does not have.
fn tell_of_gaps(archive: &Archive, console: &mut Console<'_>) {
    if let Some(first) = archive.documents.first().filter(|first| first.revision > 1) {
        console.tell(&format!(
            "nothing before revision {} is here: this node was not there yet, or keeps it no more",
            first.revision
        ));
    }
    for pair in archive.documents.windows(2) {
        let [from, to] = [pair[0].revision + 1, pair[1].revision - 1];
        if from <= to {
            console.tell(&format!("this node did not see revisions {from} to {to}"));
        }
    }
    if archive.unreadable > 0 {
        console.tell(&format!("{} damaged documents are left out", archive.unreadable));
    }
}
