//! Decides how a check-up reads for people: what needs attention first, then the facts, a page.
//! Never judges and never prints.

use super::facts::{Daemon, Facts, Finding, Weight};
use super::hearing::Hearing;
use super::judge::Diagnosis;
use super::local;
use crate::cli::columns;
use crate::cli::style::{Style, Tone, round_trip, span};
use crate::wire::control::PeerReport;
use crate::wire::facts::FactsReport;

/// The longest name the matrix shows in full.
const NAME_MAX: usize = 12;

/// The whole page.
#[must_use]
pub fn page(facts: &Facts, diagnosis: &Diagnosis, style: Style) -> String {
    let mut lines = vec![headline(facts, diagnosis, style)];
    lines.extend(diagnosis.findings.iter().flat_map(|finding| told(finding, style)));
    let mut section = |title: &str, body: Vec<String>| {
        if !body.is_empty() {
            lines.push(String::new());
            lines.push(style.paint(Tone::Strong, title));
            lines.extend(body.into_iter().map(|line| format!("  {line}").trim_end().to_owned()));
        }
    };
    if let (Some(report), Some(hearing)) = (facts.report(), &diagnosis.hearing) {
        section("who hears whom (row hears column)", matrix(hearing, style));
        let peers = report.status.peers.iter().flat_map(peer);
        section("nodes", core::iter::once(this_node(report)).chain(peers).collect());
        section("if one thing fails", outlook(diagnosis, style));
        section("this machine", machine(facts, report));
    } else {
        section("this machine", local::state_line(facts).into_iter().chain(room(facts)).collect());
    }
    section("timing", diagnosis.budget.map_or_else(Vec::new, |budget| budget.lines()));
    lines.iter().map(|line| format!("{line}\n")).collect()
}

fn headline(facts: &Facts, diagnosis: &Diagnosis, style: Style) -> String {
    let who = match &facts.daemon {
        Daemon::Up(report) => format!("{} of {}", report.status.node, report.status.cluster),
        Daemon::Down(..) | Daemon::Odd(_) => match &facts.settings {
            Ok(settings) => settings.id.to_string(),
            Err(_) => "this node".to_owned(),
        },
    };
    match diagnosis.attention() {
        0 => format!("{who}: {}", style.paint(Tone::Good, "all is well")),
        1 => format!("{who}: {}", style.paint(Tone::Bad, "1 thing needs attention")),
        count => {
            format!("{who}: {}", style.paint(Tone::Bad, &format!("{count} things need attention")))
        }
    }
}

fn told(finding: &Finding, style: Style) -> [String; 2] {
    let Finding { weight, code, message, advice } = finding;
    let (mark, tone) = match weight {
        Weight::Problem => ("PROBLEM", Tone::Bad),
        Weight::Warning => ("warning", Tone::Warn),
        Weight::Notice => ("notice ", Tone::Quiet),
    };
    [
        format!("  {} {message}", style.paint(tone, mark)),
        format!("          {} {advice} ({code})", style.glyph("→", "->")),
    ]
}

fn matrix(hearing: &Hearing, style: Style) -> Vec<String> {
    let names: Vec<&str> = hearing.members.iter().map(String::as_str).collect();
    let width = names.iter().map(|name| columns::width(name)).max().unwrap_or(0).clamp(4, NAME_MAX);
    let cell = |text: &str| style.fit(text, width);
    let header: Vec<String> = names.iter().map(|name| cell(name)).collect();
    let mut lines = vec![format!("{} {}", cell(""), header.join(" "))];
    for listener in &names {
        let row = names.iter().map(|speaker| {
            let hears = hearing.hears(listener, speaker);
            match hears {
                _ if listener == speaker => cell("."),
                Some(true) => cell("yes"),
                Some(false) => style.paint(Tone::Bad, &cell("NO")),
                None => cell("?"),
            }
        });
        let row: Vec<String> = row.collect();
        lines.push(format!("{} {}", cell(listener), row.join(" ")));
    }
    lines
}

fn this_node(report: &FactsReport) -> String {
    let status = &report.status;
    let master = status.master.as_ref().map_or("none", |master| master.id.as_str());
    let member = report.member.as_deref().unwrap_or("no member");
    format!(
        "{}: {member}, {}, term {}, master {master}, release {}, speaks {}, up {}",
        status.node,
        status.role,
        status.term,
        status.version,
        report.speaks,
        span(status.uptime_ms)
    )
}

fn peer(peer: &PeerReport) -> [String; 2] {
    let trip = peer.round_trip_us.map_or("not known".to_owned(), round_trip);
    let clock = peer.clock.map_or("not measured yet".to_owned(), |rate| {
        format!("{:+} ppm, give or take {}", rate.off_ppm, rate.within_ppm)
    });
    let release = peer.said.release.as_deref().unwrap_or("unknown");
    let protocol = peer.said.protocol.map_or("unknown".to_owned(), |version| version.to_string());
    let call = peer.said.call.as_deref().unwrap_or("it never called");
    [
        format!(
            "{}: {}, release {release}, protocol {protocol}, round trip {trip}, clock {clock}",
            peer.id, peer.role
        ),
        format!("  called at {}: {}; it calls: {call}", peer.address, peer.link),
    ]
}

/// Those that change something, and how many do not.
fn outlook(diagnosis: &Diagnosis, style: Style) -> Vec<String> {
    let mut lines = Vec::new();
    for one in diagnosis.outlook.iter().filter(|one| one.is_change || !one.event.contains("link")) {
        let line = format!("if {}: {}", one.event, one.outcome);
        let tone = one.is_fatal.then_some(Tone::Bad);
        lines.push(tone.map_or(line.clone(), |tone| style.paint(tone, &line)));
    }
    let calm = diagnosis.outlook.iter().filter(|one| !one.is_change && one.event.contains("link"));
    let calm = calm.count();
    if calm > 0 {
        lines.push(format!("if any one of {calm} other links is cut: the master stays"));
    }
    lines
}

fn machine(facts: &Facts, report: &FactsReport) -> Vec<String> {
    let writes = &report.writes;
    let limit = |limit: Option<u64>| limit.map_or("any number".to_owned(), |max| max.to_string());
    let locked = report.locked_max.map_or("all".to_owned(), |max| format!("{} KiB", max >> 10));
    let mut lines = vec![
        format!(
            "disk: last write {}, median {}, slowest {} of {}",
            round_trip(writes.last_us),
            round_trip(writes.median_us),
            round_trip(writes.worst_us),
            writes.count
        ),
        format!("limits: {} open files, {locked} locked in memory", limit(report.files_max)),
        format!(
            "listens at {}; the document says {}",
            report.listens,
            report.address.as_deref().unwrap_or("nothing of this node")
        ),
        format!("hooks: {}", if report.has_guard { "kept by a guard" } else { "none" }),
        format!("watchdog: {}", report.status.watchdog.as_deref().unwrap_or("none in node.yaml")),
    ];
    lines.extend(room(facts));
    lines
}

fn room(facts: &Facts) -> Option<String> {
    Some(match &facts.space {
        Ok(space) => format!("room: {} MiB free", space.free_bytes >> 20),
        Err(why) => format!("room: not known: {why}"),
    })
}
