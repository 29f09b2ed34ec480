//! What commands ask, print and exit with, against a daemon that says what the test wants.

use std::os::fd::AsFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::thread::JoinHandle;
use std::time::Duration;

use quorate::cli::args::{Command, Format, Goal, MasterField, Stay, Watch};
use quorate::cli::client::{self, Awaited, Client, Trouble};
use quorate::cli::console::Console;
use quorate::cli::perform;
use quorate::cli::style::Style;
use quorate::protocol::units::NodeId;
use quorate::settings::paths::{Place, Places};
use quorate::wire::control::{
    DocumentReport, ErrorReport, EventReport, HandoverReport, PositionReport, Request, Response,
    SCHEMA, StatusReport,
};
use quorate::wire::control_frame;
use tempfile::TempDir;

use super::reports::{alone, elected, follower, master};

/// What a command came to.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct Ran {
    pub(super) code: u8,
    pub(super) out: String,
    pub(super) message: String,
}

/// A directory where a daemon may answer.
pub(super) struct World {
    pub(super) directory: TempDir,
}

impl World {
    pub(super) fn new() -> Self {
        Self { directory: TempDir::new().unwrap() }
    }

    fn place(&self, name: &str) -> Place {
        Place { path: self.directory.path().join(name), origin: "the test".into() }
    }

    pub(super) fn run(&self, command: &Command) -> Ran {
        let places = Places {
            config: self.place("node.yaml"),
            state_dir: self.place("."),
            socket: self.place("socket"),
        };
        let [mut out, mut err] = [Vec::new(), Vec::new()];
        let mut console =
            Console { out: &mut out, err: &mut err, style: Style::PLAIN, outlet: None };
        let (code, message) = match perform(command, &places, &mut console) {
            Ok(exit) => (exit.code(), String::from_utf8(err).unwrap()),
            Err(failure) => (failure.exit.code(), failure.message),
        };
        Ran { code, out: String::from_utf8(out).unwrap(), message }
    }

    /// Answers one conversation with `answers` and gives what was asked.
    pub(super) fn answer(&self, answers: Vec<Response>) -> JoinHandle<Request> {
        let listener = UnixListener::bind(self.directory.path().join("socket")).unwrap();
        std::thread::Builder::new()
            .spawn(move || converse(&mut listener.accept().unwrap().0, &answers))
            .unwrap()
    }

    fn ask(&self, command: &Command, answer: Response) -> (Ran, Request) {
        let daemon = self.answer(vec![answer]);
        let ran = self.run(command);
        (ran, daemon.join().unwrap())
    }

    fn ask_status(command: &Command, report: StatusReport) -> Ran {
        let (ran, asked) = Self::new().ask(command, Response::Status(Box::new(report)));
        assert_eq!(asked, Request::Status {});
        ran
    }

    pub(super) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.directory.path().join(name), text).unwrap();
    }
}

fn converse(stream: &mut UnixStream, answers: &[Response]) -> Request {
    let asked = control_frame::read(stream).unwrap();
    for answer in answers {
        control_frame::write(stream, answer).unwrap();
    }
    asked
}

const IS_MASTER: Command = Command::IsMaster;
const WAIT: Duration = Duration::from_millis(30);

#[test]
fn is_master_says_yes_only_while_the_lease_runs() {
    let code = |report| World::ask_status(&IS_MASTER, report).code;
    assert_eq!(code(master()), 0);
    assert_eq!(code(follower()), 1);
    assert_eq!(code(StatusReport { acting_left_ms: Some(0), ..master() }), 1);
    assert_eq!(code(StatusReport { acting_left_ms: None, ..master() }), 1);
    assert_eq!(code(StatusReport { role: "stopping".into(), ..master() }), 1);
    assert_eq!(code(StatusReport { role: "winner".into(), ..master() }), 1);
}

#[test]
fn is_master_cannot_know_from_another_schema_or_a_refusal() {
    assert_eq!(World::ask_status(&IS_MASTER, StatusReport { schema: 2, ..master() }).code, 75);
    let refusal = Response::Error(ErrorReport { message: "too many clients".into(), retry: true });
    let (ran, _) = World::new().ask(&IS_MASTER, refusal);
    assert_eq!((ran.code, ran.message.as_str()), (75, "too many clients"));
    let daemon = World::new();
    let closed = daemon.answer(vec![]);
    assert_eq!(daemon.run(&IS_MASTER).code, 75);
    closed.join().unwrap();
}

