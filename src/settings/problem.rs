//! What is wrong with a settings text, where, and what to do now.
//! Never guesses: a place that is not known is left out.

use std::fmt;

/// One fault in one file, for a person: `file:line:column: message`, then the hint.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// The file's name as the person knows it.
    pub file: String,
    /// Counted from 1.
    pub line: Option<usize>,
    /// Counted from 1, in characters.
    pub column: Option<usize>,
    /// What happened, to what.
    pub message: String,
    /// What to do now.
    pub hint: Option<String>,
}

impl Problem {
    /// A fault of the whole file.
    pub(super) fn new(file: &str, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { file: file.into(), line: None, column: None, message, hint: None }
    }

    /// The same at `place`, if that is known.
    pub(super) fn at(self, place: impl Into<Option<Place>>) -> Self {
        let place = place.into();
        Self { line: place.map(|at| at.line), column: place.map(|at| at.column), ..self }
    }

    /// The same with advice.
    pub(super) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        for number in [self.line, self.column].into_iter().flatten() {
            write!(f, ":{number}")?;
        }
        write!(f, ": {}", self.message)?;
        match &self.hint {
            Some(hint) => write!(f, "\n  {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Problem {}

/// A place in a text; both numbers count from 1, columns in characters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Place {
    /// The line.
    pub(super) line: usize,
    /// The column.
    pub(super) column: usize,
}

impl Place {
    /// Where the byte at `offset` of `text` is.
    pub(super) fn of(text: &str, offset: usize) -> Self {
        let before = &text[..offset];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }

    /// Where the YAML reader says an error is.
    pub(super) fn reported_by(error: &serde_yaml::Error) -> Option<Self> {
        error.location().map(|at| Self { line: at.line(), column: at.column() })
    }

    /// The character of `text` there.
    pub(super) fn character(self, text: &str) -> Option<char> {
        text.lines().nth(self.line.checked_sub(1)?)?.chars().nth(self.column.checked_sub(1)?)
    }
}
