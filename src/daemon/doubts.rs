//! What greetings tell against a peer, or against this very node: a disk that was rolled back
//! (R54), two processes of one name (R55), a cluster that was recovered by force elsewhere (R62).
//! Never counts a vote: whoever is doubted gets no session, and who does not speak cannot count.
//!
//! How far each voter's disk has come is said in its hello and again before each message that says
//! more; it is kept with our own state. Each hello also says how far the *other* side's disk was
//! seen to have come: so a disk that was rolled back learns it from the first peer that knows, and
//! falls silent for all of them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::daemon::admin_files;
use crate::daemon::annex::Annex;
use crate::daemon::events::{Loudness, Remark};
use crate::daemon::lives::{ALONE_MIN, Greeting, Lives};
use crate::daemon::network::Delivery;
use crate::daemon::waiting::Deadline;
use crate::protocol::effects::Input;
use crate::protocol::membership::Member;
use crate::protocol::units::NodeId;
use crate::wire::codec::hash_of;
use crate::wire::codes;
use crate::wire::hello::{Hello, HelloError};
use crate::wire::marks::Seen;

/// A peer that claims to have seen so much more of our disk than there is does not tell the truth.
const SEEN_AHEAD_MAX: u64 = 1 << 20;
/// Digits of a boot's name that people compare.
const BOOT_DIGITS: usize = 12;

/// What is held against whom.
pub(crate) struct Doubts {
    annex: Arc<Annex>,
    delivery: Arc<dyn Delivery>,
    /// How many writes of our own state are on disk.
    written: AtomicU64,
    boot: Option<String>,
    found: Mutex<Found>,
}

#[derive(Default)]
struct Found {
    lives: Lives,
    /// Whose disk was rolled back, and how that is known.
    rolled_back: BTreeMap<NodeId, String>,
    /// Who hears two processes of our name.
    doubled_by: BTreeSet<NodeId>,
    /// Who belongs to a cluster that was made from ours by force.
    recovered: BTreeSet<NodeId>,
}

impl Doubts {
    /// Holds nothing against anybody. `written` is the state's sequence at this start.
    pub(crate) fn new(annex: Arc<Annex>, delivery: Arc<dyn Delivery>, written: u64) -> Self {
        let file = Path::new("/proc/sys/kernel/random/boot_id");
        // Without it nothing is wrong; people have one hint less.
        let boot = admin_files::read_if_there(file).ok().flatten().map(|id| {
            let mut name = hash_of(id.trim().as_bytes()).to_string();
            name.truncate(BOOT_DIGITS);
            name
        });
        let written = AtomicU64::new(written);
        Self { annex, delivery, written, boot, found: Mutex::default() }
    }

    /// Another write of our own state is on disk.
    pub(crate) fn wrote(&self, sequence: u64) {
        self.written.fetch_max(sequence, Ordering::SeqCst);
    }

    /// How many there are.
    pub(crate) fn written(&self) -> u64 {
        self.written.load(Ordering::SeqCst)
    }

    /// How far that peer's disk is known to have come. To be asked before it can have made its
    /// hello: what it tells through another session meanwhile must not be held against that one.
    pub(crate) fn floor(&self, peer: &NodeId) -> Option<Seen> {
        self.annex.seen(peer)
    }

    /// What is said to `peer`, whose key is proved or asked for.
    pub(crate) fn hello_to(&self, peer: &NodeId, plain: &Hello) -> Hello {
        Hello {
            sequence: self.written(),
            boot: self.boot.clone(),
            seen: self.annex.seen(peer),
            doubled: self.lock().lives.is_doubled(peer),
            former: self.annex.former().map(|former| former.cluster),
            hears_progress: true,
            ..plain.clone()
        }
    }

    /// The keys that are good for nothing but being told what became of their cluster.
    pub(crate) fn former_members(&self) -> Vec<Member> {
        self.annex.former().map(|former| former.members().collect()).unwrap_or_default()
    }

