//! Owns the published picture of this node, for those who ask often and must not take the lock.
//! Never says whether this node acts: `acting` does, by the clock of whoever asks.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::protocol::membership::MemberRole;
use crate::protocol::node::Node;
use crate::protocol::status::Glance;
use crate::protocol::units::Moment;

/// What this node is by the committed document; it changes with that only.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    /// What it is for; none if the document does not name it.
    pub role: Option<MemberRole>,
    /// Whether it leaves the field to others.
    pub is_standby: bool,
    /// How often a node says something.
    pub heartbeat: Duration,
}

impl Place {
    /// That of `node`.
    #[must_use]
    pub fn of(node: &Node) -> Self {
        let charter = &node.committed().charter;
        let own = charter.members.find(&node.durable().identity.node);
        Self {
            role: own.map(|own| own.role),
            is_standby: own.is_some_and(|own| own.standby.is_some()),
            heartbeat: charter.timing.heartbeat(),
        }
    }
}

/// The picture, as of the last turn of the core.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Notice {
    /// What the node is doing.
    pub glance: Glance,
    /// What it is for.
    pub place: Place,
}

impl Notice {
    /// That of `node` at `now`.
    #[must_use]
    pub fn of(node: &Node, now: Moment) -> Self {
        Self { glance: node.glance(now), place: Place::of(node) }
    }
}

/// Where it hangs. Its lock is held for as long as copying a pointer takes.
#[derive(Debug)]
pub struct Board(Mutex<Arc<Notice>>);

impl Board {
    /// With a first picture.
    #[must_use]
    pub fn new(first: Notice) -> Self {
        Self(Mutex::new(Arc::new(first)))
    }

    /// The newest picture.
    #[must_use]
    pub fn read(&self) -> Arc<Notice> {
        Arc::clone(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Replaces the picture, if it shows something else.
    pub fn put(&self, notice: Notice) {
        if *self.read() != notice {
            let newest = Arc::new(notice);
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = newest;
        }
    }
}
