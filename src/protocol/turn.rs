//! What a role asks its node to become. Never does it: only `node` composes roles.

use core::time::Duration;

use crate::protocol::message::Released;
use crate::protocol::units::{Moment, Term};

/// The outcome of a role's reaction.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Turn {
    /// Nothing changes.
    Stay,
    /// Follow, or wait for somebody to follow.
    Follow(Patience),
    /// Ask for votes, with the release that made room, if there is one.
    Stand(Option<Released>),
    /// Lead the term just won.
    Lead(Victory),
}

/// How long a follower leaves the field to others, beyond its normal delay.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Patience {
    /// No candidacy before this.
    pub(crate) floor: Moment,
    /// Failed attempts in a row so far.
    pub(crate) fails: u32,
    /// Whether to skip the delay by rank once (R17).
    pub(crate) is_eager: bool,
}

impl Patience {
    pub(crate) fn from(floor: Moment) -> Self {
        Self { floor, fails: 0, is_eager: false }
    }
}

/// How a term was won.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Victory {
    /// The term.
    pub(crate) term: Term,
    /// Failed attempts before this one.
    pub(crate) fails: u32,
    /// From the last sign of the old master to standing.
    pub(crate) detect: Duration,
    /// From standing to winning.
    pub(crate) vote: Duration,
}
