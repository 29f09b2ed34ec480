//! Reads the words that follow a command where they must be one of few, or a number.
//! Never reads a flag's value.

use std::path::PathBuf;
use std::time::Duration;

use super::{
    ApplyOptions, Command, Goal, Preset, ROLES, TimingSource, Trial, Typed, UsageError, Wanted,
};
use crate::protocol::units::NodeId;
use crate::settings::hooks::HookName;
use crate::settings::suggest::nearest;
use crate::wire::codes;

/// The number that `quorate set-position` is given.
pub(super) fn position(typed: &mut Typed) -> Result<u64, UsageError> {
    let Some(word) = typed.operands.pop() else {
        return Err(typed.wrong("N is missing: how fresh the data is".to_owned()));
    };
    let word = word.to_string_lossy();
    let is_number = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
    word.parse().ok().filter(|_| is_number).ok_or_else(|| {
        let word = word.escape_debug();
        typed.wrong(format!("`{word}` is no whole number from 0 to {}", u64::MAX))
    })
}

/// `quorate key rotate`.
pub(super) fn rotate(typed: &mut Typed) -> Result<Command, UsageError> {
    Ok(Command::RotateKey(typed.time("wait", ROTATED_WITHIN)?, typed.format()))
}

/// The hook that is tried, and how.
pub(super) fn hook_test(typed: &mut Typed) -> Result<Command, UsageError> {
    let names = HookName::ALL.map(HookName::word);
    let Some(word) = typed.operands.pop() else {
        return Err(typed.wrong(format!("NAME is missing: {}", names.join(", "))));
    };
    let word = word.to_string_lossy();
    let trial = match (typed.has("dry-run"), typed.has("force")) {
        (true, _) => Trial::Show,
        (false, true) => Trial::Force,
        (false, false) => Trial::Run,
    };
    match HookName::parse(&word) {
        Some(name) => Ok(Command::HookTest(name, trial)),
        None => {
            let meant = nearest(&word, names).map(|name| format!("quorate hook test {name}"));
            Err(UsageError { meant, ..typed.wrong(format!("unknown hook {word}")) })
        }
    }
}

/// How long an edit is tried while nobody can decide, unless a flag says otherwise.
pub(super) const DECIDED_WITHIN: Duration = Duration::from_secs(10);
/// How long a change of the key is waited for.
const ROTATED_WITHIN: Duration = Duration::from_secs(30);

/// What becomes the document, and how.
pub(super) fn apply(typed: &mut Typed) -> Result<ApplyOptions, UsageError> {
    let text = match (typed.operands.pop(), revision(typed)?) {
        (Some(file), made_from) => Wanted::File { path: PathBuf::from(file), made_from },
        (None, Some(revision)) if typed.has("rebase") => {
            return Err(typed.wrong(format!(
                "--rebase needs FILE: without one, --revision {revision} goes back to that \
                 revision as it was"
            )));
        }
        (None, Some(revision)) => Wanted::Revision(revision),
        (None, None) => {
            let wrong = "FILE is missing: a whole cluster.yaml, or -; or --revision N to go back";
            return Err(typed.wrong(wrong.to_owned()));
        }
    };
    Ok(ApplyOptions {
        text,
        dry_run: typed.has("dry-run"),
        rebase: typed.has("rebase"),
        patience: typed.time("wait", DECIDED_WITHIN)?,
        format: typed.format(),
    })
}

/// `explain`: a code, who would lead, or everything.
pub(super) fn explain(typed: &mut Typed) -> Result<Command, UsageError> {
    if typed.operands.iter().any(|word| word == "who") {
        return Ok(Command::ExplainWho(typed.format()));
    }
    Ok(Command::Explain(code(typed)?, typed.format()))
}

/// The code that `quorate explain …` names.
fn code(typed: &mut Typed) -> Result<Option<&'static str>, UsageError> {
    let Some(word) = typed.operands.pop() else { return Ok(None) };
    let word = word.to_string_lossy();
    if let Some(known) = codes::names().find(|known| *known == word) {
        return Ok(Some(known));
    }
    // Nobody means another number.
    let words = codes::names().filter(|known| !known.starts_with(|c: char| c.is_ascii_digit()));
    let meant = nearest(&word, words).map(|code| format!("quorate explain {code}"));
    Err(UsageError { meant, ..typed.wrong(format!("unknown code {word}")) })
}

/// The content revision that a flag names.
pub(super) fn revision(typed: &mut Typed) -> Result<Option<u64>, UsageError> {
    let Some(text) = typed.text("revision")? else { return Ok(None) };
    text.parse().map(Some).map_err(|_| {
        typed.wrong(format!("--revision {text}: must be a number, as `quorate show --json` has"))
    })
}

/// `step-down`: how long not to stand again.
pub(super) fn step_down(typed: &mut Typed) -> Result<Command, UsageError> {
    Ok(Command::StepDown(typed.time("for", Duration::from_secs(60))?, typed.format()))
}

/// `wait`: for what, and how long.
pub(super) fn wait(typed: &mut Typed) -> Result<Command, UsageError> {
    Ok(Command::Wait(goal(typed)?, typed.time("timeout", Duration::from_secs(30))?))
}

/// What `wait --for` waits for.
fn goal(typed: &mut Typed) -> Result<Goal, UsageError> {
    const GOALS: &str = "master, quorum, master=ID, node=ID, revision=N or role=ROLE";
    let Some(text) = typed.text("for")? else {
        return Err(typed.wrong(format!("--for is missing: {GOALS}")));
    };
    let named = |id: &str| {
        NodeId::new(id).ok_or_else(|| typed.wrong(format!("--for {text}: {id} is no node's name")))
    };
    match text.split_once('=') {
        None if text == "master" => return Ok(Goal::Master),
        None if text == "quorum" => return Ok(Goal::Quorum),
        Some(("master", id)) => return named(id).map(Goal::MasterIs),
        Some(("node", id)) => return named(id).map(Goal::Node),
        Some(("revision", number)) => {
            let wrong = |_| typed.wrong(format!("--for {text}: {number} is no whole number"));
            return number.parse().map(Goal::Revision).map_err(wrong);
        }
        Some(_) | None => {}
    }
    let role = text.strip_prefix("role=").unwrap_or(&text);
    if let Some(role) = ROLES.iter().find(|known| text.starts_with("role=") && **known == role) {
        return Ok(Goal::Role(role));
    }
    let goals = ["master", "quorum", "master=", "node=", "revision="].map(str::to_owned);
    let goals: Vec<String> =
        goals.into_iter().chain(ROLES.map(|role| format!("role={role}"))).collect();
    let meant = match ROLES.iter().find(|role| **role == text) {
        Some(role) => Some(format!("role={role}")),
        None => nearest(&text, goals.iter().map(String::as_str)).map(str::to_owned),
    };
    let wrong = format!("--for {text}: must be {GOALS}; ROLE is {}", ROLES.join(", "));
    Err(UsageError { meant, ..typed.wrong(wrong) })
}

/// Whose timing `config timing` shows.
pub(super) fn timing(typed: &mut Typed) -> TimingSource {
    let Some(word) = typed.operands.pop() else { return TimingSource::Presets };
    let presets = [Preset::Lan, Preset::Default, Preset::Wan];
    match presets.into_iter().find(|preset| *preset.name() == *word) {
        Some(preset) => TimingSource::Preset(preset),
        None => TimingSource::File(PathBuf::from(word)),
    }
}
