//! What programs and people read about a node.

use std::time::Duration;

use quorate::daemon::fitness::FitnessReport;
use quorate::daemon::network::Sighting;
use quorate::daemon::report::{self, Surroundings};
use quorate::protocol::effects::{Answer, EditOutcome, Rejection};
use quorate::protocol::message::HandoverRefusal;
use quorate::protocol::node::Node;
use quorate::protocol::units::{Moment, Position, Term};
use quorate::wire::control::StatusReport;

use super::workshop::{founding, member, node};

/// The report of alpha, just started, whose link to bravo is known and to charlie is not.
fn report_of_a_newcomer() -> StatusReport {
    let members = [member("alpha", 1), member("bravo", 2), member("charlie", 3)];
    let now = Moment { boot_ns: 5_000_000_000, raw_ns: 4_000_000_000 };
    let node_of_alpha = Node::new(founding(&members), now, 1);
    let status = node_of_alpha.status(now);
    let seen = Sighting { link: "connected".to_owned(), ..Sighting::default() };
    let around = Surroundings {
        sightings: [(node("bravo"), seen)].into_iter().collect(),
        core_age: Duration::from_millis(12),
        uptime: Duration::from_secs(3),
        fitness: FitnessReport::default(),
        ranking: node_of_alpha.ranking(now),
        held: None,
        overrides: Vec::new(),
        newcomers: Vec::new(),
        doubts: Vec::new(),
        forced: None,
    };
    report::status(&status, &around)
}

#[test]
fn a_newcomer_reports_itself_its_quorum_and_its_peers() {
    let report = report_of_a_newcomer();
    assert_eq!((report.node.as_str(), report.role.as_str()), ("alpha", "follower"));
    assert_eq!((report.quorum.ok, report.quorum.have, report.quorum.need), (false, 1, 2));
    assert_eq!((report.dead_after_ms, report.heartbeat_ms), (4_000, 500));
    assert_eq!((report.core_age_ms, report.uptime_ms), (12, 3_000));
    let links: Vec<&str> = report.peers.iter().map(|peer| peer.link.as_str()).collect();
    assert_eq!(links, ["connected", "not tried yet"]);
}

#[test]
fn a_status_report_survives_its_json() {
    let report = report_of_a_newcomer();
    let json = serde_json::to_string(&report).unwrap();
    assert_eq!(serde_json::from_str::<StatusReport>(&json).unwrap(), report);
}

#[test]
fn a_handover_is_told_as_done_refused_or_unknown() {
    let done = report::handover(Some(&Answer::HandedOver { to: node("bravo"), term: Term(8) }));
    assert_eq!((done.outcome.as_str(), done.term), ("handed-over", Some(8)));
    let refusal = Answer::HandoverRefused(HandoverRefusal::Behind);
    let refused = report::handover(Some(&refusal));
    assert_eq!(refused.outcome, "refused");
    assert!(refused.message.contains("nothing was changed"));
    assert_eq!(report::handover(None).outcome, "unknown");
}

#[test]
fn an_edit_is_told_as_committed_rejected_or_unknown() {
    let position = Position { term: Term(8), version: 21 };
    let outcome = EditOutcome::Committed { position, revision: 7 };
    let done = report::edit(Some(&Answer::Edited(outcome)));
    assert_eq!((done.outcome.as_str(), done.revision), ("committed", Some(7)));
    assert_eq!(done.position.map(|at| (at.term, at.version)), Some((8, 21)));
    let why = Rejection::NotMaster { master: Some(node("bravo")) };
    let rejected = report::edit(Some(&Answer::Edited(EditOutcome::Rejected(why))));
    assert_eq!(rejected.outcome, "rejected");
    assert_eq!(rejected.reason.as_deref(), Some("rejected-not-master"));
    assert!(rejected.message.contains("nothing was changed") && rejected.message.contains("bravo"));
    let unknown = report::edit(Some(&Answer::Edited(EditOutcome::Unknown)));
    assert_eq!((unknown.outcome.as_str(), unknown.reason), ("unknown", None));
    assert_eq!(report::edit(None).outcome, "unknown");
}

#[test]
fn the_status_for_the_log_names_the_master_and_every_peer() {
    let lines = report::lines(&report_of_a_newcomer());
    assert!(lines[0].contains("master none"), "{}", lines[0]);
    assert!(lines.iter().any(|line| line.contains("peer bravo") && line.contains("connected")));
    assert!(lines.iter().any(|line| line.contains("peer charlie") && line.contains("silent")));
}
