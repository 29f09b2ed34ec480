//! Strangers and broken peers on real sockets (H01-H30): closed in time, and nobody else notices.

use super::*;

/// Reads until the other side ends the connection; how long that took.
#[track_caller]
fn time_to_close(stream: &mut impl Read) -> Duration {
    let start = Deadline::now();
    let mut bytes = [0; 4096];
    loop {
        match stream.read(&mut bytes) {
            Ok(0) => break,
            Ok(_) => {}
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                panic!("still open after {:?}", Deadline::now().since(start));
            }
            Err(_) => break,
        }
    }
    Deadline::now().since(start)
}

fn call(station: &Station) -> TcpStream {
    let stream = TcpStream::connect(station.network.local_addr()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

const AT_ONCE: Duration = Duration::from_secs(3);

#[test]
fn a_caller_that_says_nothing_is_closed_after_five_seconds() {
    let alpha = Station::new("alpha");
    let took = time_to_close(&mut call(&alpha));
    assert!(took > Duration::from_secs(4) && took < Duration::from_secs(8), "{took:?}");
}

#[test]
fn a_caller_that_trickles_bytes_is_closed_after_five_seconds() {
    let alpha = Station::new("alpha");
    let mut stream = call(&alpha);
    let start = Deadline::now();
    // A handshake record of 16 KiB, one byte at a time.
    let mut bytes = [0x16, 3, 1, 0x40, 0, 1, 0, 0x3f, 0xfc].into_iter().chain(std::iter::repeat(3));
    while stream.write_all(&[bytes.next().unwrap()]).is_ok() {
        assert!(Deadline::now().since(start) < PATIENCE, "still open");
        std::thread::park_timeout(Duration::from_millis(20));
    }
    let took = Deadline::now().since(start);
    assert!(took > Duration::from_secs(4) && took < Duration::from_secs(8), "{took:?}");
}

#[test]
fn noise_is_closed_at_once_and_peers_stay() {
    let (alpha, bravo) = pair();
    // A hello of 64 KiB over four records.
    let record = [&[0x16, 3, 1, 0x40, 0][..], &[0; 0x4000]].concat();
    let mut huge_hello = record.repeat(4);
    huge_hello[5..9].copy_from_slice(&[1, 0, 0xff, 0xfc]);
    let tls_1_0 = [&[0x16, 3, 1, 0, 45, 1, 0, 0, 41, 3, 1][..], &[7; 32], &[0, 0, 2, 0, 47, 1, 0]];
    for noise in [
        &b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"[..],
        b"SSH-2.0-OpenSSH_9.9\r\n",
        &[0x80, 0x2e, 1, 0, 2, 0, 0x15, 0, 0, 0, 16],
        &tls_1_0.concat(),
        &huge_hello,
        &[0; 4096],
        &[0xff; 70_000],
        &[0x16, 3, 1, 0xff, 0xff],
        &[0x15, 3, 3, 0, 2, 2, 40],
    ] {
        let mut stream = call(&alpha);
        // It may be closed before all of the noise is out.
        let _ = stream.write_all(noise);
        let took = time_to_close(&mut stream);
        assert!(took < AT_ONCE, "{took:?} for {:?}", &noise[..noise.len().min(40)]);
    }
    assert_eq!(alpha.link(&bravo), "connected");
    bravo.send(&alpha, fetch(1));
    wait_until("mail", || alpha.inbox.received("bravo") == [fetch(1)]);
}

/// A TLS client with the keys of `with`, who may be anybody.
fn tls_client(of: &Station, with: &Keys) -> ClientConnection {
    let trust = Arc::new(Trust::default());
    trust.set(std::iter::once(&of.member));
    let config = tls::dialing(with, &trust, &of.name).unwrap();
    ClientConnection::new(config, "x".try_into().unwrap()).unwrap()
}

#[test]
fn a_caller_that_closes_inside_the_handshake_is_closed_at_once() {
    let alpha = Station::new("alpha");
    let mut stream = call(&alpha);
    let mut tls = tls_client(&alpha, &Keys::generate(&id("x")));
    tls.write_tls(&mut stream).unwrap();
    stream.write_all(&[0x15, 3, 3, 0, 2, 1, 0]).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    assert!(time_to_close(&mut stream) < AT_ONCE);
}

#[test]
fn an_unknown_key_hears_nothing_but_the_end() {
    let (alpha, bravo) = pair();
    let tls = tls_client(&alpha, &Keys::generate(&id("bravo")));
    let mut session = StreamOwned::new(tls, call(&alpha));
    let mut heard = Vec::new();
    assert!(session.read_to_end(&mut heard).is_err());
    assert_eq!(heard, b"", "not even a hello");
    assert_eq!(alpha.link(&bravo), "connected");
}

#[derive(Debug)]
struct NoKey;

impl rustls::client::ResolvesClientCert for NoKey {
    fn resolve(
        &self,
        _: &[&[u8]],
        _: &[rustls::SignatureScheme],
    ) -> Option<Arc<rustls::sign::CertifiedKey>> {
        None
    }

    fn has_certs(&self) -> bool {
        false
    }
}

#[test]
fn a_caller_without_a_key_is_refused() {
    let alpha = Station::new("alpha");
    let trust = Arc::new(Trust::default());
    trust.set(std::iter::once(&alpha.member));
    let config = tls::dialing(&alpha.keys(), &trust, &alpha.name).unwrap();
    let mut config = (*config).clone();
    config.client_auth_cert_resolver = Arc::new(NoKey);
    let tls = ClientConnection::new(Arc::new(config), "x".try_into().unwrap()).unwrap();
    let mut session = StreamOwned::new(tls, call(&alpha));
    let mut heard = Vec::new();
    assert!(session.read_to_end(&mut heard).is_err());
    assert_eq!(heard, b"");
}

#[test]
fn strangers_that_hold_sockets_do_not_keep_a_peer_out() {
    let (alpha, bravo) = (Station::new("alpha"), Station::new("bravo"));
    let strangers: Vec<_> = (0..300).map(|_| call(&alpha)).collect();
    alpha.knows(&[&bravo]);
    bravo.knows(&[&alpha]);
    bravo.wait_for_link(&alpha, "connected");
    alpha.wait_for_link(&bravo, "connected");
    let sent_away = strangers.iter().filter(|stream| {
        stream.set_nonblocking(true).unwrap();
        !matches!((&**stream).read(&mut [0]), Err(error) if error.kind() == ErrorKind::WouldBlock)
    });
    assert!(sent_away.count() >= 300 - 64);
}

// What broken or stolen peers do: they have the right key (P12).

/// A session of `peer` with `to`, up to the other's hello.
pub(super) fn session_of(peer: &Station, to: &Station) -> StreamOwned<ClientConnection, TcpStream> {
    let mut session = StreamOwned::new(tls_client(to, &peer.keys()), call(to));
    let mut hello = [0; 5];
    session.read_exact(&mut hello).unwrap();
    assert_eq!(hello[0], b'H');
    let mut rest = vec![0; usize::from(hello[4]) | usize::from(hello[3]) << 8];
    session.read_exact(&mut rest).unwrap();
    session
}

pub(super) fn framed(class: Class, payload: &[u8]) -> Vec<u8> {
    [&header(class, payload).unwrap()[..], payload].concat()
}

pub(super) fn hello_of(station: &Station) -> Hello {
    Hello::of(&identity(&station.name, 3), 42, 1)
}

fn greeting(station: &Station) -> Vec<u8> {
    framed(Class::Hello, &hello_of(station).encode())
}

/// Alpha, which knows bravo; bravo's network is cut off, only its key is used.
pub(super) fn alpha_and_the_key_of_bravo() -> (Station, Station) {
    alpha_and_the_key_of(MemberRole::Voter)
}

/// The same with bravo in that role.
pub(super) fn alpha_and_the_key_of(role: MemberRole) -> (Station, Station) {
    let (alpha, mut bravo) = (Station::new("alpha"), Station::new("bravo"));
    bravo.member.role = role;
    bravo.network.stop(Duration::ZERO);
    alpha.knows(&[&bravo]);
    (alpha, bravo)
}

#[test]
fn a_peer_that_breaks_the_rules_is_closed_at_once() {
    rules_are_broken_by(MemberRole::Voter);
}

/// Whoever breaks a rule is closed at once, in whatever role.
pub(super) fn rules_are_broken_by(role: MemberRole) {
    let (alpha, bravo) = alpha_and_the_key_of(role);
    let hello = || greeting(&bravo);
    let after_hello = |bytes: &[u8]| [&hello(), bytes].concat();
    let mut other = hello_of(&bravo);
    other.cluster = ClusterId([9; 16]);
    let mut later = hello_of(&bravo);
    later.version = 9_999;
    let document_in_small_frame = framed(Class::Message, &encode(&offer(10)));
    for bytes in [
        framed(Class::Hello, &other.encode()),
        framed(Class::Hello, &later.encode()),
        framed(Class::Hello, &hello_of(&alpha).encode()),
        framed(Class::Message, &encode(&fetch(1))),
        after_hello(&hello()),
        after_hello(&framed(Class::Message, b"{\"gossip\":{}}")),
        after_hello(&framed(Class::Message, &[0xff; 100])),
        after_hello(&framed(Class::Message, &[&encode(&fetch(1))[..], b"\nx"].concat())),
        after_hello(&framed(Class::Document, &encode(&fetch(1)))),
        after_hello(&document_in_small_frame),
        after_hello(&[b'M', 0, 0, 0, 0]),
        after_hello(&[b'M', 0, 0, 0x10, 1]),
        after_hello(&[b'D', 0xff, 0xff, 0xff, 0xff]),
        after_hello(&[0, 0, 0, 0, 1]),
    ] {
        let mut session = session_of(&bravo, &alpha);
        session.write_all(&bytes).unwrap();
        assert!(time_to_close(&mut session) < AT_ONCE, "{bytes:?}");
    }
    assert_eq!(alpha.inbox.received("bravo"), []);
}

#[test]
fn a_frame_that_is_promised_and_not_sent_is_given_five_seconds() {
    a_frame_is_promised_by(MemberRole::Voter);
}

/// A frame has five seconds, whoever sends it.
pub(super) fn a_frame_is_promised_by(role: MemberRole) {
    let (alpha, bravo) = alpha_and_the_key_of(role);
    let mut session = session_of(&bravo, &alpha);
    session.write_all(&greeting(&bravo)).unwrap();
    session.write_all(&[b'D', 0, 0x10, 0, 0, b'{', b'"', b'o']).unwrap();
    let took = time_to_close(&mut session);
    assert!(took > Duration::from_secs(4) && took < Duration::from_secs(8), "{took:?}");
}

#[test]
fn the_newest_session_of_a_peer_is_the_one_that_counts() {
    sessions_are_opened_by(MemberRole::Voter);
}

/// The newest session counts, whoever opens it.
pub(super) fn sessions_are_opened_by(role: MemberRole) {
    let (alpha, bravo) = alpha_and_the_key_of(role);
    let mut sessions = [session_of(&bravo, &alpha), session_of(&bravo, &alpha)];
    for (version, session) in (0..).zip(&mut sessions) {
        session.write_all(&greeting(&bravo)).unwrap();
        session.write_all(&framed(Class::Message, &encode(&fetch(version)))).unwrap();
        let count = usize::try_from(version + 1).unwrap();
        wait_until("its message", || alpha.inbox.received("bravo").len() == count);
    }
    let [older, newer] = &mut sessions;
    assert!(time_to_close(older) < AT_ONCE);
    newer.write_all(&framed(Class::Message, &encode(&fetch(9)))).unwrap();
    wait_until("the newer speaks on", || alpha.inbox.received("bravo").len() == 3);
}

#[test]
fn a_flood_of_messages_is_read_slowly_and_loses_none() {
    a_flood_comes_from(MemberRole::Voter);
}

/// Too many messages are read slowly, whoever sends them.
pub(super) fn a_flood_comes_from(role: MemberRole) {
    let (alpha, bravo) = alpha_and_the_key_of(role);
    let mut session = session_of(&bravo, &alpha);
    session.write_all(&greeting(&bravo)).unwrap();
    let start = Deadline::now();
    for version in 0..1_500 {
        session.write_all(&framed(Class::Message, &encode(&fetch(version)))).unwrap();
    }
    alpha.inbox.wait_for("all of it", |inputs| inputs.len() == 1_500);
    // 500 at once, the rest at 500 per second.
    assert!(Deadline::now().since(start) > Duration::from_millis(1_800));
}

/// A listener with bravo's key that greets alpha.
fn listening_as(bravo: &Station, alpha: &Station) -> (TcpListener, SocketAddr, ServerConnection) {
    let trust = Arc::new(Trust::default());
    trust.set(std::iter::once(&alpha.member));
    let config = tls::listening(&bravo.keys(), &trust).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address, ServerConnection::new(config).unwrap())
}

#[test]
fn a_peer_that_never_reads_delays_nobody_and_is_given_up() {
    nothing_is_read_by(MemberRole::Voter);
}

/// Whoever never reads delays nobody.
pub(super) fn nothing_is_read_by(role: MemberRole) {
    let (alpha, charlie) = pair();
    let mut bravo = Station::new("delta");
    let (listener, address, tls) = listening_as(&bravo, &alpha);
    bravo.member.address = address.to_string().as_str().into();
    bravo.member.role = role;
    alpha.knows(&[&bravo, &charlie]);
    let (stream, _) = listener.accept().unwrap();
    let mut session = StreamOwned::new(tls, stream);
    session.write_all(&greeting(&bravo)).unwrap();
    alpha.wait_for_link(&bravo, "connected");
    let mut version = 0;
    wait_until("bravo is given up", || {
        alpha.send(&bravo, offer(1 << 20));
        alpha.send(&charlie, fetch(version));
        version += 1;
        wait_until("the others hear", || {
            charlie.inbox.received("alpha").last() == Some(&fetch(version - 1))
        });
        alpha.link(&bravo) != "connected"
    });
}

#[test]
fn a_peer_that_answers_on_a_connection_it_should_only_hear_is_given_up() {
    an_answer_comes_from(MemberRole::Voter);
}

/// Whoever answers where it should only hear is given up.
pub(super) fn an_answer_comes_from(role: MemberRole) {
    let alpha = Station::new("alpha");
    let mut bravo = Station::new("bravo");
    let (listener, address, tls) = listening_as(&bravo, &alpha);
    bravo.member.address = address.to_string().as_str().into();
    bravo.member.role = role;
    alpha.knows(&[&bravo]);
    let (stream, _) = listener.accept().unwrap();
    let mut session = StreamOwned::new(tls, stream);
    session.write_all(&greeting(&bravo)).unwrap();
    alpha.wait_for_link(&bravo, "connected");
    session.write_all(&framed(Class::Message, &encode(&fetch(1)))).unwrap();
    drop(listener);
    assert!(time_to_close(&mut session) < AT_ONCE);
    assert_eq!(alpha.inbox.received("bravo"), []);
}

/// Promises: P7
#[test]
fn a_peer_that_stands_still_in_its_greeting_is_called_again_after_dead_after() {
    let alpha = Station::new("alpha");
    let mut bravo = Station::new("bravo");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    bravo.member.address = listener.local_addr().unwrap().to_string().into();
    alpha.knows(&[&bravo]);
    let (mut stream, _) = listener.accept().unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    // Its dead_after is one second; a stranger that calls would be given five.
    assert!(time_to_close(&mut stream) < AT_ONCE);
    listener.accept().unwrap();
}

#[test]
fn a_server_of_something_else_at_a_peers_address_is_named_as_such() {
    let alpha = Station::new("alpha");
    let mut bravo = Station::new("bravo");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    bravo.member.address = listener.local_addr().unwrap().to_string().into();
    alpha.knows(&[&bravo]);
    let (mut stream, _) = listener.accept().unwrap();
    stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
    alpha.wait_for_link(&bravo, "does not speak quorate (no TLS)");
}
