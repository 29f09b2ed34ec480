//! Owns the stable names of everything that happens, is refused or goes wrong, and what each means
//! for a person: one table, in sections. Programs compare codes; sentences may change.
//! Never decides what happened, and never gives one name to two things.

mod answers;
pub mod doctor;
mod happenings;

use crate::protocol::effects::{Alarm, ChangeReason, Event, Rejection, StopReason, Suspicion};
use crate::protocol::membership::ChangeRefusal;
use crate::protocol::message::{HandoverRefusal, Refusal};

/// One code and what a person needs to know about it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Code {
    /// Lower case, with dashes; for an exit code, its number.
    pub name: &'static str,
    /// What it means.
    pub means: &'static str,
    /// What to do now.
    pub advice: &'static str,
}

const fn code(name: &'static str, means: &'static str, advice: &'static str) -> Code {
    Code { name, means, advice }
}

/// Codes that stand for the same kind of thing.
#[derive(Debug)]
pub struct Section {
    /// What each of them is, such as `event`.
    pub kind: &'static str,
    /// What all of them are, for a list.
    pub title: &'static str,
    /// The codes.
    pub codes: &'static [Code],
}

/// The whole table.
pub static SECTIONS: [Section; 9] = [
    Section { kind: "event", title: "Events", codes: happenings::EVENTS },
    Section {
        kind: "alarm",
        title: "Alarms: events that a person must look at",
        codes: happenings::ALARMS,
    },
    Section { kind: "end", title: "Why a mastership ends", codes: happenings::ENDS },
    Section {
        kind: "change",
        title: "How a node learns of a change of master",
        codes: happenings::CHANGES,
    },
    Section {
        kind: "refusal",
        title: "Why a node refuses a vote or a promise",
        codes: answers::REFUSALS,
    },
    Section {
        kind: "handover-refusal",
        title: "Why a transfer or step-down does not begin",
        codes: answers::HANDOVERS,
    },
    Section {
        kind: "rejection",
        title: "Why an edit of the document is not taken",
        codes: answers::REJECTIONS,
    },
    Section { kind: "finding", title: "What quorate doctor finds", codes: doctor::FINDINGS },
    Section { kind: "exit", title: "Exit codes", codes: answers::EXITS },
];

/// The code called `name`, and its section.
#[must_use]
pub fn find(name: &str) -> Option<(&'static Section, &'static Code)> {
    SECTIONS.iter().find_map(|section| {
        section.codes.iter().find(|code| code.name == name).map(|code| (section, code))
    })
}

/// Every name.
pub fn names() -> impl Iterator<Item = &'static str> {
    SECTIONS.iter().flat_map(|section| section.codes).map(|code| code.name)
}

/// What a follower is told in the place of events that it was too slow for.
pub const EVENTS_LOST: &str = "events-lost";

/// A hook did what it is for.
pub const HOOK_OK: &str = "hook-ok";
/// A hook ended badly, or could not be started.
pub const HOOK_FAILED: &str = "hook-failed";
/// A hook was killed at its time-out.
pub const HOOK_TIMED_OUT: &str = "hook-timed-out";
/// A hook failed as often as it may.
pub const HOOK_GAVE_UP: &str = "hook-gave-up";
/// What was done as master was not undone in time.
pub const UNDONE_LATE: &str = "hook-undone-late";
/// The guard of hooks died or fell silent.
pub const GUARD_LOST: &str = "guard-lost";

/// The health command of node.yaml turned from good to bad or back.
pub const HEALTH_CHANGED: &str = "health-changed";

/// The hardware watchdog of node.yaml cannot be armed.
pub const WATCHDOG_UNUSABLE: &str = "watchdog-unusable";

/// A `standby` or `maintenance` that was set for a while is over.
pub const OVERRIDE_OVER: &str = "override-over";
/// A hand edit of the exported cluster.yaml became the document.
pub const HAND_EDIT_COMMITTED: &str = "hand-edit-committed";
/// It was refused.
pub const HAND_EDIT_REJECTED: &str = "hand-edit-rejected";
/// It is no valid cluster.yaml.
pub const HAND_EDIT_INVALID: &str = "hand-edit-invalid";
/// It was not proposed, since others came first.
pub const HAND_EDIT_SET_ASIDE: &str = "hand-edit-set-aside";
/// A disk holds less than it was seen to hold.
pub const ALARM_ROLLED_BACK: &str = "alarm-rolled-back";
/// Two processes use one node's key.
pub const ALARM_TWO_INSTANCES: &str = "alarm-two-instances";
/// A later generation of this cluster lives elsewhere.
pub const ALARM_RECOVERED_ELSEWHERE: &str = "alarm-recovered-elsewhere";
/// Only one process uses the key again.
pub const TWO_INSTANCES_OVER: &str = "two-instances-over";

