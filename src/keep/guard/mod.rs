//! Owns the guard: the one parent of hooks, which ends and undoes in time what acts as master, by
//! its own clocks (R33). Never decides what runs, and never says that nothing lives before the
//! system says so.
//!
//! ```text
//!            run (backup, no_quorum)              run (master), extend
//!             ┌──┐                                 ┌──┐
//!  ready ──► idle ──────────── arm ────────────► armed ── stop, until, the line's end, silence
//!             ▲                                                    │  kills what runs
//!             │                                                    ▼
//!            gone ◄──── clearing: kills all ◄── kill, or ended ── undoing
//! ```
//!
//! What `run` leaves behind while armed may stay until mastership ends. What anything else leaves
//! behind is killed before it counts as ended.

pub mod capture;
pub mod orders;
pub mod post;
mod run;

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{FlockOperation, flock};
use rustix::process::{Signal, set_parent_process_death_signal};
use rustix::time::Timespec;
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};

use crate::daemon::cgroup::Own;
use crate::keep::caught::Caught;
use crate::keep::guard::capture::Output;
use crate::keep::guard::orders::{Charge, End, Order, Report};
use crate::keep::guard::run::Run;
use crate::keep::hold::{Act, Hold};
use crate::keep::inherited;
use crate::keep::memory::{self, Held};
use crate::keep::rounds::Rounds;
use crate::keep::tree::{Left, Tree};
use crate::keep::words::{self, Heard};
use crate::keep::{self, Alarm, ring_at};
use crate::protocol::units::Moment;

/// What this process is called on the command line.
pub const NAME: &str = "guard";

/// Between two words of one to the other, while there is anything to guard.
pub const BEAT: Duration = Duration::from_millis(250);
/// So many beats without a word are silence: one second.
pub const BEATS_MISSED_MAX: u32 = 4;

/// Between two looks whether the guard of an earlier daemon has ended.
const TRY_AGAIN: Duration = Duration::from_millis(20);
/// How many reports may wait for the daemon; a run has one, and mastership two.
const REPORTS_WAITING_MAX: usize = 64;

/// Guards, by the orders on standard input; gives an exit code that nobody reads. The word, if
/// there is one, is a file that only one guard has locked at a time.
#[must_use]
pub fn run(words: &[OsString]) -> u8 {
    let line = io::stdin();
    let line = line.as_fd();
    let outcome = inherited::close_all().and_then(|()| Guard::begin(line)).and_then(|mut guard| {
        if let Some(path) = words.first() {
            let lock = File::options().create(true).append(true).open(path)?;
            if !guard.has_locked(&lock) {
                return Ok(());
            }
            // It is let go by the end of the process, after the last hook.
            guard.lock = Some(lock);
        }
        guard.guard();
        Ok(())
    });
    match outcome {
        Ok(()) => 0,
        Err(error) => {
            words::say(line, &Report::Failed { words: error.to_string() });
            1
        }
    }
}

/// Mastership, as far as hooks act under it.
struct Reign {
    hold: Hold,
    until: Moment,
    kill: Moment,
    undo: Option<Charge>,
    stage: Stage,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Hooks may run.
    Armed,
    /// What acted is killed and undone.
    Undoing,
    /// Everything is killed.
    Clearing,
}

struct Guard<'a> {
    line: BorrowedFd<'a>,
    lock: Option<File>,
    /// What its hooks are given back.
    score: Option<String>,
    /// Where it lives with its hooks: what a guard that was killed left there is killed by the
    /// next one.
    cgroup: Option<Own>,
    tree: Tree,
    alarm: Alarm,
    caught: Caught,
    reign: Option<Reign>,
    run: Option<Run>,
    /// The output of what a successful hook left behind.
    left_behind: Vec<Output>,
    waiting: VecDeque<Report>,
    rounds: Rounds,
    next_beat: Moment,
    missed: u32,
    daemon_is_gone: bool,
}

