//! Owns everything the front of `quorate run` waits for: signals, its keeper, the daemon, time.
//! Never acts on what it hears.

use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use signal_hook::consts::{
    SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGUSR1, SIGUSR2, SIGWINCH,
};

use crate::cli::client::{Client, Trouble};
use crate::keep::caught::Caught;
use crate::keep::post::{Keeper, News};
use crate::keep::tree::Tree;
use crate::keep::{self, Alarm, ring_at};
use crate::protocol::units::Moment;
use crate::wire::control::Response;

/// An answer that has begun to arrive is whole within that.
const ANSWER_WITHIN: Duration = Duration::from_secs(1);
/// Those that are passed on.
const PASSED_ON: [i32; 7] = [SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH];

/// Whether a signal asks for the end.
pub(super) fn ends(number: i32) -> bool {
    [SIGTERM, SIGINT, SIGHUP, SIGQUIT].contains(&number)
}

/// The exit code of a program that such a signal ended.
pub(super) fn code(number: i32) -> u8 {
    u8::try_from(128 + number).unwrap_or(u8::MAX)
}

/// What happened.
#[derive(Debug)]
pub(super) enum Event {
    /// A signal came.
    Signal(i32),
    /// The keeper says something.
    Keeper(News),
    /// The daemon says something.
    Daemon(Response),
    /// The daemon takes nobody more in, with its words.
    Refused(String),
    /// The daemon's conversation is over.
    DaemonGone,
    /// Time passed, or a child changed.
    Time,
}

/// Everything there is to hear.
#[derive(Debug)]
pub(super) struct Ears {
    caught: Caught,
    pending: Vec<i32>,
    alarm: Alarm,
    /// All that descends from us.
    pub(super) tree: Tree,
    /// Keys at the terminal reach CMD without us.
    pub(super) is_terminal: bool,
}

impl Ears {
    /// Opens them: from now on signals do nothing but arrive here.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn open(is_terminal: bool) -> io::Result<Self> {
        let mut numbers = PASSED_ON.to_vec();
        // Who sleeps hears neither the daemon nor its keeper: a key does not put us to sleep.
        numbers.extend([SIGCHLD, SIGTSTP]);
        let caught = Caught::unless_ignored(&numbers)?;
        Ok(Self {
            caught,
            pending: Vec::new(),
            alarm: Alarm::new()?,
            tree: Tree::take()?,
            is_terminal,
        })
    }

    /// The next thing that happens, at `wake` at the latest.
    pub(super) fn hear(
        &mut self,
        daemon: Option<&mut Client>,
        keeper: Option<&Keeper>,
        wake: Option<Moment>,
    ) -> Event {
        if let Some(event) = self.at_once(keeper) {
            return event;
        }
        self.alarm.arm(wake.map(|wake| ring_at(keep::now(), wake)));
        let mut all =
            vec![PollFd::new(&self.caught, PollFlags::IN), PollFd::new(&self.alarm, PollFlags::IN)];
        all.extend(keeper.map(|keeper| PollFd::from_borrowed_fd(keeper.as_fd(), PollFlags::IN)));
        let stream = daemon.as_ref().map(|client| client.stream());
        all.extend(stream.map(|stream| PollFd::from_borrowed_fd(stream.as_fd(), PollFlags::IN)));
        // A failure is a look too early, no more: INTR, mostly.
        let _ = poll(&mut all, None);
        let daemon_speaks =
            stream.is_some() && all.last().is_some_and(|fd| !fd.revents().is_empty());
        drop(all);
        if let Some(event) = self.at_once(keeper) {
            return event;
        }
        match daemon.filter(|_| daemon_speaks) {
            Some(client) => answer(client),
            None => Event::Time,
        }
    }

    /// What has happened already; signals first, then what concerns CMD.
    fn at_once(&mut self, keeper: Option<&Keeper>) -> Option<Event> {
        self.pending.extend(self.caught.take());
        self.pending.retain(|number| PASSED_ON.contains(number));
        if !self.pending.is_empty() {
            return Some(Event::Signal(self.pending.remove(0)));
        }
        keeper.and_then(Keeper::news).map(Event::Keeper)
    }
}

fn answer(client: &mut Client) -> Event {
    let heard = client.be_patient(Some(ANSWER_WITHIN)).and_then(|()| client.hear());
    match heard {
        Ok(response) => Event::Daemon(response),
        Err(Trouble::Refused(words) | Trouble::Busy(words)) => Event::Refused(words),
        Err(trouble) => {
            log::debug!("{trouble}");
            Event::DaemonGone
        }
    }
}
