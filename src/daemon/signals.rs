//! Owns the signals: turns TERM, INT, HUP and USR1 into values on a channel.
//! Never acts on them; `serve` does. SIGPIPE is ignored by the runtime before `main`.

use std::io;

use crossbeam_channel::{Receiver, bounded};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1};
use signal_hook::iterator::Signals;

use crate::daemon::spawn::spawn;

/// How many signals may wait; more of them say nothing new.
const SIGNALS_WAITING_MAX: usize = 16;

/// What the outside wants.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Signal {
    /// TERM or INT, by its number: hand over and exit; the second time, exit.
    Leave(i32),
    /// HUP: read node.yaml again.
    Reload,
    /// USR1: log the status.
    Report,
}

/// Catches the signals from now on, on a thread of its own.
///
/// # Errors
/// The system does not let us catch them.
pub fn catch() -> io::Result<Receiver<Signal>> {
    let mut signals = Signals::new([SIGTERM, SIGINT, SIGHUP, SIGUSR1])?;
    let (sender, receiver) = bounded(SIGNALS_WAITING_MAX);
    spawn("signals", move || {
        for number in signals.forever() {
            let signal = match number {
                SIGHUP => Signal::Reload,
                SIGUSR1 => Signal::Report,
                number => Signal::Leave(number),
            };
            // A full queue holds the same wishes already.
            sender.try_send(signal).ok();
        }
    })?;
    Ok(receiver)
}
