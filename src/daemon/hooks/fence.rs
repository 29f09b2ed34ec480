//! Owns the `fence` hook: while a former master may still act, nothing acts here before the hook
//! has seen to it that it does not (R66).
//! Never runs it for a node that gave mastership up, or that follows this one: nothing acts there.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::RecvTimeoutError;

use crate::daemon::clock;
use crate::daemon::driver::Driver;
use crate::daemon::events::News;
use crate::daemon::holders::Gate;
use crate::daemon::hooks::book::Book;
use crate::daemon::hooks::cues::{Cue, Cues};
use crate::daemon::hooks::occasion::Role;
use crate::daemon::hooks::outcome::{self, Ran};
use crate::daemon::hooks::performer::Performer;
use crate::daemon::hooks::warrant::{Target, Warrant};
use crate::daemon::waiting::{Bell, Deadline, wait_for_bell};
use crate::keep::guard::orders::End;
use crate::protocol::units::{NodeId, Term};
use crate::settings::hooks::{HookName, OnFail};
use crate::wire::codes;
use crate::wire::history::Past;

/// How often it is looked whether the former master follows this node now.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// The first pause after a failure; it doubles each time.
const PAUSE_MIN: Duration = Duration::from_secs(1);
/// The longest such pause.
const PAUSE_MAX: Duration = Duration::from_secs(60);
/// How long it rests while nothing is held back, though nobody rings.
const IDLE: Duration = Duration::from_secs(3600);

/// The hook, and what it needs to know.
pub(super) struct Fence {
    driver: Arc<Driver>,
    book: Arc<Book>,
    bell: Arc<Bell>,
    news: News,
    warrant: Warrant,
    cues: Cues,
    performer: Performer,
    seq: u64,
}

impl Fence {
    /// From now on nothing acts here before it says so. `place` is where the history is kept, and
    /// where hooks reach the daemon. Called before the first tick.
    ///
    /// # Errors
    /// The system has no descriptor left.
    pub(super) fn new(
        driver: &Arc<Driver>,
        book: &Arc<Book>,
        place: (&Path, &Path),
    ) -> io::Result<Self> {
        let (state_dir, socket) = place;
        let bell = Arc::new(Bell::new()?);
        driver.hold_back(Gate::Fence, &bell);
        // Without a history nothing is known, and then whoever may be master counts as one.
        let past = Past::read(state_dir).unwrap_or_default();
        let (kept, news) = driver.follow_events();
        let mut warrant = Warrant::of_past(&past.events);
        kept.iter().for_each(|event| warrant.hear(event));
        Ok(Self {
            driver: Arc::clone(driver),
            book: Arc::clone(book),
            bell,
            news,
            warrant,
            cues: Cues::new(socket, None),
            performer: Performer::default(),
            seq: 0,
        })
    }

