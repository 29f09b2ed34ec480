//! How answers read for people.

use quorate::cli::render;
use quorate::cli::style::{Style, round_trip, span};
use quorate::wire::control::{
    EventReport, FreshnessReport, HealthReport, MasterReport, OverrideReport, PeerReport,
    StatusReport,
};

use super::reports::{alone, elected, follower, master, peer};

const UNICODE: Style = Style { is_coloured: false, is_unicode: true, size: None };
const SCREEN: Style = Style { is_coloured: true, is_unicode: true, size: Some((80, 24)) };

#[test]
fn a_follower_shows_whom_it_follows_and_why() {
    let expected = "\
● alpha is master of shop, in term 12, for 3 h 12 m
  it announced itself; heard directly, at 10.0.0.1:9901

  this node  bravo, follower; promised to alpha for 3.6 s; up 3 h 20 m
  quorum     3 voters heard, 2 needed
  document   revision 7 at (12, 9), committed
  failover   nothing would block it

  peer    role     heard           trip last seen  position  state
● alpha   voter    ↔ both ways  0.31 ms     85 ms  (12, 9)   connected
  charlie voter    ↔ both ways  0.31 ms     85 ms  (12, 9)   connected
";
    assert_eq!(render::status(&follower(), UNICODE), expected);
}

#[test]
fn a_master_shows_its_lease() {
    let text = render::status(&master(), UNICODE);
    let lease =
        "\n  lease      ━━━━━━━━━━━━━━━━━━── 3.5 s left; may act for 2.7 s unless renewed\n";
    assert!(text.contains(lease), "{text}");
    assert!(text.contains("\n  elected here; this node, at 10.0.0.2:9901\n"), "{text}");
}

#[test]
fn a_node_alone_says_what_is_missing_in_plain_ascii_too() {
    let expected = "\
! nobody is master of shop as far as bravo knows, for 8.1 s
  it fell silent

  this node  bravo, candidate; up 3 h 20 m
  quorum     1 voter heard, 2 needed: nobody can be elected from here
  document   revision 7 at (12, 9), committed
  failover   blocked: only 1 voter would remain in sight, 2 are needed

  peer    role     heard           trip last seen  position  state
  alpha   voter    x silent           -    12.3 s  (12, 9)   connection refused
  charlie voter    x silent           -    12.3 s  (12, 9)   connection refused
";
    let text = render::status(&alone(), Style::PLAIN);
    assert_eq!(text, expected);
    assert!(text.is_ascii());
}

#[test]
fn links_that_work_in_one_direction_are_shown_as_such() {
    let deaf = PeerReport { hears_us: Some(false), ..peer("charlie") };
    let report = StatusReport { peers: vec![deaf], ..follower() };
    assert!(render::status(&report, UNICODE).contains("← from it"));
}

#[test]
fn whatever_is_odd_about_a_peer_is_named() {
    let odd = PeerReport {
        vote_ready: Some(false),
        clock_deviant: true,
        follows: Some("delta".into()),
        ..peer("charlie")
    };
    let text = render::status(&StatusReport { peers: vec![odd], ..follower() }, UNICODE);
    assert!(text.contains("cannot vote now; follows delta; its clock is off"), "{text}");
}

#[test]
fn what_binds_a_node_is_named() {
    let bound = StatusReport {
        quiet_left_ms: Some(600),
        hold_off_left_ms: Some(59_000),
        storage_failed: true,
        ..follower()
    };
    let text = render::status(&bound, UNICODE);
    for words in ["quiet after its start for 600 ms", "does not stand for 59.0 s", "disk failed"] {
        assert!(text.contains(words), "{text}");
    }
}

#[test]
fn who_told_of_the_master_is_said_once() {
    let master =
        follower().master.map(|master| MasterReport { known: "told-by c".into(), ..master });
    let reason = "told by c; not heard directly".to_owned();
    let text = render::status(&StatusReport { master, reason, ..follower() }, UNICODE);
    assert!(text.contains("\n  told by c; not heard directly; at 10.0.0.1:9901\n"), "{text}");
}

#[test]
fn a_long_line_about_this_node_is_broken_between_its_parts() {
    let report = StatusReport {
        quiet_left_ms: Some(600),
        hold_off_left_ms: Some(59_000),
        storage_failed: true,
        ..follower()
    };
    let text = render::status(&report, Style { is_coloured: false, ..SCREEN });
    let expected = "
  this node  bravo, follower; promised to alpha for 3.6 s;
             quiet after its start for 600 ms; does not stand for 59.0 s;
             its disk failed: silent until restarted; up 3 h 20 m
";
    assert!(text.contains(expected), "{text}");
    let coloured = render::status(&report, SCREEN);
    assert_eq!(coloured.lines().count(), text.lines().count());
}

#[test]
fn nine_nodes_fit_80_columns_and_24_rows() {
    let long = "connection to a-rather-long-name.example.net timed out after a while";
    let peer =
        |number| PeerReport { link: long.into(), ..peer(&format!("a-node-{number}.example")) };
    let report = StatusReport {
        peers: (1..=8).map(peer).collect(),
        blockers: vec![long.into(), long.into()],
        ..master()
    };
    let text = render::status(&report, Style { is_coloured: false, ..SCREEN });
    assert!(text.lines().count() <= 22, "{text}");
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
}

