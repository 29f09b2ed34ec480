//! Owns how `quorate doctor` looks at a node's files from outside: what is there, whose it is and
//! who may do what with it; without a daemon, also whether one could start.
//! Never changes, locks or repairs anything, and never judges what it finds.

use std::fs::{self, Metadata};
use std::io;
use std::net::TcpListener;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use serde::{Serialize, Serializer};

use crate::daemon::arrival;
use crate::daemon::directory::Directory;
use crate::daemon::identity;
use crate::daemon::serve::charter_of;
use crate::daemon::socket::{in_words, resolved};
use crate::daemon::store::{STATE_FILE, Store};
use crate::protocol::durable::Durable;
use crate::protocol::timing::Timing;
use crate::protocol::units::NodeId;
use crate::settings::cluster;
use crate::settings::paths::Places;

/// Permissions of others than the owner.
const OF_OTHERS: u32 = 0o077;

/// What a file is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// node.yaml.
    Config,
    /// The state directory.
    Directory,
    /// The state.
    State,
    /// The private key.
    Key,
    /// The control socket.
    Socket,
}

/// One file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct FileFacts {
    /// What it is for.
    pub purpose: Purpose,
    /// Where it is.
    #[serde(serialize_with = "shown")]
    pub path: PathBuf,
    /// What is there.
    pub found: Found,
}

/// What is at a path.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Found {
    /// Nothing.
    Nothing,
    /// It cannot be said, and why.
    Hidden(String),
    /// Something.
    Thing {
        /// Whether it is of the kind it should be: a plain file, a directory, a socket.
        #[serde(rename = "right_kind")]
        is_right_kind: bool,
        /// Its permissions, in octal where they are spelled.
        #[serde(serialize_with = "octal")]
        mode: u32,
        /// Its owner.
        user: u32,
    },
}

/// As people are shown it: JSON has no room for bytes that are no text.
fn shown<S: Serializer>(path: &Path, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(&path.display())
}

/// As chmod(1) has it.
fn octal<S: Serializer>(mode: &u32, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(&format_args!("{mode:04o}"))
}

/// The room where the state directory is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Space {
    /// Bytes that this user may still write.
    pub free_bytes: u64,
    /// Files that may still be made; null where there is no such limit.
    pub free_files: Option<u64>,
}

/// What a daemon would find at its start.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Start {
    /// Its state, if it can be read.
    pub state: Result<StateFacts, String>,
    /// Whether that state belongs here and may speak; nothing is said of one that cannot be read.
    pub belongs: Result<(), String>,
    /// Whether its key can be used.
    pub keys: Result<(), String>,
    /// Whether it could listen there.
    pub listen: Result<(), String>,
}

/// What a state file says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StateFacts {
    /// Whose it is.
    pub node: NodeId,
    /// Of which cluster.
    pub cluster: String,
    /// Its term.
    pub term: u64,
    /// The content revision of its committed document.
    pub revision: u64,
    /// The timing of that document.
    pub timing: Timing,
    /// What a forced recovery wrote into it.
    pub forced: Option<String>,
}

impl StateFacts {
    fn of(durable: &Durable) -> Self {
        let charter = &durable.committed.charter;
        Self {
            node: durable.identity.node.clone(),
            cluster: charter.name.to_string(),
            term: durable.term.0,
            revision: durable.committed.revision,
            timing: charter.timing,
            forced: cluster::forced(&durable.committed.body),
        }
    }
}

/// Every file of a node.
#[must_use]
pub fn files(places: &Places) -> Vec<FileFacts> {
    let directory = &places.state_dir.path;
    let all = [
        (Purpose::Config, places.config.path.clone()),
        (Purpose::Directory, directory.clone()),
        (Purpose::State, directory.join(STATE_FILE)),
        (Purpose::Key, identity::key_file(directory)),
        (Purpose::Socket, places.socket.path.clone()),
    ];
    all.into_iter().map(|(purpose, path)| look(purpose, path)).collect()
}

fn look(purpose: Purpose, path: PathBuf) -> FileFacts {
    // node.yaml may be a link; our own files never are.
    let looked = match purpose {
        Purpose::Config => fs::metadata(&path),
        Purpose::Directory | Purpose::State | Purpose::Key | Purpose::Socket => {
            fs::symlink_metadata(&path)
        }
    };
    let found = match looked {
        Ok(found) => Found::Thing {
            is_right_kind: is_right(purpose, &found),
            mode: found.mode() & 0o7777,
            user: found.uid(),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Found::Nothing,
        Err(error) => Found::Hidden(error.to_string()),
    };
    FileFacts { purpose, path, found }
}

fn is_right(purpose: Purpose, found: &Metadata) -> bool {
    match purpose {
        Purpose::Config | Purpose::State | Purpose::Key => found.is_file(),
        Purpose::Directory => found.is_dir(),
        Purpose::Socket => found.file_type().is_socket(),
    }
}

/// The room below `directory`.
///
/// # Errors
/// What the system says.
pub fn space(directory: &Path) -> io::Result<Space> {
    let found = rustix::fs::statvfs(directory)?;
    Ok(Space {
        free_bytes: found.f_bavail.saturating_mul(found.f_frsize),
        // File systems that make files as they need them count none at all.
        free_files: (found.f_files > 0).then_some(found.f_favail),
    })
}

/// What a daemon would find; only where none runs. `may_move` is what node.yaml says of it.
#[must_use]
pub fn start(places: &Places, listen: &str, may_move: bool) -> Start {
    let path = &places.state_dir.path;
    let directory =
        private(path).and_then(|()| Directory::look(path).map_err(|failure| failure.to_string()));
    let state = directory.as_ref().map_err(Clone::clone).and_then(|directory| {
        let (state, marks) =
            Store::read_marked(directory, charter_of).map_err(|failure| failure.to_string())?;
        let storage = state.identity.storage;
        let belongs = arrival::check_suspended(&marks)
            .and_then(|()| arrival::check_place(directory, storage, &marks, may_move).map(drop))
            .map_err(|failure| failure.to_string());
        Ok((StateFacts::of(&state), belongs))
    });
    let (state, belongs) = match state {
        Ok((state, belongs)) => (Ok(state), belongs),
        Err(why) => (Err(why), Ok(())),
    };
    let keys = directory.and_then(|directory| {
        identity::load_keys(&directory).map(drop).map_err(|failure| failure.to_string())
    });
    Start { state, belongs, keys, listen: listened(listen) }
}

/// Opening a directory takes the rights of others away, as a daemon does. Here nothing changes.
fn private(path: &Path) -> Result<(), String> {
    match fs::metadata(path) {
        Ok(found) if found.mode() & OF_OTHERS == 0 => Ok(()),
        Ok(_) => Err("not looked at: others may use the state directory".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

fn listened(listen: &str) -> Result<(), String> {
    let bound = resolved(listen).and_then(|found| TcpListener::bind(&found[..]));
    bound.map(drop).map_err(|error| in_words(&error))
}
