//! Makes newcomers what they were invited as, once they are up to date: while this node acts as
//! master it proposes the edit, again and again, until the protocol takes it (R46).
//! Never judges whether a newcomer is ready; the protocol does, as for an operator's edit.

use std::time::Duration;

use crossbeam_channel::RecvTimeoutError;

use crate::daemon::clock;
use crate::daemon::driver::Driver;
use crate::daemon::events::{Loudness, Remark};
use crate::daemon::own_edits;
use crate::protocol::durable::Document;
use crate::protocol::units::Hash;
use crate::settings::arrivals::{Newcomer, arrivals};
use crate::settings::pen::{Ink, Stroke};
use crate::settings::words;
use crate::wire::codes;

/// Between two tries for newcomers that are not ready.
const TRY_EVERY: Duration = Duration::from_millis(500);
/// With nobody to promote it looks that often without being woken by an event.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// Who is waited for, by which document.
#[derive(Default)]
struct Queue {
    document: Option<Hash>,
    ready: Vec<Newcomer>,
    /// What kept the first of them, when that was last said.
    told: String,
}

/// Promotes for ever.
pub(crate) fn run(driver: &Driver) {
    let (_, mut news) = driver.follow_events();
    let mut queue = Queue::default();
    loop {
        let waits = queue.try_all(driver);
        match news.next(if waits { TRY_EVERY } else { LOOK_EVERY }, clock::wall_text) {
            Ok(_) | Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

impl Queue {
    /// Tries to promote one; whether there is somebody left to wait for.
    fn try_all(&mut self, driver: &Driver) -> bool {
        if driver.acting().term_at(clock::now()).is_none() {
            return false;
        }
        let committed = driver.committed();
        if self.document != Some(committed.hash) {
            self.document = Some(committed.hash);
            // What cannot be read names nobody; whoever edits it next is told what is wrong.
            let found = arrivals(&committed.body).unwrap_or_default().newcomers;
            self.ready = found.into_iter().filter(|newcomer| newcomer.is_approved).collect();
        }
        for newcomer in &self.ready {
            match promote(driver, &committed, newcomer) {
                Ok(()) => return true,
                Err(why) if why == self.told => {}
                Err(why) => {
                    log::info!("{} is still an observer: {why}", newcomer.id);
                    self.told = why;
                }
            }
        }
        !self.ready.is_empty()
    }
}

/// Makes one more than an observer; the error says why not yet.
fn promote(driver: &Driver, committed: &Document, newcomer: &Newcomer) -> Result<(), String> {
    let Newcomer { id, becomes, .. } = newcomer;
    let role = Ink::Word(words::of_role(*becomes).to_owned());
    let strokes =
        [Stroke::UnsetOfNode(id.clone(), "becomes"), Stroke::SetOfNode(id.clone(), "role", role)];
    let deed = format!("promoted {id}");
    own_edits::propose(driver, committed, &strokes, &deed).map_err(|why| why.to_string())?;
    driver.say(Remark {
        code: codes::NODE_PROMOTED,
        loudness: Loudness::Info,
        reason: None,
        message: format!("{id} is up to date, and a {} now", words::of_role(*becomes)),
    });
    Ok(())
}
