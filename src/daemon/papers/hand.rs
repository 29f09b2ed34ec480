//! Owns what becomes of an edit by hand of the exported cluster.yaml: read, judged, proposed with
//! the revision that was exported, and kept aside where it was not taken.
//! Never proposes a text twice that was decided on, and never fights the committed document.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::export::{Export, MINE, REJECTED};
use super::verdict::{Found, Mark, Verdict, judge};
use crate::daemon::byline;
use crate::daemon::driver::Driver;
use crate::daemon::events::{Loudness, Remark};
use crate::daemon::waiting::Deadline;
use crate::protocol::durable::Document;
use crate::protocol::edit::{EditOutcome, Rejection};
use crate::protocol::effects::{Answer, Wish};
use crate::protocol::membership::ChangeRefusal;
use crate::protocol::units::Hash;
use crate::settings::cluster;
use crate::wire::codec::hash_of;
use crate::wire::codes;

/// Between two tries while nobody can decide.
const AGAIN: Duration = Duration::from_secs(1);
/// How long the master may refuse for a reason that passes, before the edit counts as refused.
const PASSING_WITHIN: Duration = Duration::from_secs(60);
/// How long the document that came first may take to arrive here.
const ARRIVES_WITHIN: Duration = Duration::from_secs(10);

/// A text that was proposed and not decided on yet.
#[derive(Debug)]
struct Pending {
    hash: Hash,
    since: Deadline,
}

/// What was read.
struct Text {
    found: Found,
    /// Which bytes these are; none if there are none, or nobody can read them.
    hash: Option<Hash>,
    /// What can be proposed.
    document: Option<Document>,
    /// What is wrong with it.
    problem: String,
}

/// The hand's side of the document.
pub(super) struct Hand {
    driver: Arc<Driver>,
    export: Export,
    path: PathBuf,
    /// The newest document that is known to be committed.
    committed: Document,
    told: Option<Hash>,
    pending: Option<Pending>,
    again_at: Option<Deadline>,
    was_blank: bool,
}

impl Hand {
    pub(super) fn new(driver: Arc<Driver>, export: Export, path: PathBuf) -> Self {
        let committed = driver.committed();
        Self {
            driver,
            export,
            path,
            committed,
            told: None,
            pending: None,
            again_at: None,
            was_blank: false,
        }
    }

    pub(super) fn committed(&self) -> &Document {
        &self.committed
    }

    /// When the file has to be looked at again, whether it was touched or not.
    pub(super) fn again_at(&self) -> Option<Deadline> {
        self.again_at
    }

    pub(super) fn is_due(&self) -> bool {
        self.again_at.is_some_and(Deadline::has_passed)
    }

    /// `document` is committed.
    pub(super) fn learn(&mut self, document: &Document) {
        if document.position >= self.committed.position {
            self.committed = document.clone();
        }
    }

    /// Looks at the file and does what is to be done about it.
    pub(super) fn look(&mut self) -> io::Result<()> {
        self.again_at = None;
        let kept = self.export.take_up()?;
        self.tell_of_aside(kept);
        let Some(text) = self.read() else { return Ok(()) };
        let hash = text.hash;
        let mark = Mark::of(&self.committed);
        match judge(text.found, self.export.noted(hash), mark, self.told) {
            Verdict::Rest => {}
            Verdict::Note => {
                self.forget();
                self.export.note(mark)?;
            }
            Verdict::Export => {
                self.forget();
                let kept = self.export.write(&self.committed, hash, MINE)?;
                self.tell_of_aside(kept);
            }
            Verdict::SetAside if self.is_pending(hash) => {
                let now = self.committed.revision;
                return self.reject(&Rejection::RevisionMoved { now });
            }
            Verdict::SetAside => {
                self.forget();
                let kept = self.export.write(&self.committed, None, MINE)?;
                self.tell_of_aside(kept);
            }
            Verdict::Tell => {
                self.told = hash;
                let problem = text.problem;
                let message = format!("an edit by hand is not taken and left as it is: {problem}");
                self.say(codes::HAND_EDIT_INVALID, Loudness::Warning, None, message);
            }
            Verdict::Propose => {
                if let (Some(document), Some(hash)) = (text.document, hash) {
                    self.propose(document, hash)?;
                }
            }
        }
        Ok(())
    }

