//! Owns the making of threads: each has a name and a small stack.
//! Never decides what a thread does or how it ends.

use std::io;
use std::thread::{Builder, JoinHandle};

/// Stack of every thread, in bytes. A TLS handshake in an unoptimized build needs about half of
/// it; only the touched pages cost memory.
const STACK: usize = 256 << 10;

/// Starts a thread. The kernel shows the first 15 bytes of its name.
///
/// # Errors
/// What the system said: too many threads, or no memory.
pub fn spawn<T: Send + 'static>(
    name: &str,
    body: impl FnOnce() -> T + Send + 'static,
) -> io::Result<JoinHandle<T>> {
    Builder::new().name(name.to_owned()).stack_size(STACK).spawn(body)
}
