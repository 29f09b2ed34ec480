//! How the commands that change one thing in cluster.yaml are typed.

use std::ffi::OsString;
use std::time::Duration;

use quorate::cli::args::{self, Change, ChangeFlags, Command, Format, NewNode};
use quorate::protocol::units::NodeId;
use quorate::settings::pen::Ink;

const FLAGS: ChangeFlags = ChangeFlags {
    dry_run: false,
    transfer: false,
    force: false,
    patience: Duration::from_secs(10),
    format: Format::Text,
};

fn read(line: &str) -> Result<Command, String> {
    let words = line.split_whitespace().map(OsString::from);
    args::parse(words).map(|call| call.command).map_err(|error| error.to_string())
}

fn change(line: &str) -> Change {
    match read(line) {
        Ok(Command::Change(change, FLAGS)) => change,
        other => panic!("{line}: {other:?}"),
    }
}

fn complaint(line: &str) -> String {
    read(line).unwrap_err()
}

fn bravo() -> NodeId {
    NodeId::new("bravo").unwrap()
}

#[test]
fn a_node_is_named_and_what_happens_to_it_by_the_command() {
    assert_eq!(change("node remove bravo"), Change::Remove(bravo()));
    assert_eq!(change("node promote bravo"), Change::Promote(bravo()));
    assert_eq!(change("node demote bravo"), Change::Demote(bravo()));
    assert_eq!(change("online bravo"), Change::Online(bravo()));
    let set = [("priority", Ink::Whole(7)), ("role", Ink::Word("witness".into()))];
    assert_eq!(
        change("node set bravo priority=7 role=witness"),
        Change::Set(bravo(), set.to_vec())
    );
    assert_eq!(read("node list --json"), Ok(Command::Nodes(Format::Json)));
    let all = ChangeFlags {
        dry_run: true,
        transfer: true,
        force: true,
        patience: Duration::from_secs(60),
        format: Format::Json,
    };
    let line = "node remove --dry-run --transfer --force --wait 1m --json bravo";
    assert_eq!(read(line), Ok(Command::Change(Change::Remove(bravo()), all)));
}

#[test]
fn a_new_node_is_an_observer_unless_said_otherwise() {
    assert_eq!(change("node add -"), Change::Add(NewNode::Printed));
    let line = |role: &str| {
        let text = |key: &str, value: &str| (key.to_owned(), Ink::Text(value.to_owned()));
        Change::Add(NewNode::Line(Ink::Table(vec![
            text("id", "bravo"),
            text("address", "b:1"),
            ("role".to_owned(), Ink::Word(role.to_owned())),
            text("key", "SHA256:x"),
            text("storage", "y"),
        ])))
    };
    let words = "node add bravo storage=y key=SHA256:x address=b:1";
    assert_eq!(change(words), line("observer"));
    assert_eq!(change(&format!("{words} role=voter")), line("voter"));
    assert!(complaint("node add bravo address=b:1 key=x").contains("`storage` is missing"));
}

#[test]
fn what_holds_for_a_while_may_say_how_long() {
    let hour = Duration::from_secs(3600);
    assert_eq!(change("standby bravo"), Change::Standby(bravo(), None));
    assert_eq!(change("standby bravo --for 1h"), Change::Standby(bravo(), Some(hour)));
    assert_eq!(change("maintenance on"), Change::MaintenanceOn(None));
    assert_eq!(change("maintenance --for 60m on"), Change::MaintenanceOn(Some(hour)));
    assert_eq!(change("maintenance off"), Change::MaintenanceOff);
    for (line, words) in [
        ("standby", "the node's name is missing"),
        ("standby bravo --for 0s", "must be longer"),
        ("maintenance", "say on or off"),
        ("maintenance perhaps", "say on or off"),
        ("maintenance off --for 1h", "leave it out"),
        ("online bravo --for 1h", "unknown flag --for"),
        ("node", "needs one more word: list or add or remove"),
        ("node set bravo", "KEY=VALUE is missing: address, role, priority"),
        ("node set bravo prority=7", "did you mean priority=7"),
        ("node set bravo priority", "is no KEY=VALUE"),
        ("node set bravo priority=x", "must be a whole number"),
        ("node set bravo role=voter role=voter", "role is given twice"),
        ("node remove b!", "is no node's name"),
    ] {
        let said = complaint(line);
        assert!(said.contains(words), "{line}: {said}");
    }
}
