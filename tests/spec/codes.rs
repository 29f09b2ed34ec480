//! Every event, alarm, reason, refusal and exit has one stable code, and every code is explained.

use std::collections::BTreeSet;
use std::time::Duration;

use quorate::cli::exit::Exit;
use quorate::daemon::failure;
use quorate::protocol::effects::{
    Alarm, ChangeReason, Event, Rejection, StopReason, Suspicion, Timeline,
};
use quorate::protocol::membership::ChangeRefusal;
use quorate::protocol::message::{HandoverRefusal, Refusal};
use quorate::protocol::units::{Position, Term};
use quorate::wire::codes::{self, SECTIONS};

use super::workshop::node;

/// One example of every variant. A variant without one does not compile, since the patterns are
/// the arms of a match, and each example must be what its pattern says.
macro_rules! every {
    ($kind:ty: $($pattern:pat => $value:expr),+ $(,)?) => {{
        let every: Vec<$kind> = vec![$($value),+];
        let name = |one: &$kind| match one { $($pattern => stringify!($pattern)),+ };
        let named: BTreeSet<_> = every.iter().map(name).collect();
        assert_eq!(named.len(), every.len(), "two examples of one variant");
        every
    }};
}

const AT: Position = Position { term: Term(7), version: 3 };
const SPAN: Duration = Duration::from_millis(9);
const TERM: Term = Term(7);

fn events() -> Vec<Event> {
    let position = AT;
    every!(Event:
        Event::Standing { .. } => Event::Standing { term: TERM },
        Event::ElectionFailed { .. } =>
            Event::ElectionFailed { term: TERM, refusals: Vec::new(), silent: Vec::new() },
        Event::Won { .. } => Event::Won { term: TERM },
        Event::Elected { .. } =>
            Event::Elected { term: TERM, timeline: Timeline::default() },
        Event::Demoted { .. } => Event::Demoted { term: TERM, reason: StopReason::Failback },
        Event::StopConfirmed { .. } => Event::StopConfirmed { term: TERM },
        Event::MasterChanged { .. } => Event::MasterChanged {
            from: None, to: None, term: TERM, reason: ChangeReason::Announced,
        },
        Event::QuorumChanged { has_quorum: true, .. } =>
            Event::QuorumChanged { has_quorum: true, have: 2, need: 2 },
        Event::QuorumChanged { has_quorum: false, .. } =>
            Event::QuorumChanged { has_quorum: false, have: 1, need: 2 },
        Event::PeerChanged { is_heard: true, .. } =>
            Event::PeerChanged { peer: node("bravo"), is_heard: true },
        Event::PeerChanged { is_heard: false, .. } =>
            Event::PeerChanged { peer: node("bravo"), is_heard: false },
        Event::HearingChanged { hears_us: true, .. } =>
            Event::HearingChanged { peer: node("bravo"), hears_us: true },
        Event::HearingChanged { hears_us: false, .. } =>
            Event::HearingChanged { peer: node("bravo"), hears_us: false },
        Event::DocumentCommitted { .. } => Event::DocumentCommitted { position, revision: 3 },
        Event::HandoverBegun { .. } =>
            Event::HandoverBegun { to: None, reason: StopReason::Leaving },
        Event::Alarm(_) => Event::Alarm(Alarm::StopOverdue { term: TERM }),
    )
}

