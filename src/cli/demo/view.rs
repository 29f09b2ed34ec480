//! Decides how the live demo looks: what is known in, one screen of text out, 80 by 24.
//! Never asks, never prints, never looks at a clock.

use core::time::Duration;

use crate::cli::demo::board::{Board, Line, Seat};
use crate::cli::demo::cluster::Life;
use crate::cli::style::{Style, Tone, span};

/// One node as the picture needs it.
pub(super) struct Row<'a> {
    /// Its name.
    pub(super) name: &'a str,
    /// What its process does.
    pub(super) life: Life,
    /// Whether it is cut off.
    pub(super) is_cut: bool,
    /// What is known of it.
    pub(super) seat: &'a Seat,
}

/// Everything the picture shows.
pub(super) struct Picture<'a> {
    /// Every node, in order.
    pub(super) rows: Vec<Row<'a>>,
    /// What is known of all.
    pub(super) board: &'a Board,
    /// The place of the selected node.
    pub(super) selected: usize,
    /// The preset's name.
    pub(super) timing: &'a str,
    /// The time since the start.
    pub(super) now: Duration,
}

/// The whole screen.
pub(super) fn screen(picture: &Picture<'_>, style: Style) -> String {
    let (columns, rows) = style.size.unwrap_or((80, 24));
    let mut lines = vec![title(picture, style), String::new()];
    lines.push(master(picture, style));
    lines.push(String::new());
    let header = format!(
        "   #  {:<9}{:<10}{:<11}{:>5}  {:<9} {:<22}",
        "node", "process", "role", "term", "follows", "lease or promise"
    );
    lines.push(style.paint(Tone::Quiet, header.trim_end()));
    for index in 0..picture.rows.len() {
        lines.push(node(picture, index, style));
    }
    lines.push(String::new());
    let footer = footer(picture, style);
    let room = rows.saturating_sub(lines.len() + footer.len() + 1);
    let happened = &picture.board.lines;
    let shown = happened.iter().skip(happened.len().saturating_sub(room));
    lines.extend(shown.map(|line| happening(line, columns, style)));
    lines.resize(rows.saturating_sub(footer.len()), String::new());
    lines.extend(footer);
    lines.join("\n")
}

fn title(picture: &Picture<'_>, style: Style) -> String {
    let nodes = picture.rows.len();
    let heard = picture.rows.iter().find_map(|row| row.seat.status.as_ref());
    let dead = heard.map_or(String::new(), |status| {
        format!(", silent for {} means gone", span(status.dead_after_ms))
    });
    let seconds = picture.now.as_secs();
    let clock = format!("{:02}:{:02}", seconds / 60, seconds % 60);
    let need = nodes / 2 + 1;
    format!(
        " {}  {nodes} nodes, {need} must agree, timing {}{dead}   {}",
        style.paint(Tone::Strong, "quorate demo"),
        picture.timing,
        style.paint(Tone::Quiet, &clock),
    )
}

fn master(picture: &Picture<'_>, style: Style) -> String {
    let Some(acting) = picture.board.acting() else {
        let mark = style.glyph("○", "!");
        return format!(" {}", style.paint(Tone::Bad, &format!("{mark} nobody is master")));
    };
    let row = &picture.rows[acting];
    let status = row.seat.status.as_ref().expect("a node is acting by its status");
    let mark = style.paint(Tone::Good, style.glyph("●", "*"));
    let name = style.paint(Tone::Strong, row.name);
    format!(" {mark} {name} is master in term {}, for {}", status.term, span(status.since_ms))
}

fn node(picture: &Picture<'_>, index: usize, style: Style) -> String {
    let row = &picture.rows[index];
    let mark = if index == picture.selected { style.glyph(" ▸", " >") } else { "  " };
    let process = match (row.life, row.is_cut) {
        (Life::Ended, _) => ("ended", Some(Tone::Bad)),
        (Life::Paused, _) => ("paused", Some(Tone::Warn)),
        (Life::Running, true) => ("cut off", Some(Tone::Warn)),
        (Life::Running, false) => ("runs", None),
    };
    let painted = |text: String, tone: Option<Tone>| {
        tone.map_or(text.clone(), |tone| style.paint(tone, &text))
    };
    let process = painted(format!("{:<10}", process.0), process.1);
    let head = format!(" {mark}{}  {:<9}{process}", index + 1, row.name);
    let Some(status) = &row.seat.status else {
        return format!("{head}{}", style.paint(Tone::Quiet, "does not answer"));
    };
    let tone = match status.role.as_str() {
        "master" => Some(Tone::Good),
        "follower" => None,
        _ => Some(Tone::Warn),
    };
    let role = painted(format!("{:<11}", status.role), tone);
    let follows = row.seat.believes_in().unwrap_or("nobody");
    let age = u64::try_from(picture.now.saturating_sub(row.seat.seen_at).as_millis());
    let age = age.unwrap_or(u64::MAX);
    let held = status.lease_left_ms.or(status.promise_left_ms);
    let bar = held.map_or(String::new(), |left| {
        let left = left.saturating_sub(age);
        format!("{} {}", style.bar(left, status.dead_after_ms, 12), span(left))
    });
    format!("{head}{role}{:>5}  {follows:<9} {bar}", status.term)
}

fn happening(line: &Line, columns: usize, style: Style) -> String {
    let at = format!("{:>8.3}", line.at.as_secs_f64());
    let room = columns.saturating_sub(19);
    let what = style.cut(&line.what, room);
    let what = match line.level.as_str() {
        "alarm" => style.paint(Tone::Bad, &what),
        "warning" => style.paint(Tone::Warn, &what),
        "you" => style.paint(Tone::Strong, &what),
        _ => what,
    };
    format!(" {} {:<8} {what}", style.paint(Tone::Quiet, &at), line.who)
}

fn footer(picture: &Picture<'_>, style: Style) -> Vec<String> {
    let row = &picture.rows[picture.selected];
    let pause = if row.life == Life::Paused { "continue" } else { "pause" };
    let cut = if row.is_cut { "heal" } else { "cut" };
    let keys = [
        (format!("1-{}", picture.rows.len()), "select"),
        ("k".to_owned(), "kill -9"),
        ("p".to_owned(), pause),
        ("c".to_owned(), cut),
        ("r".to_owned(), "restart"),
        ("t".to_owned(), "transfer to"),
        ("s".to_owned(), "step down"),
        ("q".to_owned(), "quit"),
    ];
    let key = |(key, what): &(String, &str)| format!("{} {what}", style.paint(Tone::Strong, key));
    vec![format!(" {}", keys.iter().map(key).collect::<Vec<_>>().join("  "))]
}
