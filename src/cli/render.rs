//! Decides how a status and an event read for people: one report in, text out.
//! Never asks a daemon, never prints, and never looks at a clock.

use crate::cli::style::{self, Style, Tone, round_trip, span};
use crate::wire::control::{
    EventReport, NewcomerReport, OverrideReport, PeerReport, PositionReport, StatusReport,
};

/// The longest name a table shows in full.
const NAME_WIDTH_MAX: usize = 16;

/// Where the text after a label begins.
const LABEL_WIDTH: usize = 13;

/// A whole status, for a screen of 80 columns and 24 rows with nine nodes.
#[must_use]
pub fn status(report: &StatusReport, style: Style) -> String {
    let mut lines = vec![headline(report, style), explanation(report, style), String::new()];
    lines.extend(facts(report, style));
    if !report.peers.is_empty() {
        lines.push(String::new());
        lines.extend(peers(report, style));
    }
    lines.iter().map(|line| format!("{}\n", line.trim_end())).collect()
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
    let columns = style.size.map_or(usize::MAX, |(columns, _)| columns);
    style.paint(Tone::Quiet, &style.cut(&text, columns))
}

/// The labelled lines between headline and table.
fn facts(report: &StatusReport, style: Style) -> Vec<String> {
    let label = |label: &str, text: String| {
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
    let columns = style.size.map_or(usize::MAX, |(columns, _)| columns);
    let folded =
        |text: &String| folded(std::slice::from_ref(text), columns.saturating_sub(LABEL_WIDTH));
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
    let columns = style.size.map_or(usize::MAX, |(columns, _)| columns);
    folded(&parts, columns.saturating_sub(LABEL_WIDTH))
}

/// `parts` with semicolons between them, on as many lines of `room` columns as they need: broken
/// between parts, and between words where one part alone is too long.
fn folded(parts: &[String], room: usize) -> String {
    let mut lines: Vec<String> = Vec::new();
    for (index, part) in parts.iter().enumerate() {
        let end = if index + 1 == parts.len() { "" } else { ";" };
        let part = format!("{part}{end}");
        let pieces =
            if style::width(&part) > room { part.split(' ').collect() } else { vec![&*part] };
        for piece in pieces {
            match lines.last_mut() {
                Some(line) if style::width(line) + 1 + style::width(piece) <= room => {
                    line.push(' ');
                    line.push_str(piece);
                }
                Some(_) | None => lines.push(piece.to_owned()),
            }
        }
    }
    lines.join(&format!("\n{}", " ".repeat(LABEL_WIDTH)))
}

/// Who is on the way to vote, and what that waits for.
fn newcomers(report: &StatusReport, style: Style) -> Vec<String> {
    let columns = style.size.map_or(usize::MAX, |(columns, _)| columns);
    let words = |newcomer: &NewcomerReport| {
        let NewcomerReport { id, becomes, approved, key } = newcomer;
        let next = if *approved {
            "when it is up to date".to_owned()
        } else {
            format!("after quorate approve {key}")
        };
        let parts = [format!("{id} becomes a {becomes} {next}")];
        style.paint(Tone::Warn, &folded(&parts, columns.saturating_sub(LABEL_WIDTH)))
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
    let text = format!("{} heard, {} needed", count(quorum.have, "voter"), quorum.need);
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
    parts.extend(entry.by.iter().map(|by| format!("by {by}")));
    parts.extend(entry.since.iter().map(|since| format!("since {since}")));
    parts.push(match &entry.until {
        Some(until) => format!("until {until}"),
        None => "until it is taken back".to_owned(),
    });
    let columns = style.size.map_or(usize::MAX, |(columns, _)| columns);
    style.paint(Tone::Warn, &folded(&parts, columns.saturating_sub(LABEL_WIDTH)))
}

/// What speaks for and against this node as master.
fn fitness(report: &StatusReport, style: Style) -> Vec<(&'static str, String)> {
    let mut lines = Vec::new();
    let columns = style.size.map_or(usize::MAX, |(columns, _)| columns);
    let fold = |parts: &[String]| folded(parts, columns.saturating_sub(LABEL_WIDTH));
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
            let columns = style.size.map_or(usize::MAX, |(columns, _)| columns);
            let room = columns.saturating_sub(LABEL_WIDTH);
            style.paint(Tone::Warn, &style.cut(&format!("blocked: {blockers}"), room))
        }
    }
}

