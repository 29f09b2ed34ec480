//! Owns the conversation with local programs on the unix socket.
//! Never trusts a length, waits for a slow one beyond its deadline, or lets many of them crowd the
//! daemon out (H43, H44); it asks the driver and nobody else.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::RecvTimeoutError;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::daemon::backing::Backing;
use crate::daemon::byline;
use crate::daemon::checkup::Checkup;
use crate::daemon::clock;
use crate::daemon::control_socket::Socket;
use crate::daemon::credentials::Credentials;
use crate::daemon::driver::{Driver, View};
use crate::daemon::events::{News, Stamp};
use crate::daemon::fitness::Fitness;
use crate::daemon::holders::HOLDERS_MAX;
use crate::daemon::holding::Holding;
use crate::daemon::keys::KeyError;
use crate::daemon::newcomers::Newcomers;
use crate::daemon::rate::Lines;
use crate::daemon::report::{self, Surroundings};
use crate::daemon::rotation::Rotation;
use crate::daemon::seats::{Seat, Seats};
use crate::daemon::spawn::spawn;
use crate::daemon::waiting::pause;
use crate::protocol::effects::{StepDownReason, Wish};
use crate::protocol::units::{Moment, NodeId};
use crate::settings::cluster;
use crate::wire::archive::{self, Archive};
use crate::wire::codec::quoted;
use crate::wire::control::{ErrorReport, EventReport, HistoryEnd, Request, Response, StatusReport};
use crate::wire::control_frame::{self, FrameError};
use crate::wire::history::Past;
use crate::wire::hold::While;
use crate::wire::keys::KeyReport;

/// Within that long a request must arrive whole, and an answer be taken.
pub const FRAME_WITHIN: Duration = Duration::from_secs(5);
/// How long the newest lines of the history may take to be written before it is read.
const WRITTEN_WITHIN: Duration = Duration::from_millis(200);
/// How often a follower without news is looked after, so that one that left frees its place.
const FOLLOWER_CHECK: Duration = Duration::from_secs(1);
/// The pause after the system refused a connection; out of file descriptors, mostly.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// No node stays away from mastership longer than a year for one step-down, however it was asked.
const HOLD_OFF_MAX: Duration = Duration::from_secs(366 * 24 * 60 * 60);

const NOT_ADMITTED: &str = "only root and the daemon's user may ask";

/// What every conversation needs.
#[derive(Debug)]
pub struct Control {
    driver: Arc<Driver>,
    fitness: Arc<Fitness>,
    started: Moment,
    state_dir: PathBuf,
    checkup: Checkup,
    rotation: Option<Arc<Rotation>>,
    seats: Arc<Seats>,
    newcomers: Newcomers,
    lines: Lines<IpAddr>,
}

impl Control {
    /// Speaks for `driver` and its `fitness`, whose daemon started at `started` and keeps its
    /// history in `state_dir`, and what a doctor asks in `checkup`.
    #[must_use]
    pub fn new(
        driver: Arc<Driver>,
        fitness: Arc<Fitness>,
        started: Moment,
        state_dir: PathBuf,
        checkup: Checkup,
    ) -> Self {
        let lines = Lines::about_strangers();
        let (seats, newcomers, rotation) = (Arc::default(), Newcomers::default(), None);
        Self { driver, fitness, started, state_dir, checkup, rotation, seats, newcomers, lines }
    }

    /// The same, with a key that it can be asked about.
    #[must_use]
    pub fn with_key(self, rotation: &Arc<Rotation>) -> Self {
        Self { rotation: Some(Arc::clone(rotation)), ..self }
    }

    /// Takes connections for ever; each gets a thread.
    pub fn run(self: &Arc<Self>, socket: &Socket) {
        loop {
            match socket.accept() {
                Ok(Some(stream)) => self.welcome(socket, stream),
                Ok(None) => {}
                Err(error) => {
                    self.complain(&error);
                    pause(ACCEPT_PAUSE);
                }
            }
        }
    }

