//! Answers questions over HTTP: whether this node is master, and what it knows. Read-only.
//! Never takes the core's lock for a yes or a no, and never changes anything, whoever asks.
//!
//! ```text
//! caller ─► door ─► wire::http ─► Desk ─► verdict   200 or 503, from the lease at this moment
//!           │ limits  strict       │ ──► shelf ─► pages   JSON, made once for many
//!           └ one thread each      │ ──► front    fixed texts
//!                                  └ hosts: by which names this node is asked
//! ```
//!
//! | thread | owns | waits on | never |
//! |---|---|---|---|
//! | `http` | the listening socket | callers | reads a byte |
//! | `agent`, `agent-call` | the same for HAProxy's agent-check | the same | the same |
//! | `http-call`, 64 at most | one caller | its socket, 5 s | waits for the core, for a yes or a no |

pub mod agent;
pub mod door;
mod footprint;
mod front;
pub mod hosts;
mod metrics;
pub mod pages;
mod shelf;
pub mod verdict;

use std::fs;
use std::io;
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::daemon::clock;
use crate::daemon::control::Control;
use crate::daemon::driver::Driver;
use crate::daemon::failure::{self, Failure};
use crate::daemon::http::door::Clerk;
use crate::daemon::http::hosts::Hosts;
use crate::daemon::http::metrics::Measured;
use crate::daemon::http::shelf::Shelf;
use crate::daemon::http::verdict::{Question, Sight};
use crate::daemon::report::milliseconds;
use crate::daemon::spawn::spawn;
use crate::settings::http::{Door, HTTP_DEFAULT};
use crate::settings::node::NodeSettings;
use crate::wire::control::SCHEMA;
use crate::wire::exposition;
use crate::wire::http::{Answer, Refusal, Request};
use crate::wire::json::Object;

/// How long a picture of the node serves all who ask.
const STATUS_GOOD_FOR: Duration = Duration::from_millis(20);
/// How long what was read from disk does.
const HISTORY_GOOD_FOR: Duration = Duration::from_secs(1);

/// The paths of questions. A dash may be an underscore.
const QUESTIONS: [(&str, Question); 12] = [
    ("/master", Question::Master),
    ("/leader", Question::Master),
    ("/primary", Question::Master),
    ("/read-write", Question::Master),
    ("/backup", Question::Backup),
    ("/replica", Question::Backup),
    ("/standby", Question::Backup),
    ("/read-only", Question::ReadOnly),
    ("/health", Question::Health),
    ("/quorum", Question::Health),
    ("/liveness", Question::Liveness),
    ("/readiness", Question::Readiness),
];

/// What is made of several parts when it is asked for.
#[derive(Clone, Copy, Debug)]
enum Page {
    Status,
    Cluster,
    History,
    Config,
    Metrics,
}

const PAGES: [(&str, Page); 5] = [
    ("/status", Page::Status),
    ("/cluster", Page::Cluster),
    ("/history", Page::History),
    ("/config", Page::Config),
    ("/metrics", Page::Metrics),
];

/// Knows every answer.
#[derive(Debug)]
pub struct Desk {
    driver: Arc<Driver>,
    control: Arc<Control>,
    state_dir: PathBuf,
    hosts: Hosts,
    shelves: [Shelf; 5],
}

impl Desk {
    /// Speaks for `driver`'s node to those who call it by one of `hosts`; its history lies in
    /// `state_dir`.
    #[must_use]
    pub fn new(
        driver: Arc<Driver>,
        control: Arc<Control>,
        state_dir: PathBuf,
        hosts: Hosts,
    ) -> Self {
        let mut spans = [STATUS_GOOD_FOR; 5];
        spans[Page::History as usize] = HISTORY_GOOD_FOR;
        Self { driver, control, state_dir, hosts, shelves: spans.map(Shelf::new) }
    }

    fn found(&self, path: &str) -> Answer {
        let same = |known: &str| {
            let bytes = path.bytes().map(|byte| if byte == b'_' { b'-' } else { byte });
            known.bytes().eq(bytes)
        };
        if let Some((_, question)) = QUESTIONS.iter().find(|(known, _)| same(known)) {
            return self.verdict(*question);
        }
        let answer = match PAGES.iter().find(|(known, _)| *known == path) {
            Some((_, page)) => self.page(*page),
            None => front::find(path).unwrap_or_else(|| Answer {
                status: 404,
                ..Answer::text("there is nothing here: / says what there is\n")
            }),
        };
        // What was found out meanwhile does not count: the lines say what is so now.
        let lines = answer.lines.clone() + &facts(&self.driver, &Sight::of(&self.driver));
        Answer { lines, ..answer }
    }

    fn verdict(&self, question: Question) -> Answer {
        let sight = Sight::of(&self.driver);
        let verdict = sight.judge(question);
        let object = Object::new()
            .number("schema", u64::from(SCHEMA))
            .text("node", self.driver.name().as_str())
            .truth("ok", verdict.is_yes)
            .text("reason", &*verdict.reason)
            .text("role", sight.role())
            .number("term", sight.term().0)
            .text("master", master(&self.driver, &sight))
            .number("lease_ms", sight.acting.map_or(0, |(_, left)| milliseconds(left)))
            .number("core_age_ms", milliseconds(sight.core_age));
        let status = if verdict.is_yes { 200 } else { 503 };
        let lines = facts(&self.driver, &sight);
        Answer { lines, ..Answer::json(status, object.end() + "\n") }
    }

