//! Owns the conversation with one daemon over its socket: one request, its answers, deadlines.
//! Never prints, never retries, and never decides what an answer means.

use core::fmt;
use core::time::Duration;
use std::io;
use std::os::fd::BorrowedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};

use crate::cli::trust;
use crate::daemon::credentials::Credentials;
use crate::settings::paths::Place;
use crate::wire::control::{Request, Response, SCHEMA, StatusReport};
use crate::wire::control_frame::{self, FrameError};

/// How long a connection, a request or a plain answer may take.
pub const ANSWER_LIMIT: Duration = Duration::from_secs(5);

/// Why a daemon did not answer.
#[derive(Debug)]
pub enum Trouble {
    /// Nobody listens there.
    NotThere(Place),
    /// This user may not ask.
    Denied(Place),
    /// Something listens but did not answer in time.
    Silent(PathBuf),
    /// The conversation broke.
    Broken(PathBuf, FrameError),
    /// What listens there is not to be believed, with the reason.
    Doubtful(PathBuf, String),
    /// The path is longer than the system takes.
    TooLong(Place),
    /// The daemon refused the request, with its words.
    Refused(String),
    /// The daemon had no room for the request, with its words.
    Busy(String),
    /// An answer that belongs to another question.
    Foreign(PathBuf),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotThere(Place { path, origin }) => write!(
                f,
                "is the daemon running? Looked at {} (from {origin}) and nobody answers there",
                path.display()
            ),
            Self::Denied(Place { path, origin }) => write!(
                f,
                "not allowed to open {} (from {origin}): ask as root or as a member of the \
                 socket's group",
                path.display()
            ),
            Self::Silent(path) => write!(
                f,
                "the daemon at {} does not answer in time: it may be stopped or overloaded; look \
                 at its log",
                path.display()
            ),
            Self::Broken(path, error) => {
                write!(f, "the conversation with the daemon at {} broke: {error}", path.display())
            }
            Self::Doubtful(path, doubt) => write!(
                f,
                "what answers at {} is not to be believed: {doubt}; start the daemon as root, as \
                 this user, or with a socket in a directory that only root and its user may write",
                path.display()
            ),
            Self::TooLong(Place { path, origin }) => write!(
                f,
                "the socket's path (from {origin}) is {} bytes long, which no system takes: name \
                 one of at most 107",
                path.as_os_str().len()
            ),
            Self::Refused(message) | Self::Busy(message) => f.write_str(message),
            Self::Foreign(path) => write!(
                f,
                "what answers at {} speaks another language: are program and daemon of the same \
                 version?",
                path.display()
            ),
        }
    }
}

impl core::error::Error for Trouble {}

/// What came first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Awaited {
    /// An answer, or the end of the conversation.
    Answer,
    /// The end of whoever reads what is printed.
    ReaderLeft,
}

/// One conversation.
#[derive(Debug)]
pub struct Client {
    stream: UnixStream,
    path: PathBuf,
}

impl Client {
    /// Connects; every later step of the conversation may take `limit`.
    ///
    /// # Errors
    /// `NotThere`, `Denied`, `Doubtful`, `TooLong`, `Silent` or `Broken`.
    pub fn connect(place: &Place, limit: Duration) -> Result<Self, Trouble> {
        let path = place.path.clone();
        match dial(&path, limit) {
            Ok(stream) => Self { stream, path }.believed(),
            Err(Errno::NAMETOOLONG) => Err(Trouble::TooLong(place.clone())),
            Err(Errno::NOENT | Errno::CONNREFUSED | Errno::NOTDIR) => {
                Err(Trouble::NotThere(place.clone()))
            }
            Err(Errno::ACCESS | Errno::PERM) => Err(Trouble::Denied(place.clone())),
            Err(Errno::AGAIN | Errno::TIMEDOUT) => Err(Trouble::Silent(path)),
            Err(error) => Err(Trouble::Broken(path, FrameError::Stream(error.into()))),
        }
    }

    /// This conversation, if the system says that whoever listens is to be believed.
    fn believed(self) -> Result<Self, Trouble> {
        let broken = |error| Trouble::Broken(self.path.clone(), FrameError::Stream(error));
        let answers = Credentials::of_peer(&self.stream).map_err(broken)?;
        let us = rustix::process::geteuid().as_raw();
        let facts = trust::facts_of(&self.path, answers.user, us).map_err(broken)?;
        match trust::doubt(&facts) {
            Some(doubt) => Err(Trouble::Doubtful(self.path, doubt)),
            None => Ok(self),
        }
    }

    /// Says `request`. A daemon that hangs up before it has read it may have said why: then its
    /// words are the trouble.
    ///
    /// # Errors
    /// `Silent`, `Broken`, `Refused` or `Busy`.
    pub fn say(&mut self, request: &Request) -> Result<(), Trouble> {
        let Err(error) = control_frame::write(&mut self.stream, request) else { return Ok(()) };
        let has_hung_up = matches!(&error, FrameError::Stream(error) if matches!(
            error.kind(),
            io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset
        ));
        if has_hung_up && let Err(refusal @ (Trouble::Refused(_) | Trouble::Busy(_))) = self.hear()
        {
            return Err(refusal);
        }
        Err(self.trouble(error))
    }