    /// One line for many failures, since whoever is not taken in is there at the next look too.
    fn complain(&self, error: &io::Error) {
        if let Some(unsaid) = self.lines.admit(IpAddr::V4(Ipv4Addr::LOCALHOST)) {
            log::warn!(
                "the control socket takes no connection: {error}; {unsaid} more such failures \
                 before"
            );
        }
    }

    /// The full status, as `quorate status` shows it.
    #[must_use]
    pub fn status(&self) -> StatusReport {
        let now = clock::now();
        let View { status, ranking, committed } = self.driver.view();
        let around = Surroundings {
            sightings: self.driver.sightings(),
            core_age: self.driver.pulse().age(now.boot_ns),
            uptime: now.waited_since(self.started),
            fitness: self.fitness.report(now),
            ranking,
            held: report::holder(&committed.charter),
            overrides: report::overrides(&committed.charter),
            newcomers: self.newcomers.of(&committed),
            doubts: self.driver.doubts(),
            forced: cluster::forced(&committed.body),
        };
        report::status(&status, &around)
    }

    /// What a doctor asks.
    #[must_use]
    pub fn checkup(&self) -> &Checkup {
        &self.checkup
    }

    fn welcome(self: &Arc<Self>, socket: &Socket, stream: UnixStream) {
        match socket.admits(&stream) {
            Ok(true) => {}
            Ok(false) => return turn_away(&stream, &refusal(NOT_ADMITTED)),
            Err(error) => return log::warn!("cannot tell who asks: {error}"),
        }
        let Some(seat) = self.seats.take() else {
            return turn_away(&stream, &busy("too many programs ask this daemon at once"));
        };
        let control = Arc::clone(self);
        let spawned = spawn("client", move || {
            if let Err(error) = control.converse(&stream, seat) {
                log::debug!("a local program was let go: {error}");
            }
        });
        if let Err(error) = spawned {
            log::warn!("a local program was let go: no thread for it: {error}");
        }
    }

    fn converse(&self, stream: &UnixStream, mut seat: Seat) -> Result<(), FrameError> {
        loop {
            match control_frame::read(&mut Limited::new(stream)) {
                Ok(Request::Events { follow: false }) => self.tell_events(stream)?,
                Ok(Request::Events { follow: true }) if seat.may_follow() => {
                    return self.follow_events(stream);
                }
                Ok(Request::Events { follow: true }) => {
                    return send(stream, &busy("too many programs follow this daemon's events"));
                }
                Ok(Request::Hold { gathers, role: While::Master }) => {
                    return self.hold(stream, seat, gathers);
                }
                Ok(Request::Hold { role: While::Backup, .. }) => {
                    drop(seat);
                    return match Backing::of(&self.driver) {
                        Some(mut backing) => backing.converse(stream),
                        None => send(stream, &no_room()),
                    };
                }
                Ok(Request::History {}) => self.tell_history(stream)?,
                Ok(Request::Documents {}) => self.tell_documents(stream)?,
                Ok(Request::Edit { revision, body }) => {
                    let answer = self.edit(stream, revision, &body);
                    send(stream, &answer)?;
                }
                Ok(request) => send(stream, &self.answer(request))?,
                Err(FrameError::Closed) => return Ok(()),
                Err(error) => {
                    let words = error.to_string();
                    // The stream is of no more use; the words help whoever wrote the program.
                    send(stream, &refusal(&words)).ok();
                    return Err(error);
                }
            }
        }
    }

