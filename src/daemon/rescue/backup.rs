//! Keeps what the cluster agreed on in a file, and makes a node's state of one.
//! Never brings a disk back as what it was: what is restored has a storage id that never voted.

use std::path::Path;

use crate::daemon::directory::Directory;
use crate::daemon::failure::{self, Failure};
use crate::daemon::init::{InitOptions, Printout, member, plan, settle};
use crate::daemon::rescue::files;
use crate::daemon::serve::charter_of;
use crate::daemon::store::{STATE_FILE, Store};
use crate::daemon::{admin_files, clock};
use crate::protocol::durable::{Durable, Identity};
use crate::settings::cluster;
use crate::settings::paths::Places;
use crate::wire::backup::Backup;

/// `quorate backup FILE`, beside a daemon or without one.
///
/// # Errors
/// There is no sound state, or FILE cannot be written; then it is what it was.
pub fn backup(places: &Places, file: &Path) -> Result<Printout, Failure> {
    let directory = Directory::look(&places.state_dir.path)?;
    let durable = Store::read(&directory, charter_of)?;
    files::write(file, &Backup::of(&durable, clock::wall_text()).encode())?;
    let note = format!(
        "{} has revision {} of cluster {} as {} knew it",
        file.display(),
        durable.committed.revision,
        durable.committed.charter.name,
        durable.identity.node
    );
    Ok(Printout { text: String::new(), notes: vec![note] })
}

/// `quorate restore FILE`.
///
/// # Errors
/// Why not; a state that is there is left as it was.
pub fn restore(places: &Places, file: &Path) -> Result<Printout, Failure> {
    let kept = files::read(file)?;
    let plan = plan(&options(places))?;
    let directory = Directory::make(&places.state_dir.path)?;
    if directory.has(STATE_FILE) {
        let message = format!(
            "this node has a state, which is newer than any backup of it. If it is not to be \
             relied on, {} first",
            super::RENEW
        );
        return Err(Failure::new(failure::CANNOT_CREATE, message));
    }
    let mut notes = Vec::new();
    if let Some(text) = &plan.node_yaml {
        admin_files::create(&places.config.path, text)?;
        notes.push(format!("made {}", places.config.path.display()));
    }
    let ours = member(&directory, &plan)?;
    let identity = Identity {
        cluster: kept.cluster,
        generation: kept.generation,
        node: ours.id.clone(),
        storage: ours.storage,
    };
    let first = Durable {
        term: kept.term,
        promise_high_water: kept.promise_high_water,
        ..Durable::founding(identity, kept.committed.clone())
    };
    settle(directory, first)?;
    notes.push(format!(
        "{} has the cluster {} as {} knew it{}, revision {}, on a disk that counts for nothing yet",
        ours.id,
        kept.committed.charter.name,
        kept.node,
        at(&kept.made),
        kept.committed.revision
    ));
    notes.push(
        "enter this line with `role: observer` in it, in the place of any older line of this node, \
         by `quorate edit` on a node that runs; run `quorate serve` here; and once this node \
         follows the master, take `role: observer` out again"
            .to_owned(),
    );
    Ok(Printout { text: format!("{}\n", cluster::node_line(&ours)), notes })
}

/// This node's files, with nothing said beside.
pub(super) fn options(places: &Places) -> InitOptions {
    InitOptions { places: places.clone(), name: None, advertise: None, cluster: None, from: None }
}

/// When a file was made, if it says so.
pub(super) fn at(made: &str) -> String {
    if made.is_empty() { String::new() } else { format!(" at {made}") }
}
