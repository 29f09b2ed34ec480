//! Hears one observer that called: whatever is there, one chunk at a turn.
//! Never answers, and never hears more than its allowance (H26).

use std::io;
use std::net::TcpStream;
use std::sync::Arc;

use super::Wake;
use super::writer::Next;
use crate::daemon::listener;
use crate::daemon::rate::Allowance;
use crate::daemon::session::{Ending, FRAME_LIMIT, Session};
use crate::daemon::shared::{Inbound, Shared};
use crate::daemon::vigil::Wants;
use crate::daemon::waiting::Deadline;

/// The session of one that called.
pub(super) struct Reader {
    pub(super) caller: Arc<Inbound>,
    session: Box<Session>,
    allowance: Allowance,
    /// When the next frame must have begun.
    idle: Deadline,
    /// When the one that has begun must be complete.
    frame: Option<Deadline>,
    /// Until when it is not read, since it said too much.
    paused: Option<Deadline>,
}

impl Reader {
    pub(super) fn new(shared: &Shared, caller: Arc<Inbound>, session: Box<Session>) -> Self {
        let (allowance, idle) = (Allowance::full(), Deadline::after(shared.idle_limit()));
        Self { caller, session, allowance, idle, frame: None, paused: None }
    }

    pub(super) fn socket(&self) -> (Arc<TcpStream>, Wants) {
        let (reading, writing) = (self.paused.is_none(), self.session.has_to_write());
        (self.session.socket(), Wants { reading, writing })
    }

    pub(super) fn due(&self) -> Deadline {
        self.paused.or(self.frame).unwrap_or(self.idle)
    }

    pub(super) fn turn(&mut self, shared: &Shared, wake: Wake) -> Next {
        match self.hear(shared, wake) {
            Ok(()) => Next::Stay,
            Err(ending) => {
                listener::departed(shared, &self.caller, &ending);
                Next::End
            }
        }
    }

    pub(super) fn fail(&mut self, shared: &Shared, error: io::Error) -> Next {
        listener::departed(shared, &self.caller, &error.into());
        Next::End
    }

    fn hear(&mut self, shared: &Shared, wake: Wake) -> Result<(), Ending> {
        if self.paused.is_some_and(|until| !until.has_passed()) {
            // Nothing but its end is waited for meanwhile.
            return if wake == Wake::Socket { Err(Ending::Closed) } else { Ok(()) };
        }
        self.paused = None;
        self.hear_what_is_here(shared)?;
        if self.paused.is_none() && self.session.take_some()? {
            self.hear_what_is_here(shared)?;
        }
        self.session.push()?;
        if self.paused.is_some() {
            // It is not read meanwhile, so its deadlines stand still.
            return Ok(());
        }
        if self.session.is_inside_frame() {
            self.frame.get_or_insert_with(|| Deadline::after(FRAME_LIMIT));
        } else {
            self.frame = None;
        }
        match self.frame {
            Some(until) if until.has_passed() => Err(Ending::Late("the rest of a frame")),
            None if self.idle.has_passed() => Err(Ending::Late("the next frame")),
            Some(_) | None => Ok(()),
        }
    }

    fn hear_what_is_here(&mut self, shared: &Shared) -> Result<(), Ending> {
        while self.paused.is_none() {
            let Some((received, size)) = self.session.message_at_hand(shared.charter_of)? else {
                return Ok(());
            };
            listener::hear(shared, &self.caller, &mut self.session, received);
            self.frame = None;
            self.idle = Deadline::after(shared.idle_limit());
            self.paused = self.allowance.pay(size);
        }
        Ok(())
    }

    /// Goes on in a thread of its own.
    pub(super) fn rise(self, shared: &Arc<Shared>) {
        listener::read_apart(shared, *self.session, &self.caller);
    }
}
