//! Gathers what `quorate doctor` asks a daemon: its status, and what only the daemon can know.
//! Never judges it, and never writes, connects or waits to find something out.

use std::collections::BTreeMap;
use std::sync::Arc;

use rustix::process::{Resource, getrlimit};

use crate::daemon::driver::Driver;
use crate::daemon::events::Stamp;
use crate::daemon::patience::Writing;
use crate::protocol::durable::Document;
use crate::protocol::units::{Moment, NodeId};
use crate::settings::words;
use crate::wire::control::StatusReport;
use crate::wire::facts::{AlarmReport, FactsReport, TimingReport, WritesReport};
use crate::wire::hello::SPOKEN;

/// What the daemon keeps for it.
#[derive(Debug)]
pub struct Checkup {
    /// Where it listens.
    pub listens: String,
    /// Its writes.
    pub writing: Arc<Writing>,
    /// Whether a guard keeps hooks for it.
    pub has_guard: bool,
}

impl Checkup {
    /// All of it, at `now`.
    #[must_use]
    pub fn facts(&self, driver: &Driver, status: StatusReport, now: Moment) -> FactsReport {
        let document = driver.committed();
        let own = NodeId::new(&status.node);
        let own = own.and_then(|own| document.charter.members.find(&own).cloned());
        FactsReport {
            member: own.as_ref().map(|member| words::of_role(member.role).to_owned()),
            address: own.map(|member| member.address.to_string()),
            listens: self.listens.clone(),
            speaks: SPOKEN.to_string(),
            understands: document.charter.is_understood,
            timing: timing(&document),
            writes: self.writes(now),
            alarms: alarms(driver),
            files_max: getrlimit(Resource::Nofile).current,
            locked_max: getrlimit(Resource::Memlock).current,
            user: rustix::process::geteuid().as_raw(),
            has_guard: self.has_guard,
            status,
        }
    }

    fn writes(&self, now: Moment) -> WritesReport {
        let under_way = self.writing.since().map(|since| now.boot_ns.saturating_sub(since));
        let under_way_ms = under_way.map(|ns| ns / 1_000_000);
        WritesReport { under_way_ms, ..self.writing.times().report() }
    }
}

fn timing(document: &Document) -> TimingReport {
    let timing = &document.charter.timing;
    let us = |span: std::time::Duration| u64::try_from(span.as_micros()).unwrap_or(u64::MAX);
    TimingReport {
        heartbeat_us: us(timing.heartbeat()),
        dead_after_us: us(timing.dead_after()),
        stop_us: us(timing.stop()),
        drift_ppm: timing.drift_ppm(),
        stagger_us: us(timing.stagger()),
    }
}

/// Those that are kept: the oldest are forgotten as events are.
fn alarms(driver: &Driver) -> BTreeMap<String, AlarmReport> {
    let Stamp { uptime_ms, .. } = driver.stamp();
    let mut alarms: BTreeMap<String, AlarmReport> = BTreeMap::new();
    for event in driver.events().iter().filter(|event| event.level == "alarm") {
        let alarm = alarms.entry(event.code.clone()).or_default();
        alarm.count += 1;
        alarm.last_ms = uptime_ms.saturating_sub(event.uptime_ms);
    }
    alarms
}
