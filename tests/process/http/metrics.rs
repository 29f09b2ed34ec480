//! What Prometheus scrapes, read strictly and by the real promtool, and the rules made of it.
//! Never runs a server of Prometheus.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use rustix::process::Signal;

use super::super::cluster::acting;
use super::super::command::{Outcome, run};
use super::super::looks::eventually;
use super::super::network::skip;
use super::exposition::{Family, read};
use super::{answers, door, founded, founded_with, get};

fn scraped(address: &str) -> BTreeMap<String, Family> {
    let reply = get(address, "/metrics");
    assert_eq!(reply.status, 200);
    let kind = reply.line("Content-Type");
    assert_eq!(kind, Some("text/plain; version=0.0.4; charset=utf-8"));
    read(&reply.body).unwrap_or_else(|why| panic!("{why} in {}", reply.body))
}

/// The value of the one sample with these labels.
fn value(families: &BTreeMap<String, Family>, name: &str, labels: &str) -> f64 {
    let all = families.values().flat_map(|family| &family.samples);
    let mut found = all.filter(|sample| sample.name == name && sample.labels == labels);
    let sample = found.next().unwrap_or_else(|| panic!("no {name}{{{labels}}}"));
    assert!(found.next().is_none());
    sample.value
}

fn series(families: &BTreeMap<String, Family>) -> BTreeSet<String> {
    let all = families.values().flat_map(|family| &family.samples);
    all.map(|sample| format!("{}{{{}}}", sample.name, sample.labels)).collect()
}

#[test]
fn every_series_is_there_from_the_start_and_follows_what_happens() {
    let mut cluster = founded(3);
    cluster.start_without(&["bravo", "charlie"]);
    let alpha = door(&cluster, "alpha");
    answers(&alpha);
    let first = scraped(&alpha);
    let one = |families: &_, name: &str| value(families, name, "");
    assert_eq!(one(&first, "quorate_is_master"), 0.0);
    assert_eq!(one(&first, "quorate_has_quorum"), 0.0);
    assert_eq!(one(&first, "quorate_voters_needed"), 2.0);
    assert_eq!(value(&first, "quorate_peer_up", "peer=\"bravo\""), 0.0);
    assert_eq!(value(&first, "quorate_peer_last_seen_timestamp_seconds", "peer=\"bravo\""), 0.0);
    cluster.node("bravo").start();
    cluster.node("charlie").start();
    eventually("alpha acts", || (get(&alpha, "/master").status == 200).then_some(()));
    let second = eventually("alpha is measured as master that hears all", || {
        let now = scraped(&alpha);
        (one(&now, "quorate_voters_heard") == 3.0).then_some(now)
    });
    assert_eq!(one(&second, "quorate_is_master"), 1.0);
    assert_eq!(value(&second, "quorate_role", "role=\"master\""), 1.0);
    assert!(one(&second, "quorate_lease_remaining_seconds") > 0.0);
    assert!(one(&second, "quorate_term") >= 1.0);
    assert!(value(&second, "quorate_elections_total", "result=\"won\"") >= 1.0);
    let elected = "to=\"master\",reason=\"elected-here\"";
    assert_eq!(value(&second, "quorate_transitions_total", elected), 1.0);
    assert!(one(&second, "quorate_failover_seconds_count") >= 1.0);
    assert!(one(&second, "quorate_state_fsync_seconds_count") >= 2.0);
    assert!(one(&second, "quorate_state_fsync_seconds_sum") > 0.0);
    assert!(one(&second, "process_resident_memory_bytes") > 100_000.0);
    assert!(one(&second, "process_open_fds") > 5.0);
    assert!(one(&second, "process_start_time_seconds") > 1_600_000_000.0);
    eventually("round trips are measured", || {
        let now = scraped(&alpha);
        (value(&now, "quorate_peer_rtt_seconds", "peer=\"charlie\"") > 0.0).then_some(())
    });
    // Away and back again: nothing new appears, nothing is gone.
    cluster.node("alpha").ask(&["transfer", "bravo"]).printed();
    let last = eventually("alpha is measured as follower", || {
        let now = scraped(&alpha);
        let role = value(&now, "quorate_role", "role=\"follower\"");
        (role == 1.0 && one(&now, "quorate_knows_master") == 1.0).then_some(now)
    });
    assert_eq!(one(&last, "quorate_is_master"), 0.0);
    assert_eq!(one(&last, "quorate_lease_remaining_seconds"), 0.0);
    let ended = "to=\"none\",reason=\"ended-transfer\"";
    assert_eq!(value(&last, "quorate_transitions_total", ended), 1.0);
    assert_eq!(series(&first), series(&second));
    assert_eq!(series(&first), series(&last));
}

