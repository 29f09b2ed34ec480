//! Receives whoever comes to join: one small request in one session, one answer, the end.
//! Never tells whoever proved no token why it is refused; the log does (H31-H37).

use std::fmt;
use std::net::SocketAddr;

use rustls::pki_types::CertificateDer;

use crate::daemon::keys::pin_of;
use crate::daemon::session::{Ending, Session};
use crate::daemon::shared::Shared;
use crate::daemon::slots::Slot;
use crate::daemon::waiting::Deadline;
use crate::protocol::units::Pin;
use crate::wire::join::{JoinAnswer, JoinRequest};
use crate::wire::proof::SessionNumber;

/// What all are told that are not told why.
const REFUSED: &str = "";

/// One who comes to join.
#[derive(Debug)]
pub struct Arrival {
    /// What it asks.
    pub request: JoinRequest,
    /// The key that the session proved.
    pub pin: Pin,
    /// The session's number, which its proof has to be about.
    pub number: SessionNumber,
    /// Where it called from.
    pub source: SocketAddr,
}

/// Why one is not let in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// It proved neither a token nor a member's key: only the log says why.
    Untold(String),
    /// It did, and may know why.
    Told(String),
    /// Not now; it may ask again.
    Later(String),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Untold(why) | Self::Told(why) | Self::Later(why)) = self;
        write!(f, "it wants to join: {why}")
    }
}

impl Refusal {
    /// What the one who came is told of it.
    #[must_use]
    pub fn answer(&self) -> JoinAnswer {
        match self {
            Self::Untold(_) => JoinAnswer::No(REFUSED.to_owned()),
            Self::Told(why) => JoinAnswer::No(why.clone()),
            Self::Later(why) => JoinAnswer::Later(why.clone()),
        }
    }
}

/// Who decides about those that come.
pub trait Doorkeeper: Send + Sync {
    /// Whether it may come in, as far as that can be said without asking anybody else.
    ///
    /// # Errors
    /// Why not.
    fn check(&self, arrival: &Arrival) -> Result<(), Refusal>;

    /// Lets it in, which takes a committed edit of the document, and so its time.
    ///
    /// # Errors
    /// Why not.
    fn admit(&self, arrival: &Arrival) -> Result<JoinAnswer, Refusal>;
}

/// The whole conversation. The error is for the log.
pub(crate) fn receive(
    shared: &Shared,
    mut session: Session,
    certificate: &CertificateDer<'_>,
    (source, deadline): (SocketAddr, Deadline),
    slot: Slot,
) -> Result<(), String> {
    let outcome = heard(&mut session, certificate, (source, deadline));
    let arrival = outcome.map_err(|ending| format!("it came to join, but: {ending}"))?;
    let decided = match shared.doorkeeper.get() {
        Some(doorkeeper) => doorkeeper.check(&arrival).and_then(|()| {
            // It waits among friends from here on: strangers do not push it out.
            drop(slot);
            doorkeeper.admit(&arrival)
        }),
        None => Err(Refusal::Later("this node is only starting".to_owned())),
    };
    let answer = decided.as_ref().map_or_else(Refusal::answer, JoinAnswer::clone);
    let sent = session.answer_request(&answer);
    session.goodbye();
    match (decided, sent) {
        (Err(refusal), _) => Err(refusal.to_string()),
        (Ok(_), Err(ending)) => Err(format!(
            "{} joined and could not be told: {ending}; it may ask again",
            arrival.request.node
        )),
        (Ok(_), Ok(())) => Ok(()),
    }
}

fn heard(
    session: &mut Session,
    certificate: &CertificateDer<'_>,
    (source, deadline): (SocketAddr, Deadline),
) -> Result<Arrival, Ending> {
    let pin = pin_of(certificate).map_err(Ending::Tls)?;
    let number = session.number()?;
    let request = session.hear_request(deadline)?;
    Ok(Arrival { request, pin, number, source })
}
