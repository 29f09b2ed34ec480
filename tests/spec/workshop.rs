//! What the daemon's tests are made of: a directory per test, documents, records, settings.
//! Never asserts anything.

use std::path::{Path, PathBuf};

use quorate::daemon::directory::Directory;
use quorate::daemon::store::Store;
use quorate::protocol::durable::{Document, Durable, Identity};
use quorate::protocol::membership::{Charter, Member, MemberRole};
use quorate::protocol::units::{ClusterId, NodeId, Pin, Position, StorageId, Term};
use quorate::settings::cluster;
use quorate::settings::paths::{Place, Places};
use quorate::wire::marks::Marks;

/// A place on disk that goes away with the test.
pub(crate) struct Workshop(tempfile::TempDir);

impl Workshop {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary directory"))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn state_path(&self) -> PathBuf {
        self.path("state-dir")
    }

    /// The state directory, made and locked.
    pub(crate) fn directory(&self) -> Directory {
        Directory::make(&self.state_path()).expect("a state directory")
    }

    /// A store that holds `record`.
    pub(crate) fn store(&self, record: Durable) -> Store {
        Store::found(self.directory(), record, Marks::default()).expect("a first state")
    }

    pub(crate) fn places(&self) -> Places {
        let place = |name: &str| Place { path: self.path(name), origin: "test".to_owned() };
        Places {
            config: place("node.yaml"),
            state_dir: place("state-dir"),
            socket: place("run/quorate.sock"),
        }
    }
}

/// The member `name` of every test document; `number` makes its key and disk its own.
pub(crate) fn member(name: &str, number: u8) -> Member {
    Member {
        id: node(name),
        address: format!("127.0.0.1:{}", 9900 + u16::from(number)).into(),
        role: MemberRole::Voter,
        priority: 100,
        pin: Pin([number; 32]),
        storage: StorageId([number; 16]),
        next_pin: None,
        is_in_sync: true,
        standby: None,
    }
}

pub(crate) fn node(name: &str) -> NodeId {
    NodeId::new(name).expect("a name")
}

/// A first document with these members.
pub(crate) fn document(members: &[Member]) -> Document {
    let lines: Vec<String> = members.iter().map(cluster::node_line).collect();
    let body = format!("{}{}\n", cluster::template("shop", ClusterId([7; 16])), lines.join("\n"));
    let first = Position { term: Term(0), version: 1 };
    cluster::document(&body, "cluster.yaml", first, 1).expect("a document")
}

/// The first state of the first member.
pub(crate) fn founding(members: &[Member]) -> Durable {
    let identity = Identity {
        cluster: ClusterId([7; 16]),
        generation: 1,
        node: members[0].id.clone(),
        storage: members[0].storage,
    };
    Durable::founding(identity, document(members))
}

/// The first state of alpha, alone in its cluster.
pub(crate) fn alone() -> Durable {
    founding(&[member("alpha", 1)])
}

/// The same node, one write later, in a later term.
pub(crate) fn later(record: &Durable) -> Durable {
    let term = record.term.next().expect("a next term");
    Durable { sequence: record.sequence + 1, term, vote: None, ..record.clone() }
}

pub(crate) fn charter_of(body: &str) -> Result<Charter, String> {
    cluster::parse(body, "cluster.yaml").map_err(|problem| problem.to_string())
}

pub(crate) fn chmod(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("chmod");
}
