//! `quorate edit`: the committed cluster.yaml in the person's editor, again with the mistake beside
//! its line until it is right, then asked for. Never loses a text that somebody typed.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, IsTerminal, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::cli::apply::{check, conclude, invalid, is_moved, unchanged};
use crate::cli::command::Format;
use crate::cli::commands::{Outcome, committed};
use crate::cli::config;
use crate::cli::console::{Console, Failure};
use crate::cli::difference::difference;
use crate::cli::exit::Exit;
use crate::cli::rebase::{self, Consent, Draft};
use crate::cli::steps::{self, Counted};
use crate::settings::Problem;
use crate::settings::paths::Place;
use crate::wire::control::DocumentReport;

/// How the line with a mistake begins; such lines are no part of what was typed.
const MARK: &str = "#! ";
/// What people know the text by.
const NAME: &str = "cluster.yaml";

/// Where the text is while it is edited.
struct Desk {
    place: PathBuf,
}

impl Desk {
    /// A directory that nobody else can look into.
    fn set(text: &str) -> io::Result<Self> {
        let mut number = 0;
        let place = loop {
            let name = format!("quorate-edit-{}-{number}", std::process::id());
            let place = std::env::temp_dir().join(name);
            match DirBuilder::new().mode(0o700).create(&place) {
                Ok(()) => break place,
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
                Err(error) => return Err(error),
            }
        };
        let desk = Self { place };
        let mut file =
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(desk.file())?;
        file.write_all(text.as_bytes())?;
        Ok(desk)
    }

    fn file(&self) -> PathBuf {
        self.place.join(NAME)
    }

    fn clear(&self) {
        // What is left there is the person's own text in the person's own directory.
        let _ = fs::remove_dir_all(&self.place);
    }

    /// A failure that leaves the text where it is.
    fn kept(&self, failure: Failure) -> Failure {
        let kept = format!("your text is kept in {}", self.file().display());
        Failure::new(failure.exit, format!("{}\n{kept}", failure.message))
    }
}

/// `quorate edit`.
///
/// # Errors
/// That the editor failed, the edit was not taken, or any trouble with the daemon.
pub(super) fn edit(
    door: &Place,
    patience: Duration,
    rebase: bool,
    console: &mut Console<'_>,
) -> Outcome {
    let before = committed(door)?;
    let desk = Desk::set(&before.body)?;
    let text = match typed(&desk, &before.body, console) {
        Ok(text) => text,
        Err(failure) => return Err(desk.kept(failure)),
    };
    if text == before.body {
        desk.clear();
        return conclude(unchanged(&before), Format::Text, console);
    }
    let consent = if rebase { Consent::Given } else { Consent::Asked };
    let outcome = carry_out(door, before, text, patience, consent, console);
    match outcome {
        Ok(exit) => {
            desk.clear();
            Ok(exit)
        }
        Err(failure) => Err(desk.kept(failure)),
    }
}

/// Asks for `text` instead of `before`, and on top of what others changed meanwhile if that is
/// wanted.
fn carry_out(
    door: &Place,
    mut before: DocumentReport,
    mut text: String,
    patience: Duration,
    consent: Consent,
    console: &mut Console<'_>,
) -> Outcome {
    loop {
        let names = [format!("revision {}", before.revision), "yours".to_owned()];
        console.print(&difference(&before.body, &text, [&names[0], &names[1]]))?;
        let from = (before.revision, before.body.as_str());
        let report = steps::carry_out(door, from, &text, patience, Counted::default(), console)?;
        if !is_moved(&report) {
            return conclude(report, Format::Text, console);
        }
        let draft = Draft { base: &before, text: &text, name: "yours" };
        match rebase::offer(door, &draft, consent, console)? {
            Some((theirs, merged)) if merged == theirs.body => {
                return conclude(unchanged(&theirs), Format::Text, console);
            }
            Some(next) => (before, text) = next,
            None => return conclude(report, Format::Text, console),
        }
    }
}

/// A valid text, after as many looks at it as that takes.
fn typed(desk: &Desk, before: &str, console: &mut Console<'_>) -> Result<String, Failure> {
    let mut last = before.to_owned();
    loop {
        open_editor(&desk.file())?;
        let shown = config::read(&desk.file())?;
        let text = unmarked(&shown);
        let problem = match check(&text, NAME) {
            Ok(notes) => {
                notes.iter().for_each(|note| console.tell(note));
                return Ok(text);
            }
            Err(problem) => problem,
        };
        // Whoever leaves the editor without a change after a mistake gives up.
        if text == last || !io::stdin().is_terminal() {
            return Err(invalid(problem));
        }
        fs::write(desk.file(), marked(&text, &problem))?;
        last = text;
    }
}

/// `text` with the mistake above its line.
fn marked(text: &str, problem: &Problem) -> String {
    let at = problem.line.unwrap_or(1).saturating_sub(1);
    let words = problem.to_string();
    let note: String = words.lines().map(|line| format!("{MARK}{}\n", line.trim())).collect();
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let (above, below) = lines.split_at(at.min(lines.len()));
    [above.concat(), note, below.concat()].concat()
}

fn unmarked(text: &str) -> String {
    text.split_inclusive('\n').filter(|line| !line.starts_with(MARK)).collect()
}

/// The person's editor, as other programs start it: what `VISUAL` or `EDITOR` says, by the shell.
#[expect(clippy::disallowed_methods, reason = "the person's editor is started here only")]
fn open_editor(file: &Path) -> Result<(), Failure> {
    let named = ["VISUAL", "EDITOR"].into_iter().filter_map(|name| std::env::var(name).ok());
    let editor = named.into_iter().find(|words| !words.trim().is_empty());
    let editor = editor.unwrap_or_else(|| "vi".to_owned());
    let status = Command::new("/bin/sh")
        .args(["-c", &format!("{editor} \"$1\""), "quorate"])
        .arg(file)
        .status()?;
    if status.success() {
        return Ok(());
    }
    let message = format!("the editor `{editor}` ended with {status}; nothing was changed");
    Err(Failure::new(Exit::No, message))
}
