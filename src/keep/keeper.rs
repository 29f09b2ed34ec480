//! Owns the keeper: the one parent of CMD, which ends it in time by its own clocks.
//! Never believes in an extension that did not come, never writes to a terminal, and ends only
//! when the system says that nothing of CMD is left.

use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, Signal, WaitStatus, kill_process, set_parent_process_death_signal};
use rustix::time::Timespec;
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};

use crate::daemon::cgroup::{Cgroup, Own};
use crate::keep::caught::Caught;
use crate::keep::hold::{Act, Hold};
use crate::keep::launch::{self, Room};
use crate::keep::memory::{self, Held};
use crate::keep::rounds::Rounds;
use crate::keep::tree::{Left, Tree};
use crate::keep::words::{self, Heard, Order, Report};
use crate::keep::{self, Alarm, ring_at};

/// What this process is called on the command line.
pub const NAME: &str = "run-keeper";

/// Keeps `cmd`, by the orders on standard input; gives an exit code that nobody reads.
#[must_use]
pub fn run(cmd: &[OsString]) -> u8 {
    let line = io::stdin();
    let line = line.as_fd();
    match Keeper::begin(cmd, line) {
        Ok(Some(mut keeper)) => keeper.keep(),
        Ok(None) => 0,
        Err(error) => {
            words::say(line, &Report::Failed { words: error.to_string() });
            1
        }
    }
}

struct Keeper<'a> {
    line: BorrowedFd<'a>,
    tree: Tree,
    cgroup: Option<Own>,
    hold: Hold,
    rounds: Rounds,
    main: Pid,
    alarm: Alarm,
    caught: Caught,
    front_is_gone: bool,
    main_has_ended: bool,
    has_told_ending: bool,
}

impl<'a> Keeper<'a> {
    /// Gets ready, waits for the charge, and starts CMD if there is time then. What takes long is
    /// done before, what depends on the charge after: it may come at once, or in a year.
    fn begin(cmd: &[OsString], line: BorrowedFd<'a>) -> io::Result<Option<Self>> {
        // Signals from outside say nothing here: the front passes on what concerns CMD.
        let signals = [SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2];
        let caught = Caught::unless_ignored(&signals)?;
        // When the front dies, a keeper that was stopped goes on and sees it.
        set_parent_process_death_signal(Some(Signal::CONT))?;
        let tree = Tree::take()?;
        let alarm = Alarm::new()?;
        let why_not = |why: &io::Error| log::debug!("no control group: {why}");
        let mut cgroup = Own::make_and_enter().inspect_err(why_not).ok();
        let (order, stdin) = words::receive(line)?;
        let Order::Begin { environment, until, kill, grace_ms, group } = order else {
            return Err(io::Error::other("the first order is to begin"));
        };
        let hold = Hold::new(until.into(), kill.into(), grace_ms.map(Duration::from_millis));
        if !hold.may_start(keep::now()) {
            words::say(line, &Report::TooLate);
            return Ok(None);
        }
        let Held { score, notes } = memory::hold();
        notes.iter().for_each(|note| log::debug!("the keeper: {note}"));
        let room = Room { environment: &environment, score: score.as_deref() };
        let main = launch::start(cmd, until.into(), group, stdin, &room)?;
        // One that cannot leave goes without the group: the tree is killed whole either way.
        cgroup.iter_mut().for_each(|own| own.leave().unwrap_or_else(|why| why_not(&why)));
        Ok(Some(Self {
            line,
            tree,
            cgroup,
            hold,
            rounds: Rounds::default(),
            main,
            alarm,
            caught,
            front_is_gone: false,
            main_has_ended: false,
            has_told_ending: false,
        }))
    }

