//! What local programs ask the daemon and what it answers, and the documented JSON of every
//! `--json` reader (`"schema": 1`). One frame per request; one frame per answer, except `events`
//! and `hold`, which go on until either side closes. Never opens the socket; daemon::control and
//! cli do.

use alloc::collections::BTreeMap;

use serde::Serialize;

pub use crate::wire::circumstances::{
    FreshnessReport, HealthReport, NewcomerReport, OverrideReport,
};
use crate::wire::facts::FactsReport;
use crate::wire::hold::{GrantReport, MomentReport, SpanReport, While};
use crate::wire::keys::KeyReport;
pub use crate::wire::peers::{ClockReport, PeerReport, SaidReport};
use crate::wire::ranking::RankingReport;

/// The version of every JSON object a program may read.
pub const SCHEMA: u32 = 1;

/// The largest request or answer, in bytes (H44).
pub const CONTROL_FRAME_MAX: usize = 1 << 20;

/// What a local program asks. `wire::reading` reads it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(tag = "ask", rename_all = "kebab-case")]
pub enum Request {
    /// Everything about this node now. Answered by `Response::Status`.
    Status {},
    /// The committed document's body, and where it stands. Answered by `Response::Document`.
    Show {},
    /// The document of a content revision that this node has seen. Answered by
    /// `Response::Document`.
    Revision {
        /// Which.
        revision: u64,
    },
    /// Every committed document that this node kept: any number of `Response::Document`, by
    /// revision, then `Response::EndOfHistory`.
    Documents {},
    /// Make `to`, or the best other node, the master. Answered by `Response::Handover`.
    Transfer {
        /// The wanted master's name.
        to: Option<String>,
    },
    /// Give mastership up. Answered by `Response::Handover`.
    StepDown {
        /// How long not to stand again, in milliseconds.
        hold_off_ms: u64,
    },
    /// Make this the document if it is still at `revision`. Answered by `Response::Edit`.
    Edit {
        /// The content revision the editor saw.
        revision: u64,
        /// The whole new cluster.yaml.
        body: String,
    },
    /// This node's data is this fresh; more is fresher. Answered by `Response::Taken`.
    SetPosition {
        /// How fresh.
        position: u64,
    },
    /// All that the daemon knows for a check-up. Answered by `Response::Doctor`.
    Doctor {},
    /// This node's own key. Answered by `Response::Key`.
    Key {},
    /// Give this node a new key, or go on with that. Answered by `Response::Key`.
    RotateKey {},
    /// The newest kept events, then every new one. Answered by any number of `Response::Event`.
    Events {
        /// Whether to stay for new ones after the kept ones.
        follow: bool,
    },
    /// What this node kept of its past, through restarts: any number of `Response::Event`, then
    /// `Response::EndOfHistory`.
    History {},
    /// To act while this node does: see `wire::hold`. Answered by `Response::NotMaster` if it
    /// does not act now, then by `Granted`, `Extended` and `Stop` for as long as the stream lasts.
    Hold {
        /// Whether all that this process ever starts stays below it, so that it may be killed, and
        /// believed to be dead, with everything it started.
        gathers: bool,
        /// Or to run while this node follows a master, with the same answers; `NotMaster` then
        /// says that it follows none.
        #[serde(rename = "while")]
        role: While,
    },
    /// After `Hold` only: this process has started another to keep what it runs. Not answered.
    Kept,
    /// After `Hold` only: nothing that acted in `term` lives any more. Not answered.
    Gone {
        /// The term it acted in.
        term: u64,
    },
}

/// What the daemon answers. `wire::reading` reads it.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(tag = "answer", rename_all = "kebab-case")]
pub enum Response {
    /// To `Request::Status`.
    Status(Box<StatusReport>),
    /// To `Request::Show`.
    Document(DocumentReport),
    /// To `Request::Transfer` and `Request::StepDown`.
    Handover(HandoverReport),
    /// To `Request::Edit`.
    Edit(EditReport),
    /// To `Request::SetPosition`: it counts from now on.
    Taken,
    /// To `Request::Doctor`.
    Doctor(Box<FactsReport>),
    /// To `Request::Key` and `Request::RotateKey`.
    Key(Box<KeyReport>),
    /// To `Request::Events`, again and again.
    Event(Box<EventReport>),
    /// The kept events are all sent and `follow` was false.
    EndOfEvents,
    /// The history is all sent.
    EndOfHistory(HistoryEnd),
    /// To `Request::Hold`: not now; wait, or leave.
    NotMaster,
    /// To `Request::Hold`: this node acts from now on, and so may the program.
    Granted(Box<GrantReport>),
    /// After `Granted`: it may go on.
    Extended(SpanReport),
    /// After `Granted`: it has to end. Answered by `Request::Gone`.
    Stop {
        /// The term that ends.
        term: u64,
        /// Then whatever of it lives is killed.
        kill: MomentReport,
    },
    /// The request could not be served at all.
    Error(ErrorReport),
}

