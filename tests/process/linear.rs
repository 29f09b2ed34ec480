//! Several programs edit one document on all nodes at the same time, while daemons die and links
//! are cut; a checker that is not ours then looks for one order that explains every answer.
//! Never judges by itself, and never asks for freshness where none is promised: `show` may be
//! old, and only says what an edit is made from.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use quorate::wire::control::{DocumentReport, EditReport, Request, Response};
use quorate::wire::control_frame;

use super::clock::now;
use super::cluster::{Cluster, loopback_addresses};
use super::looks::eventually;
use super::network::Network;
use crate::spec::linear::{Edit, Outcome, Record};

/// Short, so that much happens.
const LAN: &str = "{heartbeat: 100ms, dead_after: 600ms, stop: 150ms}";
/// A client that is not answered for so long does not know, and goes on.
const ANSWER_LIMIT: Duration = Duration::from_secs(2);
/// Programs that edit at each node.
const EDITORS: usize = 2;
/// How every edit marks its content, as the last line.
const MARK: &str = "# edit ";

/// A program that edits the document at one node, over and over.
struct Editor {
    name: String,
    socket: PathBuf,
    count: usize,
}

/// What all editors share.
#[derive(Default)]
struct Desk {
    edits: Mutex<Vec<Edit>>,
    /// What any `show` ever said, by revision.
    shown: Mutex<BTreeMap<u64, String>>,
    commits: AtomicUsize,
    is_over: AtomicBool,
}

fn ask(socket: &PathBuf, request: &Request) -> Option<Response> {
    let mut stream = UnixStream::connect(socket).ok()?;
    stream.set_read_timeout(Some(ANSWER_LIMIT)).ok()?;
    stream.set_write_timeout(Some(ANSWER_LIMIT)).ok()?;
    control_frame::write(&mut stream, request).ok()?;
    control_frame::read(&mut stream).ok()
}

/// The content without its mark, and the mark: empty as long as nobody edited.
fn marked(body: &str) -> (&str, &str) {
    let at = body.rfind(MARK).filter(|at| *at == 0 || body.as_bytes()[at - 1] == b'\n');
    body.split_at(at.unwrap_or(body.len()))
}

fn nanoseconds() -> u64 {
    u64::try_from(now().as_nanos()).expect("it counts from boot")
}

fn outcome(answer: Option<Response>) -> Outcome {
    let Some(Response::Edit(report)) = answer else { return Outcome::Unknown };
    let EditReport { outcome, revision, reason, message, .. } = report;
    match (outcome.as_str(), reason.as_deref()) {
        ("committed", _) => Outcome::Committed(revision.expect("it is told with a commit")),
        ("rejected", Some("rejected-revision-moved")) => {
            let number = message.split_whitespace().find_map(|word| word.parse().ok());
            Outcome::Moved(number.expect("the message names the revision"))
        }
        ("rejected", _) => Outcome::Refused,
        _ => Outcome::Unknown,
    }
}

impl Editor {
    /// What its node has, if it answers.
    fn shown(&self, desk: &Desk) -> Option<DocumentReport> {
        let answer = ask(&self.socket, &Request::Show {})?;
        let Response::Document(report) = answer else { return None };
        let mark = marked(&report.body).1.to_owned();
        let mut shown = desk.shown.lock().expect("no editor panics");
        let known = shown.entry(report.revision).or_insert_with(|| mark.clone());
        assert_eq!(*known, mark, "revision {} has two contents", report.revision);
        Some(report)
    }

    /// Edits once, by what its node has.
    fn edit(&mut self, desk: &Desk) -> Option<Outcome> {
        let seen = self.shown(desk)?;
        self.count += 1;
        let (text, base) = marked(&seen.body);
        let tag = format!("{MARK}{} of {}\n", self.count, self.name);
        let body = format!("{text}{tag}");
        let asked = nanoseconds();
        let answer = ask(&self.socket, &Request::Edit { revision: seen.revision, body });
        let outcome = outcome(answer);
        let answered = nanoseconds();
        let over = (seen.revision, Some(base.to_owned()));
        let edit = Edit { asked, answered, over, tag, outcome: outcome.clone() };
        desk.edits.lock().expect("no editor panics").push(edit);
        if matches!(outcome, Outcome::Committed(_)) {
            desk.commits.fetch_add(1, SeqCst);
        }
        Some(outcome)
    }

    fn work(mut self, desk: &Desk) -> Self {
        while !desk.is_over.load(SeqCst) {
            let told = self.edit(desk);
            if !matches!(told, Some(Outcome::Committed(_))) {
                // Everybody goes on by what is there then: it only lets others run.
                let (_speaker, listener) = std::sync::mpsc::channel::<()>();
                let pause = Duration::from_millis(5);
                listener.recv_timeout(pause).expect_err("nobody speaks");
            }
        }
        self
    }
}

/// A cluster whose document is edited by programs at every node.
struct Scene {
    cluster: Cluster,
    network: Option<Network>,
    desk: Arc<Desk>,
    editors: Vec<JoinHandle<Editor>>,
}

