//! Owns the conversation with one program that acts under this node's mastership: tells it what
//! its mailbox holds and hears when nothing of it lives any more. See `wire::hold`.
//! Never decides who may act, and never lets a slow program hold anybody but its own thread.

use std::io::ErrorKind;
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use crate::daemon::clock;
use crate::daemon::control::{Limited, send};
use crate::daemon::driver::Driver;
use crate::daemon::holders::{HolderId, Mailbox, Notice, Span};
use crate::daemon::waiting::{For, wait_with_bell};
use crate::protocol::units::Term;
use crate::wire::control::{Request, Response};
use crate::wire::control_frame::{self, FrameError};
use crate::wire::hold::{GrantReport, SpanReport};

/// A place among the holders, given up when dropped.
#[derive(Debug)]
pub(crate) struct Holding {
    driver: Arc<Driver>,
    id: HolderId,
    mailbox: Arc<Mailbox>,
}

impl Holding {
    /// A place, if there is room for one more.
    pub(crate) fn of(driver: &Arc<Driver>) -> Option<Self> {
        let mailbox = match Mailbox::new() {
            Ok(mailbox) => Arc::new(mailbox),
            Err(error) => {
                log::warn!("a program may not hold mastership: {error}");
                return None;
            }
        };
        let id = driver.join(&mailbox)?;
        Some(Self { driver: Arc::clone(driver), id, mailbox })
    }

    /// Until the stream ends.
    ///
    /// # Errors
    /// The stream broke, or something was said that does not belong here.
    pub(crate) fn converse(&self, stream: &UnixStream) -> Result<(), FrameError> {
        match self.mailbox.take() {
            Some(notice) => send(stream, &self.spelled(notice))?,
            None => send(stream, &Response::NotMaster)?,
        }
        loop {
            if let Some(notice) = self.mailbox.take() {
                send(stream, &self.spelled(notice))?;
                continue;
            }
            let woken = wait_with_bell(stream, For::Reading, self.mailbox.bell(), None);
            if woken.map_err(FrameError::Stream)?.socket && !self.hear(stream)? {
                return Ok(());
            }
        }
    }

    /// False at the end of the stream, or of its sense.
    fn hear(&self, stream: &UnixStream) -> Result<bool, FrameError> {
        match Self::read(stream) {
            Ok(Request::Gone { term }) => {
                self.driver.gone(self.id, Term(term));
                Ok(true)
            }
            Ok(
                Request::Status
                | Request::Show
                | Request::Transfer { .. }
                | Request::StepDown { .. }
                | Request::SetPosition { .. }
                | Request::Events { .. }
                | Request::Hold,
            )
            | Err(FrameError::Closed) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// A program that leaves without reading all resets the stream; its last words come after.
    fn read(stream: &UnixStream) -> Result<Request, FrameError> {
        match control_frame::read(&mut Limited::new(stream)) {
            Err(FrameError::Stream(error)) if error.kind() == ErrorKind::ConnectionReset => {
                control_frame::read(&mut Limited::new(stream))
            }
            outcome => outcome,
        }
    }

    fn spelled(&self, notice: Notice) -> Response {
        match notice {
            Notice::Granted(span) => Response::Granted(Box::new(self.grant(span))),
            Notice::Extended(span) => Response::Extended(spelled(span)),
            Notice::Stop { term, kill } => Response::Stop { term: term.0, kill: kill.into() },
        }
    }

    fn grant(&self, span: Span) -> GrantReport {
        let status = self.driver.status();
        GrantReport {
            span: spelled(span),
            at: clock::now().into(),
            node: status.node.to_string(),
            cluster: status.cluster_name.to_string(),
            cluster_id: status.cluster.to_string(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
}

impl Drop for Holding {
    fn drop(&mut self) {
        self.driver.left_holder(self.id);
    }
}

fn spelled(span: Span) -> SpanReport {
    SpanReport { term: span.term.0, until: span.until.into(), kill: span.kill.into() }
}