/// F106
#[test]
fn hooks_and_node_yaml_are_measured() {
    let mut cluster = founded_with(1, |_| "hooks: {master: [/bin/true], retries: 0}\n".to_owned());
    cluster.start();
    let alpha = door(&cluster, "alpha");
    answers(&alpha);
    let ran = "hook=\"master\",result=\"ok\"";
    eventually("the hook's run is counted", || {
        (value(&scraped(&alpha), "quorate_hook_runs_total", ran) >= 1.0).then_some(())
    });
    let now = scraped(&alpha);
    assert!(value(&now, "quorate_hook_duration_seconds_count", "hook=\"master\"") >= 1.0);
    assert_eq!(value(&now, "quorate_config_last_reload_success", ""), 1.0);
    let read_at = value(&now, "quorate_config_last_reload_success_timestamp_seconds", "");
    let path = cluster.node("alpha").home.join("node.yaml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("{text}nonsense: 1\n")).unwrap();
    cluster.node("alpha").signal(Signal::HUP);
    eventually("node.yaml is refused", || {
        let sound = value(&scraped(&alpha), "quorate_config_last_reload_success", "");
        (sound == 0.0).then_some(())
    });
    fs::write(&path, text).unwrap();
    cluster.node("alpha").signal(Signal::HUP);
    eventually("node.yaml is taken", || {
        let now = scraped(&alpha);
        let at = value(&now, "quorate_config_last_reload_success_timestamp_seconds", "");
        let sound = value(&now, "quorate_config_last_reload_success", "");
        (sound == 1.0 && at > read_at).then_some(())
    });
}

/// The real one, if there is one: with these words, reading that file.
fn promtool(words: &str, stdin: &Path) -> Option<Outcome> {
    let line = format!("exec promtool {words} < '{}'", stdin.display());
    let outcome = run(&[], ["sh", "-c", &line]);
    if outcome.code == 127 {
        skip("there is no promtool here: nobody but our own reader reads the metrics");
        return None;
    }
    Some(outcome)
}

#[test]
fn the_real_promtool_finds_nothing_wrong_with_the_metrics() {
    let mut cluster = founded(3);
    cluster.start();
    let (master, _) = cluster.settles();
    for name in ["alpha", "bravo"] {
        let path = cluster.place().join("metrics");
        fs::write(&path, get(&door(&cluster, name), "/metrics").body).unwrap();
        let Some(outcome) = promtool("check metrics", &path) else { return };
        let said = outcome.stdout + &outcome.stderr;
        assert_eq!((outcome.code, said.trim()), (0, ""), "{name}, where {master} leads");
    }
}

fn shipped(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("contrib").join(path)
}

#[test]
fn the_alert_rules_pass_their_tests() {
    let rules = shipped("prometheus/alerts.yml");
    let Some(outcome) = promtool(&format!("check rules '{}'", rules.display()), &rules) else {
        return;
    };
    assert_eq!(outcome.code, 0, "{}{}", outcome.stdout, outcome.stderr);
    let tests = shipped("prometheus/alerts-test.yml");
    let outcome = promtool(&format!("test rules '{}'", tests.display()), &tests).unwrap();
    assert_eq!(outcome.code, 0, "{}{}", outcome.stdout, outcome.stderr);
}

#[test]
fn rules_and_dashboard_ask_for_metrics_that_there_are() {
    let mut cluster = founded(1);
    cluster.start();
    let address = door(&cluster, "alpha");
    cluster.until("alpha acts", |view| acting(view, "alpha").map(|_| ()));
    let known: BTreeSet<String> = scraped(&address).into_keys().collect();
    let dashboard = fs::read_to_string(shipped("grafana/dashboard.json")).unwrap();
    let parsed: serde_json::Value = serde_json::from_str(&dashboard).unwrap();
    assert!(parsed["panels"].as_array().unwrap().len() > 10);
    let rules = fs::read_to_string(shipped("prometheus/alerts.yml")).unwrap();
    let tests = fs::read_to_string(shipped("prometheus/alerts-test.yml")).unwrap();
    for (text, least) in [(dashboard, 15), (rules.clone(), 12), (tests.clone(), 12)] {
        let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let asked: BTreeSet<&str> = words
            .filter(|word| word.starts_with("quorate_") || word.starts_with("process_"))
            .collect();
        assert!(asked.len() >= least, "{asked:?}");
        let is_known = |word: &&&str| {
            let family = word.trim_end_matches("_bucket");
            known.contains(family)
        };
        let unknown: Vec<_> = asked.iter().filter(|word| !is_known(word)).collect();
        assert!(unknown.is_empty(), "nobody measures {unknown:?}");
    }
    for alert in rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")) {
        assert!(tests.contains(&format!("alertname: {alert}")), "{alert} has no test");
    }
}
