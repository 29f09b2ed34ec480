//! Reaches one observer and writes its mail, as far as its socket takes it.
//! Never spells a document twice that goes to many, and never reads a message.

use std::io;
use std::net::TcpStream;
use std::sync::Arc;

use super::Wake;
use crate::daemon::peer::{self, Backoff, Link, Reached};
use crate::daemon::session::steps::{Letter, Unsent, letter};
use crate::daemon::session::{Ending, FRAME_LIMIT};
use crate::daemon::shared::Shared;
use crate::daemon::vigil::Wants;
use crate::daemon::waiting::Deadline;
use crate::protocol::message::{Append, Message};

/// How a seat goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Next {
    /// It waits.
    Stay,
    /// It is to be called when there is a place for one more call.
    Call,
    /// It is over.
    End,
}

/// The way to one observer.
pub(super) struct Writer {
    pub(super) link: Arc<Link>,
    backoff: Backoff,
    state: State,
}

enum State {
    /// For a place to call.
    Waiting,
    Calling,
    /// After a failure.
    Pausing(Deadline),
    Open(Open),
}

/// A session that works.
struct Open {
    reached: Reached,
    unsent: Unsent,
    /// When what the socket does not take must be written.
    by: Option<Deadline>,
}

impl Writer {
    pub(super) fn new(shared: &Shared, link: Arc<Link>) -> Self {
        let backoff = Backoff::new(shared.hello.instance);
        Self { link, backoff, state: State::Waiting }
    }

    pub(super) fn socket(&self) -> Option<(Arc<TcpStream>, Wants)> {
        let State::Open(open) = &self.state else { return None };
        let wants = Wants { reading: true, writing: open.by.is_some() };
        Some((open.reached.session.socket(), wants))
    }

    pub(super) fn due(&self) -> Option<Deadline> {
        match &self.state {
            State::Waiting | State::Calling => None,
            State::Pausing(until) => Some(*until),
            State::Open(open) => open.by,
        }
    }

    pub(super) fn is_calling(&self) -> bool {
        matches!(self.state, State::Calling)
    }

    /// While it calls, the call waits for the bell: it may be told to stop.
    pub(super) fn hears_its_bell(&self) -> bool {
        !self.is_calling()
    }

    pub(super) fn turn(&mut self, shared: &Shared, copied: &mut Copied, wake: Wake) -> Next {
        if self.hears_its_bell() {
            // Whatever it rang for is looked at now.
            self.link.outbox.bell().hush();
        }
        match &mut self.state {
            State::Calling => Next::Stay,
            State::Open(open) => match open.speak(shared, &self.link, copied, wake) {
                Ok(false) => Next::Stay,
                Ok(true) => self.part(shared, None),
                Err(ending) => self.part(shared, Some(&ending)),
            },
            State::Waiting | State::Pausing(_) if self.link.outbox.is_closed() => Next::End,
            State::Waiting => Next::Stay,
            State::Pausing(until) => {
                if !until.has_passed() && !self.link.outbox.is_hurried() {
                    return Next::Stay;
                }
                self.state = State::Waiting;
                Next::Call
            }
        }
    }

    pub(super) fn fail(&mut self, shared: &Shared, error: io::Error) -> Next {
        self.part(shared, Some(&error.into()))
    }

    /// The session is over, by our own wish if there is no `ending`.
    fn part(&mut self, shared: &Shared, ending: Option<&Ending>) -> Next {
        let pause = State::Pausing(self.backoff.next());
        if let State::Open(mut open) = std::mem::replace(&mut self.state, pause) {
            peer::parted(shared, &self.link, &mut open.reached, ending, &mut self.backoff);
        }
        if self.link.outbox.is_closed() {
            Next::End
        } else if self.link.outbox.is_hurried() {
            // Its ring may have been heard while the session was open still.
            self.state = State::Waiting;
            Next::Call
        } else {
            Next::Stay
        }
    }

