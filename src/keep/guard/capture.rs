//! Owns what one program writes: cuts it into lines and limits how much of it is passed on.
//! Never holds a program up: what is too much is read, counted and dropped (F103).

use std::io::{ErrorKind, PipeReader, Read};
use std::os::fd::{AsFd, BorrowedFd};

/// How many bytes of one run are passed on.
pub const BYTES_MAX: usize = 64 << 10;
/// Longer lines are cut into several.
const LINE_BYTES_MAX: usize = 1024;
/// A line counts as this long at least: a flood of empty ones is a flood.
const LINE_COST_MIN: usize = 64;
/// How much is read before the clocks are looked at again.
const ROUND_BYTES_MAX: usize = 256 << 10;

/// Lines out of bytes, up to the limit.
#[derive(Debug, Default)]
pub struct Lines {
    begun: Vec<u8>,
    spent: usize,
    dropped: u64,
    last: Option<String>,
}

impl Lines {
    /// Takes in `bytes` and tells each line that is whole.
    pub fn take(&mut self, bytes: &[u8], mut tell: impl FnMut(String)) {
        for byte in bytes {
            if self.spent >= BYTES_MAX {
                self.dropped += 1;
            } else if *byte == b'\n' {
                self.finish(&mut tell);
            } else {
                self.begun.push(*byte);
                if self.begun.len() == LINE_BYTES_MAX {
                    self.finish(&mut tell);
                }
            }
        }
    }

    /// Nothing more comes: a line without an end is a line.
    pub fn end(&mut self, mut tell: impl FnMut(String)) {
        if !self.begun.is_empty() {
            self.finish(&mut tell);
        }
    }

    /// The last line that was not blank.
    #[must_use]
    pub fn last(&self) -> Option<&str> {
        self.last.as_deref()
    }

    /// How many bytes were not passed on.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// A line could not be passed on after all.
    pub fn lost(&mut self, line: &str) {
        self.dropped += u64::try_from(line.len()).unwrap_or(0) + 1;
    }

    fn finish(&mut self, tell: &mut impl FnMut(String)) {
        let bytes = std::mem::take(&mut self.begun);
        self.spent += (bytes.len() + 1).max(LINE_COST_MIN);
        let is_plain = |c: char| !c.is_control() || c == '\t';
        let text = String::from_utf8_lossy(&bytes);
        let line: String = text.chars().map(|c| if is_plain(c) { c } else { '?' }).collect();
        if !line.trim().is_empty() {
            self.last = Some(line.clone());
        }
        tell(line);
    }
}

/// The reading end of a program's output.
#[derive(Debug)]
pub(super) struct Output {
    pipe: Option<PipeReader>,
}

impl Output {
    /// From now on reading it waits for nobody.
    pub(super) fn new(pipe: PipeReader) -> std::io::Result<Self> {
        rustix::io::ioctl_fionbio(&pipe, true)?;
        Ok(Self { pipe: Some(pipe) })
    }

    /// Reads what is there, but not for ever.
    pub(super) fn read(&mut self, mut take: impl FnMut(&[u8])) {
        let mut piece = [0; 16 << 10];
        let mut round = 0;
        while let Some(pipe) = self.pipe.as_mut().filter(|_| round < ROUND_BYTES_MAX) {
            match pipe.read(&mut piece) {
                Ok(0) => self.pipe = None,
                Ok(count) => {
                    round += count;
                    take(&piece[..count]);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => self.pipe = None,
            }
        }
    }

    /// What to wait on, while anybody can still write.
    pub(super) fn waits_on(&self) -> Option<BorrowedFd<'_>> {
        self.pipe.as_ref().map(AsFd::as_fd)
    }
}
