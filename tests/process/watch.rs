//! Asks every node, again and again, whether it is master, and proves that no two ever were.
//! Never drives anything; it also wakes whoever waits for a node to say something.
//!
//! A node acts in one stretch per term, so two answers of one node in one term enclose a time in
//! which it acted throughout: from the end of the first question to the start of the last. Two
//! such stretches of two nodes must not overlap.

use std::collections::BTreeMap;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use quorate::wire::control::{Request, Response, StatusReport};
use quorate::wire::control_frame;

use super::clock::{PATIENCE, now};

/// Between two questions to one node.
const PAUSE: Duration = Duration::from_millis(8);
/// How long an answer may take; a stopped daemon does not answer at all.
const ANSWER_LIMIT: Duration = Duration::from_millis(400);

/// What a node last answered: nothing, if it is down or does not answer.
pub(super) type View = BTreeMap<String, Option<StatusReport>>;

/// A stretch of time in which a node surely acted.
#[derive(Clone, Debug)]
struct Reign {
    node: String,
    term: u64,
    /// When the first question that it answered with yes was asked: it acted at or after that.
    asked: Duration,
    /// When that question was answered: it acted at or before that.
    from: Duration,
    until: Duration,
}

#[derive(Debug, Default)]
struct Seen {
    latest: BTreeMap<String, (Duration, Option<StatusReport>)>,
    reigns: Vec<Reign>,
    wrong: Vec<String>,
    answers: u64,
}

/// The threads that ask, and what they heard.
#[derive(Debug)]
pub(super) struct Watch {
    seen: Arc<(Mutex<Seen>, Condvar)>,
    askers: Vec<(Sender<()>, JoinHandle<()>)>,
}

impl Watch {
    /// Starts to ask the nodes of these names at these sockets.
    pub(super) fn over(nodes: impl Iterator<Item = (String, PathBuf)>) -> Self {
        let seen = Arc::new((Mutex::new(Seen::default()), Condvar::new()));
        let asker = |(name, socket): (String, PathBuf)| {
            let (stop, stopped) = channel();
            let seen = Arc::clone(&seen);
            let ask = move || {
                while stopped.recv_timeout(PAUSE) == Err(RecvTimeoutError::Timeout) {
                    let before = now();
                    let report = ask(&socket);
                    let after = now();
                    lock(&seen.0).hear(&name, before, after, report);
                    seen.1.notify_all();
                }
            };
            let thread = Builder::new().name("asks".to_owned()).spawn(ask);
            (stop, thread.expect("a thread can be started"))
        };
        let askers = nodes.map(asker).collect();
        Self { seen, askers }
    }

    /// Waits until `found` finds what it wants in answers that are all younger than this call.
    pub(super) fn until<T>(&self, what: &str, found: impl Fn(&View) -> Option<T>) -> T {
        let start = now();
        let mut seen = lock(&self.seen.0);
        loop {
            assert!(seen.wrong.is_empty(), "{}", seen.wrong.join("\n"));
            let fresh = |(name, (asked, report)): (&String, &(Duration, Option<StatusReport>))| {
                (*asked >= start).then(|| (name.clone(), report.clone()))
            };
            let view: View = seen.latest.iter().filter_map(fresh).collect();
            if view.len() == self.askers.len()
                && let Some(result) = found(&view)
            {
                return result;
            }
            let waited = now() - start;
            if waited >= PATIENCE {
                // Whoever cleans up after the panic looks at what was seen, too.
                drop(seen);
                panic!("in vain for {waited:?}: {what}; last seen: {view:#?}");
            }
            let rest = PATIENCE.saturating_sub(waited);
            seen = self.seen.1.wait_timeout(seen, rest).expect("no asker panics").0;
        }
    }

    /// Stops asking; what was wrong.
    pub(super) fn end(&mut self) -> Vec<String> {
        for (stop, thread) in self.askers.drain(..) {
            drop(stop);
            thread.join().expect("no asker panics");
        }
        lock(&self.seen.0).wrong.clone()
    }
}

impl Seen {
    fn hear(
        &mut self,
        node: &str,
        before: Duration,
        after: Duration,
        report: Option<StatusReport>,
    ) {
        self.answers += 1;
        if let Some(report) = report.as_ref().filter(|report| report.role == "master") {
            self.acted(node, report.term, before, after);
        }
        self.latest.insert(node.to_owned(), (before, report));
    }

    fn acted(&mut self, node: &str, term: u64, before: Duration, after: Duration) {
        let known = self.reigns.iter().position(|r| r.node == node && r.term == term);
        let index = known.unwrap_or_else(|| {
            let node = node.to_owned();
            self.reigns.push(Reign { node, term, asked: before, from: after, until: after });
            self.reigns.len() - 1
        });
        self.reigns[index].until = self.reigns[index].until.max(before);
        let this = self.reigns[index].clone();
        for other in self.reigns.iter().filter(|r| r.node != node || r.term != term) {
            let overlap = this.until.min(other.until).saturating_sub(this.from.max(other.from));
            if other.node != this.node && !overlap.is_zero() {
                self.wrong.push(format!("two masters for {overlap:?}: {this:?} and {other:?}"));
            }
            if other.from < this.asked && other.term >= this.term {
                self.wrong.push(format!("terms do not rise: {this:?} and {other:?}"));
            }
        }
    }
}

/// One question to one daemon; `None` if it does not answer.
pub(super) fn ask(socket: &Path) -> Option<StatusReport> {
    let mut stream = UnixStream::connect(socket).ok()?;
    stream.set_read_timeout(Some(ANSWER_LIMIT)).ok()?;
    stream.set_write_timeout(Some(ANSWER_LIMIT)).ok()?;
    control_frame::write(&mut stream, &Request::Status {}).ok()?;
    match control_frame::read(&mut stream).ok()? {
        Response::Status(report) => Some(*report),
        // Its machine was put to sleep while the question was on its way.
        Response::Error(error) if error.message == "timed out" => None,
        other => panic!("asked for the status, answered {other:?}"),
    }
}

fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().expect("no asker panics")
}

#[test]
fn two_overlapping_masterships_are_noticed_and_two_successive_ones_are_not() {
    let at = Duration::from_millis;
    let mut seen = Seen::default();
    seen.acted("a", 1, at(0), at(1));
    seen.acted("a", 1, at(10), at(11));
    seen.acted("b", 2, at(9), at(12));
    seen.acted("b", 2, at(20), at(21));
    assert_eq!(seen.wrong, Vec::<String>::new());
    seen.acted("a", 1, at(18), at(19));
    assert_eq!(seen.wrong.len(), 1, "{:?}", seen.wrong);
}
