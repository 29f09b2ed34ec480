//! Owns the guard, and the thread that leads it: tells the conductor what happens, and does what
//! it says. Never decides what runs, and never says that mastership is over while anything of it
//! may live.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::daemon::clock;
use crate::daemon::condition::{Conditions, Source};
use crate::daemon::driver::Driver;
use crate::daemon::holders::{HolderId, Notice, Span};
use crate::daemon::hooks::book::{Book, policy};
use crate::daemon::hooks::conductor::{Conductor, Heard, State, Verdict};
use crate::daemon::hooks::cues::{Cue, Cues, hook_of};
use crate::daemon::hooks::outcome;
use crate::daemon::hooks::record::Record;
use crate::daemon::waiting::{Deadline, For, wait_for_bell, wait_with_bell};
use crate::keep::guard::orders::{Charge, End, Order, Report};
use crate::keep::guard::post::{News, Post};
use crate::keep::guard::{BEAT, BEATS_MISSED_MAX};
use crate::keep::rounds::Rounds;
use crate::keep::tree::{Left, Tree};
use crate::protocol::effects::{StepDownReason, Wish};
use crate::protocol::units::{Moment, Term};
use crate::settings::hooks::Hooks;
use crate::wire::codes;

/// How long a node whose `master` hook failed does not stand again, unless nobody else can.
const HOLD_OFF: Duration = Duration::from_secs(60);
/// Between two tries to start a guard.
const START_AGAIN: Duration = Duration::from_secs(5);
/// How often strangers that ended are buried though nothing happens.
const LOOK_AGAIN: Duration = Duration::from_secs(60);
/// The file that one guard of a state directory has locked.
pub const LOCK_FILE: &str = "hooks.lock";

/// What a stage is told of the rest of the daemon.
pub struct Surroundings {
    /// The node.
    pub driver: Arc<Driver>,
    /// The hooks.
    pub book: Arc<Book>,
    /// Where the record and the lock are.
    pub state_dir: PathBuf,
    /// Where hooks reach the daemon.
    pub socket: PathBuf,
    /// Hears what hooks have against this node as master.
    pub conditions: Arc<Conditions>,
}

/// The guard as this thread knows it.
enum Guard {
    /// It speaks, or will.
    Here(Post),
    /// It has ended or was killed; what it left is not surely dead.
    Lost(Post),
    /// There is none, and none is tried for before then.
    None { next: Moment },
}

/// Hooks, and all that runs them.
pub struct Stage {
    driver: Arc<Driver>,
    holder: HolderId,
    book: Arc<Book>,
    conditions: Arc<Conditions>,
    lock: PathBuf,
    record: Record,
    conductor: Conductor,
    cues: Cues,
    guard: Guard,
    /// What a lost guard left to us.
    strangers: Tree,
    rounds: Rounds,
    span: Option<Span>,
    next_beat: Moment,
    missed: u32,
    /// Whether the last guard was of any use: one that never was is not replaced at once.
    was_ready: bool,
}

impl Stage {
    /// With a guard that was started before any thread; none if this node has no room for another
    /// holder of mastership.
    ///
    /// # Errors
    /// The system does not leave orphans to us.
    pub fn open(around: Surroundings, guard: Post) -> std::io::Result<Option<Self>> {
        let Surroundings { driver, book, state_dir, socket, conditions } = around;
        let record = Record::of(&state_dir);
        let (role, seq) = record.read();
        let strangers = Tree::of_strangers()?;
        driver.ring_at_events(book.mailbox());
        let Some(holder) = driver.join(book.mailbox()) else { return Ok(None) };
        conditions.object(Source::Hooks, "no guard is there yet");
        let policy = policy(&book.read(), driver.kill_time());
        Ok(Some(Self {
            driver,
            holder,
            conditions,
            lock: lock_file(&state_dir),
            record,
            conductor: Conductor::new(policy, seq),
            book,
            cues: Cues::new(&socket, role),
            guard: Guard::Here(guard),
            strangers,
            rounds: Rounds::default(),
            span: None,
            next_beat: clock::now(),
            missed: 0,
            was_ready: false,
        }))
    }

    /// For ever.
    pub fn run(mut self) {
        loop {
            self.look();
            self.hear_guard();
            self.beat();
            self.mend();
            let wake = self.play();
            self.wait(wake);
        }
    }

    /// What changed around us.
    fn look(&mut self) {
        let now = clock::now();
        let hooks = self.book.read();
        self.conductor.set_policy(policy(&hooks, self.driver.kill_time()));
        while let Some(notice) = self.book.mailbox().take() {
            self.notice(now, notice);
        }
        let status = self.driver.status();
        self.cues.look(&status);
        let has_quorum = status.quorum_have >= status.quorum_need;
        self.conductor.hear(now, Heard::Quorum(has_quorum));
    }

