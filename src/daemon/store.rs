//! Owns the state file: loads it without trusting it, writes it on its own thread (R1, R4, R5).
//! Never falls back to an older copy, never repairs, and never writes again after one failure.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded, select};

use crate::daemon::annex::Annex;
use crate::daemon::clock;
use crate::daemon::directory::Directory;
use crate::daemon::failure::{self, Failure};
use crate::daemon::identity::STORAGE_FILE;
use crate::daemon::network::Delivery;
use crate::daemon::patience::Writing;
use crate::protocol::durable::Durable;
use crate::protocol::effects::Input;
use crate::protocol::membership::Charter;
use crate::wire::marks::Marks;
use crate::wire::record::{self, RecordError};

/// The state file's name inside the directory.
pub const STATE_FILE: &str = "state";
/// A state file beyond this size is none of ours.
pub const STATE_FILE_MAX: u64 = 4 << 20;

/// A master that had nothing to write for so long writes its record again: else a dead disk would
/// go unnoticed until an election needs it, while heartbeats keep its node in power (F57).
pub const PROBE_EVERY: Duration = Duration::from_secs(10);

/// How a document's body becomes a charter; settings knows.
pub type CharterOf = fn(&str) -> Result<Charter, String>;

/// The state file in its directory. After the first failed write it only repeats the failure (R4).
#[derive(Debug)]
pub struct Store {
    directory: Directory,
    last: Durable,
    annex: Arc<Annex>,
    failed: Option<Failure>,
    writing: Arc<Writing>,
}

impl Store {
    /// Loads and verifies the state in `directory`; writes nothing.
    ///
    /// # Errors
    /// There is none, or it is damaged, too new or not private. Nothing was changed.
    pub fn load(directory: Directory, charter_of: CharterOf) -> Result<Self, Failure> {
        let (last, marks) = Self::read_marked(&directory, charter_of)?;
        Ok(Self::new(directory, last, marks))
    }

    /// The state in `directory`, verified; nobody may write it afterwards.
    ///
    /// # Errors
    /// As `load`.
    pub fn read(directory: &Directory, charter_of: CharterOf) -> Result<Durable, Failure> {
        Self::read_marked(directory, charter_of).map(|(durable, _)| durable)
    }

    /// The same, and what is kept beside it.
    ///
    /// # Errors
    /// As `load`.
    pub fn read_marked(
        directory: &Directory,
        charter_of: CharterOf,
    ) -> Result<(Durable, Marks), Failure> {
        let path = directory.path().join(STATE_FILE);
        let bytes = directory
            .read(STATE_FILE, STATE_FILE_MAX)?
            .ok_or_else(|| no_state(directory, &path))?;
        record::decode_marked(&bytes, &charter_of).map_err(|error| {
            let message = format!("{}: {error}{}", path.display(), advice(&error));
            Failure::new(failure::BAD_DATA, message)
        })
    }

    /// Writes a node's first state into `directory`, which must have none.
    ///
    /// # Errors
    /// There is a state already (unchanged then), or the write failed.
    pub fn found(directory: Directory, first: Durable, marks: Marks) -> Result<Self, Failure> {
        let path = directory.path().join(STATE_FILE);
        if directory.has(STATE_FILE) {
            let message = format!("{} exists already and is not overwritten", path.display());
            return Err(Failure::new(failure::CANNOT_CREATE, message));
        }
        directory.replace(STATE_FILE, &record::encode_marked(&first, &marks))?;
        Ok(Self::new(directory, first, marks))
    }

    fn new(directory: Directory, last: Durable, marks: Marks) -> Self {
        let annex = Arc::new(Annex::new(marks));
        Self { directory, last, annex, failed: None, writing: Arc::default() }
    }

    /// What is kept beside the record.
    #[must_use]
    pub fn annex(&self) -> &Arc<Annex> {
        &self.annex
    }

    /// The newest record on disk.
    #[must_use]
    pub fn last(&self) -> &Durable {
        &self.last
    }

    /// The directory it is in.
    #[must_use]
    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    /// Since when a write is under way, readable while it is.
    #[must_use]
    pub fn writing(&self) -> &Arc<Writing> {
        &self.writing
    }

    /// Makes `record` durable (R1).
    ///
    /// # Errors
    /// The first failure; every later call repeats it and writes nothing (R4).
    pub fn write(&mut self, record: Durable) -> Result<(), Failure> {
        if let Some(failure) = &self.failed {
            return Err(failure.clone());
        }
        assert!(
            record.may_follow(&self.last),
            "R3, P3: on one disk nothing decreases and no vote changes within a term"
        );
        self.replace(&record)?;
        self.last = record;
        Ok(())
    }

