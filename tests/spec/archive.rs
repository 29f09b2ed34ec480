//! The documents that a node kept: what is read is whole, and what is not is counted.

use std::fs;

use quorate::daemon::papers::shelf::surplus;
use quorate::daemon::report;
use quorate::wire::archive::{Archive, BYTES_MAX, decode, encode, find, revision_of};
use quorate::wire::control::DocumentReport;
use tempfile::tempdir;

use super::properties::sample::document;

fn kept(revision: u64) -> DocumentReport {
    DocumentReport { revision, ..report::document(&document("cluster: shop\n# \"mine\"\n")) }
}

#[test]
fn a_document_comes_back_as_it_was_kept() {
    let document = kept(7);
    assert_eq!(decode(&encode(&document)), Some(document));
}

#[test]
fn no_damaged_document_is_taken() {
    let bytes = encode(&kept(7));
    for at in 0..bytes.len() {
        assert_eq!(decode(&bytes[..at]), None);
        let mut damaged = bytes.clone();
        damaged[at] ^= 1;
        assert_eq!(decode(&damaged), None, "byte {at}");
    }
    let foreign = DocumentReport { body: "another".into(), ..kept(7) };
    assert_eq!(decode(&encode(&foreign)), None, "its hash is another's");
}

#[test]
fn what_cannot_be_read_is_left_out_and_counted() {
    let place = tempdir().unwrap();
    assert_eq!(Archive::read(place.path()).unwrap(), Archive::default());
    let directory = place.path().join("documents");
    fs::create_dir(&directory).unwrap();
    for revision in [10, 9, 2] {
        fs::write(directory.join(revision.to_string()), encode(&kept(revision))).unwrap();
    }
    fs::write(directory.join("3"), "torn").unwrap();
    fs::write(directory.join("4"), encode(&kept(5))).unwrap();
    fs::write(directory.join("unfinished"), "no revision").unwrap();
    std::os::unix::fs::symlink("9", directory.join("11")).unwrap();
    let archive = Archive::read(place.path()).unwrap();
    let revisions: Vec<_> = archive.documents.iter().map(|document| document.revision).collect();
    assert_eq!((&revisions[..], archive.unreadable), (&[2, 9, 10][..], 3));
    assert_eq!(find(place.path(), 9), Some(kept(9)));
    assert_eq!(find(place.path(), 4), None);
}

#[test]
fn only_plain_numbers_are_names_of_documents() {
    assert_eq!(revision_of("17"), Some(17));
    for name in ["", "017", "+17", "17.yaml", "unfinished", "99999999999999999999"] {
        assert_eq!(revision_of(name), None, "{name}");
    }
}

#[test]
fn what_there_is_no_room_for_goes_the_oldest_first_and_the_newest_stays() {
    let all = |count: u64, size: u64| (1..=count).rev().map(|revision| (revision, size)).collect();
    assert_eq!(surplus(all(100, 1), 100), [0_u64; 0]);
    assert_eq!(surplus(all(103, 1), 103), [1, 2, 3]);
    assert_eq!(surplus(all(20, BYTES_MAX / 10), 20), (1..=10).collect::<Vec<u64>>());
    assert_eq!(surplus(all(3, BYTES_MAX * 2), 3), [1, 2]);
    assert_eq!(surplus(all(101, 1), 1), [2], "after a recovery the newest may be the lowest");
}