    fn notice(&mut self, now: Moment, notice: Notice) {
        match notice {
            Notice::Granted(span) => {
                self.span = Some(span);
                self.conductor.hear(now, Heard::Granted { term: span.term });
            }
            Notice::Extended(span) => {
                self.span = Some(span);
                if self.conductor.is_armed() {
                    let Span { until, kill, .. } = span;
                    self.order(&Order::Extend { until: until.into(), kill: kill.into() });
                }
            }
            Notice::Stop { term, kill } => {
                self.conductor.hear(now, Heard::Stop { term, kill });
            }
        }
    }

    /// Everything it said, before its silence is judged.
    fn hear_guard(&mut self) {
        while let Guard::Here(post) = &self.guard {
            match post.news() {
                News::Report(report) => {
                    self.missed = 0;
                    self.heard(report);
                }
                News::None => return,
                News::Closed => self.lose("it has ended"),
            }
        }
    }

    fn heard(&mut self, report: Report) {
        let now = clock::now();
        match report {
            Report::Ready { notes } => {
                notes.iter().for_each(|note| log::debug!("the guard of hooks: {note}"));
                self.was_ready = true;
                self.conductor.hear(now, Heard::Ready);
            }
            Report::Line { id, text } => {
                if let Some(state) = self.conductor.state_of(id) {
                    outcome::line(hook_of(state).0, &text);
                }
            }
            Report::Ended { id, end, last, dropped, took_ms } => {
                if let Some(state) = self.conductor.state_of(id) {
                    let hook = hook_of(state).0;
                    let ran = outcome::Ran { end, last, dropped, took_ms };
                    outcome::tell(&self.driver, hook, &ran);
                }
                self.conductor.hear(now, Heard::Ended { id, end });
            }
            Report::Gone => self.conductor.hear(now, Heard::Gone),
            Report::Beat => {}
            Report::Failed { words } => self.lose(&words),
        }
    }

    /// Speaks to a guard that has something to do, and counts how long it says nothing. Time in
    /// which we stood still ourselves counts as one beat.
    fn beat(&mut self) {
        let now = clock::now();
        if !self.conductor.is_busy() {
            (self.missed, self.next_beat) = (0, now.after(BEAT));
        } else if now.may_have_reached(self.next_beat) {
            self.next_beat = now.after(BEAT);
            self.missed += 1;
            if self.missed > BEATS_MISSED_MAX {
                self.lose("it is silent");
            } else {
                self.order(&Order::Beat);
            }
        }
    }

    /// The guard is of no use any more: it dies, and what it ran with it.
    fn lose(&mut self, why: &str) {
        let next = clock::now().after(START_AGAIN);
        if let Guard::Here(post) = std::mem::replace(&mut self.guard, Guard::None { next }) {
            post.kill();
            let message = format!("the guard of hooks is lost: {why}");
            self.driver.say(outcome::alarm(codes::GUARD_LOST, message));
            self.guard = Guard::Lost(post);
            self.conductor.hear(clock::now(), Heard::Broken);
        }
    }

    /// Clears away what a lost guard left, then starts another.
    fn mend(&mut self) {
        if let Guard::Lost(post) = &self.guard {
            if !post.is_buried() || self.strangers.clear() == Left::Something {
                return self.tell_of_strangers();
            }
            self.rounds = Rounds::default();
            let pause = if self.was_ready { Duration::ZERO } else { START_AGAIN };
            self.was_ready = false;
            self.guard = Guard::None { next: clock::now().after(pause) };
            self.conductor.hear(clock::now(), Heard::Swept);
        }
        let Guard::None { next } = self.guard else { return };
        if clock::now().has_surely_reached(next) {
            self.missed = 0;
            self.guard = match Post::start(Some(&self.lock)) {
                Ok(post) => Guard::Here(post),
                Err(error) => {
                    log::error!("the guard of hooks cannot be started: {error}");
                    Guard::None { next: clock::now().after(START_AGAIN) }
                }
            };
        }
    }

    /// What was killed and lives on is held by the system: people may know why.
    fn tell_of_strangers(&mut self) {
        if self.rounds.tells(clock::now()) {
            log::error!(
                "killing what a lost guard of hooks left: {}; before it is dead no hook runs, and \
                 if it ran as master this node votes for nobody",
                self.strangers.names()
            );
        }
    }

    /// Does everything that is to be done now; gives when to come back.
    fn play(&mut self) -> Option<Moment> {
        loop {
            let verdict = self.conductor.turn(clock::now());
            match verdict {
                Verdict::Rest { wake } => return wake,
                Verdict::Arm { term, undo } => self.arm(term, undo),
                Verdict::Run { id, state, seq } => self.start(id, state, seq),
                Verdict::Stop { kill } => {
                    let undo = self.undo_charge();
                    self.order(&Order::Stop { kill: kill.into(), undo });
                }
                Verdict::Abandon => self.lose("it did not end in time what acted as master"),
                Verdict::Confirm { term } => {
                    self.span = None;
                    self.driver.gone(self.holder, term);
                }
                Verdict::End { term } => self.driver.end_acting(term),
                Verdict::StepDown => {
                    let reason = StepDownReason::HookFailed;
                    self.driver.want(Wish::StepDown { hold_off: HOLD_OFF, reason });
                }
                Verdict::Condition { is_ready: true } => self.conditions.withdraw(Source::Hooks),
                Verdict::Condition { is_ready: false } => {
                    let reason = "what ran as master is not surely undone";
                    self.conditions.object(Source::Hooks, reason);
                }
                Verdict::Record { state, seq } => self.note(state, seq),
                Verdict::GiveUp { state } => {
                    let word = hook_of(state).0.word();
                    let message = format!("hook {word} failed as often as it may");
                    self.driver.say(outcome::alarm(codes::HOOK_GAVE_UP, message));
                }
                Verdict::UndoneLate => {
                    let message = "hook backup did not undo mastership in time: it runs again, and \
                                   this node stands last until it succeeds";
                    self.driver.say(outcome::alarm(codes::UNDONE_LATE, message.to_owned()));
                }
            }
        }
    }

