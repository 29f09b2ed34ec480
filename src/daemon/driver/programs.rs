//! The programs that act while this node does: they come, say what is gone, and leave.
//! Never decides what they may do; `holders` does.

use std::sync::Arc;
use std::time::Duration;

use super::Driver;
use crate::daemon::clock;
use crate::daemon::holders::{Due, HolderId, Mailbox};
use crate::protocol::effects::Input;
use crate::protocol::units::Term;

impl Driver {
    /// Takes in a program that wants to act while this node does; none when there is no room.
    pub fn join(&self, mailbox: &Arc<Mailbox>) -> Option<HolderId> {
        let kill_time = self.kill_time();
        self.lock().holders.join(mailbox, clock::now(), kill_time)
    }

    /// Takes in one that is granted nothing by mastership; none when there is no room.
    pub fn join_backup(&self, mailbox: &Arc<Mailbox>) -> Option<HolderId> {
        let kill_time = self.kill_time();
        self.lock().holders.join_idle(mailbox, clock::now(), kill_time)
    }

    /// How long killing may take.
    pub fn kill_time(&self) -> Duration {
        self.lock().node.committed().charter.timing.kill()
    }

    /// A program says that nothing of it that acted in `term` lives.
    pub fn gone(&self, id: HolderId, term: Term) {
        let mut core = self.lock();
        core.holders.gone(id, term);
        self.take(core, Input::Tick);
    }

    /// When a program that acts is surely dead, if all goes as it should.
    pub fn due(&self, id: HolderId) -> Option<Due> {
        let core = self.lock();
        core.holders.due(id, core.node.committed().charter.timing.kill())
    }

    /// A program's conversation ended, but somebody watches until it is gone.
    pub fn mourn(&self, id: HolderId) {
        self.lock().holders.mourn(id);
    }

    /// A program's conversation ended.
    pub fn left_holder(&self, id: HolderId) {
        let mut core = self.lock();
        core.holders.leave(id);
        self.take(core, Input::Tick);
    }
}
