//! Owns where words go: data to standard output, messages to standard error; and how a command
//! that did not succeed says so. Never decides what is said.

use std::io::{self, IsTerminal, Write};
use std::os::fd::BorrowedFd;

use crate::cli::client::Trouble;
use crate::cli::exit::Exit;
use crate::cli::style::Style;
use crate::cli::terminal;

/// Where a command's words go.
pub struct Console<'a> {
    /// Data.
    pub out: &'a mut dyn Write,
    /// Messages.
    pub err: &'a mut dyn Write,
    /// How data looks.
    pub style: Style,
    /// Where data ends up, to notice that its reader has gone; `None` if that cannot be seen.
    pub outlet: Option<BorrowedFd<'a>>,
}

impl Console<'_> {
    /// Prints data as it is.
    ///
    /// # Errors
    /// A [`Failure`] without words when the reader has gone, with words otherwise.
    pub fn print(&mut self, text: &str) -> Result<(), Failure> {
        let printed = self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush());
        printed.map_err(|error| {
            if error.kind() == io::ErrorKind::BrokenPipe {
                // `quorate events --follow | head -1` is no fault.
                return Failure::new(Exit::Done, "");
            }
            Failure::new(Exit::InputOutput, format!("cannot print: {error}"))
        })
    }

    /// Prints one value as one line of JSON.
    ///
    /// # Errors
    /// As `print`.
    pub fn print_json(&mut self, value: &impl serde::Serialize) -> Result<(), Failure> {
        let line = serde_json::to_string(value).expect("reports have string keys only");
        self.print(&format!("{line}\n"))
    }

    /// Says one thing to the person.
    pub fn tell(&mut self, message: &str) {
        // Where standard error is closed nobody wants to be told.
        let _ = writeln!(self.err, "{message}");
    }
}

/// How standard output may look.
#[must_use]
pub fn style_of_stdout() -> Style {
    let size = io::stdout().is_terminal().then(terminal::size);
    Style::decide(|name| std::env::var(name).ok(), size)
}

/// Why a command ends without success.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// The exit code.
    pub exit: Exit,
    /// What happened and what to do; empty if there is nobody to tell.
    pub message: String,
}

impl Failure {
    /// A failure with words.
    #[must_use]
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into() }
    }
}

impl From<Trouble> for Failure {
    fn from(trouble: Trouble) -> Self {
        let exit = match trouble {
            Trouble::NotThere(_) => Exit::Unreachable,
            Trouble::Denied(_) | Trouble::Doubtful(..) => Exit::Permission,
            Trouble::TooLong(_) => Exit::Usage,
            Trouble::Silent(_)
            | Trouble::Broken(..)
            | Trouble::Refused(_)
            | Trouble::Busy(_)
            | Trouble::Foreign(_) => Exit::TryAgain,
        };
        Self::new(exit, trouble.to_string())
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::new(Exit::InputOutput, format!("the system refuses: {error}"))
    }
}
