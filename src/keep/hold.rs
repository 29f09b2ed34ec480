//! Decides when what runs under mastership is asked to end and when it is killed.
//! Never does either, and reads no clock.

use core::time::Duration;

use crate::protocol::units::Moment;

/// What is to be done now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Act {
    /// Nothing.
    Rest,
    /// Ask all of it to end, once.
    Ask,
    /// Kill until nothing is left.
    Kill,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    Running,
    /// It has to be asked to end.
    Due,
    Asked,
    Killing,
}

/// One hold on mastership.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hold {
    phase: Phase,
    until: Moment,
    kill: Moment,
    grace: Option<Duration>,
}

impl Hold {
    /// It may run until `until`; what is left dies at `kill`, or `grace` after it was asked.
    #[must_use]
    pub fn new(until: Moment, kill: Moment, grace: Option<Duration>) -> Self {
        Self { phase: Phase::Running, until, kill, grace }
    }

    /// Whether anything may be started at `now`: power that may have ended has ended (R21).
    #[must_use]
    pub fn may_start(&self, now: Moment) -> bool {
        self.phase == Phase::Running && !now.may_have_reached(self.until)
    }

    /// Whether it may go on, as far as it was told.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.phase == Phase::Running
    }

    /// The end moved, later or earlier. Ending that has begun is not reversed (R32).
    pub fn extend(&mut self, now: Moment, until: Moment, kill: Moment) {
        self.look(now);
        if self.phase == Phase::Running {
            (self.until, self.kill) = (until, kill);
        }
    }

    /// It has to end, and what is left dies at `kill`, but never later than known before.
    pub fn stop(&mut self, now: Moment, kill: Moment) {
        self.kill = self.kill.earliest(kill);
        self.begin_to_end(now);
    }

    /// The rest of it has to end: its main program has, or nobody can extend it any more.
    pub fn end(&mut self, now: Moment) {
        self.begin_to_end(now);
    }

    /// It dies now.
    pub fn kill(&mut self) {
        self.phase = Phase::Killing;
    }

    /// What is to be done at `now`.
    #[must_use]
    pub fn turn(&mut self, now: Moment) -> Act {
        self.look(now);
        match self.phase {
            Phase::Running | Phase::Asked => Act::Rest,
            Phase::Due => {
                self.phase = Phase::Asked;
                Act::Ask
            }
            Phase::Killing => Act::Kill,
        }
    }

    /// When to take the next turn though nothing happens.
    #[must_use]
    pub fn wake(&self) -> Moment {
        if self.phase == Phase::Running { self.until } else { self.kill }
    }

    /// Follows the clocks; the moment to kill comes first, since a machine may have slept.
    fn look(&mut self, now: Moment) {
        if now.may_have_reached(self.kill) {
            self.phase = Phase::Killing;
        } else if now.may_have_reached(self.until) {
            self.begin_to_end(now);
        }
    }

    fn begin_to_end(&mut self, now: Moment) {
        if self.phase == Phase::Running {
            self.phase = Phase::Due;
            if let Some(grace) = self.grace {
                self.kill = self.kill.earliest(now.after(grace));
            }
        }
    }
}
