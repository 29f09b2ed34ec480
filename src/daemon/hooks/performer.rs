//! Owns a guard for hooks that have no part in mastership: one run at a time, to its end.
//! Never decides what runs, and never waits for a run that nobody wants any more.

use std::io;
use std::time::Duration;

use crate::daemon::hooks::outcome::{self, Ran};
use crate::daemon::waiting::{Deadline, For, wait};
use crate::keep::guard::orders::{Charge, Order, Report};
use crate::keep::guard::post::{News, Post};
use crate::settings::hooks::HookName;

/// How much longer than its time-out a run may take before its guard is given up.
const LATE: Duration = Duration::from_secs(10);
/// How often it is asked whether a run is still wanted.
const ASK_EVERY: Duration = Duration::from_millis(100);

/// Runs them.
#[derive(Debug, Default)]
pub(super) struct Performer {
    guard: Option<Post>,
    /// Guards that were given up and are not buried yet.
    lost: Vec<Post>,
}

impl Performer {
    /// One run, to its end; none if it was not wanted any more, and then nothing of it goes on.
    ///
    /// # Errors
    /// The guard is of no use; the next run gets another.
    pub(super) fn perform(
        &mut self,
        hook: HookName,
        charge: &Charge,
        is_wanted: impl Fn() -> bool,
    ) -> io::Result<Option<Ran>> {
        self.lost.retain(|guard| !guard.is_buried());
        let outcome = self.run(hook, charge, is_wanted);
        if !matches!(outcome, Ok(Some(_))) {
            self.lost.extend(self.guard.take().inspect(Post::kill));
        }
        outcome
    }

    fn run(
        &mut self,
        hook: HookName,
        charge: &Charge,
        is_wanted: impl Fn() -> bool,
    ) -> io::Result<Option<Ran>> {
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
                News::Report(Report::Line { text, .. }) => outcome::line(hook, &text),
                News::Report(Report::Ended { id, end, last, dropped, took_ms })
                    if id == charge.id =>
                {
                    return Ok(Some(Ran { end, last, dropped, took_ms }));
                }
                News::Report(Report::Failed { words }) => return Err(io::Error::other(words)),
                News::Report(
                    Report::Ready { .. } | Report::Ended { .. } | Report::Gone | Report::Beat,
                ) => {}
                News::Closed => return Err(io::Error::other("its guard has ended")),
                News::None if deadline.has_passed() => {
                    return Err(io::Error::other("its guard is silent"));
                }
                News::None if !is_wanted() => return Ok(None),
                News::None => {
                    wait(&*guard, For::Reading, Deadline::after(ASK_EVERY))?;
                }
            }
        }
    }
}
