//! What whoever starts a daemon, or a run, left open: who has it then and who does not.
//! Never believes a program about itself: what it has open is what the system shows.

use std::fs::{self, Permissions};
use std::io::IoSlice;
use std::mem::MaybeUninit;
use std::os::fd::AsFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::Path;

use quorate::wire::control::{Request, Response};
use quorate::wire::control_frame;
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use rustix::process::Pid;

use super::clock::PATIENCE;
use super::cluster::Cluster;
use super::command::run;
use super::hooked::Hooked;
use super::looks::eventually;
use super::run_stage::Stage;

/// The file that a careless caller has open.
const MARK: &str = "left-open";
/// Numbers at which it is open, the first of all among them.
const NUMBERS: [&str; 3] = ["3", "7", "9"];

/// What starts a program with that file open.
fn careless(place: &Path) -> Vec<String> {
    let mark = place.join(MARK);
    fs::write(&mark, "").unwrap();
    let open = NUMBERS.map(|number| format!("{number}<{}", mark.display())).join(" ");
    ["sh", "-c", &format!("exec \"$@\" {open}"), "sh"].map(str::to_owned).to_vec()
}

/// Says that what it writes is whole by renaming it.
fn lister(place: &Path) -> String {
    let script = place.join("lister");
    let body = "#!/bin/sh\nls -l /proc/self/fd > \"$1.draft\"; mv \"$1.draft\" \"$1\"; echo 1\n";
    fs::write(&script, body).unwrap();
    fs::set_permissions(&script, Permissions::from_mode(0o755)).unwrap();
    script.to_str().unwrap().to_owned()
}

fn has_mark_open(pid: Pid) -> bool {
    let open = fs::read_dir(format!("/proc/{}/fd", pid.as_raw_nonzero())).unwrap().flatten();
    let mut files = open.filter_map(|one| fs::read_link(one.path()).ok());
    files.any(|file| file.ends_with(MARK))
}

/// H46
#[test]
fn open_files_that_a_caller_passes_along_are_not_kept() {
    let mut cluster = Cluster::founded(1, "never");
    cluster.start();
    cluster.settles();
    let mark = cluster.place().join(MARK);
    fs::write(&mark, "").unwrap();
    let file = fs::File::open(&mark).unwrap();
    let alpha = cluster.node("alpha");
    let mut question = Vec::new();
    control_frame::write(&mut question, &Request::Status {}).unwrap();
    for _ in 0..50 {
        let mut stream = UnixStream::connect(alpha.socket()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let files = [file.as_fd(); 8];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(8))];
        let mut more = SendAncillaryBuffer::new(&mut space);
        assert!(more.push(SendAncillaryMessage::ScmRights(&files)));
        let said = sendmsg(&stream, &[IoSlice::new(&question)], &mut more, SendFlags::empty());
        assert_eq!(said, Ok(question.len()));
        let answer = control_frame::read(&mut stream);
        assert!(matches!(answer, Ok(Response::Status(_))), "{answer:?}");
        assert!(!has_mark_open(alpha.pid()));
    }
}

/// F99, F110: a daemon that inherits a lock keeps it, and whoever outlives the daemon does not.
#[test]
fn what_a_daemon_was_left_open_reaches_nothing_that_it_starts() {
    let mut hooked = Hooked::founded(1, "");
    let place = hooked.cluster.place().to_owned();
    hooked.cluster.nodes[0].prefix = careless(&place);
    let yaml = hooked.cluster.nodes[0].home.join("node.yaml");
    let script = lister(&place);
    let command = |name: &str| format!("[{script}, {}/{name}]", place.display());
    let text = fs::read_to_string(&yaml).unwrap();
    let more = ["health", "position"]
        .map(|name| format!("{name}: {{command: {}, interval: 1s, timeout: 1s}}\n", command(name)));
    let event = command("event");
    fs::write(&yaml, format!("{text}  event: {event}\n{}", more.concat())).unwrap();
    hooked.cluster.start();
    hooked.waits_for(0, "alpha", "master", "end");
    assert!(has_mark_open(hooked.cluster.nodes[0].pid()), "nothing was there to be inherited");
    assert!(!has_mark_open(hooked.guard_of("alpha")));
    for name in ["event", "health", "position"] {
        let listed = eventually(name, || fs::read_to_string(place.join(name)).ok());
        assert!(listed.contains("0 -> ") && !listed.contains(MARK), "{name} has {listed}");
    }
    for hook in ["master", "backup"] {
        let listed = hooked.told("alpha", hook, "place");
        // The last one is the list itself.
        assert!(listed.starts_with("0\n1\n2\n3\n0022\n"), "{hook} has {listed}");
    }
}

/// As with env(1): whoever redirects something for CMD means it.
#[test]
fn a_program_has_what_whoever_runs_it_left_open_and_nothing_else() {
    let mut stage = Stage::of(1);
    let prefix = careless(stage.cluster.place());
    stage.cluster.nodes[0].prefix.clone_from(&prefix);
    let ask = ["sh", "-c", "ls /proc/$$/fd"];
    let printed = stage.run("alpha", &[], &ask).printed();
    assert_eq!(printed, run(&prefix, ask).printed());
    assert!(NUMBERS.iter().all(|number| printed.lines().any(|line| line == *number)));
}
