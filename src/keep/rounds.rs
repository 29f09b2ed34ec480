//! Decides how long to wait between two rounds of killing, and when people are told for whom.
//! Never waits and never kills: what the system holds may live for hours after it was killed.

use core::time::Duration;

use crate::protocol::units::Moment;

/// The pause at first: most of what is killed is dead by then.
const PAUSE_FIRST: Duration = Duration::from_millis(2);
/// The pause later on.
const PAUSE_LATER: Duration = Duration::from_millis(100);
/// What lives longer is held by the system.
const SOON: Duration = Duration::from_secs(1);
/// Between two words about it.
const TELL_AGAIN: Duration = Duration::from_secs(10);

/// The rounds of one killing.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Rounds {
    began: Option<Moment>,
    told: Option<Moment>,
}

impl Rounds {
    /// How long to wait after the round at `now`.
    #[must_use]
    pub fn pause(&mut self, now: Moment) -> Duration {
        let began = *self.began.get_or_insert(now);
        let is_late = now.has_surely_reached(began.after(SOON));
        if is_late { PAUSE_LATER } else { PAUSE_FIRST }
    }

    /// Whether people are to be told now, of what does not die.
    pub fn tells(&mut self, now: Moment) -> bool {
        let next = match (self.began, self.told) {
            (_, Some(told)) => told.after(TELL_AGAIN),
            (Some(began), None) => began.after(SOON),
            (None, None) => return false,
        };
        let is_time = now.has_surely_reached(next);
        if is_time {
            self.told = Some(now);
        }
        is_time
    }
}
