//! Owns the conversation with one program that acts under this node's mastership: tells it what
//! its mailbox holds and hears when nothing of it lives any more. See `wire::hold`.
//! Never decides who may act, and never lets a slow program hold anybody but its own thread.

use std::io::{self, ErrorKind};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;

use crate::daemon::burial::{self, Body, Burial};
use crate::daemon::clock;
use crate::daemon::control::{Limited, send};
use crate::daemon::driver::Driver;
use crate::daemon::holders::{Due, HolderId, Mailbox, Notice, Span};
use crate::daemon::pinned::Pinned;
use crate::daemon::waiting::{Deadline, For, wait, wait_for_bell, wait_with_bell};
use crate::protocol::units::{Moment, Term};
use crate::wire::control::{Request, Response};
use crate::wire::control_frame::{self, FrameError};
use crate::wire::hold::{GrantReport, SpanReport};

/// Between two looks at a program that cannot be seen.
const LONG: Duration = Duration::from_secs(1);

/// A place among the holders, given up when dropped.
#[derive(Debug)]
pub(crate) struct Holding {
    driver: Arc<Driver>,
    id: HolderId,
    mailbox: Arc<Mailbox>,
    /// Who it is, where that can be seen and it may be killed with all that it started.
    body: Option<Body>,
    /// When it was told to be dead, from `Stop` to `Gone`.
    due: Option<Due>,
}

/// How a conversation ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum End {
    /// By the program, or by what it said.
    Closed,
    /// The program takes no word any more.
    Deaf,
    /// The program should have said that it is gone.
    Overdue,
}

impl Holding {
    /// A place, if there is room for one more.
    pub(crate) fn of(driver: &Arc<Driver>, stream: &UnixStream, gathers: bool) -> Option<Self> {
        let mailbox = match Mailbox::new() {
            Ok(mailbox) => Arc::new(mailbox),
            Err(error) => {
                log::warn!("a program may not hold mastership: {error}");
                return None;
            }
        };
        let front = gathers.then(|| Pinned::peer_of(stream));
        let front = front.and_then(|front| {
            front.inspect_err(|why| log::debug!("a program cannot be watched: {why}")).ok()
        });
        let id = driver.join(&mailbox)?;
        let body = front.map(Body::of);
        Some(Self { driver: Arc::clone(driver), id, mailbox, body, due: None })
    }

    /// Until nothing of it lives, or time says so.
    ///
    /// # Errors
    /// The stream broke, or something was said that does not belong here.
    pub(crate) fn converse(&mut self, stream: &UnixStream) -> Result<(), FrameError> {
        let outcome = self.talk(stream);
        let end = match &outcome {
            Ok(end) => *end,
            Err(FrameError::Stream(error)) if is_timeout(error) => End::Deaf,
            Err(_) => End::Closed,
        };
        if let Some(due) = self.due.or_else(|| self.driver.due(self.id)) {
            self.see_off(stream, end, due);
        }
        outcome.map(|_| ())
    }

    fn talk(&mut self, stream: &UnixStream) -> Result<End, FrameError> {
        match self.mailbox.take() {
            Some(notice) => self.pass_on(stream, notice)?,
            None => send(stream, &Response::NotMaster)?,
        }
        loop {
            if let Some(notice) = self.mailbox.take() {
                self.pass_on(stream, notice)?;
                continue;
            }
            let end = self.due.map(|due| due.kill.after(due.kill_time));
            if end.is_some_and(|end| clock::now().has_surely_reached(end)) {
                return Ok(End::Overdue);
            }
            // The clock that is behind is asked again soon.
            let wake = end.map(|end| Deadline::after(left_until(end).max(burial::LOOK_AGAIN)));
            let woken = wait_with_bell(stream, For::Reading, self.mailbox.bell(), wake);
            if woken.map_err(FrameError::Stream)?.socket && !self.hear(stream)? {
                return Ok(End::Closed);
            }
        }
    }

    fn pass_on(&mut self, stream: &UnixStream, notice: Notice) -> Result<(), FrameError> {
        self.due = match notice {
            Notice::Stop { kill, .. } => self.driver.due(self.id).map(|due| Due { kill, ..due }),
            Notice::Granted(_) | Notice::Extended(_) => None,
        };
        send(stream, &self.spelled(notice))
    }

    /// It acted and did not say that it is gone.
    fn see_off(&mut self, stream: &UnixStream, end: End, due: Due) {
        let Some(body) = self.body.take() else {
            return if end != End::Closed {
                self.wait_for(stream, end, due)
            };
        };
        self.driver.mourn(self.id);
        if end == End::Deaf {
            // When it goes on, it sees that nobody speaks to it any more.
            stream.shutdown(Shutdown::Both).ok();
        }
        let mut burial = Burial::new(&body, due);
        let mut hears = end == End::Overdue;
        while !burial.look() {
            hears = hears && self.hears_on(stream, burial.pause());
            if !hears {
                // Nobody speaks any more: it only lets some time pass.
                wait_for_bell(self.mailbox.bell(), Deadline::after(burial.pause())).ok();
            }
            if self.driver.due(self.id).is_none() {
                // It said so itself.
                return;
            }
        }
        log::info!("nothing of term {} lives here any more", due.term.0);
        self.driver.gone(self.id, due.term);
    }

    /// Hears what there is to hear within `span`; false when there is nothing more to come.
    fn hears_on(&mut self, stream: &UnixStream, span: Duration) -> bool {
        match wait(stream, For::Reading, Deadline::after(span)) {
            Ok(true) => matches!(self.hear(stream), Ok(true)),
            Ok(false) => true,
            Err(_) => false,
        }
    }

    /// One that cannot be seen lives until it says that it is gone, or its stream ends.
    fn wait_for(&mut self, stream: &UnixStream, end: End, due: Due) {
        log::error!(
            "a program of term {} does not say that it has ended, and this daemon cannot see it \
             (in a container?): end it by hand; this node votes for nobody before",
            due.term.0
        );
        let mut hears = end == End::Overdue;
        while self.driver.due(self.id).is_some() {
            let what = if hears { For::Reading } else { For::Ending };
            match wait(stream, what, Deadline::after(LONG)) {
                Ok(true) if hears => hears = matches!(self.hear(stream), Ok(true)),
                Ok(true) | Err(_) => return,
                Ok(false) => {}
            }
        }
    }

    /// False at the end of the stream, or of its sense.
    fn hear(&mut self, stream: &UnixStream) -> Result<bool, FrameError> {
        match Self::read(stream) {
            Ok(Request::Gone { term }) => {
                self.driver.gone(self.id, Term(term));
                self.due = self.due.filter(|due| due.term.0 != term);
                Ok(true)
            }
            Ok(Request::Kept) => {
                self.body.iter_mut().for_each(Body::find_keeper);
                Ok(true)
            }
            Ok(
                Request::Status {}
                | Request::Doctor {}
                | Request::Key {}
                | Request::RotateKey {}
                | Request::Show {}
                | Request::Revision { .. }
                | Request::Documents {}
                | Request::Transfer { .. }
                | Request::StepDown { .. }
                | Request::Edit { .. }
                | Request::SetPosition { .. }
                | Request::History {}
                | Request::Events { .. }
                | Request::Hold { .. },
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
            master: status.node.to_string(),
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

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::WouldBlock)
}

/// What boot time has left until then.
fn left_until(moment: Moment) -> Duration {
    Duration::from_nanos(moment.boot_ns.saturating_sub(clock::now().boot_ns))
}

fn spelled(span: Span) -> SpanReport {
    SpanReport { term: span.term.0, until: span.until.into(), kill: span.kill.into() }
}
