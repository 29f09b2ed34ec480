//! Owns texts that cost something to make: one thread at a time makes one, and those who come
//! meanwhile, or shortly after, are given the same (H56).
//! Never gives an old text, and never lets anybody wait for long behind one that is stuck.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::daemon::waiting::Deadline;

/// How long anybody waits for a text that another thread makes.
const PATIENCE: Duration = Duration::from_secs(1);

/// One text.
#[derive(Debug)]
pub(super) struct Shelf {
    good_for: Duration,
    state: Mutex<State>,
    made: Condvar,
}

#[derive(Debug, Default)]
struct State {
    text: Option<Text>,
    is_being_made: bool,
}

#[derive(Debug)]
struct Text {
    until: Deadline,
    edition: u64,
    text: Arc<str>,
}

impl Shelf {
    /// Whose text is good for that long.
    pub(super) fn new(good_for: Duration) -> Self {
        Self { good_for, state: Mutex::default(), made: Condvar::new() }
    }

    /// The text of `edition`; `make` is called if there is none that is good. Nothing if another
    /// thread is stuck in making one.
    pub(super) fn read(&self, edition: u64, make: impl FnOnce() -> String) -> Option<Arc<str>> {
        let is_busy = |state: &mut State| state.is_being_made && state.good(edition).is_none();
        let waited = self.made.wait_timeout_while(self.lock(), PATIENCE, is_busy);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner).0;
        if let Some(text) = state.good(edition) {
            return Some(text);
        }
        if state.is_being_made {
            return None;
        }
        state.is_being_made = true;
        drop(state);
        // Good from when making it began: what it says is at least that old.
        let until = Deadline::after(self.good_for);
        let text: Arc<str> = make().into();
        let made = Text { until, edition, text: Arc::clone(&text) };
        *self.lock() = State { text: Some(made), is_being_made: false };
        self.made.notify_all();
        Some(text)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn good(&self, edition: u64) -> Option<Arc<str>> {
        let text = self.text.as_ref().filter(|text| text.edition == edition)?;
        (!text.until.has_passed()).then(|| Arc::clone(&text.text))
    }
}
