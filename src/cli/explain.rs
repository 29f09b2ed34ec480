//! `explain`: what a code means and what to do now, from the table in `wire::codes`.
//! Never asks a daemon.

use crate::cli::args::Format;
use crate::cli::commands::Outcome;
use crate::cli::console::{Console, Failure};
use crate::cli::exit::Exit;
use crate::cli::style::Tone;
use crate::wire::codes::{self, Code, SECTIONS, Section};
use crate::wire::control::{CodeReport, SCHEMA};

/// The one code of that name, or all.
///
/// # Errors
/// Trouble with the output.
pub(super) fn explain(name: Option<&str>, format: Format, console: &mut Console<'_>) -> Outcome {
    let one = name.map(|name| codes::find(name).expect("args names codes of the table"));
    match (one, format) {
        (Some((section, code)), Format::Text) => console.print(&page(section, code, console))?,
        (Some((section, code)), Format::Json) => print_json(section, code, console)?,
        (None, Format::Text) => console.print(&list(console))?,
        (None, Format::Json) => {
            for section in &SECTIONS {
                for code in section.codes {
                    print_json(section, code, console)?;
                }
            }
        }
    }
    Ok(Exit::Done)
}

fn page(section: &Section, code: &Code, console: &Console<'_>) -> String {
    let name = console.style.paint(Tone::Strong, code.name);
    format!("{name}, {}\n\n  {}\n\n  What to do: {}\n", section.kind, code.means, code.advice)
}

fn list(console: &Console<'_>) -> String {
    let mut text = String::new();
    for section in &SECTIONS {
        text.push_str(&format!("{}\n", console.style.paint(Tone::Strong, section.title)));
        for code in section.codes {
            text.push_str(&format!("  {:<27} {}\n", code.name, code.means));
        }
        text.push('\n');
    }
    text.push_str("What to do about one: quorate explain CODE\n");
    text
}

fn print_json(section: &Section, code: &Code, console: &mut Console<'_>) -> Result<(), Failure> {
    console.print_json(&CodeReport {
        schema: SCHEMA,
        code: code.name.to_owned(),
        kind: section.kind.to_owned(),
        means: code.means.to_owned(),
        advice: code.advice.to_owned(),
    })
}
