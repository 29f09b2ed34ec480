//! Whoever holds everybody back before this node acts: the hardware watchdog, the `fence` hook.
//! Never decides when to open; they do.

use std::sync::{Arc, OnceLock};

use super::Driver;
use crate::daemon::holders::Gate;
use crate::daemon::waiting::Bell;
use crate::protocol::units::Term;

impl Driver {
    /// From now on nothing acts before `let_act` of this gate, and orders ring `bell`. Called once
    /// for each, before the first `deliver`.
    pub fn hold_back(&self, gate: Gate, bell: &Arc<Bell>) {
        let place = match gate {
            Gate::Watchdog => &self.watchdog_bell,
            Gate::Fence => &self.fence_bell,
        };
        assert!(place.set(Arc::clone(bell)).is_ok(), "a driver has each gate once");
        self.lock().holders.hold_back(gate);
    }

    /// The term in which this gate holds everything back; takes the lock for a moment.
    pub fn held_by(&self, gate: Gate) -> Option<Term> {
        self.lock().holders.held_by(gate)
    }

    pub(super) fn ring_gates(&self) {
        for bell in [&self.watchdog_bell, &self.fence_bell].into_iter().filter_map(OnceLock::get) {
            bell.ring();
        }
    }

    /// What is held back in `term` may act, as far as this gate goes.
    pub fn let_act(&self, gate: Gate, term: Term) {
        let mut core = self.lock();
        if let Some(span) = core.holders.let_act(gate, term) {
            self.acting.open(term, span.until);
        }
    }
}
