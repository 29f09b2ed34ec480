//! One connection to a daemon with the keys of whoever is played, moved by the test's own thread.
//! Never decides what to say, and never closes before the test does.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use quorate::protocol::message::Message;
use quorate::protocol::units::NodeId;
use quorate::wire::codec::{carries_document, encode};
use quorate::wire::frame::{Class, Frame, Frames, header};
use quorate::wire::hello::Hello;
use rustix::net::{AddressFamily, SocketFlags, SocketType, ipproto, socket_with};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

use super::super::clock::{PATIENCE, now};

/// Calls that address, from `source` if there is one: the daemon tells callers apart by it.
pub(in crate::process) fn call(target: &str, source: Option<&str>) -> TcpStream {
    try_call(target, source).expect("the daemon listens")
}

/// The same where perhaps nobody listens.
pub(super) fn try_call(target: &str, source: Option<&str>) -> io::Result<TcpStream> {
    let flags = SocketFlags::CLOEXEC;
    let made = socket_with(AddressFamily::INET, SocketType::STREAM, flags, Some(ipproto::TCP));
    let socket = made.expect("the test has descriptors");
    if let Some(source) = source {
        let source: SocketAddr = format!("{source}:0").parse().expect("it is an address");
        rustix::net::bind(&socket, &source).expect("all of 127.0.0.0/8 is this machine's");
    }
    let target: SocketAddr = target.parse().expect("nodes here have literal addresses");
    rustix::net::connect(&socket, &target)?;
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}

/// Reads until the other side ends the connection; gives what it said before.
pub(super) fn heard_until_closed(stream: &mut impl Read) -> Vec<u8> {
    let mut heard = Vec::new();
    let mut bytes = [0; 4096];
    let start = now();
    loop {
        assert!(now() - start < PATIENCE, "still open, and still heard from");
        match stream.read(&mut bytes) {
            Ok(0) => return heard,
            Ok(count) => heard.extend_from_slice(&bytes[..count]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                panic!("still open after {PATIENCE:?}");
            }
            Err(_) => return heard,
        }
    }
}

/// A frame of that class, its length as it should be.
pub(in crate::process) fn framed(class: Class, payload: &[u8]) -> Vec<u8> {
    [&header(class, payload).expect("the test frames what fits")[..], payload].concat()
}

/// A message in its frame.
pub(super) fn spelled(message: &Message) -> Vec<u8> {
    let class = if carries_document(message) { Class::Document } else { Class::Message };
    framed(class, &encode(message))
}

/// A TLS session that proved a key.
#[derive(Debug)]
pub(in crate::process) struct Session {
    stream: StreamOwned<ClientConnection, TcpStream>,
    frames: Frames,
}

impl Session {
    /// Begins one; nothing is said before the first read or write.
    pub(in crate::process) fn over(stream: TcpStream, config: Arc<ClientConfig>) -> Self {
        let name = ServerName::try_from("quorate").expect("it is a name");
        let tls = ClientConnection::new(config, name).expect("the configuration is sound");
        Self { stream: StreamOwned::new(tls, stream), frames: Frames::default() }
    }

    /// Hears the daemon's hello, which comes first; an error if it closes instead.
    pub(super) fn hear_hello(&mut self) -> io::Result<Hello> {
        let frame = self.hear()?;
        assert_eq!(frame.class, Class::Hello);
        Ok(Hello::decode(&frame.payload).expect("the daemon says a sound hello"))
    }

    /// The next frame.
    pub(super) fn hear(&mut self) -> io::Result<Frame> {
        match self.frames.read(&mut self.stream) {
            Ok(Some(frame)) => Ok(frame),
            Ok(None) => Err(ErrorKind::TimedOut.into()),
            Err(error) => Err(io::Error::other(error.to_string())),
        }
    }

    /// Hears the daemon's hello and says that one.
    pub(super) fn greet(&mut self, hello: &Hello) -> io::Result<()> {
        self.hear_hello()?;
        self.say(&framed(Class::Hello, &hello.encode()))
    }

    /// Says these bytes, framed or not.
    pub(in crate::process) fn say(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)?;
        self.stream.flush()
    }

    /// The number that only the two ends know, once their keys are proved.
    pub(in crate::process) fn shaken(&mut self, label: &[u8]) -> [u8; 32] {
        while self.stream.conn.is_handshaking() {
            self.stream.conn.complete_io(&mut self.stream.sock).expect("the daemon takes part");
        }
        let number = self.stream.conn.export_keying_material([0; 32], label, None);
        number.expect("the handshake is over")
    }

    /// Reads until the daemon ends the session.
    pub(in crate::process) fn until_closed(&mut self) {
        heard_until_closed(&mut self.stream);
    }

    /// Where the daemon sees this caller.
    pub(super) fn source(&self) -> SocketAddr {
        self.stream.sock.local_addr().expect("it is connected")
    }

    /// The TLS state, to do what no honest program does.
    pub(super) fn tls(&mut self) -> &mut ClientConnection {
        &mut self.stream.conn
    }
}

/// The name of a node.
pub(super) fn id(name: &str) -> NodeId {
    NodeId::new(name).expect("the test names nodes properly")
}