/// Why a request was not served.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ErrorReport {
    /// What happened and what to do, for a person.
    pub message: String,
    /// Whether the same request may be served a little later: there was no room for it.
    pub retry: bool,
}

/// `quorate status --json`. Durations are whole milliseconds, instants are ages.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct StatusReport {
    /// Always [`SCHEMA`].
    pub schema: u32,
    /// This node's name.
    pub node: String,
    /// Its disk's identity, hexadecimal.
    pub storage: String,
    /// The daemon's version.
    pub version: String,
    /// The cluster's name.
    pub cluster: String,
    /// The cluster's identity, hexadecimal.
    pub cluster_id: String,
    /// Raised by forced recovery only.
    pub generation: u64,
    /// `master`, `winner`, `stopping`, `candidate` or `follower`. `master` means that this node
    /// held the lease, with the time to stop still before it, when the answer was made.
    pub role: String,
    /// This node's term; for the acting master, the fencing token.
    pub term: u64,
    /// The master this node believes in.
    pub master: Option<MasterReport>,
    /// How long it has believed so.
    pub since_ms: u64,
    /// Why: the last transition's reason in words.
    pub reason: String,
    /// Changes of master this node saw since it started, to and from none included.
    pub changes: u64,
    /// While master: how long it may still act if nothing renews the lease.
    pub acting_left_ms: Option<u64>,
    /// While master: what is left of the lease.
    pub lease_left_ms: Option<u64>,
    /// While promised: to whom.
    pub promised_to: Option<String>,
    /// While promised: for how much longer.
    pub promise_left_ms: Option<u64>,
    /// Rest of the quiet period after a start.
    pub quiet_left_ms: Option<u64>,
    /// Rest of the hold-off after a step-down.
    pub hold_off_left_ms: Option<u64>,
    /// Whether the disk failed: the node is silent until restarted.
    pub storage_failed: bool,
    /// The quorum as this node hears it.
    pub quorum: QuorumReport,
    /// The accepted document's position.
    pub accepted: PositionReport,
    /// The committed document's position.
    pub committed: PositionReport,
    /// The committed document's content revision.
    pub revision: u64,
    /// dead_after in force.
    pub dead_after_ms: u64,
    /// heartbeat in force.
    pub heartbeat_ms: u64,
    /// Every other member; of an observer's, those that vote.
    pub peers: Vec<PeerReport>,
    /// What would keep the others from electing a master if the present one vanished now.
    pub blockers: Vec<String>,
    /// Who would lead in whose place; `quorate explain who` shows it.
    pub ranking: RankingReport,
    /// What speaks against this node as master, each as `SOURCE: REASON`; it stands last then.
    pub objections: Vec<String>,
    /// What the health command of node.yaml says; null without one.
    pub health: Option<HealthReport>,
    /// How fresh this node's data is; null if nobody says so.
    pub freshness: Option<FreshnessReport>,
    /// What the hardware watchdog of node.yaml is doing, beginning `armed` or `not armed`; null
    /// without one.
    pub watchdog: Option<String>,
    /// What people set in the document for a while, maintenance first.
    pub overrides: Vec<OverrideReport>,
    /// Observers that are on the way to vote.
    pub newcomers: Vec<NewcomerReport>,
    /// What is wrong with the identity of this node or of others: rolled-back disks, two processes
    /// with one key. Whoever it is about does not count.
    pub doubts: Vec<String>,
    /// What `quorate recover` wrote into the document, until an edit removes it; else null.
    pub forced: Option<String>,
    /// Age of the election loop's last turn.
    pub core_age_ms: u64,
    /// The daemon's process id.
    pub pid: u32,
    /// Time since the daemon started.
    pub uptime_ms: u64,
}

/// The master as a node knows it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct MasterReport {
    /// Its name.
    pub id: String,
    /// Where its daemon listens.
    pub address: String,
    /// Its term: the fencing token.
    pub term: u64,
    /// `own`, `direct`, or `told-by NAME`.
    pub known: String,
}

/// How many voters are heard and needed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct QuorumReport {
    /// Whether enough are.
    pub ok: bool,
    /// Voters heard, this node included.
    pub have: usize,
    /// Voters needed: half of them, rounded down, plus one.
    pub need: usize,
}

/// A document's place in history.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct PositionReport {
    /// The writing master's term.
    pub term: u64,
    /// The document counter.
    pub version: u64,
}

/// `quorate show --json`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct DocumentReport {
    /// Always [`SCHEMA`].
    pub schema: u32,
    /// The committed position.
    pub position: PositionReport,
    /// The content revision.
    pub revision: u64,
    /// SHA-256 of the body, hexadecimal.
    pub hash: String,
    /// USER@NODE: who asked which node for this content, or `quorate: NODE DEED` for what a daemon
    /// did by itself; null if that is not known, as of the first document.
    pub author: Option<String>,
    /// When, by that node's wall clock, as for an event; null if that is not known.
    pub time: Option<String>,
    /// The bytes people wrote.
    pub body: String,
}

