//! Owns the first look at the state on disk: whose it is, and whether it is sound.
//! Never goes on with a state that is another node's.

use crate::daemon::binding;
use crate::daemon::directory::Directory;
use crate::daemon::failure::{self, Failure};
use crate::daemon::identity;
use crate::daemon::rescue::RENEW;
use crate::daemon::serve::charter_of;
use crate::daemon::store::Store;
use crate::protocol::durable::Durable;
use crate::protocol::units::{Pin, StorageId};
use crate::settings::node::NodeSettings;
use crate::wire::marks::{Binding, Marks};

/// Loads the state, checks that it is this node's, and writes it back (R5).
pub(super) fn load_state(
    directory: Directory,
    settings: &NodeSettings,
    pin: Pin,
) -> Result<Store, Failure> {
    let mut store = Store::load(directory, charter_of)?;
    let marks = store.annex().marks();
    check_suspended(&marks)?;
    check_identity(store.last(), settings, pin)?;
    let storage = store.last().identity.storage;
    let binding = check_place(store.directory(), storage, &marks, settings.may_move)?;
    store.annex().bind(binding);
    identity::spend_storage(store.directory())?;
    store.rewrite()?;
    Ok(store)
}

/// A disk that is known to have forgotten what it said stays out, however often it is started:
/// each start counts as a write, and would bring it nearer to what the others have seen (R54).
pub(super) fn check_suspended(marks: &Marks) -> Result<(), Failure> {
    let Some(why) = &marks.suspended else { return Ok(()) };
    Err(Failure::new(failure::CONFIG, format!("{why}; {RENEW}")))
}

/// A state on another machine, or in another directory, may be one of two (R53). Returns where it
/// belongs from now on.
pub(super) fn check_place(
    directory: &Directory,
    storage: StorageId,
    marks: &Marks,
    may_move: bool,
) -> Result<Binding, Failure> {
    let now = binding::here(directory, storage);
    let found = binding::differences(&marks.binding, &now);
    if !found.is_empty() && !may_move {
        let message = format!(
            "the state here was written elsewhere: there is {} now. If its old place is gone for \
             good, and this is all that was in it at its end and no backup or snapshot of it, run \
             `quorate confirm-moved` and start quorate again. Else this is a copy that may forget \
             votes: {RENEW}",
            found.join(", ")
        );
        return Err(Failure::new(failure::CONFIG, message));
    }
    Ok(binding::joined(marks.binding.clone(), now))
}

/// A state belongs to one node with one key; anything else was copied here (F54).
fn check_identity(state: &Durable, settings: &NodeSettings, pin: Pin) -> Result<(), Failure> {
    let ours = &state.identity.node;
    if *ours != settings.id {
        let message = format!(
            "the state here is that of node {ours} of cluster {} ({}), and node.yaml says this \
             is {}: put the right id into node.yaml, or the right directory behind --state-dir. If \
             this node's own state is lost, {RENEW}",
            state.accepted.charter.name, state.identity.cluster, settings.id
        );
        return Err(Failure::new(failure::CONFIG, message));
    }
    let documents = [&state.accepted, &state.committed];
    let listed = documents.iter().filter_map(|one| one.charter.members.find(ours));
    // A disk that nobody counts may wait for its line, key and all.
    let mut entries = listed.filter(|member| member.storage == state.identity.storage).peekable();
    if entries.peek().is_some() && !entries.any(|member| member.pins().any(|one| one == pin)) {
        let message = format!(
            "the state here is that of {ours} in cluster {} ({}), which knows it by another key \
             than the one here: put the right key back into the keys directory. If it is the state \
             that belongs to another machine, {RENEW}",
            state.accepted.charter.name, state.identity.cluster
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
