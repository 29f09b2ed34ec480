//! A session moved a step at a time, for whoever looks after many of them: reads what is there,
//! writes what the socket takes.
//! Never waits; the deadlines are its caller's.

use std::io::Write;
use std::sync::Arc;

use crate::daemon::session::{Ending, Received, Session};
use crate::daemon::waiting::Deadline;
use crate::protocol::membership::Charter;
use crate::protocol::message::Message;
use crate::wire::codec;
use crate::wire::frame::{self, Class};

/// A message as its frame, which goes to many as it is.
pub(crate) type Letter = Arc<[u8]>;

/// The frame of `message`; nothing for one that is too large, with a line in the log: its receiver
/// would end the session.
pub(crate) fn letter(message: &Message) -> Option<Letter> {
    let payload = codec::encode(message);
    match frame::header(class_of(message), &payload) {
        Ok(header) => Some([&header[..], &payload[..]].concat().into()),
        Err(error) => {
            log::error!("a message was not sent: {error}");
            None
        }
    }
}

pub(super) fn class_of(message: &Message) -> Class {
    if codec::carries_document(message) { Class::Document } else { Class::Message }
}

/// What is still to be said of a letter.
#[derive(Debug, Default)]
pub(crate) struct Unsent {
    letter: Option<Letter>,
    at: usize,
}

impl Unsent {
    /// All of it.
    pub(crate) fn whole(letter: Letter) -> Self {
        Self { letter: Some(letter), at: 0 }
    }

    fn rest(&self) -> &[u8] {
        self.letter.as_deref().map_or(&[], |letter| &letter[self.at..])
    }
}

impl Session {
    /// The next message, if it is here already, with its size.
    pub(crate) fn message_at_hand(
        &mut self,
        charter_of: fn(&str) -> Result<Charter, String>,
    ) -> Result<Option<(Received, usize)>, Ending> {
        while let Some(frame) = self.frames.read(&mut self.tls.reader())? {
            // Of progress there is at most one before each message.
            if frame.class != Class::Progress || self.progress.is_some() {
                return self.understood(&frame, charter_of).map(Some);
            }
            self.note_progress(&frame)?;
        }
        Ok(None)
    }

    /// Whether a frame has begun and is not complete: then its deadline runs.
    pub(crate) fn is_inside_frame(&self) -> bool {
        self.frames.is_inside()
    }

    /// Whether TLS has something to say that the socket has not taken yet.
    pub(crate) fn has_to_write(&self) -> bool {
        self.tls.wants_write()
    }

    /// Says as much of `unsent` as the socket takes; true once that is all.
    pub(crate) fn say(&mut self, unsent: &mut Unsent) -> Result<bool, Ending> {
        while self.push()? {
            let rest = unsent.rest();
            if rest.is_empty() {
                unsent.letter = None;
                return Ok(true);
            }
            unsent.at += self.tls.writer().write(rest)?;
        }
        Ok(false)
    }

    /// Says the whole rest of it, by `deadline`.
    pub(crate) fn say_all(
        &mut self,
        unsent: &mut Unsent,
        deadline: Deadline,
    ) -> Result<(), Ending> {
        while !self.say(unsent)? {
            self.flush(deadline, "sending")?;
        }
        Ok(())
    }
}