    /// The next answer; a refusal is an error.
    ///
    /// # Errors
    /// `Silent`, `Broken`, `Refused` or `Busy`.
    pub fn hear(&mut self) -> Result<Response, Trouble> {
        match control_frame::read(&mut self.stream).map_err(|error| self.trouble(error))? {
            Response::Error(report) if report.retry => Err(Trouble::Busy(report.message)),
            Response::Error(report) => Err(Trouble::Refused(report.message)),
            answer @ (Response::Status(_)
            | Response::Document(_)
            | Response::Handover(_)
            | Response::Edit(_)
            | Response::Doctor(_)
            | Response::Key(_)
            | Response::Event(_)
            | Response::EndOfEvents
            | Response::Taken
            | Response::EndOfHistory(_)
            | Response::NotMaster
            | Response::Granted(_)
            | Response::Extended(_)
            | Response::Stop { .. }) => Ok(answer),
        }
    }

    /// Lets the next answers take `limit`, or for ever.
    ///
    /// # Errors
    /// `Broken` if the system refuses.
    pub fn be_patient(&self, limit: Option<Duration>) -> Result<(), Trouble> {
        let set = self.stream.set_read_timeout(limit);
        set.map_err(|error| self.trouble(FrameError::Stream(error)))
    }

    /// Whether there is an answer to hear, or the end of the conversation, within `limit`.
    ///
    /// # Errors
    /// `Broken` if the system refuses.
    pub fn has_answer(&self, limit: Duration) -> Result<bool, Trouble> {
        let mut answer = [PollFd::new(&self.stream, PollFlags::IN)];
        let limit = Timespec {
            tv_sec: i64::try_from(limit.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(limit.subsec_nanos()),
        };
        match poll(&mut answer, Some(&limit)) {
            Ok(ready) => Ok(ready > 0),
            Err(Errno::INTR) => Ok(false),
            Err(error) => Err(self.trouble(FrameError::Stream(error.into()))),
        }
    }

    /// Waits until there is an answer to hear, or until nobody reads what is printed any more.
    ///
    /// # Errors
    /// `Broken` if the system refuses.
    pub fn await_answer(&self, outlet: Option<BorrowedFd<'_>>) -> Result<Awaited, Trouble> {
        let answer = PollFd::new(&self.stream, PollFlags::IN);
        // Errors and hang-ups are reported without being asked for.
        let reader = outlet.map(|outlet| PollFd::from_borrowed_fd(outlet, PollFlags::empty()));
        let mut both: Vec<_> = [answer].into_iter().chain(reader).collect();
        loop {
            match poll(&mut both, None) {
                Ok(_) if both.iter().skip(1).any(|reader| !reader.revents().is_empty()) => {
                    return Ok(Awaited::ReaderLeft);
                }
                Ok(_) if !both[0].revents().is_empty() => return Ok(Awaited::Answer),
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(self.trouble(FrameError::Stream(error.into()))),
            }
        }
    }

    /// What to wait on for an answer beside other things.
    #[must_use]
    pub fn stream(&self) -> &UnixStream {
        &self.stream
    }

    /// What an answer of the wrong kind means.
    #[must_use]
    pub fn foreign(&self) -> Trouble {
        Trouble::Foreign(self.path.clone())
    }

    fn trouble(&self, error: FrameError) -> Trouble {
        match error {
            FrameError::Stream(error)
                if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) =>
            {
                Trouble::Silent(self.path.clone())
            }
            FrameError::Malformed(_) => Trouble::Foreign(self.path.clone()),
            FrameError::Closed | FrameError::Stream(_) | FrameError::TooLong { .. } => {
                Trouble::Broken(self.path.clone(), error)
            }
        }
    }
}

/// Asks for one answer.
///
/// # Errors
/// Any [`Trouble`].
pub fn ask(place: &Place, request: &Request, limit: Duration) -> Result<Response, Trouble> {
    let mut client = Client::connect(place, ANSWER_LIMIT.min(limit))?;
    client.be_patient(Some(limit))?;
    client.say(request)?;
    client.hear()
}

/// Asks for the status.
///
/// # Errors
/// Any [`Trouble`].
pub fn status(place: &Place, limit: Duration) -> Result<StatusReport, Trouble> {
    let Response::Status(report) = ask(place, &Request::Status {}, limit)? else {
        return Err(Trouble::Foreign(place.path.clone()));
    };
    if report.schema != SCHEMA {
        return Err(Trouble::Foreign(place.path.clone()));
    }
    Ok(*report)
}

/// A connected stream whose every step may take `limit`. A full backlog counts as silence:
/// Linux applies the send limit to connecting as well.
fn dial(path: &Path, limit: Duration) -> Result<UnixStream, Errno> {
    let address = SocketAddrUnix::new(path)?;
    let flags = SocketFlags::CLOEXEC;
    let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    set_socket_timeout(&socket, Timeout::Send, Some(limit))?;
    set_socket_timeout(&socket, Timeout::Recv, Some(limit))?;
    loop {
        match rustix::net::connect(&socket, &address) {
            Ok(()) => return Ok(UnixStream::from(socket)),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
}
