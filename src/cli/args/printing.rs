//! Understands the commands that print what other programs take: completions, the manual, service
//! files. Never prints any of it.

use super::{Command, ServiceOptions, Typed, UsageError};
use crate::cli::complete;
use crate::cli::man::SECTIONS;
use crate::cli::service::KITS;

/// One of them, by its name.
pub(super) fn printing(name: &str, typed: &mut Typed) -> Result<Command, UsageError> {
    Ok(match name {
        "completions" => Command::Completions(shell(typed)?),
        "man" => Command::Man(section(typed)?),
        _ => Command::Service(service(typed)?),
    })
}

/// What makes the shell that is named complete words.
fn shell(typed: &mut Typed) -> Result<&'static str, UsageError> {
    let word = typed.operands.pop().unwrap_or_default();
    let script = word.to_str().and_then(complete::script);
    script.ok_or_else(|| typed.wrong("name a shell: bash, zsh or fish".to_owned()))
}

/// Which section of the manual is meant.
fn section(typed: &mut Typed) -> Result<&'static str, UsageError> {
    let Some(word) = typed.operands.pop() else { return Ok("1") };
    let known = SECTIONS.into_iter().find(|section| word == *section);
    known.ok_or_else(|| typed.wrong("the sections are 1, 5 and 8".to_owned()))
}

/// Whose service files, where to, and where the program is.
fn service(typed: &mut Typed) -> Result<ServiceOptions, UsageError> {
    let word = typed.operands.pop().unwrap_or_default();
    let kit = KITS.iter().find(|kit| word == kit.name);
    let kit =
        kit.ok_or_else(|| typed.wrong("say whose files: openrc, runit or systemd".to_owned()))?;
    let binary = typed.text("binary")?;
    if let Some(path) = binary.as_ref().filter(|path| !is_plain(path)) {
        return Err(typed.wrong(format!(
            "--binary {path}: give it from / on, in letters, digits and . _ + - only: three \
             languages have to read it"
        )));
    }
    Ok(ServiceOptions { kit, root: typed.place("root")?, binary })
}

fn is_plain(path: &str) -> bool {
    path.starts_with('/') && path.chars().all(|c| c.is_ascii_alphanumeric() || "/._+-".contains(c))
}
