//! Reads node.yaml at the start and whenever it is told to, and says what of it takes effect.
//! Never takes half of a file: a bad one changes nothing.

use std::path::Path;

use crate::daemon::admin_files;
use crate::daemon::clock;
use crate::daemon::failure::{self, Failure};
use crate::daemon::hooks::book::Book;
use crate::daemon::log as lines;
use crate::daemon::tallies::Tallies;
use crate::settings::node::{self, LogFormat, NodeSettings};

/// This node's settings; where there is no file, what to do.
pub(super) fn read_settings(config: &Path) -> Result<NodeSettings, Failure> {
    let shown = config.display().to_string();
    let text = admin_files::read_if_there(config)?.ok_or_else(|| {
        let message = format!("{shown} does not exist: run `quorate init` first");
        Failure::new(failure::NO_INPUT, message)
    })?;
    node::parse(&text, &shown).map_err(|problem| Failure::new(failure::CONFIG, problem.to_string()))
}

/// Reads node.yaml again. What takes effect at once does; a bad file changes nothing (F106).
pub(super) fn reload(
    config: &Path,
    old: NodeSettings,
    hooks: Option<&Book>,
    tallies: &Tallies,
) -> NodeSettings {
    let new = match read_settings(config) {
        Ok(new) => new,
        Err(failure) => {
            tallies.refused();
            log::error!("node.yaml is not taken, everything stays as it was: {failure}");
            return old;
        }
    };
    lines::change(level(&new), is_json(&new));
    let needs_restart = [
        ("id", new.id != old.id),
        ("listen", new.listen != old.listen),
        ("advertise", new.advertise != old.advertise),
        ("may_move", new.may_move != old.may_move),
        ("acting_log", new.acting_log != old.acting_log),
        ("hooks", hooks.is_none() && new.hooks != old.hooks),
        ("hooks.fence", has_fence(&new) && !has_fence(&old)),
        ("health", new.health != old.health),
        ("position", new.position != old.position),
        ("http", new.http != old.http),
        ("watchdog", new.watchdog != old.watchdog),
    ];
    for (key, _) in needs_restart.iter().filter(|(_, has_changed)| *has_changed) {
        log::warn!("`{key}` in node.yaml changed: it needs a restart to take effect");
    }
    if let Some(book) = hooks {
        book.set(new.hooks.clone().unwrap_or_default());
    }
    tallies.taken(clock::read().wall_ns);
    log::info!("node.yaml read again");
    NodeSettings { log: new.log, hooks: new.hooks, ..old }
}

fn has_fence(settings: &NodeSettings) -> bool {
    settings.hooks.as_ref().is_some_and(|hooks| hooks.fence.is_some())
}

/// Which lines the log has.
pub(super) fn level(settings: &NodeSettings) -> log::LevelFilter {
    settings.log.level
}

/// Whether they are JSON.
pub(super) fn is_json(settings: &NodeSettings) -> bool {
    settings.log.format == LogFormat::Json
}
