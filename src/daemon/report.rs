//! Spells a node's view as the reports that people and programs read.
//! Never decides and never reads a clock: everything is given.

use std::time::Duration;

use crate::daemon::clock;
use crate::daemon::contacts::Contact;
use crate::daemon::fitness::FitnessReport;
use crate::daemon::network::Sighting;
use crate::daemon::ranking;
use crate::protocol::durable::Document;
use crate::protocol::effects::{Answer, EditOutcome};
use crate::protocol::map::Map;
use crate::protocol::membership::{Charter, Override};
use crate::protocol::status::{Blocker, Duty, Knowledge, KnownMaster, PeerStatus, Placing, Status};
use crate::protocol::units::{NodeId, Position};
use crate::settings::arrivals::{Newcomer, arrivals};
use crate::settings::words;
use crate::wire::codes;
use crate::wire::control::{
    ClockReport, DocumentReport, EditReport, HandoverReport, MasterReport, NewcomerReport,
    OverrideReport, PeerReport, PositionReport, QuorumReport, SCHEMA, SaidReport, StatusReport,
};

/// What the daemon knows beside the node.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// How the connections of each peer stand, and what it said of itself.
    pub sightings: Map<NodeId, Sighting>,
    /// Age of the election loop's last turn.
    pub core_age: Duration,
    /// Time since the daemon started.
    pub uptime: Duration,
    /// How fit this node is to be master.
    pub fitness: FitnessReport,
    /// Every member in the order in which they would lead.
    pub ranking: Vec<Placing>,
    /// What people hold mastership where it is by, if they do.
    pub held: Option<&'static str>,
    /// What people set for a while.
    pub overrides: Vec<OverrideReport>,
    /// Who is on the way to vote.
    pub newcomers: Vec<NewcomerReport>,
    /// What is wrong with anybody's identity.
    pub doubts: Vec<String>,
    /// What a forced recovery wrote into the document.
    pub forced: Option<String>,
}