    fn page(&self, page: Page) -> Answer {
        let sight = Sight::of(&self.driver);
        // Whoever took the lock then would wait with it.
        if sight.stands_still() {
            return later("the election loop stands still");
        }
        let edition = sight.acting.map_or(0, |(term, _)| term.0);
        let text = self.shelves[page as usize].read(edition, || self.made(page));
        let Some(text) = text else { return later("it takes too long to find out") };
        match page {
            Page::Metrics => Answer { kind: exposition::KIND, ..Answer::json(200, text) },
            Page::Status | Page::Cluster | Page::History | Page::Config => Answer::json(200, text),
        }
    }

    /// Takes the lock, for copies.
    fn made(&self, page: Page) -> String {
        match page {
            Page::Status => pages::status(self.control.status()),
            Page::Cluster => pages::cluster(&self.control.status(), &self.driver.committed()),
            Page::History => {
                let name = self.driver.name().as_str();
                pages::history(&self.state_dir, name, &self.driver.stamp())
            }
            Page::Config => pages::config(&self.control.status(), &self.driver.committed()),
            Page::Metrics => self.measured(),
        }
    }

    fn measured(&self) -> String {
        let (report, document) = (self.control.status(), self.driver.committed());
        let (counts, writing) = (self.driver.tallies().read(), &self.control.checkup().writing);
        let measured = Measured {
            // After the lock was taken: who acts is asked last.
            sight: &Sight::of(&self.driver),
            report: &report,
            document: &document,
            counts: &counts,
            writes: &writing.times().all(),
            wall: Duration::from_nanos(clock::read().wall_ns),
        };
        measured.text()
    }
}

impl Clerk for Desk {
    fn answer(&self, request: &Request<'_>) -> Answer {
        match request.host {
            Some(host) if !self.hosts.admit(host) => Refusal::Host.answer(),
            Some(_) | None => self.found(request.path),
        }
    }
}

/// For what may work a little later.
fn later(why: &str) -> Answer {
    let json = Object::new().number("schema", u64::from(SCHEMA)).truth("ok", false);
    let json = json.text("reason", why).end() + "\n";
    Answer { lines: "Retry-After: 1\r\n".to_owned(), ..Answer::json(503, json) }
}

/// Whom the node believes to be master: while it acts, itself.
fn master<'a>(driver: &'a Driver, sight: &'a Sight) -> Option<&'a str> {
    match sight.acting {
        Some(_) => Some(driver.name().as_str()),
        None => sight.notice.glance.master.as_ref().map(|master| master.as_str()),
    }
}

/// What every answer says of this node in its head.
fn facts(driver: &Driver, sight: &Sight) -> String {
    let left = sight.acting.map_or(0, |(_, left)| milliseconds(left));
    format!(
        "X-Quorate-Role: {}\r\nX-Quorate-Term: {}\r\nX-Quorate-Node: {}\r\nX-Quorate-Master: {}\r\n\
         X-Quorate-Lease-Ms: {left}\r\n",
        sight.role(),
        sight.term().0,
        driver.name(),
        master(driver, sight).unwrap_or("none"),
    )
}

/// The sockets that node.yaml wants to be answered at.
pub(super) struct Doors {
    http: Option<TcpListener>,
    agent: Option<TcpListener>,
}

impl Doors {
    /// Opens them.
    ///
    /// # Errors
    /// It cannot listen where somebody wrote that it has to.
    pub(super) fn open(settings: &NodeSettings) -> Result<Self, Failure> {
        let http = match &settings.http.door {
            Door::Off => None,
            Door::At(address) => Some(opened("http", address)?),
            // Nobody asked for it: another node on this machine may have it.
            Door::Usual => door::open(HTTP_DEFAULT)
                .inspect_err(|error| {
                    log::warn!(
                        "no HTTP: cannot answer at {HTTP_DEFAULT}: {error}; write another address, \
                         or off, as `http` in node.yaml"
                    );
                })
                .ok(),
        };
        let agent = settings.http.agent.as_ref().map(|address| opened("agent", address));
        Ok(Self { http, agent: agent.transpose()? })
    }

    /// Answers there, for ever; the node's history lies in `state_dir`.
    ///
    /// # Errors
    /// The system gives no thread.
    pub(super) fn attend(
        self,
        settings: &NodeSettings,
        driver: &Arc<Driver>,
        control: &Arc<Control>,
        state_dir: PathBuf,
    ) -> io::Result<()> {
        if let Some(listener) = self.http {
            let machine = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
            let hosts = Hosts::of(settings, machine.trim());
            let desk = Desk::new(Arc::clone(driver), Arc::clone(control), state_dir, hosts);
            log::info!("answering over HTTP at {}", door::shown(&listener));
            spawn("http", move || {
                door::attend(&listener, "http-call", move |socket, deadline| {
                    door::converse(socket, deadline, &desk)
                });
            })?;
        }
        if let Some(listener) = self.agent {
            let driver = Arc::clone(driver);
            log::info!("answering HAProxy's agent-check at {}", door::shown(&listener));
            spawn("agent", move || {
                door::attend(&listener, "agent-call", move |socket, deadline| {
                    agent::tell(socket, deadline, &driver)
                });
            })?;
        }
        Ok(())
    }
}

fn opened(key: &str, address: &str) -> Result<TcpListener, Failure> {
    door::open(address).map_err(|error| {
        let what =
            format!("cannot answer at {address}: correct `{key}` in node.yaml, or write off");
        Failure::of_system(failure::CANNOT_CREATE, &what, &error)
    })
}
