//! `fence-check`: decides whether a term may still write, by the highest term that came before.
//! Never asks a daemon and needs no configuration: what it guards may lie where none runs.

use core::time::Duration;
use std::ffi::OsString;
use std::path::Path;

use crate::cli::commands::Outcome;
use crate::cli::console::Failure;
use crate::cli::exit::Exit;
use crate::cli::token_file;
use crate::protocol::units::Term;
use crate::wire::environment::TERM;

/// The term that `text` spells: a plain number from 1 on, without sign, blank or leading zero.
#[must_use]
pub fn token(text: &str) -> Option<Term> {
    let number = text.parse().ok().filter(|number| *number > 0 && u64::to_string(number) == text);
    number.map(Term)
}

/// Goes on only if no higher term than `term`, or than the one in `variable`, came before it; from
/// then on every lower one is stale.
///
/// # Errors
/// That the term is stale or missing, or any trouble with the file: nothing but success is a yes.
pub fn check(
    file: &Path,
    term: Option<Term>,
    variable: Option<OsString>,
    patience: Duration,
) -> Outcome {
    let term = term.map_or_else(|| term_in(variable), Ok)?;
    let highest = token_file::raise(file, term, patience)?;
    if highest > term {
        let message = format!(
            "stale: term {term} may write no more, {} has seen term {highest}",
            file.display()
        );
        return Err(Failure::new(Exit::No, message));
    }
    Ok(Exit::Done)
}

fn term_in(variable: Option<OsString>) -> Result<Term, Failure> {
    let advice = "give the term of this mastership, a number from 1 on";
    let Some(text) = variable else {
        let message = format!("TERM is missing, and ${TERM} is not set: {advice}");
        return Err(Failure::new(Exit::Usage, message));
    };
    let text = text.to_string_lossy();
    token(&text).ok_or_else(|| {
        let message = format!("${TERM} is `{}`: {advice}", text.escape_debug());
        Failure::new(Exit::Usage, message)
    })
}
