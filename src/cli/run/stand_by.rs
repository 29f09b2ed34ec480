//! Owns the keeper that gets ready while the front waits, so that a grant finds it ready.
//! Never starts one before the daemon has spoken: it tells what a front starts from then on from
//! what was there before.

use std::ffi::OsString;
use std::time::Duration;

use crate::keep;
use crate::keep::post::Waiting;
use crate::keep::tree::Tree;
use crate::protocol::units::Moment;

/// Who waits that long gets one ready: the machine has other things to do while masters change.
const READY_AFTER: Duration = Duration::from_millis(200);

/// What stands by in one conversation with the daemon.
#[derive(Default)]
pub(super) struct StandBy {
    /// The keeper, if it is there already and still.
    pub(super) keeper: Option<Waiting>,
    /// When to start it.
    pub(super) at: Option<Moment>,
}

impl StandBy {
    /// The waiting begins.
    pub(super) fn begin(&mut self) {
        self.at = Some(keep::now().after(READY_AFTER));
    }

    /// Buries what ended meanwhile, and starts a keeper for `cmd` when it is time. One that cannot
    /// be started now, or ends, is started with the grant.
    pub(super) fn look(&mut self, tree: &Tree, cmd: &[OsString]) {
        // Nothing of CMD lives; whatever is left of earlier keepers ends by itself.
        let _ = tree.bury(|pid, status| {
            let has_ended = status.exited() || status.signaled();
            self.keeper.take_if(|keeper| has_ended && keeper.pid() == pid);
        });
        if self.at.is_some_and(|at| keep::now().has_surely_reached(at)) {
            self.at = None;
            let started = Waiting::start(cmd);
            self.keeper = started.inspect_err(|why| log::debug!("no keeper yet: {why}")).ok();
        }
    }
}