impl<'a> Guard<'a> {
    fn begin(line: BorrowedFd<'a>) -> io::Result<Self> {
        // Signals from outside say nothing here: whoever ends the daemon ends this line.
        let caught =
            Caught::signals(&[SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2])?;
        // When the daemon dies, a guard that was stopped goes on and sees it.
        set_parent_process_death_signal(Some(Signal::CONT))?;
        Ok(Self {
            line,
            lock: None,
            score: None,
            cgroup: None,
            tree: Tree::take()?,
            alarm: Alarm::new()?,
            caught,
            reign: None,
            run: None,
            left_behind: Vec::new(),
            waiting: VecDeque::new(),
            rounds: Rounds::default(),
            next_beat: keep::now(),
            missed: 0,
            daemon_is_gone: false,
        })
    }

    /// Waits until no other guard has `lock`; false if the daemon went away meanwhile.
    fn has_locked(&mut self, lock: &File) -> bool {
        while flock(lock, FlockOperation::NonBlockingLockExclusive).is_err() {
            self.alarm.arm(Some(keep::now().after(TRY_AGAIN).boot_ns));
            self.wait(None);
            self.caught.take();
            self.listen();
            if self.daemon_is_gone {
                return false;
            }
        }
        true
    }

    /// Words come first, so that a guard that stood still hears what was said meanwhile; then the
    /// clocks, before anything is begun.
    fn guard(&mut self) {
        let Held { score, mut notes } = memory::hold();
        self.score = score;
        match Own::make_and_enter() {
            Ok(own) => self.cgroup = Some(own),
            Err(error) => notes.push(format!("no control group: {error}")),
        }
        self.report(Report::Ready { notes });
        loop {
            self.listen();
            self.look();
            let left = self.bury();
            self.hear_hooks();
            self.settle(left);
            self.pass_on();
            if self.is_done() && left == Left::Nothing {
                return;
            }
            let now = keep::now();
            self.alarm.arm(self.wake(now).map(|wake| ring_at(now, wake)));
            let pause = self.pause(now);
            self.wait(pause);
            self.caught.take();
        }
    }

    /// Between two rounds of killing, if there is anything to kill; each death ends the pause.
    fn pause(&mut self, now: Moment) -> Option<Duration> {
        if !self.is_killing() {
            self.rounds = Rounds::default();
            return None;
        }
        if let (true, Some(run)) = (self.rounds.tells(now), &self.run) {
            let text = format!("killed, and the system does not let it die: {}", self.tree.names());
            // A daemon that does not take it now is told again.
            words::say(self.line, &Report::Line { id: run.id(), text });
        }
        Some(self.rounds.pause(now))
    }

    fn is_done(&self) -> bool {
        self.daemon_is_gone && self.reign.is_none() && self.run.is_none()
    }

    fn is_busy(&self) -> bool {
        self.reign.is_some() || self.run.is_some()
    }

    /// Whether everything that lives has to die.
    fn is_killing(&self) -> bool {
        let clears = self.reign.as_ref().is_some_and(|reign| reign.stage == Stage::Clearing);
        clears
            || self.run.as_ref().and_then(Run::end).is_some_and(|end| !self.may_leave_behind(end))
    }

    /// Whether what is left of a run that ended so may stay.
    fn may_leave_behind(&self, end: End) -> bool {
        let is_armed = self.reign.as_ref().is_some_and(|reign| reign.stage == Stage::Armed);
        is_armed && end.is_success()
    }