impl Scene {
    fn new() -> Self {
        let network = Network::of(3);
        let addresses = network.as_ref().map_or_else(|| loopback_addresses(3), Network::addresses);
        let prefixes = network.as_ref().map_or_else(|| vec![Vec::new(); 3], Network::prefixes);
        let mut cluster = Cluster::founded_with(&addresses, &prefixes, ("never", LAN), |_| {});
        cluster.start();
        cluster.settles();
        let desk = Arc::new(Desk::default());
        let places = cluster.nodes.iter().map(|node| (node.name.clone(), node.socket()));
        let places: Vec<_> = places.collect();
        let editors = (0..EDITORS * places.len()).map(|number| {
            let (name, socket) = places[number % places.len()].clone();
            let editor = Editor { name: format!("{name} {number}"), socket, count: 0 };
            let desk = Arc::clone(&desk);
            let body = move || editor.work(&desk);
            Builder::new().name("edits".to_owned()).spawn(body).expect("a thread can be started")
        });
        let editors = editors.collect();
        Self { cluster, network, desk, editors }
    }

    /// Waits until so many more edits are committed.
    fn commits_more(&self, count: usize) {
        let wanted = self.desk.commits.load(SeqCst) + count;
        eventually("edits are committed", || {
            (self.desk.commits.load(SeqCst) >= wanted).then_some(())
        });
    }

    fn master(&self) -> String {
        self.cluster.until("somebody acts", |view| {
            let acting = view.values().flatten().find(|report| report.role == "master")?;
            Some(acting.node.clone())
        })
    }

    fn kill(&mut self, name: &str) {
        self.cluster.crash(name);
        self.commits_more(10);
        self.cluster.node(name).start();
    }

    /// Everybody stops editing; then one last edit is committed, and every node shows it.
    fn record(mut self) -> Record {
        self.cluster.settles();
        self.desk.is_over.store(true, SeqCst);
        let editors = self.editors.drain(..).map(|thread| thread.join().expect("it ended well"));
        let mut editors: Vec<Editor> = editors.collect();
        let last = eventually("the last edit is committed", || {
            let told = editors[0].edit(&self.desk)?;
            matches!(told, Outcome::Committed(_)).then(|| editors[0].count)
        });
        let mark = format!("{MARK}{last} of {}\n", editors[0].name);
        for editor in &editors {
            eventually(&format!("{} has the last edit", editor.name), || {
                let shown = editor.shown(&self.desk)?;
                (marked(&shown.body).1 == mark).then_some(())
            });
        }
        let edits = self.desk.edits.lock().expect("no editor panics").clone();
        Record { before: (1, String::new()), edits, looks: Vec::new() }
    }
}

/// Leaves the record where somebody can look at it if it is not what it should be.
fn judge(record: &Record) {
    if record.is_linearizable() {
        return;
    }
    let file = concat!(env!("CARGO_TARGET_TMPDIR"), "/edits.json");
    fs::write(file, serde_json::to_vec(record).unwrap()).unwrap();
    panic!("no order explains the {} edits in {file}", record.edits.len());
}

#[test]
fn edits_from_all_nodes_under_faults_have_one_order() {
    let mut scene = Scene::new();
    scene.commits_more(40);
    let master = scene.master();
    scene.kill(&master);
    scene.commits_more(20);
    let master = scene.master();
    if let Some(network) = &scene.network {
        let index = scene.cluster.nodes.iter().position(|node| node.name == master).unwrap();
        network.isolate(index);
        scene.commits_more(10);
        network.heal();
    }
    scene.commits_more(20);
    let follower = scene.cluster.nodes.iter().find(|node| node.name != master).unwrap();
    let follower = follower.name.clone();
    scene.kill(&follower);
    scene.commits_more(20);
    let record = scene.record();
    judge(&record);
    assert!(record.commits() > 100);

    // The checker can say no: an edit that was not taken, told as one that was.
    let moved = |edit: &&mut Edit| matches!(edit.outcome, Outcome::Moved(_));
    let mut lie = record.clone();
    let refused = lie.edits.iter_mut().rfind(moved).expect("they were in each other's way");
    refused.outcome = Outcome::Committed(refused.over.0 + 1);
    assert!(!lie.is_linearizable());
    // And one that was, told as one that was not.
    let mut lie = record;
    let taken = |edit: &&mut Edit| matches!(edit.outcome, Outcome::Committed(_));
    lie.edits.iter_mut().find(taken).expect("some were").outcome = Outcome::Refused;
    assert!(!lie.is_linearizable());
}

/// With `EDITS_RECORD=FILE` the records in that file, one a line, as contrib/chaos leaves them.
#[test]
fn kept_records_of_edits_have_one_order() {
    let kept = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/process/linear/kept.jsonl");
    let file = std::env::var("EDITS_RECORD").unwrap_or_else(|_| kept.to_owned());
    let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{file}: {error}"));
    let records: Vec<Record> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(records.iter().map(Record::commits).sum::<usize>() > 0, "nothing is proved by {file}");
    for (number, record) in records.iter().enumerate() {
        assert!(record.is_linearizable(), "line {} of {file}: no one order", number + 1);
    }
}
