//! Decides what the daemon's facts about clocks, disk, releases and limits mean.
//! Never looks at files or links.

use super::facts::{Finding, Weight};
use crate::cli::style::{round_trip, span};
use crate::protocol::timing::Timing;
use crate::wire::codes::doctor as codes;
use crate::wire::control::PeerReport;
use crate::wire::facts::FactsReport;

/// Alarms that are older have been seen, or are over.
const ALARM_LATELY_MS: u64 = 60 * 60 * 1_000;
/// A write that goes on for so long is the disk's fault.
const WRITE_STALLED_MS: u64 = 5_000;
/// Every peer, caller and local program needs some.
const FILES_LEAST: u64 = 256;
/// The guard and each keeper hold about that much in memory.
const LOCKED_LEAST: u64 = 8 << 20;

/// All of them.
pub(super) fn findings(report: &FactsReport, timing: Option<&Timing>) -> Vec<Finding> {
    let mut found = Vec::new();
    for peer in &report.status.peers {
        found.extend(address(peer));
        found.extend(timing.and_then(|timing| clock(peer, timing)));
        found.extend(timing.and_then(|timing| distance(peer, timing)));
    }
    found.extend(disk(report, timing));
    found.extend(releases(report));
    found.extend(doubts(report));
    found.extend(report.status.forced.as_deref().map(recovered));
    found.extend(held_back(report));
    found.extend(alarms(report));
    found.extend(limits(report));
    found
}

fn address(peer: &PeerReport) -> Option<Finding> {
    let PeerReport { id, address, .. } = peer;
    let says = peer.said.address.as_ref()?;
    let works = peer.link == "connected" && peer.heard;
    let weight = if works { Weight::Notice } else { Weight::Warning };
    let message = format!("{id} says it listens at {says}, the document says {address}");
    let advice = "make both the same: `address` in cluster.yaml, or `advertise` in its node.yaml";
    Some(Finding::new(weight, codes::OTHER_ADDRESS, message, advice))
}

fn clock(peer: &PeerReport, timing: &Timing) -> Option<Finding> {
    let rate = peer.clock?;
    let surely = rate.off_ppm.unsigned_abs().saturating_sub(rate.within_ppm);
    let is_off = surely > timing.drift_ppm() / 2;
    if !is_off && !peer.clock_deviant {
        return None;
    }
    let PeerReport { id, .. } = peer;
    let weight = if peer.clock_deviant { Weight::Problem } else { Weight::Warning };
    let message = format!(
        "the clock of {id} runs {} ppm off this one's, give or take {}; drift allows {} for each",
        rate.off_ppm,
        rate.within_ppm,
        timing.drift_ppm()
    );
    let advice = format!("look at the time daemon and hypervisor of {id}, and of this machine");
    Some(Finding::new(weight, codes::CLOCK_OFF, message, advice))
}

fn distance(peer: &PeerReport, timing: &Timing) -> Option<Finding> {
    let trip_us = u128::from(peer.round_trip_us?);
    let borne_us = timing.slack().as_micros();
    let weight = match trip_us {
        trip if trip > borne_us => Weight::Problem,
        trip if trip > borne_us / 2 => Weight::Warning,
        _ => return None,
    };
    let trip = round_trip(peer.round_trip_us?);
    let message = format!(
        "{} is {trip} away and back; this timing bears {} ms",
        peer.id,
        timing.slack().as_millis()
    );
    let advice = "take a longer dead_after and heartbeat: see quorate config timing";
    Some(Finding::new(weight, codes::FAR_APART, message, advice))
}

fn disk(report: &FactsReport, timing: Option<&Timing>) -> Option<Finding> {
    let writes = &report.writes;
    if report.status.storage_failed {
        let message = "the disk failed: this node is silent until its daemon is restarted";
        let advice = "repair the disk or make room, then restart the daemon";
        return Some(Finding::new(Weight::Problem, codes::DISK_BAD, message, advice));
    }
    if let Some(ms) = writes.under_way_ms.filter(|ms| *ms >= WRITE_STALLED_MS) {
        let message = format!("a write of the state has been under way for {}", span(ms));
        let advice = "look at the system's log for errors of that disk";
        return Some(Finding::new(Weight::Problem, codes::DISK_BAD, message, advice));
    }
    let limit = timing?.dead_after().as_micros();
    let [median, worst] = [writes.median_us, writes.worst_us].map(u128::from);
    let weight = match () {
        () if median > limit / 4 => Weight::Warning,
        () if worst > limit / 4 => Weight::Notice,
        () => return None,
    };
    let message = format!(
        "of the last {} writes of the state half took more than {}, the slowest {}; dead_after \
         is {} ms",
        writes.count,
        round_trip(writes.median_us),
        round_trip(writes.worst_us),
        limit / 1_000
    );
    let advice = "a faster disk, or a longer dead_after: a failover waits for one write of a voter";
    Some(Finding::new(weight, codes::DISK_SLOW, message, advice))
}

