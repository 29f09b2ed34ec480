//! What a check-up concludes from facts: every finding, its weight, and what each failure would do.
//! Never gathers a fact from anywhere.

use std::collections::BTreeMap;
use std::path::PathBuf;

use quorate::cli::doctor::facts::{Daemon, Facts, Finding, Weight};
use quorate::cli::doctor::judge::Diagnosis;
use quorate::cli::doctor::page::page;
use quorate::cli::style::Style;
use quorate::daemon::premises::{FileFacts, Found, Purpose, Space, Start};
use quorate::protocol::units::NodeId;
use quorate::settings::node::NodeSettings;
use quorate::wire::control::{ClockReport, PeerReport, SaidReport, StatusReport};
use quorate::wire::facts::{AlarmReport, FactsReport, TimingReport, WritesReport};

use super::reports::{alone, follower, peer};

/// A voter that hears all others, as each says.
fn whole(id: &str, others: &[&str]) -> PeerReport {
    PeerReport { hears: others.iter().map(|other| (*other).into()).collect(), ..peer(id) }
}

fn status() -> StatusReport {
    let peers = vec![whole("alpha", &["bravo", "charlie"]), whole("charlie", &["alpha", "bravo"])];
    StatusReport { peers, ..follower() }
}

/// bravo of three, and all is well.
fn report() -> FactsReport {
    FactsReport {
        status: status(),
        member: Some("voter".into()),
        address: Some("bravo.example.net:9901".into()),
        listens: "0.0.0.0:9901".into(),
        speaks: "version 1".into(),
        understands: true,
        timing: TimingReport {
            heartbeat_us: 500_000,
            dead_after_us: 4_000_000,
            stop_us: 500_000,
            drift_ppm: 10_000,
            stagger_us: 50_000,
        },
        writes: WritesReport {
            count: 9,
            last_us: 900,
            median_us: 1_000,
            worst_us: 9_000,
            under_way_ms: None,
        },
        alarms: BTreeMap::new(),
        files_max: Some(1_024),
        locked_max: None,
        user: 0,
        has_guard: false,
    }
}

fn file(purpose: Purpose, mode: u32) -> FileFacts {
    let path = PathBuf::from(format!("/somewhere/{purpose:?}"));
    FileFacts { purpose, path, found: Found::Thing { is_right_kind: true, mode, user: 0 } }
}

fn facts_of(daemon: Daemon) -> Facts {
    Facts {
        daemon,
        files: vec![
            file(Purpose::Config, 0o644),
            file(Purpose::Directory, 0o700),
            file(Purpose::State, 0o600),
            file(Purpose::Key, 0o600),
            file(Purpose::Socket, 0o660),
        ],
        settings: Ok(NodeSettings::new(NodeId::new("bravo").unwrap())),
        unsound: Vec::new(),
        space: Ok(Space { free_bytes: 1 << 30, free_files: Some(9_999) }),
        user: 0,
    }
}

fn facts(change: impl FnOnce(&mut FactsReport)) -> Facts {
    let mut report = report();
    change(&mut report);
    facts_of(Daemon::Up(Box::new(report)))
}

fn found(facts: &Facts) -> Vec<(Weight, &'static str)> {
    Diagnosis::of(facts).findings.iter().map(|one| (one.weight, one.code)).collect()
}

fn message(facts: &Facts, code: &str) -> String {
    let findings: Vec<Finding> = Diagnosis::of(facts).findings;
    let one = findings.iter().find(|one| one.code == code);
    one.unwrap_or_else(|| panic!("no {code} in {findings:?}")).message.clone()
}

