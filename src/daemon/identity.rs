//! Owns what a node is before it has a state: its keys and the storage id of a disk that never
//! voted. Never gives one storage id to two states: founding spends it (R52).
//!
//! The storage id waits in a file of its own until a state carries it; then the file goes. So a
//! disk that lost its state has lost its storage id too, and can only come back under a new one,
//! which nobody counts until an operator writes it into the document.

use std::path::{Path, PathBuf};

use ring::rand::{SecureRandom, SystemRandom};

use crate::daemon::directory::Directory;
use crate::daemon::failure::{self, Failure};
use crate::daemon::rescue::RENEW;
use crate::daemon::spare_keys::SpareKeys;
use crate::daemon::store::STATE_FILE;
use crate::daemon::tls::{KeyError, Keys};
use crate::protocol::units::{ClusterId, NodeId, StorageId};

/// Holds the storage id until a state does.
pub(crate) const STORAGE_FILE: &str = "storage.id";
const STORAGE_FILE_MAX: u64 = 64;
/// The directory of the node's key and certificate, inside the state directory.
const KEYS_DIRECTORY: &str = "keys";

/// The node's keys, made if there are none. A lost certificate is made again from its key; a lost
/// key is not made again where a state is: the cluster would not know it.
///
/// # Errors
/// They are there and cannot be used, or cannot be made.
pub fn keys_or_new(directory: &Directory, node: &NodeId) -> Result<Keys, Failure> {
    let path = directory.path().join(KEYS_DIRECTORY);
    match Keys::load(&path) {
        Err(KeyError::Missing(_)) if Keys::is_in(&path) => {
            Keys::mend(&path, node).map_err(|error| failure_of(&error))
        }
        Err(KeyError::Missing(_)) if directory.has(STATE_FILE) => Err(lost_key(&path)),
        Err(KeyError::Missing(_)) => {
            let keys = Keys::generate(node);
            keys.save(&path).map_err(|error| failure_of(&error))?;
            Ok(keys)
        }
        outcome => outcome.map_err(|error| failure_of(&error)),
    }
}

/// The node's keys, made anew if they are lost, whatever else is there: for a node that begins
/// anew, and whom nobody has to know.
///
/// # Errors
/// As [`keys_or_new`].
pub(crate) fn keys_in_need(directory: &Directory, node: &NodeId) -> Result<Keys, Failure> {
    let path = directory.path().join(KEYS_DIRECTORY);
    if Keys::is_in(&path) {
        return keys_or_new(directory, node);
    }
    let keys = Keys::generate(node);
    keys.save(&path).map_err(|error| failure_of(&error))?;
    Ok(keys)
}

/// The node's keys, which must be there.
///
/// # Errors
/// They are missing, open to others, or damaged.
pub fn load_keys(directory: &Directory) -> Result<Keys, Failure> {
    let path = directory.path().join(KEYS_DIRECTORY);
    let has_lost_key = !Keys::is_in(&path) && directory.has(STATE_FILE);
    if has_lost_key {
        return Err(lost_key(&path));
    }
    Keys::load(&path).map_err(|error| failure_of(&error))
}

/// The node's second key, while its key changes.
#[must_use]
pub fn spare_keys(directory: &Path, node: &NodeId) -> SpareKeys {
    SpareKeys::new(&directory.join(KEYS_DIRECTORY), node)
}

/// Ends what a change of the key left half done when it was broken off.
///
/// # Errors
/// The key is unusable, or the disk failed.
pub fn settle_keys(directory: &Directory, node: &NodeId) -> Result<(), Failure> {
    spare_keys(directory.path(), node).settle().map_err(|error| failure_of(&error))
}

/// Where the private key is.
#[must_use]
pub fn key_file(directory: &Path) -> PathBuf {
    Keys::file_in(&directory.join(KEYS_DIRECTORY))
}

fn lost_key(path: &Path) -> Failure {
    let message = format!(
        "this node has a state, and its key in {} is gone: restore {KEYS_DIRECTORY}/ from a \
         backup; a new key would not be in cluster.yaml. Without one, {RENEW}",
        path.display()
    );
    Failure::new(failure::CONFIG, message)
}

fn failure_of(error: &KeyError) -> Failure {
    let code = match error {
        KeyError::Missing(_) => failure::NO_INPUT,
        KeyError::Exists(_) => failure::CANNOT_CREATE,
        KeyError::Read(..) | KeyError::Write(..) => failure::IO,
        KeyError::NotAFile(_) | KeyError::Malformed(..) | KeyError::Mismatch(_) => {
            failure::BAD_DATA
        }
        KeyError::WrongOwner { .. } | KeyError::TooOpen { .. } => failure::NO_PERMISSION,
    };
    Failure::new(code, error.to_string())
}

/// The storage id that waits for a state, if one does.
///
/// # Errors
/// Its file is not private or holds no storage id.
pub fn unspent_storage(directory: &Directory) -> Result<Option<StorageId>, Failure> {
    let Some(bytes) = directory.read(STORAGE_FILE, STORAGE_FILE_MAX)? else { return Ok(None) };
    let text = String::from_utf8_lossy(&bytes);
    let storage = StorageId::from_hex(text.trim()).ok_or_else(|| {
        let path = directory.path().join(STORAGE_FILE);
        let message = format!(
            "{} holds no storage id: remove it and run `quorate init` again for a new one",
            path.display()
        );
        Failure::new(failure::BAD_DATA, message)
    })?;
    Ok(Some(storage))
}

/// A new storage id, on disk before anybody hears of it.
///
/// # Errors
/// The disk or the random source failed.
pub fn new_storage(directory: &Directory) -> Result<StorageId, Failure> {
    let storage = StorageId(random()?);
    directory.replace(STORAGE_FILE, format!("{storage}\n").as_bytes())?;
    Ok(storage)
}

/// A state carries the storage id now: nobody may found with it again.
///
/// # Errors
/// The disk failed.
pub fn spend_storage(directory: &Directory) -> Result<(), Failure> {
    directory.remove(STORAGE_FILE)
}

/// A new cluster's identity.
///
/// # Errors
/// The random source failed.
pub fn new_cluster() -> Result<ClusterId, Failure> {
    random().map(ClusterId)
}

/// `N` random bytes from the system.
///
/// # Errors
/// It has none.
pub fn random<const N: usize>() -> Result<[u8; N], Failure> {
    let mut bytes = [0; N];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| Failure::new(failure::IO, "the system gives no random numbers"))?;
    Ok(bytes)
}