/// `Response::Status`.
#[must_use]
pub fn status(status: &Status, around: &Surroundings) -> StatusReport {
    StatusReport {
        schema: SCHEMA,
        node: status.node.to_string(),
        storage: status.storage.to_string(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        cluster: status.cluster_name.to_string(),
        cluster_id: status.cluster.to_string(),
        generation: status.generation,
        role: duty(status.duty).to_owned(),
        term: status.term.0,
        master: status.master.as_ref().map(master),
        since_ms: milliseconds(status.since),
        reason: status
            .reason
            .as_ref()
            .map_or_else(|| "no master seen since the start".to_owned(), ToString::to_string),
        changes: status.changes,
        acting_left_ms: acting_left(status).map(milliseconds),
        lease_left_ms: status.lease_left.map(milliseconds),
        promised_to: status.promise.as_ref().map(|(to, _)| to.to_string()),
        promise_left_ms: status.promise.as_ref().map(|(_, left)| milliseconds(*left)),
        quiet_left_ms: status.quiet_left.map(milliseconds),
        hold_off_left_ms: status.hold_off_left.map(milliseconds),
        storage_failed: status.is_storage_failed,
        quorum: QuorumReport {
            ok: status.quorum_have >= status.quorum_need,
            have: status.quorum_have,
            need: status.quorum_need,
        },
        accepted: position(status.accepted),
        committed: position(status.committed),
        revision: status.revision,
        dead_after_ms: milliseconds(status.timing.dead_after()),
        heartbeat_ms: milliseconds(status.timing.heartbeat()),
        peers: status.peers.iter().map(|one| peer(one, &around.sightings)).collect(),
        blockers: around
            .held
            .into_iter()
            .map(held)
            .chain(status.blockers.iter().map(blocker))
            .collect(),
        ranking: ranking::report(status, &around.ranking),
        core_age_ms: milliseconds(around.core_age),
        objections: around.fitness.objections.clone(),
        health: around.fitness.health.clone(),
        freshness: around.fitness.freshness.clone(),
        watchdog: around.fitness.watchdog.clone(),
        overrides: around.overrides.clone(),
        newcomers: around.newcomers.clone(),
        doubts: around.doubts.clone(),
        forced: around.forced.clone(),
        pid: std::process::id(),
        uptime_ms: milliseconds(around.uptime),
    }
}

/// What people set for a while, maintenance first.
#[must_use]
pub fn overrides(charter: &Charter) -> Vec<OverrideReport> {
    let report = |what: &str, node: Option<&NodeId>, entry: &Override| OverrideReport {
        what: what.to_owned(),
        node: node.map(NodeId::to_string),
        by: Some(entry.by.to_string()).filter(|by| !by.is_empty()),
        since: entry.since.map(clock::wall_text_of_seconds),
        until: entry.until.map(clock::wall_text_of_seconds),
    };
    let maintenance = charter.maintenance.as_ref().map(|entry| report("maintenance", None, entry));
    let standby = charter.members.all().filter_map(|member| {
        let entry = member.standby.as_ref()?;
        Some(report("standby", Some(&member.id), entry))
    });
    maintenance.into_iter().chain(standby).collect()
}

/// Who is on the way to vote, by the committed document.
#[must_use]
pub fn newcomers(committed: &Document) -> Vec<NewcomerReport> {
    // Nearly always there is nobody, and this is asked often.
    if !committed.body.contains("becomes") {
        return Vec::new();
    }
    let report = |newcomer: Newcomer| {
        let member = committed.charter.members.find(&newcomer.id)?;
        Some(NewcomerReport {
            id: newcomer.id.to_string(),
            becomes: words::of_role(newcomer.becomes).to_owned(),
            approved: newcomer.is_approved,
            key: format!("SHA256:{}", member.pin),
        })
    };
    // What cannot be read names nobody; whoever edits it next is told what is wrong.
    let found = arrivals(&committed.body).unwrap_or_default().newcomers;
    found.into_iter().filter_map(report).collect()
}

/// `Response::Document`.
#[must_use]
pub fn document(document: &Document) -> DocumentReport {
    let byline = document.byline.as_ref();
    DocumentReport {
        schema: SCHEMA,
        position: position(document.position),
        revision: document.revision,
        hash: document.hash.to_string(),
        author: byline.map(|byline| byline.author().to_owned()),
        time: byline.map(|byline| clock::wall_text_of(byline.at_ms.saturating_mul(1_000_000))),
        body: document.body.to_string(),
    }
}

/// `Response::Handover`; `None` means that the node did not answer in time.
#[must_use]
pub fn handover(answer: Option<&Answer>) -> HandoverReport {
    let report = |outcome: &str, message: String| HandoverReport {
        schema: SCHEMA,
        outcome: outcome.to_owned(),
        master: None,
        term: None,
        reason: None,
        message,
    };
    match answer {
        Some(Answer::HandedOver { to, term }) => HandoverReport {
            master: Some(to.to_string()),
            term: Some(term.0),
            ..report("handed-over", format!("{to} is master now, term {term}"))
        },
        Some(Answer::SteppedDown) => report(
            "stepped-down",
            "mastership was given up; no successor was seen yet: ask `quorate master`".to_owned(),
        ),
        Some(Answer::HandoverRefused(why)) => HandoverReport {
            reason: Some(codes::of_handover(why).to_owned()),
            ..report("refused", format!("nothing was changed: {why}"))
        },
        Some(Answer::HandoverUnknown | Answer::Edited(_)) | None => report(
            "unknown",
            "it is not known yet who leads: ask `quorate status` before you try again".to_owned(),
        ),
    }
}

/// `Response::Edit`; `None` means that the node did not answer in time.
#[must_use]
pub fn edit(answer: Option<&Answer>) -> EditReport {
    let report = |outcome: &str, message: String| EditReport {
        schema: SCHEMA,
        outcome: outcome.to_owned(),
        revision: None,
        position: None,
        reason: None,
        message,
    };
    match answer {
        Some(Answer::Edited(EditOutcome::Committed { position: at, revision })) => EditReport {
            revision: Some(*revision),
            position: Some(position(*at)),
            ..report("committed", format!("committed as revision {revision}"))
        },
        Some(Answer::Edited(EditOutcome::Rejected(why))) => EditReport {
            reason: Some(codes::of_rejection(why).to_owned()),
            ..report("rejected", format!("nothing was changed: {why}"))
        },
        Some(
            Answer::Edited(EditOutcome::Unknown)
            | Answer::HandedOver { .. }
            | Answer::SteppedDown
            | Answer::HandoverRefused(_)
            | Answer::HandoverUnknown,
        )
        | None => report(
            "unknown",
            "it may still commit: compare `quorate show` with what you wanted before you try again"
                .to_owned(),
        ),
    }
}

/// The status as a few lines for the log.
#[must_use]
pub fn lines(report: &StatusReport) -> Vec<String> {
    let master = report.master.as_ref().map_or("none", |master| master.id.as_str());
    let mut lines = vec![format!(
        "status: {}, term {}, master {master} for {} ms ({}); quorum {} of {} needed; document \
         ({}, {}) revision {}; {} changes of master in {} ms",
        report.role,
        report.term,
        report.since_ms,
        report.reason,
        report.quorum.have,
        report.quorum.need,
        report.committed.term,
        report.committed.version,
        report.revision,
        report.changes,
        report.uptime_ms,
    )];
    if report.storage_failed {
        lines.push("status: the storage failed; restart on a sound disk".to_owned());
    }
    lines.extend(report.objections.iter().map(|what| format!("status: not healthy: {what}")));
    lines.extend(report.peers.iter().map(|peer| {
        let heard = if peer.heard { "heard" } else { "silent" };
        let back = match peer.hears_us {
            Some(true) => "hears us",
            Some(false) => "does not hear us",
            None => "cannot say whether it hears us",
        };
        format!("status: peer {} at {}: {heard}, {back}; {}", peer.id, peer.address, peer.link)
    }));
    lines.extend(report.blockers.iter().map(|what| format!("status: blocks a failover: {what}")));
    lines
}

/// The word for what a node is doing.
pub(super) fn duty(duty: Duty) -> &'static str {
    match duty {
        Duty::Master => "master",
        Duty::Winner => "winner",
        Duty::Stopping => "stopping",
        Duty::Candidate => "candidate",
        Duty::Follower => "follower",
    }
}

