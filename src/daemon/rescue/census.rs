//! Finds out whether any voter of a document lives, by really going there (R60).
//! Never takes silence of the network for anything but silence, and anything that holds the
//! voter's key, or takes the connection and says nothing, for life.

use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::unbounded;

use crate::daemon::failure::{self, Failure};
use crate::daemon::outbox::Outbox;
use crate::daemon::session::{Ending, Session};
use crate::daemon::socket;
use crate::daemon::spawn::spawn;
use crate::daemon::tls::{self, Keys, Trust};
use crate::daemon::waiting::Deadline;
use crate::protocol::membership::Member;
use crate::protocol::units::NodeId;

/// How long a voter that took the connection may take to prove its key.
const PROOF_WITHIN: Duration = Duration::from_secs(5);

/// What was found at a voter's address.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Found {
    /// It lives, or may: why.
    Alive(String),
    /// It does not answer: why.
    Silent(String),
}

/// Goes to all of `voters` at once.
///
/// # Errors
/// The system has no thread or descriptor for it.
pub(super) fn take(keys: &Keys, voters: &[Member]) -> Result<Vec<(NodeId, Found)>, Failure> {
    let failed =
        |error| Failure::of_system(failure::IO, "the system gives no threads to ask with", &error);
    let trust = Arc::new(Trust::default());
    trust.set(voters.iter());
    let (sender, receiver) = unbounded();
    for voter in voters {
        let config = tls::dialing(keys, &trust, &voter.id)
            .map_err(|error| Failure::new(failure::BAD_DATA, error.to_string()))?;
        let (sender, voter) = (sender.clone(), voter.clone());
        let outbox = Outbox::new(PROOF_WITHIN).map_err(failed)?;
        let body = move || {
            let found = match socket::reach(&voter.address, None, PROOF_WITHIN, &outbox, &[]) {
                Err(why) => Found::Silent(why.to_string()),
                Ok((socket, _)) => judged(
                    Session::calling(Arc::new(socket), config)
                        .and_then(|mut session| session.handshake(Deadline::after(PROOF_WITHIN))),
                ),
            };
            // Whoever asked waits for all of them.
            sender.send((voter.id, found)).ok();
        };
        spawn("census", body).map_err(failed)?;
    }
    drop(sender);
    let mut found: Vec<_> = receiver.iter().collect();
    found.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok(found)
}

/// What the outcome of a handshake says about the voter that was wanted.
fn judged<T>(outcome: Result<T, Ending>) -> Found {
    match outcome {
        Ok(_) => Found::Alive("it answers".to_owned()),
        Err(Ending::Tls(rustls::Error::InvalidCertificate(_))) => {
            Found::Silent("another key answers there".to_owned())
        }
        // It was asked for its key first: whoever refuses ours has proved it.
        Err(Ending::Tls(rustls::Error::AlertReceived(_))) => {
            Found::Alive("it answers, and does not know this node's key".to_owned())
        }
        Err(Ending::Closed | Ending::Socket(_)) => {
            Found::Silent("the connection was taken and closed at once".to_owned())
        }
        Err(ending) => Found::Alive(format!("something takes connections there: {ending}")),
    }
}
