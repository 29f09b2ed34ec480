//! Decides how a status and an event read for people: one report in, text out.
//! Never asks a daemon, never prints, and never looks at a clock.

use crate::cli::columns::{self, harmless};
use crate::cli::peers;
use crate::cli::style::{Style, Tone, span};
use crate::settings::words;
use crate::wire::control::{
    EventReport, NewcomerReport, OverrideReport, PositionReport, StatusReport,
};

/// Where the text after a label begins.
const LABEL_WIDTH: usize = 13;

/// A whole status, for a screen of 80 columns and 24 rows with nine nodes.
#[must_use]
pub fn status(report: &StatusReport, style: Style) -> String {
    let mut lines = head(report, style);
    if let Some(table) = peers::table(report, style) {
        lines.push(String::new());
        lines.push(table.header);
        lines.extend(table.rows.into_iter().map(|row| row.line));
    }
    lines.iter().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// The same on no more than `rows` lines, none of them wider than the screen. Where there is no
/// room for all peers, those that somebody should look at come first, and the rest is counted.
#[must_use]
pub fn picture(report: &StatusReport, style: Style, rows: usize) -> Vec<String> {
    let mut lines = columns::lines(&head(report, style).join("\n"));
    let table = peers::table(report, style);
    let wanted = table.as_ref().map_or(0, |table| table.rows.len() + 1);
    if lines.len() + 1 + wanted > rows {
        lines.retain(|line| !line.is_empty());
    } else if wanted > 0 {
        lines.push(String::new());
    }
    if let Some(table) = table {
        let room = rows.saturating_sub(lines.len() + 1);
        lines.push(table.header.clone());
        lines.extend(table.within(room, style));
    }
    lines.truncate(rows);
    lines.iter().map(|line| style.cut(line.trim_end(), style.columns())).collect()
}

/// All but the table of peers.
fn head(report: &StatusReport, style: Style) -> Vec<String> {
    let mut lines = columns::wrapped(&headline(report, style), style.columns());
    // What follows the first line stands below its words.
    lines.iter_mut().skip(1).for_each(|line| line.insert_str(0, "  "));
    lines.extend([explanation(report, style), String::new()]);
    lines.extend(facts(report, style));
    lines
}

/// Who, where, since when.
fn headline(report: &StatusReport, style: Style) -> String {
    let since = span(report.since_ms);
    match &report.master {
        Some(master) => {
            let mark = style.paint(Tone::Good, style.glyph("●", "*"));
            let id = style.paint(Tone::Strong, &master.id);
            let term = style.paint(Tone::Strong, &master.term.to_string());
            format!("{mark} {id} is master of {}, in term {term}, for {since}", report.cluster)
        }
        None => {
            let mark = style.paint(Tone::Bad, style.glyph("○", "!"));
            let nobody = style.paint(Tone::Bad, "nobody is master");
            format!(
                "{mark} {nobody} of {} as far as {} knows, for {since}",
                report.cluster, report.node
            )
        }
    }
}

/// Why, and how this node knows.
fn explanation(report: &StatusReport, style: Style) -> String {
    let known = report.master.as_ref().map(|master| match master.known.as_str() {
        "own" => format!("this node, at {}", master.address),
        "direct" => format!("heard directly, at {}", master.address),
        // The reason says by whom already.
        known if report.reason.starts_with(&known.replace('-', " ")) => {
            format!("at {}", master.address)
        }
        known => format!("{}, at {}", known.replace('-', " "), master.address),
    });
    let reason = Some(report.reason.as_str()).filter(|reason| !reason.is_empty());
    let parts: Vec<&str> = reason.into_iter().chain(known.as_deref()).collect();
    let text = format!("  {}", parts.join("; "));
    style.paint(Tone::Quiet, &style.cut(&text, style.columns()))
}

/// The labelled lines between headline and table.
fn facts(report: &StatusReport, style: Style) -> Vec<String> {
    let label = |label: &str, text: String| {
        // What was folded at its semicolons already is as it should be.
        let text = match text.contains('\n') {
            true => text,
            false => below(&columns::wrapped(&text, room(style))),
        };
        format!("  {} {text}", style.paint(Tone::Quiet, &format!("{label:<10}")))
    };
    let mut lines = vec![label("this node", this_node(report, style))];
    if report.lease_left_ms.is_some() || report.acting_left_ms.is_some() {
        lines.push(label("lease", lease(report, style)));
    }
    lines.push(label("quorum", quorum(report, style)));
    lines.push(label("document", document(report, style)));
    lines.extend(report.overrides.iter().map(|entry| label("override", held(entry, style))));
    lines.extend(newcomers(report, style).into_iter().map(|text| label("joining", text)));
    lines.extend(fitness(report, style).into_iter().map(|(name, text)| label(name, text)));
    lines.push(label("failover", failover(report, style)));
    let folded = |text: &str| folded(&[harmless(text)], room(style));
    for doubt in &report.doubts {
        lines.push(label("identity", style.paint(Tone::Bad, &folded(doubt))));
    }
    if let Some(forced) = &report.forced {
        lines.push(label("forced", style.paint(Tone::Warn, &folded(forced))));
    }
    lines
}

/// What this node does, and what binds it.
fn this_node(report: &StatusReport, style: Style) -> String {
    let role = match report.role.as_str() {
        "master" => style.paint(Tone::Good, "master"),
        role @ ("winner" | "stopping" | "candidate") => style.paint(Tone::Warn, role),
        role => role.to_owned(),
    };
    let mut parts = vec![format!("{}, {role}", report.node)];
    if let (Some(to), Some(left)) = (&report.promised_to, report.promise_left_ms) {
        parts.push(format!("promised to {to} for {}", span(left)));
    }
    if let Some(left) = report.quiet_left_ms {
        let quiet = format!("quiet after its start for {}", span(left));
        parts.push(style.paint(Tone::Warn, &quiet));
    }
    if let Some(left) = report.hold_off_left_ms {
        let held = format!("does not stand for {}", span(left));
        parts.push(style.paint(Tone::Warn, &held));
    }
    if report.storage_failed {
        parts.push(style.paint(Tone::Bad, "its disk failed: silent until restarted"));
    }
    parts.push(format!("up {}", span(report.uptime_ms)));
    folded(&parts, room(style))
}

/// The columns beside a label.
fn room(style: Style) -> usize {
    style.columns().saturating_sub(LABEL_WIDTH)
}

/// Lines that stand below each other beside one label.
fn below(lines: &[String]) -> String {
    lines.join(&format!("\n{}", " ".repeat(LABEL_WIDTH)))
}

/// `parts` with semicolons between them, on as many lines of `room` columns as they need: broken
/// between parts, and between words where one part alone is too long.
fn folded(parts: &[String], room: usize) -> String {
    let text = parts.join(";\n");
    let chunks = text.split('\n').flat_map(|part| {
        let is_long = columns::width(part) > room;
        if is_long { part.split(' ').collect() } else { vec![part] }
    });
    below(&columns::filled(chunks, room))
}

/// Who is on the way to vote, and what that waits for.
fn newcomers(report: &StatusReport, style: Style) -> Vec<String> {
    let words = |newcomer: &NewcomerReport| {
        let NewcomerReport { id, becomes, approved, key } = newcomer;
        let next = if *approved {
            "when it is up to date".to_owned()
        } else {
            format!("after quorate approve {key}")
        };
        let parts = [format!("{id} becomes a {becomes} {next}")];
        style.paint(Tone::Warn, &folded(&parts, room(style)))
    };
    report.newcomers.iter().map(words).collect()
}

fn lease(report: &StatusReport, style: Style) -> String {
    let left = report.lease_left_ms.unwrap_or(0);
    let bar = style.bar(left, report.dead_after_ms, 20);
    let acting = match report.acting_left_ms {
        Some(acting) if acting > 0 => format!("may act for {} unless renewed", span(acting)),
        Some(_) | None => style.paint(Tone::Warn, "may not act"),
    };
    format!("{bar} {} left; {acting}", span(left))
}

fn quorum(report: &StatusReport, style: Style) -> String {
    let quorum = &report.quorum;
    let text = format!("{} heard, {} needed", words::count(quorum.have, "voter"), quorum.need);
    if quorum.ok {
        style.paint(Tone::Good, &text)
    } else {
        style.paint(Tone::Bad, &format!("{text}: nobody can be elected from here"))
    }
}

fn document(report: &StatusReport, style: Style) -> String {
    let [accepted, committed] = [position(&report.accepted), position(&report.committed)];
    let text = format!("revision {} at {committed}", report.revision);
    if accepted == committed {
        return format!("{text}, committed");
    }
    format!("{text}; {}", style.paint(Tone::Warn, &format!("{accepted} not yet committed")))
}

/// What people set for a while: who, since when, until when.
fn held(entry: &OverrideReport, style: Style) -> String {
    let what = match &entry.node {
        Some(node) => format!("{} of {node}", entry.what),
        None => format!("{}: mastership moves only by hand", entry.what),
    };
    let mut parts = vec![what];
    parts.extend(entry.by.iter().map(|by| format!("by {}", harmless(by))));
    parts.extend(entry.since.iter().map(|since| format!("since {since}")));
    parts.push(match &entry.until {
        Some(until) => format!("until {until}"),
        None => "until it is taken back".to_owned(),
    });
    style.paint(Tone::Warn, &folded(&parts, room(style)))
}

/// What speaks for and against this node as master.
fn fitness(report: &StatusReport, style: Style) -> Vec<(&'static str, String)> {
    let mut lines = Vec::new();
    let fold = |parts: &[String]| folded(parts, room(style));
    if let Some(health) = &report.health {
        let mut parts = vec![format!("{} for {}", health.state, span(health.since_ms))];
        if health.against > 0 {
            let other = if health.state == "healthy" { "bad" } else { "good" };
            parts.push(format!("{} of {} {other} runs", health.against, health.need));
        }
        parts.extend(health.reason.iter().map(|reason| format!("{}: {reason}", health.command)));
        let is_fine = health.state == "healthy" && health.reason.is_none();
        let tone = if is_fine { Tone::Good } else { Tone::Warn };
        lines.push(("health", style.paint(tone, &fold(&parts))));
    }
    let others = report.objections.iter().filter(|what| !what.starts_with("health: "));
    let others: Vec<_> = others.cloned().collect();
    if !others.is_empty() {
        lines.push(("unfit", style.paint(Tone::Warn, &fold(&others))));
    }
    lines.extend(report.watchdog.iter().map(|words| ("watchdog", words.clone())));
    if let Some(freshness) = &report.freshness {
        let text = match (freshness.value, &freshness.reason) {
            (Some(value), _) => {
                let age = span(freshness.age_ms);
                format!("data at {value}, said {age} ago by {}", freshness.from)
            }
            (None, reason) => {
                let why = reason.as_deref().unwrap_or("not asked yet");
                let text = format!("data at no known place: {}: {why}", freshness.from);
                style.paint(Tone::Warn, &fold(&[text]))
            }
        };
        lines.push(("position", text));
    }
    lines
}

fn failover(report: &StatusReport, style: Style) -> String {
    let blockers = report.blockers.join("; ");
    match (blockers.as_str(), report.master.is_some()) {
        ("", true) => style.paint(Tone::Good, "nothing would block it"),
        ("", false) => style.paint(Tone::Good, "nothing blocks an election"),
        (blockers, _) => {
            style.paint(Tone::Warn, &style.cut(&format!("blocked: {blockers}"), room(style)))
        }
    }
}

/// One event in one line, as `events` prints it.
#[must_use]
pub fn event(event: &EventReport, style: Style) -> String {
    let tone = match event.level.as_str() {
        "alarm" => Some(Tone::Bad),
        "warning" => Some(Tone::Warn),
        _ => None,
    };
    let code = format!("{:<18}", event.code);
    let code = tone.map_or(code.clone(), |tone| style.paint(tone, &code));
    let time = style.paint(Tone::Quiet, &event.time);
    format!("{time}  {}  term {:<4} {code} {}", event.node, event.term, event.message)
}

/// `(TERM, VERSION)`.
pub(super) fn position(position: &PositionReport) -> String {
    format!("({}, {})", position.term, position.version)
}
