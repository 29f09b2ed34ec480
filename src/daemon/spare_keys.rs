//! Owns the second key of a node while its key changes: the next one beside the present one, then
//! the former one until nobody needs it.
//! Never shows a key to anybody, and never removes one that may still be needed.
//!
//! | in the directory | it means |
//! |---|---|
//! | `node.key` | nothing is under way |
//! | `node.key`, `node.key.next` | the next one is to be made known |
//! | `node.key`, `node.key.old` | the next one became `node.key`; the old one is to be taken out |

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::daemon::keys::{KeyError, Keys};
use crate::protocol::units::NodeId;

const NEXT_FILE: &str = "node.key.next";
const OLD_FILE: &str = "node.key.old";

/// The directory of a node's keys.
#[derive(Clone, Debug)]
pub struct SpareKeys {
    directory: PathBuf,
    node: NodeId,
}

impl SpareKeys {
    /// Those of `node` in `directory`.
    #[must_use]
    pub fn new(directory: &Path, node: &NodeId) -> Self {
        Self { directory: directory.to_owned(), node: node.clone() }
    }

    /// The key that is to follow, if there is one.
    ///
    /// # Errors
    /// It is there and cannot be used.
    pub fn next(&self) -> Result<Option<Keys>, KeyError> {
        match Keys::of_file(&self.path(NEXT_FILE), &self.node) {
            Ok(keys) => Ok(Some(keys)),
            Err(KeyError::Missing(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Makes the key that is to follow, unless there is one.
    ///
    /// # Errors
    /// The one that is there cannot be used, or what the system said.
    pub fn make_next(&self) -> Result<Keys, KeyError> {
        if let Some(keys) = self.next()? {
            return Ok(keys);
        }
        let keys = Keys::generate(&self.node);
        keys.write_key(&self.path(NEXT_FILE))?;
        Ok(keys)
    }

    /// The next key becomes the present one, and that one the old one. Broken off anywhere, one of
    /// the three states of the table is there, and doing it again goes on.
    ///
    /// # Errors
    /// What the system said.
    pub fn advance(&self) -> Result<Keys, KeyError> {
        let [present, next, old] =
            [Keys::file_in(&self.directory), self.path(NEXT_FILE), self.path(OLD_FILE)];
        let wrong = |path: &Path, error| KeyError::Write(path.to_owned(), error);
        gone(fs::remove_file(&old)).map_err(|error| wrong(&old, error))?;
        fs::hard_link(&present, &old).map_err(|error| wrong(&old, error))?;
        Keys::sync(&self.directory)?;
        fs::rename(&next, &present).map_err(|error| wrong(&present, error))?;
        Keys::sync(&self.directory)?;
        Keys::mend(&self.directory, &self.node)
    }

    /// Whether a former key is kept: others may not have been told yet that it is over.
    #[must_use]
    pub fn has_old(&self) -> bool {
        fs::symlink_metadata(self.path(OLD_FILE)).is_ok()
    }

    /// Makes the certificate fit the key, if a change was broken off between the two.
    ///
    /// # Errors
    /// As [`Keys::mend`].
    pub fn settle(&self) -> Result<(), KeyError> {
        let is_torn = matches!(Keys::load(&self.directory), Err(KeyError::Mismatch(_)));
        if is_torn && self.has_old() {
            Keys::mend(&self.directory, &self.node)?;
        }
        Ok(())
    }

    /// Nobody needs the former key any more.
    ///
    /// # Errors
    /// What the system said.
    pub fn forget_old(&self) -> Result<(), KeyError> {
        let old = self.path(OLD_FILE);
        gone(fs::remove_file(&old)).map_err(|error| KeyError::Write(old, error))?;
        Keys::sync(&self.directory)
    }

    /// When the present key was made, in milliseconds since 1970, as its file says.
    #[must_use]
    pub fn made_ms(&self) -> Option<u64> {
        let about = fs::symlink_metadata(Keys::file_in(&self.directory)).ok()?;
        u64::try_from(about.mtime()).ok()?.checked_mul(1000)
    }

    fn path(&self, file: &str) -> PathBuf {
        self.directory.join(file)
    }
}

/// What was to be removed may be gone already.
fn gone(removed: io::Result<()>) -> io::Result<()> {
    let is_gone = |error: &io::Error| error.kind() == io::ErrorKind::NotFound;
    removed.or_else(|error| if is_gone(&error) { Ok(()) } else { Err(error) })
}
