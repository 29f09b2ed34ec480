//! Owns what this daemon tells about itself: how loud each event is, its sentence, and the ring of
//! the newest ones. Their stable names are in `wire::codes`.
//! Never writes a socket; followers get a bounded channel each, and what finds it full is lost to
//! that follower, who is told how much.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Weak};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TrySendError, bounded};

use crate::daemon::history::History;
use crate::protocol::effects::{Event, Timeline};
use crate::protocol::message::Refusal;
use crate::protocol::units::{NodeId, Term};
use crate::settings::words;
use crate::wire::codes;
use crate::wire::control::{ChangeReport, EventReport, SCHEMA};

/// How many events are kept for whoever asks later.
pub const EVENTS_KEPT: usize = 256;

/// How many events a follower may lie behind before it loses some.
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

/// An event that is the daemon's own: not one of the node's elections.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Remark {
    /// Its stable name, one of [`codes::OWN_EVENTS`] or [`codes::OWN_ALARMS`].
    pub code: &'static str,
    /// How loudly it is told.
    pub loudness: Loudness,
    /// Why, as a stable name, if there is a reason.
    pub reason: Option<&'static str>,
    /// The event as one sentence.
    pub message: String,
}

/// When an event happened.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Stamp {
    /// By the wall clock, as people read it.
    pub time: String,
    /// Since the daemon started, milliseconds.
    pub uptime_ms: u64,
}

/// How loud an event is.
#[must_use]
pub fn loudness(event: &Event) -> Loudness {
    match event {
        Event::Standing { .. } | Event::ElectionFailed { .. } => Loudness::Attempt,
        Event::Won { .. }
        | Event::Elected { .. }
        | Event::Demoted { .. }
        | Event::StopConfirmed { .. }
        | Event::MasterChanged { .. }
        | Event::QuorumChanged { has_quorum: true, .. }
        | Event::PeerChanged { is_heard: true, .. }
        | Event::HearingChanged { hears_us: true, .. }
        | Event::DocumentCommitted { .. }
        | Event::HandoverBegun { .. } => Loudness::Info,
        Event::QuorumChanged { has_quorum: false, .. }
        | Event::PeerChanged { is_heard: false, .. }
        | Event::HearingChanged { hears_us: false, .. } => Loudness::Warning,
        Event::Alarm(_) => Loudness::Alarm,
    }
}

/// Why it happened, as a code.
fn reason(event: &Event) -> Option<&'static str> {
    match event {
        Event::Demoted { reason, .. } | Event::HandoverBegun { reason, .. } => {
            Some(codes::of_stop(reason))
        }
        Event::MasterChanged { reason, .. } => Some(codes::of_change(reason)),
        Event::Standing { .. }
        | Event::ElectionFailed { .. }
        | Event::Won { .. }
        | Event::Elected { .. }
        | Event::StopConfirmed { .. }
        | Event::QuorumChanged { .. }
        | Event::PeerChanged { .. }
        | Event::HearingChanged { .. }
        | Event::DocumentCommitted { .. }
        | Event::Alarm(_) => None,
    }
}

/// From whom to whom mastership went.
fn change(event: &Event) -> Option<Box<ChangeReport>> {
    let Event::MasterChanged { from, to, term, .. } = event else { return None };
    let [from, to] = [from, to].map(|id| id.as_ref().map(NodeId::to_string));
    Some(Box::new(ChangeReport { from, to, term: term.0 }))
}

/// Who did not say yes, and why, as codes.
fn refusals(event: &Event) -> BTreeMap<String, String> {
    let Event::ElectionFailed { refusals, silent, .. } = event else { return BTreeMap::new() };
    let refused = refusals.iter().map(|(node, why)| (node, codes::of_refusal(why)));
    let all = refused.chain(silent.iter().map(|node| (node, codes::NO_ANSWER)));
    let mut refusals = BTreeMap::new();
    refusals.extend(all.map(|(node, why)| (node.to_string(), why.to_owned())));
    refusals
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
            format!("quorum: {} heard, {need} needed", words::count(*have, "voter"))
        }
        Event::QuorumChanged { has_quorum: false, have, need } => {
            format!("no quorum: only {} heard, {need} needed", words::count(*have, "voter"))
        }
        Event::PeerChanged { peer, is_heard: true } => format!("{peer} is heard"),
        Event::PeerChanged { peer, is_heard: false } => format!("{peer} fell silent"),
        Event::HearingChanged { peer, hears_us: true } => format!("{peer} hears this node again"),
        Event::HearingChanged { peer, hears_us: false } => {
            format!("{peer} is heard but does not hear this node: the link works one way only")
        }
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

/// Every event from now on, for one follower, until it drops this. What came while it lay too far
/// behind is missing, and counted where it is missing.
#[derive(Debug)]
pub struct News {
    events: Receiver<Arc<EventReport>>,
    /// The newest event that found no room; its only other holder is the ring.
    newest_lost: Arc<AtomicU64>,
    /// The newest one given, its term and its time.
    seen: u64,
    term: u64,
    uptime_ms: u64,
    /// Waits for the count of those before it to be given.
    next: Option<Arc<EventReport>>,
    node: NodeId,
}

