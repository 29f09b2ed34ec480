//! Owns what keeps this node from being a good master, from every source with its reason, and how
//! fresh its data is; tells the node when that changes (R67-R69).
//! Never weighs sources: one objection is enough. Never called while the driver's lock is held,
//! since it is held while the driver is called.

use std::sync::{Mutex, MutexGuard};

use crate::protocol::effects::Condition;
use crate::protocol::map::Map;

/// Who may object to this node as master.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Source {
    /// The health command.
    Health,
    /// The hooks: what ran as master before is not undone.
    Hooks,
    /// The hardware watchdog: it cannot be armed.
    Watchdog,
}

impl Source {
    /// The word of `status`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Health => "health",
            Self::Hooks => "hooks",
            Self::Watchdog => "watchdog",
        }
    }
}

#[derive(Debug)]
struct State {
    objections: Map<Source, String>,
    freshness: Option<u64>,
    told: Condition,
}

/// The one place where all sources meet.
pub struct Conditions {
    state: Mutex<State>,
    tell: Box<dyn Fn(Condition) + Send + Sync>,
}

impl std::fmt::Debug for Conditions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Conditions").field("state", &self.state).finish_non_exhaustive()
    }
}

impl Conditions {
    /// Nobody objects and nothing is known; `tell` hears of every change, one at a time and in
    /// order.
    pub fn new(tell: impl Fn(Condition) + Send + Sync + 'static) -> Self {
        let state =
            State { objections: Map::default(), freshness: None, told: Condition::default() };
        Self { state: Mutex::new(state), tell: Box::new(tell) }
    }

    /// `source` objects for this reason, whatever it said before.
    pub fn object(&self, source: Source, reason: impl Into<String>) {
        let mut state = self.lock();
        state.objections.insert(source, reason.into());
        self.pass_on(state);
    }

    /// `source` has nothing against this node any more.
    pub fn withdraw(&self, source: Source) {
        let mut state = self.lock();
        state.objections.remove(&source);
        self.pass_on(state);
    }

    /// The data is this fresh, or nobody knows.
    pub fn set_freshness(&self, freshness: Option<u64>) {
        let mut state = self.lock();
        state.freshness = freshness;
        self.pass_on(state);
    }

    /// Every objection, as `health: REASON`.
    #[must_use]
    pub fn objections(&self) -> Vec<String> {
        let state = self.lock();
        let shown = state.objections.iter();
        shown.map(|(source, reason)| format!("{}: {reason}", source.word())).collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("a panic under the lock ends the process")
    }

    /// Under the lock, so that the node hears of changes in their order.
    fn pass_on(&self, mut state: MutexGuard<'_, State>) {
        let is_healthy = state.objections.is_empty();
        let now = Condition { is_healthy, freshness: state.freshness };
        if now != state.told {
            state.told = now;
            (self.tell)(now);
        }
    }
}
