//! A status on screens of many sizes: nothing is wider or longer than the screen, and what
//! somebody should look at is on it.

use quorate::cli::columns::width;
use quorate::cli::render::{picture, status};
use quorate::cli::style::Style;
use quorate::wire::control::{HealthReport, OverrideReport, PeerReport, StatusReport};

use super::reports::{alone, follower, master, peer};

fn screen(columns: usize, rows: usize) -> Style {
    Style { is_coloured: true, is_unicode: true, size: Some((columns, rows)) }
}

/// The picture on that screen, without colours; it must fit, with colours too.
fn shown(report: &StatusReport, columns: usize, rows: usize) -> String {
    let lines = picture(report, screen(columns, rows), rows);
    assert!(lines.len() <= rows, "{lines:#?}");
    for line in &lines {
        assert!(width(line) <= columns, "{columns} columns: {line}");
    }
    let plain = Style { is_coloured: false, ..screen(columns, rows) };
    picture(report, plain, rows).join("\n")
}

/// Nine voters and twenty observers, of which three are silent.
fn crowd() -> StatusReport {
    let of = |role: &str, number: usize| PeerReport {
        role: role.into(),
        follows: Some("bravo".into()),
        ..peer(&format!("{role}-{number}.example.net"))
    };
    let voters = (2..=9).map(|number| of("voter", number));
    let observers = (1..=20).map(|number| match number {
        7 | 13 | 20 => PeerReport {
            heard: false,
            hears_us: None,
            link: "connection refused".into(),
            ..of("observer", number)
        },
        _ => of("observer", number),
    });
    StatusReport { peers: voters.chain(observers).collect(), ..master() }
}

#[test]
fn of_a_crowd_those_come_first_that_somebody_should_look_at_and_the_rest_is_counted() {
    let text = shown(&crowd(), 80, 23);
    assert_eq!(text.matches("silent").count(), 3, "{text}");
    assert!(text.contains("more, all as they should be"), "{text}");
    assert_eq!(text.lines().count(), 23);
    let text = shown(&crowd(), 80, 11);
    assert_eq!(text.matches("silent").count(), 2, "{text}");
    assert!(text.ends_with("  and 26 more, 1 of them not as they should be"), "{text}");
    // Asked for once, it says all.
    let once = status(&crowd(), screen(80, 24));
    assert_eq!(once.lines().filter(|line| line.contains("connect")).count(), 28, "{once}");
}

#[test]
fn a_screen_with_room_shows_what_is_shown_once() {
    for report in [follower(), master(), alone()] {
        let plain = Style { is_coloured: false, ..screen(80, 24) };
        assert_eq!(shown(&report, 80, 24) + "\n", status(&report, plain));
    }
}

#[test]
fn a_narrow_screen_keeps_names_directions_and_states() {
    let text = shown(&crowd(), 40, 40);
    assert!(text.contains("\n  voter-2.e\u{2026} \u{2194} both ways connected\n"), "{text}");
    let text = shown(&alone(), 40, 24);
    assert!(text.contains("\n  alpha   \u{2715} silent    connection refu"), "{text}");
    let quorum =
        "\n  quorum     1 voter heard, 2 needed:\n             nobody can be elected from\n";
    assert!(text.contains(quorum), "{text}");
}

#[test]
fn the_smallest_screens_show_who_is_master_first() {
    for columns in [1, 5, 13, 20, 40, 80, 200] {
        for rows in 1..30 {
            for report in [follower(), master(), alone(), crowd()] {
                let text = shown(&report, columns, rows);
                assert!(
                    text.starts_with(['\u{25cf}', '\u{25cb}', '\u{2026}']),
                    "{columns}x{rows}: {text}"
                );
            }
        }
    }
    assert_eq!(shown(&follower(), 40, 1), "\u{25cf} alpha is master of shop, in term 12,");
}

#[test]
fn the_longest_names_and_wide_letters_fit_too() {
    let long = |letter: &str| letter.repeat(64);
    let reason = "\u{30c7}\u{30fc}\u{30bf}\u{304c} \u{2705} e\u{301} ".repeat(9);
    let health = HealthReport {
        command: "/opt/\u{6570}\u{636e}/ok".into(),
        state: "unhealthy".into(),
        since_ms: 90_000,
        against: 0,
        need: 3,
        reason: Some(reason.clone()),
    };
    let by = OverrideReport {
        what: "standby".into(),
        node: Some(long("n")),
        by: Some(format!("\u{1b}[2J\u{7ba1}\u{7406}@{}", long("n"))),
        since: None,
        until: None,
    };
    let mut report = follower();
    report.cluster = long("c");
    report.node = long("n");
    report.master.iter_mut().for_each(|master| master.id = long("m"));
    report.peers = vec![PeerReport { link: reason, ..peer(&long("m")) }, peer(&long("p"))];
    report.health = Some(health);
    report.overrides = vec![by];
    for columns in [40, 80, 120, 400] {
        let text = shown(&report, columns, 40);
        assert!(!text.contains('\u{1b}') && text.contains("?[2J\u{7ba1}\u{7406}"), "{text}");
    }
    // Whoever reads it from a pipe needs whole names.
    let plain = status(&report, Style::PLAIN);
    assert!(plain.contains(&format!("\n  {} voter", long("p"))), "{plain}");
}
