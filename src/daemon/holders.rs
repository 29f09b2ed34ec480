//! Owns who acts under this node's mastership besides the daemon: the programs of `quorate run`.
//! Decides when the last of them is gone (R34). Never waits for one and never talks to one: each
//! has a mailbox in which only the newest word counts.
//!
//! A holder whose stream ended without `gone` is mourned where its processes can be seen: somebody
//! watches them die and says so (see `burial`). Where they cannot, it is counted as alive until the
//! last moment to kill it was ever told, and the time killing takes, have surely passed: its keeper
//! kills by its own clocks, with or without us.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::daemon::reset::leash::Task;
use crate::daemon::waiting::Bell;
use crate::protocol::map::Map;
use crate::protocol::units::{Moment, Term};

/// How many programs may hold mastership, or wait for it, at once.
pub const HOLDERS_MAX: usize = 128;

/// For how long one may act.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Span {
    /// The fencing token.
    pub term: Term,
    /// Then it has to end.
    pub until: Moment,
    /// Then it is killed.
    pub kill: Moment,
}

/// What a holder is to be told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Notice {
    /// It may act.
    Granted(Span),
    /// It may go on.
    Extended(Span),
    /// It has to end.
    Stop {
        /// The term that ends.
        term: Term,
        /// When it is killed.
        kill: Moment,
    },
}

/// The newest word to one holder, and the bell that announces it.
#[derive(Debug)]
pub struct Mailbox {
    newest: Mutex<Option<Notice>>,
    bell: Bell,
}

impl Mailbox {
    /// An empty one.
    ///
    /// # Errors
    /// Too many open files.
    pub fn new() -> io::Result<Self> {
        Ok(Self { newest: Mutex::new(None), bell: Bell::new()? })
    }

    /// Rings when there is something to take.
    pub fn bell(&self) -> &Bell {
        &self.bell
    }

    /// The newest word, once.
    pub fn take(&self) -> Option<Notice> {
        self.lock().take()
    }

    /// Replaces what was not read yet; a grant that was not read is a grant still.
    fn put(&self, notice: Notice) {
        let mut newest = self.lock();
        *newest = Some(match (*newest, notice) {
            (Some(Notice::Granted(old)), Notice::Extended(span)) if old.term == span.term => {
                Notice::Granted(span)
            }
            (_, notice) => notice,
        });
        drop(newest);
        self.bell.ring();
    }

    fn lock(&self) -> MutexGuard<'_, Option<Notice>> {
        // Nothing half-changed is ever seen: whoever panics ends the process.
        self.newest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Who may hold everybody back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Gate {
    /// The hardware watchdog, until it is armed.
    Watchdog,
    /// The `fence` hook, until the former master is surely out.
    Fence,
}

/// Names a holder.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct HolderId(u64);

/// Where a holder's words come from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Tie {
    /// Its stream.
    Talks,
    /// Its stream, but it is told nothing here.
    Idles,
    /// Whoever watches it die.
    Mourned,
    /// Nowhere: time says that it is dead.
    Left,
}

/// When what a holder runs is surely dead, if all goes as it should.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Due {
    /// The term it may act in.
    pub term: Term,
    /// The last moment to kill that it was told.
    pub kill: Moment,
    /// How long killing takes.
    pub kill_time: Duration,
}

#[derive(Debug)]
struct Holder {
    mailbox: Arc<Mailbox>,
    /// The term it may act in, and the last moment to kill that it was told.
    acts: Option<(Term, Moment)>,
    tie: Tie,
}

/// What is to be confirmed dead.
#[derive(Clone, Copy, Debug)]
struct Stopping {
    term: Term,
    kill: Moment,
    kill_time: Duration,
}

/// All holders.
#[derive(Debug, Default)]
pub struct Holders {
    holders: Map<HolderId, Holder>,
    joined: u64,
    span: Option<Span>,
    stopping: Option<Stopping>,
    /// Who holds everybody back at every start.
    gates: Vec<Gate>,
    /// Who does now.
    held_by: Vec<Gate>,
}

impl Holders {
    /// From now on nobody acts after `start` before `let_act` of this gate.
    pub fn hold_back(&mut self, gate: Gate) {
        self.gates.push(gate);
    }

    /// Whether this node may act and nobody does, since all are held back.
    #[must_use]
    pub fn is_held(&self) -> bool {
        !self.held_by.is_empty()
    }

    /// The term in which this gate holds everybody back.
    #[must_use]
    pub fn held_by(&self, gate: Gate) -> Option<Term> {
        self.span.filter(|_| self.held_by.contains(&gate)).map(|span| span.term)
    }

    /// As far as `gate` goes, all that were held back in `term` may act; what they may is given
    /// once the last gate is open.
    pub fn let_act(&mut self, gate: Gate, term: Term) -> Option<Span> {
        let span = self.span.filter(|span| self.is_held() && span.term == term)?;
        self.held_by.retain(|one| *one != gate);
        if self.is_held() {
            return None;
        }
        self.grant_all(span);
        Some(span)
    }

    fn grant_all(&mut self, span: Span) {
        self.holders.values_mut().for_each(|holder| holder.grant(span));
    }

    /// What is done under mastership, where killing takes that long.
    #[must_use]
    pub fn task(&self, kill_time: Duration) -> Task {
        match (self.span, self.stopping) {
            (Some(Span { term, kill, .. }), _) => {
                let limit = kill.after(kill_time);
                let is_held = self.held_by.contains(&Gate::Watchdog);
                if is_held { Task::Held { term, limit } } else { Task::Acting { term, limit } }
            }
            (None, Some(stopping)) => Task::Stopping { limit: stopping.kill.after(kill_time) },
            (None, None) => Task::Idle,
        }
    }

