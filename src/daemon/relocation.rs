//! Writes into the document where a member listens now, once it said so and was reached there: the
//! acting master proposes that, for one member at a time.
//! Never believes an address that only was said, and never follows one that changes often.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::daemon::clock;
use crate::daemon::driver::Driver;
use crate::daemon::events::{Loudness, Remark};
use crate::daemon::network::Sighting;
use crate::daemon::own_edits::{self, NotDone};
use crate::daemon::waiting::{Deadline, pause};
use crate::protocol::durable::Document;
use crate::protocol::units::{Hash, NodeId};
use crate::settings::pen::{Ink, Stroke};
use crate::wire::codes;

/// Between two looks: whoever is reached elsewhere at two of them in a row has moved.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// A member whose address was written is not written again for so long.
const AGAIN_AFTER: Duration = Duration::from_secs(300);

/// What was seen at the last look, and what was done.
#[derive(Debug, Default)]
struct Seen {
    elsewhere: BTreeMap<NodeId, String>,
    written: BTreeMap<NodeId, Deadline>,
    /// The document that could not be changed so.
    hopeless: Option<Hash>,
}

/// Where a member is reached, if that is where it says it listens and not where the document says.
#[must_use]
pub fn elsewhere(sighting: &Sighting) -> Option<&str> {
    sighting.says.as_deref().filter(|says| sighting.reached.as_deref() == Some(*says))
}

/// Looks for ever.
pub(crate) fn run(driver: &Driver) {
    let mut seen = Seen::default();
    loop {
        // Nothing tells of a connection: it is looked at.
        pause(LOOK_EVERY);
        if driver.acting().term_at(clock::now()).is_some() {
            seen.look(driver);
        } else {
            seen.elsewhere.clear();
        }
    }
}

impl Seen {
    fn look(&mut self, driver: &Driver) {
        let sightings = driver.sightings();
        let now: BTreeMap<NodeId, String> = sightings
            .iter()
            .filter_map(|(id, seen)| Some((id.clone(), elsewhere(seen)?.to_owned())))
            .collect();
        self.written.retain(|_, until| !until.has_passed());
        let is_due = |(id, address): &(&NodeId, &String)| {
            self.elsewhere.get(*id) == Some(*address) && !self.written.contains_key(*id)
        };
        let due = now.iter().find(is_due).map(|(id, address)| (id.clone(), address.clone()));
        self.elsewhere = now;
        let document = driver.committed();
        if let Some((id, address)) = due
            && self.hopeless != Some(document.hash)
        {
            self.write(driver, &document, &id, &address);
        }
    }

    fn write(&mut self, driver: &Driver, document: &Document, id: &NodeId, address: &str) {
        let strokes = [Stroke::SetOfNode(id.clone(), "address", Ink::Text(address.to_owned()))];
        let deed = format!("moved {id}");
        match own_edits::propose(driver, document, &strokes, &deed) {
            Ok(revision) => {
                self.written.insert(id.clone(), Deadline::after(AGAIN_AFTER));
                let words = format!("{id} is reached at {address}: written as revision {revision}");
                tell(driver, Loudness::Info, words);
            }
            Err(NotDone::Hopeless(why)) => {
                self.hopeless = Some(document.hash);
                let words = format!("{id} is reached at {address}, which cannot be written: {why}");
                tell(driver, Loudness::Warning, words);
            }
            // The next look sees what there is then.
            Err(NotDone::Rejected(_) | NotDone::Unknown) => {}
        }
    }
}

fn tell(driver: &Driver, loudness: Loudness, message: String) {
    driver.say(Remark { code: codes::NODE_MOVED, loudness, reason: None, message });
}