/// The table of peers, its header first.
fn peers(report: &StatusReport, style: Style) -> Vec<String> {
    let name_width = report.peers.iter().map(|peer| peer.id.chars().count()).max().unwrap_or(0);
    let name_width = name_width.clamp(4, NAME_WIDTH_MAX);
    let header =
        row(style, name_width, ["  ", "peer", "role", "heard", "trip", "last seen", "position"]);
    let header = style.paint(Tone::Quiet, &format!("{header}state"));
    let used = 2 + name_width + 1 + 9 + 12 + 9 + 10 + 2 + 10;
    let room = style.size.map_or(usize::MAX, |(columns, _)| columns.saturating_sub(used));
    let line = |peer: &PeerReport| peer_line(peer, report, style, name_width, room);
    core::iter::once(header).chain(report.peers.iter().map(line)).collect()
}

/// The fixed columns of one row.
fn row(style: Style, name_width: usize, cells: [&str; 7]) -> String {
    let [mark, name, role, heard, trip, seen, position] = cells;
    format!(
        "{mark}{} {role:<8} {heard:<11} {trip:>8} {seen:>9}  {position:<9} ",
        style.fit(name, name_width),
    )
}

fn peer_line(
    peer: &PeerReport,
    report: &StatusReport,
    style: Style,
    name_width: usize,
    room: usize,
) -> String {
    let is_master = report.master.as_ref().is_some_and(|master| master.id == peer.id);
    let mark = if is_master { style.glyph("● ", "* ") } else { "  " };
    let (heard, tone) = match (peer.heard, peer.hears_us) {
        (true, Some(true)) => (style.glyph("↔ both ways", "<> both"), None),
        (true, Some(false)) => (style.glyph("← from it", "<- from it"), Some(Tone::Warn)),
        // Of a node that does not vote, nobody says whether it is heard.
        (true, None) => (style.glyph("← heard", "<- heard"), None),
        (false, Some(true)) => (style.glyph("→ to it", "-> to it"), Some(Tone::Warn)),
        (false, Some(false) | None) => (style.glyph("✕ silent", "x silent"), Some(Tone::Bad)),
    };
    let trip = peer.round_trip_us.map_or("-".to_owned(), round_trip);
    let seen = peer.last_heard_ms.map_or("never".to_owned(), span);
    let place = peer.position.as_ref().map_or("-".to_owned(), position);
    let cells = [mark, &peer.id, &peer.role, heard, &trip, &seen, &place];
    let line = row(style, name_width, cells);
    let notes = notes(peer, report);
    let mut state = if notes.is_empty() { peer.link.clone() } else { notes.join("; ") };
    if let Some(freshness) = peer.freshness {
        state.push_str(&format!("; data at {freshness}"));
    }
    let line = format!("{line}{}", style.cut(&state, room));
    match tone {
        Some(tone) => style.paint(tone, &line),
        None if !notes.is_empty() => style.paint(Tone::Warn, &line),
        None => line,
    }
}

/// What is not as it should be with a peer.
fn notes(peer: &PeerReport, report: &StatusReport) -> Vec<String> {
    let mut notes = Vec::new();
    if peer.link != "connected" {
        notes.push(peer.link.clone());
    }
    if !peer.heard {
        if notes.is_empty() {
            notes.push("connected, but nothing comes".to_owned());
        }
        return notes;
    }
    if peer.vote_ready == Some(false) && peer.role != "observer" {
        notes.push("cannot vote now".to_owned());
    }
    let behind = |position: &PositionReport| {
        (position.term, position.version) < (report.committed.term, report.committed.version)
    };
    if peer.position.as_ref().is_some_and(behind) {
        notes.push("document behind".to_owned());
    }
    let master = report.master.as_ref().map(|master| &master.id);
    if let Some(follows) = peer.follows.as_ref().filter(|follows| Some(*follows) != master) {
        notes.push(format!("follows {follows}"));
    }
    if peer.healthy == Some(false) {
        notes.push("not healthy".to_owned());
    }
    if peer.clock_deviant {
        notes.push("its clock is off".to_owned());
    }
    notes
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

fn position(position: &PositionReport) -> String {
    format!("({}, {})", position.term, position.version)
}

/// `1 voter`, `2 voters`.
fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}
