//! What stands beside the record in a state file, and what a backup keeps of it.

use std::collections::BTreeMap;

use quorate::daemon::annex::Annex;
use quorate::daemon::binding::{differences, here, joined};
use quorate::protocol::units::{ClusterId, NodeId, Pin, StorageId};
use quorate::wire::backup::Backup;
use quorate::wire::marks::{Binding, Former, Marks, Seen};
use quorate::wire::record::{self, RecordError};

use super::workshop::{Workshop, alone, charter_of};

fn node(name: &str) -> NodeId {
    NodeId::new(name).unwrap()
}

fn full() -> Marks {
    Marks {
        binding: Binding { machine: Some("aa".into()), product: Some("bb".into()), inode: Some(7) },
        seen: BTreeMap::from([(node("bravo"), Seen { storage: StorageId([2; 16]), sequence: 9 })]),
        suspended: Some("it was rolled back".into()),
        former: Some(Former {
            cluster: ClusterId([4; 16]),
            generation: 3,
            keys: BTreeMap::from([(node("charlie"), Pin([5; 32]))]),
        }),
    }
}

#[test]
fn marks_come_back_and_a_record_without_any_is_what_it_was() {
    let bytes = record::encode_marked(&alone(), &full());
    assert_eq!(record::decode_marked(&bytes, &charter_of), Ok((alone(), full())));
    assert_eq!(record::decode(&bytes, &charter_of), Ok(alone()));
    let plain = record::encode(&alone());
    assert!(!String::from_utf8(plain.clone()).unwrap().contains("marks"));
    assert_eq!(record::decode_marked(&plain, &charter_of), Ok((alone(), Marks::default())));
}

#[test]
fn a_backup_comes_back_and_one_damaged_byte_is_noticed() {
    let backup = Backup::of(&alone(), "2026-01-02".into());
    let bytes = backup.encode();
    assert_eq!(Backup::decode(&bytes, &charter_of), Ok(backup));
    assert!(Backup::is_in(&bytes) && !Backup::is_in(&record::encode(&alone())));
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1;
        assert!(Backup::decode(&damaged, &charter_of).is_err(), "{at}");
    }
    let later = String::from_utf8(bytes).unwrap().replacen(" 1 ", " 2 ", 1);
    let outcome = Backup::decode(later.as_bytes(), &charter_of);
    assert_eq!(outcome, Err(RecordError::NewerVersion(2)));
}

#[test]
fn only_what_is_known_at_both_times_tells_places_apart() {
    let full = full().binding;
    let none = Binding::default();
    assert!(differences(&full, &none).is_empty() && differences(&none, &full).is_empty());
    let other = Binding { machine: Some("cc".into()), inode: None, ..full.clone() };
    assert_eq!(differences(&full, &other), ["another machine-id"]);
    let copied = Binding { inode: Some(8), product: None, ..full.clone() };
    assert_eq!(differences(&full, &copied), ["a directory that was made anew"]);
    assert_eq!(joined(full.clone(), none), full);
    assert_eq!(joined(full.clone(), other).inode, Some(7));
    let workshop = Workshop::new();
    let storage = StorageId([1; 16]);
    let found = here(&workshop.directory(), storage);
    assert_eq!(found, here(&workshop.directory(), storage), "the same place twice");
    let elsewhere = here(&workshop.directory(), StorageId([2; 16]));
    assert!(found.machine.is_none() || found.machine != elsewhere.machine, "no id to follow");
}

#[test]
fn only_the_disks_that_vote_are_remembered_and_never_by_less_than_before() {
    let annex = Annex::default();
    let (bravo, disk, other) = (node("bravo"), StorageId([1; 16]), StorageId([2; 16]));
    annex.saw(&bravo, disk, 5);
    assert_eq!(annex.seen(&bravo), None, "it has no vote");
    annex.set_voters([(bravo.clone(), disk)].into());
    annex.saw(&bravo, disk, 5);
    annex.saw(&bravo, disk, 4);
    annex.saw(&bravo, other, 90);
    assert_eq!(annex.seen(&bravo), Some(Seen { storage: disk, sequence: 5 }));
    assert!(annex.has_changed());
    annex.set_voters([(bravo.clone(), other)].into());
    assert_eq!(annex.seen(&bravo), None, "that disk votes no more");
    assert!(annex.suspend("first") && !annex.suspend("second"));
    assert_eq!(annex.suspended().as_deref(), Some("first"));
}