#[test]
fn where_all_is_well_nothing_is_found_and_no_single_failure_is_fatal() {
    let facts = facts(|_| {});
    let diagnosis = Diagnosis::of(&facts);
    assert_eq!(found(&facts), []);
    assert!(diagnosis.is_well());
    let told: Vec<_> =
        diagnosis.outlook.iter().map(|one| format!("{}: {}", one.event, one.outcome)).collect();
    let stays = |count| format!("{count} of 3 voters stay with it, 2 needed: alpha stays master");
    let wanted = [
        "alpha fails: bravo or charlie takes over, after about 4040 ms".to_owned(),
        format!("bravo fails: {}", stays(2)),
        format!("charlie fails: {}", stays(2)),
        format!("the link alpha - bravo is cut: {}", stays(2)),
        format!("the link alpha - charlie is cut: {}", stays(2)),
        format!("the link bravo - charlie is cut: {}", stays(3)),
    ];
    assert_eq!(told, wanted);
    let page = page(&facts, &diagnosis, Style::PLAIN);
    assert!(page.starts_with("bravo of shop: all is well\n"), "{page}");
    assert!(page.lines().all(|line| line.chars().count() <= 110), "{page}");
}

#[test]
fn a_witness_is_counted_and_never_takes_over() {
    let facts = facts(|report| report.status.peers[1].role = "witness".into());
    let outlook = Diagnosis::of(&facts).outlook;
    assert_eq!(outlook[0].outcome, "bravo takes over, after about 4040 ms");
}

#[test]
fn a_dead_direction_is_named_with_its_cause_and_place() {
    let one_way = facts(|report| {
        report.status.peers[1].hears_us = Some(false);
        report.status.peers[1].link = "no answer (10.0.0.3:9901)".into();
    });
    assert_eq!(found(&one_way)[0], (Weight::Problem, "link-dead"));
    let words =
        "charlie does not hear bravo, which calls it at charlie.example.net:9901: no answer";
    assert!(message(&one_way, "link-dead").starts_with(words));
    let others = facts(|report| report.status.peers[1].hears = vec!["bravo".into()]);
    assert_eq!(message(&others, "link-dead"), "charlie does not hear alpha");
    let causes = [
        ("its name does not resolve: nothing", "mend DNS"),
        ("connection refused (10.0.0.3:9901)", "nothing listens there"),
        ("no answer (10.0.0.3:9901)", "firewall or route"),
        ("refused: wrong key: it presented another", "compare the `key`"),
        ("refused: other cluster: it belongs to x", "not the node that the document means"),
        ("refused: it speaks protocol version 9", "share a protocol version"),
    ];
    for (link, advice) in causes {
        let facts = facts(|report| {
            report.status.peers[1].hears_us = Some(false);
            report.status.peers[1].link = link.into();
        });
        let findings = Diagnosis::of(&facts).findings;
        assert!(findings[0].advice.contains(advice), "{link}: {}", findings[0].advice);
    }
}

#[test]
fn a_silent_node_is_one_finding_and_makes_the_next_failure_fatal() {
    let facts = facts(|report| {
        report.status.peers[1].heard = false;
        report.status.peers[1].hears_us = None;
        report.status.peers[1].link = "connection refused (10.0.0.3:9901)".into();
        report.status.peers[0].hears = vec!["bravo".into()];
    });
    let wanted = [(Weight::Problem, "node-silent"), (Weight::Warning, "one-failure")];
    assert_eq!(found(&facts), wanted);
    let fatal = "nobody would be master if alpha fails, or if bravo fails, or if the link \
                 alpha - bravo is cut";
    assert_eq!(message(&facts, "one-failure"), fatal);
}

#[test]
fn of_two_voters_that_none_can_be_spared_is_only_said() {
    let facts = facts(|report| {
        report.status.peers = vec![whole("alpha", &["bravo"])];
        report.status.quorum.have = 2;
    });
    assert_eq!(found(&facts), [(Weight::Notice, "one-failure")]);
    assert!(Diagnosis::of(&facts).is_well());
}

#[test]
fn without_quorum_and_master_both_are_problems() {
    let facts = facts(|report| report.status = alone());
    let codes: Vec<_> = found(&facts).into_iter().map(|(_, code)| code).collect();
    assert!(codes.contains(&"no-quorum") && codes.contains(&"no-master"), "{codes:?}");
}

