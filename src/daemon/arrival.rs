//! Owns the first look at the state on disk: whose it is, and whether it is sound.
//! Never goes on with a state that is another node's.

use crate::daemon::directory::Directory;
use crate::daemon::failure::{self, Failure};
use crate::daemon::identity;
use crate::daemon::serve::charter_of;
use crate::daemon::store::Store;
use crate::protocol::durable::Durable;
use crate::protocol::units::Pin;
use crate::settings::node::NodeSettings;

/// Loads the state, checks that it is this node's, and writes it back (R5).
pub(super) fn load_state(
    directory: Directory,
    settings: &NodeSettings,
    pin: Pin,
) -> Result<Store, Failure> {
    let mut store = Store::load(directory, charter_of)?;
    check_identity(store.last(), settings, pin)?;
    identity::spend_storage(store.directory())?;
    store.rewrite()?;
    Ok(store)
}

/// A state belongs to one node with one key; anything else was copied here (F54).
fn check_identity(state: &Durable, settings: &NodeSettings, pin: Pin) -> Result<(), Failure> {
    let ours = &state.identity.node;
    if *ours != settings.id {
        let message = format!(
            "the state here is that of node {ours}, and node.yaml says this is {}: put the right \
             id into node.yaml, or the right directory behind --state-dir",
            settings.id
        );
        return Err(Failure::new(failure::CONFIG, message));
    }
    let documents = [&state.accepted, &state.committed];
    let mut entries = documents.iter().filter_map(|one| one.charter.members.find(ours)).peekable();
    if entries.peek().is_some() && !entries.any(|member| member.pin == pin) {
        let message = format!(
            "the cluster knows {ours} by another key than the one here: put the right key back \
             into the keys directory; peers refuse this one"
        );
        return Err(Failure::new(failure::CONFIG, message));
    }
    let storage = state.identity.storage;
    let found = documents.iter().filter_map(|one| one.charter.members.find(ours));
    if !found.into_iter().any(|member| !member.votes() || member.storage == storage) {
        log::warn!("the cluster counts another disk for {ours} than {storage}: no vote from here");
    }
    Ok(())
}
