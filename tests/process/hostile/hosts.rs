//! Whoever listens where a member should: daemons call it again and again, and are none the worse.
//! Never calls a daemon but to make it speak.

use std::cell::RefCell;
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use quorate::protocol::message::{Fetch, Message};
use quorate::protocol::units::{ClusterId, Position};
use quorate::wire::frame::Class;
use quorate::wire::hello::Hello;
use rustix::net::sockopt;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::super::clock::{PATIENCE, now};
use super::super::cluster::Cluster;
use super::canary::{Canary, fresh, log, wait_for_line};
use super::peer::Peer;
use super::scene::without;
use super::session::{framed, heard_until_closed, spelled};

/// Two daemons, and a listener at the address where they call charlie.
struct Door {
    cluster: Cluster,
    canary: Canary,
    charlie: Peer,
    listener: TcpListener,
    target: String,
}

impl Door {
    fn open() -> Self {
        let cluster = without(3, &["charlie"]);
        let canary = Canary::over(&cluster);
        let charlie = Peer::calling(&cluster, "charlie", Box::new(|_, _, _| Vec::new()));
        let address = &cluster.nodes.iter().find(|node| node.name == "charlie").unwrap().address;
        let listener = TcpListener::bind(address).expect("charlie itself does not run");
        let target = canary.reign().0.to_owned();
        Self { cluster, canary, charlie, listener, target }
    }

    /// Serves whoever calls in that way until the target's log says `words`.
    fn serves_until(&self, words: &str, serve: &dyn Fn(TcpStream)) {
        self.listener.set_nonblocking(true).unwrap();
        let start = now();
        while !log(&self.cluster, &self.target).lines().any(|line| line.contains(words)) {
            assert!(now() - start < PATIENCE, "{words}");
            match self.listener.accept() {
                Ok((stream, _)) => {
                    stream.set_nonblocking(false).unwrap();
                    serve(stream);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    std::thread::park_timeout(Duration::from_millis(2));
                }
                Err(error) => panic!("{error}"),
            }
        }
    }
}

/// Proves charlie's key, says these bytes, and waits for the end.
fn greets(stream: TcpStream, config: &Arc<ServerConfig>, bytes: &[u8]) {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let tls = ServerConnection::new(Arc::clone(config)).expect("the configuration is sound");
    let mut session = StreamOwned::new(tls, stream);
    // The daemon may close before the last byte.
    drop(session.write_all(bytes));
    drop(session.flush());
    heard_until_closed(&mut session);
}

/// H03, H04, H12, H13, H14, H21, seen by the one who calls
#[test]
fn whoever_answers_wrongly_at_a_members_address_is_named_and_moves_nothing() {
    let door = Door::open();
    let listening = door.charlie.listening();
    let right = door.charlie.actor().hello();
    let changed = |change: fn(&mut Hello)| {
        let mut hello = right.clone();
        change(&mut hello);
        framed(Class::Hello, &hello.encode())
    };
    let fetch = Message::Fetch(Fetch { have: Position::default() });
    let unasked = [framed(Class::Hello, &right.encode()), spelled(&fetch)].concat();
    // Its hello is read first: closing on unread bytes would be a reset.
    door.serves_until("cannot reach charlie: closed by the other side", &|mut stream| {
        drop(stream.read(&mut [0; 4096]));
    });
    door.serves_until("it does not speak quorate (no TLS)", &|mut stream| {
        drop(stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n"));
        drop(stream.read(&mut [0; 4096]));
    });
    for (words, bytes) in [
        ("refused: other cluster", changed(|hello| hello.cluster = ClusterId([9; 16]))),
        ("protocol version 7", changed(|hello| hello.version = 7)),
        ("a Hello frame of 4294967295 bytes", vec![b'H', 255, 255, 255, 255]),
        ("cannot reach charlie: a Message frame where none belongs", spelled(&fetch)),
        ("lost the connection to charlie", unasked),
    ] {
        door.serves_until(words, &|stream| greets(stream, &listening, &bytes));
    }
    door.canary.sings(&door.cluster);
    drop(door.listener);
    door.canary.recovers();
}

/// H30
#[test]
fn whoever_resets_every_connection_is_called_less_and_less_often() {
    let door = Door::open();
    let begun = fresh(&door.cluster, &door.target).uptime_ms;
    let mut resets = 0_u32;
    door.listener.set_nonblocking(true).unwrap();
    while fresh(&door.cluster, &door.target).uptime_ms < begun + 3_000 {
        if let Ok((stream, _)) = door.listener.accept() {
            // Zero: what is unsent is thrown away, and the caller gets a reset.
            sockopt::set_socket_linger(&stream, Some(Duration::ZERO)).unwrap();
            resets += 1;
        }
    }
    wait_for_line(&door.cluster, &door.target, &["cannot reach charlie: connection reset"]);
    assert!((4..60).contains(&resets), "{resets} calls of two daemons");
    door.canary.sings(&door.cluster);
    drop(door.listener);
    door.canary.recovers();
}

/// H25
#[test]
fn a_member_that_asks_without_end_and_never_reads_is_given_up() {
    let door = Door::open();
    let listening = door.charlie.listening();
    sockopt::set_socket_recv_buffer_size(&door.listener, 4096).unwrap();
    let halls = RefCell::new(Vec::new());
    // Both daemons call; neither is read from again after the handshake.
    door.serves_until("connected to charlie", &|stream| {
        let tls = ServerConnection::new(Arc::clone(&listening)).unwrap();
        let mut session = StreamOwned::new(tls, stream);
        let hello = framed(Class::Hello, &door.charlie.actor().hello().encode());
        session.write_all(&hello).unwrap();
        session.flush().unwrap();
        halls.borrow_mut().push(session);
    });
    let mut asking = door.charlie.session(&door.target, None);
    asking.greet(&door.charlie.actor().hello()).unwrap();
    let fetch = spelled(&Message::Fetch(Fetch { have: Position::default() }));
    let start = now();
    while !log(&door.cluster, &door.target).contains("lost the connection to charlie") {
        assert!(now() - start < PATIENCE);
        // As fast as the daemon reads from one member: more would lie about in buffers only.
        asking.say(&fetch.repeat(5)).unwrap();
        std::thread::park_timeout(Duration::from_millis(10));
    }
    door.canary.sings(&door.cluster);
    drop((asking, halls, door.listener));
    door.canary.recovers();
}