    /// Follows the clocks.
    fn look(&mut self) {
        let now = keep::now();
        if self.is_busy() && now.may_have_reached(self.next_beat) {
            self.next_beat = now.after(BEAT);
            self.missed += 1;
            // A daemon that does not take it now is told by the next one.
            words::say(self.line, &Report::Beat);
        }
        if let Some(reign) = &mut self.reign {
            if self.missed >= BEATS_MISSED_MAX || self.daemon_is_gone {
                reign.hold.end(now);
            }
            match reign.hold.turn(now) {
                Act::Rest => {}
                Act::Ask => {
                    reign.stage = Stage::Undoing;
                    self.run.iter_mut().for_each(|run| run.end_as(End::Stopped));
                    if self.run.is_none() {
                        self.undo(now);
                    }
                }
                Act::Kill => {
                    reign.stage = Stage::Clearing;
                    self.run.iter_mut().for_each(|run| run.end_as(End::Stopped));
                }
            }
        } else if self.daemon_is_gone {
            self.run.iter_mut().for_each(|run| run.end_as(End::Stopped));
        }
        if let Some(run) = self.run.as_mut().filter(|run| now.may_have_reached(run.timeout())) {
            run.end_as(End::TimedOut);
        }
        if self.is_killing() {
            self.tree.kill();
        }
    }

    /// What acted as master has ended or was never begun; now the other way round.
    fn undo(&mut self, now: Moment) {
        let Some(reign) = &mut self.reign else { return };
        match reign.undo.take() {
            Some(charge) if !now.may_have_reached(reign.kill) => {
                let kill = reign.kill;
                self.begin_run(&charge, kill);
            }
            Some(_) | None => reign.stage = Stage::Clearing,
        }
    }

    fn bury(&mut self) -> Left {
        let run = &mut self.run;
        self.tree.bury(|pid, status| run.iter_mut().for_each(|run| run.buried(pid, status)))
    }

    /// Draws what follows from what was buried.
    fn settle(&mut self, left: Left) {
        let end = self.run.as_ref().and_then(Run::end);
        if let Some(end) = end
            && (left == Left::Nothing || self.may_leave_behind(end))
        {
            self.conclude(end);
        } else if end.is_some() {
            self.tree.kill();
        }
        let is_clear = left == Left::Nothing && self.run.is_none();
        match self.reign.as_ref().map(|reign| reign.stage) {
            Some(Stage::Undoing) if is_clear => {
                self.undo(keep::now());
                self.end_reign();
            }
            Some(Stage::Undoing) if self.run.is_none() => self.tree.kill(),
            Some(Stage::Undoing | Stage::Armed) | None => {}
            Some(Stage::Clearing) if is_clear => self.end_reign(),
            Some(Stage::Clearing) => self.tree.kill(),
        }
    }

    /// Nothing lives: unless the undoing has just begun, it is over.
    fn end_reign(&mut self) {
        if self.reign.take_if(|reign| reign.stage == Stage::Clearing).is_some() {
            self.left_behind.clear();
            self.report(Report::Gone);
        }
    }

    fn conclude(&mut self, end: End) {
        let may_stay = self.may_leave_behind(end);
        let Some(run) = self.run.take() else { return };
        let (line, is_free) = (self.line, self.waiting.is_empty());
        let (report, output) = run.conclude(|line_of| is_free && words::say(line, line_of));
        if may_stay {
            self.left_behind.push(output);
        }
        self.report(report);
    }

    fn hear_hooks(&mut self) {
        let (line, is_free) = (self.line, self.waiting.is_empty());
        if let Some(run) = &mut self.run {
            run.listen(|line_of| is_free && words::say(line, line_of));
        }
        for output in &mut self.left_behind {
            // Nobody may be held up for what nobody listens to any more.
            output.read(|_| {});
        }
        self.left_behind.retain(|output| output.waits_on().is_some());
    }

    /// Says what must not be lost.
    fn report(&mut self, report: Report) {
        if self.waiting.len() < REPORTS_WAITING_MAX {
            self.waiting.push_back(report);
        }
        self.pass_on();
    }

    fn pass_on(&mut self) {
        while let Some(report) = self.waiting.front() {
            if !self.daemon_is_gone && !words::say(self.line, report) {
                return;
            }
            self.waiting.pop_front();
        }
    }

    /// When to look again though nothing happens.
    fn wake(&self, now: Moment) -> Option<Moment> {
        let hold = self.reign.as_ref().map(|reign| reign.hold.wake());
        let timeout = self.run.as_ref().map(Run::timeout);
        let beat = self.is_busy().then_some(self.next_beat);
        let all = [hold, timeout, beat].into_iter().flatten();
        all.min_by_key(|wake| ring_at(now, *wake))
    }