impl News {
    /// The next event, or how many are missing before it, told at the `time` of now.
    ///
    /// # Errors
    /// None comes within `patience`, or none will ever come.
    pub fn next(
        &mut self,
        patience: Duration,
        time: impl Fn() -> String,
    ) -> Result<Arc<EventReport>, RecvTimeoutError> {
        if let Some(next) = self.next.take() {
            return Ok(self.give(next));
        }
        // Read first: what was lost by now is either before all that still comes, or shows as a
        // gap in it.
        let newest_lost = self.newest_lost.load(SeqCst);
        if self.events.is_empty() && newest_lost > self.seen {
            return Ok(self.own_up(newest_lost, time()));
        }
        let next = self.events.recv_timeout(patience)?;
        if next.seq > self.seen + 1 {
            let last = next.seq - 1;
            self.next = Some(next);
            return Ok(self.own_up(last, time()));
        }
        Ok(self.give(next))
    }

    fn give(&mut self, event: Arc<EventReport>) -> Arc<EventReport> {
        (self.seen, self.term, self.uptime_ms) = (event.seq, event.term, event.uptime_ms);
        event
    }

    fn own_up(&mut self, last: u64, time: String) -> Arc<EventReport> {
        let lost = last - self.seen;
        self.seen = last;
        let remark = Remark {
            code: codes::EVENTS_LOST,
            loudness: Loudness::Warning,
            reason: None,
            message: format!("{lost} events are missing here: they were not read fast enough"),
        };
        let stamp = Stamp { time, uptime_ms: self.uptime_ms };
        let report = report(remark, &self.node, Term(self.term), stamp);
        Arc::new(EventReport { seq: last, lost, ..report })
    }
}

#[derive(Debug)]
struct Follower {
    events: Sender<Arc<EventReport>>,
    newest_lost: Weak<AtomicU64>,
}

impl Follower {
    /// Whether there is still somebody to tell.
    fn hears(&self, event: &Arc<EventReport>) -> bool {
        match self.events.try_send(Arc::clone(event)) {
            Ok(()) => true,
            Err(TrySendError::Full(_)) => {
                let newest_lost = self.newest_lost.upgrade();
                newest_lost.map(|newest_lost| newest_lost.store(event.seq, SeqCst)).is_some()
            }
            Err(TrySendError::Disconnected(_)) => false,
        }
    }
}

/// The newest events, and who wants to hear of the next ones.
#[derive(Debug, Default)]
pub struct Ring {
    told: u64,
    kept: VecDeque<Arc<EventReport>>,
    followers: Vec<Follower>,
    attempts: u32,
    history: Option<History>,
}

impl Ring {
    /// Keeps and passes on `event`, which happened to `node` in `term`. Never blocks.
    pub fn tell(&mut self, event: &Event, node: &NodeId, term: Term, stamp: Stamp) {
        let loudness = loudness(event);
        let level = self.log_level(event, loudness);
        let remark = Remark {
            code: codes::of_event(event),
            loudness,
            reason: reason(event),
            message: sentence(event),
        };
        let refusals = refusals(event);
        let change = change(event);
        self.pass_on(level, EventReport { refusals, change, ..report(remark, node, term, stamp) });
    }

    /// Keeps and passes on what the daemon of `node`, in `term`, says of itself. Never blocks.
    pub fn say(&mut self, remark: Remark, node: &NodeId, term: Term, stamp: Stamp) {
        let level = remark.loudness.log_level();
        self.pass_on(level, report(remark, node, term, stamp));
    }

    /// From now on what is worth it also goes to `history`.
    pub fn keep_in(&mut self, history: History) {
        self.history = Some(history);
    }

    /// Where that goes.
    #[must_use]
    pub fn history(&self) -> Option<&History> {
        self.history.as_ref()
    }

    fn pass_on(&mut self, level: log::Level, mut report: EventReport) {
        self.told += 1;
        report.seq = self.told;
        log::log!(level, "{}", report.message);
        if let Some(history) = &self.history {
            history.keep(&report);
        }
        let report = Arc::new(report);
        self.followers.retain(|follower| follower.hears(&report));
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
            | Event::HearingChanged { .. }
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
    pub fn follow(&mut self, node: &NodeId) -> (Vec<Arc<EventReport>>, News) {
        self.followers.retain(|follower| follower.newest_lost.strong_count() > 0);
        let (sender, events) = bounded(FOLLOWER_QUEUE_MAX);
        let newest_lost = Arc::new(AtomicU64::new(0));
        let follower = Follower { events: sender, newest_lost: Arc::downgrade(&newest_lost) };
        self.followers.push(follower);
        let node = node.clone();
        let (term, uptime_ms) =
            self.kept.back().map_or((0, 0), |event| (event.term, event.uptime_ms));
        let seen = self.told;
        (self.kept(), News { events, newest_lost, seen, term, uptime_ms, next: None, node })
    }
}

/// The report of `remark`; what else belongs to it is still missing.
pub(crate) fn report(remark: Remark, node: &NodeId, term: Term, stamp: Stamp) -> EventReport {
    let Stamp { time, uptime_ms } = stamp;
    let Remark { code, loudness, reason, message } = remark;
    EventReport {
        schema: SCHEMA,
        seq: 0,
        time,
        uptime_ms,
        node: node.to_string(),
        term: term.0,
        code: code.to_owned(),
        level: loudness.name().to_owned(),
        reason: reason.map(str::to_owned),
        change: None,
        refusals: BTreeMap::new(),
        lost: 0,
        message,
    }
}
