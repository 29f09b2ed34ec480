//! The table of peers in a status: who is heard, how far away it is, what is odd about it.
//! Never decides what is done about that.

use crate::cli::columns::width;
use crate::cli::render::position;
use crate::cli::style::{Style, Tone, round_trip, span};
use crate::wire::control::{PeerReport, PositionReport, StatusReport};

/// The longest name that is shown in full on 80 columns.
const NAME_WIDTH_MAX: usize = 16;
/// The longest on a screen that is narrow.
const NARROW_NAME_WIDTH_MAX: usize = 10;
/// Where nothing is left for more columns than name, direction and state.
const NARROW: usize = 72;

/// The table.
pub(super) struct Table {
    pub(super) header: String,
    pub(super) rows: Vec<Row>,
}

/// One peer.
pub(super) struct Row {
    pub(super) line: String,
    /// Whether somebody should look at it.
    is_odd: bool,
}

/// The table of peers; none without peers.
pub(super) fn table(report: &StatusReport, style: Style) -> Option<Table> {
    if report.peers.is_empty() {
        return None;
    }
    let shape = Shape::of(report, style);
    let header =
        shape.row(["  ", "peer", "role", "heard", "trip", "last seen", "position"], "state");
    let row = |peer| row(peer, report, &shape);
    Some(Table {
        header: style.paint(Tone::Quiet, &header),
        rows: report.peers.iter().map(row).collect(),
    })
}

impl Table {
    /// The rows on no more than `room` lines: odd ones first, and the rest counted.
    pub(super) fn within(&self, room: usize, style: Style) -> Vec<String> {
        if self.rows.len() <= room {
            return self.rows.iter().map(|row| row.line.clone()).collect();
        }
        let mut left = room.saturating_sub(1);
        let mut is_shown = vec![false; self.rows.len()];
        for wanted in [true, false] {
            for (row, shown) in self.rows.iter().zip(&mut is_shown) {
                if row.is_odd == wanted && left > 0 {
                    *shown = true;
                    left -= 1;
                }
            }
        }
        let all = || self.rows.iter().zip(&is_shown);
        let hidden = all().filter(|(_, shown)| !**shown).count();
        let odd = all().filter(|(row, shown)| !**shown && row.is_odd).count();
        let state = match odd {
            0 => "all as they should be".to_owned(),
            odd => format!("{odd} of them not as they should be"),
        };
        let rest = style.paint(Tone::Quiet, &format!("  and {hidden} more, {state}"));
        let shown = all().filter(|(_, shown)| **shown).map(|(row, _)| row.line.clone());
        shown.chain([rest]).collect()
    }
}

/// Which columns there are, and how wide.
struct Shape {
    style: Style,
    is_narrow: bool,
    name: usize,
    state: usize,
}

impl Shape {
    fn of(report: &StatusReport, style: Style) -> Self {
        let columns = style.columns();
        let is_narrow = columns < NARROW;
        let longest = report.peers.iter().map(|peer| width(&peer.id)).max().unwrap_or(0);
        let most = match (is_narrow, style.size) {
            (true, _) => NARROW_NAME_WIDTH_MAX,
            (false, Some(_)) => NAME_WIDTH_MAX + columns.saturating_sub(80) / 2,
            // Who reads it from a pipe needs whole names.
            (false, None) => longest,
        };
        let name = longest.clamp(4, most.max(4));
        let others = if is_narrow { 2 + 1 + 12 } else { 2 + 1 + 9 + 12 + 9 + 10 + 2 + 10 };
        Self { style, is_narrow, name, state: columns.saturating_sub(name + others) }
    }

    fn row(&self, cells: [&str; 7], state: &str) -> String {
        let [mark, name, role, heard, trip, seen, position] = cells;
        let name = self.style.fit(name, self.name);
        let state = self.style.cut(state, self.state);
        if self.is_narrow {
            return format!("{mark}{name} {heard:<11} {state}");
        }
        format!("{mark}{name} {role:<8} {heard:<11} {trip:>8} {seen:>9}  {position:<9} {state}")
    }
}

fn row(peer: &PeerReport, report: &StatusReport, shape: &Shape) -> Row {
    let style = shape.style;
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
    let notes = notes(peer, report);
    let mut state = if notes.is_empty() { peer.link.clone() } else { notes.join("; ") };
    if let Some(freshness) = peer.freshness {
        state.push_str(&format!("; data at {freshness}"));
    }
    let cells = [mark, &peer.id, &peer.role, heard, &trip, &seen, &place];
    let line = shape.row(cells, &state);
    let tone = tone.or((!notes.is_empty()).then_some(Tone::Warn));
    let line = tone.map_or(line.clone(), |tone| style.paint(tone, &line));
    Row { line, is_odd: tone.is_some() }
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