    /// For ever, or until nothing can happen any more. Every start is told as an event, too.
    pub(super) fn run(mut self) {
        loop {
            if let Some(term) = self.driver.held_by(Gate::Fence) {
                self.see_to(term);
            }
            match self.news.next(IDLE, clock::wall_text) {
                Ok(event) => self.warrant.hear(&event),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn rest(&self, span: Duration) {
        wait_for_bell(&self.bell, Deadline::after(span))
            .expect("our own eventfd can be waited for");
    }

    fn is_held(&self, term: Term) -> bool {
        self.driver.held_by(Gate::Fence) == Some(term)
    }

    /// Until nobody else acts, or this mastership is over.
    fn see_to(&mut self, term: Term) {
        let patience = Deadline::after(self.driver.committed().charter.timing.dead_after());
        let mut failed = 0_u32;
        while self.is_held(term) {
            self.catch_up();
            let hooks = self.book.read();
            let target = self.suspect();
            if target == Target::Nobody || hooks.fence.is_none() {
                return self.open(term);
            }
            // Whoever is heard says in a moment whether it follows this node; and where all begin
            // at once, the others are given the time to come.
            let may_come = target == Target::Unknown || self.is_heard(&target);
            if failed == 0 && may_come && !patience.has_passed() {
                self.rest(LOOK_EVERY);
                continue;
            }
            match self.perform(term, &target) {
                Ok(None) => return,
                Ok(Some(End::Code(0))) => return self.open(term),
                Ok(Some(_)) => {}
                Err(why) => log::error!("hook fence could not be run: {why}"),
            }
            failed = failed.saturating_add(1);
            if failed == hooks.retries.saturating_add(1) {
                self.give_up(term, hooks.on_fail);
            }
            self.pause(term, failed);
        }
    }

    /// Longer and longer between two tries, but not once the former master follows this node.
    fn pause(&self, term: Term, failed: u32) {
        let doubled = 1_u32.checked_shl(failed.saturating_sub(1)).unwrap_or(u32::MAX);
        let until = Deadline::after(PAUSE_MIN.saturating_mul(doubled).min(PAUSE_MAX));
        while self.is_held(term) && self.suspect() != Target::Nobody && !until.has_passed() {
            self.rest(LOOK_EVERY * 10);
        }
    }

    fn give_up(&mut self, term: Term, on_fail: OnFail) {
        let words = match on_fail {
            OnFail::Ignore => "this node acts all the same, as `on_fail` says",
            OnFail::Retry | OnFail::StepDown => "nothing acts here before it succeeds",
        };
        let message = format!("hook fence failed as often as it may: {words}");
        self.driver.say(outcome::alarm(codes::HOOK_GAVE_UP, message));
        if on_fail == OnFail::Ignore {
            self.open(term);
        }
    }

    fn open(&mut self, term: Term) {
        self.catch_up();
        self.warrant.settle(self.driver.name());
        self.driver.let_act(Gate::Fence, term);
    }

    fn catch_up(&mut self) {
        while let Ok(event) = self.news.next(Duration::ZERO, clock::wall_text) {
            self.warrant.hear(&event);
        }
    }

    /// Whom to fence, without those that follow this node.
    fn suspect(&self) -> Target {
        let status = self.driver.status();
        let me = self.driver.name();
        let follows = |id: &str| {
            let peer = status.peers.iter().find(|peer| peer.id.as_str() == id);
            peer.is_some_and(|peer| peer.is_heard && peer.follows.as_ref() == Some(me))
        };
        match self.warrant.target(me) {
            Target::Node(name) if follows(&name) => Target::Nobody,
            Target::Unknown if self.others().iter().all(|id| follows(id.as_str())) => {
                Target::Nobody
            }
            target @ (Target::Nobody | Target::Node(_) | Target::Unknown) => target,
        }
    }

    /// Every other node that may be master.
    fn others(&self) -> Vec<NodeId> {
        let document = self.driver.committed();
        let all = document.charter.members.all();
        let others = all.filter(|member| member.may_lead() && member.id != *self.driver.name());
        others.map(|member| member.id.clone()).collect()
    }

    fn is_heard(&self, target: &Target) -> bool {
        let Target::Node(name) = target else { return false };
        let peers = self.driver.status().peers;
        peers.iter().any(|peer| peer.id.as_str() == name && peer.is_heard)
    }

    /// One run; none if it was not wanted any more.
    fn perform(&mut self, term: Term, target: &Target) -> Result<Option<End>, String> {
        let hooks = self.book.read();
        let status = self.driver.status();
        self.seq += 1;
        self.cues.is_after(match target {
            Target::Node(name) => Some(name.clone()),
            Target::Nobody | Target::Unknown => None,
        });
        let cue = Cue {
            hook: HookName::Fence,
            event: HookName::Fence.word(),
            role: Role::Backup,
            term,
            seq: self.seq,
            reason: None,
        };
        let Some(charge) = self.cues.charge(self.seq, cue, &hooks, &status)? else {
            return Ok(Some(End::Code(0)));
        };
        let driver = Arc::clone(&self.driver);
        let is_wanted = || driver.held_by(Gate::Fence) == Some(term);
        let ran = self.performer.perform(HookName::Fence, &charge, is_wanted);
        let ran: Option<Ran> = ran.map_err(|error| error.to_string())?;
        if let Some(ran) = &ran {
            outcome::tell(&self.driver, HookName::Fence, ran);
        }
        Ok(ran.map(|ran| ran.end))
    }
}