#[test]
fn clocks_distances_disks_and_limits_are_weighed_against_the_timing() {
    let peer = |change: fn(&mut PeerReport)| facts(|report| change(&mut report.status.peers[0]));
    let of = |change: fn(&mut FactsReport)| facts(change);
    for (facts, wanted) in [
        (peer(|p| p.clock = Some(ClockReport { off_ppm: -5_900, within_ppm: 950 })), None),
        (
            peer(|p| p.clock = Some(ClockReport { off_ppm: -5_900, within_ppm: 850 })),
            Some((Weight::Warning, "clock-off")),
        ),
        (
            peer(|p| {
                p.clock = Some(ClockReport { off_ppm: 30_000, within_ppm: 9 });
                p.clock_deviant = true;
            }),
            Some((Weight::Problem, "clock-off")),
        ),
        (peer(|p| p.round_trip_us = Some(249_000)), None),
        (peer(|p| p.round_trip_us = Some(251_000)), Some((Weight::Warning, "far-apart"))),
        (peer(|p| p.round_trip_us = Some(501_000)), Some((Weight::Problem, "far-apart"))),
        (of(|r| r.writes.worst_us = 999_000), None),
        (of(|r| r.writes.worst_us = 1_100_000), Some((Weight::Notice, "disk-slow"))),
        (of(|r| r.writes.median_us = 1_100_000), Some((Weight::Warning, "disk-slow"))),
        (of(|r| r.writes.under_way_ms = Some(4_000)), None),
        (of(|r| r.writes.under_way_ms = Some(6_000)), Some((Weight::Problem, "disk-bad"))),
        (of(|r| r.status.storage_failed = true), Some((Weight::Problem, "disk-bad"))),
        (of(|r| r.files_max = Some(100)), Some((Weight::Warning, "limits-low"))),
        (of(|r| r.locked_max = Some(65_536)), None),
        (of(|r| (r.locked_max, r.user) = (Some(65_536), 7)), Some((Weight::Notice, "limits-low"))),
    ] {
        let found = found(&facts);
        // The files here are root's, whoever the daemon is.
        let found: Vec<_> = found.into_iter().filter(|(_, code)| *code != "file-wrong").collect();
        assert_eq!(found, Vec::from_iter(wanted), "{facts:?}");
    }
}

#[test]
fn releases_addresses_and_later_words_are_notices_as_long_as_it_works() {
    let said =
        |change: fn(&mut SaidReport)| facts(|report| change(&mut report.status.peers[0].said));
    let same = said(|said| said.release = Some("0.1.0".into()));
    assert_eq!(found(&same), []);
    let other = said(|said| said.release = Some("0.2.0".into()));
    assert_eq!(found(&other), [(Weight::Notice, "releases-differ")]);
    assert_eq!(message(&other, "releases-differ"), "this node runs 0.1.0, alpha runs 0.2.0");
    let newer = said(|said| (said.passed_over, said.unknown) = (3, Some("gossip".into())));
    assert_eq!(found(&newer), [(Weight::Notice, "newer-words")]);
    let moved = said(|said| said.address = Some("10.0.0.9:9901".into()));
    assert_eq!(found(&moved), [(Weight::Notice, "other-address")]);
    let words = "alpha says it listens at 10.0.0.9:9901, the document says alpha.example.net:9901";
    assert_eq!(message(&moved, "other-address"), words);
    let beyond = facts(|report| report.understands = false);
    assert_eq!(found(&beyond), [(Weight::Warning, "newer-words")]);
}

