//! The only place where the CLI starts threads: named, with a small stack.
//! Never waits for them; they end with their channel, their socket or the process.

use std::io;
use std::thread::{Builder, JoinHandle};

/// Enough for one conversation and its buffers.
const STACK: usize = 256 * 1024;

/// Runs `work` beside the caller.
///
/// # Errors
/// What the system says when there is no room for another thread.
pub(super) fn spawn(
    name: &str,
    work: impl FnOnce() + Send + 'static,
) -> io::Result<JoinHandle<()>> {
    Builder::new().name(name.to_owned()).stack_size(STACK).spawn(work)
}
