//! Decides which hook runs when, whether mastership may go on, and when it is really over.
//! Never runs anything, reads no clock and knows no process: it is told what happened, and says
//! what is to be done, one thing at a time, until there is nothing.
//!
//! ```text
//! wanted:   granted ──► master(term)      else a majority is heard ──► backup, or no_quorum
//! applied:  what the last hook that succeeded made of this machine; nothing if that is unknown
//! ```
//!
//! One hook at a time brings `applied` nearer to what is wanted then; what was wanted meanwhile
//! and no longer is has never been. Where `applied` is unknown, `backup` comes before anything.

use std::collections::VecDeque;
use std::time::Duration;

use crate::keep::guard::orders::End;
use crate::protocol::units::{Moment, Term};
use crate::settings::hooks::OnFail;

/// The first pause before a failed hook is tried again; it doubles each time.
pub const PAUSE_MIN: Duration = Duration::from_secs(1);
/// The longest such pause.
pub const PAUSE_MAX: Duration = Duration::from_secs(60);

/// What a hook makes of this machine.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum State {
    /// It is master in this term.
    Master(Term),
    /// Another node is, or may be.
    Backup,
    /// It hears no majority.
    NoQuorum,
}

/// What node.yaml says about hooks, as far as it decides anything.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Policy {
    /// Whether there is a `master` hook.
    pub has_master: bool,
    /// Whether there is a `backup` hook.
    pub has_backup: bool,
    /// Whether there is a `no_quorum` hook.
    pub has_no_quorum: bool,
    /// How often a failed hook is tried again before that counts as failed for good.
    pub retries: u32,
    /// What then happens.
    pub on_fail: OnFail,
    /// How long killing may take.
    pub kill_time: Duration,
}

/// What happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Heard {
    /// A guard waits for orders; nothing else of hooks lives.
    Ready,
    /// The guard is dead, silent or of no use. What it ran may live.
    Broken,
    /// Nothing lives of what the broken guard ran.
    Swept,
    /// This node acts in `term`.
    Granted {
        /// The fencing token.
        term: Term,
    },
    /// This node's acting in `term` has to end.
    Stop {
        /// The term.
        term: Term,
        /// Then what lives is killed.
        kill: Moment,
    },
    /// A run ended.
    Ended {
        /// Which one.
        id: u64,
        /// How.
        end: End,
    },
    /// The guard says that nothing lives of what it was armed for.
    Gone,
    /// Whether a majority is heard.
    Quorum(bool),
}

/// What is to be done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Nothing, before something happens, or at `wake` at the latest.
    Rest {
        /// When to ask again.
        wake: Option<Moment>,
    },
    /// Tell the guard until when it may act in `term`, and how that is undone.
    Arm {
        /// The term.
        term: Term,
        /// The run that undoes it, if there is a hook for that.
        undo: Option<u64>,
    },
    /// Run the hook for `state`.
    Run {
        /// Names the run.
        id: u64,
        /// What for.
        state: State,
        /// Counts the states that were ever wanted: a larger one is a later one.
        seq: u64,
    },
    /// Tell the guard to end and undo, by `kill`.
    Stop {
        /// Then what lives is killed.
        kill: Moment,
    },
    /// Kill the guard: it did not end in time what acts.
    Abandon,
    /// Nothing acts in `term` any more.
    Confirm {
        /// The term.
        term: Term,
    },
    /// Mastership of `term` must end here, at once.
    End {
        /// The term.
        term: Term,
    },
    /// Another node should be master, if one is ready.
    StepDown,
    /// Whether this node may be elected, as far as hooks go.
    Condition {
        /// Whether it may.
        is_ready: bool,
    },
    /// Write down what this machine is now; nothing if that is unknown.
    Record {
        /// What the last hook made of it.
        state: Option<State>,
        /// As in `Run`.
        seq: u64,
    },
    /// Say that the hook for `state` failed as often as it may.
    GiveUp {
        /// What for.
        state: State,
    },
    /// Say that what was done as master was not undone before mastership had to be over.
    UndoneLate,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Guard {
    Absent,
    Ready,
    Broken,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Grant {
    term: Term,
    /// Acting has to end, and then what lives is killed.
    stop: Option<Moment>,
    /// Nothing more is begun in it.
    is_over: bool,
}

/// A guard that acts for mastership, or did when it was lost.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Armed {
    undo: Option<u64>,
    is_undone: bool,
    is_told_to_stop: bool,
    /// The guard that was armed is no more.
    is_lost: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Run {
    id: u64,
    state: State,
}

/// The newest state that was tried.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Tries {
    state: State,
    failed: u32,
    next: Option<Moment>,
}

