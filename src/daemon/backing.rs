//! Owns the conversation with one program that runs while this node follows a master: `--while
//! backup`. No lease guards it, so nothing waits for it: it is told to end as soon as this node
//! sees another master, none, or itself, and may still be ending when mastership begins here.
//! Never grants without a majority heard, and nothing it grants outlives the daemon by long.

use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;

use crate::daemon::clock;
use crate::daemon::control::{Limited, send};
use crate::daemon::driver::Driver;
use crate::daemon::holders::{HolderId, Mailbox};
use crate::daemon::waiting::{Deadline, For, wait};
use crate::protocol::status::{Duty, Status};
use crate::protocol::units::{Moment, Term};
use crate::wire::control::{Request, Response};
use crate::wire::control_frame::{self, FrameError};
use crate::wire::hold::{GrantReport, SpanReport};

/// How often this node is looked at.
const LOOK_AGAIN: Duration = Duration::from_millis(250);
/// That many looks later a program that may go on is told so.
const LOOKS_TO_EXTEND: u32 = 4;
/// A program that hears nothing goes on for that long.
const UNTOLD: Duration = Duration::from_secs(4);
/// The longest grace: no lease is at stake.
const GRACE_MAX: Duration = Duration::from_secs(60);

/// A place among the holders, given up when dropped.
#[derive(Debug)]
pub(crate) struct Backing {
    driver: Arc<Driver>,
    id: HolderId,
    follows: Option<(Term, String)>,
    /// It was told to end, and did not say yet that it has.
    ends: Option<Term>,
    looks: u32,
}

impl Backing {
    /// A place, if there is room for one more.
    pub(crate) fn of(driver: &Arc<Driver>) -> Option<Self> {
        let mailbox = Mailbox::new().ok().map(Arc::new)?;
        let id = driver.join_backup(&mailbox)?;
        Some(Self { driver: Arc::clone(driver), id, follows: None, ends: None, looks: 0 })
    }

    /// Until the stream ends.
    ///
    /// # Errors
    /// The stream broke, or something was said that does not belong here.
    pub(crate) fn converse(&mut self, stream: &UnixStream) -> Result<(), FrameError> {
        if !self.look(stream)? {
            send(stream, &Response::NotMaster)?;
        }
        loop {
            let heard = wait(stream, For::Reading, Deadline::after(LOOK_AGAIN));
            if heard.map_err(FrameError::Stream)? {
                match control_frame::read(&mut Limited::new(stream)) {
                    Ok(Request::Gone { term }) => self.gone(Term(term)),
                    Ok(Request::Kept) => {}
                    Ok(_) | Err(FrameError::Closed) => return Ok(()),
                    Err(error) => return Err(error),
                }
            }
            self.look(stream)?;
        }
    }

    /// One that ended by itself waits for another master; one that was told to, for any.
    fn gone(&mut self, term: Term) {
        self.ends = self.ends.filter(|ends| *ends != term);
    }

    /// Tells what changed; whether it may run.
    fn look(&mut self, stream: &UnixStream) -> Result<bool, FrameError> {
        let status = self.driver.status();
        let follows = followed(&status);
        if self.follows != follows
            && let Some((term, _)) = self.follows.take()
        {
            let kill = clock::now().after(GRACE_MAX).into();
            send(stream, &Response::Stop { term: term.0, kill })?;
            self.ends = Some(term);
        }
        if self.ends.is_some() {
            return Ok(false);
        }
        let Some((term, master)) = follows else { return Ok(false) };
        self.looks += 1;
        if self.follows.is_none() {
            self.looks = 0;
            let grant = grant(&status, term, master.clone());
            send(stream, &Response::Granted(Box::new(grant)))?;
        } else if self.looks.is_multiple_of(LOOKS_TO_EXTEND) {
            send(stream, &Response::Extended(span(clock::now(), term)))?;
        }
        self.follows = Some((term, master));
        Ok(true)
    }
}

impl Drop for Backing {
    fn drop(&mut self) {
        self.driver.left_holder(self.id);
    }
}

/// Whom a node follows, with the master's term.
fn followed(status: &Status) -> Option<(Term, String)> {
    let master = status.master.as_ref().filter(|master| master.id != status.node)?;
    let is_backup = status.duty == Duty::Follower && status.quorum_have >= status.quorum_need;
    is_backup.then(|| (master.term, master.id.to_string()))
}

fn grant(status: &Status, term: Term, master: String) -> GrantReport {
    let now = clock::now();
    GrantReport {
        span: span(now, term),
        at: now.into(),
        node: status.node.to_string(),
        master,
        cluster: status.cluster_name.to_string(),
        cluster_id: status.cluster.to_string(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    }
}

fn span(now: Moment, term: Term) -> SpanReport {
    let until = now.after(UNTOLD);
    SpanReport { term: term.0, until: until.into(), kill: until.after(GRACE_MAX).into() }
}
