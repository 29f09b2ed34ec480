//! Owns signals that wake a waiting process: which came since the last look.
//! Never acts on one. Meant for processes of one thread.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use signal_hook::{flag, low_level::pipe};

/// Caught signals.
#[derive(Debug)]
pub struct Caught {
    woken: UnixStream,
    flags: Vec<(i32, Arc<AtomicBool>)>,
}

impl Caught {
    /// From now on these arrive here instead of doing what they do.
    ///
    /// # Errors
    /// What the system says when it cannot be arranged.
    pub fn signals(numbers: &[i32]) -> io::Result<Self> {
        let (woken, waker) = UnixStream::pair()?;
        woken.set_nonblocking(true)?;
        waker.set_nonblocking(true)?;
        let mut flags = Vec::new();
        for number in numbers {
            let came = Arc::new(AtomicBool::new(false));
            // The flag is up before the waiting ends.
            flag::register(*number, Arc::clone(&came))?;
            pipe::register(*number, waker.try_clone()?)?;
            flags.push((*number, came));
        }
        Ok(Self { woken, flags })
    }

    /// Those that came since the last call.
    pub fn take(&self) -> Vec<i32> {
        let mut bytes = [0; 64];
        // One that comes after this reading wakes again.
        while rustix::io::read(&self.woken, &mut bytes).is_ok_and(|count| count > 0) {}
        let came = self.flags.iter().filter(|(_, came)| came.swap(false, SeqCst));
        came.map(|(number, _)| *number).collect()
    }
}

impl AsFd for Caught {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.woken.as_fd()
    }
}