#[test]
fn colours_are_for_terminals_that_want_them() {
    let look = |pairs: &[(&str, &str)], terminal| {
        let find = |name: &str| {
            let pair = pairs.iter().find(|(key, _)| *key == name);
            pair.map(|(_, value)| (*value).to_owned())
        };
        Style::decide(find, terminal)
    };
    let terminal = Some((80, 24));
    assert!(look(&[("TERM", "xterm")], terminal).is_coloured);
    assert!(!look(&[("TERM", "xterm")], None).is_coloured);
    assert!(!look(&[("TERM", "xterm"), ("NO_COLOR", "1")], terminal).is_coloured);
    assert!(look(&[("TERM", "xterm"), ("NO_COLOR", "")], terminal).is_coloured);
    assert!(!look(&[("TERM", "dumb")], terminal).is_coloured);
    assert!(look(&[("LANG", "de_DE.UTF-8")], None).is_unicode);
    assert!(!look(&[("LANG", "de_DE.UTF-8"), ("LC_ALL", "C")], None).is_unicode);
    assert!(!look(&[], None).is_unicode);
}

#[test]
fn an_event_is_one_line_and_an_alarm_stands_out() {
    let line = "2026-01-02T03:04:05.678Z  bravo  term 12   elected            MASTER of term 12";
    assert_eq!(render::event(&elected(), UNICODE), line);
    let alarm = EventReport { level: "alarm".into(), code: "alarm".into(), ..elected() };
    assert!(render::event(&alarm, SCREEN).contains("\x1b[31;1malarm"));
}

#[test]
fn spans_are_short_and_exact_enough() {
    let table = [
        (0, "0 ms"),
        (999, "999 ms"),
        (1_000, "1.0 s"),
        (59_999, "59.9 s"),
        (250_000, "4 m 10 s"),
        (11_520_000, "3 h 12 m"),
        (442_800_000, "5 d 3 h"),
    ];
    for (ms, expected) in table {
        assert_eq!(span(ms), expected);
    }
    assert_eq!([310, 12_400, 2_000_000].map(round_trip), ["0.31 ms", "12.4 ms", "2.0 s"]);
}

#[test]
fn what_speaks_against_a_node_as_master_is_shown_with_its_reason() {
    let health = HealthReport {
        command: "/bin/ok".into(),
        state: "healthy".into(),
        since_ms: 90_000,
        against: 0,
        need: 3,
        reason: None,
    };
    let fresh = FreshnessReport {
        value: Some(42),
        from: "set-position".into(),
        age_ms: 1_200,
        reason: None,
    };
    let peers = vec![
        PeerReport { healthy: Some(false), freshness: Some(7), ..peer("alpha") },
        peer("charlie"),
    ];
    let fine = StatusReport {
        health: Some(health.clone()),
        freshness: Some(fresh.clone()),
        peers,
        ..follower()
    };
    let text = render::status(&fine, UNICODE);
    assert!(text.contains("\n  health     healthy for 1 m 30 s\n"), "{text}");
    assert!(text.contains("\n  position   data at 42, said 1.2 s ago by set-position\n"), "{text}");
    assert!(text.contains("(12, 9)   not healthy; data at 7\n"), "{text}");

    let reason = Some("exit code 1: gone".to_owned());
    let health = HealthReport { state: "unhealthy".into(), reason: reason.clone(), ..health };
    let freshness = FreshnessReport { value: None, from: "/bin/lsn".into(), reason, ..fresh };
    let sick = StatusReport {
        health: Some(health),
        freshness: Some(freshness),
        objections: vec!["health: exit code 1".into(), "hooks: `backup` failed".into()],
        ..follower()
    };
    let text = render::status(&sick, UNICODE);
    assert!(
        text.contains("health     unhealthy for 1 m 30 s; /bin/ok: exit code 1: gone\n"),
        "{text}"
    );
    assert!(text.contains("\n  unfit      hooks: `backup` failed\n"), "{text}");
    assert!(text.contains("data at no known place: /bin/lsn: exit code 1: gone\n"), "{text}");
}

#[test]
fn what_people_set_for_a_while_is_shown_with_who_since_when_and_until_when() {
    let entry = |what: &str, node: Option<&str>, until: Option<&str>| OverrideReport {
        what: what.into(),
        node: node.map(Into::into),
        by: Some("root@alpha".into()),
        since: Some("2026-11-22T02:00:00Z".into()),
        until: until.map(Into::into),
    };
    let report = StatusReport {
        overrides: vec![
            entry("maintenance", None, None),
            entry("standby", Some("bravo"), Some("2026-11-22T04:00:00Z")),
        ],
        ..follower()
    };
    let text = render::status(&report, Style { is_coloured: false, ..SCREEN });
    let expected = "
  override   maintenance: mastership moves only by hand; by root@alpha;
             since 2026-11-22T02:00:00Z; until it is taken back
  override   standby of bravo; by root@alpha; since 2026-11-22T02:00:00Z;
             until 2026-11-22T04:00:00Z
";
    assert!(text.contains(expected), "{text}");
}
