//! A transcript as a file: prose, blocks of steps, and the log that follows each.
//! Never runs a step.

/// Opens a block of steps.
const STEPS: &str = "```steps";
/// Opens the log of the steps before it.
const LOG: &str = "```log";
/// Closes either.
const FENCE: &str = "```";

/// One piece of a page.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Piece {
    /// Lines that stay as they are.
    Prose(Vec<String>),
    /// Steps, and what is written of them so far.
    Scene { steps: Vec<String>, log: Vec<String> },
}

/// Takes a page apart. The error says which line is wrong.
pub(super) fn read(text: &str) -> Result<Vec<Piece>, String> {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut lines = text.lines().enumerate();
    let mut prose = Vec::new();
    while let Some((number, line)) = lines.next() {
        if line != STEPS && line != LOG {
            prose.push(line.to_owned());
            continue;
        }
        let mut body = Vec::new();
        loop {
            match lines.next() {
                Some((_, FENCE)) => break,
                Some((_, line)) => body.push(line.to_owned()),
                None => return Err(format!("line {}: the block never ends", number + 1)),
            }
        }
        if line == STEPS {
            pieces.push(Piece::Prose(core::mem::take(&mut prose)));
            pieces.push(Piece::Scene { steps: body, log: Vec::new() });
            continue;
        }
        match pieces.last_mut() {
            Some(Piece::Scene { log, .. }) if log.is_empty() && is_blank(&prose) => {
                *log = body;
                prose.clear();
            }
            _ => return Err(format!("line {}: a log without steps before it", number + 1)),
        }
    }
    pieces.push(Piece::Prose(prose));
    Ok(pieces)
}

fn is_blank(lines: &[String]) -> bool {
    lines.iter().all(|line| line.trim().is_empty())
}

/// Puts a page together again.
pub(super) fn write(pieces: &[Piece]) -> String {
    let mut lines: Vec<&str> = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Prose(prose) => lines.extend(prose.iter().map(String::as_str)),
            Piece::Scene { steps, log } => {
                for (fence, body) in [(STEPS, steps), (LOG, log)] {
                    lines.push(fence);
                    lines.extend(body.iter().map(String::as_str));
                    lines.push(FENCE);
                }
            }
        }
    }
    lines.join("\n") + "\n"
}

/// The lines in which two logs differ, with a few common ones around them.
pub(super) fn difference(written: &[String], happened: &[String]) -> String {
    const AROUND: usize = 2;
    const SHOWN: usize = 12;
    let pairs = || written.iter().zip(happened);
    let head = pairs().take_while(|(a, b)| a == b).count();
    let room = written.len().min(happened.len()) - head;
    let tail = written.iter().rev().zip(happened.iter().rev());
    let tail = tail.take(room).take_while(|(a, b)| a == b).count();
    let mut shown: Vec<String> =
        written[head.saturating_sub(AROUND)..head].iter().map(|line| format!("  {line}")).collect();
    for (mark, lines) in [('-', written), ('+', happened)] {
        let changed = &lines[head..lines.len() - tail];
        shown.extend(changed.iter().take(SHOWN).map(|line| format!("{mark} {line}")));
        if changed.len() > SHOWN {
            shown.push(format!("{mark} … and {} lines more", changed.len() - SHOWN));
        }
    }
    shown.join("\n")
}
