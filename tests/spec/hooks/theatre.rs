//! A conductor of hooks with a guard and a driver made of paper, which do what they are told and
//! check what must hold after every single thing.
//! Never decides what happens; the tests do.

use std::time::Duration;

use quorate::daemon::hooks::conductor::{Conductor, Heard, Policy, State, Verdict};
use quorate::keep::guard::orders::End;
use quorate::protocol::units::{Moment, Term};
use quorate::settings::hooks::OnFail;

/// Every hook is there.
pub(super) const ALL: Policy = Policy {
    has_master: true,
    has_backup: true,
    has_no_quorum: true,
    retries: 2,
    on_fail: OnFail::StepDown,
    kill_time: Duration::from_millis(250),
};

/// How long a paper stop may take.
pub(super) const STOP: Duration = Duration::from_millis(500);

pub(super) struct Theatre {
    conductor: Conductor,
    pub(super) now: Moment,
    /// What was begun, in order.
    pub(super) begun: Vec<State>,
    /// The last thing each of these said.
    pub(super) is_ready: Option<bool>,
    pub(super) recorded: Option<State>,
    /// What was said besides, in order.
    pub(super) said: Vec<&'static str>,
    /// When it wants to be asked again.
    pub(super) wake: Option<Moment>,
    running: Option<u64>,
    undo: Option<u64>,
    armed: Option<Term>,
    granted: Option<Term>,
    stopped: Term,
    terms: u64,
    seq: u64,
}

impl Theatre {
    /// A node that has just started, with a guard.
    pub(super) fn new(policy: Policy) -> Self {
        let mut theatre = Self {
            conductor: Conductor::new(policy, 0),
            now: Moment::default(),
            begun: Vec::new(),
            is_ready: None,
            recorded: None,
            said: Vec::new(),
            wake: None,
            running: None,
            undo: None,
            armed: None,
            granted: None,
            stopped: Term(0),
            terms: 0,
            seq: 0,
        };
        theatre.hear(Heard::Ready);
        theatre
    }

    /// The same, after its first `backup`.
    pub(super) fn ready(policy: Policy) -> Self {
        let mut theatre = Self::new(policy);
        theatre.ends(End::Code(0));
        theatre.begun.clear();
        theatre
    }

    /// The same where no `backup` hook is.
    pub(super) fn ready_without_backup() -> Self {
        Self::new(Policy { has_backup: false, ..ALL })
    }

    pub(super) fn hear(&mut self, heard: Heard) {
        self.conductor.hear(self.now, heard);
        self.play();
    }

    /// Time passes, and it is asked whenever it wants to be.
    pub(super) fn passes(&mut self, span: Duration) {
        let end = self.now.after(span);
        while let Some(wake) = self.wake.filter(|wake| end.has_surely_reached(*wake)) {
            self.now = self.now.latest(wake);
            self.play();
        }
        self.now = end;
        self.play();
    }

    /// This node acts in its next term.
    pub(super) fn is_granted(&mut self) -> Term {
        assert_eq!(self.granted, None, "one mastership at a time");
        self.terms += 1;
        let term = Term(self.terms);
        self.granted = Some(term);
        self.hear(Heard::Granted { term });
        term
    }

    /// Its acting has to end, by a kill moment in half a second.
    pub(super) fn is_stopped(&mut self) {
        let term = self.granted.expect("it acts");
        self.stopped = term;
        self.hear(Heard::Stop { term, kill: self.now.after(STOP) });
    }

    /// What runs ends so.
    pub(super) fn ends(&mut self, end: End) {
        let id = self.running.take().expect("something runs");
        self.hear(Heard::Ended { id, end });
    }

    /// The armed guard kills what runs, undoes it with that outcome, and says so.
    pub(super) fn undoes(&mut self, end: End) {
        assert!(self.armed.take().is_some(), "the guard is armed");
        if let Some(id) = self.running.take() {
            self.conductor.hear(self.now, Heard::Ended { id, end: End::Stopped });
        }
        if let Some(id) = self.undo.take() {
            self.conductor.hear(self.now, Heard::Ended { id, end });
        }
        self.hear(Heard::Gone);
    }

    /// The guard dies, with all it ran, and what it left behind is swept.
    pub(super) fn loses_its_guard(&mut self) {
        (self.running, self.undo) = (None, None);
        self.hear(Heard::Broken);
        self.armed = None;
        self.hear(Heard::Swept);
    }

    pub(super) fn runs(&self) -> bool {
        self.running.is_some()
    }

    pub(super) fn is_armed(&self) -> bool {
        self.armed.is_some()
    }

    pub(super) fn acts_in(&self) -> Option<Term> {
        self.granted
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.granted == Some(self.stopped)
    }

    pub(super) fn applied(&self) -> Option<State> {
        self.conductor.applied()
    }

    fn play(&mut self) {
        for _ in 0..100 {
            let verdict = self.conductor.turn(self.now);
            if let Verdict::Rest { wake } = verdict {
                self.wake = wake;
                return;
            }
            self.perform(verdict);
        }
        panic!("it never rests");
    }

    fn perform(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::Rest { .. } => {}
            Verdict::Arm { term, undo } => {
                assert_eq!(self.armed, None, "one guard guards one mastership");
                (self.armed, self.undo) = (Some(term), undo);
            }
            Verdict::Run { id, state, seq } => self.begin(id, state, seq),
            Verdict::Stop { kill } => {
                assert!(self.armed.is_some(), "only what is armed is stopped");
                assert!(!kill.has_surely_reached(self.now.after(STOP * 2)));
                self.said.push("stop");
            }
            Verdict::Abandon => {
                assert!(self.armed.is_some(), "only what acts is ended by force");
                self.said.push("abandon");
                self.loses_its_guard();
                self.hear(Heard::Ready);
            }
            Verdict::Confirm { term } => {
                assert_eq!(self.granted.take(), Some(term));
                assert_eq!(term, self.stopped, "only what has to end is confirmed");
                assert_eq!(self.armed, None, "nothing acts when a stop is confirmed");
                self.said.push("confirm");
            }
            Verdict::End { term } => {
                assert_eq!(self.granted, Some(term));
                self.said.push("end");
                self.stopped = term;
                let kill = self.now.after(STOP);
                self.conductor.hear(self.now, Heard::Stop { term, kill });
            }
            Verdict::StepDown => self.said.push("step-down"),
            Verdict::Condition { is_ready } => self.is_ready = Some(is_ready),
            Verdict::Record { state, .. } => self.recorded = state,
            Verdict::GiveUp { .. } => self.said.push("give-up"),
            Verdict::UndoneLate => self.said.push("late"),
        }
    }

    fn begin(&mut self, id: u64, state: State, seq: u64) {
        assert_eq!(self.running, None, "two at once");
        assert!(seq >= self.seq, "an earlier state after a later one");
        if let State::Master(term) = state {
            assert_eq!(self.granted, Some(term), "master without being it");
            assert!(term > self.stopped, "master after it was stopped");
            assert_eq!(self.armed, Some(term), "master without a guard that ends it");
        }
        (self.running, self.seq) = (Some(id), seq);
        self.begun.push(state);
    }
}
