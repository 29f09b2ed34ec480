//! The conversation on the unix socket, and the socket's place on disk (H41-H44).

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::Arc;

use quorate::daemon::checkup::Checkup;
use quorate::daemon::clock;
use quorate::daemon::control::Control;
use quorate::daemon::control_socket::{Socket, group_of};
use quorate::daemon::driver::Driver;
use quorate::daemon::failure;
use quorate::daemon::fitness::Fitness;
use quorate::daemon::network::Delivery;
use quorate::daemon::seats::{CLIENTS_MAX, FOLLOWERS_MAX};
use quorate::daemon::waiting::Deadline;
use quorate::protocol::effects::Input;
use quorate::settings::node::NodeSettings;
use quorate::wire::control::{CONTROL_FRAME_MAX, Request, Response};
use quorate::wire::control_frame;

use super::driver::{PATIENCE, running, wait_for};
use super::workshop::{Workshop, chmod, node};

/// A served socket whose node is master.
pub(super) fn served(workshop: &Workshop) -> Arc<Socket> {
    let driver = running(workshop);
    wait_for(&driver, "elected");
    serve(workshop, driver)
}

pub(super) fn serve(workshop: &Workshop, driver: Arc<Driver>) -> Arc<Socket> {
    let socket = Arc::new(Socket::bind(&workshop.places().socket.path).unwrap());
    let settings = NodeSettings::new(node("alpha"));
    let teller = Arc::clone(&driver);
    let fitness = Fitness::new(&settings, move |said| teller.deliver(Input::Condition(said)));
    let checkup =
        Checkup { listens: "127.0.0.1:9901".to_owned(), writing: Arc::default(), has_guard: false };
    let (fitness, state) = (Arc::new(fitness), workshop.state_path());
    let control = Arc::new(Control::new(driver, fitness, clock::now(), state, checkup));
    let theirs = Arc::clone(&socket);
    let run = move || control.run(&theirs);
    std::thread::Builder::new().name("control".to_owned()).spawn(run).unwrap();
    socket
}

