//! Owns the socket by which whoever supervises this daemon, systemd mostly, hears how it is.
//! Never waits for the supervisor longer than a second, and says nothing where there is none.
//!
//! | said | when |
//! |---|---|
//! | `READY=1` | peers and programs of this machine can call; a majority is not waited for |
//! | `STATUS=` | what this node does, in one line; whenever that changes |
//! | `WATCHDOG=1` | the election loop turns, as `GET /liveness` has it; four times in its time |
//! | `RELOADING=1` | node.yaml is read again; `READY=1` follows, whatever is in it |
//! | `STOPPING=1` | mastership is handed over, which takes so long at most |
//!
//! What this daemon starts cannot speak here: guard, hooks and probes get an environment of their
//! own, in which the socket is not named.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::RecvTimeoutError;

use crate::daemon::clock;
use crate::daemon::driver::Driver;
use crate::daemon::http::verdict::{Question, Sight};
use crate::daemon::report;
use crate::daemon::spawn::spawn;
use crate::protocol::status::Status;

/// This daemon can be asked.
const READY: &str = "READY=1";
/// How long a supervisor may take to take a word.
const PATIENCE: Duration = Duration::from_secs(1);
/// Between two looks when nothing happens and nobody wants to hear that this daemon lives.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// So often within its time the supervisor hears that this daemon lives.
const BEATS: u32 = 4;

/// Whoever started this daemon and looks after it, if there is somebody who listens.
#[derive(Debug)]
pub struct Supervisor {
    line: Option<Line>,
    /// How long it waits for a sign of life before it ends this daemon.
    watchdog: Option<Duration>,
}

#[derive(Debug)]
struct Line {
    socket: UnixDatagram,
    address: SocketAddr,
}

impl Supervisor {
    /// The one that the environment names; `variable` looks it up. One that cannot be reached is
    /// none, and that is said in the log.
    #[must_use]
    pub fn named(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let line = variable("NOTIFY_SOCKET").filter(|name| !name.is_empty()).and_then(|name| {
            let refused = |error| {
                log::warn!("NOTIFY_SOCKET {}: {error}; nobody is told", name.display());
            };
            Line::to(&name).map_err(refused).ok()
        });
        Self { line, watchdog: watchdog(variable) }
    }

    /// This daemon can be asked; from now on `driver` tells what it does, and that it lives.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn ready(&self, driver: &Arc<Driver>) -> io::Result<()> {
        let Some(line) = &self.line else { return Ok(()) };
        if let Err(error) = line.send(READY) {
            log::warn!("the supervisor does not hear that this daemon is ready: {error}");
        }
        let (line, driver, watchdog) = (line.copy()?, Arc::clone(driver), self.watchdog);
        spawn("notify", move || attend(&line, &driver, watchdog)).map(drop)
    }

    /// node.yaml is read again. Dated, for those who have to know that this answers their signal.
    pub fn reloading(&self) {
        self.say(&format!("RELOADING=1\nMONOTONIC_USEC={}", clock::monotonic_us()));
    }

    /// It has been read, and was taken or refused.
    pub fn reloaded(&self) {
        self.say(READY);
    }

    /// This daemon ends, which takes at most `patience`.
    pub fn leaving(&self, patience: Duration) {
        let extra = patience.as_micros();
        self.say(&format!("STOPPING=1\nEXTEND_TIMEOUT_USEC={extra}"));
    }

    fn say(&self, words: &str) {
        self.line.iter().for_each(|line| line.say(words));
    }
}

/// How long the supervisor waits for a sign of life, if it does and means this process.
fn watchdog(variable: impl Fn(&str) -> Option<OsString>) -> Option<Duration> {
    let number = |name| variable(name)?.to_str()?.parse::<u64>().ok();
    let is_meant = number("WATCHDOG_PID").is_none_or(|pid| pid == u64::from(std::process::id()));
    let limit = number("WATCHDOG_USEC").filter(|limit| is_meant && *limit > 0);
    limit.map(Duration::from_micros)
}

impl Line {
    fn to(name: &OsStr) -> io::Result<Self> {
        let socket = UnixDatagram::unbound()?;
        socket.set_write_timeout(Some(PATIENCE))?;
        Ok(Self { socket, address: address(name)? })
    }

    fn copy(&self) -> io::Result<Self> {
        Ok(Self { socket: self.socket.try_clone()?, address: self.address.clone() })
    }

    fn send(&self, words: &str) -> io::Result<()> {
        self.socket.send_to_addr(words.as_bytes(), &self.address).map(drop)
    }

    fn say(&self, words: &str) {
        if let Err(error) = self.send(words) {
            log::debug!("the supervisor does not take {words:?}: {error}");
        }
    }
}

/// A path, or after `@` a name that is no file's.
fn address(name: &OsStr) -> io::Result<SocketAddr> {
    match name.as_bytes() {
        [b'@', name @ ..] => SocketAddr::from_abstract_name(name),
        [b'/', ..] => SocketAddr::from_pathname(name),
        _ => Err(io::Error::new(io::ErrorKind::InvalidInput, "neither a path nor @ and a name")),
    }
}

/// Tells what the node does, and that it lives if it does, for ever.
fn attend(line: &Line, driver: &Driver, watchdog: Option<Duration>) {
    let (_, mut news) = driver.follow_events();
    let pause = watchdog.map_or(LOOK_EVERY, |limit| limit / BEATS);
    let (mut told, mut turns) = (String::new(), 0);
    loop {
        // A core that is late, and has turned since the last look, is slow and not dead.
        let ended = driver.pulse().marks().ended;
        let lives = ended != turns || Sight::of(driver).judge(Question::Liveness).is_yes;
        if watchdog.is_some() && lives {
            line.say("WATCHDOG=1");
        }
        turns = ended;
        let words = in_short(&driver.status());
        if words != told {
            line.say(&format!("STATUS={words}"));
            told = words;
        }
        // An event comes before what it changed can be seen without the lock.
        if let Err(RecvTimeoutError::Disconnected) = news.next(pause, clock::wall_text) {
            return;
        }
    }
}

/// What a node does, for a line among those of many services.
#[must_use]
pub fn in_short(status: &Status) -> String {
    let role = report::duty(status.duty);
    let whose = match &status.master {
        Some(master) if master.id != status.node => format!(" of {}", master.id),
        Some(_) => String::new(),
        None => ", no master".to_owned(),
    };
    let quorum = if status.quorum_have >= status.quorum_need { "" } else { ", no majority heard" };
    format!("{role}{whose}, term {}{quorum}", status.term.0)
}