#[test]
fn what_holds_a_node_back_and_what_alarmed_lately_is_told() {
    let facts = facts(|report| {
        report.status.objections = vec!["health: the database is down".into()];
        report.status.hold_off_left_ms = Some(9_000);
        report.status.ranking.policy = "sticky".into();
        report.status.watchdog = Some("not armed: the device is busy".into());
        let [lately, long_ago] =
            [5_000, 4_000_000].map(|last_ms| AlarmReport { count: 2, last_ms });
        report.alarms.insert("alarm-stall".into(), lately);
        report.alarms.insert("alarm-clock-rate".into(), long_ago);
    });
    let wanted = [
        (Weight::Warning, "held-back"),
        (Weight::Warning, "alarms-lately"),
        (Weight::Notice, "held-back"),
        (Weight::Notice, "held-back"),
        (Weight::Notice, "held-back"),
    ];
    assert_eq!(found(&facts), wanted);
    assert_eq!(message(&facts, "alarms-lately"), "alarm-stall 2 x, the last 5.0 s ago");
}

#[test]
fn whoever_is_doubted_is_a_problem_in_the_words_of_the_doubt() {
    let words = "two processes use the key of alpha, at here and there: neither counts";
    let facts = facts(|report| report.status.doubts = vec![words.into()]);
    assert_eq!(found(&facts), [(Weight::Problem, "identity-doubted")]);
    assert_eq!(message(&facts, "identity-doubted"), words);
}

#[test]
fn a_cluster_that_was_recovered_by_force_is_named_until_its_document_says_nothing_of_it() {
    let facts = facts(|report| report.status.forced = Some("generation 2".into()));
    assert_eq!(found(&facts), [(Weight::Notice, "recovered")]);
    let words = "this cluster was recovered by force: generation 2";
    assert_eq!(message(&facts, "recovered"), words);
}

#[test]
fn files_that_are_open_missing_or_anothers_are_problems() {
    for purpose in [Purpose::Config, Purpose::Directory, Purpose::State, Purpose::Key] {
        let things = [
            Found::Nothing,
            Found::Thing { is_right_kind: false, mode: 0o600, user: 0 },
            Found::Thing { is_right_kind: true, mode: 0o666, user: 0 },
            Found::Thing { is_right_kind: true, mode: 0o600, user: 4_711 },
        ];
        for thing in things {
            let mut facts = facts(|_| {});
            let file = facts.files.iter_mut().find(|file| file.purpose == purpose).unwrap();
            file.found = thing;
            assert_eq!(found(&facts), [(Weight::Problem, "file-wrong")], "{facts:?}");
        }
    }
    let mut facts = facts(|_| {});
    facts.files[3].found = Found::Hidden("permission denied".into());
    assert_eq!(found(&facts), [(Weight::Notice, "file-wrong")]);
}

#[test]
fn room_and_settings_are_judged_with_and_without_a_daemon() {
    let down = || {
        let start = Start {
            state: Err("it is damaged".into()),
            belongs: Err("it was written elsewhere".into()),
            keys: Ok(()),
            listen: Err("another program listens".into()),
        };
        let mut facts = facts_of(Daemon::Down("nobody answers".into(), Box::new(start)));
        facts.files.pop();
        facts
    };
    let problem = |code| (Weight::Problem, code);
    assert_eq!(
        found(&down()),
        [
            problem("cannot-start"),
            problem("cannot-start"),
            problem("cannot-start"),
            problem("daemon-down")
        ]
    );
    let mut full = facts(|_| {});
    full.space = Ok(Space { free_bytes: 1 << 20, free_files: None });
    assert_eq!(found(&full), [problem("space-low")]);
    full.space = Ok(Space { free_bytes: 32 << 20, free_files: None });
    assert_eq!(found(&full), [(Weight::Warning, "space-low")]);
    full.space = Ok(Space { free_bytes: 1 << 40, free_files: Some(3) });
    assert_eq!(found(&full), [problem("space-low")]);
    let mut wrong = facts_of(Daemon::Odd("it speaks another language".into()));
    wrong.settings = Err("node.yaml:3:1: unknown key".into());
    wrong.unsound = vec![("hooks.master".into(), "others may write it".into())];
    assert_eq!(
        found(&wrong),
        [problem("config-wrong"), problem("config-wrong"), problem("daemon-odd")]
    );
}