    /// What is in the file; nothing if that has to be seen again a little later.
    fn read(&mut self) -> Option<Text> {
        let unfit = |hash, problem| {
            let (found, hash) = (Found::Invalid(hash), Some(hash));
            Some(Text { found, hash, document: None, problem })
        };
        let shown = self.path.display().to_string();
        let page = match self.export.read() {
            Ok(Some(page)) => page,
            Ok(None) => return Some(nothing()),
            Err(error) => {
                let problem = format!("{shown}: {error}");
                return unfit(hash_of(problem.as_bytes()), problem);
            }
        };
        let hash = hash_of(&page.bytes);
        if page.bytes.iter().all(|byte| *byte == 0 || byte.is_ascii_whitespace()) {
            // Whoever writes it in place has emptied it first; or a power cut has.
            if std::mem::replace(&mut self.was_blank, true) {
                return Some(Text { hash: Some(hash), ..nothing() });
            }
            self.again_at = Some(Deadline::after(AGAIN));
            return None;
        }
        self.was_blank = false;
        if hash == self.committed.hash {
            return Some(Text { found: Found::Valid(hash), hash: Some(hash), ..nothing() });
        }
        let Ok(text) = std::str::from_utf8(&page.bytes) else {
            return unfit(hash, format!("{shown} is not UTF-8 text"));
        };
        let Document { position, revision, .. } = self.committed;
        match cluster::document(text, &shown, position, revision) {
            Ok(mut document) => {
                document.byline = byline::of(page.owner, self.driver.name());
                let (found, hash) = (Found::Valid(hash), Some(hash));
                Some(Text { found, hash, document: Some(document), ..nothing() })
            }
            Err(problem) => unfit(hash, problem.to_string()),
        }
    }

    /// Asks the master for `document`.
    fn propose(&mut self, document: Document, hash: Hash) -> io::Result<()> {
        if !self.is_pending(Some(hash)) {
            self.pending = Some(Pending { hash, since: Deadline::now() });
        }
        let revision = self.committed.revision;
        let wish = Wish::Propose { revision, document: document.clone() };
        match self.driver.outcome_of(wish) {
            Some(Answer::Edited(EditOutcome::Committed { position, revision })) => {
                self.learn(&Document { position, revision, ..document });
                self.forget();
                self.export.note(Mark { position, revision, hash })?;
                let path = self.path.display();
                let message =
                    format!("an edit by hand of {path} is committed as revision {revision}");
                self.say(codes::HAND_EDIT_COMMITTED, Loudness::Info, None, message);
            }
            Some(Answer::Edited(EditOutcome::Rejected(why))) if !self.may_pass(&why) => {
                return self.reject(&why);
            }
            Some(_) | None => self.again_at = Some(Deadline::after(AGAIN)),
        }
        Ok(())
    }

    /// Whether a later try may be taken, or the document that came first is still on its way.
    fn may_pass(&self, why: &Rejection) -> bool {
        let waited = self
            .pending
            .as_ref()
            .map_or(Duration::ZERO, |pending| Deadline::now().since(pending.since));
        match why {
            // Nobody has decided yet.
            Rejection::NotMaster { .. } => true,
            Rejection::EditPending
            | Rejection::TooFarApart { round_trip: None }
            | Rejection::Members(
                ChangeRefusal::NotCaughtUp { .. } | ChangeRefusal::DocumentMissing { .. },
            ) => waited < PASSING_WITHIN,
            Rejection::RevisionMoved { .. } => waited < ARRIVES_WITHIN,
            Rejection::OtherCluster
            | Rejection::Members(_)
            | Rejection::LeaseTooShort
            | Rejection::TooFarApart { round_trip: Some(_) }
            | Rejection::StorageFailed => false,
        }
    }

    /// Keeps the text beside the committed document, and says why.
    fn reject(&mut self, why: &Rejection) -> io::Result<()> {
        self.forget();
        let kept = self.export.write(&self.committed, None, REJECTED)?;
        let kept = kept.map_or(String::new(), |name| {
            format!("; the text is kept in {}", self.path.with_file_name(name).display())
        });
        let path = self.path.display();
        let message = format!("an edit by hand of {path} was not taken: {why}{kept}");
        let reason = Some(codes::of_rejection(why));
        self.say(codes::HAND_EDIT_REJECTED, Loudness::Warning, reason, message);
        Ok(())
    }

    fn is_pending(&self, hash: Option<Hash>) -> bool {
        self.pending.as_ref().is_some_and(|pending| Some(pending.hash) == hash)
    }

    /// What was in the file is decided on.
    fn forget(&mut self) {
        (self.told, self.pending, self.was_blank) = (None, None, false);
    }

    fn tell_of_aside(&self, kept: Option<&'static str>) {
        let Some(name) = kept else { return };
        let message = format!(
            "an edit by hand of {} was not proposed, since the document is at revision {} by now: \
             the text is kept in {}",
            self.path.display(),
            self.committed.revision,
            self.path.with_file_name(name).display()
        );
        self.say(codes::HAND_EDIT_SET_ASIDE, Loudness::Warning, None, message);
    }

    fn say(
        &self,
        code: &'static str,
        loudness: Loudness,
        reason: Option<&'static str>,
        message: String,
    ) {
        self.driver.say(Remark { code, loudness, reason, message });
    }
}

fn nothing() -> Text {
    Text { found: Found::Nothing, hash: None, document: None, problem: String::new() }
}