/// Those that a person must look at.
pub const OWN_ALARMS: &[&str] =
    &[ALARM_ROLLED_BACK, ALARM_TWO_INSTANCES, ALARM_RECOVERED_ELSEWHERE];

/// The other events that the daemon tells of itself, not of an election.
pub const OWN_EVENTS: &[&str] = &[
    TWO_INSTANCES_OVER,
    EVENTS_LOST,
    DAEMON_STARTED,
    DAEMON_STOPPED,
    STORAGE_STALLED,
    HEALTH_CHANGED,
    HOOK_OK,
    HOOK_FAILED,
    HOOK_TIMED_OUT,
    HOOK_GAVE_UP,
    UNDONE_LATE,
    GUARD_LOST,
    WATCHDOG_UNUSABLE,
    OVERRIDE_OVER,
    HAND_EDIT_COMMITTED,
    HAND_EDIT_REJECTED,
    HAND_EDIT_INVALID,
    HAND_EDIT_SET_ASIDE,
    NODE_JOINED,
    NODE_PROMOTED,
    KEY_CHANGED,
    ADDRESS_DIFFERS,
    NODE_MOVED,
    PEER_INCOMPATIBLE,
];

/// A member says that it listens elsewhere than the document says.
pub const ADDRESS_DIFFERS: &str = "address-differs";

/// The document was changed to where a member listens now.
pub const NODE_MOVED: &str = "node-moved";

/// A member speaks no version of the protocol that this release knows.
pub const PEER_INCOMPATIBLE: &str = "peer-incompatible";

/// The daemon serves from now on.
pub const DAEMON_STARTED: &str = "daemon-started";

/// The daemon ends, and says so: one that is killed does not.
pub const DAEMON_STOPPED: &str = "daemon-stopped";

/// A write to the disk takes very long.
pub const STORAGE_STALLED: &str = "storage-stalled";

/// A node was let in by an invitation.
pub const NODE_JOINED: &str = "node-joined";

/// An observer that was on its way became more.
pub const NODE_PROMOTED: &str = "node-promoted";

/// How a node learns that a master gave mastership up.
pub const RELEASED: &str = "released";

/// This node's key was changed.
pub const KEY_CHANGED: &str = "key-changed";

/// In the place of a refusal, for a voter that said nothing.
pub const NO_ANSWER: &str = "no-answer";

/// The code of an event; an alarm has its own.
#[must_use]
pub fn of_event(event: &Event) -> &'static str {
    match event {
        Event::Standing { .. } => "standing",
        Event::ElectionFailed { .. } => "election-failed",
        Event::Won { .. } => "won",
        Event::Elected { .. } => "elected",
        Event::Demoted { .. } => "demoted",
        Event::StopConfirmed { .. } => "stop-confirmed",
        Event::MasterChanged { .. } => "master-changed",
        Event::QuorumChanged { has_quorum: true, .. } => "quorum-gained",
        Event::QuorumChanged { has_quorum: false, .. } => "quorum-lost",
        Event::PeerChanged { is_heard: true, .. } => "peer-heard",
        Event::PeerChanged { is_heard: false, .. } => "peer-silent",
        Event::HearingChanged { hears_us: true, .. } => "peer-both-ways",
        Event::HearingChanged { hears_us: false, .. } => "peer-one-way",
        Event::DocumentCommitted { .. } => "document-committed",
        Event::HandoverBegun { .. } => "handover-begun",
        Event::Alarm(alarm) => of_alarm(alarm),
    }
}

/// The code of an alarm.
#[must_use]
pub fn of_alarm(alarm: &Alarm) -> &'static str {
    match alarm {
        Alarm::StorageFailed { .. } => "alarm-storage-failed",
        Alarm::TwoMastersInTerm { .. } => "alarm-two-masters",
        Alarm::TermJump { .. } => "alarm-term-jump",
        Alarm::PositionConflict { .. } => "alarm-position-conflict",
        Alarm::VoterIgnored { .. } => "alarm-voter-ignored",
        Alarm::ClockRate { .. } => "alarm-clock-rate",
        Alarm::Suspicion(Suspicion::Stall(_)) => "alarm-stall",
        Alarm::Suspicion(Suspicion::WallClockJump(_)) => "alarm-wall-clock-jump",
        Alarm::Suspicion(Suspicion::ClocksDisagree) => "alarm-clocks-disagree",
        Alarm::StopOverdue { .. } => "alarm-stop-overdue",
    }
}

