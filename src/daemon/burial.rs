//! Owns the end of a program that acted under mastership and does not say that it is gone: wakes
//! it, kills all of it, and watches until nothing of it lives (R34).
//! Never takes it for dead because it should be: what the system does not show as dead lives on,
//! this node votes for nobody meanwhile, and people are told.
//!
//! ```text
//! kill time over, ──► woken (SIGCONT): ── a second ──► all below the front killed, until nothing
//! no word of its end   front and keeper                 lives there, as the system shows it
//! ```
//!
//! As long as the front lives, whatever descends from it stays below it, since it is a
//! subreaper; when it has died, the same holds for its keeper. When both have, there is the
//! control group, if they had one, and whoever was seen to live. A front with nothing below it
//! is left alone, also one that stands still: it starts nothing in a term that is over. Nor
//! does a keeper that waits for its charge, but it counts as alive: its front is woken, and if
//! that does not help, it dies.

use std::fs;
use std::time::Duration;

use rustix::process::Signal;

use crate::daemon::cgroup::Cgroup;
use crate::daemon::clock;
use crate::daemon::holders::Due;
use crate::daemon::pinned::Pinned;
use crate::daemon::processes::{self, Process};
use crate::protocol::map::Map;
use crate::protocol::units::Moment;

/// Between two looks.
pub const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// Between two looks at what does not die.
const LOOK_LATER: Duration = Duration::from_millis(500);
/// How long a woken one may take to end by itself.
const WOKEN_WITHIN: Duration = Duration::from_secs(1);
/// Between two lines about the same program.
const TELL_AGAIN: Duration = Duration::from_secs(10);
/// How often the list is read to stop newcomers before the killing.
const STOPS_MAX: usize = 32;
/// No more of the living are named in a line.
const NAMED_MAX: usize = 3;

/// A program under mastership as the system shows it.
#[derive(Debug)]
pub struct Body {
    front: Pinned,
    keeper: Option<Pinned>,
    cgroups: Vec<Cgroup>,
    /// Children of the front from before, which are somebody else's.
    spared: Vec<Process>,
}

impl Body {
    /// That of which `front` is the first process, before it runs anything.
    #[must_use]
    pub fn of(front: Pinned) -> Self {
        let mut spared = processes::list().unwrap_or_default();
        spared.retain(|one| one.parent == front.pid);
        Self { front, keeper: None, cgroups: Vec::new(), spared }
    }

    fn spares(&self, one: &Process) -> bool {
        self.spared.iter().any(|spared| spared.is(one))
    }

    /// The front says that it started a keeper: the youngest that is below it.
    pub fn find_keeper(&mut self) {
        let Ok(all) = processes::list() else { return };
        let is_it = |one: &&Process| {
            one.parent == self.front.pid
                && !one.is_dead()
                && processes::command_of(one.pid).starts_with("quorate run-keeper")
        };
        let youngest = all.iter().filter(is_it).max_by_key(|one| one.started);
        let Some(keeper) = youngest.and_then(|one| Pinned::of(one).ok()) else { return };
        self.cgroups.retain(|group| group.belongs_to(self.front.user));
        let maker = own_number(keeper.pid);
        self.cgroups.extend(maker.and_then(|maker| Cgroup::of_maker(maker, self.front.pid)));
        self.keeper = Some(keeper);
    }

    /// Whoever keeps the rest together: the front, then its keeper.
    fn root(&self) -> Option<&Pinned> {
        [Some(&self.front), self.keeper.as_ref()].into_iter().flatten().find(|one| !one.is_dead())
    }

    fn groups(&self) -> impl Iterator<Item = &Cgroup> {
        self.cgroups.iter().filter(|group| group.belongs_to(self.front.user))
    }
}

/// The number that a process has for itself, in its own world of processes.
fn own_number(pid: i32) -> Option<i32> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("NSpid:"))?;
    line.split_ascii_whitespace().last()?.parse().ok()
}

/// One burial.
#[derive(Debug)]
pub struct Burial<'a> {
    body: &'a Body,
    due: Due,
    woken: Option<Moment>,
    told: Option<Moment>,
    /// Everyone seen alive below it once its time was over.
    seen: Map<(i32, u64), Pinned>,
    refused: Option<String>,
}