    /// The clocks come first in every round: whoever was suspended or stopped looks at them
    /// before anything else.
    fn keep(&mut self) -> u8 {
        loop {
            let now = keep::now();
            let act = self.hold.turn(now);
            self.tell_ending();
            match act {
                Act::Rest => {}
                Act::Ask => self.tree.signal(&[Signal::TERM, Signal::CONT]),
                Act::Kill => self.kill(),
            }
            if self.bury() == Left::Nothing && self.group().is_none_or(Cgroup::is_empty) {
                return 0;
            }
            self.alarm.arm(Some(ring_at(now, self.hold.wake())));
            // Each death ends the pause.
            let pause = (act == Act::Kill).then(|| self.rounds.pause(now));
            self.wait(pause);
            self.caught.take();
            self.listen();
        }
    }

    /// The front must not take an end that was ordered by the clocks for CMD's own.
    fn tell_ending(&mut self) {
        if !self.hold.is_running() && !self.main_has_ended && !self.has_told_ending {
            self.has_told_ending = true;
            words::say(self.line, &Report::Ending);
        }
    }

    fn bury(&mut self) -> Left {
        let mut ended = None;
        let mut is_suspended = false;
        let left = self.tree.bury(|pid, status| {
            if pid == self.main {
                ended = ended.or(code(status));
            }
            is_suspended |= status.stopping_signal() == Some(Signal::TSTP.as_raw());
        });
        if let Some(code) = ended {
            self.main_has_ended = true;
            words::say(self.line, &Report::Ended { code });
            self.hold.end(keep::now());
        }
        if is_suspended {
            // Nobody could wake it for the end of its time but us: it does not sleep.
            self.tree.signal(&[Signal::CONT]);
        }
        left
    }

    fn group(&self) -> Option<&Cgroup> {
        self.cgroup.as_ref().and_then(Own::group)
    }

    /// In one step where there is a control group; what moved itself out of it is killed as well.
    fn kill(&self) {
        if let Some(Err(error)) = self.group().map(Cgroup::kill) {
            log::debug!("cannot kill the control group: {error}");
        }
        self.tree.kill();
    }

    /// Waits for the alarm, a word, a death, or the end of `pause`.
    fn wait(&self, pause: Option<Duration>) {
        let limit =
            pause.map(|pause| Timespec { tv_sec: 0, tv_nsec: i64::from(pause.subsec_nanos()) });
        // A line that has ended is not waited for again.
        let flags = if self.front_is_gone { PollFlags::empty() } else { PollFlags::IN };
        let mut all =
            vec![PollFd::new(&self.alarm, PollFlags::IN), PollFd::new(&self.caught, PollFlags::IN)];
        if !self.front_is_gone {
            all.push(PollFd::from_borrowed_fd(self.line, flags));
        }
        // A failure is a look too early, no more: INTR, mostly.
        let _ = poll(&mut all, limit.as_ref());
    }

    fn listen(&mut self) {
        while !self.front_is_gone {
            let order = match words::hear(self.line) {
                Heard::Word(order) => order,
                Heard::Nothing => return,
                Heard::End => {
                    self.front_is_gone = true;
                    self.hold.kill();
                    return;
                }
            };
            self.obey(&order);
        }
    }

    fn obey(&mut self, order: &Order) {
        let now = keep::now();
        match *order {
            Order::Extend { until, kill } => self.hold.extend(now, until.into(), kill.into()),
            Order::Stop { kill } => self.hold.stop(now, kill.into()),
            Order::End | Order::Begin { .. } => self.hold.end(now),
            Order::Kill => self.hold.kill(),
            Order::Signal { number } => {
                if let Some(signal) = Signal::from_named_raw(number) {
                    // It may have ended meanwhile; then it is buried next.
                    let _ = kill_process(self.main, signal);
                }
            }
        }
    }
}

/// How a program ended, as shells count it; none while it lives.
fn code(status: WaitStatus) -> Option<u8> {
    let signalled = status.terminating_signal().map(|signal| 128 + signal);
    status.exit_status().or(signalled).and_then(|code| u8::try_from(code).ok())
}