    /// Waits for the alarm, a word, a death, output, or the end of `pause`.
    fn wait(&self, pause: Option<Duration>) {
        let limit =
            pause.map(|pause| Timespec { tv_sec: 0, tv_nsec: i64::from(pause.subsec_nanos()) });
        let mut all =
            vec![PollFd::new(&self.alarm, PollFlags::IN), PollFd::new(&self.caught, PollFlags::IN)];
        // A line that has ended is not waited for again.
        if !self.daemon_is_gone {
            let is_waiting = !self.waiting.is_empty();
            let room = if is_waiting { PollFlags::OUT } else { PollFlags::empty() };
            all.push(PollFd::from_borrowed_fd(self.line, PollFlags::IN | room));
        }
        let outputs = self.left_behind.iter().filter_map(Output::waits_on);
        let outputs = outputs.chain(self.run.as_ref().and_then(Run::waits_on));
        all.extend(outputs.map(|output| PollFd::from_borrowed_fd(output, PollFlags::IN)));
        // A failure is a look too early, no more: INTR, mostly.
        let _ = poll(&mut all, limit.as_ref());
    }

    fn listen(&mut self) {
        while !self.daemon_is_gone {
            match words::hear(self.line) {
                Heard::Word(order) => {
                    self.missed = 0;
                    self.obey(order);
                }
                Heard::Nothing => return,
                Heard::End => self.daemon_is_gone = true,
            }
        }
    }

    fn obey(&mut self, order: Order) {
        let now = keep::now();
        match (order, &mut self.reign) {
            (Order::Arm { until, kill, undo }, None) => {
                let (until, kill) = (until.into(), kill.into());
                let hold = Hold::new(until, kill, None);
                self.reign = Some(Reign { hold, until, kill, undo, stage: Stage::Armed });
                self.begin_to_beat(now);
            }
            (Order::Extend { until, kill }, Some(reign)) if reign.stage == Stage::Armed => {
                (reign.until, reign.kill) = (until.into(), kill.into());
                reign.hold.extend(now, reign.until, reign.kill);
            }
            (Order::Stop { kill, undo }, Some(reign)) => {
                let kill = kill.into();
                reign.kill = reign.kill.earliest(kill);
                reign.undo = undo.filter(|_| reign.undo.is_some()).or(reign.undo.take());
                reign.hold.stop(now, kill);
            }
            (Order::Run(charge), _) => self.take_charge(&charge, now),
            // What was said too late means nothing any more.
            (Order::Arm { .. } | Order::Extend { .. } | Order::Stop { .. } | Order::Beat, _) => {}
        }
    }

    /// Runs it if it may begin now (F37).
    fn take_charge(&mut self, charge: &Charge, now: Moment) {
        let until = match &self.reign {
            Some(reign) if reign.hold.may_start(now) => Some(reign.until),
            Some(_) => None,
            None => Some(Moment { boot_ns: u64::MAX, raw_ns: u64::MAX }),
        };
        match until {
            Some(until) if self.run.is_none() => self.begin_run(charge, until),
            Some(_) | None => self.report(not_begun(charge.id, End::Stopped, None)),
        }
    }

    fn begin_run(&mut self, charge: &Charge, until: Moment) {
        match Run::begin(charge, until, self.score.as_deref()) {
            Ok(run) => {
                if self.reign.is_none() {
                    self.begin_to_beat(keep::now());
                }
                self.run = Some(run);
            }
            Err(error) => {
                let words = Some(error.to_string());
                self.report(not_begun(charge.id, End::NotStarted, words));
            }
        }
    }

    fn begin_to_beat(&mut self, now: Moment) {
        (self.next_beat, self.missed) = (now.after(BEAT), 0);
    }
}

fn not_begun(id: u64, end: End, last: Option<String>) -> Report {
    Report::Ended { id, end, last, dropped: 0, took_ms: 0 }
}
