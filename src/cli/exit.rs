//! Decides what each exit code means; the one list scripts rely on.
//! Never ends the process; main does.

/// How a command ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Exit {
    /// Yes, or done.
    Done = 0,
    /// No, or refused.
    No = 1,
    /// The command line makes no sense.
    Usage = 2,
    /// What was read is not what it should be.
    BadData = 65,
    /// A file to read is not there.
    NoInput = 66,
    /// The daemon is not reachable.
    Unreachable = 69,
    /// A file or directory could not be made.
    CannotCreate = 73,
    /// Reading or writing failed.
    InputOutput = 74,
    /// No quorum, no master, or the outcome is unknown: try again.
    TryAgain = 75,
    /// Not allowed.
    Permission = 77,
    /// The configuration is wrong.
    Config = 78,
    /// It would do harm, and is done only by force.
    NeedsForce = 107,
    /// What was waited for did not come in time.
    TimedOut = 124,
}

impl Exit {
    /// The number the process exits with.
    #[must_use]
    pub fn code(self) -> u8 {
        self as u8
    }
}
