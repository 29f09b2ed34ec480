//! Turns what the nodes say into observations on one channel: every event as it comes, and the
//! status at every event and every so often. Never judges them; `board` does.

use core::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};

use crate::cli::client::{self, Client, Trouble};
use crate::cli::console::Failure;
use crate::cli::stopwatch::{Stopwatch, pause};
use crate::cli::threads;
use crate::settings::paths::Place;
use crate::wire::control::{EventReport, Request, Response, StatusReport};

/// How long a node of the demo may take to answer before it counts as not answering.
const ANSWER_LIMIT: Duration = Duration::from_millis(300);

/// How long to stay away from a node that is not there.
const RETRY_EVERY: Duration = Duration::from_millis(10);

/// The most observations that wait to be looked at.
const QUEUE_MAX: usize = 4096;

/// What was seen of one node.
#[derive(Debug)]
pub(super) enum Seen {
    /// What it says about itself.
    Status(Box<StatusReport>),
    /// What it says has happened.
    Event(Box<EventReport>),
    /// It does not answer.
    Nothing,
}

/// Something seen.
#[derive(Debug)]
pub(super) struct Observation {
    /// Of which node.
    pub(super) node: usize,
    /// When, on the demo's stopwatch.
    pub(super) at: Duration,
    /// What.
    pub(super) seen: Seen,
}

/// Watches every node from now on, asking each `every` so often.
///
/// # Errors
/// What the system says when there is no room for a thread.
pub(super) fn watch(
    doors: impl Iterator<Item = Place>,
    clock: Stopwatch,
    every: Duration,
) -> Result<Receiver<Observation>, Failure> {
    let (sender, receiver) = bounded(QUEUE_MAX);
    for (node, door) in doors.enumerate() {
        let eye = Eye { node, door, clock, sender: sender.clone() };
        let second = eye.clone();
        threads::spawn("status", move || {
            while eye.look() {
                pause(every)
            }
        })?;
        threads::spawn("events", move || {
            while second.follow() {
                pause(RETRY_EVERY)
            }
        })?;
    }
    Ok(receiver)
}

#[derive(Clone)]
struct Eye {
    node: usize,
    door: Place,
    clock: Stopwatch,
    sender: Sender<Observation>,
}

impl Eye {
    /// Asks once; false when nobody looks any more.
    fn look(&self) -> bool {
        match client::status(&self.door, ANSWER_LIMIT) {
            Ok(report) => self.tell(Seen::Status(Box::new(report))),
            Err(_) => self.tell(Seen::Nothing),
        }
    }

    /// Follows the events until the node goes away; false when nobody looks any more.
    fn follow(&self) -> bool {
        match self.listen() {
            Ok(is_wanted) => is_wanted,
            Err(trouble) => {
                log::trace!("node {} is not followed: {trouble}", self.node);
                true
            }
        }
    }

    fn listen(&self) -> Result<bool, Trouble> {
        let mut client = Client::connect(&self.door, ANSWER_LIMIT)?;
        client.say(&Request::Events { follow: true })?;
        client.be_patient(None)?;
        while let Response::Event(event) = client.hear()? {
            if !self.tell(Seen::Event(event)) || !self.look() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn tell(&self, seen: Seen) -> bool {
        let observation = Observation { node: self.node, at: self.clock.elapsed(), seen };
        self.sender.send(observation).is_ok()
    }
}
