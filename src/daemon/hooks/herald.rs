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
use crate::daemon::hooks::performer::Performer;
use crate::keep::guard::orders::End;
use crate::protocol::units::Term;
use crate::settings::hooks::HookName;
use crate::wire::control::EventReport;

/// How many events may wait for the hook.
pub const EVENTS_WAITING_MAX: usize = 64;
/// How long an idle herald waits between two looks at nothing.
const IDLE: Duration = Duration::from_secs(3600);

/// Tells the `event` hook.
#[derive(Debug)]
pub struct Herald {
    driver: Arc<Driver>,
    book: Arc<Book>,
    cues: Cues,
    news: News,
    waiting: VecDeque<Arc<EventReport>>,
    performer: Performer,
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
            performer: Performer::default(),
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
            Ok(Some(charge)) => self.performer.perform(HookName::Event, &charge, || true),
            Err(why) => Err(io::Error::other(why)),
        };
        self.cues.is_now(Some(role));
        match ran {
            // No event of its own: it would be told of that too, for ever.
            Ok(None) => {}
            Ok(Some(ran)) => {
                let tallies = self.driver.tallies();
                tallies.ran(HookName::Event, outcome::result(ran.end), ran.took_ms);
                outcome::remark(HookName::Event, &ran)
                    .into_iter()
                    .for_each(|remark| log::log!(level(ran.end), "{}", remark.message));
            }
            Err(error) => log::warn!("hook event could not be run for {}: {error}", event.code),
        }
    }
}

fn level(end: End) -> log::Level {
    if end.is_success() { log::Level::Debug } else { log::Level::Warn }
}