    /// Calls it, in a thread of the call's own; false if there is nobody to call, or no thread.
    pub(super) fn call(
        &mut self,
        shared: &Arc<Shared>,
        tell: impl FnOnce(Result<Reached, String>) + Send + 'static,
    ) -> bool {
        if !matches!(self.state, State::Waiting) || self.link.outbox.is_closed() {
            return false;
        }
        self.link.outbox.calm();
        match peer::call(shared, &self.link, tell) {
            Ok(_) => {
                self.state = State::Calling;
                true
            }
            Err(why) => {
                self.called(shared, Err(why));
                false
            }
        }
    }

    /// The call ended.
    pub(super) fn called(&mut self, shared: &Shared, outcome: Result<Reached, String>) {
        self.state = match outcome {
            Ok(reached) => {
                peer::begun(shared, &self.link, &reached);
                State::Open(Open { reached, unsent: Unsent::default(), by: None })
            }
            Err(why) => {
                peer::unreached(shared, &self.link, &why);
                State::Pausing(self.backoff.next())
            }
        };
    }

    /// Goes on in a thread of its own; gives itself back if there is none for it.
    pub(super) fn rise(self, shared: &Arc<Shared>) -> Option<Self> {
        let Self { link, mut backoff, state } = self;
        let at_hand = match state {
            State::Open(open) => Some((open.reached, open.unsent)),
            State::Waiting | State::Calling | State::Pausing(_) => None,
        };
        match shared.run_link(&link, at_hand) {
            Ok(()) => None,
            Err(error) => {
                log::error!("no thread for {}: {error}", link.peer);
                let state = State::Pausing(backoff.next());
                Some(Self { link, backoff, state })
            }
        }
    }
}

impl Open {
    /// Writes mail until the socket takes no more or there is none; true when there will be none.
    fn speak(
        &mut self,
        shared: &Shared,
        link: &Link,
        copied: &mut Copied,
        wake: Wake,
    ) -> Result<bool, Ending> {
        if wake == Wake::Socket {
            self.reached.session.only_listens()?;
        }
        loop {
            if !self.reached.session.say(&mut self.unsent)? {
                let by = *self.by.get_or_insert_with(|| Deadline::after(FRAME_LIMIT));
                return if by.has_passed() { Err(Ending::Late("sending")) } else { Ok(false) };
            }
            self.by = None;
            // Asked before the box is emptied: what is posted before the close is sent.
            let is_closed = link.outbox.is_closed();
            let Some(message) = link.outbox.take() else { return Ok(is_closed) };
            // What this message relies on was on disk before it was posted.
            self.reached.session.say_progress(shared.doubts.written())?;
            self.unsent = copied.letter(&message).map(Unsent::whole).unwrap_or_default();
        }
    }
}

/// The document that was spelled last: a new master has the same one for everybody.
#[derive(Default)]
pub(super) struct Copied {
    last: Option<(Append, Letter)>,
    was_asked: bool,
}

impl Copied {
    fn letter(&mut self, message: &Message) -> Option<Letter> {
        let Message::Append(append) = message else { return letter(message) };
        self.was_asked = true;
        if let Some((last, letter)) = self.last.as_ref().filter(|(last, _)| is_same(last, append)) {
            debug_assert_eq!(last, append, "what looks the same is the same");
            return Some(Arc::clone(letter));
        }
        let letter = letter(message)?;
        self.last = Some((append.clone(), Arc::clone(&letter)));
        Some(letter)
    }

    /// Drops what nobody asked for meanwhile.
    pub(super) fn end_of_round(&mut self) {
        if !std::mem::take(&mut self.was_asked) {
            self.last = None;
        }
    }
}

/// Whether both are spelled the same; a clone's body and charter are where the original's are.
fn is_same(one: &Append, other: &Append) -> bool {
    let (a, b) = (&one.document, &other.document);
    one.term == other.term
        && (a.position, a.revision, a.hash) == (b.position, b.revision, b.hash)
        && Arc::ptr_eq(&a.body, &b.body)
        && a.byline == b.byline
}