fn alarms() -> Vec<Alarm> {
    let [first, second] = ["alpha", "bravo"].map(node);
    let peer = node("charlie");
    every!(Alarm:
        Alarm::StorageFailed { .. } => Alarm::StorageFailed { error: String::new() },
        Alarm::TwoMastersInTerm { .. } =>
            Alarm::TwoMastersInTerm { term: TERM, first: first.clone(), second: second.clone() },
        Alarm::TermJump { .. } => Alarm::TermJump { peer: peer.clone(), term: TERM },
        Alarm::PositionConflict { .. } => Alarm::PositionConflict { peer: peer.clone(), at: AT },
        Alarm::VoterIgnored { .. } => Alarm::VoterIgnored { voter: peer.clone(), term: TERM },
        Alarm::ClockRate { .. } => Alarm::ClockRate { voter: peer.clone() },
        Alarm::Suspicion(Suspicion::Stall(_)) => Alarm::Suspicion(Suspicion::Stall(SPAN)),
        Alarm::Suspicion(Suspicion::WallClockJump(_)) =>
            Alarm::Suspicion(Suspicion::WallClockJump(SPAN)),
        Alarm::Suspicion(Suspicion::ClocksDisagree) =>
            Alarm::Suspicion(Suspicion::ClocksDisagree),
        Alarm::StopOverdue { .. } => Alarm::StopOverdue { term: TERM },
    )
}

fn stops() -> Vec<StopReason> {
    let voter = node("bravo");
    every!(StopReason:
        StopReason::LeaseRanOut => StopReason::LeaseRanOut,
        StopReason::HigherTerm { .. } =>
            StopReason::HigherTerm { voter: voter.clone(), term: TERM },
        StopReason::TransferAsked => StopReason::TransferAsked,
        StopReason::Failback => StopReason::Failback,
        StopReason::StepDownAsked => StopReason::StepDownAsked,
        StopReason::Leaving => StopReason::Leaving,
        StopReason::StorageFailed => StopReason::StorageFailed,
        StopReason::StalledStorage => StopReason::StalledStorage,
        StopReason::Unhealthy => StopReason::Unhealthy,
        StopReason::Standby => StopReason::Standby,
        StopReason::HookFailed => StopReason::HookFailed,
        StopReason::GuardLost => StopReason::GuardLost,
        StopReason::NeverActivated => StopReason::NeverActivated,
        StopReason::ActivityEnded => StopReason::ActivityEnded,
        StopReason::Superseded { .. } => StopReason::Superseded { by: voter.clone() },
    )
}

fn changes() -> Vec<ChangeReason> {
    every!(ChangeReason:
        ChangeReason::ElectedHere => ChangeReason::ElectedHere,
        ChangeReason::Stopped(_) => ChangeReason::Stopped(StopReason::Failback),
        ChangeReason::Announced => ChangeReason::Announced,
        ChangeReason::ToldBy(_) => ChangeReason::ToldBy(node("bravo")),
        ChangeReason::PromiseExpired => ChangeReason::PromiseExpired,
        ChangeReason::Released => ChangeReason::Released,
        ChangeReason::NoLongerTold => ChangeReason::NoLongerTold,
    )
}

fn refusals() -> Vec<Refusal> {
    let [by, to, first] = ["alpha", "bravo", "charlie"].map(node);
    every!(Refusal:
        Refusal::StaleTerm { .. } => Refusal::StaleTerm { mine: TERM },
        Refusal::TermJump { .. } => Refusal::TermJump { mine: TERM },
        Refusal::AlreadyVoted { .. } => Refusal::AlreadyVoted { by: by.clone() },
        Refusal::PositionBehind { .. } => Refusal::PositionBehind { mine: AT },
        Refusal::PositionConflict { .. } => Refusal::PositionConflict { at: AT },
        Refusal::Promised { .. } => Refusal::Promised { to: to.clone(), remaining: SPAN },
        Refusal::LeaseHolder { .. } => Refusal::LeaseHolder { remaining: SPAN },
        Refusal::StillStopping => Refusal::StillStopping,
        Refusal::QuietPeriod { .. } => Refusal::QuietPeriod { remaining: SPAN },
        Refusal::StorageFailed => Refusal::StorageFailed,
        Refusal::NotAVoter => Refusal::NotAVoter,
        Refusal::SecondMaster { .. } => Refusal::SecondMaster { first: first.clone() },
        Refusal::Released => Refusal::Released,
    )
}

