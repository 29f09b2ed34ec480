//! What runs under this node's own mastership, and the orders it gets.
//! Never decides whether it may run; the master does.

use crate::protocol::effects::{Alarm, Event, Order, StopReason};
use crate::protocol::mutant::Rule;
use crate::protocol::units::{Moment, Term};
use crate::protocol::voter::Voter;

/// What runs under this node's own mastership.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Activity {
    /// Nothing, and that is certain.
    Idle,
    /// It acts until either clock reaches `until`.
    Acting { term: Term, until: Moment },
    /// It was told to end and is not confirmed dead.
    Stopping { term: Term, kill: Moment, is_overdue: bool },
}

impl Activity {
    pub(crate) fn is_acting(&self) -> bool {
        matches!(self, Self::Acting { .. })
    }

    /// Whether it should be dead and is not.
    pub(crate) fn is_overdue(&self) -> bool {
        matches!(self, Self::Stopping { is_overdue: true, .. })
    }

    pub(crate) fn is_stopping(&self) -> bool {
        matches!(self, Self::Stopping { .. })
    }
}

impl Voter {
    pub(crate) fn start_acting(&mut self, term: Term, until: Moment) {
        let kill = self.kill_after(until);
        self.activity = Activity::Acting { term, until };
        self.effects.orders.push(Order::Start { term, until, kill });
    }

    /// When what should have stopped at `until` is killed (R31).
    fn kill_after(&self, until: Moment) -> Moment {
        until.after(self.timing().stop())
    }

    pub(crate) fn extend_acting(&mut self, until: Moment) {
        if let Activity::Acting { term, until: old } = self.activity
            && old != until
            && (until.latest(old) == until || self.keeps(Rule::LeaseOfPresentVoters))
        {
            let kill = self.kill_after(until);
            self.activity = Activity::Acting { term, until };
            self.effects.orders.push(Order::Extend { term, until, kill });
        }
    }

    /// Orders what acts to end, by `kill` at the latest (R31, R32); a past `kill` means at once.
    pub(crate) fn stop_acting(&mut self, reason: StopReason, kill: Moment, now: Moment) {
        let kill = kill.latest(now);
        if let Activity::Acting { term, .. } = self.activity {
            self.activity = Activity::Stopping { term, kill, is_overdue: false };
            self.effects.orders.push(Order::Stop { term, kill });
            self.event(Event::Demoted { term, reason });
        }
    }

    /// What acted in `term` is dead. If nobody told it to end, the master ends with it.
    pub(crate) fn stopped(&mut self, term: Term) {
        if matches!(self.activity, Activity::Acting { term: acting, .. } if acting == term) {
            self.activity = Activity::Idle;
            self.event(Event::Demoted { term, reason: StopReason::ActivityEnded });
        }
        if matches!(self.activity, Activity::Stopping { term: stopping, .. } if stopping == term) {
            self.activity = Activity::Idle;
            self.event(Event::StopConfirmed { term });
            if let Some(term) = self.pending_term.take() {
                self.ledger.adopt(term);
            }
        }
    }

    /// Alarms once when what should be dead is not confirmed dead in time (R31).
    pub(crate) fn watch_stop(&mut self, now: Moment) {
        if let Activity::Stopping { term, kill, is_overdue: false } = self.activity
            && now.may_have_reached(self.stop_overdue_at(kill))
        {
            self.activity = Activity::Stopping { term, kill, is_overdue: true };
            self.alarm(Alarm::StopOverdue { term }, now);
        }
    }

    /// When something told to be killed at `kill` counts as not dead in time.
    pub(crate) fn stop_overdue_at(&self, kill: Moment) -> Moment {
        kill.after(self.timing().kill()).after(self.timing().margin())
    }
}
