//! Decides from a node's events who was master from when to when, why it ended, and when nobody was
//! or nobody looked. Never reads a file, asks a daemon or looks at a clock.
//!
//! ```text
//!   daemon-started   master-changed    master-changed    daemon-stopped   daemon-started
//!         │ no-master       │ master alpha     │ no-master        │ not-watched     │ ...
//! ```
//!
//! Within one run of the daemon spans are measured by its own clock, which nobody sets; over a
//! restart by the wall clock, for want of another. A term has one master and one mastership: if the
//! same is there after a restart, it was there all the time.

use core::time::Duration;

use crate::wire::codes::{DAEMON_STARTED, DAEMON_STOPPED};
use crate::wire::control::{EventReport, HistoryEnd, ReignReport, SCHEMA};

/// What `kind` may be.
pub const MASTER: &str = "master";
const NO_MASTER: &str = "no-master";
/// The daemon did not run.
pub const NOT_WATCHED: &str = "not-watched";

/// Why a mastership ended that another took the place of, with nothing in between.
const SUPERSEDED: &str = "ended-superseded";

/// An instant that a node told of.
#[derive(Clone, Debug)]
struct Instant {
    time: String,
    uptime_ms: u64,
    run: u64,
}

impl Instant {
    fn since(&self, earlier: &Self) -> u64 {
        if self.run == earlier.run {
            return self.uptime_ms.saturating_sub(earlier.uptime_ms);
        }
        let wall = |text: &str| humantime::parse_rfc3339(text).ok();
        let span = match (wall(&self.time), wall(&earlier.time)) {
            (Some(later), Some(earlier)) => later.duration_since(earlier).ok(),
            (None, _) | (_, None) => None,
        };
        u64::try_from(span.unwrap_or(Duration::ZERO).as_millis()).unwrap_or(u64::MAX)
    }
}

/// The spans so far, the last of them open.
#[derive(Debug, Default)]
struct Telling {
    told: Vec<(ReignReport, Instant)>,
    run: u64,
    is_open: bool,
}

/// The spans that `events` tell of, oldest first. The last one lasts until `end`, or as long as
/// the last event says.
#[must_use]
pub fn reigns(events: &[EventReport], end: Option<&HistoryEnd>) -> Vec<ReignReport> {
    let mut telling = Telling::default();
    let mut last = None;
    for event in events {
        telling.hear(event);
        last = Some(telling.instant(&event.time, event.uptime_ms));
    }
    let now = end.map(|end| telling.instant(&end.time, end.uptime_ms)).or(last);
    if let (true, Some(now), Some((reign, from))) = (telling.is_open, now, telling.told.last_mut())
    {
        reign.lasted_ms = now.since(from);
    }
    telling.told.into_iter().map(|(reign, _)| reign).collect()
}

impl Telling {
    fn instant(&self, time: &str, uptime_ms: u64) -> Instant {
        Instant { time: time.to_owned(), uptime_ms, run: self.run }
    }

    fn hear(&mut self, event: &EventReport) {
        match event.code.as_str() {
            DAEMON_STARTED => {
                let was_watched =
                    self.told.last().is_some_and(|(last, _)| last.kind != NOT_WATCHED);
                self.run += 1;
                let at = self.instant(&event.time, event.uptime_ms);
                self.close(&at, DAEMON_STARTED);
                if let (true, Some((last, _))) = (was_watched, self.told.last_mut()) {
                    last.exact = false;
                }
                self.open(NO_MASTER, at, DAEMON_STARTED);
            }
            DAEMON_STOPPED => {
                let at = self.instant(&event.time, event.uptime_ms);
                self.close(&at, DAEMON_STOPPED);
                self.open(NOT_WATCHED, at, DAEMON_STOPPED);
            }
            _ => self.change(event),
        }
    }

    fn change(&mut self, event: &EventReport) {
        let Some(change) = &event.change else { return };
        let at = self.instant(&event.time, event.uptime_ms);
        let reason = event.reason.as_deref().unwrap_or(&event.code);
        let ended = match (&change.from, &change.to) {
            (Some(_), Some(_)) => SUPERSEDED,
            (None, _) | (_, None) => reason,
        };
        self.close(&at, ended);
        match &change.to {
            Some(master) if self.goes_on(master, change.term) => {}
            Some(master) => {
                self.open(MASTER, at, reason);
                if let Some((reign, _)) = self.told.last_mut() {
                    (reign.master, reign.term) = (Some(master.clone()), Some(change.term));
                }
            }
            None => self.open(NO_MASTER, at, reason),
        }
    }

    /// Opens the last mastership again if it is this one, and only this daemon's restart is after
    /// it.
    fn goes_on(&mut self, master: &str, term: u64) -> bool {
        let is_it = |reign: &ReignReport| {
            reign.master.as_deref() == Some(master) && reign.term == Some(term)
        };
        let is_restart =
            |reign: &ReignReport| [DAEMON_STARTED, DAEMON_STOPPED].contains(&reign.began.as_str());
        let Some(found) = self.told.iter().rposition(|(reign, _)| !is_restart(reign)) else {
            return false;
        };
        if !is_it(&self.told[found].0) || found + 1 == self.told.len() {
            return false;
        }
        self.told.truncate(found + 1);
        if let Some((reign, _)) = self.told.last_mut() {
            (reign.until, reign.ended, reign.exact) = (None, None, true);
        }
        self.is_open = true;
        true
    }

    fn open(&mut self, kind: &str, at: Instant, began: &str) {
        let reign = ReignReport {
            schema: SCHEMA,
            kind: kind.to_owned(),
            master: None,
            term: None,
            from: at.time.clone(),
            until: None,
            lasted_ms: 0,
            exact: true,
            began: began.to_owned(),
            ended: None,
        };
        self.told.push((reign, at));
        self.is_open = true;
    }

    fn close(&mut self, at: &Instant, why: &str) {
        if let (true, Some((reign, from))) = (self.is_open, self.told.last_mut()) {
            reign.lasted_ms = at.since(from);
            reign.until = Some(at.time.clone());
            reign.ended = Some(why.to_owned());
        }
        self.is_open = false;
    }
}