    fn arm(&mut self, term: Term, undo: Option<u64>) {
        let now = clock::now();
        // A mastership that has to be undone after its guard was lost has nothing left to act in.
        let span = self.span.filter(|span| span.term == term);
        let (until, kill) = span.map_or((now, now), |span| (span.until, span.kill));
        let undo = undo.and_then(|_| self.undo_charge());
        self.order(&Order::Arm { until: until.into(), kill: kill.into(), undo });
    }

    /// The run that undoes mastership, as it would be told now.
    fn undo_charge(&self) -> Option<Charge> {
        let (id, seq) = self.conductor.undo()?;
        self.charge(id, State::Backup, seq).unwrap_or_else(|why| {
            log::error!("hook backup cannot undo mastership: {why}");
            None
        })
    }

    fn charge(&self, id: u64, state: State, seq: u64) -> Result<Option<Charge>, String> {
        let status = self.driver.status();
        let (hook, role) = hook_of(state);
        let term = match state {
            State::Master(term) => term,
            State::Backup | State::NoQuorum => self.span.map_or(status.term, |span| span.term),
        };
        let cue = Cue { hook, event: hook.word(), role, term, seq, reason: None };
        let hooks: Arc<Hooks> = self.book.read();
        self.cues.charge(id, cue, &hooks, &status)
    }

    fn start(&mut self, id: u64, state: State, seq: u64) {
        (self.missed, self.next_beat) = (0, clock::now().after(BEAT));
        match self.charge(id, state, seq) {
            Ok(Some(charge)) => self.order(&Order::Run(charge)),
            // It was taken out of node.yaml meanwhile.
            Ok(None) => self.ended_at_once(id, End::Code(0)),
            Err(why) => {
                let hook = hook_of(state).0;
                let ran =
                    outcome::Ran { end: End::NotStarted, last: Some(why), dropped: 0, took_ms: 0 };
                outcome::tell(&self.driver, hook, &ran);
                self.ended_at_once(id, End::NotStarted);
            }
        }
    }

    fn ended_at_once(&mut self, id: u64, end: End) {
        self.conductor.hear(clock::now(), Heard::Ended { id, end });
    }

    fn order(&mut self, order: &Order) {
        if let Guard::Here(post) = &self.guard
            && !post.say(order)
        {
            self.lose("it does not listen");
        }
    }

    fn note(&mut self, state: Option<State>, seq: u64) {
        self.cues.is_now(state.map(|state| hook_of(state).1));
        if let Err(error) = self.record.write(state, seq) {
            log::warn!("hooks.json is not written, which costs nothing but the count: {error}");
        }
    }

    fn wait(&mut self, wake: Option<Moment>) {
        let now = clock::now();
        let until = |moment: Moment| {
            let boot = moment.boot_ns.saturating_sub(now.boot_ns);
            Duration::from_nanos(boot.max(moment.raw_ns.saturating_sub(now.raw_ns)))
        };
        let mut span = wake.map_or(LOOK_AGAIN, until).min(LOOK_AGAIN);
        if self.conductor.is_busy() {
            span = span.min(until(self.next_beat));
        }
        let bell = self.book.mailbox().bell();
        let outcome = match &self.guard {
            Guard::Here(post) => {
                let deadline = Deadline::after(span);
                wait_with_bell(post, For::Reading, bell, Some(deadline)).map(drop)
            }
            Guard::Lost(_) => {
                let pause = self.rounds.pause(now);
                wait_for_bell(bell, Deadline::after(pause)).map(drop)
            }
            Guard::None { next } => {
                wait_for_bell(bell, Deadline::after(span.min(until(*next)))).map(drop)
            }
        };
        if let Err(error) = outcome {
            log::error!("hooks cannot be waited for: {error}");
        }
        if span == LOOK_AGAIN {
            self.strangers.bury_strangers();
        }
    }
}

impl std::fmt::Debug for Stage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stage").field("conductor", &self.conductor).finish_non_exhaustive()
    }
}

/// The lock of the guard in that state directory.
#[must_use]
pub fn lock_file(state_dir: &Path) -> PathBuf {
    state_dir.join(LOCK_FILE)
}
