//! The first frame of a session, each way: who I am, in which cluster, speaking which version.
//! Never proves anything; the key did that before, and a name that is not the key's is refused.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::protocol::durable::Identity;
use crate::protocol::units::{ClusterId, NodeId, StorageId};
use crate::wire::codec::quoted;

/// The version of the protocol between nodes that this release speaks.
pub const VERSION: u32 = 1;

/// What each side says first.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Hello {
    /// The version the sender speaks.
    pub version: u32,
    /// The sender's cluster.
    pub cluster: ClusterId,
    /// The sender's generation of it.
    pub generation: u64,
    /// The sender's name.
    pub node: NodeId,
    /// The sender's disk.
    pub storage: StorageId,
    /// Random, one for each process: tells a restarted node from its former self.
    pub instance: u64,
    /// The state file's sequence at the sender's start: a lower one is a rolled-back disk (R54).
    pub sequence: u64,
}

/// Why a session ends at the hello.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum HelloError {
    /// Not a hello at all.
    Malformed(String),
    /// Another protocol version.
    UnknownVersion(u64),
    /// Another cluster.
    OtherCluster {
        /// Theirs.
        theirs: ClusterId,
        /// Ours.
        ours: ClusterId,
    },
    /// Another generation of our cluster.
    OtherGeneration {
        /// Theirs.
        theirs: u64,
        /// Ours.
        ours: u64,
    },
    /// The name is not the one its key belongs to.
    OtherName {
        /// The claimed name.
        claimed: NodeId,
        /// Whose key it is.
        proved: NodeId,
    },
}

impl fmt::Display for HelloError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(why) => write!(f, "no valid hello: {why}"),
            Self::UnknownVersion(version) => write!(
                f,
                "it speaks protocol version {version}; this release speaks only {VERSION}: \
                 run releases that share a version on both"
            ),
            Self::OtherCluster { theirs, ours } => {
                write!(f, "other cluster: it belongs to {theirs}, this node to {ours}")
            }
            Self::OtherGeneration { theirs, ours } => write!(
                f,
                "other generation: it is in {theirs}, this node in {ours}; the lower one missed \
                 a forced recovery and must join anew"
            ),
            Self::OtherName { claimed, proved } => {
                write!(f, "it calls itself {claimed}, and its key belongs to {proved}")
            }
        }
    }
}

impl std::error::Error for HelloError {}

impl Hello {
    /// This process's hello.
    #[must_use]
    pub fn of(identity: &Identity, instance: u64, sequence: u64) -> Self {
        Self {
            version: VERSION,
            cluster: identity.cluster,
            generation: identity.generation,
            node: identity.node.clone(),
            storage: identity.storage,
            instance,
            sequence,
        }
    }

    /// Spells it.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a hello is names and numbers: JSON can spell them")
    }

    /// Reads a hello of our version; of any other it reads the version only.
    ///
    /// # Errors
    /// `Malformed` or `UnknownVersion`.
    pub fn decode(bytes: &[u8]) -> Result<Self, HelloError> {
        #[derive(Deserialize)]
        struct Version {
            version: u64,
        }
        let malformed = |e: serde_json::Error| HelloError::Malformed(quoted(&e));
        let Version { version } = serde_json::from_slice(bytes).map_err(malformed)?;
        if version != u64::from(VERSION) {
            return Err(HelloError::UnknownVersion(version));
        }
        serde_json::from_slice(bytes).map_err(malformed)
    }

    /// Whether a session with `proved`, whose key the handshake proved, may begin.
    ///
    /// # Errors
    /// The first thing that does not fit `ours`.
    pub fn fits(&self, ours: &Self, proved: &NodeId) -> Result<(), HelloError> {
        if self.cluster != ours.cluster {
            return Err(HelloError::OtherCluster { theirs: self.cluster, ours: ours.cluster });
        }
        if self.generation != ours.generation {
            let [theirs, ours] = [self.generation, ours.generation];
            return Err(HelloError::OtherGeneration { theirs, ours });
        }
        if self.node != *proved {
            let [claimed, proved] = [self.node.clone(), proved.clone()];
            return Err(HelloError::OtherName { claimed, proved });
        }
        Ok(())
    }
}