    /// Takes one more in, and grants it what there is to grant; none when there is no room.
    pub fn join(
        &mut self,
        mailbox: &Arc<Mailbox>,
        now: Moment,
        kill_time: Duration,
    ) -> Option<HolderId> {
        let id = self.take_in(Tie::Talks, mailbox, now, kill_time)?;
        let span = self.span.filter(|_| !self.is_held());
        if let (Some(span), Some(holder)) = (span, self.holders.get_mut(&id)) {
            holder.grant(span);
        }
        Some(id)
    }

    /// Takes one in that is never granted anything: it has a place among the others, no more.
    pub fn join_idle(
        &mut self,
        mailbox: &Arc<Mailbox>,
        now: Moment,
        kill_time: Duration,
    ) -> Option<HolderId> {
        self.take_in(Tie::Idles, mailbox, now, kill_time)
    }

    fn take_in(
        &mut self,
        tie: Tie,
        mailbox: &Arc<Mailbox>,
        now: Moment,
        kill_time: Duration,
    ) -> Option<HolderId> {
        self.bury(now, kill_time);
        if self.holders.len() >= HOLDERS_MAX {
            return None;
        }
        self.joined += 1;
        let id = HolderId(self.joined);
        self.holders.insert(id, Holder { mailbox: Arc::clone(mailbox), acts: None, tie });
        Some(id)
    }

    /// This node acts from now on: so may all.
    pub fn start(&mut self, span: Span) {
        let is_idle = self.holders.values().all(|holder| holder.acts.is_none());
        assert!(is_idle, "who acted in an earlier term is gone before another begins");
        self.span = Some(span);
        self.held_by.clone_from(&self.gates);
        if !self.is_held() {
            self.grant_all(span);
        }
    }

    /// All may go on.
    pub fn extend(&mut self, span: Span) {
        self.span = Some(span);
        for holder in self.holders.values_mut() {
            if let (Some((term, kill)), Tie::Talks) = (&mut holder.acts, holder.tie)
                && *term == span.term
            {
                *kill = kill.latest(span.kill);
                holder.mailbox.put(Notice::Extended(span));
            }
        }
    }

    /// Whether what acts in `term` was not told to end.
    #[must_use]
    pub fn may_go_on(&self, term: Term) -> bool {
        self.span.is_some_and(|span| span.term == term)
    }

    /// All have to end, and are dead `kill_time` after `kill`, or after what they last heard.
    pub fn stop(&mut self, term: Term, kill: Moment, kill_time: Duration) {
        let known = self.span.take().map_or(kill, |span| span.kill);
        self.held_by.clear();
        self.stopping = Some(Stopping { term, kill: known.earliest(kill), kill_time });
        for holder in self.holders.values().filter(|holder| holder.acts.is_some()) {
            holder.mailbox.put(Notice::Stop { term, kill });
        }
    }

    /// A holder says that nothing of it lives; it is granted nothing more before another term.
    pub fn gone(&mut self, id: HolderId, term: Term) {
        if let Some(holder) = self.holders.get_mut(&id)
            && holder.acts.is_some_and(|(acts_in, _)| acts_in == term)
        {
            holder.acts = None;
        }
    }

    /// A holder's stream ended, or it does not listen: somebody watches until it is `gone`.
    pub fn mourn(&mut self, id: HolderId) {
        if let Some(holder) = self.holders.get_mut(&id) {
            holder.tie = Tie::Mourned;
        }
    }

    /// A holder's stream ended, and nobody watches it.
    pub fn leave(&mut self, id: HolderId) {
        if let Some(holder) = self.holders.get_mut(&id) {
            holder.tie = Tie::Left;
        }
        self.holders.retain(|_, holder| holder.tie != Tie::Left || holder.acts.is_some());
    }

    /// When a holder that acts is due.
    #[must_use]
    pub fn due(&self, id: HolderId, kill_time: Duration) -> Option<Due> {
        let (term, kill) = self.holders.get(&id)?.acts?;
        Some(Due { term, kill, kill_time })
    }

    /// The term in which nothing acts any more, once after `stop`.
    pub fn confirm(&mut self, now: Moment) -> Option<Term> {
        let Stopping { term, kill_time, .. } = self.stopping?;
        self.bury(now, kill_time);
        let is_empty = self.holders.values().all(|holder| holder.acts.is_none());
        is_empty.then(|| {
            self.stopping = None;
            term
        })
    }

    /// Forgets those that were never heard of again and are surely dead.
    fn bury(&mut self, now: Moment, kill_time: Duration) {
        let is_dead = |kill: Moment| now.has_surely_reached(kill.after(kill_time));
        self.holders.retain(|_, holder| {
            holder.tie != Tie::Left || holder.acts.is_some_and(|(_, kill)| !is_dead(kill))
        });
    }

    /// When to ask `confirm` again, though nobody says anything.
    #[must_use]
    pub fn next(&self) -> Option<Moment> {
        let kill_time = self.stopping?.kill_time;
        let left = self.holders.values().filter(|holder| holder.tie == Tie::Left);
        let dead = left.filter_map(|holder| holder.acts.map(|(_, kill)| kill.after(kill_time)));
        dead.min_by_key(|moment| (moment.boot_ns, moment.raw_ns))
    }
}

impl Holder {
    fn grant(&mut self, span: Span) {
        if self.tie == Tie::Talks {
            self.acts = Some((span.term, span.kill));
            self.mailbox.put(Notice::Granted(span));
        }
    }
}
