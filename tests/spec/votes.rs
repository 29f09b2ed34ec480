//! Who gets a vote, and why not: the verdicts by themselves.

use core::time::Duration;

use crate::protocol::durable::Durable;
use crate::protocol::lease::Promise;
use crate::protocol::membership::Failback;
use crate::protocol::message::{Candidacy, Refusal};
use crate::protocol::mutant::Mutation;
use crate::protocol::timing::Timing;
use crate::protocol::units::{Moment, Nonce, Position, TERM_JUMP_MAX, Term};
use crate::protocol::vote::Poll;
use crate::sim::charters::{self, Settings};
use crate::spec::stage::{A, B, C};

const NOW: Moment = Moment { boot_ns: 1_000_000_000, raw_ns: 1_000_000_000 };
const SECOND: Duration = Duration::from_secs(1);

fn record() -> Durable {
    let settings = Settings::plain(Timing::LAN, Failback::Never);
    let mut record = charters::founding(A, &charters::document(3, settings, 0));
    record.term = Term(5);
    record.accepted.position = Position { term: Term(4), version: 7 };
    record
}

fn candidacy() -> Candidacy {
    Candidacy {
        term: Term(6),
        position: Position { term: Term(4), version: 7 },
        storage: charters::storage(B),
        nonce: Nonce(1),
        release: None,
    }
}

fn promise_to(holder: usize) -> Promise {
    let until = NOW.after(SECOND);
    let holder = charters::name(holder);
    Promise { holder, term: Term(5), until, renewed: NOW, is_acting: true }
}

/// The verdict of a node with `record` that is otherwise free.
fn verdict(record: &Durable, asked: &Candidacy) -> Result<(), Refusal> {
    poll(record, &Mutation::default(), None, |_| {}).vote(&charters::name(B), asked)
}

/// The verdict of a node that also promised something.
fn promised(promise: &Promise) -> Result<(), Refusal> {
    let (record, mutation) = (record(), Mutation::default());
    poll(&record, &mutation, Some(promise), |_| {}).vote(&charters::name(B), &candidacy())
}

/// The verdict of a node in a state that `tweak` describes.
fn bound(tweak: impl Fn(&mut Poll<'_>)) -> Result<(), Refusal> {
    let (record, mutation) = (record(), Mutation::default());
    poll(&record, &mutation, None, tweak).vote(&charters::name(B), &candidacy())
}

fn poll<'a>(
    durable: &'a Durable,
    mutation: &'a Mutation,
    promise: Option<&'a Promise>,
    tweak: impl Fn(&mut Poll<'_>),
) -> Poll<'a> {
    let mut poll = Poll {
        now: NOW,
        durable,
        promise,
        quiet_left: None,
        lease_left: None,
        is_stopping: false,
        is_storage_failed: false,
        mutation,
    };
    tweak(&mut poll);
    poll
}

/// Promises: P3
#[test]
fn one_term_one_vote() {
    let mut record = record();
    record.term = Term(6);
    assert_eq!(verdict(&record, &candidacy()), Ok(()));
    record.vote = Some(charters::name(B));
    assert_eq!(verdict(&record, &candidacy()), Ok(()), "the same vote again is no second one");
    record.vote = Some(charters::name(C));
    let by = charters::name(C);
    assert_eq!(verdict(&record, &candidacy()), Err(Refusal::AlreadyVoted { by }));
}

/// Promises: P1
#[test]
fn a_promise_binds_towards_everybody_but_its_holder() {
    let to_c = promise_to(C);
    let refused = promised(&to_c);
    assert_eq!(refused, Err(Refusal::Promised { to: charters::name(C), remaining: SECOND }));
    let to_b = promise_to(B);
    assert_eq!(promised(&to_b), Ok(()));
}

/// Promises: P1
#[test]
fn a_promise_ends_only_when_both_clocks_say_so() {
    let mut promise = promise_to(C);
    promise.until = NOW;
    promise.until.raw_ns += 1;
    let refused = promised(&promise);
    assert!(matches!(refused, Err(Refusal::Promised { .. })), "{refused:?}");
    promise.until = NOW;
    assert_eq!(promised(&promise), Ok(()));
}

/// Promises: P4
#[test]
fn an_older_document_gets_no_vote() {
    let mut asked = candidacy();
    asked.position.version = 6;
    let mine = record().accepted.position;
    assert_eq!(verdict(&record(), &asked), Err(Refusal::PositionBehind { mine }));
    asked.position = Position { term: Term(5), version: 1 };
    assert_eq!(verdict(&record(), &asked), Ok(()), "a later term beats any version");
}

/// Promises: P1, P6, P11
#[test]
fn a_quiet_stopping_leading_or_failed_node_votes_for_nobody() {
    let quiet = bound(|poll| poll.quiet_left = Some(SECOND));
    assert_eq!(quiet, Err(Refusal::QuietPeriod { remaining: SECOND }));
    let leading = bound(|poll| poll.lease_left = Some(SECOND));
    assert_eq!(leading, Err(Refusal::LeaseHolder { remaining: SECOND }));
    let stopping = bound(|poll| poll.is_stopping = true);
    assert_eq!(stopping, Err(Refusal::StillStopping));
    let failed = bound(|poll| poll.is_storage_failed = true);
    assert_eq!(failed, Err(Refusal::StorageFailed));
}

/// Promises: P10
#[test]
fn another_disk_under_a_known_name_is_no_voter() {
    let mut asked = candidacy();
    asked.storage = charters::storage(8);
    assert_eq!(verdict(&record(), &asked), Err(Refusal::NotAVoter));
}

/// Promises: P12
#[test]
fn an_impossible_term_is_refused() {
    let mut asked = candidacy();
    asked.term = Term(5 + TERM_JUMP_MAX + 1);
    assert_eq!(verdict(&record(), &asked), Err(Refusal::TermJump { mine: Term(5) }));
    asked.term = Term(5 + TERM_JUMP_MAX);
    assert_eq!(verdict(&record(), &asked), Ok(()));
}

/// Promises: P2
#[test]
fn an_old_term_gets_no_vote() {
    let mut asked = candidacy();
    asked.term = Term(4);
    assert_eq!(verdict(&record(), &asked), Err(Refusal::StaleTerm { mine: Term(5) }));
}

/// Promises: P1
#[test]
fn refusals_are_sentences_people_can_read() {
    let to = charters::name(C);
    let refusal = Refusal::Promised { to, remaining: Duration::from_millis(310) };
    assert_eq!(refusal.to_string(), "promised to c for 310 ms");
}
