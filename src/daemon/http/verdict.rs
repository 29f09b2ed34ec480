//! Decides what is answered to the questions of load balancers and supervisors: yes or no, and why.
//! Never reads a clock or takes the lock. Whatever is in doubt is a no, and mastership is asked of
//! the lease as it is at this moment, not of what the node last believed.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use crate::daemon::clock;
use crate::daemon::driver::Driver;
use crate::daemon::notice::Notice;
use crate::protocol::membership::MemberRole;
use crate::protocol::status::Duty;
use crate::protocol::units::Term;

/// So many heartbeats late, and the core counts as standing still (H57).
const LATE_HEARTBEATS: u32 = 2;

/// What is asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Question {
    /// Whether this node acts as master.
    Master,
    /// Whether it follows one and is of use to whoever only reads.
    Backup,
    /// Either of them.
    ReadOnly,
    /// Whether it hears a majority, and its disk is sound.
    Health,
    /// Whether its loops turn.
    Liveness,
    /// Whether it knows its place.
    Readiness,
}

/// Everything that an answer depends on, at one moment.
#[derive(Clone, Debug)]
pub struct Sight {
    /// The node as of its last turn.
    pub notice: Arc<Notice>,
    /// The term in which it acts at this moment, and for how much longer it may.
    pub acting: Option<(Term, Duration)>,
    /// How long ago its core last turned.
    pub core_age: Duration,
    /// By how much its core is late.
    pub core_late: Duration,
}

/// The answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verdict {
    /// Yes or no.
    pub is_yes: bool,
    /// Why.
    pub reason: Cow<'static, str>,
}

impl Sight {
    /// That of `driver`'s node now. The lock is not taken.
    #[must_use]
    pub fn of(driver: &Driver) -> Self {
        let notice = driver.notice();
        let now = clock::now();
        let marks = driver.pulse().marks();
        let late_ns = match marks.due_boot_ns {
            0 => 0,
            due => now.boot_ns.saturating_sub(due),
        };
        Self {
            notice,
            core_age: driver.pulse().age(now.boot_ns),
            core_late: Duration::from_nanos(late_ns),
            // Last, and by a clock read last: what was held up before this does no harm.
            acting: driver.acting().left_at(clock::now()),
        }
    }

    /// Whether the core stands still: then nothing it said before counts.
    #[must_use]
    pub fn stands_still(&self) -> bool {
        self.core_late > self.notice.place.heartbeat * LATE_HEARTBEATS
    }

    /// What the node is doing, in the word of `quorate status`.
    #[must_use]
    pub fn role(&self) -> &'static str {
        match (self.acting, self.notice.glance.duty) {
            (Some(_), _) => "master",
            (None, Duty::Master | Duty::Stopping) => "stopping",
            (None, Duty::Winner) => "winner",
            (None, Duty::Candidate) => "candidate",
            (None, Duty::Follower) => "follower",
        }
    }

    /// The term: while it acts the one it acts in.
    #[must_use]
    pub fn term(&self) -> Term {
        self.acting.map_or(self.notice.glance.term, |(term, _)| term)
    }

    /// Yes or no, and why.
    #[must_use]
    pub fn judge(&self, question: Question) -> Verdict {
        if self.stands_still() {
            let late = self.core_late.as_millis();
            return no(format!("the election loop stands still, {late} ms late"));
        }
        match question {
            Question::Master => self.judge_master(),
            Question::Backup => self.judge_backup(),
            Question::ReadOnly if self.acting.is_some() => self.judge_master(),
            Question::ReadOnly => self.judge_backup(),
            Question::Health if self.notice.glance.is_storage_failed => storage_failed(),
            Question::Health if self.notice.glance.has_quorum => yes("a majority is heard"),
            Question::Health => no("no majority is heard"),
            Question::Liveness => yes("the election loop turns"),
            Question::Readiness => self.judge_readiness(),
        }
    }

    fn judge_master(&self) -> Verdict {
        let glance = &self.notice.glance;
        if let Some((term, left)) = self.acting {
            let left = left.as_millis();
            return yes(format!(
                "it acts in term {}, for {left} ms if nothing renews that",
                term.0
            ));
        }
        match (glance.duty, &glance.master) {
            (Duty::Master | Duty::Stopping, _) => no("its mastership is over, and it stops"),
            (Duty::Winner, _) => no("it was elected and does not act yet"),
            (Duty::Candidate, _) => no("it asks for votes"),
            (Duty::Follower, Some(master)) => no(format!("it follows {master}")),
            (Duty::Follower, None) => no("it knows of no master"),
        }
    }

    fn judge_backup(&self) -> Verdict {
        let Notice { glance, place } = &*self.notice;
        match (self.acting, glance.duty, &glance.master) {
            (Some(_), _, _) => return no("it is the master"),
            (None, Duty::Follower, Some(_)) => {}
            (None, Duty::Follower | Duty::Candidate, _) => return no("it knows of no master"),
            (None, Duty::Master | Duty::Winner | Duty::Stopping, _) => {
                return no("it is on its way to or from being master");
            }
        }
        match place.role {
            Some(MemberRole::Voter | MemberRole::Observer) => {}
            Some(MemberRole::Witness) => return no("it is a witness, and has no data"),
            None => return no("cluster.yaml does not name it"),
        }
        if glance.is_storage_failed {
            return storage_failed();
        }
        if place.is_standby {
            return no("it is on standby, by cluster.yaml");
        }
        if !glance.is_healthy {
            return no("its health is not good: see `quorate status`");
        }
        match &glance.master {
            Some(master) => yes(format!("it follows {master}")),
            None => no("it knows of no master"),
        }
    }

    fn judge_readiness(&self) -> Verdict {
        let Notice { glance, place } = &*self.notice;
        match &glance.master {
            _ if glance.is_storage_failed => storage_failed(),
            _ if place.role.is_none() => no("cluster.yaml does not name it"),
            _ if self.acting.is_some() => yes("it is the master"),
            Some(master) => yes(format!("it knows that {master} is master")),
            None => no("it knows of no master"),
        }
    }
}

fn storage_failed() -> Verdict {
    no("its storage failed: restart it on a sound disk")
}

fn yes(reason: impl Into<Cow<'static, str>>) -> Verdict {
    Verdict { is_yes: true, reason: reason.into() }
}

fn no(reason: impl Into<Cow<'static, str>>) -> Verdict {
    Verdict { is_yes: false, reason: reason.into() }
}
