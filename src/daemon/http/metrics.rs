//! Measures this node in the words of Prometheus: what it is, whom it hears, what it counted.
//! Never leaves a family out because nothing happened yet: every series that can be named before is
//! there from the start.

use std::time::Duration;

use crate::daemon::histogram::Histogram;
use crate::daemon::hooks::outcome::RESULTS;
use crate::daemon::http::footprint::{self, Footprint};
use crate::daemon::http::verdict::Sight;
use crate::daemon::tallies::Counts;
use crate::protocol::durable::Document;
use crate::protocol::membership::Member;
use crate::settings::hooks::HookName;
use crate::wire::codes;
use crate::wire::control::{PeerReport, StatusReport};
use crate::wire::exposition::Kind::{Counter, Gauge};
use crate::wire::exposition::{Exposition, Kind, seconds, truth};

/// What a node may be doing.
const ROLES: [&str; 5] = ["master", "winner", "stopping", "candidate", "follower"];

/// What is measured of a peer, at a time since 1970.
type OfPeer = fn(&PeerReport, Duration) -> String;

/// Everything that is measured, at one moment.
pub(super) struct Measured<'a> {
    pub(super) sight: &'a Sight,
    pub(super) report: &'a StatusReport,
    pub(super) document: &'a Document,
    pub(super) counts: &'a Counts,
    pub(super) writes: &'a Histogram,
    /// The wall clock, since 1970.
    pub(super) wall: Duration,
}

