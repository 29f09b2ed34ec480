//! Reads the flags of the commands that run programs: `run`, and the nodes of a `demo`.
//! Never looks at the program.

use std::time::Duration;

use super::{DemoOptions, Ending, Patience, Preset, RunOptions, Show, Traces, Typed, UsageError};
use crate::settings::suggest::nearest;
use crate::settings::timing::PRESETS;
use crate::wire::hold::While;

/// `quorate demo`.
pub(super) fn demo(typed: &mut Typed) -> Result<DemoOptions, UsageError> {
    let nodes = match typed.text("nodes")? {
        None => 3,
        Some(text) => match text.parse() {
            Ok(nodes @ 1..=9) => nodes,
            Ok(_) | Err(_) => {
                return Err(typed.wrong(format!("--nodes {text}: must be a number from 1 to 9")));
            }
        },
    };
    let timing = match typed.text("timing")?.as_deref() {
        None | Some("lan") => Preset::Lan,
        Some("default") => Preset::Default,
        Some("wan") => Preset::Wan,
        Some(other) => {
            let meant = nearest(other, PRESETS).map(str::to_owned);
            let wrong = typed.wrong(format!("--timing {other}: must be lan, default or wan"));
            return Err(UsageError { meant, ..wrong });
        }
    };
    let show = if typed.has("once") { Show::Once } else { Show::Live };
    let traces = if typed.has("keep") { Traces::Kept } else { Traces::Removed };
    Ok(DemoOptions { nodes, show, timing, traces })
}

/// `quorate run`.
pub(super) fn run(typed: &mut Typed) -> Result<RunOptions, UsageError> {
    if typed.operands.is_empty() {
        return Err(typed.wrong("CMD is missing: quorate run [FLAG...] -- CMD".to_owned()));
    }
    let patience = match (typed.has("wait"), typed.has("no-wait")) {
        (true, true) => {
            let both = "--wait waits and --no-wait does not: give one of them";
            return Err(typed.wrong(both.to_owned()));
        }
        (true, false) => Patience::Limited(typed.time("wait", Duration::ZERO)?),
        (false, true) => Patience::None,
        (false, false) => Patience::Endless,
    };
    let grace = match typed.has("grace") {
        true => Some(typed.time("grace", Duration::ZERO)?),
        false => None,
    };
    let role = match typed.text("while")?.as_deref() {
        None | Some("master") => While::Master,
        Some("backup") => While::Backup,
        Some(other) => {
            let meant = nearest(other, ["master", "backup"]).map(str::to_owned);
            let wrong = typed.wrong(format!("--while {other}: must be master or backup"));
            return Err(UsageError { meant, ..wrong });
        }
    };
    let ending = if typed.has("restart") { Ending::Restart } else { Ending::Leave };
    let cmd = std::mem::take(&mut typed.operands);
    Ok(RunOptions { role, patience, grace, ending, cmd })
}
