//! Lets newcomers in: asks for the edit that admits one, wherever the master is, and keeps those
//! that guess tokens slow (H31, H33, H36).
//! Never decides who may come; `admission` does, by the committed document.

use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::daemon::admission::{self, Admission};
use crate::daemon::clock;
use crate::daemon::doorway::{Arrival, Doorkeeper, Refusal};
use crate::daemon::driver::Driver;
use crate::daemon::events::{Loudness, Remark};
use crate::daemon::own_edits::{self, NotDone};
use crate::daemon::waiting::{Deadline, pause};
use crate::protocol::durable::Document;
use crate::protocol::edit::Rejection;
use crate::protocol::map::Map;
use crate::protocol::units::NodeId;
use crate::wire::codes;
use crate::wire::join::JoinAnswer;

/// How many may be on their way in at once.
const UNDER_WAY_MAX: usize = 4;
/// How long one waits for a master that takes the edit.
const ADMITTED_WITHIN: Duration = Duration::from_secs(10);
/// Between two tries.
const TRY_EVERY: Duration = Duration::from_millis(100);

/// Who lets newcomers in at this node.
#[derive(Debug)]
pub(crate) struct Usher {
    driver: Arc<Driver>,
    under_way: AtomicUsize,
    failures: Failures,
}

impl Usher {
    /// Lets them in by edits that `driver` asks for.
    pub(crate) fn new(driver: Arc<Driver>) -> Self {
        Self { driver, under_way: AtomicUsize::new(0), failures: Failures::default() }
    }

    fn judge(&self, document: &Document, arrival: &Arrival) -> Result<Admission, Refusal> {
        let verdict = admission::judge(document, arrival, &clock::wall_seconds(Duration::ZERO));
        let is_behind = || {
            let status = self.driver.status();
            status.accepted != status.committed
        };
        match verdict {
            // The invitation may be in the document that is just being committed.
            Err(Refusal::Untold(_)) if is_behind() => {
                Err(Refusal::Later("an edit of the document waits for its majority".to_owned()))
            }
            verdict => verdict,
        }
    }

    /// What became of asking for the document with that body; none if it is worth another try.
    fn ask_for(
        &self,
        old: &Document,
        body: &str,
        whom: &NodeId,
    ) -> Result<Option<Document>, Refusal> {
        match own_edits::propose_body(&self.driver, old, body, &format!("let {whom} join")) {
            Ok(document) => Ok(Some(document)),
            Err(NotDone::Hopeless(why)) => Err(Refusal::Told(why)),
            Err(NotDone::Rejected(Rejection::OtherCluster | Rejection::Members(_))) => {
                Err(Refusal::Told("the cluster does not take this node".to_owned()))
            }
            // Who is master, or which document is the newest, is known better in a moment; and an
            // edit that may have been committed is found in the document then.
            Err(NotDone::Rejected(_) | NotDone::Unknown) => Ok(None),
        }
    }

    fn admit_until(
        &self,
        arrival: &Arrival,
        deadline: Deadline,
    ) -> Result<(Document, Admission), Refusal> {
        while !deadline.has_passed() {
            let committed = self.driver.committed();
            match self.judge(&committed, arrival) {
                Ok(Admission::Already) => return Ok((committed, Admission::Already)),
                Ok(Admission::By(body)) => {
                    if let Some(document) =
                        self.ask_for(&committed, &body, &arrival.request.node)?
                    {
                        return Ok((document, Admission::By(body)));
                    }
                }
                Err(Refusal::Later(_)) => {}
                Err(refusal) => return Err(refusal),
            }
            // There is nothing to wait on for what another node knows.
            pause(TRY_EVERY);
        }
        Err(Refusal::Later("no master took the edit that lets it in, as yet".to_owned()))
    }
}

impl Doorkeeper for Usher {
    fn check(&self, arrival: &Arrival) -> Result<(), Refusal> {
        let source = arrival.source.ip();
        if !self.failures.allow(source) {
            return Err(Refusal::Later("too many came with wrong tokens lately".to_owned()));
        }
        match self.judge(&self.driver.committed(), arrival) {
            Ok(_) | Err(Refusal::Later(_)) => Ok(()),
            Err(refusal) => {
                self.failures.count(source);
                Err(refusal)
            }
        }
    }

    fn admit(&self, arrival: &Arrival) -> Result<JoinAnswer, Refusal> {
        if self.under_way.fetch_add(1, Ordering::SeqCst) >= UNDER_WAY_MAX {
            self.under_way.fetch_sub(1, Ordering::SeqCst);
            return Err(Refusal::Later("too many nodes join at once".to_owned()));
        }
        let outcome = self.admit_until(arrival, Deadline::after(ADMITTED_WITHIN));
        self.under_way.fetch_sub(1, Ordering::SeqCst);
        let (document, admission) = outcome?;
        let Arrival { request, pin, source, .. } = arrival;
        let how = match admission {
            Admission::By(_) => format!(
                "by invitation {}",
                request.invite().map(|id| id.to_string()).unwrap_or_default()
            ),
            Admission::Already => "before, and was answered again".to_owned(),
        };
        self.driver.say(Remark {
            code: codes::NODE_JOINED,
            loudness: Loudness::Info,
            reason: None,
            message: format!(
                "{} joined {how}: it came from {source}, is reached at {} and has key SHA256:{pin}",
                request.node, request.address
            ),
        });
        Ok(JoinAnswer::Welcome(document))
    }
}

/// How often one address may fail within [`FORGIVEN`] before it is not listened to (H31).
const OF_ONE_MAX: u32 = 5;
/// The same for all together.
const OF_ALL_MAX: u32 = 100;
/// After so long without counting anew, failures are forgotten.
const FORGIVEN: Duration = Duration::from_secs(60);
/// How many addresses are told apart; the others share one place.
const SOURCES_MAX: usize = 32;

/// Who failed how often lately.
#[derive(Debug, Default)]
struct Failures(Mutex<Map<Option<IpAddr>, (u32, Deadline)>>);

impl Failures {
    fn allow(&self, source: IpAddr) -> bool {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.retain(|_, (_, until)| !until.has_passed());
        let all: u32 = counts.values().map(|(count, _)| count).sum();
        let key = Some(network_of(source));
        let full = counts.len() >= SOURCES_MAX && !counts.contains_key(&key);
        let of_one = counts.get(&key.filter(|_| !full)).map_or(0, |(count, _)| *count);
        of_one < OF_ONE_MAX && all < OF_ALL_MAX
    }

    fn count(&self, source: IpAddr) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = Some(network_of(source));
        let full = counts.len() >= SOURCES_MAX && !counts.contains_key(&key);
        let fresh = (0, Deadline::after(FORGIVEN));
        counts.get_or_insert(key.filter(|_| !full), fresh).0 += 1;
    }
}

/// Who has one address of version 6 has 2⁶⁴ of them.
fn network_of(source: IpAddr) -> IpAddr {
    match source.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((address.to_bits() >> 64 << 64).into()),
        address @ IpAddr::V4(_) => address,
    }
}