pub(super) fn connect(socket: &Socket) -> UnixStream {
    let stream = UnixStream::connect(socket.path()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

pub(super) fn ask(stream: &mut UnixStream, request: &Request) -> Response {
    control_frame::write(stream, request).unwrap();
    control_frame::read(stream).unwrap()
}

/// Every answer that still comes.
fn answers(stream: &mut UnixStream) -> impl Iterator<Item = Response> {
    std::iter::from_fn(|| control_frame::read(stream).ok())
}

fn refusal(response: Response) -> String {
    match response {
        Response::Error(report) => report.message,
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn several_requests_are_answered_on_one_connection() {
    let workshop = Workshop::new();
    let mut stream = connect(&served(&workshop));
    let Response::Status(status) = ask(&mut stream, &Request::Status {}) else {
        panic!("no status")
    };
    assert_eq!((status.node.as_str(), status.role.as_str()), ("alpha", "master"));
    assert_eq!(status.pid, std::process::id());
    let Response::Document(document) = ask(&mut stream, &Request::Show {}) else {
        panic!("no body")
    };
    assert!(document.body.contains("cluster: \"shop\""));
    assert_eq!((document.revision, document.hash.len()), (1, 64));
}

#[test]
fn a_handover_that_cannot_be_is_refused_with_the_reason() {
    let workshop = Workshop::new();
    let mut stream = connect(&served(&workshop));
    let request = Request::Transfer { to: Some("nobody".to_owned()) };
    let Response::Handover(report) = ask(&mut stream, &request) else { panic!("no report") };
    assert_eq!(report.outcome, "refused");
    assert!(report.message.contains("may lead"), "{}", report.message);
}

#[test]
fn a_request_with_a_field_that_is_not_its_own_is_refused() {
    let workshop = Workshop::new();
    let socket = served(&workshop);
    for word in ["status", "show", "history", "hold"] {
        let mut stream = connect(&socket);
        let odd = serde_json::json!({"ask": word, "x": 1});
        control_frame::write(&mut stream, &odd).unwrap();
        let words = refusal(control_frame::read(&mut stream).unwrap());
        assert!(words.contains("unknown field"), "{word}: {words}");
    }
}

#[test]
fn a_history_is_sent_to_its_end_and_one_that_was_never_kept_is_refused() {
    let workshop = Workshop::new();
    let mut stream = connect(&served(&workshop));
    assert!(refusal(ask(&mut stream, &Request::History {})).contains("no history to read"));
    std::fs::write(workshop.state_path().join("history.log"), "torn\n").unwrap();
    let Response::EndOfHistory(end) = ask(&mut stream, &Request::History {}) else {
        panic!("no end");
    };
    assert_eq!(end.unreadable, 1);
}

#[test]
fn a_name_that_cannot_be_is_refused_before_the_node_hears_of_it() {
    let workshop = Workshop::new();
    let mut stream = connect(&served(&workshop));
    let request = Request::Transfer { to: Some("no such\nname".to_owned()) };
    assert!(refusal(ask(&mut stream, &request)).contains("no name of a node"));
}

#[test]
fn kept_events_end_with_a_mark() {
    let workshop = Workshop::new();
    let mut stream = connect(&served(&workshop));
    control_frame::write(&mut stream, &Request::Events { follow: false }).unwrap();
    let mut answers = answers(&mut stream);
    assert!(answers.any(|answer| matches!(answer, Response::Event(e) if e.code == "elected")));
    assert!(answers.any(|answer| answer == Response::EndOfEvents));
    drop(answers);
    assert!(matches!(ask(&mut stream, &Request::Status {}), Response::Status(_)));
}

#[test]
fn a_follower_gets_what_happens_later() {
    let workshop = Workshop::new();
    let driver = running(&workshop);
    wait_for(&driver, "elected");
    let mut stream = connect(&serve(&workshop, Arc::clone(&driver)));
    control_frame::write(&mut stream, &Request::Events { follow: true }).unwrap();
    let mut answers = answers(&mut stream);
    assert!(answers.any(|answer| matches!(answer, Response::Event(e) if e.code == "elected")));
    driver.deliver(Input::Leave);
    assert!(answers.any(|answer| matches!(answer, Response::Event(e) if e.code == "demoted")));
}

#[test]
fn a_frame_beyond_the_limit_is_refused_unread() {
    let workshop = Workshop::new();
    let mut stream = connect(&served(&workshop));
    let length = u32::try_from(CONTROL_FRAME_MAX + 1).unwrap();
    stream.write_all(&length.to_be_bytes()).unwrap();
    assert!(refusal(control_frame::read(&mut stream).unwrap()).contains("limit"));
    assert_eq!(stream.read(&mut [0; 1]).unwrap(), 0);
}

#[test]
fn a_request_that_is_none_is_refused_and_the_stream_closed() {
    let workshop = Workshop::new();
    let socket = served(&workshop);
    for body in [&b"{\"ask\":\"reboot\"}"[..], b"\0\0\0", &[b'['; 4_000]] {
        let mut stream = connect(&socket);
        stream.write_all(&u32::try_from(body.len()).unwrap().to_be_bytes()).unwrap();
        stream.write_all(body).unwrap();
        refusal(control_frame::read(&mut stream).unwrap());
        assert_eq!(stream.read(&mut [0; 1]).unwrap(), 0);
    }
}

fn seated(socket: &Socket) -> Vec<UnixStream> {
    let mut seated: Vec<UnixStream> = (0..CLIENTS_MAX).map(|_| connect(socket)).collect();
    for stream in &mut seated {
        assert!(matches!(ask(stream, &Request::Status {}), Response::Status(_)));
    }
    seated
}

/// That the answer says to ask again later.
fn is_busy(response: &Response) -> bool {
    matches!(response, Response::Error(report) if report.retry && report.message.contains("again"))
}

#[test]
fn one_client_too_many_is_told_to_try_again_and_the_others_stay() {
    let workshop = Workshop::new();
    let socket = served(&workshop);
    let mut seated = seated(&socket);
    let mut late = connect(&socket);
    assert!(is_busy(&control_frame::read(&mut late).unwrap()));
    assert!(matches!(ask(&mut seated[0], &Request::Status {}), Response::Status(_)));
}

#[test]
fn a_client_waits_a_while_for_the_seat_of_one_that_leaves() {
    let workshop = Workshop::new();
    let socket = served(&workshop);
    let mut seated = seated(&socket);
    let mut late = connect(&socket);
    control_frame::write(&mut late, &Request::Status {}).unwrap();
    drop(seated.pop());
    assert!(matches!(control_frame::read(&mut late).unwrap(), Response::Status(_)));
}

#[test]
fn followers_never_take_every_seat() {
    let workshop = Workshop::new();
    let socket = served(&workshop);
    let follow = Request::Events { follow: true };
    let mut followers: Vec<UnixStream> = (0..FOLLOWERS_MAX).map(|_| connect(&socket)).collect();
    for stream in &mut followers {
        assert!(matches!(ask(stream, &follow), Response::Event(_)));
    }
    assert!(is_busy(&ask(&mut connect(&socket), &follow)));
    assert!(matches!(ask(&mut connect(&socket), &Request::Status {}), Response::Status(_)));
    drop(followers.pop());
    // A follower that left is noticed within a second or so.
    let deadline = Deadline::after(PATIENCE);
    while is_busy(&ask(&mut connect(&socket), &follow)) {
        assert!(!deadline.has_passed(), "its place stays taken");
    }
}

#[test]
fn a_hold_off_for_ever_ends_within_a_year() {
    let workshop = Workshop::new();
    let mut stream = connect(&served(&workshop));
    let request = Request::StepDown { hold_off_ms: u64::MAX };
    assert!(matches!(ask(&mut stream, &request), Response::Handover(_)));
    let Response::Status(status) = ask(&mut stream, &Request::Status {}) else {
        panic!("no status")
    };
    assert!(status.hold_off_left_ms.is_none_or(|left| left <= 366 * 86_400_000), "{status:?}");
}

#[test]
fn a_socket_that_was_cleaned_away_comes_back_and_keeps_its_clients() {
    let workshop = Workshop::new();
    let socket = served(&workshop);
    assert!(!socket.renew().unwrap(), "it is in its place");
    let mut old = connect(&socket);
    assert!(matches!(ask(&mut old, &Request::Status {}), Response::Status(_)));
    fs::remove_dir_all(socket.path().parent().unwrap()).unwrap();
    assert!(socket.renew().unwrap());
    assert!(matches!(ask(&mut connect(&socket), &Request::Status {}), Response::Status(_)));
    assert!(matches!(ask(&mut old, &Request::Status {}), Response::Status(_)));
}

#[test]
fn a_directory_that_others_may_write_holds_no_socket() {
    let workshop = Workshop::new();
    for (mode, is_refused) in [(0o777, true), (0o702, true), (0o770, false), (0o1777, false)] {
        chmod(&workshop.path("."), mode);
        let outcome = Socket::bind(&workshop.path("quorate.sock"));
        let code = outcome.as_ref().err().map(|failure| failure.code);
        assert_eq!(code, is_refused.then_some(failure::NO_PERMISSION), "{mode:o}");
    }
}

#[test]
fn a_stale_socket_gives_way_and_a_living_one_does_not() {
    let workshop = Workshop::new();
    let path = workshop.path("quorate.sock");
    drop(UnixListener::bind(&path).unwrap());
    let living = Socket::bind(&path).unwrap();
    let failure = Socket::bind(&path).unwrap_err();
    assert_eq!(failure.code, failure::TRY_AGAIN);
    living.remove();
    assert!(!path.exists());
}

#[test]
fn a_file_in_the_sockets_place_is_left_alone() {
    let workshop = Workshop::new();
    let path = workshop.path("quorate.sock");
    fs::write(&path, b"precious").unwrap();
    assert_eq!(Socket::bind(&path).unwrap_err().code, failure::CANNOT_CREATE);
    assert_eq!(fs::read(&path).unwrap(), b"precious");
}

#[test]
fn a_removed_socket_is_never_somebody_elses() {
    let workshop = Workshop::new();
    let path = workshop.path("quorate.sock");
    let first = Socket::bind(&path).unwrap();
    fs::rename(&path, workshop.path("moved")).unwrap();
    let _second = Socket::bind(&path).unwrap();
    first.remove();
    assert!(path.exists());
}

#[test]
fn the_socket_and_a_directory_made_for_it_are_closed_to_others() {
    let workshop = Workshop::new();
    let path = workshop.places().socket.path;
    let _socket = Socket::bind(&path).unwrap();
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode(&path) & 0o007, 0);
    assert_eq!(mode(path.parent().unwrap()) & 0o027, 0);
}

#[test]
fn a_path_that_no_socket_can_have_is_refused_in_words() {
    let path = Workshop::new().path(&"x".repeat(200));
    let failure = Socket::bind(&path).unwrap_err();
    assert_eq!(failure.code, failure::CONFIG);
    assert!(failure.message.contains("--socket"), "{failure}");
}

#[test]
fn the_group_is_found_in_the_systems_list() {
    let groups = "root:x:0:\nquorate-old:x:5:\nquorate:x:991:ann,bob\n";
    assert_eq!(group_of(groups, "quorate"), Some(991));
    assert_eq!(group_of(groups, "quor"), None);
    assert_eq!(group_of("quorate:x:many:\n", "quorate"), None);
}

#[test]
fn an_open_directory_does_not_open_the_socket() {
    let workshop = Workshop::new();
    chmod(&workshop.path("."), 0o755);
    let socket = Socket::bind(&workshop.path("quorate.sock")).unwrap();
    assert!(socket.admits(&connect(&socket)).unwrap());
}

#[test]
fn a_program_says_how_fresh_the_data_is_and_status_shows_it() {
    let workshop = Workshop::new();
    let socket = served(&workshop);
    let mut stream = connect(&socket);
    assert_eq!(ask(&mut stream, &Request::SetPosition { position: 42 }), Response::Taken);
    let Response::Status(report) = ask(&mut stream, &Request::Status {}) else {
        panic!("no status");
    };
    let freshness = report.freshness.expect("somebody said so");
    assert_eq!((freshness.value, freshness.from.as_str()), (Some(42), "set-position"));
}
