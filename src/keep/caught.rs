//! Owns signals that wake a waiting process: which came since the last look.
//! Never acts on one. Meant for processes of one thread.

use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT};
use signal_hook::{flag, low_level::pipe};

/// What a terminal sends, which nohup(1), or a shell that starts something in the background, has
/// a program ignore.
const OF_A_TERMINAL: [i32; 3] = [SIGHUP, SIGINT, SIGQUIT];

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

    /// The same, but what whoever started us had us ignore stays ignored, here and in what is
    /// started from here, as with env(1).
    ///
    /// # Errors
    /// As above.
    pub fn unless_ignored(numbers: &[i32]) -> io::Result<Self> {
        let ignored = ignored()?;
        let is_ignored =
            |number: &i32| OF_A_TERMINAL.contains(number) && ignored & (1 << (number - 1)) != 0;
        let caught: Vec<i32> = numbers.iter().copied().filter(|one| !is_ignored(one)).collect();
        Self::signals(&caught)
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

/// The signals that this process ignores, one bit each, the first signal lowest.
fn ignored() -> io::Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .ok_or_else(|| io::Error::other("/proc does not show which signals are ignored"))
}
