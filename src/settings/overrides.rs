//! Reads what people set for a while: a node's `standby`, the cluster's `maintenance`.
//! Never looks at the time: whether one is over is the daemon's to see.

use std::time::{SystemTime, UNIX_EPOCH};

use super::field::Field;
use super::keys;
use super::problem::Problem;
use crate::protocol::membership::Override;

/// `true`, `false`, or a mapping that says who set it, when, and until when it holds.
pub(super) fn read(field: Option<Field<'_>>) -> Result<Option<Override>, Problem> {
    let Some(field) = field else { return Ok(None) };
    if let Ok(is_on) = field.switch() {
        return Ok(is_on.then(Override::default));
    }
    let table = field.table(&keys::OVERRIDE).map_err(|problem| match problem.hint {
        Some(_) => problem,
        None => problem.hint("write true, or {by: ..., since: ..., until: ...}"),
    })?;
    let by = table.find("by").map_or(Ok(""), |by| by.text())?.into();
    let since = table.find("since").map(|since| instant(&since)).transpose()?;
    let until = table.find("until").map(|until| instant(&until)).transpose()?;
    Ok(Some(Override { by, since, until }))
}

/// Milliseconds since 1970.
fn instant(field: &Field<'_>) -> Result<u64, Problem> {
    let text = field.text()?;
    let time = humantime::parse_rfc3339(text).ok();
    let span = time.and_then(|time: SystemTime| time.duration_since(UNIX_EPOCH).ok());
    let millis = span.and_then(|span| u64::try_from(span.as_millis()).ok());
    millis.ok_or_else(|| {
        let wrong = format!("{} is `{}`: no time", field.name(), text.escape_debug());
        field.problem(wrong).hint("write UTC like \"2026-03-01T22:00:00Z\", in quotes")
    })
}