#[test]
fn without_a_daemon_every_question_says_where_it_looked() {
    let world = World::new();
    let path = world.place("socket").path;
    let commands = [
        IS_MASTER,
        Command::HasQuorum,
        Command::Transfer(None, Format::Text),
        Command::Show { revision: None, format: Format::Text },
    ];
    for command in commands {
        let ran = world.run(&command);
        assert_eq!(ran.code, 69);
        assert!(ran.message.contains(&format!("{} (from the test)", path.display())));
    }
    drop(UnixListener::bind(path).unwrap());
    assert_eq!(world.run(&IS_MASTER).code, 69);
}

#[test]
fn a_daemon_that_says_nothing_is_not_waited_for_longer_than_the_limit() {
    let world = World::new();
    let door = world.place("socket");
    let _listener = UnixListener::bind(&door.path).unwrap();
    let trouble = client::status(&door, WAIT).unwrap_err();
    assert!(matches!(trouble, Trouble::Silent(_)), "{trouble}");
}

#[test]
fn has_quorum_answers_by_its_exit_code() {
    assert_eq!(World::ask_status(&Command::HasQuorum, follower()).code, 0);
    assert_eq!(World::ask_status(&Command::HasQuorum, alone()).code, 1);
}

#[test]
fn master_prints_who_and_where() {
    let ran = World::ask_status(&Command::Master(MasterField::Name), follower());
    assert_eq!((ran.code, ran.out.as_str()), (0, "alpha\n"));
    let ran = World::ask_status(&Command::Master(MasterField::Address), follower());
    assert_eq!((ran.code, ran.out.as_str()), (0, "10.0.0.1:9901\n"));
    let ran = World::ask_status(&Command::Master(MasterField::Name), alone());
    assert_eq!((ran.code, ran.out.as_str()), (75, ""));
    assert_eq!(ran.message, "bravo knows of no master: it fell silent");
}

#[test]
fn status_as_json_is_the_report_on_one_line() {
    let ran = World::ask_status(&Command::Status(Watch::Once, Format::Json), follower());
    let read: StatusReport = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((ran.code, read), (0, follower()));
    assert_eq!(ran.out.matches('\n').count(), 1);
}

#[test]
fn wait_ends_at_once_when_it_is_so_already() {
    let [alpha, bravo] = ["alpha", "bravo"].map(|id| NodeId::new(id).unwrap());
    let goals = [
        Goal::Master,
        Goal::Quorum,
        Goal::Role("follower"),
        Goal::MasterIs(alpha.clone()),
        Goal::Node(alpha),
        Goal::Node(bravo),
        Goal::Revision(7),
        Goal::Revision(3),
    ];
    for goal in goals {
        let ran = World::ask_status(&Command::Wait(goal, WAIT), follower());
        assert_eq!(ran.code, 0);
    }
}

#[test]
fn wait_counts_a_missing_daemon_as_not_yet() {
    let ran = World::new().run(&Command::Wait(Goal::Master, WAIT));
    assert_eq!(ran.code, 124);
    assert!(ran.message.starts_with("not in time: is the daemon running?"), "{}", ran.message);
}

#[test]
fn wait_says_what_it_saw_last_when_it_gives_up() {
    let ran = World::ask_status(&Command::Wait(Goal::Master, Duration::ZERO), alone());
    let expected = "not in time: bravo is candidate, there is no master, 1 voter heard and \
                    2 needed, revision 7, it hears nobody";
    assert_eq!((ran.code, ran.message.as_str()), (124, expected));
}

#[test]
fn handovers_exit_with_their_outcome() {
    let table = [("handed-over", 0), ("stepped-down", 0), ("refused", 1), ("unknown", 75)];
    for (outcome, code) in table {
        let report = HandoverReport {
            schema: SCHEMA,
            outcome: outcome.into(),
            master: None,
            term: None,
            reason: None,
            message: "words".into(),
        };
        let to = Command::Transfer(NodeId::new("charlie"), Format::Text);
        let (ran, asked) = World::new().ask(&to, Response::Handover(report));
        assert_eq!(asked, Request::Transfer { to: Some("charlie".into()) });
        assert_eq!(ran.code, code, "{outcome}");
        assert_eq!(if code == 0 { ran.out } else { ran.message + "\n" }, "words\n");
    }
}

