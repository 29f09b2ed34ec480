//! One TLS session over one socket, moved by its own thread under absolute deadlines.
//! Never loops without reading, writing or waiting: a peer that closes at a bad moment ends the
//! session instead of spinning it (H04), and one that trickles bytes runs into a deadline (H02).

mod progress;
pub(crate) mod steps;

use std::fmt;
use std::io::{self, IoSlice, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::server::Acceptor;
use rustls::{ClientConfig, ClientConnection, Connection, ServerConnection};

use crate::daemon::outbox::Outbox;
use crate::daemon::tls::Listening;
use crate::daemon::waiting::{Deadline, For, wait, wait_with_bell};
use crate::daemon::{socket, tls};
use crate::protocol::membership::Charter;
use crate::protocol::message::Message;
use crate::protocol::units::NodeId;
use crate::wire::codec::{self, WireError};
use crate::wire::frame::{self, Class, Frame, FrameError, Frames};
use crate::wire::hello::{Hello, HelloError};
use crate::wire::join::{JoinAnswer, JoinRequest, PROTOCOL};
use crate::wire::proof::{EXPORT_LABEL, SessionNumber};

/// From the first byte to the end of both hellos (H01, H02).
pub(crate) const HANDSHAKE_LIMIT: Duration = Duration::from_secs(5);
/// From a frame's first byte to its last (H15, H25).
pub(crate) const FRAME_LIMIT: Duration = Duration::from_secs(5);
/// Bytes that wait for a socket, beyond the frame being written.
const BUFFER_MAX: usize = 32 << 10;

/// Why a session ended.
#[derive(Debug)]
pub(crate) enum Ending {
    /// The socket failed, or one side closed it.
    Socket(io::Error),
    /// The other side closed it.
    Closed,
    /// TLS refused.
    Tls(rustls::Error),
    /// A deadline passed; this was not done by then.
    Late(&'static str),
    /// What came is no frame.
    Frame(FrameError),
    /// The frame does not belong here.
    Unexpected(Class),
    /// The hello does not fit.
    Hello(HelloError),
    /// The frame is no message.
    Message(WireError),
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Socket(error) => f.write_str(&socket::in_words(error)),
            Self::Closed => f.write_str("closed by the other side"),
            Self::Tls(error) => f.write_str(&tls::in_words(error)),
            Self::Late(what) => write!(f, "{what} took too long"),
            Self::Frame(error) => error.fmt(f),
            Self::Unexpected(class) => write!(f, "a {class:?} frame where none belongs"),
            Self::Hello(error) => error.fmt(f),
            Self::Message(error) => write!(f, "it sent {error}"),
        }
    }
}

impl From<io::Error> for Ending {
    fn from(error: io::Error) -> Self {
        Self::Socket(error)
    }
}

impl From<FrameError> for Ending {
    fn from(error: FrameError) -> Self {
        match error {
            FrameError::Ended => Self::Closed,
            FrameError::Io(error) => Self::Socket(error),
            FrameError::CutShort
            | FrameError::UnknownClass(_)
            | FrameError::Empty
            | FrameError::TooLong { .. } => Self::Frame(error),
        }
    }
}

/// What a frame carried.
pub(crate) enum Received {
    /// A message.
    Message(Box<Message>),
    /// One of a later release, of that kind: as good as lost, which every sender reckons with.
    Unknown(String),
}

/// One session. Dropping it closes the socket, once nobody else holds it.
pub(crate) struct Session {
    socket: Arc<TcpStream>,
    tls: Connection,
    frames: Frames,
    /// Whether the other side knows a version of the protocol that this release does not.
    is_newer: bool,
    /// How many writes of our state the other side was told of; none if it does not take that.
    told: Option<u64>,
    /// How many of its state it told of since the last message.
    progress: Option<u64>,
}

impl Session {
    /// The side that called. The socket is prepared already.
    pub(crate) fn calling(
        socket: Arc<TcpStream>,
        config: Arc<ClientConfig>,
    ) -> Result<Self, Ending> {
        let tls = ClientConnection::new(config, tls::server_name()).map_err(Ending::Tls)?;
        Ok(Self::over(socket, tls.into()))
    }

