//! Tells by the processes that greet in one node's name whether there are two of it (R55): pure,
//! fed with greetings and the time. Never ends a session; `shared` does.
//!
//! Each process has a random number of its own, and a greeting is proof that it lives at that
//! moment. A process that greets again after another one has greeted lived beside it. One such
//! return may be a greeting that lay in a buffer while its sender died; two daemons return again
//! and again, since each ends the other's session.
//!
//! ```text
//! restart    A A A | B B B             B is new: it waits a second, then it is the node
//! two live   A | B | A | B ...         B waits, A returns, B returns, A returns: neither counts
//! one left   A | A | A ...             B was not heard for so long: A is the node again
//! ```

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crate::daemon::waiting::Deadline;
use crate::protocol::units::NodeId;

/// A process that takes the place of another one whose session is open, or that comes back, is
/// heard only after this: the other one calls again within that time, if it lives.
pub const PROBATION: Duration = Duration::from_secs(1);
/// So many returns are no accident.
const RETURNS_MAX: u32 = 3;
/// Returns further apart than this are accidents of different days.
const RETURNS_WITHIN: Duration = Duration::from_secs(60);
/// So many earlier processes of one node are remembered.
const FORMER_MAX: usize = 8;
/// One of two is taken to be gone when it was not heard for twice dead_after, and not for this:
/// a node that was refused calls again within two seconds.
pub const ALONE_MIN: Duration = Duration::from_secs(6);

/// What a greeting means.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Greeting {
    /// The process that is known, or the first one.
    Known,
    /// Another process than before: a restart, most likely.
    New,
    /// An earlier process, after another one had greeted: both may live.
    Returned,
    /// Two of them live. Neither counts.
    Doubled {
        /// Whether that is news.
        is_news: bool,
        /// Where the other one called from, or was called.
        other: String,
    },
    /// There were two, and this one is alone again.
    AloneAgain,
}

/// The processes of all peers.
#[derive(Debug, Default)]
pub struct Lives(BTreeMap<NodeId, Life>);

#[derive(Debug)]
struct Life {
    current: Heard,
    former: VecDeque<Heard>,
    returns: u32,
    returned_at: Option<Deadline>,
    is_doubled: bool,
}

#[derive(Clone, Debug)]
struct Heard {
    instance: u64,
    place: String,
    at: Deadline,
}

impl Lives {
    /// Process `instance` has greeted as `peer`, at `place`. Two stop being two when one was not
    /// heard for `patience`.
    pub fn greet(
        &mut self,
        peer: &NodeId,
        instance: u64,
        place: String,
        now: Deadline,
        patience: Duration,
    ) -> Greeting {
        let heard = Heard { instance, place, at: now };
        let Some(life) = self.0.get_mut(peer) else {
            let life = Life {
                current: heard,
                former: VecDeque::new(),
                returns: 0,
                returned_at: None,
                is_doubled: false,
            };
            self.0.insert(peer.clone(), life);
            return Greeting::Known;
        };
        let is_known = life.current.instance == instance;
        let has_returned = life.replace(heard);
        if life.is_doubled {
            return life.still_doubled(now, patience);
        }
        match (is_known, has_returned) {
            (true, _) => Greeting::Known,
            (false, false) => Greeting::New,
            (false, true) => life.returned(now),
        }
    }

    /// Whether `instance` was the last to greet as `peer`, and the only one.
    #[must_use]
    pub fn is_the_one(&self, peer: &NodeId, instance: u64) -> bool {
        self.0.get(peer).is_none_or(|life| !life.is_doubled && life.current.instance == instance)
    }

    /// Whether two live as `peer`.
    #[must_use]
    pub fn is_doubled(&self, peer: &NodeId) -> bool {
        self.0.get(peer).is_some_and(|life| life.is_doubled)
    }

    /// Who is doubled, and where both were heard.
    pub fn doubled(&self) -> impl Iterator<Item = (&NodeId, String)> {
        self.0.iter().filter(|(_, life)| life.is_doubled).map(|(peer, life)| {
            let other = life.former.back().map_or("", |other| &other.place);
            (peer, format!("{} and {other}", life.current.place))
        })
    }

    /// Forgets everybody else.
    pub fn keep(&mut self, is_kept: impl Fn(&NodeId) -> bool) {
        self.0.retain(|peer, _| is_kept(peer));
    }
}

impl Life {
    /// Puts `heard` in front; whether it had been there before another one.
    fn replace(&mut self, heard: Heard) -> bool {
        if self.current.instance == heard.instance {
            self.current = heard;
            return false;
        }
        let before = self.former.iter().position(|former| former.instance == heard.instance);
        before.map(|at| self.former.remove(at));
        let last = std::mem::replace(&mut self.current, heard);
        self.former.push_back(last);
        if self.former.len() > FORMER_MAX {
            self.former.pop_front();
        }
        before.is_some()
    }

    fn returned(&mut self, now: Deadline) -> Greeting {
        let is_recent = self.returned_at.is_some_and(|at| now.since(at) < RETURNS_WITHIN);
        self.returns = if is_recent { self.returns + 1 } else { 1 };
        self.returned_at = Some(now);
        if self.returns < RETURNS_MAX {
            return Greeting::Returned;
        }
        self.is_doubled = true;
        Greeting::Doubled { is_news: true, other: self.other() }
    }

    fn still_doubled(&mut self, now: Deadline, patience: Duration) -> Greeting {
        let is_alone = self.former.iter().all(|former| now.since(former.at) >= patience);
        if !is_alone {
            return Greeting::Doubled { is_news: false, other: self.other() };
        }
        self.former.clear();
        (self.is_doubled, self.returns, self.returned_at) = (false, 0, None);
        Greeting::AloneAgain
    }

    fn other(&self) -> String {
        self.former.back().map(|other| other.place.clone()).unwrap_or_default()
    }
}