#[test]
fn a_transfer_that_another_node_won_is_a_no() {
    let report = |master: &str| HandoverReport {
        schema: SCHEMA,
        outcome: "handed-over".into(),
        master: Some(master.into()),
        term: Some(13),
        reason: None,
        message: format!("{master} is master in term 13"),
    };
    let ask = |command: &Command, master: &str| {
        let (ran, _) = World::new().ask(command, Response::Handover(report(master)));
        (ran.code, ran.out + &ran.message)
    };
    let to_bravo = Command::Transfer(NodeId::new("bravo"), Format::Text);
    assert_eq!(ask(&to_bravo, "bravo"), (0, "bravo is master in term 13\n".into()));
    let lost = "bravo could not take over; charlie did";
    assert_eq!(ask(&to_bravo, "charlie"), (1, lost.into()));
    assert_eq!(ask(&Command::Transfer(None, Format::Text), "charlie").0, 0);
    // A program is told both: what it wanted did not happen, and what did.
    let to_bravo = Command::Transfer(NodeId::new("bravo"), Format::Json);
    let (code, said) = ask(&to_bravo, "charlie");
    let json = said.strip_suffix(lost).expect("the words come too");
    assert_eq!((code, serde_json::from_str(json).ok()), (1, Some(report("charlie"))));
}

#[test]
fn a_refusal_for_want_of_room_may_be_tried_again_and_another_may_not() {
    for (retry, code) in [(true, 75), (false, 1)] {
        let refusal = ErrorReport { message: "not now".into(), retry };
        let (ran, _) =
            World::new().ask(&Command::Transfer(None, Format::Text), Response::Error(refusal));
        assert_eq!((ran.code, ran.message.as_str()), (code, "not now"));
    }
}

#[test]
fn a_daemon_that_hangs_up_at_once_is_still_heard() {
    let world = World::new();
    let door = world.place("socket");
    let listener = UnixListener::bind(&door.path).unwrap();
    let mut client = Client::connect(&door, WAIT).unwrap();
    let (mut stream, _) = listener.accept().unwrap();
    let refusal = ErrorReport { message: "not now".into(), retry: true };
    control_frame::write(&mut stream, &Response::Error(refusal)).unwrap();
    drop(stream);
    let trouble = client.say(&Request::Status {}).unwrap_err();
    assert!(matches!(&trouble, Trouble::Busy(words) if words == "not now"), "{trouble}");
}

#[test]
fn a_handover_whose_answer_is_lost_is_unknown_and_never_failed() {
    let world = World::new();
    let daemon = world.answer(vec![]);
    let ran = world.run(&Command::StepDown(Duration::from_secs(5), Format::Text));
    assert_eq!(daemon.join().unwrap(), Request::StepDown { hold_off_ms: 5_000 });
    assert_eq!(ran.code, 75);
    assert!(ran.message.starts_with("the outcome is unknown"), "{}", ran.message);
}

#[test]
fn events_are_printed_one_to_a_line_until_their_end() {
    let world = World::new();
    let event = Response::Event(Box::new(elected()));
    let daemon = world.answer(vec![event.clone(), event, Response::EndOfEvents]);
    let ran = world.run(&Command::Events(Stay::Leave, Format::Json));
    assert_eq!(daemon.join().unwrap(), Request::Events { follow: false });
    let line = serde_json::to_string(&elected()).unwrap();
    assert_eq!((ran.code, ran.out), (0, format!("{line}\n{line}\n")));
}

/// Answers `events --follow`: two kept events, then those and a third.
fn follow(world: &World) -> JoinHandle<()> {
    let listener = UnixListener::bind(world.place("socket").path).unwrap();
    let event = |seq| Response::Event(Box::new(EventReport { seq, ..elected() }));
    let answer = move || {
        let mut stream = listener.accept().unwrap().0;
        let kept = [event(4), event(5), Response::EndOfEvents];
        assert_eq!(converse(&mut stream, &kept), Request::Events { follow: false });
        let all = [event(4), event(5), event(6), Response::EndOfEvents];
        assert_eq!(converse(&mut stream, &all), Request::Events { follow: true });
    };
    std::thread::Builder::new().spawn(answer).unwrap()
}