    fn answer(&self, request: Request) -> Response {
        match request {
            Request::Status {} => Response::Status(Box::new(self.status())),
            Request::Doctor {} => {
                let facts = self.checkup.facts(&self.driver, self.status(), clock::now());
                Response::Doctor(Box::new(facts))
            }
            Request::Key {} => self.key(Rotation::report),
            Request::RotateKey {} => self.key(Rotation::begin),
            Request::Show {} => Response::Document(report::document(&self.driver.committed())),
            Request::Revision { revision } => self.document_of(revision),
            Request::Transfer { to } => self.transfer(to),
            Request::StepDown { hold_off_ms } => {
                let hold_off = Duration::from_millis(hold_off_ms).min(HOLD_OFF_MAX);
                let reason = StepDownReason::Operator;
                self.hand_over(Wish::StepDown { hold_off, reason })
            }
            Request::SetPosition { position } => match self.fitness.freshness().push(position) {
                Ok(()) => Response::Taken,
                Err(why) => refusal(&why),
            },
            Request::Gone { .. } | Request::Kept => {
                refusal("nothing was held in this conversation")
            }
            Request::Events { .. }
            | Request::History {}
            | Request::Documents {}
            | Request::Hold { .. }
            | Request::Edit { .. } => {
                unreachable!("these need the stream they came by")
            }
        }
    }

    fn key(&self, ask: impl Fn(&Rotation) -> Result<KeyReport, KeyError>) -> Response {
        match self.rotation.as_ref().map(|rotation| ask(rotation)) {
            Some(Ok(report)) => Response::Key(Box::new(report)),
            Some(Err(error)) => refusal(&error.to_string()),
            None => refusal("this daemon has no key of its own"),
        }
    }

    fn transfer(&self, to: Option<String>) -> Response {
        let to = match to.map(|name| NodeId::new(&name).ok_or(name)).transpose() {
            Ok(to) => to,
            Err(name) => {
                return refusal(&format!("`{}` is no name of a node", quoted(&name)));
            }
        };
        self.hand_over(Wish::Transfer { to })
    }

    /// The document is read here, for whoever asked, and again by every node it comes to.
    fn edit(&self, stream: &UnixStream, revision: u64, body: &str) -> Response {
        let committed = self.driver.committed();
        let mut document =
            match cluster::document(body, "cluster.yaml", committed.position, revision) {
                Ok(document) => document,
                Err(problem) => return refusal(&problem.to_string()),
            };
        // Where the system does not say who asks, the edit counts all the same.
        let asker = Credentials::of_peer(stream).ok();
        document.byline = asker.and_then(|asker| byline::of(asker.user, self.driver.name()));
        let answer = self.driver.outcome_of(Wish::Propose { revision, document });
        Response::Edit(report::edit(answer.as_ref()))
    }

    fn hand_over(&self, wish: Wish) -> Response {
        Response::Handover(report::handover(self.driver.outcome_of(wish).as_ref()))
    }

    /// Holders have places of their own: they stay, and whoever asks must not wait for them.
    fn hold(&self, stream: &UnixStream, seat: Seat, gathers: bool) -> Result<(), FrameError> {
        drop(seat);
        match Holding::of(&self.driver, stream, gathers) {
            Some(mut holding) => holding.converse(stream),
            None => send(stream, &no_room()),
        }
    }

    fn tell_events(&self, stream: &UnixStream) -> Result<(), FrameError> {
        for event in self.driver.events() {
            send(stream, &told(&event))?;
        }
        send(stream, &Response::EndOfEvents)
    }

    /// The document of that revision, if this node has it.
    fn document_of(&self, revision: u64) -> Response {
        let committed = self.driver.committed();
        if committed.revision == revision {
            return Response::Document(report::document(&committed));
        }
        match archive::find(&self.state_dir, revision) {
            Some(document) => Response::Document(document),
            None => refusal(&format!(
                "this node has no revision {revision}: `quorate history --documents` lists those \
                 it saw and kept; another node may have more"
            )),
        }
    }

    /// Reads the files on this thread, without the lock. The newest may not be written yet.
    fn tell_documents(&self, stream: &UnixStream) -> Result<(), FrameError> {
        let newest = report::document(&self.driver.committed());
        let archive = match Archive::read(&self.state_dir) {
            Ok(archive) => archive,
            Err(error) => {
                return send(stream, &refusal(&format!("the documents cannot be read: {error}")));
            }
        };
        let revision = newest.revision;
        let older = archive.documents.into_iter().filter(|one| one.revision != revision);
        for document in older.chain([newest]) {
            send(stream, &Response::Document(document))?;
        }
        self.end_of_history(stream, archive.unreadable)
    }

