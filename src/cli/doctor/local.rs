//! Decides what the files, node.yaml and the room on the disk mean, with or without a daemon.
//! Never looks at a file itself.

use super::facts::{Daemon, Facts, Finding, Weight};
use super::surroundings::recovered;
use crate::cli::style::span;
use crate::daemon::premises::{FileFacts, Found, Purpose, Start};
use crate::wire::codes::doctor as codes;

/// Below that a few documents and a history do not fit any more.
const ROOM_LEAST: u64 = 8 << 20;
/// Below that somebody should hear of it.
const ROOM_WANTED: u64 = 64 << 20;
/// A write of the state makes a file.
const FILES_LEAST: u64 = 16;

/// All of them.
pub(super) fn findings(facts: &Facts) -> Vec<Finding> {
    let mut found: Vec<Finding> =
        facts.files.iter().filter_map(|file| judged(file, facts)).collect();
    if let Err(why) = &facts.settings {
        let advice = "mend it; a running daemon keeps what it read before";
        found.push(Finding::new(Weight::Problem, codes::CONFIG_WRONG, why, advice));
    }
    for (key, why) in &facts.unsound {
        let message = format!("{key} would not be run here: {why}");
        let advice = "quorate hook test NAME shows all its checks";
        found.push(Finding::new(Weight::Problem, codes::CONFIG_WRONG, message, advice));
    }
    found.extend(room(facts));
    if let Daemon::Down(_, start) = &facts.daemon {
        found.extend(hindrances(start, facts));
    }
    found
}

fn judged(file: &FileFacts, facts: &Facts) -> Option<Finding> {
    let path = file.path.display();
    let wrong = |weight, message: String, advice: &str| {
        Some(Finding::new(weight, codes::FILE_WRONG, message, advice))
    };
    let (is_right_kind, mode, user) = match &file.found {
        Found::Nothing => return missing(file, facts),
        Found::Hidden(why) => {
            let advice = "run the doctor as root or as the daemon's user";
            return wrong(Weight::Notice, format!("{path} cannot be looked at: {why}"), advice);
        }
        Found::Thing { is_right_kind, mode, user } => (*is_right_kind, *mode, *user),
    };
    if !is_right_kind {
        let message = format!("{path} is not what it should be, a {}", kind(file.purpose));
        return wrong(Weight::Problem, message, "put the right one in its place");
    }
    let (forbidden, advice) = match file.purpose {
        Purpose::Config => (0o022, "chmod go-w it: it names programs that the daemon runs"),
        Purpose::Directory => (0o077, "chmod 700 it, and see what is in it"),
        Purpose::State => (0o077, "chmod 600 it: whoever writes it can forge votes"),
        Purpose::Key => (0o077, "chmod 600 it: whoever reads it can be this node"),
        Purpose::Socket => (0o007, "whoever may write there may move mastership: restart quorate"),
    };
    if mode & forbidden != 0 {
        return wrong(
            Weight::Problem,
            format!("{path} is open to others (mode {mode:04o})"),
            advice,
        );
    }
    let owner = facts.report().map_or(facts.user, |report| report.user);
    let is_own = user == owner || (file.purpose == Purpose::Config && user == 0);
    if !is_own {
        let message = format!("{path} belongs to user {user}, and the daemon runs as {owner}");
        return wrong(Weight::Problem, message, "chown it to the daemon's user");
    }
    None
}

/// What is not there may have to be.
fn missing(file: &FileFacts, facts: &Facts) -> Option<Finding> {
    let is_down = matches!(facts.daemon, Daemon::Down(..));
    let advice = match file.purpose {
        Purpose::Socket if is_down => return None,
        Purpose::Socket => "restart the daemon: nobody new can ask it",
        Purpose::Config => "name it with --config, or make it: quorate init",
        Purpose::Directory | Purpose::State | Purpose::Key => {
            "name the directory with --state-dir; if it is lost, this node has to be founded anew"
        }
    };
    let message = format!("{} is not there", file.path.display());
    Some(Finding::new(Weight::Problem, codes::FILE_WRONG, message, advice))
}

fn kind(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Config | Purpose::State | Purpose::Key => "plain file",
        Purpose::Directory => "directory",
        Purpose::Socket => "socket",
    }
}

fn room(facts: &Facts) -> Option<Finding> {
    let space = facts.space.as_ref().ok()?;
    let few = space.free_files.filter(|files| *files < FILES_LEAST);
    let weight = match space.free_bytes {
        ..ROOM_LEAST => Weight::Problem,
        _ if few.is_some() => Weight::Problem,
        ROOM_LEAST..ROOM_WANTED => Weight::Warning,
        ROOM_WANTED.. => return None,
    };
    let message = match few {
        Some(files) => format!("where the state is only {files} more files can be made"),
        None => format!("where the state is only {} KiB are free", space.free_bytes >> 10),
    };
    let advice = "make room: a node whose disk is full falls silent";
    Some(Finding::new(weight, codes::SPACE_LOW, message, advice))
}

/// What would end a daemon that is started now, and what its state says besides.
fn hindrances(start: &Start, facts: &Facts) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut hinder = |message: String, advice: &str| {
        found.push(Finding::new(Weight::Problem, codes::CANNOT_START, message, advice));
    };
    if let Err(why) = &start.state {
        hinder(format!("the state cannot be used: {why}"), "restore or found it as it says");
    }
    if let Err(why) = &start.belongs {
        hinder(why.clone(), "contrib/doc/disaster.md has every case with its commands");
    }
    if let Err(why) = &start.keys {
        hinder(format!("the key cannot be used: {why}"), "restore keys/ from a backup");
    }
    if let (Ok(settings), Err(why)) = (&facts.settings, &start.listen) {
        let message = format!("it cannot listen at {}: {why}", settings.listen);
        hinder(message, "see who listens there, or mend `listen` in node.yaml");
    }
    if let (Ok(settings), Ok(state)) = (&facts.settings, &start.state)
        && settings.id != state.node
    {
        let message = format!("node.yaml is for {}, the state is of {}", settings.id, state.node);
        hinder(message, "name the right files with --config and --state-dir");
    }
    let forced = start.state.as_ref().ok().and_then(|state| state.forced.as_deref());
    found.extend(forced.map(recovered));
    found
}

/// One line about the state of a node whose daemon is down.
pub(super) fn state_line(facts: &Facts) -> Option<String> {
    let Daemon::Down(_, start) = &facts.daemon else { return None };
    let state = start.state.as_ref().ok()?;
    let dead_after = u64::try_from(state.timing.dead_after().as_millis()).unwrap_or(u64::MAX);
    Some(format!(
        "state of {}, cluster {}: term {}, document revision {}, dead_after {}",
        state.node,
        state.cluster,
        state.term,
        state.revision,
        span(dead_after)
    ))
}