fn sequence(out: &str) -> Vec<u64> {
    let seq = |line| serde_json::from_str::<EventReport>(line).unwrap().seq;
    out.lines().map(seq).collect()
}

#[test]
fn followed_events_come_once_each_with_a_mark_where_new_ones_begin() {
    let world = World::new();
    let daemon = follow(&world);
    let ran = world.run(&Command::Events(Stay::Follow, Format::Text));
    daemon.join().unwrap();
    assert_eq!((ran.code, ran.out.lines().count()), (0, 3));
    assert_eq!(ran.message, "- kept events above, new ones below -\n");
    let world = World::new();
    let daemon = follow(&world);
    let ran = world.run(&Command::Events(Stay::Follow, Format::Json));
    daemon.join().unwrap();
    assert_eq!(sequence(&ran.out), [4, 5, 6]);
}

#[test]
fn events_from_now_on_leave_out_the_kept_ones() {
    let world = World::new();
    let daemon = follow(&world);
    let ran = world.run(&Command::Events(Stay::News, Format::Json));
    daemon.join().unwrap();
    assert_eq!((ran.code, sequence(&ran.out), ran.message.as_str()), (0, vec![6], ""));
}

#[test]
fn waiting_for_an_event_ends_when_the_reader_leaves() {
    let world = World::new();
    let door = world.place("socket");
    let _listener = UnixListener::bind(&door.path).unwrap();
    let client = Client::connect(&door, WAIT).unwrap();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    assert_eq!(client.await_answer(Some(writer.as_fd())).unwrap(), Awaited::ReaderLeft);
}

#[test]
fn show_prints_the_bytes_people_wrote() {
    let report = DocumentReport {
        schema: SCHEMA,
        position: PositionReport { term: 12, version: 9 },
        revision: 7,
        hash: "00".repeat(32),
        author: Some("root@alpha".into()),
        time: Some("2026-01-01T00:00:00.000Z".into()),
        body: "cluster: shop # mine\n".into(),
    };
    let command = Command::Show { revision: None, format: Format::Text };
    let (ran, asked) = World::new().ask(&command, Response::Document(report));
    assert_eq!(asked, Request::Show {});
    assert_eq!((ran.code, ran.out.as_str()), (0, "cluster: shop # mine\n"));
}

#[test]
fn config_check_names_the_file_and_what_is_wrong() {
    let world = World::new();
    let check = Command::ConfigCheck(None);
    assert_eq!(world.run(&check).code, 66);
    world.write("node.yaml", "id: alpha\nlisten: 127.0.0.1:9901\n");
    let ran = world.run(&check);
    assert_eq!(ran.code, 0, "{}", ran.message);
    assert!(ran.out.contains("node.yaml: valid\n  node alpha, listens at 127.0.0.1:9901\n"));
    assert!(ran.message.contains("cluster.yaml: not there"), "{}", ran.message);
    world.write("cluster.yaml", "cluster: shop\nclock: 3\n");
    let ran = world.run(&check);
    assert_eq!(ran.code, 78);
    assert!(ran.message.contains("cluster.yaml:2:"), "{}", ran.message);
}

#[test]
fn config_origin_says_who_named_each_place() {
    let ran = World::new().run(&Command::ConfigOrigin(Format::Text));
    assert_eq!(ran.out.lines().count(), 3);
    assert!(ran.out.lines().all(|line| line.ends_with("  from the test")), "{}", ran.out);
}

#[test]
fn config_check_reads_plain_files_of_a_decent_size_only() {
    let world = World::new();
    let check = |path: &Path| {
        let ran = world.run(&Command::ConfigCheck(Some(path.to_owned())));
        (ran.code, ran.message)
    };
    let fifo = world.place("fifo").path;
    rustix::fs::mkfifoat(rustix::fs::CWD, &fifo, rustix::fs::Mode::RWXU).unwrap();
    for path in [&fifo, Path::new("/dev/zero"), Path::new("/")] {
        let (code, message) = check(path);
        assert_eq!(code, 66, "{message}");
        assert!(message.contains("no plain file"), "{message}");
    }
    world.write("large.yaml", &" ".repeat((1 << 20) + 1));
    let (code, message) = check(&world.place("large.yaml").path);
    assert_eq!(code, 65, "{message}");
}