/// The outcome of a transfer or step-down.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct HandoverReport {
    /// Always [`SCHEMA`].
    pub schema: u32,
    /// `handed-over`, `stepped-down`, `refused` or `unknown`.
    pub outcome: String,
    /// For `handed-over`: the new master.
    pub master: Option<String>,
    /// For `handed-over`: its term.
    pub term: Option<u64>,
    /// For `refused`: why, as a stable name; see `quorate explain`.
    pub reason: Option<String>,
    /// What happened and what to do, for a person.
    pub message: String,
}

/// What became of an edit: `quorate apply --json`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct EditReport {
    /// Always [`SCHEMA`].
    pub schema: u32,
    /// `committed`, `rejected`, `unknown`, or `unchanged` if there was nothing to do.
    pub outcome: String,
    /// For `committed` and `unchanged`: the content revision.
    pub revision: Option<u64>,
    /// For `committed`: its position.
    pub position: Option<PositionReport>,
    /// For `rejected`: why, as a stable name; see `quorate explain`.
    pub reason: Option<String>,
    /// What happened and what to do, for a person.
    pub message: String,
}

/// One open invitation, `quorate invite --list --json`: one object per line.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct InviteReport {
    /// Always [`SCHEMA`].
    pub schema: u32,
    /// Its name, eight hexadecimal digits.
    pub id: String,
    /// What the node becomes: `voter`, `witness` or `observer`.
    pub role: String,
    /// Until when it is good, RFC 3339 in UTC.
    pub until: String,
    /// What the node has to be called; null if that is not decided.
    pub name: Option<String>,
    /// Whether the node's key is approved by a person before it votes.
    pub manual: bool,
    /// Whether it is over, by this machine's clock.
    pub over: bool,
}

/// One event, `quorate events --json`: one object per line.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct EventReport {
    /// Always [`SCHEMA`].
    pub schema: u32,
    /// Counts this daemon's events from 1.
    pub seq: u64,
    /// Wall clock, RFC 3339 with milliseconds, UTC; for people, it decides nothing.
    pub time: String,
    /// Time since the daemon started, which nobody sets; it goes on while the machine sleeps.
    pub uptime_ms: u64,
    /// This node.
    pub node: String,
    /// This node's term then.
    pub term: u64,
    /// Its stable name, such as `elected` or `alarm-stall`: see `quorate explain`.
    pub code: String,
    /// `info`, `warning` or `alarm`.
    pub level: String,
    /// Why, as a stable name, where there is a reason: `quorate explain` knows it too.
    pub reason: Option<String>,
    /// For `master-changed`: from whom to whom.
    pub change: Option<Box<ChangeReport>>,
    /// For `election-failed`: why each voter that did not say yes did not, as a stable name.
    pub refusals: BTreeMap<String, String>,
    /// For `events-lost`: how many events the reader was too slow for, with the last one's `seq`;
    /// in the history, how many could not be written.
    pub lost: u64,
    /// The event as one sentence.
    pub message: String,
}

/// A change of the master that a node believes in.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ChangeReport {
    /// The master before; null if there was none.
    pub from: Option<String>,
    /// The master now; null if there is none.
    pub to: Option<String>,
    /// The term of the master now; without one, this node's.
    pub term: u64,
}

/// When and how whole a history was read.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct HistoryEnd {
    /// Wall clock, as for an event.
    pub time: String,
    /// Time since the daemon started.
    pub uptime_ms: u64,
    /// How many lines are damaged, and missing.
    pub unreadable: u64,
}

/// One span of time, `quorate history --json`: one object per line, the newest last.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ReignReport {
    /// Always [`SCHEMA`].
    pub schema: u32,
    /// `master`: that node was, as far as this one knew; `no-master`: it knew of none;
    /// `not-watched`: its daemon did not run.
    pub kind: String,
    /// For `master`: its name.
    pub master: Option<String>,
    /// For `master`: its term.
    pub term: Option<u64>,
    /// Since when, wall clock.
    pub from: String,
    /// Until when; null if it lasts.
    pub until: Option<String>,
    /// How long; for what lasts, so far.
    pub lasted_ms: u64,
    /// False if it may have ended earlier: this daemon died without a word and saw no end.
    pub exact: bool,
    /// Why it began, as a stable name.
    pub began: String,
    /// Why it ended, as a stable name; null if it lasts.
    pub ended: Option<String>,
}

/// One code, `quorate explain --json`: one object per line.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct CodeReport {
    /// Always [`SCHEMA`].
    pub schema: u32,
    /// The code.
    pub code: String,
    /// What it stands for: `event`, `alarm`, `end`, `change`, `refusal`, `handover-refusal`,
    /// `rejection` or `exit`.
    pub kind: String,
    /// What it means.
    pub means: String,
    /// What to do now.
    pub advice: String,
}