    /// The side that was called, once the caller's first words are there. The socket is prepared
    /// already.
    pub(crate) fn called(
        socket: Arc<TcpStream>,
        listening: &Listening,
        deadline: Deadline,
    ) -> Result<Self, Ending> {
        let tls = first_words(&socket, listening, deadline)?;
        let mut session = Self::over(socket, tls.into());
        // More than that may have come with them.
        session.digest()?;
        Ok(session)
    }

    fn over(socket: Arc<TcpStream>, mut tls: Connection) -> Self {
        tls.set_buffer_limit(Some(BUFFER_MAX));
        let frames = Frames::default();
        Self { socket, tls, frames, is_newer: false, told: None, progress: None }
    }

    /// Both sides prove their keys; returns the other's certificate.
    pub(crate) fn handshake(
        &mut self,
        deadline: Deadline,
    ) -> Result<CertificateDer<'static>, Ending> {
        const WHAT: &str = "the handshake";
        while self.tls.is_handshaking() {
            self.flush(deadline, WHAT)?;
            if self.tls.is_handshaking() {
                self.fill(deadline, WHAT)?;
            }
        }
        self.flush(deadline, WHAT)?;
        let certificates = self.tls.peer_certificates().unwrap_or_default();
        let leaf = certificates.first().cloned();
        leaf.ok_or(Ending::Tls(rustls::Error::NoCertificatesPresented))
    }

    /// The caller's hellos: hears the other's, which proves that it trusts our key, then says ours.
    pub(crate) fn greet_as_caller(
        &mut self,
        ours: &Hello,
        proved: &NodeId,
        deadline: Deadline,
    ) -> Result<Hello, Ending> {
        let theirs = self.hear_hello(ours, proved, deadline)?;
        self.send(Class::Hello, &ours.encode(), deadline)?;
        Ok(theirs)
    }

    /// The hellos of the side that was called: it speaks first.
    pub(crate) fn greet_as_called(
        &mut self,
        ours: &Hello,
        proved: &NodeId,
        deadline: Deadline,
    ) -> Result<Hello, Ending> {
        self.send(Class::Hello, &ours.encode(), deadline)?;
        self.hear_hello(ours, proved, deadline)
    }

    fn hear_hello(
        &mut self,
        ours: &Hello,
        proved: &NodeId,
        deadline: Deadline,
    ) -> Result<Hello, Ending> {
        let frame = self.receive(deadline, Some(deadline))?;
        if frame.class != Class::Hello {
            return Err(Ending::Unexpected(frame.class));
        }
        let theirs = Hello::decode(&frame.payload).map_err(Ending::Hello)?;
        theirs.fits(ours, proved).map_err(Ending::Hello)?;
        self.is_newer = theirs.is_newer();
        self.told = theirs.hears_progress.then_some(ours.sequence);
        Ok(theirs)
    }

    /// The socket, for whoever ends the session.
    pub(crate) fn socket(&self) -> Arc<TcpStream> {
        Arc::clone(&self.socket)
    }

    /// Whether the caller came to join, and both sides know how.
    pub(crate) fn is_for_joining(&self) -> bool {
        self.tls.alpn_protocol() == Some(PROTOCOL)
    }

    /// The number that only the two ends of this session know.
    pub(crate) fn number(&self) -> Result<SessionNumber, Ending> {
        let number = SessionNumber::default();
        self.tls.export_keying_material(number, EXPORT_LABEL, None).map_err(Ending::Tls)
    }

    /// Hears what a caller that came to join asks; anything else ends the session before it is
    /// taken in.
    pub(crate) fn hear_request(&mut self, deadline: Deadline) -> Result<JoinRequest, Ending> {
        let frame = self.receive_only(Class::Join, deadline)?;
        JoinRequest::decode(&frame.payload).map_err(Ending::Message)
    }

    /// Asks to join, and hears the answer.
    pub(crate) fn ask_to_join(
        &mut self,
        request: &JoinRequest,
        deadline: Deadline,
        charter_of: fn(&str) -> Result<Charter, String>,
    ) -> Result<JoinAnswer, Ending> {
        self.send(Class::Join, &request.encode(), deadline)?;
        let frame = self.receive_only(Class::Welcome, deadline)?;
        JoinAnswer::decode(&frame.payload, &charter_of).map_err(Ending::Message)
    }

    /// Answers a caller that came to join.
    pub(crate) fn answer_request(&mut self, answer: &JoinAnswer) -> Result<(), Ending> {
        self.send(Class::Welcome, &answer.encode(), Deadline::after(FRAME_LIMIT))
    }

    /// The next frame, complete by `deadline`, if it is of that class.
    fn receive_only(&mut self, class: Class, deadline: Deadline) -> Result<Frame, Ending> {
        loop {
            if let Some(frame) = self.frames.read(&mut self.tls.reader())? {
                return if frame.class == class { Ok(frame) } else { unexpected(frame.class) };
            }
            if let Some(other) = self.frames.announced().filter(|other| *other != class) {
                return unexpected(other);
            }
            self.flush(deadline, "the request")?;
            self.fill(deadline, "the request")?;
        }
    }

    /// Sends one message within `FRAME_LIMIT`. Only one that is too large is kept back, with a line
    /// in the log: its receiver would end the session.
    pub(crate) fn send_message(&mut self, message: &Message) -> Result<(), Ending> {
        let class = steps::class_of(message);
        match self.send(class, &codec::encode(message), Deadline::after(FRAME_LIMIT)) {
            Err(Ending::Frame(error)) => {
                log::error!("a message was not sent: {error}");
                Ok(())
            }
            outcome => outcome,
        }
    }

    /// Receives one message, which must begin before `idle`; returns it with its size. What it
    /// cannot read ends the session, unless the other side knows a later protocol.
    pub(crate) fn receive_message(
        &mut self,
        idle: Deadline,
        charter_of: fn(&str) -> Result<Charter, String>,
    ) -> Result<(Received, usize), Ending> {
        let frame = self.receive_past_progress(idle)?;
        self.understood(&frame, charter_of)
    }

    fn understood(
        &self,
        frame: &Frame,
        charter_of: fn(&str) -> Result<Charter, String>,
    ) -> Result<(Received, usize), Ending> {
        let is_large = match frame.class {
            Class::Message => false,
            Class::Document => true,
            Class::Hello | Class::Join | Class::Welcome | Class::Progress => {
                return Err(Ending::Unexpected(frame.class));
            }
        };
        let size = frame.payload.len();
        match codec::decode(&frame.payload, &charter_of) {
            Ok(message) if codec::carries_document(&message) == is_large => {
                Ok((Received::Message(Box::new(message)), size))
            }
            Ok(_) => Err(Ending::Unexpected(frame.class)),
            Err(WireError::Unknown { kind, .. }) if self.is_newer => {
                Ok((Received::Unknown(kind), size))
            }
            Err(error) => Err(Ending::Message(error)),
        }
    }

    /// Waits until the outbox has something to say. The other side only listens: whatever it does
    /// meanwhile, closing included, ends the session.
    pub(crate) fn rest(&mut self, outbox: &Outbox) -> Result<(), Ending> {
        // What came together with its hello lies here already: no socket would tell of it.
        self.hear_nothing()?;
        let woken = wait_with_bell(&*self.socket, For::Reading, outbox.bell(), None)?;
        if !woken.socket {
            return Ok(());
        }
        self.only_listens()?;
        self.flush(Deadline::after(FRAME_LIMIT), "answering")
    }

    /// Reads all that is there; a frame in it ends the session.
    pub(crate) fn only_listens(&mut self) -> Result<(), Ending> {
        self.hear_nothing()?;
        while self.take_some()? {
            self.hear_nothing()?;
        }
        Ok(())
    }

    /// Whatever frame has come ends the session.
    fn hear_nothing(&mut self) -> Result<(), Ending> {
        match self.frames.read(&mut self.tls.reader())? {
            Some(frame) => Err(Ending::Unexpected(frame.class)),
            None => Ok(()),
        }
    }

    /// Waits until `deadline` without reading; true when the socket ended meanwhile.
    pub(crate) fn pause(&self, deadline: Deadline) -> io::Result<bool> {
        wait(&*self.socket, For::Ending, deadline)
    }

    /// Says that nothing more comes, as far as the socket takes it.
    pub(crate) fn goodbye(&mut self) {
        self.tls.send_close_notify();
        self.push_out();
    }

    /// The next frame, begun before `idle`, and complete in time: `FRAME_LIMIT` after its first
    /// byte if no other deadline is given.
    fn receive(
        &mut self,
        idle: Deadline,
        mut complete_by: Option<Deadline>,
    ) -> Result<Frame, Ending> {
        loop {
            if let Some(frame) = self.frames.read(&mut self.tls.reader())? {
                return Ok(frame);
            }
            let (deadline, what) = if self.frames.is_inside() {
                let limit = *complete_by.get_or_insert_with(|| Deadline::after(FRAME_LIMIT));
                (limit, "the rest of a frame")
            } else {
                (idle, "the next frame")
            };
            self.flush(deadline, what)?;
            self.fill(deadline, what)?;
        }
    }

    fn send(&mut self, class: Class, payload: &[u8], deadline: Deadline) -> Result<(), Ending> {
        let header = frame::header(class, payload)?;
        let mut slices = [IoSlice::new(&header), IoSlice::new(payload)];
        let mut rest = &mut slices[..];
        while !rest.is_empty() {
            let taken = self.tls.writer().write_vectored(rest)?;
            IoSlice::advance_slices(&mut rest, taken);
            self.flush(deadline, "sending")?;
        }
        Ok(())
    }

    /// Writes all that TLS has to say.
    fn flush(&mut self, deadline: Deadline, what: &'static str) -> Result<(), Ending> {
        while !self.push()? {
            if !wait(&*self.socket, For::Writing, deadline)? {
                return Err(Ending::Late(what));
            }
        }
        Ok(())
    }

    /// Writes what the socket takes of it; true once that is all.
    pub(crate) fn push(&mut self) -> Result<bool, Ending> {
        while self.tls.wants_write() {
            match self.tls.write_tls(&mut &*self.socket) {
                Ok(0) => return Err(Ending::Closed),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(true)
    }

    /// Reads at least something and gives it to TLS.
    fn fill(&mut self, deadline: Deadline, what: &'static str) -> Result<(), Ending> {
        loop {
            if deadline.has_passed() {
                return Err(Ending::Late(what));
            }
            if self.take_some()? {
                return Ok(());
            }
            // The result does not matter: the deadline is looked at above.
            wait(&*self.socket, For::Reading, deadline)?;
        }
    }

    /// Reads what is there, once; false when nothing is.
    pub(crate) fn take_some(&mut self) -> Result<bool, Ending> {
        match self.tls.read_tls(&mut &*self.socket) {
            Ok(0) => return Err(Ending::Closed),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(false),
            Err(error) => return Err(error.into()),
        }
        self.digest().map(|()| true)
    }

    /// Gives TLS what was read.
    fn digest(&mut self) -> Result<(), Ending> {
        match self.tls.process_new_packets() {
            Ok(state) if state.peer_has_closed() && self.tls.is_handshaking() => {
                Err(Ending::Closed)
            }
            Ok(_) => Ok(()),
            Err(error) => {
                self.push_out();
                Err(Ending::Tls(error))
            }
        }
    }

    /// One last write, for an alert; then no more.
    fn push_out(&mut self) {
        // Whoever does not take the last words now will notice the end all the same.
        let _ = self.tls.write_tls(&mut &*self.socket);
        let _ = self.socket.shutdown(Shutdown::Write);
    }
}

fn unexpected(class: Class) -> Result<Frame, Ending> {
    Err(Ending::Unexpected(class))
}

/// Reads until the caller has said what it comes for, and sets TLS up for that.
fn first_words(
    socket: &TcpStream,
    listening: &Listening,
    deadline: Deadline,
) -> Result<ServerConnection, Ending> {
    let mut acceptor = Acceptor::default();
    let (error, mut alert) = loop {
        match acceptor.accept() {
            Ok(Some(accepted)) => {
                let config = listening.answering(&accepted.client_hello());
                match accepted.into_connection(config) {
                    Ok(connection) => return Ok(connection),
                    Err(refused) => break refused,
                }
            }
            Ok(None) => {}
            Err(refused) => break refused,
        }
        if deadline.has_passed() {
            return Err(Ending::Late("the handshake"));
        }
        match acceptor.read_tls(&mut &*socket) {
            Ok(0) => return Err(Ending::Closed),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                wait(socket, For::Reading, deadline)?;
            }
            Err(error) => return Err(error.into()),
        }
    };
    // Whoever does not take the last words now will notice the end all the same.
    let _ = alert.write(&mut &*socket);
    let _ = socket.shutdown(Shutdown::Write);
    Err(Ending::Tls(error))
}