fn master(master: &KnownMaster) -> MasterReport {
    MasterReport {
        id: master.id.to_string(),
        address: master.address.to_string(),
        term: master.term.0,
        known: match &master.knowledge {
            Knowledge::Own => "own".to_owned(),
            Knowledge::Direct => "direct".to_owned(),
            Knowledge::ToldBy(peer) => format!("told-by {peer}"),
        },
    }
}

fn peer(peer: &PeerStatus, sightings: &Map<NodeId, Sighting>) -> PeerReport {
    let sighting = sightings.get(&peer.id);
    PeerReport {
        id: peer.id.to_string(),
        address: peer.address.to_string(),
        role: words::of_role(peer.role).to_owned(),
        heard: peer.is_heard,
        hears_us: peer.hears_us,
        last_heard_ms: peer.last_heard.map(milliseconds),
        streak_ms: peer.streak.map(milliseconds),
        round_trip_us: peer.round_trip.map(microseconds),
        position: peer.position.map(position),
        term: peer.term.map(|term| term.0),
        vote_ready: peer.is_vote_ready,
        follows: peer.follows.as_ref().map(NodeId::to_string),
        hears: peer.hears.iter().map(NodeId::to_string).collect(),
        clock_deviant: peer.is_clock_deviant,
        clock: peer
            .clock
            .map(|rate| ClockReport { off_ppm: rate.off_ppm, within_ppm: rate.within_ppm }),
        healthy: peer.is_healthy,
        freshness: peer.freshness,
        link: sighting.map_or_else(|| "not tried yet".to_owned(), |seen| seen.link.clone()),
        said: sighting.map(said).unwrap_or_default(),
    }
}

fn said(sighting: &Sighting) -> SaidReport {
    let Contact { release, protocol, call, passed_over, unknown, address: _ } =
        sighting.contact.clone();
    SaidReport { release, protocol, address: sighting.says.clone(), call, passed_over, unknown }
}

/// What keeps mastership from moving by itself, by the committed document.
#[must_use]
pub fn holder(charter: &Charter) -> Option<&'static str> {
    let what = if charter.maintenance.is_some() { "maintenance" } else { "auto_failover: false" };
    (!charter.moves_by_itself()).then_some(what)
}

fn held(by: &str) -> String {
    format!("mastership moves only by hand ({by})")
}

fn blocker(blocker: &Blocker) -> String {
    match blocker {
        Blocker::TooFewVoters { remaining: 1, need } => {
            format!("without the master only 1 voter remains in sight, and {need} are needed")
        }
        Blocker::TooFewVoters { remaining, need } => format!(
            "without the master only {remaining} voters remain in sight, and {need} are needed"
        ),
        Blocker::NotVoteReady(voter) => format!("{voter} may not vote yet"),
        Blocker::StorageFailed => {
            "this node's storage failed: restart it on a sound disk".to_owned()
        }
        Blocker::NobodyMayLead => "nobody else may lead".to_owned(),
    }
}

/// By the clock that ends power first (R21).
fn acting_left(status: &Status) -> Option<Duration> {
    let until = status.acting_until?;
    let boot = until.boot_ns.saturating_sub(status.at.boot_ns);
    let raw = until.raw_ns.saturating_sub(status.at.raw_ns);
    Some(Duration::from_nanos(boot.min(raw)))
}

fn position(position: Position) -> PositionReport {
    PositionReport { term: position.term.0, version: position.version }
}

/// Whole milliseconds.
pub(crate) fn milliseconds(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

fn microseconds(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}
