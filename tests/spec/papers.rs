//! The exported cluster.yaml: what is done about it, by what is in it, what was exported and what
//! is committed.

use quorate::daemon::papers::verdict::Verdict::{Export, Note, Propose, Rest, SetAside, Tell};
use quorate::daemon::papers::verdict::{Found, Mark, Verdict, judge};
use quorate::protocol::units::{Hash, Position, Term};

const NONE: Option<u8> = None;

/// The content of a revision.
fn hash(number: u8) -> Hash {
    Hash([number; 32])
}

/// What was exported or committed: that revision, in the place that goes with it.
fn mark(revision: u8) -> Mark {
    let version = u64::from(revision) * 10;
    let position = Position { term: Term(3), version };
    Mark { position, revision: u64::from(revision), hash: hash(revision) }
}

/// The verdict on a file, after `exported`, under `committed`, when `told` was told already.
fn on(found: Found, exported: Option<u8>, committed: u8, told: Option<u8>) -> Verdict {
    judge(found, exported.map(mark), mark(committed), told.map(hash))
}

fn valid(number: u8) -> Found {
    Found::Valid(hash(number))
}

fn invalid(number: u8) -> Found {
    Found::Invalid(hash(number))
}

#[test]
fn a_file_that_is_not_there_is_written_whatever_was_before() {
    for exported in [None, Some(4), Some(5), Some(6)] {
        assert_eq!(on(Found::Nothing, exported, 5, NONE), Export);
    }
}

#[test]
fn the_committed_document_in_the_file_is_left_and_noted_once() {
    assert_eq!(on(valid(5), Some(5), 5, NONE), Rest);
    for exported in [None, Some(4), Some(6)] {
        assert_eq!(on(valid(5), exported, 5, NONE), Note, "after {exported:?}");
    }
    // The same content came back as a later revision.
    let again = Mark { revision: 7, ..mark(5) };
    assert_eq!(judge(valid(5), Some(mark(5)), again, None), Note);
}

#[test]
fn what_was_exported_gives_way_to_a_newer_document_and_to_no_older_one() {
    assert_eq!(on(valid(4), Some(4), 5, NONE), Export);
    assert_eq!(on(invalid(4), Some(4), 5, NONE), Export, "a later release wrote it");
    assert_eq!(on(valid(6), Some(6), 5, NONE), Rest, "it was committed, and is on its way here");
}

#[test]
fn an_edit_of_the_committed_document_is_proposed() {
    assert_eq!(on(valid(99), Some(5), 5, NONE), Propose);
    assert_eq!(on(valid(99), Some(5), 5, Some(98)), Propose, "after a mistake was mended");
}

#[test]
fn a_mistake_is_told_once_and_left_alone_until_it_changes() {
    assert_eq!(on(invalid(99), Some(5), 5, NONE), Tell);
    assert_eq!(on(invalid(99), Some(5), 5, Some(99)), Rest);
    assert_eq!(on(invalid(98), Some(5), 5, Some(99)), Tell);
}

#[test]
fn an_edit_of_another_document_than_the_committed_one_is_moved_aside_and_never_proposed() {
    for found in [valid(99), invalid(99)] {
        for exported in [None, Some(4), Some(6)] {
            for told in [None, Some(99)] {
                assert_eq!(on(found, exported, 5, told), SetAside, "{found:?} after {exported:?}");
            }
        }
    }
}

#[test]
fn nothing_that_a_person_wrote_is_overwritten() {
    for committed in 1..5 {
        for exported in [None, Some(1), Some(2), Some(3), Some(4)] {
            for told in [None, Some(9)] {
                for found in [valid(9), invalid(9)] {
                    assert_ne!(on(found, exported, committed, told), Export);
                    assert_ne!(on(found, exported, committed, told), Note);
                }
            }
        }
    }
}
