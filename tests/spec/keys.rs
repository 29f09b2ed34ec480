//! The files of a node's key: they come back the same, and others never had them.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;

use quorate::daemon::spare_keys::SpareKeys;
use quorate::daemon::tls::{KeyError, Keys};
use quorate::protocol::units::Pin;

use super::wire::id;

/// A directory with a saved key.
struct Saved {
    _root: tempfile::TempDir,
    dir: PathBuf,
    keys: Keys,
}

impl Saved {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("keys");
        let keys = Keys::generate(&id("alpha"));
        keys.save(&dir).unwrap();
        Self { _root: root, dir, keys }
    }

    fn key(&self) -> PathBuf {
        self.dir.join("node.key")
    }

    fn certificate(&self) -> PathBuf {
        self.dir.join("node.crt")
    }

    fn refusal(&self) -> KeyError {
        let error = Keys::load(&self.dir).unwrap_err();
        assert!(error.to_string().contains("node."), "{error}");
        error
    }
}

#[test]
fn a_key_comes_back_from_disk_and_is_ours_alone() {
    let saved = Saved::new();
    assert_eq!(Keys::load(&saved.dir).unwrap().pin(), saved.keys.pin());
    let mode = |path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!([mode(saved.dir.clone()), mode(saved.key())], [0o700, 0o600]);
    assert_eq!(fs::read_dir(&saved.dir).unwrap().count(), 2, "nothing unfinished is left");
}

#[test]
fn two_keys_have_two_pins() {
    assert_ne!(Keys::generate(&id("alpha")).pin(), Keys::generate(&id("alpha")).pin());
}

#[test]
fn a_key_is_never_overwritten() {
    let saved = Saved::new();
    let error = Keys::generate(&id("alpha")).save(&saved.dir).unwrap_err();
    assert!(matches!(error, KeyError::Exists(_)), "{error}");
    assert_eq!(Keys::load(&saved.dir).unwrap().pin(), saved.keys.pin());
}

#[test]
fn a_key_that_others_may_read_is_refused() {
    for mode in [0o640, 0o604, 0o666] {
        let saved = Saved::new();
        fs::set_permissions(saved.key(), Permissions::from_mode(mode)).unwrap();
        assert!(matches!(saved.refusal(), KeyError::TooOpen { mode: found, .. } if found == mode));
    }
}

#[test]
fn a_link_or_directory_in_place_of_a_key_is_refused() {
    let saved = Saved::new();
    let elsewhere = saved.dir.join("elsewhere");
    fs::rename(saved.key(), &elsewhere).unwrap();
    symlink(&elsewhere, saved.key()).unwrap();
    assert!(matches!(saved.refusal(), KeyError::NotAFile(_)));
    fs::remove_file(saved.key()).unwrap();
    fs::create_dir(saved.key()).unwrap();
    assert!(matches!(saved.refusal(), KeyError::NotAFile(_)));
}

#[test]
fn a_certificate_of_another_key_is_refused() {
    let (saved, other) = (Saved::new(), Saved::new());
    fs::copy(other.certificate(), saved.certificate()).unwrap();
    assert!(matches!(saved.refusal(), KeyError::Mismatch(_)));
}

#[test]
fn a_missing_cut_or_foreign_key_is_told_apart() {
    let saved = Saved::new();
    let whole = fs::read(saved.key()).unwrap();
    for part in [&whole[..0], &whole[..whole.len() / 2], b"not a key\n", &[b'x'; 20_000]] {
        fs::write(saved.key(), part).unwrap();
        assert!(matches!(saved.refusal(), KeyError::Malformed(..)));
    }
    fs::remove_file(saved.key()).unwrap();
    assert!(matches!(saved.refusal(), KeyError::Missing(_)));
}

#[test]
fn a_lost_certificate_is_made_again_from_its_key() {
    let saved = Saved::new();
    fs::remove_file(saved.certificate()).unwrap();
    assert!(matches!(saved.refusal(), KeyError::Missing(_)));
    let mended = Keys::mend(&saved.dir, &id("alpha")).unwrap();
    assert_eq!(mended.pin(), saved.keys.pin());
    assert_eq!(Keys::load(&saved.dir).unwrap().pin(), saved.keys.pin());
}

#[test]
fn a_certificate_without_its_key_gives_way_to_a_new_pair() {
    let saved = Saved::new();
    fs::remove_file(saved.key()).unwrap();
    let new = Keys::generate(&id("alpha"));
    new.save(&saved.dir).unwrap();
    assert_eq!(Keys::load(&saved.dir).unwrap().pin(), new.pin());
}

#[test]
fn no_key_is_written_where_its_certificate_cannot_be() {
    let saved = Saved::new();
    fs::remove_file(saved.key()).unwrap();
    fs::remove_file(saved.certificate()).unwrap();
    fs::create_dir(saved.certificate()).unwrap();
    let error = Keys::generate(&id("alpha")).save(&saved.dir).unwrap_err();
    assert!(matches!(error, KeyError::NotAFile(_)), "{error}");
    assert!(!Keys::is_in(&saved.dir));
}

/// A change of key that was begun in such a directory: the next key, and its pin.
fn begun(saved: &Saved) -> (SpareKeys, Pin) {
    let spare = SpareKeys::new(&saved.dir, &id("alpha"));
    assert!(spare.next().unwrap().is_none() && !spare.has_old());
    let pin = spare.make_next().unwrap().pin();
    assert_eq!(spare.make_next().unwrap().pin(), pin, "one that was begun goes on");
    (spare, pin)
}

/// F81
#[test]
fn a_next_key_takes_the_place_of_the_present_one_and_the_old_one_is_kept_until_it_is_let_go() {
    let saved = Saved::new();
    let (spare, next) = begun(&saved);
    let mode = fs::metadata(saved.dir.join("node.key.next")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(Keys::load(&saved.dir).unwrap().pin(), saved.keys.pin(), "not yet");
    assert_eq!(spare.advance().unwrap().pin(), next);
    assert_eq!(Keys::load(&saved.dir).unwrap().pin(), next);
    assert!(spare.next().unwrap().is_none() && spare.has_old());
    assert!(spare.made_ms().is_some());
    spare.forget_old().unwrap();
    spare.forget_old().unwrap();
    assert_eq!(fs::read_dir(&saved.dir).unwrap().count(), 2, "nothing is left");
}

/// F81
#[test]
fn a_change_of_key_that_is_broken_off_anywhere_is_gone_on_with() {
    let saved = Saved::new();
    let (spare, next) = begun(&saved);
    // Killed after the old key got its second name.
    fs::hard_link(saved.key(), saved.dir.join("node.key.old")).unwrap();
    spare.settle().unwrap();
    assert_eq!(Keys::load(&saved.dir).unwrap().pin(), saved.keys.pin());
    assert_eq!(spare.next().unwrap().unwrap().pin(), next);
    // Killed after the new key got its place, before its certificate did.
    fs::rename(saved.dir.join("node.key.next"), saved.key()).unwrap();
    assert!(matches!(Keys::load(&saved.dir), Err(KeyError::Mismatch(_))));
    spare.settle().unwrap();
    assert_eq!(Keys::load(&saved.dir).unwrap().pin(), next);
}

#[test]
fn a_certificate_of_another_key_is_not_made_to_fit_where_no_key_changes() {
    let saved = Saved::new();
    let other = Saved::new();
    fs::copy(other.key(), saved.key()).unwrap();
    let spare = SpareKeys::new(&saved.dir, &id("alpha"));
    spare.settle().unwrap();
    assert!(matches!(Keys::load(&saved.dir), Err(KeyError::Mismatch(_))));
}
