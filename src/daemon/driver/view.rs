//! What people may see of the node: in short, or all of it at one moment.
//! Never changes anything.

use crate::daemon::clock;
use crate::daemon::driver::{Core, Driver};
use crate::protocol::durable::Document;
use crate::protocol::status::{Duty, Placing, Status};
use crate::protocol::units::Moment;

/// A node at one moment.
#[derive(Clone, Debug)]
pub struct View {
    /// All but the order of members.
    pub status: Status,
    /// Every member in the order in which they would lead.
    pub ranking: Vec<Placing>,
    /// The committed document.
    pub committed: Document,
}

impl Driver {
    /// All but the order of members; takes the lock for a moment.
    pub fn status(&self) -> Status {
        self.lock().status(clock::now())
    }

    /// All of it; takes the lock for a moment.
    pub fn view(&self) -> View {
        let (core, now) = (self.lock(), clock::now());
        View {
            status: core.status(now),
            ranking: core.node.ranking(now),
            committed: core.node.committed().clone(),
        }
    }
}

impl Core {
    /// While acting is held back, nobody is told of a master yet.
    fn status(&self, now: Moment) -> Status {
        let mut status = self.node.status(now);
        if self.holders.is_held() && status.duty == Duty::Master {
            (status.duty, status.acting_until) = (Duty::Winner, None);
        }
        status
    }
}
