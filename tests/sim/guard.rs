//! The guard of one machine and the children it owns: what truly acts under mastership.
//! Never asks the daemon; it knows the newest deadline, and either clock may end it.

use core::time::Duration;

use crate::protocol::effects::Order;
use crate::protocol::mutant::Rule;
use crate::protocol::timing::Timing;
use crate::protocol::units::{Moment, Term};
use crate::sim::clock::{Clocks, TrueTime};
use crate::sim::draw::Draw;
use crate::sim::missing::Missing;

/// How children take to being told to stop.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Temper {
    /// They end at once.
    Meek,
    /// They take some part of their time.
    Moody,
    /// They die at the last allowed moment.
    Stubborn,
}

/// How far the end of the children has come.
#[derive(Clone, Copy, Hash, Debug)]
enum Stage {
    /// They work.
    Working,
    /// They were told to stop and do so at `leaves`, if they are not killed before.
    Told { leaves: TrueTime },
    /// They were killed and are gone at `gone`.
    Killed { gone: TrueTime },
}

/// Children of one activation.
#[derive(Clone, Copy, Hash, Debug)]
pub(crate) struct Children {
    /// The activation's term.
    pub(crate) term: Term,
    until: Moment,
    kill: Moment,
    /// Nothing outlives this: the last moment the budget allows.
    limit: Moment,
    timing: Timing,
    stage: Stage,
}

/// The guard.
#[derive(Clone, Debug)]
pub(crate) struct Guard {
    children: Option<Children>,
    temper: Temper,
    missing: Option<Missing>,
    /// Counts changes, so that an outdated appointment is recognised.
    pub(crate) generation: u64,
}

impl Children {
    /// The next thing to look at: by true time, and by the clocks.
    fn agenda(&self) -> (Option<TrueTime>, Moment) {
        match self.stage {
            Stage::Working => (None, self.until),
            Stage::Told { leaves } => (Some(leaves), self.kill),
            Stage::Killed { gone } => (Some(gone), self.limit),
        }
    }
}

impl Guard {
    /// Nothing runs.
    pub(crate) fn new(temper: Temper, missing: Option<Missing>) -> Self {
        Self { children: None, temper, missing, generation: 0 }
    }

    /// What runs.
    pub(crate) fn children(&self) -> Option<&Children> {
        self.children.as_ref()
    }

    /// The term of what works and was not told to stop.
    pub(crate) fn working(&self) -> Option<Term> {
        self.children.filter(|c| matches!(c.stage, Stage::Working)).map(|c| c.term)
    }

    /// When to look again, and the generation to come with.
    pub(crate) fn appointment(&mut self, clocks: &Clocks) -> Option<(TrueTime, u64)> {
        self.generation += 1;
        let (own, deadline) = self.children?.agenda();
        let at = own.into_iter().chain(self.reaches(clocks, deadline)).min()?;
        Some((at, self.generation))
    }

    /// When the guard takes `deadline` for reached.
    fn reaches(&self, clocks: &Clocks, deadline: Moment) -> Option<TrueTime> {
        match self.missing {
            Some(Missing::Guard) => None,
            Some(Missing::Rule(Rule::LeaseByFasterClock)) => clocks.both_reach(deadline),
            Some(Missing::Rule(_) | Missing::BootClock) | None => clocks.either_reaches(deadline),
        }
    }

    /// The daemon died and its pipe closed.
    pub(crate) fn orphan(&mut self, now: TrueTime, draw: &mut Draw) {
        if self.missing != Some(Missing::Guard) {
            self.kill(now, draw);
        }
    }

    /// The daemon orders. `timing` is the committed one: how long the children may take.
    pub(crate) fn obey(&mut self, order: Order, timing: Timing, now: TrueTime, draw: &mut Draw) {
        match (order, self.children.as_mut()) {
            (Order::Start { term, until, kill }, None) => {
                let limit = kill.after(timing.kill());
                let stage = Stage::Working;
                self.children = Some(Children { term, until, kill, limit, timing, stage });
            }
            (Order::Extend { term, until, kill }, Some(children))
                if children.term == term && matches!(children.stage, Stage::Working) =>
            {
                children.until = until;
                children.kill = kill;
                children.limit = kill.after(timing.kill());
                children.timing = timing;
            }
            (Order::Stop { term, kill }, Some(children)) if children.term == term => {
                children.kill = children.kill.earliest(kill);
                self.tell(now, draw);
            }
            // Stopping is never reversed, and what is dead stays dead (R32).
            (Order::Start { .. } | Order::Extend { .. } | Order::Stop { .. }, _) => {}
        }
    }

    fn tell(&mut self, now: TrueTime, draw: &mut Draw) {
        let temper = self.temper;
        if let Some(children) = self.children.as_mut()
            && matches!(children.stage, Stage::Working)
        {
            let patience = children.timing.stop();
            let leaves = now.after(temper.takes(patience, draw));
            children.stage = Stage::Told { leaves };
        }
    }

    /// Kills at once: the daemon is gone, or patience ended.
    pub(crate) fn kill(&mut self, now: TrueTime, draw: &mut Draw) {
        let temper = self.temper;
        if let Some(children) = self.children.as_mut()
            && !matches!(children.stage, Stage::Killed { .. })
        {
            let gone = now.after(temper.takes(children.timing.kill(), draw));
            children.stage = Stage::Killed { gone };
        }
    }

    /// The power goes: nothing runs any more. Says what did.
    pub(crate) fn lose_power(&mut self) -> Option<Term> {
        self.generation += 1;
        self.children.take().map(|children| children.term)
    }

    /// Does whatever is due now. Says the term whose children are gone, once.
    pub(crate) fn look(&mut self, now: TrueTime, clocks: &Clocks, draw: &mut Draw) -> Option<Term> {
        let has_come = |guard: &Self, deadline| {
            guard.reaches(clocks, deadline).is_some_and(|reached| reached <= now)
        };
        if has_come(self, self.children?.until) {
            self.tell(now, draw);
        }
        if has_come(self, self.children?.kill) {
            self.kill(now, draw);
        }
        let children = self.children?;
        let is_gone = match children.stage {
            Stage::Working => false,
            Stage::Told { leaves } => now >= leaves,
            Stage::Killed { gone } => now >= gone,
        };
        (is_gone || has_come(self, children.limit)).then(|| {
            self.children = None;
            children.term
        })
    }
}

impl Temper {
    fn takes(self, patience: Duration, draw: &mut Draw) -> Duration {
        match self {
            Self::Meek => draw.between(Duration::ZERO, patience.min(Duration::from_millis(2))),
            Self::Moody => draw.between(Duration::ZERO, patience),
            Self::Stubborn => patience,
        }
    }
}
