//! Looks again and again at what tells nobody when it changes.
//! Never sleeps and hopes: it ends as soon as something is so, and fails long after it should be.

use std::fs;
use std::sync::mpsc::channel;
use std::time::Duration;

use super::clock::{PATIENCE, now};

/// Between two looks.
const BETWEEN_LOOKS: Duration = Duration::from_millis(10);

/// What `found` finds, as soon as it finds it.
pub(super) fn eventually<T>(what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    let started = now();
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(now() - started < PATIENCE, "not within {PATIENCE:?}: {what}");
        // Nobody speaks here: it only lets others run between two looks.
        let (_speaker, listener) = channel::<()>();
        assert!(listener.recv_timeout(BETWEEN_LOOKS).is_err());
    }
}

/// Every process that the system shows.
pub(super) fn pids() -> impl Iterator<Item = i32> {
    let all = fs::read_dir("/proc").unwrap().flatten();
    all.filter_map(|process| process.file_name().to_str()?.parse().ok())
}
