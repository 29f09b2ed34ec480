//! Owns the hooks of node.yaml as they are now: a reload replaces them, and the next run uses
//! them. Never touches a run under way.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::daemon::holders::Mailbox;
use crate::daemon::hooks::conductor::Policy;
use crate::settings::hooks::Hooks;

/// The newest hooks, and the bell of whoever runs them.
#[derive(Debug)]
pub struct Book {
    newest: Mutex<Arc<Hooks>>,
    mailbox: Arc<Mailbox>,
}

impl Book {
    /// With these, until others are set.
    #[must_use]
    pub fn new(hooks: Hooks, mailbox: Arc<Mailbox>) -> Self {
        Self { newest: Mutex::new(Arc::new(hooks)), mailbox }
    }

    /// From the next run on.
    pub fn set(&self, hooks: Hooks) {
        *self.newest.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(hooks);
        self.mailbox.bell().ring();
    }

    /// The newest ones.
    #[must_use]
    pub fn read(&self) -> Arc<Hooks> {
        Arc::clone(&self.newest.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Where mastership is told.
    pub(crate) fn mailbox(&self) -> &Arc<Mailbox> {
        &self.mailbox
    }
}

/// What decides anything of them.
#[must_use]
pub fn policy(hooks: &Hooks, kill_time: Duration) -> Policy {
    Policy {
        has_master: hooks.master.is_some(),
        has_backup: hooks.backup.is_some(),
        has_no_quorum: hooks.no_quorum.is_some(),
        retries: hooks.retries,
        on_fail: hooks.on_fail,
        kill_time,
    }
}
