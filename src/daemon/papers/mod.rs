//! Owns the thread that keeps the committed document where people find it: in the archive, and as
//! cluster.yaml in the state directory, where an edit by hand is proposed like any other.
//! Never decides on an edit, never holds the core up, and never destroys what a person wrote.
//!
//! ```text
//! driver --a committed document--> tray --> archive, cluster.yaml
//! a person --saves cluster.yaml--> the kernel --> quiet for a second --> verdict --> the master
//! ```

pub mod export;
mod files;
mod hand;
mod notices;
pub mod shelf;
pub mod verdict;

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};

use self::export::{Export, FILE};
use self::files::Folder;
use self::hand::Hand;
use self::notices::Notices;
use crate::daemon::directory::Directory;
use crate::daemon::driver::Driver;
use crate::daemon::report;
use crate::daemon::waiting::{Bell, Deadline, For, wait_with_bell};
use crate::protocol::durable::Document;

/// A file that was touched is looked at when nobody touched it for so long.
const QUIET: Duration = Duration::from_secs(1);
/// How many documents may wait for the thread; more at once are not archived, save the newest.
const WAITING_MAX: usize = 64;

/// Where the driver leaves each committed document whose content is new.
#[derive(Debug)]
pub struct Tray {
    documents: (Sender<Document>, Receiver<Document>),
    bell: Bell,
}

impl Tray {
    /// An empty one.
    ///
    /// # Errors
    /// Too many open files.
    pub fn new() -> io::Result<Self> {
        Ok(Self { documents: bounded(WAITING_MAX), bell: Bell::new()? })
    }

    /// Leaves `document` there. Never waits: if there is no room, the oldest one goes.
    pub fn put(&self, document: Document) {
        let (sender, receiver) = &self.documents;
        if let Err(full) = sender.try_send(document) {
            drop(receiver.try_recv());
            // The one who puts documents here is one, so the place just made is free.
            sender.try_send(full.into_inner()).ok();
        }
        self.bell.ring();
    }
}

/// What the thread has.
pub struct Papers {
    tray: Arc<Tray>,
    state: Folder,
    notices: Option<Notices>,
    hand: Hand,
    /// Nobody looks at a file before that: somebody may still be writing it.
    quiet_at: Option<Deadline>,
    complaints: Complaints,
}

impl Papers {
    /// The papers of the node behind `driver`, in its state directory.
    ///
    /// # Errors
    /// The system has no descriptor left.
    pub fn of(driver: &Arc<Driver>, directory: &Directory, tray: &Arc<Tray>) -> io::Result<Self> {
        let state = Folder::new(directory.share()?);
        let export = Export::of(Folder::new(directory.share()?));
        let path = directory.path().join(FILE);
        Ok(Self {
            tray: Arc::clone(tray),
            state,
            notices: notices_about(directory.path()),
            hand: Hand::new(Arc::clone(driver), export, path),
            quiet_at: None,
            complaints: Complaints::default(),
        })
    }

    /// Keeps them, for ever.
    pub fn run(mut self) {
        let committed = self.hand.committed().clone();
        self.keep(&committed);
        self.look();
        loop {
            if let Err(error) = self.wait() {
                log::error!("{FILE} is not kept up to date any more: {error}");
                return;
            }
            let newest = self.take_documents();
            if self.quiet_at.is_some_and(|at| !at.has_passed()) {
                continue;
            }
            if self.quiet_at.take().is_some() || newest || self.hand.is_due() {
                self.look();
            }
        }
    }

    /// Waits until there is a document, or something to look at.
    fn wait(&mut self) -> io::Result<()> {
        let until = self.quiet_at.or(self.hand.again_at());
        let bell = &self.tray.bell;
        let Some(notices) = &self.notices else {
            return wait_with_bell(bell, For::Reading, bell, until).map(drop);
        };
        if !wait_with_bell(notices, For::Reading, bell, until)?.socket {
            return Ok(());
        }
        match notices.take(FILE) {
            Ok(true) => self.quiet_at = Some(Deadline::after(QUIET)),
            Ok(false) => {}
            Err(error) => {
                tell_of_deafness(&error);
                self.notices = None;
            }
        }
        Ok(())
    }

    /// Archives what the driver left, and says whether there was anything.
    fn take_documents(&mut self) -> bool {
        let documents: Vec<Document> = self.tray.documents.1.try_iter().collect();
        for document in &documents {
            self.keep(document);
            self.hand.learn(document);
        }
        !documents.is_empty()
    }

    fn keep(&mut self, document: &Document) {
        let outcome = shelf::keep(&self.state, &report::document(document));
        self.complaints.note("keep the document in the archive", outcome);
    }

    fn look(&mut self) {
        let outcome = self.hand.look();
        self.complaints.note("bring cluster.yaml up to date", outcome);
    }
}

/// Failures of the disk, each told once until something else goes wrong or right.
#[derive(Debug, Default)]
struct Complaints {
    last: Option<String>,
}

impl Complaints {
    fn note(&mut self, what: &str, outcome: io::Result<()>) {
        let words = outcome.err().map(|error| format!("cannot {what}: {error}"));
        if let Some(words) = words.as_ref().filter(|words| self.last.as_ref() != Some(*words)) {
            log::warn!("{words}; the election goes on without it");
        }
        self.last = words;
    }
}

fn notices_about(directory: &Path) -> Option<Notices> {
    Notices::about(directory).inspect_err(tell_of_deafness).ok()
}

fn tell_of_deafness(error: &io::Error) {
    log::warn!(
        "edits of {FILE} by hand are noticed at the next change of the document only: the system \
         gives no notice of them: {error}"
    );
}