impl<'a> Burial<'a> {
    /// Of `body`, which has to be dead by what `due` says.
    #[must_use]
    pub fn new(body: &'a Body, due: Due) -> Self {
        Self { body, due, woken: None, told: None, seen: Map::default(), refused: None }
    }

    /// One look, and what has to be done: true when nothing lives any more.
    pub fn look(&mut self) -> bool {
        let now = clock::now();
        if !now.has_surely_reached(self.due.kill.after(self.due.kill_time)) {
            return false;
        }
        self.seen.retain(|_, one| !one.is_dead());
        if self.seen.is_empty() && self.groups_are_empty() && self.is_alone() {
            self.body.groups().for_each(Cgroup::remove);
            return true;
        }
        match self.woken {
            None => self.wake(now),
            Some(woken) if now.has_surely_reached(woken.after(WOKEN_WITHIN)) => self.kill(now),
            Some(_) => {}
        }
        false
    }

    /// How long to wait before the next look.
    #[must_use]
    pub fn pause(&self) -> Duration {
        if self.told.is_some() { LOOK_LATER } else { LOOK_AGAIN }
    }

    fn wake(&mut self, now: Moment) {
        self.woken = Some(now);
        let term = self.due.term.0;
        log::warn!(
            "{} acted in term {term} and does not say that it has ended: woken, in case it stands \
             still",
            self.body.front
        );
        for one in [Some(&self.body.front), self.body.keeper.as_ref()].into_iter().flatten() {
            note(&mut self.refused, one, Signal::CONT);
        }
    }

    fn kill(&mut self, now: Moment) {
        for group in self.body.groups() {
            if let Err(error) = group.kill() {
                log::debug!("cannot kill the control group of {}: {error}", self.body.front);
            }
        }
        if let Some(root) = self.body.root() {
            self.stop_all_below(root);
        }
        for one in self.seen.values() {
            note(&mut self.refused, one, Signal::KILL);
        }
        if self.told.is_none_or(|told| now.has_surely_reached(told.after(TELL_AGAIN))) {
            self.told = Some(now);
            self.tell();
        }
    }

    fn stop_all_below(&mut self, root: &Pinned) {
        for _ in 0..STOPS_MAX {
            let Ok(all) = processes::list() else { return };
            let living = processes::below(root.pid, all, |one| self.body.spares(one));
            let before = self.seen.len();
            for one in living.iter().filter(|one| !one.is_dead()) {
                let name = (one.pid, one.started);
                if self.seen.contains_key(&name) {
                    continue;
                }
                // One that has ended meanwhile is none.
                if let Ok(pinned) = Pinned::of(one) {
                    note(&mut self.refused, &pinned, Signal::STOP);
                    self.seen.insert(name, pinned);
                }
            }
            if self.seen.len() == before {
                return;
            }
        }
    }

    /// Whether surely nothing lives below whoever keeps the rest together.
    fn is_alone(&self) -> bool {
        let Some(root) = self.body.root() else { return true };
        let is_spared = |one: &Process| self.body.spares(one);
        // It kept them together only if it still lives.
        processes::nothing_lives_below(root.pid, is_spared).unwrap_or(false) && !root.is_dead()
    }

    fn groups_are_empty(&self) -> bool {
        self.body.groups().all(Cgroup::is_empty)
    }

    fn tell(&self) {
        let living = self.seen.values().filter(|one| !one.is_dead());
        let mut names: Vec<String> =
            living.chain(self.body.root()).map(ToString::to_string).collect();
        let count = names.len();
        names.truncate(NAMED_MAX);
        let more = if count > NAMED_MAX { " and more" } else { "" };
        let term = self.due.term.0;
        let names = names.join(", ");
        match &self.refused {
            None => log::error!(
                "killing what still lives of term {term}: {names}{more}; this node votes for \
                 nobody before it is dead"
            ),
            Some(error) => log::error!(
                "still alive of term {term}: {names}{more}, and this daemon may not kill it \
                 ({error}): end it by hand; this node votes for nobody before"
            ),
        }
    }
}

fn note(refused: &mut Option<String>, one: &Pinned, signal: Signal) {
    if let Err(error) = one.signal(signal) {
        *refused = Some(error.to_string());
    }
}
