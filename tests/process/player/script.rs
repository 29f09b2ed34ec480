//! Reads what a page says to type, and its hidden lines, as the steps of a play.
//! Never does a step.

use crate::tidy::pages::{Piece, Typed, pieces, typed};

/// One step.
#[derive(Debug)]
pub(super) enum Step<'a> {
    /// A story begins: on running nodes, or on machines where nothing was done yet.
    Begin { names: Vec<&'a str>, founded: bool },
    /// It is over.
    End,
    /// Something happens, or has to be so.
    Scene(Vec<&'a str>),
    /// Typed on that machine, and not shown.
    Hidden(&'a str, &'a str),
    /// Typed on that machine, with what is answered.
    Type(&'a str, Typed<'a>),
    /// What is in the log of that machine.
    Log(&'a str, Vec<&'a str>),
    /// What is typed nowhere, though nobody says why: the line it begins at.
    Idle(usize, Vec<&'a str>),
}

/// The steps of a page.
pub(super) fn steps(page: &str) -> Vec<Step<'_>> {
    let mut steps = Vec::new();
    let mut machine = "";
    let mut is_open = false;
    let mut is_excused = false;
    for piece in pieces(page) {
        let excused = core::mem::take(&mut is_excused);
        match piece {
            Piece::Prose(_, prose) => machine = named_in(prose).unwrap_or(machine),
            Piece::Hidden(_, words) if words.starts_with("not played: ") => is_excused = true,
            Piece::Hidden(_, words) => {
                let Some(words) = words.strip_prefix("lab: ") else { continue };
                match hidden(words) {
                    Step::Scene(words) if words[0] == "on" => machine = words[1],
                    step => {
                        is_open = !matches!(step, Step::End);
                        steps.push(step);
                    }
                }
            }
            Piece::Block(..) if excused => {}
            Piece::Block(line, "sh" | "", lines) if !is_open => {
                steps.push(Step::Idle(line, lines));
            }
            Piece::Block(..) if !is_open => {}
            Piece::Block(_, "log", lines) => steps.push(Step::Log(machine, lines)),
            Piece::Block(_, "sh" | "", lines) => {
                for typed in typed(&lines) {
                    machine = typed.machine.unwrap_or(machine);
                    steps.push(Step::Type(machine, typed));
                }
            }
            Piece::Block(..) => {}
        }
    }
    assert!(!is_open, "the last story has no end");
    steps
}

/// The machine that is named last by "On `NAME`".
fn named_in(prose: &str) -> Option<&str> {
    prose.rsplit_once("On `").and_then(|(_, rest)| rest.split('`').next())
}

fn hidden(words: &str) -> Step<'_> {
    if let Some((machine, line)) = words.strip_prefix("sh ").and_then(|w| w.split_once(": ")) {
        return Step::Hidden(machine, line);
    }
    let words: Vec<&str> = words.split(' ').collect();
    match words[0] {
        "cluster" => Step::Begin { names: words[1..].to_vec(), founded: true },
        "machines" => Step::Begin { names: words[1..].to_vec(), founded: false },
        "end" => Step::End,
        _ => Step::Scene(words),
    }
}

#[test]
fn what_is_typed_in_a_story_is_a_step_and_nothing_else_is() {
    let page = "```sh\nzero\n```\n<!-- lab: cluster alpha -->\nOn `alpha`:\n\n```sh\none\n```\n\
                ```yaml\na: b\n```\n<!-- not played: why -->\n```sh\ntwo\n```\n\
                <!-- lab: sh bravo: three four -->\n```\nbravo# five\nsix\n```\n\
                <!-- lab: end -->\n";
    let said: Vec<String> = steps(page)
        .iter()
        .map(|step| match step {
            Step::Type(machine, typed) => {
                format!("{machine}: {} -> {}", typed.text(), typed.answer.join("/"))
            }
            Step::Hidden(machine, line) => format!("{machine}: {line}"),
            Step::Begin { names, .. } => names.join(" "),
            Step::Idle(line, lines) => format!("{line}: {}", lines.join(" ")),
            _ => "end".to_owned(),
        })
        .collect();
    let wanted = ["2: zero", "alpha", "alpha: one -> ", "bravo: three four", "bravo: five -> six"];
    let wanted = [&wanted[..], &["end"]].concat();
    assert_eq!(said, wanted);
}
