//! What the driver leaves behind after each turn, for those who never take the lock.
//! Never tells anything that another turn would have to take back: acting is the window's to say.

use std::sync::Arc;

use super::{Core, Driver};
use crate::daemon::notice::Notice;
use crate::daemon::tallies::Tallies;
use crate::protocol::status::Duty;
use crate::protocol::units::Moment;

impl Driver {
    /// The picture of this node as of its last turn, without the lock.
    pub fn notice(&self) -> Arc<Notice> {
        self.board.read()
    }

    /// What is counted of it, without the lock.
    pub fn tallies(&self) -> &Tallies {
        &self.tallies
    }

    pub(super) fn publish(&self, core: &Core, now: Moment) {
        let mut glance = core.node.glance(now);
        if core.holders.is_held() && glance.duty == Duty::Master {
            glance.duty = Duty::Winner;
        }
        let place = self.board.read().place;
        self.board.put(Notice { glance, place });
    }
}