fn handovers() -> Vec<HandoverRefusal> {
    every!(HandoverRefusal:
        HandoverRefusal::NotMaster => HandoverRefusal::NotMaster,
        HandoverRefusal::NotElectable => HandoverRefusal::NotElectable,
        HandoverRefusal::AlreadyMaster => HandoverRefusal::AlreadyMaster,
        HandoverRefusal::NotFresh => HandoverRefusal::NotFresh,
        HandoverRefusal::Behind => HandoverRefusal::Behind,
        HandoverRefusal::NotReady => HandoverRefusal::NotReady,
        HandoverRefusal::HeldOff => HandoverRefusal::HeldOff,
        HandoverRefusal::Unhealthy => HandoverRefusal::Unhealthy,
        HandoverRefusal::SeesNoMajority => HandoverRefusal::SeesNoMajority,
        HandoverRefusal::TooFewVoters => HandoverRefusal::TooFewVoters,
        HandoverRefusal::EditPending => HandoverRefusal::EditPending,
        HandoverRefusal::Underway => HandoverRefusal::Underway,
    )
}

fn rejections() -> Vec<Rejection> {
    every!(Rejection:
        Rejection::NotMaster { .. } => Rejection::NotMaster { master: None },
        Rejection::RevisionMoved { .. } => Rejection::RevisionMoved { now: 3 },
        Rejection::EditPending => Rejection::EditPending,
        Rejection::OtherCluster => Rejection::OtherCluster,
        Rejection::Members(_) => Rejection::Members(ChangeRefusal::TwoAtOnce),
        Rejection::LeaseTooShort => Rejection::LeaseTooShort,
        Rejection::TooFarApart { .. } => Rejection::TooFarApart { round_trip: Some(SPAN) },
        Rejection::StorageFailed => Rejection::StorageFailed,
    )
}

fn members() -> Vec<ChangeRefusal> {
    let [node, at] = ["alpha", "bravo"].map(node);
    every!(ChangeRefusal:
        ChangeRefusal::TwoAtOnce => ChangeRefusal::TwoAtOnce,
        ChangeRefusal::MasterMustLead => ChangeRefusal::MasterMustLead,
        ChangeRefusal::NotAnObserver { .. } => ChangeRefusal::NotAnObserver { node: node.clone() },
        ChangeRefusal::NotCaughtUp { .. } => ChangeRefusal::NotCaughtUp { node: node.clone() },
        ChangeRefusal::DocumentMissing { .. } => ChangeRefusal::DocumentMissing { at: at.clone() },
        ChangeRefusal::OtherKey { .. } => ChangeRefusal::OtherKey { node: node.clone() },
        ChangeRefusal::NoMajority { .. } => ChangeRefusal::NoMajority { have: 1, need: 2 },
    )
}

/// Codes of `quorate run` alone, as env(1) has them.
const RUN: [u8; 3] = [125, 126, 127];

fn exits() -> Vec<Exit> {
    every!(Exit:
        Exit::Done => Exit::Done,
        Exit::No => Exit::No,
        Exit::Usage => Exit::Usage,
        Exit::BadData => Exit::BadData,
        Exit::NoInput => Exit::NoInput,
        Exit::Unreachable => Exit::Unreachable,
        Exit::CannotCreate => Exit::CannotCreate,
        Exit::InputOutput => Exit::InputOutput,
        Exit::TryAgain => Exit::TryAgain,
        Exit::Permission => Exit::Permission,
        Exit::Config => Exit::Config,
        Exit::NeedsForce => Exit::NeedsForce,
        Exit::TimedOut => Exit::TimedOut,
    )
}

