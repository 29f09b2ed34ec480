//! Owns what this daemon tells about itself: the table of events with their stable names, levels
//! and sentences, and the ring of the newest ones.
//! Never writes a socket; followers get a bounded channel each, and one that is full is let go.

use std::collections::VecDeque;
use std::sync::{Arc, Weak};

use crossbeam_channel::{Receiver, Sender, bounded};

use crate::protocol::effects::{Event, Timeline};
use crate::protocol::message::Refusal;
use crate::protocol::units::{NodeId, Term};
use crate::wire::control::{EventReport, SCHEMA};

/// How many events are kept for whoever asks later.
pub const EVENTS_KEPT: usize = 256;

/// How many events a follower may lie behind before it is let go.
pub const FOLLOWER_QUEUE_MAX: usize = 256;

/// How loudly an event is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Loudness {
    /// An attempt to be elected. The first one since the master last changed is worth a line in
    /// the log; the next ones are only told at debug level.
    Attempt,
    /// A transition.
    Info,
    /// Something an operator wants to know soon.
    Warning,
    /// Something that must not happen.
    Alarm,
}

impl Loudness {
    /// The `level` of an event report.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Attempt | Self::Info => "info",
            Self::Warning => "warning",
            Self::Alarm => "alarm",
        }
    }

    /// The level of its log line.
    #[must_use]
    pub fn log_level(self) -> log::Level {
        match self {
            Self::Attempt => log::Level::Debug,
            Self::Info => log::Level::Info,
            Self::Warning => log::Level::Warn,
            Self::Alarm => log::Level::Error,
        }
    }
}

/// The table: the stable name of each event, and how loud it is.
#[must_use]
pub fn name_and_loudness(event: &Event) -> (&'static str, Loudness) {
    match event {
        Event::Standing { .. } => ("standing", Loudness::Attempt),
        Event::ElectionFailed { .. } => ("election-failed", Loudness::Attempt),
        Event::Won { .. } => ("won", Loudness::Info),
        Event::Elected { .. } => ("elected", Loudness::Info),
        Event::Demoted { .. } => ("demoted", Loudness::Info),
        Event::StopConfirmed { .. } => ("stop-confirmed", Loudness::Info),
        Event::MasterChanged { .. } => ("master-changed", Loudness::Info),
        Event::QuorumChanged { has_quorum: true, .. } => ("quorum-gained", Loudness::Info),
        Event::QuorumChanged { has_quorum: false, .. } => ("quorum-lost", Loudness::Warning),
        Event::PeerChanged { is_heard: true, .. } => ("peer-heard", Loudness::Info),
        Event::PeerChanged { is_heard: false, .. } => ("peer-silent", Loudness::Warning),
        Event::DocumentCommitted { .. } => ("document-committed", Loudness::Info),
        Event::HandoverBegun { .. } => ("handover-begun", Loudness::Info),
        Event::Alarm(_) => ("alarm", Loudness::Alarm),
    }
}

/// The event as one sentence.
#[must_use]
pub fn sentence(event: &Event) -> String {
    match event {
        Event::Standing { term } => format!("asks for votes for term {term}"),
        Event::ElectionFailed { term, refusals, silent } => failure(*term, refusals, silent),
        Event::Won { term } => format!("won term {term}; does not act yet"),
        Event::Elected { term, timeline } => elected(*term, timeline),
        Event::Demoted { term, reason } => format!("master no longer (term {term}): {reason}"),
        Event::StopConfirmed { term } => {
            format!("everything that ran as master of term {term} is stopped")
        }
        Event::MasterChanged { from, to, term, reason } => {
            let [from, to] = [from, to].map(name_or_none);
            format!("master is {to} now, was {from} (term {term}): {reason}")
        }
        Event::QuorumChanged { has_quorum: true, have, need } => {
            format!("quorum: {have} voters heard, {need} needed")
        }
        Event::QuorumChanged { has_quorum: false, have, need } => {
            format!("no quorum: only {have} voters heard, {need} needed")
        }
        Event::PeerChanged { peer, is_heard: true } => format!("{peer} is heard"),
        Event::PeerChanged { peer, is_heard: false } => format!("{peer} fell silent"),
        Event::DocumentCommitted { position, revision } => {
            format!("document committed at {position}, revision {revision}")
        }
        Event::HandoverBegun { to: Some(to), reason } => format!("hands over to {to}: {reason}"),
        Event::HandoverBegun { to: None, reason } => format!("gives mastership up: {reason}"),
        Event::Alarm(alarm) => alarm.to_string(),
    }
}

