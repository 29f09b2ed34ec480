//! What a power cut may leave of one write, in every legal way, and what a start makes of it (R1).
//!
//! A file system owes nothing before an fsync: of the steps since the last one, any may be on disk
//! without the others, and a file may hold anything that was on its way. `tests/process` shows that
//! a real daemon writes in these steps.

use std::fs;

use quorate::daemon::directory::Directory;
use quorate::daemon::failure;
use quorate::daemon::store::Store;
use quorate::wire::record;

use super::workshop::{Workshop, alone, charter_of, chmod, later};

/// One step of a write.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Step {
    RemoveLeftover,
    Create,
    Write,
    SyncFile,
    Rename,
    SyncDirectory,
}

impl Step {
    /// The system call it is made by.
    pub(crate) fn call(self) -> &'static str {
        match self {
            Self::RemoveLeftover => "unlink",
            Self::Create => "open",
            Self::Write => "write",
            Self::SyncFile | Self::SyncDirectory => "fsync",
            Self::Rename => "rename",
        }
    }
}

/// How one record is written.
pub(crate) const STEPS: [Step; 6] = [
    Step::RemoveLeftover,
    Step::Create,
    Step::Write,
    Step::SyncFile,
    Step::Rename,
    Step::SyncDirectory,
];

/// What is in the directory after a power cut.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Image {
    state: Vec<u8>,
    unfinished: Option<Vec<u8>>,
}

/// Everything that a power cut after `done` may leave where `old` was and `new` was being written.
fn images(done: &[Step], old: &Image, new: &[u8]) -> Vec<Image> {
    let is_entry = |step: &Step| matches!(step, Step::RemoveLeftover | Step::Create | Step::Rename);
    let entries: Vec<Step> = done.iter().copied().filter(is_entry).collect();
    let is_settled = done.contains(&Step::SyncDirectory);
    let mut found = Vec::new();
    for content in contents(done, new) {
        for chosen in 0..1_u32 << entries.len() {
            if is_settled && chosen + 1 != 1 << entries.len() {
                continue;
            }
            let mut image = old.clone();
            let on_disk = entries.iter().enumerate().filter(|(at, _)| chosen & (1 << at) != 0);
            for (_, step) in on_disk {
                match step {
                    Step::RemoveLeftover => image.unfinished = None,
                    Step::Create => image.unfinished = Some(content.clone()),
                    Step::Rename => {
                        image.state.clone_from(&content);
                        image.unfinished = None;
                    }
                    Step::Write | Step::SyncFile | Step::SyncDirectory => {}
                }
            }
            found.push(image);
        }
    }
    found.sort();
    found.dedup();
    found
}

/// What the new file may hold.
fn contents(done: &[Step], new: &[u8]) -> Vec<Vec<u8>> {
    if done.contains(&Step::SyncFile) {
        return vec![new.to_vec()];
    }
    if !done.contains(&Step::Write) {
        return vec![Vec::new()];
    }
    let zeros = vec![0; new.len()];
    let head = new[..new.len() / 2].to_vec();
    let hole = [&zeros[..new.len() / 2], &new[new.len() / 2..]].concat();
    vec![Vec::new(), head, zeros, hole, new[..new.len() - 3].to_vec(), new.to_vec()]
}

/// Starts on `image`; whether the old or the new record came back, and could be written on.
fn survives(image: &Image) -> bool {
    let workshop = Workshop::new();
    drop(workshop.directory());
    let put = |name: &str, bytes: &[u8]| {
        let path = workshop.state_path().join(name);
        fs::write(&path, bytes).unwrap();
        chmod(&path, 0o600);
    };
    put("state", &image.state);
    if let Some(bytes) = &image.unfinished {
        put("unfinished", bytes);
    }
    let directory = Directory::open(&workshop.state_path()).unwrap();
    match Store::load(directory, charter_of) {
        Ok(mut store) => {
            assert!([alone(), later(&alone())].contains(store.last()), "{:?}", store.last());
            store.rewrite().unwrap();
            true
        }
        Err(refused) => {
            assert_eq!(refused.code, failure::BAD_DATA, "{refused}");
            false
        }
    }
}

/// All images of all power cuts while `steps` are taken, by whether a start survives them.
fn cuts(steps: &[Step]) -> (usize, usize) {
    let new = record::encode(&later(&alone()));
    let leftovers = [None, Some(new[..new.len() / 3].to_vec())];
    let olds = leftovers.map(|unfinished| Image { state: record::encode(&alone()), unfinished });
    let mut all = Vec::new();
    for old in &olds {
        all.extend((0..=steps.len()).flat_map(|count| images(&steps[..count], old, &new)));
    }
    all.sort();
    all.dedup();
    let sound = all.iter().filter(|image| survives(image)).count();
    (sound, all.len() - sound)
}

/// F50
#[test]
fn no_power_cut_leaves_anything_but_the_old_or_the_new_record() {
    let (sound, refused) = cuts(&STEPS);
    assert!(sound >= 8, "only {sound} images");
    assert_eq!(refused, 0, "of {sound} and these");
}

/// F50, F51
#[test]
fn a_write_without_its_fsync_would_be_caught_by_its_checksum() {
    let steps = STEPS.map(|step| if step == Step::SyncFile { Step::Write } else { step });
    let (sound, refused) = cuts(&steps);
    assert!(sound > 0 && refused > 0, "{sound} sound, {refused} refused");
}

/// F50, R1
#[test]
fn after_the_last_fsync_only_the_new_record_is_left() {
    let new = record::encode(&later(&alone()));
    let old = Image { state: record::encode(&alone()), unfinished: Some(vec![0]) };
    let only = Image { state: new.clone(), unfinished: None };
    assert_eq!(images(&STEPS, &old, &new), [only]);
}

/// F52
#[test]
fn a_record_with_any_one_bit_flipped_is_refused() {
    let whole = record::encode(&alone());
    let mut bytes = whole.clone();
    for bit in 0..whole.len() * 8 {
        bytes[bit / 8] ^= 1 << (bit % 8);
        assert!(record::decode(&bytes, &charter_of).is_err(), "bit {bit}");
        bytes[bit / 8] ^= 1 << (bit % 8);
    }
    assert_eq!(bytes, whole);
}
