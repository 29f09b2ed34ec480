//! Takes an operator's word that a state was moved here as a whole (R53).
//! Never takes it for a disk that is known to be behind what the others have seen.

use crate::daemon::binding;
use crate::daemon::directory::Directory;
use crate::daemon::failure::{self, Failure};
use crate::daemon::init::Printout;
use crate::daemon::serve::charter_of;
use crate::daemon::store::Store;
use crate::settings::paths::Places;

/// `quorate confirm-moved`.
///
/// # Errors
/// There is no sound state, a daemon uses it, or it is not to be relied on wherever it is.
pub fn confirm_moved(places: &Places) -> Result<Printout, Failure> {
    let directory = Directory::open(&places.state_dir.path)?;
    let mut store = Store::load(directory, charter_of)?;
    if let Some(why) = store.annex().suspended() {
        let message = format!("{why}; {}", super::RENEW);
        return Err(Failure::new(failure::CONFIG, message));
    }
    let then = store.annex().marks().binding;
    let now = binding::here(store.directory(), store.last().identity.storage);
    let found = binding::differences(&then, &now);
    let node = &store.last().identity.node;
    let note = if found.is_empty() {
        format!("the state of {node} is where it was: nothing to confirm")
    } else {
        format!(
            "the state of {node} belongs here now ({}): start `quorate serve`",
            found.join(", ")
        )
    };
    store.annex().bind(binding::joined(then, now));
    store.probe()?;
    Ok(Printout { text: String::new(), notes: vec![note] })
}