/// Each kind's codes, one for each of its variants that does not stand for another kind's.
fn given() -> Vec<(&'static str, Vec<String>)> {
    let owned = |codes: Vec<&str>| codes.into_iter().map(str::to_owned).collect::<Vec<_>>();
    let own = |event: &&Event| !matches!(event, Event::Alarm(_));
    let told = |reason: &&ChangeReason| !matches!(reason, ChangeReason::Stopped(_));
    let about = |why: &&Rejection| !matches!(why, Rejection::Members(_));
    let mut happenings: Vec<_> = events().iter().filter(own).map(codes::of_event).collect();
    happenings.extend(codes::OWN_EVENTS);
    let mut alarming: Vec<_> = alarms().iter().map(codes::of_alarm).collect();
    alarming.extend(codes::OWN_ALARMS);
    let mut refused: Vec<_> = refusals().iter().map(codes::of_refusal).collect();
    refused.push(codes::NO_ANSWER);
    let mut rejected: Vec<_> = rejections().iter().filter(about).map(codes::of_rejection).collect();
    rejected.extend(members().iter().map(codes::of_members));
    vec![
        ("event", owned(happenings)),
        ("alarm", owned(alarming)),
        ("end", owned(stops().iter().map(codes::of_stop).collect())),
        ("change", owned(changes().iter().filter(told).map(codes::of_change).collect())),
        ("refusal", owned(refused)),
        ("handover-refusal", owned(handovers().iter().map(codes::of_handover).collect())),
        ("rejection", owned(rejected)),
        ("finding", owned(codes::doctor::FINDINGS.iter().map(|code| code.name).collect())),
        (
            "exit",
            exits().iter().map(|exit| exit.code()).chain(RUN).map(|c| c.to_string()).collect(),
        ),
    ]
}

#[test]
fn every_variant_has_a_code_of_its_own_and_every_code_a_variant() {
    for ((kind, codes), section) in given().into_iter().zip(&SECTIONS) {
        assert_eq!(kind, section.kind);
        let table: Vec<_> = section.codes.iter().map(|code| code.name).collect();
        let unique: BTreeSet<_> = codes.iter().map(String::as_str).collect();
        assert_eq!(unique.len(), codes.len(), "two share one: {codes:?}");
        assert_eq!(unique, table.iter().copied().collect(), "{kind}");
    }
    let names: Vec<_> = codes::names().collect();
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{names:?}");
}

#[test]
fn what_wraps_another_kind_has_its_code() {
    for alarm in alarms() {
        assert_eq!(codes::of_event(&Event::Alarm(alarm.clone())), codes::of_alarm(&alarm));
    }
    for reason in stops() {
        let code = codes::of_stop(&reason);
        assert_eq!(codes::of_change(&ChangeReason::Stopped(reason)), code);
    }
    for refusal in members() {
        let code = codes::of_members(&refusal);
        assert_eq!(codes::of_rejection(&Rejection::Members(refusal)), code);
    }
}

#[test]
fn every_code_is_lower_case_with_dashes_and_explained_in_sentences() {
    for code in SECTIONS.iter().flat_map(|section| section.codes) {
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        assert!(code.name.chars().all(is_plain), "{}", code.name);
        assert!(code.means.ends_with('.') && code.means.len() > 12, "{code:?}");
        assert!(code.advice.len() > 7, "{code:?}");
        assert_eq!(codes::find(code.name).map(|(_, found)| found), Some(code));
    }
}

#[test]
fn the_commands_of_an_advice_exist() {
    let help = quorate::cli::help::shown_names().collect::<BTreeSet<_>>();
    for code in SECTIONS.iter().flat_map(|section| section.codes) {
        for (_, rest) in [code.means, code.advice].into_iter().flat_map(|text| {
            text.match_indices("quorate ").map(|(at, word)| (at, &text[at + word.len()..]))
        }) {
            let word = rest.split(|c: char| !c.is_ascii_alphabetic() && c != '-').next().unwrap();
            assert!(word == "COMMAND" || help.contains(word), "{}: quorate {word}", code.name);
        }
    }
}

#[test]
fn every_exit_code_of_the_daemon_and_of_every_command_is_explained() {
    let daemon = [
        failure::NO_INPUT,
        failure::BAD_DATA,
        failure::CANNOT_CREATE,
        failure::IO,
        failure::TRY_AGAIN,
        failure::NO_PERMISSION,
        failure::CONFIG,
    ];
    let shown = quorate::cli::help::TOPICS.iter().flat_map(|topic| topic.exits);
    for code in shown.map(|(code, _)| *code).chain(daemon) {
        assert!(codes::find(&code.to_string()).is_some(), "{code}");
    }
}