fn releases(report: &FactsReport) -> Vec<Finding> {
    let mut found = Vec::new();
    let ours = &report.status.version;
    let others = report.status.peers.iter().filter_map(|peer| {
        let release = peer.said.release.as_ref().filter(|release| *release != ours)?;
        Some(format!("{} runs {release}", peer.id))
    });
    let others: Vec<String> = others.collect();
    if !others.is_empty() {
        let message = format!("this node runs {ours}, {}", others.join(", "));
        let advice = "finish the upgrade: contrib/doc/upgrade.md";
        found.push(Finding::new(Weight::Notice, codes::RELEASES_DIFFER, message, advice));
    }
    for peer in report.status.peers.iter().filter(|peer| peer.said.passed_over > 0) {
        let kind = peer.said.unknown.as_deref().unwrap_or_default();
        let message = format!(
            "{} messages of {} were passed over, as `{kind}`: only a later release knows them",
            peer.said.passed_over, peer.id
        );
        let advice = "upgrade this node too";
        found.push(Finding::new(Weight::Notice, codes::NEWER_WORDS, message, advice));
    }
    if !report.understands {
        let message = "the document says what only a later release knows: this node votes and \
                       does not lead";
        let advice = "upgrade this node; `quorate show` prints the document as it is";
        found.push(Finding::new(Weight::Warning, codes::NEWER_WORDS, message, advice));
    }
    found
}

/// Disks that were rolled back, and keys that two processes use.
fn doubts(report: &FactsReport) -> impl Iterator<Item = Finding> {
    let advice = "contrib/doc/disaster.md has every case with its commands";
    let of = move |words| Finding::new(Weight::Problem, codes::IDENTITY_DOUBTED, words, advice);
    report.status.doubts.iter().map(of)
}

/// The cluster was made from another one by force, as the document says until it is edited.
pub(super) fn recovered(forced: &str) -> Finding {
    let message = format!("this cluster was recovered by force: {forced}");
    let advice = "see that every old node joined anew or is gone; then take `forced` out by edit";
    Finding::new(Weight::Notice, codes::RECOVERED, message, advice)
}

fn held_back(report: &FactsReport) -> Vec<Finding> {
    let status = &report.status;
    let mut found = Vec::new();
    for objection in &status.objections {
        let advice = "it leads only where nobody else can; mend what is said";
        found.push(Finding::new(Weight::Warning, codes::HELD_BACK, objection, advice));
    }
    if let Some(left) = status.hold_off_left_ms {
        let message = format!("{} does not stand for {}", status.node, span(left));
        let advice = "a step-down asked for it; it ends by itself";
        found.push(Finding::new(Weight::Notice, codes::HELD_BACK, message, advice));
    }
    // An older daemon says nothing of a policy.
    if !status.ranking.automatic && !status.ranking.policy.is_empty() {
        let message = "mastership does not move by itself: maintenance, or auto_failover: false";
        let advice = "nothing, if that is meant; quorate explain who shows what keeps whom back";
        found.push(Finding::new(Weight::Notice, codes::HELD_BACK, message, advice));
    }
    if let Some(words) = status.watchdog.as_ref().filter(|words| words.starts_with("not armed")) {
        // Only whoever acts arms it.
        let weight = if status.role == "master" { Weight::Problem } else { Weight::Notice };
        let advice = "contrib/doc/watchdog.md says how to set it up";
        let message = format!("hardware watchdog: {words}");
        found.push(Finding::new(weight, codes::HELD_BACK, message, advice));
    }
    found
}

fn alarms(report: &FactsReport) -> Option<Finding> {
    let lately = report.alarms.iter().filter(|(_, alarm)| alarm.last_ms < ALARM_LATELY_MS);
    let lately: Vec<String> = lately
        .map(|(code, alarm)| {
            format!("{code} {} x, the last {} ago", alarm.count, span(alarm.last_ms))
        })
        .collect();
    if lately.is_empty() {
        return None;
    }
    let advice = "quorate explain CODE says what each means; quorate events shows them";
    Some(Finding::new(Weight::Warning, codes::ALARMS, lately.join("; "), advice))
}

fn limits(report: &FactsReport) -> Vec<Finding> {
    let mut found = Vec::new();
    if let Some(files) = report.files_max.filter(|files| *files < FILES_LEAST) {
        let message = format!("this daemon may open {files} files");
        let advice = "raise LimitNOFILE or `ulimit -n` of its service to 1024";
        found.push(Finding::new(Weight::Warning, codes::LIMITS, message, advice));
    }
    let locked = report.locked_max.filter(|bytes| *bytes < LOCKED_LEAST && report.user != 0);
    if let Some(bytes) = locked {
        let message = format!("programs of this daemon may lock {} KiB in memory", bytes >> 10);
        let advice = "raise LimitMEMLOCK or `ulimit -l` of its service: what guards hooks should \
                      not be swapped out";
        found.push(Finding::new(Weight::Notice, codes::LIMITS, message, advice));
    }
    found
}
