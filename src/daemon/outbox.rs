//! The mail that waits for one peer: bounded, newest state wins, never older than useful (R75).
//! Never blocks the one who posts, and never sends.
//!
//! A heartbeat, beat or document that waits is replaced by a newer one of its kind: the peer
//! needs the newest only (R23). Everything else keeps its order. When the box is full, the oldest
//! mail that its sender repeats anyway goes first.

use std::collections::VecDeque;
use std::io;
use std::mem::discriminant;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::daemon::waiting::{Bell, Deadline, wait_for_bell};
use crate::protocol::message::Message;

/// The most messages that wait for one peer.
pub const CAPACITY: usize = 64;

/// One peer's box.
#[derive(Debug)]
pub struct Outbox {
    inner: Mutex<Inner>,
    bell: Bell,
}

#[derive(Debug, Default)]
struct Inner {
    queue: VecDeque<(Deadline, Message)>,
    /// Mail that waited longer is not sent: its question has been asked again since.
    fresh_for: Duration,
    dropped: u64,
    is_closed: bool,
    is_hurried: bool,
}

impl Outbox {
    /// An empty box, whose mail is worth sending for `fresh_for`.
    ///
    /// # Errors
    /// Too many open files.
    pub fn new(fresh_for: Duration) -> io::Result<Self> {
        let inner = Mutex::new(Inner { fresh_for, ..Inner::default() });
        Ok(Self { inner, bell: Bell::new()? })
    }

    /// Mail that is posted from now on is worth sending for `span`.
    pub fn keep_fresh_for(&self, span: Duration) {
        self.lock().fresh_for = span;
    }

    /// Puts `message` in, at the cost of what it replaces or of the least needed one.
    pub fn post(&self, message: Message) {
        let mut inner = self.lock();
        if inner.is_closed {
            inner.dropped += 1;
            return;
        }
        if is_replaced_by_newer(&message) {
            let kind = discriminant(&message);
            inner.queue.retain(|(_, queued)| discriminant(queued) != kind);
        }
        if inner.queue.len() >= CAPACITY {
            let least = inner.queue.iter().position(|(_, queued)| is_repeated_anyway(queued));
            inner.queue.remove(least.unwrap_or(0));
            inner.dropped += 1;
        }
        let until = Deadline::after(inner.fresh_for);
        inner.queue.push_back((until, message));
        drop(inner);
        self.bell.ring();
    }

    /// Takes the oldest mail that is still worth sending.
    pub fn take(&self) -> Option<Message> {
        let mut inner = self.lock();
        while let Some((fresh_until, message)) = inner.queue.pop_front() {
            if !fresh_until.has_passed() {
                return Some(message);
            }
            inner.dropped += 1;
        }
        None
    }

    /// How many messages were never sent: overtaken by age, a full box, or the end.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.lock().dropped
    }

    /// Takes no more mail; what is in may still be taken.
    pub fn close(&self) {
        self.lock().is_closed = true;
        self.bell.ring();
    }

    /// Whether it takes no more mail.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.lock().is_closed
    }

    /// Ends a pause: the peer has just shown that it is there.
    pub fn hurry(&self) {
        self.lock().is_hurried = true;
        self.bell.ring();
    }

    /// Whether the peer has shown that it is there since the last attempt began.
    pub(crate) fn is_hurried(&self) -> bool {
        self.lock().is_hurried
    }

    /// Forgets earlier hurries: an attempt begins that counts for them.
    pub(crate) fn calm(&self) {
        self.lock().is_hurried = false;
    }

    /// Waits until `deadline`, a hurry or the close.
    pub(crate) fn pause(&self, deadline: Deadline) -> io::Result<()> {
        loop {
            let inner = self.lock();
            if inner.is_closed || inner.is_hurried {
                return Ok(());
            }
            drop(inner);
            if !wait_for_bell(&self.bell, deadline)? {
                return Ok(());
            }
        }
    }

    /// Rings on mail, hurry and close.
    pub(crate) fn bell(&self) -> &Bell {
        &self.bell
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a newer message of its kind makes this one worthless.
fn is_replaced_by_newer(message: &Message) -> bool {
    match message {
        Message::Beat(_) | Message::Heartbeat(_) | Message::Append(_) | Message::Offer(_) => true,
        Message::HeartbeatAck(_)
        | Message::PreVote(_)
        | Message::PreVoteReply(_)
        | Message::Vote(_)
        | Message::VoteReply(_)
        | Message::AppendAck(_)
        | Message::Fetch(_)
        | Message::Release(_)
        | Message::TimeoutNow(_)
        | Message::Handover(_)
        | Message::HandoverReply(_)
        | Message::Edit(_)
        | Message::EditReply(_) => false,
    }
}

/// Whether its sender says it again soon, so that its loss costs little.
fn is_repeated_anyway(message: &Message) -> bool {
    match message {
        Message::Beat(_)
        | Message::Heartbeat(_)
        | Message::HeartbeatAck(_)
        | Message::PreVote(_)
        | Message::PreVoteReply(_)
        | Message::Fetch(_) => true,
        Message::Vote(_)
        | Message::VoteReply(_)
        | Message::Append(_)
        | Message::AppendAck(_)
        | Message::Offer(_)
        | Message::Release(_)
        | Message::TimeoutNow(_)
        | Message::Handover(_)
        | Message::HandoverReply(_)
        | Message::Edit(_)
        | Message::EditReply(_) => false,
    }
}