/// Why a master stops.
#[must_use]
pub fn of_stop(reason: &StopReason) -> &'static str {
    match reason {
        StopReason::LeaseRanOut => "ended-lease-ran-out",
        StopReason::HigherTerm { .. } => "ended-higher-term",
        StopReason::TransferAsked => "ended-transfer",
        StopReason::Failback => "ended-failback",
        StopReason::StepDownAsked => "ended-step-down",
        StopReason::Leaving => "ended-leaving",
        StopReason::StorageFailed => "ended-storage-failed",
        StopReason::StalledStorage => "ended-stalled-storage",
        StopReason::Unhealthy => "ended-unhealthy",
        StopReason::Standby => "ended-standby",
        StopReason::HookFailed => "ended-hook-failed",
        StopReason::GuardLost => "ended-guard-lost",
        StopReason::NeverActivated => "ended-never-activated",
        StopReason::ActivityEnded => "ended-by-itself",
        StopReason::Superseded { .. } => "ended-superseded",
    }
}

/// How a node came to believe in another master; where it stopped itself, why.
#[must_use]
pub fn of_change(reason: &ChangeReason) -> &'static str {
    match reason {
        ChangeReason::ElectedHere => "elected-here",
        ChangeReason::Stopped(reason) => of_stop(reason),
        ChangeReason::Announced => "announced",
        ChangeReason::ToldBy(_) => "told-by-peer",
        ChangeReason::PromiseExpired => "promise-expired",
        ChangeReason::Released => RELEASED,
        ChangeReason::NoLongerTold => "no-longer-told",
    }
}

/// Why a node says no to a peer.
#[must_use]
pub fn of_refusal(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::StaleTerm { .. } => "refused-stale-term",
        Refusal::TermJump { .. } => "refused-term-jump",
        Refusal::AlreadyVoted { .. } => "refused-already-voted",
        Refusal::PositionBehind { .. } => "refused-position-behind",
        Refusal::PositionConflict { .. } => "refused-position-conflict",
        Refusal::Promised { .. } => "refused-promised",
        Refusal::LeaseHolder { .. } => "refused-lease-holder",
        Refusal::StillStopping => "refused-still-stopping",
        Refusal::QuietPeriod { .. } => "refused-quiet-period",
        Refusal::StorageFailed => "refused-storage-failed",
        Refusal::NotAVoter => "refused-not-a-voter",
        Refusal::SecondMaster { .. } => "refused-second-master",
        Refusal::Released => "refused-released",
    }
}

/// Why a handover did not begin.
#[must_use]
pub fn of_handover(refusal: &HandoverRefusal) -> &'static str {
    match refusal {
        HandoverRefusal::NotMaster => "handover-not-master",
        HandoverRefusal::NotElectable => "handover-not-electable",
        HandoverRefusal::AlreadyMaster => "handover-already-master",
        HandoverRefusal::NotFresh => "handover-not-fresh",
        HandoverRefusal::Behind => "handover-behind",
        HandoverRefusal::NotReady => "handover-not-ready",
        HandoverRefusal::HeldOff => "handover-held-off",
        HandoverRefusal::Unhealthy => "handover-unhealthy",
        HandoverRefusal::SeesNoMajority => "handover-sees-no-majority",
        HandoverRefusal::TooFewVoters => "handover-too-few-voters",
        HandoverRefusal::EditPending => "handover-edit-pending",
        HandoverRefusal::Underway => "handover-underway",
    }
}

/// Why an edit was not taken; about its members, what was wrong with them.
#[must_use]
pub fn of_rejection(rejection: &Rejection) -> &'static str {
    match rejection {
        Rejection::NotMaster { .. } => "rejected-not-master",
        Rejection::RevisionMoved { .. } => "rejected-revision-moved",
        Rejection::EditPending => "rejected-edit-pending",
        Rejection::OtherCluster => "rejected-other-cluster",
        Rejection::Members(refusal) => of_members(refusal),
        Rejection::LeaseTooShort => "rejected-lease-too-short",
        Rejection::TooFarApart { .. } => "rejected-too-far-apart",
        Rejection::StorageFailed => "rejected-storage-failed",
    }
}

/// Why the members may not become what an edit wants.
#[must_use]
pub fn of_members(refusal: &ChangeRefusal) -> &'static str {
    match refusal {
        ChangeRefusal::TwoAtOnce => "rejected-two-at-once",
        ChangeRefusal::MasterMustLead => "rejected-master-must-lead",
        ChangeRefusal::NotAnObserver { .. } => "rejected-not-an-observer",
        ChangeRefusal::NotCaughtUp { .. } => "rejected-not-caught-up",
        ChangeRefusal::DocumentMissing { .. } => "rejected-document-missing",
        ChangeRefusal::OtherKey { .. } => "rejected-other-key",
        ChangeRefusal::NoMajority { .. } => "rejected-no-majority",
    }
}
