//! Changes this node's key while the cluster runs, from whatever step it was broken off at.
//! Never shows a key before all that vote have taken it, and never takes the old one out of the
//! document before this node shows the new one: at no moment does it hold only keys nobody trusts.
//!
//! ```text
//!  node.key.next ─► document: next_key ─► every other voter took a session with it
//!    ─► it is node.key, shown to all ─► document: key, no next_key ─► node.key.old goes
//! ```

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use crate::daemon::clock;
use crate::daemon::driver::Driver;
use crate::daemon::events::{Loudness, Remark};
use crate::daemon::keys::{KeyError, Keys};
use crate::daemon::network::Network;
use crate::daemon::own_edits;
use crate::daemon::spare_keys::SpareKeys;
use crate::daemon::waiting::Deadline;
use crate::protocol::durable::Document;
use crate::protocol::membership::Member;
use crate::protocol::units::Pin;
use crate::settings::pen::{Ink, Stroke};
use crate::wire::codes;
use crate::wire::control::SCHEMA;
use crate::wire::keys::KeyReport;

/// The pause before a step is tried again; each further one doubles it.
const PAUSE_MIN: Duration = Duration::from_millis(100);
/// The longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(2);
/// The longest pause before voters that refused the new key are called anew with it: one of a
/// release that does not know of next keys is not to lose its connection all the time.
const OFFER_PAUSE_MAX: Duration = Duration::from_secs(60);

/// The change of this node's key.
pub struct Rotation {
    driver: Arc<Driver>,
    network: Arc<Network>,
    spare: SpareKeys,
    /// Held while there is none: two that ask at once make one key, and none while it advances.
    asking: Mutex<()>,
    standing: Mutex<Standing>,
    wake: (Sender<()>, Receiver<()>),
}

impl std::fmt::Debug for Rotation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rotation").field("spare", &self.spare).finish_non_exhaustive()
    }
}

/// Where it stands, for people.
#[derive(Clone, Debug, Default)]
struct Standing {
    waits_for: Vec<String>,
    why: String,
}

/// When voters that know only the old key are called anew with the next one.
struct Offers {
    due: Deadline,
    pause: Duration,
}

impl Offers {
    fn begin() -> Self {
        Self { due: Deadline::now(), pause: PAUSE_MIN }
    }

    fn is_due(&mut self) -> bool {
        let is_due = self.due.has_passed();
        if is_due {
            self.due = Deadline::after(self.pause);
            self.pause = (self.pause * 2).min(OFFER_PAUSE_MAX);
        }
        is_due
    }
}

/// What a look at the files and the document came to.
enum Turn {
    /// Nothing is under way.
    Rest,
    /// A step was done: the next one is due.
    On,
    /// Not yet.
    Wait(Standing),
}

impl Rotation {
    /// Of the node of `driver`, whose second key is one of `spare`.
    #[must_use]
    pub fn new(driver: &Arc<Driver>, network: &Arc<Network>, spare: SpareKeys) -> Self {
        Self {
            driver: Arc::clone(driver),
            network: Arc::clone(network),
            spare,
            asking: Mutex::default(),
            standing: Mutex::default(),
            wake: bounded(1),
        }
    }

    /// Begins to change the key, unless that is under way.
    ///
    /// # Errors
    /// The new key cannot be written, or the one that was begun with cannot be read.
    pub fn begin(&self) -> Result<KeyReport, KeyError> {
        {
            let _one = self.asking.lock().unwrap_or_else(PoisonError::into_inner);
            if !self.spare.has_old() || self.spare.next()?.is_some() {
                self.spare.make_next()?;
            }
        }
        // One slot: whoever looks sees all there is.
        self.wake.0.try_send(()).ok();
        self.report()
    }

    /// How it stands.
    ///
    /// # Errors
    /// The key that is to follow cannot be read.
    pub fn report(&self) -> Result<KeyReport, KeyError> {
        let next = self.spare.next()?.map(|keys| keys.pin());
        let standing = self.standing.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let state = match (next, self.spare.has_old()) {
            (Some(_), _) => "making-known",
            (None, true) => "taking-out-old",
            (None, false) => "settled",
        };
        let made = self.spare.made_ms().map(|ms| clock::wall_text_of(ms.saturating_mul(1_000_000)));
        Ok(KeyReport {
            schema: SCHEMA,
            node: self.driver.name().to_string(),
            key: spelled(self.network.present_pin()),
            made,
            next: next.map(spelled),
            state: state.to_owned(),
            waits_for: standing.waits_for,
            why: standing.why,
        })
    }

