//! The disk: what a state file must be, what a failure does, who may have the directory.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::sync::Mutex;

use quorate::daemon::directory::Directory;
use quorate::daemon::failure::{self, Failure};
use quorate::daemon::identity;
use quorate::daemon::network::Delivery;
use quorate::daemon::store::{STATE_FILE_MAX, Store, StoreQueue};
use quorate::protocol::effects::Input;
use quorate::wire::marks::Marks;
use quorate::wire::record;

use super::workshop::{Workshop, alone, charter_of, chmod, later};

fn load(workshop: &Workshop) -> Result<Store, Failure> {
    Store::load(Directory::open(&workshop.state_path())?, charter_of)
}

/// A directory whose `state` is `bytes`, and why that is refused.
fn refusal_of(bytes: &[u8]) -> Failure {
    let workshop = Workshop::new();
    drop(workshop.directory());
    let path = workshop.state_path().join("state");
    fs::write(&path, bytes).unwrap();
    chmod(&path, 0o600);
    let failure = load(&workshop).unwrap_err();
    assert_eq!(fs::read(&path).unwrap(), bytes, "a refused file is left as it is");
    failure
}

#[test]
fn a_state_comes_back_as_it_was_written() {
    let workshop = Workshop::new();
    let mut store = workshop.store(alone());
    let record = later(&alone());
    store.write(record.clone()).unwrap();
    drop(store);
    assert_eq!(*load(&workshop).unwrap().last(), record);
}

#[test]
fn a_start_writes_the_state_back_one_sequence_later() {
    let workshop = Workshop::new();
    drop(workshop.store(alone()));
    load(&workshop).unwrap().rewrite().unwrap();
    assert_eq!(load(&workshop).unwrap().last().sequence, alone().sequence + 1);
}

#[test]
fn the_directory_and_the_state_are_private() {
    let workshop = Workshop::new();
    let store = workshop.store(alone());
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(store.directory().path()), 0o700);
    assert_eq!(mode(&store.directory().path().join("state")), 0o600);
}

#[test]
fn a_missing_state_says_how_to_found_one() {
    let workshop = Workshop::new();
    identity::new_storage(&workshop.directory()).unwrap();
    let failure = load(&workshop).unwrap_err();
    assert_eq!(failure.code, failure::NO_INPUT);
    assert!(failure.message.contains("quorate init --from cluster.yaml"), "{failure}");
}

#[test]
fn a_state_that_may_be_lost_is_not_to_be_founded_again() {
    let workshop = Workshop::new();
    drop(workshop.directory());
    let failure = load(&workshop).unwrap_err();
    assert_eq!(failure.code, failure::NO_INPUT);
    assert!(failure.message.contains("its votes are lost with its disk"), "{failure}");
}

#[test]
fn a_missing_directory_says_to_run_init() {
    let failure = load(&Workshop::new()).unwrap_err();
    assert_eq!(failure.code, failure::NO_INPUT);
    assert!(failure.message.contains("quorate init"), "{failure}");
}

#[test]
fn a_truncated_file_is_refused() {
    let whole = record::encode(&alone());
    for length in [0, 1, 20, whole.len() / 2, whole.len() - 1] {
        let failure = refusal_of(&whole[..length]);
        assert_eq!(failure.code, failure::BAD_DATA);
        assert!(failure.message.contains("votes are lost"), "{failure}");
    }
}

#[test]
fn a_file_with_one_changed_byte_is_refused() {
    let whole = record::encode(&alone());
    for at in (0..whole.len()).step_by(7) {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        assert_eq!(refusal_of(&bytes).code, failure::BAD_DATA, "byte {at}");
    }
}

#[test]
fn a_foreign_file_is_refused() {
    assert_eq!(refusal_of(b"[Unit]\nDescription=something else\n").code, failure::BAD_DATA);
}

#[test]
fn a_file_of_a_newer_release_is_refused_without_talk_of_loss() {
    let whole = String::from_utf8(record::encode(&alone())).unwrap();
    let newer = whole.replacen(" 1 ", " 2 ", 1);
    let failure = refusal_of(newer.as_bytes());
    assert!(failure.message.contains("later release"), "{failure}");
    assert!(!failure.message.contains("lost"), "{failure}");
}

#[test]
fn a_file_beyond_the_limit_is_refused_unread() {
    let length = usize::try_from(STATE_FILE_MAX).unwrap() + 1;
    assert!(refusal_of(&vec![b'x'; length]).message.contains("larger"));
}

#[test]
fn a_symbolic_link_is_refused() {
    let workshop = Workshop::new();
    drop(workshop.store(alone()));
    let state = workshop.state_path().join("state");
    fs::rename(&state, workshop.path("elsewhere")).unwrap();
    symlink(workshop.path("elsewhere"), &state).unwrap();
    assert!(load(&workshop).unwrap_err().message.contains("symbolic link"));
}

