//! `quorate history`: masterships with durations out of events, and where they come from.

use quorate::cli::args::{Command, Format, Scope};
use quorate::cli::columns::width;
use quorate::cli::history::table;
use quorate::cli::reigns::reigns;
use quorate::cli::style::Style;
use quorate::wire::control::{
    ChangeReport, EventReport, HistoryEnd, ReignReport, Request, Response,
};

use super::commands::World;
use super::reports::elected;

const HISTORY: Command = Command::History { count: 20, scope: Scope::Reigns, format: Format::Text };

/// An event so many milliseconds into one run, which began at eight o'clock.
fn at(code: &str, uptime_ms: u64) -> EventReport {
    let time = format!("2027-01-15T08:{:02}:{:02}.000Z", uptime_ms / 60_000, uptime_ms / 1000 % 60);
    EventReport { code: code.to_owned(), time, uptime_ms, ..elected() }
}

fn change(uptime_ms: u64, from: Option<&str>, to: Option<(&str, u64)>, why: &str) -> EventReport {
    let from = from.map(str::to_owned);
    let change = ChangeReport {
        from,
        to: to.map(|(master, _)| master.to_owned()),
        term: to.map_or(1, |(_, term)| term),
    };
    let reason = Some(why.to_owned());
    EventReport { reason, change: Some(Box::new(change)), ..at("master-changed", uptime_ms) }
}

/// The same event in a later run of the daemon, an hour later.
fn next_run(event: EventReport) -> EventReport {
    EventReport { time: event.time.replacen("T08", "T09", 1), ..event }
}

fn end(event: EventReport) -> HistoryEnd {
    HistoryEnd { time: event.time, uptime_ms: event.uptime_ms, unreadable: 0 }
}

/// Who or what, how long, and why it ended; a doubtful length is marked.
fn told(reigns: &[ReignReport]) -> Vec<(String, String, String)> {
    let short = |reign: &ReignReport| {
        let who = match (&reign.master, reign.term) {
            (Some(master), Some(term)) => format!("{master} {term}"),
            _ => reign.kind.clone(),
        };
        let doubt = if reign.exact { "" } else { "~" };
        let ended = reign.ended.clone().unwrap_or_default();
        (who, format!("{doubt}{}", reign.lasted_ms), ended)
    };
    reigns.iter().map(short).collect()
}

fn row(who: &str, lasted: &str, ended: &str) -> (String, String, String) {
    (who.to_owned(), lasted.to_owned(), ended.to_owned())
}

/// Alpha leads, falls silent, and bravo follows after a gap.
fn failover() -> Vec<EventReport> {
    vec![
        at("daemon-started", 0),
        change(1_500, None, Some(("alpha", 3)), "announced"),
        at("alarm-stall", 2_000),
        change(61_500, Some("alpha"), None, "promise-expired"),
        change(62_700, None, Some(("bravo", 4)), "elected-here"),
    ]
}

#[test]
fn a_failover_is_two_masterships_with_a_gap_between() {
    let reigns = reigns(&failover(), Some(&end(at("", 72_700))));
    let wanted = [
        row("no-master", "1500", "announced"),
        row("alpha 3", "60000", "promise-expired"),
        row("no-master", "1200", "elected-here"),
        row("bravo 4", "10000", ""),
    ];
    assert_eq!(told(&reigns), wanted);
    assert_eq!(reigns[3].until, None);
    assert_eq!(reigns[1].until, Some(reigns[2].from.clone()));
}

#[test]
fn without_a_daemon_the_last_mastership_lasted_as_long_as_its_last_event_says() {
    let events = [failover(), vec![at("alarm-stall", 63_000)]].concat();
    assert_eq!(told(&reigns(&events, None)).pop(), Some(row("bravo 4", "300", "")));
}

#[test]
fn a_clock_that_is_set_changes_no_duration_within_a_run() {
    let mut events = failover();
    for event in &mut events[..3] {
        event.time = "1970-01-01T00:00:09.000Z".to_owned();
    }
    let reigns = reigns(&events, None);
    assert_eq!(told(&reigns)[1], row("alpha 3", "60000", "promise-expired"));
}

#[test]
fn a_master_that_takes_over_at_once_ended_the_one_before() {
    let mut events = failover();
    events.push(change(70_000, Some("bravo"), Some(("alpha", 5)), "announced"));
    let told = told(&reigns(&events, None));
    assert_eq!(told[3], row("bravo 4", "7300", "ended-superseded"));
    assert_eq!(told[4], row("alpha 5", "0", ""));
}

