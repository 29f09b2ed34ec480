//! Owns why a command of the daemon could not do what it was asked: a sentence and an exit code.
//! Never printed here; `serve` and `init` do.

use std::fmt;

/// Not found, with the input named: no identity, no state, no file (sysexits EX_NOINPUT).
pub const NO_INPUT: u8 = 66;
/// Bad content (EX_DATAERR).
pub const BAD_DATA: u8 = 65;
/// Cannot create (EX_CANTCREAT).
pub const CANNOT_CREATE: u8 = 73;
/// The system failed at reading or writing (EX_IOERR).
pub const IO: u8 = 74;
/// May work later (EX_TEMPFAIL).
pub const TRY_AGAIN: u8 = 75;
/// Not allowed (EX_NOPERM).
pub const NO_PERMISSION: u8 = 77;
/// Contradicts the settings (EX_CONFIG).
pub const CONFIG: u8 = 78;

/// Why nothing was done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// The exit code.
    pub code: u8,
    /// What happened, to what, and what to do now.
    pub message: String,
}

impl Failure {
    /// A failure with that code.
    pub fn new(code: u8, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// A failure of the system at `what`: 77 if permission lacked, else `code`.
    pub fn of_system(code: u8, what: &str, error: &std::io::Error) -> Self {
        let is_denied = error.kind() == std::io::ErrorKind::PermissionDenied;
        let code = if is_denied { NO_PERMISSION } else { code };
        let advice = match error.raw_os_error().map(rustix::io::Errno::from_raw_os_error) {
            Some(rustix::io::Errno::NOSPC | rustix::io::Errno::DQUOT) => {
                "; make room on that volume, then start quorate again"
            }
            Some(rustix::io::Errno::ROFS) => {
                "; that volume is mounted read-only: look at the system's log for why"
            }
            _ => "",
        };
        Self::new(code, format!("{what}: {error}{advice}"))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
