//! What each side tells the other before its messages: how many writes of its state are on disk.
//! Never weighs what it hears; `doubts` does.

use std::io::Write;

use super::{Ending, FRAME_LIMIT, Session};
use crate::daemon::waiting::Deadline;
use crate::wire::frame::{self, Class, Frame};

impl Session {
    /// Says that so many writes of our state are on disk, if that is news over there.
    pub(crate) fn send_progress(&mut self, written: u64) -> Result<(), Ending> {
        match self.news_of_progress(written) {
            Some(digits) => {
                self.send(Class::Progress, digits.as_bytes(), Deadline::after(FRAME_LIMIT))
            }
            None => Ok(()),
        }
    }

    /// The number in words, if it is news over there; it counts as told then.
    fn news_of_progress(&mut self, written: u64) -> Option<String> {
        if self.told.is_none_or(|told| told >= written) {
            return None;
        }
        self.told = Some(written);
        Some(written.to_string())
    }

    /// How many writes of its state the other side told of before the last message.
    pub(crate) fn take_progress(&mut self) -> Option<u64> {
        self.progress.take()
    }

    /// The next frame that is no progress; of that there is at most one before each message.
    pub(super) fn receive_past_progress(&mut self, idle: Deadline) -> Result<Frame, Ending> {
        let frame = self.receive(idle, None)?;
        if frame.class != Class::Progress {
            return Ok(frame);
        }
        self.note_progress(&frame)?;
        self.receive(idle, None)
    }

    pub(super) fn note_progress(&mut self, frame: &Frame) -> Result<(), Ending> {
        let digits = std::str::from_utf8(&frame.payload).ok();
        let number = digits.and_then(|digits| digits.parse().ok());
        self.progress = Some(number.ok_or(Ending::Unexpected(frame.class))?);
        Ok(())
    }

    /// Puts before the next letter that so many writes of our state are on disk, if that is news
    /// over there. Only when all that was said has gone out: then there is room for it.
    pub(crate) fn say_progress(&mut self, written: u64) -> Result<(), Ending> {
        let Some(digits) = self.news_of_progress(written) else { return Ok(()) };
        let header = frame::header(Class::Progress, digits.as_bytes())?;
        let mut writer = self.tls.writer();
        writer.write_all(&header)?;
        Ok(writer.write_all(digits.as_bytes())?)
    }
}