/// Everything known about hooks and what they made of this machine.
#[derive(Debug)]
pub struct Conductor {
    policy: Policy,
    guard: Guard,
    grant: Option<Grant>,
    armed: Option<Armed>,
    run: Option<Run>,
    tries: Option<Tries>,
    applied: Option<State>,
    has_quorum: bool,
    ids: u64,
    seq: u64,
    told_ready: Option<bool>,
    due: VecDeque<Verdict>,
}

impl Conductor {
    /// Knows nothing about this machine; `seq` is the last one that was written down.
    #[must_use]
    pub fn new(policy: Policy, seq: u64) -> Self {
        Self {
            policy,
            guard: Guard::Absent,
            grant: None,
            armed: None,
            run: None,
            tries: None,
            applied: None,
            has_quorum: true,
            ids: 0,
            seq,
            told_ready: None,
            due: VecDeque::new(),
        }
    }

    /// From the next run on.
    pub fn set_policy(&mut self, policy: Policy) {
        self.policy = policy;
    }

    /// What the last hook that succeeded made of this machine, if that is known.
    #[must_use]
    pub fn applied(&self) -> Option<State> {
        self.applied
    }

    /// Whether the guard has anything to do: then it is silent when it says nothing.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.run.is_some() || self.is_armed()
    }

    /// Whether the guard acts for mastership.
    #[must_use]
    pub fn is_armed(&self) -> bool {
        self.armed.is_some_and(|armed| !armed.is_lost)
    }

    /// The state that the run `id` is for.
    #[must_use]
    pub fn state_of(&self, id: u64) -> Option<State> {
        let is_undo = self.armed.is_some_and(|armed| armed.undo == Some(id));
        let run = self.run.filter(|run| run.id == id).map(|run| run.state);
        run.or(is_undo.then_some(State::Backup))
    }

    /// The run that undoes what is done as master, and its place among all states.
    #[must_use]
    pub fn undo(&self) -> Option<(u64, u64)> {
        self.armed.and_then(|armed| armed.undo).map(|id| (id, self.seq + 1))
    }

    /// Takes in what happened.
    pub fn hear(&mut self, now: Moment, heard: Heard) {
        let known = self.grant.map(|grant| grant.term);
        match heard {
            Heard::Ready => self.guard = Guard::Ready,
            Heard::Broken => self.lose_guard(),
            Heard::Swept => self.guard = Guard::Absent,
            Heard::Granted { term } if known.is_none_or(|known| known < term) => {
                self.grant = Some(Grant { term, stop: None, is_over: false });
            }
            // One that was never granted, as far as we heard, is confirmed all the same.
            Heard::Stop { term, kill } if known.is_none_or(|known| known <= term) => {
                let known = self.grant.filter(|grant| grant.term == term);
                let old = known.and_then(|grant| grant.stop);
                let kill = old.map_or(kill, |old| old.earliest(kill));
                self.grant = Some(Grant { term, stop: Some(kill), is_over: true });
            }
            Heard::Granted { .. } | Heard::Stop { .. } => {}
            Heard::Ended { id, end } => self.ended(now, id, end),
            Heard::Gone => self.gone(),
            Heard::Quorum(has_quorum) => self.has_quorum = has_quorum,
        }
    }

    /// The next thing to do, which counts as done.
    pub fn turn(&mut self, now: Moment) -> Verdict {
        if let Some(due) = self.due.pop_front() {
            return due;
        }
        let is_ready = self.guard == Guard::Ready && self.applied.is_some();
        if self.told_ready != Some(is_ready) {
            self.told_ready = Some(is_ready);
            return Verdict::Condition { is_ready };
        }
        match self.grant {
            Some(Grant { term, stop: Some(kill), .. }) => self.stop(now, term, kill),
            Some(Grant { stop: None, .. }) | None => self.proceed(now),
        }
    }

    /// Until nothing of `term` lives.
    fn stop(&mut self, now: Moment, term: Term, kill: Moment) -> Verdict {
        let Some(armed) = &mut self.armed else {
            self.grant = None;
            return Verdict::Confirm { term };
        };
        // Where a guard was lost its tree is dead; what it did may be undone in time by the next.
        let is_hopeless = armed.undo.is_none() || now.may_have_reached(kill);
        // Of the time that killing may take, half is the guard's and half is ours.
        let end = kill.after(self.policy.kill_time / 2);
        match self.guard {
            Guard::Broken => Verdict::Rest { wake: None },
            Guard::Absent if !is_hopeless => Verdict::Rest { wake: Some(kill) },
            Guard::Ready if armed.is_lost && !is_hopeless => {
                armed.is_lost = false;
                Verdict::Arm { term, undo: armed.undo }
            }
            Guard::Absent => self.stop_undone(term),
            Guard::Ready if armed.is_lost => self.stop_undone(term),
            Guard::Ready if !armed.is_told_to_stop => {
                armed.is_told_to_stop = true;
                Verdict::Stop { kill }
            }
            Guard::Ready if now.may_have_reached(end) => Verdict::Abandon,
            Guard::Ready => Verdict::Rest { wake: Some(end) },
        }
    }

    /// Nothing lives, and nothing was undone.
    fn stop_undone(&mut self, term: Term) -> Verdict {
        (self.armed, self.grant) = (None, None);
        Verdict::Confirm { term }
    }

    /// Brings this machine nearer to what is wanted.
    fn proceed(&mut self, now: Moment) -> Verdict {
        let is_over = self.grant.is_some_and(|grant| grant.is_over);
        if self.guard != Guard::Ready || self.run.is_some() || is_over {
            return Verdict::Rest { wake: None };
        }
        let wanted = self.wanted();
        if self.applied == Some(wanted) {
            return Verdict::Rest { wake: None };
        }
        if let (State::Master(term), None) = (wanted, self.armed)
            && (self.policy.has_master || self.policy.has_backup)
        {
            let undo = self.policy.has_backup.then(|| self.next_id());
            self.armed =
                Some(Armed { undo, is_undone: false, is_told_to_stop: false, is_lost: false });
            return Verdict::Arm { term, undo };
        }
        if self.tries.is_none_or(|tries| tries.state != wanted) {
            self.tries = Some(Tries { state: wanted, failed: 0, next: None });
            self.seq += 1;
        }
        if !self.has_hook(wanted) {
            self.apply(wanted);
            return self.turn(now);
        }
        let next = self.tries.and_then(|tries| tries.next);
        if let Some(next) = next.filter(|next| !now.has_surely_reached(*next)) {
            return Verdict::Rest { wake: Some(next) };
        }
        let id = self.next_id();
        self.run = Some(Run { id, state: wanted });
        Verdict::Run { id, state: wanted, seq: self.seq }
    }

    fn wanted(&self) -> State {
        match (self.applied, self.grant) {
            // Leftovers first, whatever else is wanted.
            (None, _) if self.armed.is_none() => State::Backup,
            (_, Some(grant)) => State::Master(grant.term),
            (_, None) if !self.has_quorum && self.policy.has_no_quorum => State::NoQuorum,
            (_, None) => State::Backup,
        }
    }

    fn has_hook(&self, state: State) -> bool {
        match state {
            State::Master(_) => self.policy.has_master,
            State::Backup => self.policy.has_backup,
            State::NoQuorum => self.policy.has_no_quorum,
        }
    }

    fn apply(&mut self, state: State) {
        (self.applied, self.tries) = (Some(state), None);
        self.due.push_back(Verdict::Record { state: Some(state), seq: self.seq });
    }

    /// What this machine is now is not known any more.
    fn doubt(&mut self) {
        if self.applied.take().is_some() {
            self.due.push_back(Verdict::Record { state: None, seq: self.seq });
        }
    }

    fn ended(&mut self, now: Moment, id: u64, end: End) {
        if let Some(armed) = self.armed.as_mut().filter(|armed| armed.undo == Some(id)) {
            armed.is_undone = end.is_success();
            return;
        }
        let Some(run) = self.run.take_if(|run| run.id == id) else { return };
        let is_cut_short = self.armed.is_some() && end == End::Stopped;
        if end.is_success() {
            self.apply(run.state);
        } else if !is_cut_short {
            self.failed(now, run.state);
        }
    }

    fn failed(&mut self, now: Moment, state: State) {
        if state == State::Backup {
            self.doubt();
        }
        let before = self.tries.filter(|tries| tries.state == state).map_or(0, |one| one.failed);
        let failed = before.saturating_add(1);
        self.tries = Some(Tries { state, failed, next: Some(now.after(pause(failed))) });
        if failed <= self.policy.retries {
            return;
        }
        if failed == self.policy.retries + 1 {
            self.due.push_back(Verdict::GiveUp { state });
        }
        match (state, self.policy.on_fail) {
            // Nothing depends on `no_quorum`.
            (State::NoQuorum, _) | (_, OnFail::Ignore) => self.apply(state),
            (_, OnFail::StepDown) if self.grant.is_some() => {
                self.due.push_back(Verdict::StepDown);
            }
            (_, OnFail::StepDown | OnFail::Retry) => {}
        }
    }

    /// The guard ended what it was armed for, as told or by its clocks.
    fn gone(&mut self) {
        let Some(armed) = self.armed.take_if(|armed| !armed.is_lost) else { return };
        (self.run, self.tries) = (None, None);
        self.seq += 1;
        let is_forgiven = armed.undo.is_none() || self.policy.on_fail == OnFail::Ignore;
        if armed.is_undone || is_forgiven {
            self.apply(State::Backup);
        } else {
            self.doubt();
            self.due.push_back(Verdict::UndoneLate);
        }
        self.end_grant();
    }

    fn lose_guard(&mut self) {
        if self.guard == Guard::Broken {
            return;
        }
        self.guard = Guard::Broken;
        if self.run.take().is_some() || self.armed.is_some() {
            self.tries = None;
            self.doubt();
        }
        if let Some(armed) = &mut self.armed {
            (armed.is_lost, armed.is_told_to_stop, armed.is_undone) = (true, false, false);
            self.end_grant();
        }
    }

    /// What has begun to end is not begun again in the same term (R32).
    fn end_grant(&mut self) {
        if let Some(grant) = self.grant.as_mut().filter(|grant| !grant.is_over) {
            grant.is_over = true;
            self.due.push_back(Verdict::End { term: grant.term });
        }
    }

    fn next_id(&mut self) -> u64 {
        self.ids += 1;
        self.ids
    }
}

fn pause(failed: u32) -> Duration {
    let doubled = 1_u32.checked_shl(failed.saturating_sub(1)).unwrap_or(u32::MAX);
    PAUSE_MIN.saturating_mul(doubled).min(PAUSE_MAX)
}