#[test]
fn a_fifo_is_refused_without_waiting_for_its_writer() {
    let workshop = Workshop::new();
    drop(workshop.directory());
    let state = workshop.state_path().join("state");
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    rustix::fs::mknodat(rustix::fs::CWD, &state, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    assert!(load(&workshop).unwrap_err().message.contains("not a plain file"));
}

#[test]
fn a_directory_in_place_of_the_state_is_refused() {
    let workshop = Workshop::new();
    drop(workshop.directory());
    fs::create_dir(workshop.state_path().join("state")).unwrap();
    assert!(load(&workshop).unwrap_err().message.contains("not a plain file"));
}

#[test]
fn a_state_that_others_may_read_is_refused() {
    let workshop = Workshop::new();
    drop(workshop.store(alone()));
    chmod(&workshop.state_path().join("state"), 0o644);
    let failure = load(&workshop).unwrap_err();
    assert_eq!(failure.code, failure::NO_PERMISSION);
    assert!(failure.message.contains("chmod 600"), "{failure}");
}

#[test]
fn a_directory_that_others_may_write_is_refused() {
    let workshop = Workshop::new();
    drop(workshop.store(alone()));
    chmod(&workshop.state_path(), 0o770);
    assert_eq!(load(&workshop).unwrap_err().code, failure::NO_PERMISSION);
}

#[test]
fn a_directory_that_others_may_only_read_is_made_private() {
    let workshop = Workshop::new();
    drop(workshop.store(alone()));
    chmod(&workshop.state_path(), 0o755);
    load(&workshop).unwrap();
    let mode = fs::metadata(workshop.state_path()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[test]
fn a_second_user_of_the_directory_is_told_who_has_it() {
    let workshop = Workshop::new();
    let _first = workshop.store(alone());
    let failure = Directory::open(&workshop.state_path()).unwrap_err();
    assert_eq!(failure.code, failure::TRY_AGAIN);
    let pid = std::process::id().to_string();
    assert!(failure.message.contains(&pid), "{failure}");
}

#[test]
fn a_second_state_is_never_founded_over_the_first() {
    let workshop = Workshop::new();
    drop(workshop.store(alone()));
    let failure = Store::found(workshop.directory(), alone(), Marks::default()).unwrap_err();
    assert_eq!(failure.code, failure::CANNOT_CREATE);
}

#[test]
fn the_leftover_of_a_crash_does_not_hinder_the_next_write() {
    let workshop = Workshop::new();
    let mut store = workshop.store(alone());
    fs::write(workshop.state_path().join("unfinished"), b"half").unwrap();
    store.write(later(&alone())).unwrap();
    assert!(!workshop.state_path().join("unfinished").exists());
}

#[test]
fn another_directory_in_place_of_ours_fails_the_write() {
    let workshop = Workshop::new();
    let mut store = workshop.store(alone());
    fs::rename(workshop.state_path(), workshop.path("moved")).unwrap();
    fs::create_dir(workshop.state_path()).unwrap();
    let failure = store.write(later(&alone())).unwrap_err();
    assert!(failure.message.contains("another directory"), "{failure}");
    assert_eq!(fs::read_dir(workshop.state_path()).unwrap().count(), 0);
}

#[test]
fn after_one_failure_nothing_is_written_any_more() {
    let workshop = Workshop::new();
    let mut store = workshop.store(alone());
    fs::rename(workshop.state_path(), workshop.path("moved")).unwrap();
    let first = store.write(later(&alone())).unwrap_err();
    fs::rename(workshop.path("moved"), workshop.state_path()).unwrap();
    assert_eq!(store.write(later(&alone())).unwrap_err(), first);
    drop(store);
    assert_eq!(*load(&workshop).unwrap().last(), alone());
}

#[derive(Default)]
struct Listener(Mutex<Vec<Input>>);

impl Delivery for Listener {
    fn deliver(&self, input: Input) {
        self.0.lock().unwrap().push(input);
    }
}

#[test]
fn a_newer_record_replaces_one_that_was_not_written_yet() {
    let workshop = Workshop::new();
    let store = workshop.store(alone());
    let (queue, records) = StoreQueue::new();
    let [second, third] = [later(&alone()), later(&later(&alone()))];
    queue.put(second);
    queue.put(third.clone());
    drop(queue);
    let listener = Listener::default();
    store.run(&records, &listener, || true);
    let sequence = third.sequence;
    assert_eq!(*listener.0.lock().unwrap(), [Input::Persisted { sequence }]);
    assert_eq!(*load(&workshop).unwrap().last(), third);
}

#[test]
fn a_failed_write_is_told_to_the_node_in_words() {
    let workshop = Workshop::new();
    let store = workshop.store(alone());
    fs::rename(workshop.state_path(), workshop.path("moved")).unwrap();
    let (queue, records) = StoreQueue::new();
    queue.put(later(&alone()));
    drop(queue);
    let listener = Listener::default();
    store.run(&records, &listener, || true);
    let told = listener.0.lock().unwrap();
    assert!(matches!(&told[..], [Input::PersistFailed { error }] if error.contains("is gone")));
}

#[test]
fn a_probe_writes_the_same_record_and_is_the_last_write_if_it_fails() {
    let workshop = Workshop::new();
    let mut store = workshop.store(alone());
    let inode = || {
        use std::os::unix::fs::MetadataExt;
        fs::metadata(workshop.state_path().join("state")).unwrap().ino()
    };
    let before = inode();
    store.probe().unwrap();
    assert_ne!(inode(), before, "it was written anew");
    assert_eq!(store.writing().since(), None, "and is done");
    fs::rename(workshop.state_path(), workshop.path("moved")).unwrap();
    let failure = store.probe().unwrap_err();
    fs::rename(workshop.path("moved"), workshop.state_path()).unwrap();
    assert_eq!(store.probe().unwrap_err(), failure);
    assert_eq!(store.write(later(&alone())).unwrap_err(), failure);
    drop(store);
    assert_eq!(*load(&workshop).unwrap().last(), alone());
}

#[test]
fn a_full_disk_is_told_with_what_to_do() {
    let error = std::io::Error::from(rustix::io::Errno::NOSPC);
    let failure = Failure::of_system(failure::IO, "cannot write", &error);
    assert_eq!(failure.code, failure::IO);
    assert!(failure.message.contains("make room"), "{failure}");
}
