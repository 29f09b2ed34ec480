//! `health` and `position` of node.yaml: which programs a node asks about itself.

use std::time::Duration;

use quorate::settings::node::{self, NodeSettings};
use quorate::settings::node_check;
use quorate::settings::probe::{HealthProbe, PositionProbe};

fn parse(text: &str) -> NodeSettings {
    node::parse(&format!("id: a\n{text}\n"), "node.yaml").expect("the file must be accepted")
}

fn refusal(text: &str) -> String {
    let text = format!("id: a\n{text}\n");
    node::parse(&text, "node.yaml").expect_err("the file must be refused").to_string()
}

#[test]
fn only_the_command_of_a_probe_is_needed() {
    let settings = parse("health: {command: [/ok]}\nposition: {command: [/lsn, -q]}");
    let [interval, timeout] = [5, 2].map(Duration::from_secs);
    let health = HealthProbe { command: vec!["/ok".into()], interval, timeout, rise: 2, fall: 3 };
    assert_eq!(settings.health, Some(health));
    let command = vec!["/lsn".into(), "-q".into()];
    assert_eq!(settings.position, Some(PositionProbe { command, interval, timeout }));
}

#[test]
fn a_short_interval_shortens_the_timeout_nobody_wrote() {
    let probe = parse("health: {command: [/ok], interval: 300ms}").health.unwrap();
    assert_eq!(probe.timeout, Duration::from_millis(300));
    let probe = parse("position: {command: [/ok], interval: 1s}").position.unwrap();
    assert_eq!(probe.timeout, Duration::from_secs(1));
}

#[test]
fn what_a_probe_cannot_be_is_refused_with_its_place() {
    let cases = [
        ("health: {interval: 5s}", "2:9: `health` has no `command`"),
        ("health: {command: [ok]}", "2:20: item 1 is `ok`: no path from the root"),
        ("health: {command: [/ok], interval: 99ms}", "2:36: `interval` must be 100ms to 1h"),
        ("health: {command: [/ok], interval: 2h}", "`interval` must be 100ms to 1h, and is 2h"),
        ("health: {command: [/ok], timeout: 49ms}", "`timeout` must be 50ms to 1h, and is 49ms"),
        ("health: {command: [/ok], timeout: 6s}", "2:35: `timeout` is 6s, longer than `interval`"),
        ("health: {command: [/ok], rise: 0}", "2:32: `rise` must be 1 to 100, and is 0"),
        ("health: {command: [/ok], fall: 101}", "`fall` must be 1 to 100, and is 101"),
        ("health: {command: [/ok], weight: 5}", "unknown key `weight`"),
        ("position: {command: [/ok], rise: 2}", "2:28: unknown key `rise`"),
        ("position: /ok", "2:11: `position` must be a mapping, and is text"),
    ];
    for (text, words) in cases {
        assert!(refusal(text).contains(words), "{}", refusal(text));
    }
}

#[test]
fn a_check_says_what_the_probes_mean() {
    let notes = node_check(&parse(
        "health: {command: [/ok, -x], fall: 4}\nposition: {command: [/lsn]}\nwatchdog: /dev/w",
    ));
    assert_eq!(
        notes[1..],
        [
            "health: /ok every 5s, at most 2s; 2 good in a row make the node healthy, 4 bad make \
             it unhealthy",
            "position: /lsn every 5s, at most 2s",
            "watchdog: /dev/w",
        ]
    );
}