fn elected(term: Term, timeline: &Timeline) -> String {
    let Timeline { detect, vote, commit } = timeline;
    let [detect, vote, commit] = [detect, vote, commit].map(|part| part.as_secs_f64() * 1_000.0);
    format!(
        "MASTER of term {term} (detect {detect:.1} ms, vote {vote:.1} ms, commit {commit:.1} ms)"
    )
}

fn failure(term: Term, refusals: &[(NodeId, Refusal)], silent: &[NodeId]) -> String {
    let refused = refusals.iter().map(|(node, why)| format!("{node}: {why}"));
    let quiet = silent.iter().map(|node| format!("{node}: no answer"));
    let reasons: Vec<String> = refused.chain(quiet).collect();
    let reasons = if reasons.is_empty() { "no votes".to_owned() } else { reasons.join("; ") };
    format!("not elected for term {term} ({reasons})")
}

fn name_or_none(id: &Option<NodeId>) -> &str {
    id.as_ref().map_or("none", NodeId::as_str)
}

/// Every event from now on, for one follower, until it drops this or lies too far behind.
#[derive(Debug)]
pub struct News {
    /// Where they come.
    pub events: Receiver<Arc<EventReport>>,
    _is_wanted: Arc<()>,
}

#[derive(Debug)]
struct Follower {
    events: Sender<Arc<EventReport>>,
    is_wanted: Weak<()>,
}

/// The newest events, and who wants to hear of the next ones.
#[derive(Debug, Default)]
pub struct Ring {
    told: u64,
    kept: VecDeque<Arc<EventReport>>,
    followers: Vec<Follower>,
    attempts: u32,
}

impl Ring {
    /// Keeps and passes on `event`, which happened to `node` in `term` at `time`. Never blocks.
    pub fn tell(&mut self, event: &Event, node: &NodeId, term: Term, time: String) {
        self.told += 1;
        let (code, loudness) = name_and_loudness(event);
        let report = Arc::new(EventReport {
            schema: SCHEMA,
            seq: self.told,
            time,
            node: node.to_string(),
            term: term.0,
            code: code.to_owned(),
            level: loudness.name().to_owned(),
            message: sentence(event),
        });
        log::log!(self.log_level(event, loudness), "{}", report.message);
        self.followers.retain(|follower| follower.events.try_send(Arc::clone(&report)).is_ok());
        if self.kept.len() == EVENTS_KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back(report);
    }

    /// A cluster without a majority tries again and again; its log shall not fill with that.
    fn log_level(&mut self, event: &Event, loudness: Loudness) -> log::Level {
        match event {
            Event::Standing { .. } => self.attempts = self.attempts.saturating_add(1),
            Event::MasterChanged { .. } | Event::Elected { .. } => self.attempts = 0,
            Event::ElectionFailed { .. }
            | Event::Won { .. }
            | Event::Demoted { .. }
            | Event::StopConfirmed { .. }
            | Event::QuorumChanged { .. }
            | Event::PeerChanged { .. }
            | Event::DocumentCommitted { .. }
            | Event::HandoverBegun { .. }
            | Event::Alarm(_) => {}
        }
        let is_first_attempt = loudness == Loudness::Attempt && self.attempts <= 1;
        if is_first_attempt { log::Level::Info } else { loudness.log_level() }
    }

    /// The kept events, oldest first.
    #[must_use]
    pub fn kept(&self) -> Vec<Arc<EventReport>> {
        self.kept.iter().cloned().collect()
    }

    /// The kept events, and every later one. Followers that left are forgotten here too, so that
    /// coming and going without any event does not pile them up.
    pub fn follow(&mut self) -> (Vec<Arc<EventReport>>, News) {
        self.followers.retain(|follower| follower.is_wanted.strong_count() > 0);
        let (sender, events) = bounded(FOLLOWER_QUEUE_MAX);
        let is_wanted = Arc::new(());
        self.followers.push(Follower { events: sender, is_wanted: Arc::downgrade(&is_wanted) });
        (self.kept(), News { events, _is_wanted: is_wanted })
    }
}