#[test]
fn a_daemon_that_was_killed_saw_no_end_and_says_at_most_how_long() {
    let more = [
        next_run(at("daemon-started", 0)),
        next_run(change(2_000, None, Some(("alpha", 5)), "announced")),
    ];
    let events = [failover(), more.to_vec()].concat();
    let told = told(&reigns(&events, None));
    assert_eq!(told[3], row("bravo 4", "~3538000", "daemon-started"));
    assert_eq!(told[4], row("no-master", "2000", "announced"));
}

#[test]
fn a_daemon_that_was_stopped_did_not_watch_until_it_started_again() {
    let more = [
        at("daemon-stopped", 72_000),
        next_run(at("daemon-started", 0)),
        next_run(change(2_000, None, Some(("alpha", 5)), "announced")),
    ];
    let events = [failover(), more.to_vec()].concat();
    let told = told(&reigns(&events, None));
    assert_eq!(told[3], row("bravo 4", "9300", "daemon-stopped"));
    assert_eq!(told[4], row("not-watched", "3528000", "daemon-started"));
    assert_eq!(told[5], row("no-master", "2000", "announced"));
}

#[test]
fn a_mastership_that_outlasts_a_restart_of_the_daemon_is_one() {
    for stopped in [vec![], vec![at("daemon-stopped", 72_000)]] {
        let more = [
            next_run(at("daemon-started", 0)),
            next_run(change(2_000, None, Some(("bravo", 4)), "announced")),
            next_run(change(4_000, Some("bravo"), None, "released")),
        ];
        let events = [failover(), stopped, more.to_vec()].concat();
        let told = told(&reigns(&events, None));
        assert_eq!(told[3], row("bravo 4", "3542000", "released"));
        assert_eq!(told[4], row("no-master", "0", ""));
        assert_eq!(told.len(), 5);
    }
}

#[test]
fn a_table_of_the_longest_names_and_reasons_fits_80_columns() {
    let mut longest = reigns(&failover(), None);
    for reign in &mut longest {
        reign.lasted_ms = 23 * 3_600_000 + 59 * 60_000;
        reign.exact = false;
        reign.ended = Some("ended-never-activated".to_owned());
        reign.master = Some("a-name-that-is-far-longer-than-a-column".to_owned());
        reign.term = Some(99_999);
    }
    let text = table("alpha", &longest, Style::PLAIN);
    for line in text.lines() {
        assert!(width(line) <= 80, "{} columns: {line}", width(line));
    }
    assert_eq!(text.lines().count(), 2 + longest.len());
}

#[test]
fn a_history_reads_from_the_oldest_to_the_newest() {
    let reigns = reigns(&failover(), Some(&end(at("", 72_700))));
    let text = table("alpha", &reigns, Style::PLAIN);
    let wanted = "\
who was master, as alpha saw it; times are UTC
FROM                 LASTED      MASTER             TERM  ENDED
2027-01-15 08:00:00  1.5 s       no master                announced
2027-01-15 08:00:01  1 m 0 s     alpha                 3  promise-expired
2027-01-15 08:01:01  1.2 s       no master                elected-here
2027-01-15 08:01:02  10.0 s      bravo                 4  lasts
";
    assert_eq!(text, wanted);
}

#[test]
fn the_daemon_is_asked_and_damaged_lines_are_owned_up_to() {
    let world = World::new();
    let mut answers: Vec<_> = failover().into_iter().map(Box::new).map(Response::Event).collect();
    answers.push(Response::EndOfHistory(HistoryEnd { unreadable: 3, ..end(at("", 72_700)) }));
    let daemon = world.answer(answers);
    let ran = world.run(&Command::History { count: 2, scope: Scope::Reigns, format: Format::Json });
    assert_eq!(daemon.join().unwrap(), Request::History {});
    assert_eq!((ran.code, ran.out.lines().count()), (0, 2));
    assert!(ran.out.ends_with("\"ended\":null}\n"), "{}", ran.out);
    assert_eq!(ran.message, "3 damaged lines of the history are left out\n");
}

#[test]
fn without_a_daemon_the_history_is_read_from_its_file() {
    let world = World::new();
    let lines = failover().into_iter().map(|event| serde_json::to_string(&event).unwrap() + "\n");
    world.write("history.log", &lines.collect::<String>());
    let ran = world.run(&HISTORY);
    assert_eq!((ran.code, ran.out.lines().count()), (0, 6), "{ran:?}");
    assert!(ran.message.contains("no daemon answers: read from "), "{}", ran.message);
    let all = Command::History { count: 2, scope: Scope::Events, format: Format::Text };
    assert_eq!(world.run(&all).out.lines().count(), 2);
}

#[test]
fn neither_a_daemon_nor_a_history_is_a_daemon_that_is_not_reachable() {
    let ran = World::new().run(&HISTORY);
    assert_eq!(ran.code, 69);
    assert!(ran.message.contains("history.log is not there yet"), "{}", ran.message);
}
