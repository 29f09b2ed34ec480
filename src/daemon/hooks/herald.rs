//! Owns the `event` hook and a guard of its own for it: every event in order, one at a time.
//! Never delays any other hook or anything else: what it is too slow for is dropped and counted.

use std::collections::VecDeque;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::daemon::clock;
use crate::daemon::driver::Driver;
use crate::daemon::events::News;
use crate::daemon::hooks::book::Book;
use crate::daemon::hooks::cues::{Cue, Cues, role_of};
use crate::daemon::hooks::outcome;
use crate::daemon::waiting::{Deadline, For, wait};
use crate::keep::guard::orders::{Charge, End, Order, Report};
use crate::keep::guard::post::{self, Post};
use crate::protocol::units::Term;
use crate::settings::hooks::HookName;
use crate::wire::control::EventReport;

/// How many events may wait for the hook.
pub const EVENTS_WAITING_MAX: usize = 64;
/// How long an idle herald waits between two looks at nothing.
const IDLE: Duration = Duration::from_secs(3600);
/// How much longer than its time-out a run may take before its guard is given up.
const LATE: Duration = Duration::from_secs(10);

/// Tells the `event` hook.
#[derive(Debug)]
pub struct Herald {
    driver: Arc<Driver>,
    book: Arc<Book>,
    cues: Cues,
    news: News,
    waiting: VecDeque<Arc<EventReport>>,
    guard: Option<Post>,
    /// Guards that were given up and are not buried yet.
    lost: Vec<Post>,
}

impl Herald {
    /// Tells what happens from now on; hooks reach the daemon at `socket`.
    #[must_use]
    pub fn new(driver: Arc<Driver>, book: Arc<Book>, socket: &Path) -> Self {
        let (kept, news) = driver.follow_events();
        let waiting = kept.into_iter().take(EVENTS_WAITING_MAX).collect();
        Self {
            driver,
            book,
            cues: Cues::new(socket, None),
            news,
            waiting,
            guard: None,
            lost: Vec::new(),
        }
    }

    /// For ever, or until nothing can happen any more.
    pub fn run(mut self) {
        while self.listen() {
            while let Some(event) = self.waiting.pop_front() {
                self.tell(&event);
                self.catch_up();
            }
        }
    }

    /// Waits for the next event.
    fn listen(&mut self) -> bool {
        match self.news.next(IDLE, clock::wall_text) {
            Ok(event) => self.waiting.push_back(event),
            Err(crossbeam_channel::RecvTimeoutError::Timeout) => {}
            Err(crossbeam_channel::RecvTimeoutError::Disconnected) => return false,
        }
        true
    }

    /// Takes in what came meanwhile, as far as there is room.
    fn catch_up(&mut self) {
        let mut dropped = 0_u32;
        while let Ok(event) = self.news.next(Duration::ZERO, clock::wall_text) {
            if self.waiting.len() < EVENTS_WAITING_MAX {
                self.waiting.push_back(event);
            } else {
                dropped += 1;
            }
        }
        if dropped > 0 {
            log::warn!("hook event is too slow: it is not told of {dropped} events");
        }
    }

    fn tell(&mut self, event: &EventReport) {
        let hooks = self.book.read();
        let status = self.driver.status();
        self.cues.look(&status);
        let role = role_of(&status);
        let cue = Cue {
            hook: HookName::Event,
            event: &event.code,
            role,
            term: Term(event.term),
            seq: event.seq,
            reason: event.reason.as_deref(),
        };
        let ran = match self.cues.charge(event.seq, cue, &hooks, &status) {
            Ok(None) => return,
            Ok(Some(charge)) => self.perform(&charge),
            Err(why) => Err(io::Error::other(why)),
        };
        self.cues.is_now(Some(role));
        match ran {
            // No event of its own: it would be told of that too, for ever.
            Ok(ran) => outcome::remark(HookName::Event, &ran)
                .into_iter()
                .for_each(|remark| log::log!(level(ran.end), "{}", remark.message)),
            Err(error) => {
                log::warn!("hook event could not be run for {}: {error}", event.code);
                self.lost.extend(self.guard.take().inspect(Post::kill));
            }
        }
    }

    /// One run, to its end.
    fn perform(&mut self, charge: &Charge) -> io::Result<outcome::Ran> {
        self.lost.retain(|guard| !guard.is_buried());
        let guard = match self.guard.take() {
            Some(guard) => guard,
            None => Post::start(None)?,
        };
        let guard = self.guard.insert(guard);
        if !guard.say(&Order::Run(charge.clone())) {
            return Err(io::Error::other("its guard does not listen"));
        }
        let deadline = Deadline::after(Duration::from_millis(charge.timeout_ms) + LATE);
        loop {
            match guard.news() {
                post::News::Report(Report::Line { text, .. }) => {
                    outcome::line(HookName::Event, &text);
                }
                post::News::Report(Report::Ended { id, end, last, dropped, took_ms })
                    if id == charge.id =>
                {
                    return Ok(outcome::Ran { end, last, dropped, took_ms });
                }
                post::News::Report(Report::Failed { words }) => {
                    return Err(io::Error::other(words));
                }
                post::News::Report(
                    Report::Ready { .. } | Report::Ended { .. } | Report::Gone | Report::Beat,
                ) => {}
                post::News::Closed => return Err(io::Error::other("its guard has ended")),
                post::News::None if deadline.has_passed() => {
                    return Err(io::Error::other("its guard is silent"));
                }
                post::News::None => {
                    wait(&*guard, For::Reading, deadline)?;
                }
            }
        }
    }
}

fn level(end: End) -> log::Level {
    if end.is_success() { log::Level::Debug } else { log::Level::Warn }
}
