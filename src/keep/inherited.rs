//! Owns what whoever started this process left open in it, besides the three standard files.
//! Never touches what this process opened itself: it is called before there is any of that.
//!
//! Whoever starts a daemon may hold a lock by a file that the daemon inherits (setlock does): the
//! daemon keeps it open. What the daemon starts closes its own copy, which gives no lock back.

use std::fs;
use std::io;

use nix::errno::Errno;
use nix::unistd;

/// The first that is neither standard input nor an output.
const FIRST: i32 = 3;

/// Closes all of it. The first thing that a process does.
///
/// # Errors
/// The system does not show it in /proc, or does not close it.
pub(super) fn close_all() -> io::Result<()> {
    // Where all numbers are taken, the list needs one.
    close(FIRST)?;
    let mut open = Vec::new();
    for entry in fs::read_dir("/proc/self/fd")? {
        open.extend(entry?.file_name().to_str().and_then(|name| name.parse::<i32>().ok()));
    }
    // The list was open itself, and is not any more.
    open.into_iter().filter(|number| *number > FIRST).try_for_each(close)
}

fn close(number: i32) -> io::Result<()> {
    match unistd::close(number) {
        // After an interruption it is closed all the same.
        Ok(()) | Err(Errno::EBADF | Errno::EINTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
