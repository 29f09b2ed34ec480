//! Ends what people set for a while: once the time of a `standby` or of `maintenance` is over by
//! the wall clock of the acting master, it proposes the document without that entry.
//! Never ends what has no end, and never wakes up where nothing has one.

use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError};

use crate::daemon::clock;
use crate::daemon::driver::Driver;
use crate::daemon::events::{Loudness, Remark};
use crate::daemon::own_edits::{self, NotDone};
use crate::protocol::durable::Document;
use crate::protocol::membership::{Charter, Override};
use crate::protocol::units::Hash;
use crate::settings::pen::Stroke;
use crate::wire::codes;

/// Between two looks at the clock.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// What is over at a moment: how to remove it, and in words.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Over {
    /// How the document changes.
    pub strokes: Vec<Stroke>,
    /// What ended, for people.
    pub words: Vec<String>,
    /// The same in a word or three each.
    pub ended: Vec<String>,
}

/// Every entry of `charter` whose end is not after `now_ms`, in milliseconds since 1970.
#[must_use]
pub fn over(charter: &Charter, now_ms: u64) -> Over {
    let mut over = Over::default();
    for (what, entry, stroke) in entries(charter) {
        if entry.until.is_some_and(|until| until <= now_ms) {
            over.strokes.push(stroke);
            over.words.push(format!("{what}, set by {}, is over", by(entry)));
            over.ended.push(what);
        }
    }
    over
}

/// Whether anything there ends by itself.
#[must_use]
pub fn has_end(charter: &Charter) -> bool {
    entries(charter).iter().any(|(_, entry, _)| entry.until.is_some())
}

fn entries(charter: &Charter) -> Vec<(String, &Override, Stroke)> {
    let standby = charter.members.all().filter_map(|member| {
        let entry = member.standby.as_ref()?;
        let stroke = Stroke::UnsetOfNode(member.id.clone(), "standby");
        Some((format!("standby of {}", member.id), entry, stroke))
    });
    let maintenance = charter
        .maintenance
        .as_ref()
        .map(|entry| ("maintenance".to_owned(), entry, Stroke::Unset(vec!["maintenance"])));
    standby.chain(maintenance).collect()
}

fn by(entry: &Override) -> &str {
    if entry.by.is_empty() { "somebody" } else { &entry.by }
}

/// Looks after the documents of `driver` for ever; `turned` speaks whenever there is another.
pub fn watch(driver: &Arc<Driver>, turned: &Receiver<()>) {
    let mut hopeless = None;
    loop {
        let document = driver.committed();
        if hopeless != Some(document.hash) && is_acting(driver) {
            hopeless = end(driver, &document);
        }
        let told = match has_end(&document.charter) {
            true => turned.recv_timeout(LOOK_EVERY),
            false => turned.recv().map_err(RecvTimeoutError::from),
        };
        if told == Err(RecvTimeoutError::Disconnected) {
            return;
        }
    }
}

fn is_acting(driver: &Driver) -> bool {
    driver.acting().term_at(clock::now()).is_some()
}

/// Proposes the document without what is over; gives the content that this cannot be done with.
fn end(driver: &Driver, document: &Document) -> Option<Hash> {
    let over = over(&document.charter, clock::read().wall_ns / 1_000_000);
    if over.strokes.is_empty() {
        return None;
    }
    let words = over.words.join("; ");
    let deed = format!("ended {}", over.ended.join(", "));
    match own_edits::propose(driver, document, &over.strokes, &deed) {
        Ok(revision) => {
            tell(driver, Loudness::Info, format!("{words}: removed as revision {revision}"));
        }
        Err(NotDone::Hopeless(why)) => {
            tell(driver, Loudness::Warning, format!("{words}, and cannot be removed: {why}"));
            return Some(document.hash);
        }
        // The next look sees what there is then.
        Err(NotDone::Rejected(_) | NotDone::Unknown) => {}
    }
    None
}

fn tell(driver: &Driver, loudness: Loudness, message: String) {
    driver.say(Remark { code: codes::OVERRIDE_OVER, loudness, reason: None, message });
}
