//! Reads and writes the files that operators carry about: backups, and state files of other nodes.
//! Never takes a part of one: a file is whole and sound, or it is refused with its name.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use crate::daemon::durably;
use crate::daemon::failure::{self, Failure};
use crate::daemon::serve::charter_of;
use crate::daemon::store::STATE_FILE_MAX;
use crate::wire::backup::Backup;
use crate::wire::record::{self, RecordError};

/// Reads a backup, or the state file of some node as if it were one; `made` of a state is empty.
pub(super) fn read(path: &Path) -> Result<Backup, Failure> {
    let failed = |error: io::Error| {
        let code =
            if error.kind() == io::ErrorKind::NotFound { failure::NO_INPUT } else { failure::IO };
        Failure::of_system(code, &format!("cannot read {}", path.display()), &error)
    };
    let file = File::open(path).map_err(failed)?;
    if !file.metadata().map_err(failed)?.is_file() {
        let message = format!("{} is no plain file", path.display());
        return Err(Failure::new(failure::BAD_DATA, message));
    }
    let mut bytes = Vec::new();
    // A document is there twice at most, and JSON may need twice its size.
    file.take(STATE_FILE_MAX * 2).read_to_end(&mut bytes).map_err(failed)?;
    if Backup::is_in(&bytes) {
        return Backup::decode(&bytes, &charter_of).map_err(|error| spoilt(path, "backup", &error));
    }
    let durable =
        record::decode(&bytes, &charter_of).map_err(|error| spoilt(path, "state file", &error))?;
    Ok(Backup::of(&durable, String::new()))
}

fn spoilt(path: &Path, kind: &str, error: &RecordError) -> Failure {
    let why = match error {
        RecordError::NotAState => "it is no backup and no state file of quorate".to_owned(),
        RecordError::NewerVersion(_)
        | RecordError::Truncated
        | RecordError::Corrupt
        | RecordError::Malformed(_) => format!("as a {kind}: {error}; take another one"),
    };
    Failure::new(failure::BAD_DATA, format!("{}: {why}", path.display()))
}

/// Replaces the file at `path` by `bytes`, for its owner only: afterwards it is on disk, whole, or
/// what it was before.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let failed = |error: io::Error| {
        let what = format!("cannot write {}", path.display());
        Failure::of_system(failure::CANNOT_CREATE, &what, &error)
    };
    if fs::symlink_metadata(path).is_ok_and(|found| !found.is_file()) {
        let message = format!("{} is no plain file: name another", path.display());
        return Err(Failure::new(failure::CANNOT_CREATE, message));
    }
    durably::replace(path, bytes, durably::SECRET).map_err(failed)
}