    /// Goes on with what was begun, also before this start, for ever.
    pub fn run(&self) {
        let mut pause = PAUSE_MIN;
        let mut offers = Offers::begin();
        loop {
            let turn = self.turn(&mut offers).unwrap_or_else(|error| {
                Turn::Wait(Standing { waits_for: Vec::new(), why: error.to_string() })
            });
            let waited = match turn {
                Turn::On => {
                    (pause, offers) = (PAUSE_MIN, Offers::begin());
                    self.stand(Standing::default());
                    continue;
                }
                Turn::Rest => {
                    self.stand(Standing::default());
                    self.wake.1.recv().map_err(RecvTimeoutError::from)
                }
                Turn::Wait(standing) => {
                    self.stand(standing);
                    let waited = self.wake.1.recv_timeout(pause);
                    pause = (pause * 2).min(PAUSE_MAX);
                    waited
                }
            };
            match waited {
                Ok(()) => (pause, offers) = (PAUSE_MIN, Offers::begin()),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn stand(&self, standing: Standing) {
        let mut present = self.standing.lock().unwrap_or_else(PoisonError::into_inner);
        if !standing.why.is_empty() && present.why != standing.why {
            log::info!("the change of this node's key waits: {}", standing.why);
        }
        *present = standing;
    }

    /// One look, one step.
    fn turn(&self, offers: &mut Offers) -> Result<Turn, KeyError> {
        let next = self.spare.next()?;
        if next.is_none() && !self.spare.has_old() {
            return Ok(Turn::Rest);
        }
        let document = self.driver.committed();
        let Some(me) = document.charter.members.find(self.driver.name()) else {
            return Ok(wait("the document does not list this node", Vec::new()));
        };
        let Some(next) = next else { return self.take_out_old(me, &document) };
        if me.pins().any(|pin| pin == next.pin()) {
            self.prove(next, &document, offers)
        } else {
            Ok(self.make_known(next.pin(), &document))
        }
    }

    fn make_known(&self, next: Pin, document: &Document) -> Turn {
        let name = self.driver.name();
        let ink = Ink::Text(spelled(next));
        let strokes = [Stroke::SetOfNode(name.clone(), "next_key", ink)];
        match own_edits::propose(&self.driver, document, &strokes, "names its next key") {
            Ok(revision) => {
                log::info!("the next key of this node is SHA256:{next}, since revision {revision}");
                Turn::On
            }
            Err(why) => wait(&why.to_string(), Vec::new()),
        }
    }

    /// Every other voter has to take a session with the next key first.
    fn prove(
        &self,
        next: Keys,
        document: &Document,
        offers: &mut Offers,
    ) -> Result<Turn, KeyError> {
        let pin = next.pin();
        self.network.offer_key(next);
        let others =
            document.charter.members.voters().filter(|member| member.id != *self.driver.name());
        let waits_for: Vec<_> =
            others.filter(|member| !self.network.has_taken(&member.id, pin)).collect();
        if waits_for.is_empty() {
            let keys = {
                let _one = self.asking.lock().unwrap_or_else(PoisonError::into_inner);
                self.spare.advance()?
            };
            self.network.show_key(keys).expect("a key that was loaded can sign");
            log::info!("this node shows its new key SHA256:{pin} from now on");
            return Ok(Turn::On);
        }
        if offers.is_due() {
            waits_for.iter().for_each(|member| self.network.offer_next(&member.id, pin));
        }
        let names = waits_for.iter().map(|member| member.id.to_string()).collect();
        Ok(wait("not every voter knows the new key, as far as this node has seen", names))
    }

    fn take_out_old(&self, me: &Member, document: &Document) -> Result<Turn, KeyError> {
        let pin = self.network.present_pin();
        if me.pin == pin {
            self.spare.forget_old()?;
            self.tell(pin);
            return Ok(Turn::On);
        }
        let name = self.driver.name();
        let strokes = [
            Stroke::SetOfNode(name.clone(), "key", Ink::Text(spelled(pin))),
            Stroke::UnsetOfNode(name.clone(), "next_key"),
        ];
        match own_edits::propose(&self.driver, document, &strokes, "took its old key out") {
            Ok(_) => Ok(Turn::On),
            Err(why) => Ok(wait(&why.to_string(), Vec::new())),
        }
    }

    fn tell(&self, pin: Pin) {
        let name = self.driver.name();
        self.driver.say(Remark {
            code: codes::KEY_CHANGED,
            loudness: Loudness::Info,
            reason: None,
            message: format!("the key of {name} is SHA256:{pin} now; the old one is refused"),
        });
    }
}

fn wait(why: &str, waits_for: Vec<String>) -> Turn {
    Turn::Wait(Standing { waits_for, why: why.to_owned() })
}

fn spelled(pin: Pin) -> String {
    format!("SHA256:{pin}")
}
