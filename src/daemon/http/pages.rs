//! Spells what this node knows as JSON: itself, the cluster, its past, the document's settings.
//! Never gives away what only members need: keys, the identities of disks, invitations, and what
//! people noted beside the document's lines (H55).

use std::path::Path;

use crate::daemon::events::Stamp;
use crate::daemon::report::milliseconds;
use crate::protocol::durable::Document;
use crate::protocol::membership::{Failback, Member};
use crate::settings::words;
use crate::wire::control::{PeerReport, SCHEMA, StatusReport};
use crate::wire::history::Past;
use crate::wire::json::{self, Object};

/// How many events of the past are told: the newest.
pub const EVENTS_MAX: usize = 256;

/// In the place of what is not told.
const HIDDEN: &str = "hidden";

/// `/status`: what `quorate status --json` prints, but for what only members need.
pub(super) fn status(mut report: StatusReport) -> String {
    report.storage = HIDDEN.to_owned();
    report.newcomers.iter_mut().for_each(|newcomer| newcomer.key = HIDDEN.to_owned());
    report.health.iter_mut().for_each(|health| health.command = HIDDEN.to_owned());
    line(json::of(&report))
}

/// `/cluster`: everybody, as this node sees them.
pub(super) fn cluster(report: &StatusReport, document: &Document) -> String {
    let members = document.charter.members.all();
    let object = Object::new()
        .number("schema", u64::from(SCHEMA))
        .text("node", &*report.node)
        .text("cluster", &*report.cluster)
        .text("cluster_id", &*report.cluster_id)
        .number("generation", report.generation)
        .number("term", report.term)
        .raw("master", &json::of(&report.master))
        .raw("quorum", &json::of(&report.quorum))
        .number("revision", report.revision)
        .raw("position", &json::of(&report.committed))
        .raw("overrides", &json::of(&report.overrides))
        .raw("members", &json::list(members.map(|member| one(member, report))));
    line(object.end())
}

/// One member. Of itself a node knows more than of a peer; of one that it has nothing to do with,
/// nothing but its line.
fn one(member: &Member, report: &StatusReport) -> String {
    let id = member.id.as_str();
    let is_master = report.master.as_ref().is_some_and(|master| master.id == id);
    let object = Object::new()
        .text("id", id)
        .text("address", &*member.address)
        .text("role", words::of_role(member.role))
        .truth("is_master", is_master);
    if report.node == id {
        let master = report.master.as_ref().map(|master| master.id.as_str());
        return object
            .truth("heard", true)
            .truth("healthy", report.objections.is_empty())
            .raw("position", &json::of(&report.committed))
            .text("follows", master.filter(|_| !is_master))
            .end();
    }
    let Some(peer) = report.peers.iter().find(|peer| peer.id == id) else { return object.end() };
    let PeerReport { heard, hears_us, healthy, last_heard_ms, round_trip_us, .. } = *peer;
    object
        .truth("heard", heard)
        .truth("hears_us", hears_us)
        .truth("healthy", healthy)
        .number("last_heard_ms", last_heard_ms)
        .number("round_trip_us", round_trip_us)
        .raw("position", &json::of(&peer.position))
        .text("follows", peer.follows.as_deref())
        .text("link", &*peer.link)
        .end()
}

/// `/history`: what `quorate history --all --json` prints, the newest last.
pub(super) fn history(state_dir: &Path, node: &str, now: &Stamp) -> String {
    let (past, error) = match Past::read(state_dir) {
        Ok(past) => (past, None),
        Err(error) => (Past::default(), Some(error.to_string())),
    };
    let newest = &past.events[past.events.len().saturating_sub(EVENTS_MAX)..];
    let object = Object::new()
        .number("schema", u64::from(SCHEMA))
        .text("node", node)
        .text("time", &*now.time)
        .number("uptime_ms", now.uptime_ms)
        .number("unreadable", past.unreadable)
        .text("error", error.as_deref())
        .raw("events", &json::list(newest.iter().map(json::of)));
    line(object.end())
}

/// `/config`: what the committed document says, without what is nobody's business.
pub(super) fn config(report: &StatusReport, document: &Document) -> String {
    let charter = &document.charter;
    let timing = &charter.timing;
    let spans = Object::new()
        .number("heartbeat_ms", milliseconds(timing.heartbeat()))
        .number("dead_after_ms", milliseconds(timing.dead_after()))
        .number("stop_ms", milliseconds(timing.stop()))
        .number("stagger_ms", milliseconds(timing.stagger()))
        .number("drift_ppm", timing.drift_ppm());
    let failback = match charter.election.failback {
        Failback::After(span) => Some(milliseconds(span)),
        Failback::Never => None,
    };
    let election = Object::new()
        .text("policy", &*report.ranking.policy)
        .number("failback_ms", failback)
        .truth("auto_failover", charter.election.is_automatic);
    let nodes = charter.members.all().map(|member| {
        Object::new()
            .text("id", member.id.as_str())
            .text("address", &*member.address)
            .text("role", words::of_role(member.role))
            .number("priority", u64::from(member.priority))
            .truth("in_sync", member.is_in_sync)
            .truth("standby", member.standby.is_some())
            .end()
    });
    let object = Object::new()
        .number("schema", u64::from(SCHEMA))
        .text("cluster", &*charter.name)
        .text("id", &*charter.cluster.to_string())
        .number("generation", charter.generation)
        .number("revision", document.revision)
        .raw("position", &json::of(&report.committed))
        .text("hash", &*document.hash.to_string())
        .truth("understood", charter.is_understood)
        .truth("maintenance", charter.maintenance.is_some())
        .raw("timing", &spans.end())
        .raw("election", &election.end())
        .raw("nodes", &json::list(nodes));
    line(object.end())
}

fn line(json: String) -> String {
    json + "\n"
}
