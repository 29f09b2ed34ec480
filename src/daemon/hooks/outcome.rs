//! Says how a hook ended and what it wrote, for the log and as events.
//! Never decides what follows.

use crate::daemon::driver::Driver;
use crate::daemon::events::{Loudness, Remark};
use crate::keep::guard::orders::End;
use crate::settings::hooks::HookName;
use crate::wire::codes;

/// One run that is over.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ran {
    /// How it ended.
    pub end: End,
    /// Its last line.
    pub last: Option<String>,
    /// How many bytes of its output were not logged.
    pub dropped: u64,
    /// How long it took, milliseconds.
    pub took_ms: u64,
}

/// How a run ended, in the word of the metrics.
#[must_use]
pub fn result(end: End) -> &'static str {
    match end {
        End::Code(0) => RESULTS[0],
        End::Code(_) | End::Signal(_) | End::NotStarted => RESULTS[1],
        End::TimedOut => RESULTS[2],
        End::Stopped => RESULTS[3],
    }
}

/// Every such word: it did what it is for; it did not; it took too long; mastership ended first.
pub const RESULTS: [&str; 4] = ["ok", "failed", "timed-out", "cut-short"];

/// Logs a line of a hook.
pub fn line(hook: HookName, text: &str) {
    log::info!("hook {}: {text}", hook.word());
}

/// Counts a run that is over, and tells of it.
pub fn tell(driver: &Driver, hook: HookName, ran: &Ran) {
    driver.tallies().ran(hook, result(ran.end), ran.took_ms);
    remark(hook, ran).into_iter().for_each(|one| driver.say(one));
}

/// The event of a run that is over; none for one that was cut short, which says nothing about it.
#[must_use]
pub fn remark(hook: HookName, ran: &Ran) -> Option<Remark> {
    let (word, took) = (hook.word(), ran.took_ms);
    if ran.dropped > 0 {
        log::warn!("hook {word}: {} more bytes of its output are not logged", ran.dropped);
    }
    let last = ran.last.as_deref().unwrap_or("it wrote nothing");
    let (code, message) = match ran.end {
        End::Code(0) => (codes::HOOK_OK, format!("hook {word}: ok in {took} ms")),
        End::Code(code) => (
            codes::HOOK_FAILED,
            format!("hook {word} failed: exit code {code} (last line: {last})"),
        ),
        End::Signal(number) => (
            codes::HOOK_FAILED,
            format!("hook {word} failed: killed by signal {number} (last line: {last})"),
        ),
        End::TimedOut => (
            codes::HOOK_TIMED_OUT,
            format!("hook {word} was killed after {took} ms, its time-out (last line: {last})"),
        ),
        End::NotStarted => {
            (codes::HOOK_FAILED, format!("hook {word} could not be started: {last}"))
        }
        End::Stopped => {
            log::info!("hook {word} was killed after {took} ms: mastership ended");
            return None;
        }
    };
    let is_ok = ran.end.is_success();
    let loudness = if is_ok { Loudness::Info } else { Loudness::Warning };
    Some(Remark { code, loudness, reason: None, message })
}

/// Something about hooks that a person must look at.
#[must_use]
pub fn alarm(code: &'static str, message: String) -> Remark {
    Remark { code, loudness: Loudness::Alarm, reason: None, message }
}