impl Measured<'_> {
    /// The whole text.
    pub(super) fn text(&self) -> String {
        let mut text = Exposition::default();
        self.tell_who(&mut text);
        self.tell_role(&mut text);
        self.tell_place(&mut text);
        self.tell_cluster(&mut text);
        self.tell_peers(&mut text);
        self.tell_elections(&mut text);
        self.tell_hooks(&mut text);
        self.tell_files(&mut text);
        if let Some(footprint) = footprint::read() {
            self.tell_process(&mut text, &footprint);
        }
        text.end()
    }

    fn tell_who(&self, text: &mut Exposition) {
        let Self { report, .. } = self;
        text.family("quorate_build_info", Gauge, "The release that runs; always 1.");
        text.sample(&[("version", &report.version)], "1");
        text.family("quorate_node_info", Gauge, "Which node of which cluster this is; always 1.");
        let labels = [
            ("node", &*report.node),
            ("cluster", &*report.cluster),
            ("cluster_id", &*report.cluster_id),
        ];
        text.sample(&labels, "1");
    }

    fn tell_role(&self, text: &mut Exposition) {
        let (sight, report) = (self.sight, self.report);
        let glance = &sight.notice.glance;
        let left = sight.acting.map_or(Duration::ZERO, |(_, left)| left);
        let is_master = truth(sight.acting.is_some());
        text.one(
            "quorate_is_master",
            Gauge,
            "Whether it acts as master at this moment.",
            is_master,
        );
        let help = "For how long it may act as master if nothing renews that; 0 if it does not.";
        text.one("quorate_lease_remaining_seconds", Gauge, help, &seconds(left));
        let has_quorum = truth(glance.has_quorum);
        text.one("quorate_has_quorum", Gauge, "Whether it hears a majority.", has_quorum);
        let term = sight.term().0.to_string();
        text.one("quorate_term", Gauge, "Its term; of the master, the fencing token.", &term);
        text.family("quorate_role", Gauge, "What it is doing: 1 for that, 0 for the others.");
        for role in ROLES {
            text.sample(&[("role", role)], truth(role == sight.role()));
        }
        let help = "Whether it knows of a master, itself included.";
        let knows = sight.acting.is_some() || glance.master.is_some();
        text.one("quorate_knows_master", Gauge, help, truth(knows));
        let age = seconds(sight.core_age);
        text.one("quorate_core_age_seconds", Gauge, "Since its core last turned.", &age);
        let sound = truth(report.objections.is_empty());
        text.one("quorate_healthy", Gauge, "Whether nothing speaks against it as master.", sound);
    }

    fn tell_place(&self, text: &mut Exposition) {
        let Self { report, sight, document, .. } = self;
        let own = report.ranking.nodes.iter().find(|one| one.id == report.node);
        let is_eligible = own.is_some_and(|own| own.rank.is_some());
        let help = "Whether it could be elected if there were no master.";
        text.one("quorate_eligible", Gauge, help, truth(is_eligible));
        let help = "Whether it leaves the field to others, by cluster.yaml.";
        text.one("quorate_standby", Gauge, help, truth(sight.notice.place.is_standby));
        let help = "Whether mastership moves only when people move it.";
        let maintenance = truth(document.charter.maintenance.is_some());
        text.one("quorate_maintenance", Gauge, help, maintenance);
        let armed = report.watchdog.as_ref().is_some_and(|words| words.starts_with("armed"));
        let help = "Whether a hardware watchdog would reset this machine.";
        text.one("quorate_watchdog_armed", Gauge, help, truth(armed));
        let failed = truth(sight.notice.glance.is_storage_failed);
        let help = "Whether its disk failed: it is silent until it is restarted.";
        text.one("quorate_storage_failed", Gauge, help, failed);
    }

    fn tell_cluster(&self, text: &mut Exposition) {
        let Self { report, document, .. } = self;
        let members = &document.charter.members;
        let count = |number: usize| number.to_string();
        let voters = count(members.voters().count());
        text.one("quorate_voters", Gauge, "Voters in cluster.yaml, witnesses too.", &voters);
        let heard = count(report.quorum.have);
        text.one("quorate_voters_heard", Gauge, "Voters it hears, itself included.", &heard);
        let needed = count(report.quorum.need);
        text.one("quorate_voters_needed", Gauge, "Voters that make a majority.", &needed);
        let observers = count(members.all().filter(|member| !member.votes()).count());
        text.one("quorate_observers", Gauge, "Observers in cluster.yaml.", &observers);
        let version = report.committed.version.to_string();
        let help = "The version of the document it knows to be committed.";
        text.one("quorate_config_version", Gauge, help, &version);
        let revision = report.revision.to_string();
        let help = "The revision of that document: how often people changed it.";
        text.one("quorate_config_revision", Gauge, help, &revision);
        let (sound, read_at) = (truth(self.counts.is_sound), self.counts.read_at_ns);
        let help = "Whether node.yaml was sound when it was read last.";
        text.one("quorate_config_last_reload_success", Gauge, help, sound);
        let at = match read_at {
            0 => self.wall.saturating_sub(Duration::from_millis(report.uptime_ms)),
            at => Duration::from_nanos(at),
        };
        let help = "When node.yaml was read and taken last.";
        let name = "quorate_config_last_reload_success_timestamp_seconds";
        text.one(name, Gauge, help, &seconds(at));
    }

    /// Of each other voter; observers may be thousands.
    fn tell_peers(&self, text: &mut Exposition) {
        let families: [(&str, &str, OfPeer); 5] = [
            ("quorate_peer_up", "Whether that voter is heard.", |peer, _| {
                truth(peer.heard).to_owned()
            }),
            (
                "quorate_peer_hears_back",
                "Whether that voter says it hears this node.",
                |peer, _| truth(peer.hears_us == Some(true)).to_owned(),
            ),
            ("quorate_peer_rtt_seconds", "The last round trip; NaN if none was.", |peer, _| {
                let span = peer.round_trip_us.map(Duration::from_micros);
                span.map_or_else(nothing, seconds)
            }),
            (
                "quorate_peer_last_seen_timestamp_seconds",
                "When it was heard last; 0 if never.",
                |peer, wall| {
                    let age = peer.last_heard_ms.map(Duration::from_millis);
                    seconds(age.map_or(Duration::ZERO, |age| wall.saturating_sub(age)))
                },
            ),
            (
                "quorate_peer_clock_drift_ratio",
                "How much faster its clock runs; NaN if that is not known.",
                |peer, _| peer.clock.map_or_else(nothing, |clock| millionths(clock.off_ppm)),
            ),
        ];
        for (family, help, value) in families {
            text.family(family, Gauge, help);
            for peer in self.voters() {
                text.sample(&[("peer", &peer.id)], &value(peer, self.wall));
            }
        }
    }

    fn voters(&self) -> impl Iterator<Item = &PeerReport> {
        let members = &self.document.charter.members;
        let votes = |peer: &&PeerReport| {
            let same = |member: &&Member| *peer.id == *member.id.as_str();
            members.voters().any(|member| same(&member))
        };
        self.report.peers.iter().filter(votes)
    }

    fn tell_elections(&self, text: &mut Exposition) {
        let counts = self.counts;
        let help = "Changes of the master it believes in: to what it became, and why.";
        text.family("quorate_transitions_total", Counter, help);
        for reason in of_kind("change").chain(of_kind("end")) {
            let to = match reason {
                "elected-here" => "master",
                "announced" | "told-by-peer" => "backup",
                _ => "none",
            };
            let count = counts.of(reason).to_string();
            text.sample(&[("to", to), ("reason", reason)], &count);
        }
        let help = "Elections in which it stood, by how they ended for it.";
        text.family("quorate_elections_total", Counter, help);
        text.sample(&[("result", "won")], &counts.won.to_string());
        text.sample(&[("result", "failed")], &counts.failed.to_string());
        let help = "From the last sign of the master before to acting, when it became master.";
        tell_histogram(text, "quorate_failover_seconds", help, &counts.failovers);
        let help = "Writes of its state, until they were on disk.";
        tell_histogram(text, "quorate_state_fsync_seconds", help, self.writes);
        let help = "How often its core ran far too late.";
        text.one("quorate_scheduler_stalls_total", Counter, help, &counts.stalls.to_string());
        let stalled = seconds(counts.stalled);
        let help = "By how much its core ran too late then, altogether.";
        text.one("quorate_scheduler_stall_seconds_total", Counter, help, &stalled);
        text.family("quorate_alarms_total", Counter, "Alarms: `quorate explain CODE` has more.");
        for code in of_kind("alarm") {
            text.sample(&[("code", code)], &counts.of(code).to_string());
        }
    }

    fn tell_hooks(&self, text: &mut Exposition) {
        let counts = self.counts;
        text.family("quorate_hook_runs_total", Counter, "Runs of hooks, by how they ended.");
        for hook in HookName::ALL {
            for result in RESULTS {
                let runs =
                    counts.hooks.iter().find(|runs| (runs.hook, runs.result) == (hook, result));
                let count = runs.map_or(0, |runs| runs.count);
                text.sample(&[("hook", hook.word()), ("result", result)], &count.to_string());
            }
        }
        text.family("quorate_hook_duration_seconds", Kind::Summary, "How long runs took.");
        for hook in HookName::ALL {
            let (mut took, mut runs) = (Duration::ZERO, 0);
            for one in counts.hooks.iter().filter(|one| one.hook == hook) {
                took = took.saturating_add(one.took);
                runs += one.count;
            }
            let label = [("hook", hook.word())];
            text.part("_sum", &label, &seconds(took));
            text.part("_count", &label, &runs.to_string());
        }
    }

    fn tell_files(&self, text: &mut Exposition) {
        let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
        let limit = limit.map_or_else(|| "+Inf".to_owned(), |limit| limit.to_string());
        text.one("process_max_fds", Gauge, "How many files it may open.", &limit);
    }

    fn tell_process(&self, text: &mut Exposition, footprint: &Footprint) {
        let Footprint { cpu, started, memory, address_space, threads, files } = *footprint;
        let boot = Duration::from_nanos(crate::daemon::clock::now().boot_ns);
        let since_1970 = self.wall.saturating_sub(boot.saturating_sub(started));
        for (family, kind, help, value) in [
            ("process_cpu_seconds_total", Counter, "Time on a processor.", seconds(cpu)),
            ("process_start_time_seconds", Gauge, "When it started.", seconds(since_1970)),
            ("process_resident_memory_bytes", Gauge, "Memory in use.", memory.to_string()),
            ("process_virtual_memory_bytes", Gauge, "Address space.", address_space.to_string()),
            ("process_threads", Gauge, "Threads.", threads.to_string()),
            ("process_open_fds", Gauge, "Open files.", files.to_string()),
        ] {
            text.one(family, kind, help, &value);
        }
    }
}

fn tell_histogram(text: &mut Exposition, family: &'static str, help: &str, of: &Histogram) {
    text.family(family, Kind::Histogram, help);
    let bounded = of.steps().map(|(us, count)| (seconds(Duration::from_micros(us)), count));
    for (bound, count) in bounded.chain([("+Inf".to_owned(), of.count())]) {
        text.part("_bucket", &[("le", &bound)], &count.to_string());
    }
    text.part("_sum", &[], &seconds(Duration::from_micros(of.sum_us())));
    text.part("_count", &[], &of.count().to_string());
}

/// The codes of one section of the table.
fn of_kind(kind: &'static str) -> impl Iterator<Item = &'static str> {
    let sections = codes::SECTIONS.iter().filter(move |section| section.kind == kind);
    sections.flat_map(|section| section.codes).map(|code| code.name)
}

fn nothing() -> String {
    "NaN".to_owned()
}

fn millionths(number: i64) -> String {
    let sign = if number < 0 { "-" } else { "" };
    format!("{sign}{}", seconds(Duration::from_micros(number.unsigned_abs())))
}