    /// Reads the files on this thread, without the lock.
    fn tell_history(&self, stream: &UnixStream) -> Result<(), FrameError> {
        self.driver.flush_history(WRITTEN_WITHIN);
        let past = match Past::read(&self.state_dir) {
            Ok(past) => past,
            Err(error) => {
                return send(stream, &refusal(&format!("there is no history to read: {error}")));
            }
        };
        for event in past.events {
            send(stream, &Response::Event(Box::new(event)))?;
        }
        self.end_of_history(stream, past.unreadable)
    }

    fn end_of_history(&self, stream: &UnixStream, unreadable: u64) -> Result<(), FrameError> {
        let Stamp { time, uptime_ms } = self.driver.stamp();
        send(stream, &Response::EndOfHistory(HistoryEnd { time, uptime_ms, unreadable }))
    }

    fn follow_events(&self, stream: &UnixStream) -> Result<(), FrameError> {
        let (kept, news) = self.driver.follow_events();
        for event in kept {
            send(stream, &told(&event))?;
        }
        pass_on(stream, news)
    }
}

/// One event, for one client of perhaps many.
fn told(event: &EventReport) -> Response {
    Response::Event(Box::new(event.clone()))
}

/// Sends every event until the client leaves.
fn pass_on(stream: &UnixStream, mut news: News) -> Result<(), FrameError> {
    loop {
        match news.next(FOLLOWER_CHECK, clock::wall_text) {
            Ok(event) => send(stream, &told(&event))?,
            Err(RecvTimeoutError::Timeout) if has_left(stream) => return Ok(()),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return send(stream, &Response::EndOfEvents),
        }
    }
}

/// A stream whose one frame must be through by a fixed instant, however the bytes trickle.
pub(crate) struct Limited<'a> {
    stream: &'a UnixStream,
    until_boot_ns: u64,
}

impl<'a> Limited<'a> {
    pub(crate) fn new(stream: &'a UnixStream) -> Self {
        Self { stream, until_boot_ns: clock::now().after(FRAME_WITHIN).boot_ns }
    }

    fn left(&self) -> io::Result<Duration> {
        match self.until_boot_ns.saturating_sub(clock::now().boot_ns) {
            0 => Err(io::ErrorKind::TimedOut.into()),
            left => Ok(Duration::from_nanos(left)),
        }
    }
}

impl Read for Limited<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(Some(self.left()?))?;
        self.stream.read(buffer)
    }
}

impl Write for Limited<'_> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(Some(self.left()?))?;
        self.stream.write(buffer)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

pub(crate) fn send(stream: &UnixStream, response: &Response) -> Result<(), FrameError> {
    control_frame::write(&mut Limited::new(stream), response)
}

fn refusal(message: &str) -> Response {
    Response::Error(ErrorReport { message: message.to_owned(), retry: false })
}

fn no_room() -> Response {
    busy(&format!("{HOLDERS_MAX} programs hold mastership or wait for it here"))
}

/// For what may work a little later.
fn busy(message: &str) -> Response {
    Response::Error(ErrorReport { message: format!("{message}: try again"), retry: true })
}

/// Says why, if the socket takes it at once: whoever is turned away is not waited for.
fn turn_away(stream: &UnixStream, why: &Response) {
    if stream.set_nonblocking(true).is_ok() {
        // A client that cannot take one line is gone, or will see the end of the stream.
        control_frame::write(&mut &*stream, why).ok();
    }
}

fn has_left(stream: &UnixStream) -> bool {
    let gone = PollFlags::RDHUP | PollFlags::HUP | PollFlags::ERR;
    let mut one = [PollFd::new(stream, gone)];
    let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
    // If the system cannot say, the next event's write will.
    poll(&mut one, Some(&at_once)).is_ok_and(|ready| ready > 0)
}