    /// Writes the newest record once more, as it is: proves that the disk still takes one.
    ///
    /// # Errors
    /// As `write`.
    pub fn probe(&mut self) -> Result<(), Failure> {
        match &self.failed {
            Some(failure) => Err(failure.clone()),
            None => self.replace(&self.last.clone()),
        }
    }

    /// Writes what was noted and must not be lost; nothing follows where the disk is suspended.
    fn note(&mut self) -> Result<(), Failure> {
        self.probe()?;
        self.failed = self.annex.suspended().map(|why| Failure::new(failure::CONFIG, why));
        Ok(())
    }

    fn replace(&mut self, record: &Durable) -> Result<(), Failure> {
        self.writing.begin(clock::now().boot_ns);
        let bytes = record::encode_marked(record, &self.annex.take_for_writing());
        let written = self.directory.replace(STATE_FILE, &bytes);
        self.writing.end(clock::now().boot_ns);
        if let Err(failure) = &written {
            self.failed = Some(failure.clone());
        }
        written
    }

    /// Writes the loaded state back, one sequence later: proves the disk before the first vote,
    /// and lets peers notice a disk that was rolled back (R5, R54).
    ///
    /// # Errors
    /// As `write`.
    pub fn rewrite(&mut self) -> Result<(), Failure> {
        let mut again = self.last.clone();
        again.sequence += 1;
        self.write(again)
    }

    /// The store thread: writes whatever comes, newest first of all, and tells `node` how it went.
    /// Probes the disk of a node that `is_acting` and has nothing to write, and writes what was
    /// noted beside the record since. Ends when the queue closes.
    pub fn run(
        mut self,
        records: &Receiver<Durable>,
        node: &dyn Delivery,
        is_acting: impl Fn() -> bool,
    ) {
        loop {
            let outcome = select! {
                recv(records) -> record => {
                    let Ok(record) = record else { return };
                    let sequence = record.sequence;
                    self.write(record).map(|()| Some(sequence))
                }
                recv(self.annex.hurry()) -> _ => self.note().map(|()| None),
                default(PROBE_EVERY) => {
                    if self.failed.is_some() || !(is_acting() || self.annex.has_changed()) {
                        continue;
                    }
                    self.probe().map(|()| None)
                }
            };
            match outcome {
                Ok(Some(sequence)) => node.deliver(Input::Persisted { sequence }),
                Ok(None) => {}
                Err(failure) => node.deliver(Input::PersistFailed { error: failure.message }),
            }
        }
    }
}

/// The way to the store thread. One record waits at most: a newer one replaces it.
#[derive(Debug)]
pub struct StoreQueue {
    sender: Sender<Durable>,
    receiver: Receiver<Durable>,
}

impl StoreQueue {
    /// A queue, and its end for the store thread.
    #[must_use]
    pub fn new() -> (Self, Receiver<Durable>) {
        let (sender, receiver) = bounded(1);
        (Self { sender, receiver: receiver.clone() }, receiver)
    }

    /// Hands `record` to the store thread in place of any that it did not take yet. Never blocks:
    /// the one producer holds the core lock, so the slot it just emptied stays empty.
    pub fn put(&self, record: Durable) {
        let mut next = Some(record);
        while let Some(record) = next.take() {
            match self.sender.try_send(record) {
                Ok(()) => {}
                Err(TrySendError::Full(record)) => {
                    // Either we take the older record, or the store thread just did.
                    drop(self.receiver.try_recv());
                    next = Some(record);
                }
                Err(TrySendError::Disconnected(_)) => unreachable!("we hold a receiver"),
            }
        }
    }
}

/// A damaged state means that this disk forgot its votes; nothing older may stand in for it (R52).
fn advice(error: &RecordError) -> &'static str {
    match error {
        RecordError::NewerVersion(_) => "; the file is left as it is",
        RecordError::NotAState
        | RecordError::Truncated
        | RecordError::Corrupt
        | RecordError::Malformed(_) => {
            "; the file is left as it is. This disk's votes are lost: do not put an older copy or \
             another node's state in its place. Run `quorate init --renew`, which moves the file \
             away, gives this disk a new storage id, and says how it gets back into the cluster"
        }
    }
}

fn no_state(directory: &Directory, path: &Path) -> Failure {
    let path = path.display();
    let message = if directory.has(STORAGE_FILE) {
        format!(
            "{path} does not exist: this node has an identity but no cluster yet. Put its line \
             (`quorate init` prints it) into cluster.yaml and run `quorate init --from \
             cluster.yaml`"
        )
    } else {
        format!(
            "{path} does not exist, and no storage id waits for a first one: if this node was a \
             member before, its votes are lost with its disk, and the cluster goes on without \
             it. Run `quorate init`, which gives this disk a new storage id, prints this node's \
             line for cluster.yaml, and says how it gets back into the cluster"
        )
    };
    Failure::new(failure::NO_INPUT, message)
}
