//! `quorate wait`: until something is so, told by events as they happen.
//! Never asks again and again while the daemon is there to tell: what no event tells is looked at
//! once a second.

use core::time::Duration;

use crate::cli::args::Goal;
use crate::cli::client::{self, ANSWER_LIMIT, Client, Trouble};
use crate::cli::commands::{Outcome, is_acting};
use crate::cli::console::Failure;
use crate::cli::exit::Exit;
use crate::cli::stopwatch::{Stopwatch, pause};
use crate::settings::paths::Place;
use crate::settings::words;
use crate::wire::control::{Request, Response, StatusReport};

/// How often a daemon that is not there, or has no room for one more follower, is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How long nothing may be told before the status is looked at all the same.
const LOOK_ANYWAY: Duration = Duration::from_secs(1);

/// `quorate wait`.
///
/// # Errors
/// That it did not come in time, or that this user may not ask.
pub(super) fn wait(door: &Place, goal: &Goal, timeout: Duration) -> Outcome {
    let waited = Stopwatch::start();
    let mut news: Option<Client> = None;
    loop {
        let limit = waited.left_of(timeout).clamp(Duration::from_millis(50), ANSWER_LIMIT);
        let seen = match client::status(door, limit) {
            Ok(report) if is_reached(&report, goal) => return Ok(Exit::Done),
            Ok(report) => as_seen(&report),
            Err(trouble @ (Trouble::Denied(_) | Trouble::Doubtful(..) | Trouble::TooLong(_))) => {
                return Err(trouble.into());
            }
            Err(trouble) => trouble.to_string(),
        };
        let left = waited.left_of(timeout);
        if left.is_zero() {
            return Err(Failure::new(Exit::TimedOut, format!("not in time: {seen}")));
        }
        news = match news.take() {
            Some(mut client) => hears_more(&mut client, left.min(LOOK_ANYWAY)).then_some(client),
            // Followed first and looked at then: what happens between the two is heard.
            None => match follow(door, left) {
                Ok(client) => Some(client),
                Err(_) => {
                    pause(left.min(LOOK_EVERY));
                    None
                }
            },
        };
    }
}

/// A conversation in which every new event comes.
fn follow(door: &Place, left: Duration) -> Result<Client, Trouble> {
    let mut client = Client::connect(door, left.clamp(LOOK_EVERY, ANSWER_LIMIT))?;
    client.say(&Request::Events { follow: true })?;
    Ok(client)
}

/// Waits for an event, not longer than `limit`, and takes all that have come; false if none will
/// ever come this way.
fn hears_more(client: &mut Client, mut limit: Duration) -> bool {
    loop {
        match client.has_answer(limit) {
            Ok(true) if matches!(client.hear(), Ok(Response::Event(_))) => limit = Duration::ZERO,
            Ok(true) | Err(_) => return false,
            Ok(false) => return true,
        }
    }
}

fn is_reached(report: &StatusReport, goal: &Goal) -> bool {
    let master = report.master.as_ref().map(|master| master.id.as_str());
    match goal {
        Goal::Master => master.is_some(),
        Goal::MasterIs(node) => master == Some(node.as_str()),
        Goal::Quorum => report.quorum.ok,
        Goal::Role("master") => is_acting(report, 0),
        Goal::Role(role) => report.role == *role,
        Goal::Revision(revision) => report.revision >= *revision,
        Goal::Node(node) => {
            let is_heard = |id: &str| report.peers.iter().any(|peer| peer.id == id && peer.heard);
            report.node == node.as_str() || is_heard(node.as_str())
        }
    }
}

/// The state `wait` gave up on, in one sentence.
fn as_seen(report: &StatusReport) -> String {
    let master = match &report.master {
        Some(master) => format!("{} is master", master.id),
        None => "there is no master".to_owned(),
    };
    let quorum = &report.quorum;
    let heard: Vec<&str> =
        report.peers.iter().filter(|peer| peer.heard).map(|peer| peer.id.as_str()).collect();
    let heard = if heard.is_empty() { "nobody".to_owned() } else { heard.join(", ") };
    format!(
        "{} is {}, {master}, {} heard and {} needed, revision {}, it hears {heard}",
        report.node,
        report.role,
        words::count(quorum.have, "voter"),
        quorum.need,
        report.revision
    )
}
