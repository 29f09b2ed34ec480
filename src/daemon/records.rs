//! Owns the start of what the daemon writes down besides its state: the acting log, the history,
//! the documents it saw.
//! Never writes a line itself; each has a writer with a thread of its own.

use std::io;
use std::sync::Arc;

use crate::daemon::acting_log;
use crate::daemon::directory::Directory;
use crate::daemon::driver::Driver;
use crate::daemon::failure::{self, Failure};
use crate::daemon::history;
use crate::daemon::papers::{Papers, Tray};
use crate::daemon::spawn::spawn;
use crate::settings::node::NodeSettings;

/// The log of acting and its thread, if node.yaml asks for one.
pub(super) fn keep_acting_log(settings: &NodeSettings, driver: &Driver) -> Result<(), Failure> {
    let Some(path) = &settings.acting_log else { return Ok(()) };
    let (log, writer) = acting_log::open(path, &settings.id)?;
    driver.log_acting(log);
    spawn("acting-log", move || writer.run()).map(drop).map_err(|error| {
        Failure::of_system(failure::IO, "the system gives no thread for the acting log", &error)
    })
}

/// The history and its thread.
pub(super) fn keep_history(
    settings: &NodeSettings,
    directory: &Directory,
    driver: &Driver,
) -> Result<(), Failure> {
    let failed = |error: io::Error| {
        Failure::of_system(failure::IO, "the system gives no thread for the history", &error)
    };
    let (history, writer) = history::of(&settings.id, directory.share().map_err(failed)?);
    driver.keep_history(history);
    spawn("history", move || writer.run()).map(drop).map_err(failed)
}

/// The documents and their thread.
pub(super) fn keep_papers(directory: &Directory, driver: &Arc<Driver>) -> Result<(), Failure> {
    let failed = |error: io::Error| {
        let what = "the system gives nothing to keep documents with";
        Failure::of_system(failure::IO, what, &error)
    };
    let tray = Arc::new(Tray::new().map_err(failed)?);
    let papers = Papers::of(driver, directory, &tray).map_err(failed)?;
    driver.file_documents(&tray);
    spawn("papers", move || papers.run()).map(drop).map_err(failed)
}
