//! Reads the `timing` part of cluster.yaml: a preset, or times that differ from one.
//! Never judges a relation of times itself; `protocol::timing` does.

use super::field::{Field, Table};
use super::problem::Problem;
use super::{keys, percent};
use crate::protocol::timing::{Timing, TimingError};

/// The presets that a document may name.
pub const PRESETS: [&str; 3] = ["lan", "default", "wan"];

/// The timing `field` asks for; without one, the default.
pub(super) fn read(field: Option<Field<'_>>) -> Result<Timing, Problem> {
    let Some(field) = field else { return Ok(Timing::DEFAULT) };
    if field.as_text().is_some() {
        return preset(&field);
    }
    let table = field.table(&keys::TIMING)?;
    let base = table.find("preset").map_or(Ok(Timing::DEFAULT), |field| preset(&field))?;
    let span = |key, default| table.find(key).map_or(Ok(default), |field| field.duration());
    let heartbeat = span("heartbeat", base.heartbeat())?;
    let dead_after = span("dead_after", base.dead_after())?;
    let stop = span("stop", base.stop())?;
    let drift = table.find("drift").map_or(Ok(base.drift_ppm()), |field| drift(&field))?;
    let stagger = span("stagger", Timing::default_stagger(heartbeat))?;
    Timing::new(heartbeat, dead_after, stop, drift, stagger).map_err(|error| blame(&table, error))
}

fn preset(field: &Field<'_>) -> Result<Timing, Problem> {
    Ok(match field.word(&PRESETS)? {
        "lan" => Timing::LAN,
        "wan" => Timing::WAN,
        _ => Timing::DEFAULT,
    })
}

fn drift(field: &Field<'_>) -> Result<u64, Problem> {
    let ppm = field.as_text().and_then(percent::parse);
    ppm.ok_or_else(|| {
        field.problem("`drift` must be a percentage").hint("write one like `1%` or `0.5%`")
    })
}

/// The error, at the first of the keys it speaks of that is in the document.
fn blame(table: &Table<'_>, error: TimingError) -> Problem {
    let keys: &[&str] = match error {
        TimingError::DeadAfterOutOfRange => &["dead_after"],
        TimingError::HeartbeatTooSlow | TimingError::HeartbeatTooFast => {
            &["heartbeat", "dead_after"]
        }
        TimingError::DriftOutOfRange => &["drift"],
        TimingError::StaggerOutOfRange => &["stagger", "dead_after", "heartbeat"],
        TimingError::NoTimeToAct { .. } => &["stop", "dead_after", "heartbeat", "stagger", "drift"],
    };
    let message = error.to_string();
    match keys.iter().find_map(|key| table.find(key)) {
        Some(field) => field.problem(message),
        None => table.problem(message),
    }
    .hint("`timing: default`, `lan` and `wan` are sets of times that fit together")
}
