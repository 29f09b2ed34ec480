//! Turns signals into values on a channel, so that every way out cleans up.
//! Never acts on one.

use std::io;

use crossbeam_channel::{Receiver, bounded};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGWINCH};
use signal_hook::iterator::Signals;

use crate::cli::threads;

/// What a signal asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Notice {
    /// To end now.
    End,
    /// To look at the terminal's size again.
    Resized,
}

/// From now on signals arrive here instead of ending the process.
///
/// # Errors
/// What the system says when it cannot be arranged.
pub(super) fn catch() -> io::Result<Receiver<Notice>> {
    let (sender, receiver) = bounded(16);
    let mut signals = Signals::new([SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGWINCH])?;
    threads::spawn("signals", move || {
        for signal in signals.forever() {
            let notice = if signal == SIGWINCH { Notice::Resized } else { Notice::End };
            if sender.send(notice).is_err() {
                return;
            }
        }
    })?;
    Ok(receiver)
}