    /// Exactly these are members.
    pub(crate) fn follow<'a>(&self, members: impl Iterator<Item = &'a Member> + Clone) {
        let voters = members.clone().filter(|member| member.votes());
        let disks = voters.map(|member| (member.id.clone(), member.storage));
        self.annex.set_voters(disks.collect());
        let names: BTreeSet<_> = members.map(|member| &member.id).collect();
        let mut found = self.lock();
        found.lives.keep(|peer| names.contains(peer));
        found.rolled_back.retain(|peer, _| names.contains(peer));
        found.doubled_by.retain(|peer| names.contains(peer));
    }

    /// What `peer` says counts from now on, and so does how far its disk has come. Not before: a
    /// copy that only knocked must not make the disk it was copied from look old.
    pub(crate) fn entered(&self, peer: &NodeId, theirs: &Hello) {
        self.annex.saw(peer, theirs.storage, theirs.sequence);
    }

    /// Whether two processes live as `peer`.
    pub(crate) fn is_doubled(&self, peer: &NodeId) -> bool {
        self.lock().lives.is_doubled(peer)
    }

    /// `peer` says before a message how far its disk has come.
    pub(crate) fn progress(&self, peer: &NodeId, theirs: &Hello, sequence: u64) {
        self.annex.saw(peer, theirs.storage, sequence);
    }

    /// Weighs a hello that fits. `floor` is what was known before it, `place` where it came from.
    ///
    /// # Errors
    /// Why there is no session with it.
    pub(crate) fn weigh(
        &self,
        peer: &NodeId,
        theirs: &Hello,
        floor: Option<Seen>,
        place: String,
        dead_after: Duration,
    ) -> Result<Greeting, String> {
        self.hear_of_us(peer, theirs);
        self.check_disk(peer, theirs, floor)?;
        let place = match &theirs.boot {
            Some(boot) => format!("{place} (boot {boot})"),
            None => place,
        };
        let patience = (dead_after * 2).max(ALONE_MIN);
        let now = Deadline::now();
        let greeting = self.lock().lives.greet(peer, theirs.instance, place.clone(), now, patience);
        match &greeting {
            Greeting::Doubled { is_news, other } => {
                let words = format!(
                    "two processes use the key of {peer}, at {place} and {other}: neither counts \
                     until one is gone"
                );
                if *is_news {
                    self.say(codes::ALARM_TWO_INSTANCES, Loudness::Alarm, words.clone());
                }
                Err(words)
            }
            Greeting::AloneAgain => {
                let words = format!("only one process uses the key of {peer} now, at {place}");
                self.say(codes::TWO_INSTANCES_OVER, Loudness::Info, words);
                Ok(greeting)
            }
            Greeting::Known | Greeting::New | Greeting::Returned => Ok(greeting),
        }
    }

    /// Whether that process was the last to greet as `peer`, and the only one.
    pub(crate) fn is_the_one(&self, peer: &NodeId, instance: u64) -> bool {
        self.lock().lives.is_the_one(peer, instance)
    }

    /// A hello did not fit: perhaps because our cluster was recovered by force elsewhere.
    pub(crate) fn turned_away(&self, peer: &NodeId, error: &HelloError) {
        let HelloError::Recovered { .. } = error else { return };
        if self.lock().recovered.insert(peer.clone()) {
            let words = format!("{peer}: {error}");
            self.say(codes::ALARM_RECOVERED_ELSEWHERE, Loudness::Alarm, words);
        }
    }

    /// Everything that is wrong with anybody's identity, for people.
    pub(crate) fn in_words(&self) -> Vec<String> {
        let found = self.lock();
        let doubled = found.lives.doubled().map(|(peer, places)| {
            format!("two processes use the key of {peer}, at {places}: neither counts")
        });
        let by = found.doubled_by.iter().map(|peer| {
            format!("{peer} hears two processes with this node's key: stop the one that is a copy")
        });
        let recovered = found.recovered.iter().map(|peer| {
            format!("{peer} belongs to a later generation of this cluster, made by force")
        });
        let suspended = self.annex.suspended().into_iter();
        let rolled_back = found.rolled_back.values().cloned();
        suspended.chain(rolled_back).chain(doubled).chain(by).chain(recovered).collect()
    }

    /// What the other side says about this node.
    fn hear_of_us(&self, peer: &NodeId, theirs: &Hello) {
        let is_news = {
            let mut found = self.lock();
            // It is of our cluster again.
            found.recovered.remove(peer);
            if theirs.doubled {
                found.doubled_by.insert(peer.clone())
            } else {
                found.doubled_by.remove(peer);
                false
            }
        };
        if is_news {
            let words = format!(
                "{peer} hears two processes with this node's key: a copy of this machine or its \
                 disk runs elsewhere; stop the copy"
            );
            self.say(codes::ALARM_TWO_INSTANCES, Loudness::Alarm, words);
        }
    }

    /// What the other side has seen of the disk `storage`, which is ours.
    pub(crate) fn compare_with_ours(&self, peer: &NodeId, theirs: &Hello, ours: &Hello) {
        let written = self.written();
        let Some(seen) = theirs.seen.filter(|seen| seen.storage == ours.storage) else { return };
        if seen.sequence <= written {
            return;
        }
        if seen.sequence - written > SEEN_AHEAD_MAX {
            log::warn!(
                "{peer} claims to have seen write {} of this disk, which has {written}: not \
                 believed",
                seen.sequence
            );
            return;
        }
        let words = format!(
            "this disk was rolled back: {peer} has seen write {} of it, and it is at {written}. It \
             forgot what it said since then, and does not vote",
            seen.sequence
        );
        if self.annex.suspend(&words) {
            self.say(codes::ALARM_ROLLED_BACK, Loudness::Alarm, words.clone());
            self.delivery.deliver(Input::PersistFailed { error: words });
        }
    }

    fn check_disk(&self, peer: &NodeId, theirs: &Hello, floor: Option<Seen>) -> Result<(), String> {
        let floor = floor.filter(|floor| floor.storage == theirs.storage);
        let Some(floor) = floor.filter(|floor| theirs.sequence < floor.sequence) else {
            self.lock().rolled_back.remove(peer);
            return Ok(());
        };
        let words = format!(
            "the disk of {peer} was rolled back: write {} of it was seen, and it is at {}. {peer} \
             does not count before it has a new storage id: run `quorate init --renew` there",
            floor.sequence, theirs.sequence
        );
        if self.lock().rolled_back.insert(peer.clone(), words.clone()).is_none() {
            self.say(codes::ALARM_ROLLED_BACK, Loudness::Alarm, words.clone());
        }
        Err(words)
    }

    fn say(&self, code: &'static str, loudness: Loudness, message: String) {
        self.delivery.say(Remark { code, loudness, reason: None, message });
    }

    fn lock(&self) -> MutexGuard<'_, Found> {
        // A thread that panics ends the process; nothing half-changed is ever seen.
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
