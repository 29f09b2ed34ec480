//! The first frame of a session, each way: who I am, in which cluster, speaking which versions.
//! Never proves anything; the key did that before, and a name that is not the key's is refused.
//!
//! Both sides name the oldest and the newest version of the protocol that they speak, and speak
//! the newest one that both know. Later releases may add fields to any message, which this one
//! passes over; what it must not pass over comes with a version of its own.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::protocol::durable::Identity;
use crate::protocol::units::{ClusterId, NodeId, StorageId};
use crate::wire::codec::quoted;
use crate::wire::marks::Seen;

/// The versions of the protocol between nodes that this release speaks.
pub const SPOKEN: Versions = Versions { oldest: 1, newest: 1 };

/// The longest name of a release that is repeated to anybody, in bytes.
const RELEASE_MAX: usize = 32;
/// The longest address: a name of 253 characters and a port.
const ADDRESS_MAX: usize = 260;

/// Versions of the protocol between nodes, from one to another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Versions {
    /// The oldest of them.
    pub oldest: u32,
    /// The newest of them.
    pub newest: u32,
}

impl Versions {
    /// The newest version that is in both; none if they have none in common.
    #[must_use]
    pub fn common(self, other: Self) -> Option<u32> {
        let newest = self.newest.min(other.newest);
        (newest >= self.oldest.max(other.oldest)).then_some(newest)
    }
}

impl fmt::Display for Versions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.oldest, self.newest) {
            (oldest, newest) if oldest == newest => write!(f, "version {oldest}"),
            (oldest, newest) => write!(f, "versions {oldest} to {newest}"),
        }
    }
}

/// What each side says first.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Hello {
    /// The oldest version the sender speaks: all that the first release looks at.
    pub version: u32,
    /// The newest one, if that is another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newest: Option<u32>,
    /// The release the sender runs, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<String>,
    /// Where the sender says it can be reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
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
    /// How many writes of the state are on the sender's disk: fewer than were seen before are a
    /// disk that was rolled back (R54).
    pub sequence: u64,
    /// Tells one boot of a machine from others, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boot: Option<String>,
    /// How far the sender has seen the other side's disk come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<Seen>,
    /// Whether the sender hears two processes with the other side's key (R55).
    #[serde(default, skip_serializing_if = "is_false")]
    pub doubled: bool,
    /// The cluster that the sender's was made from by force (R62).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub former: Option<ClusterId>,
    /// Whether the sender takes `Progress` frames.
    #[serde(default, skip_serializing_if = "is_false")]
    pub hears_progress: bool,
}

/// A boot's name is not longer, in bytes.
const BOOT_MAX: usize = 32;

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
fn is_false(value: &bool) -> bool {
    !*value
}

/// Why a session ends at the hello.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum HelloError {
    /// Not a hello at all.
    Malformed(String),
    /// No protocol version that both speak.
    NoCommonVersion(Versions),
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
    /// The cluster that ours became by a forced recovery.
    Recovered {
        /// Theirs.
        theirs: ClusterId,
        /// Its generation.
        generation: u64,
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
            Self::NoCommonVersion(theirs) => write!(
                f,
                "it speaks protocol {theirs}; this release speaks only {SPOKEN}: run releases \
                 that share a version on both"
            ),
            Self::OtherCluster { theirs, ours } => {
                write!(f, "other cluster: it belongs to {theirs}, this node to {ours}")
            }
            Self::OtherGeneration { theirs, ours } => write!(
                f,
                "other generation: it is in {theirs}, this node in {ours}; the lower one missed \
                 a forced recovery and must join anew"
            ),
            Self::Recovered { theirs, generation } => write!(
                f,
                "this cluster was recovered by force without this node: it goes on as cluster \
                 {theirs}, generation {generation}, and nothing said here counts there. If that \
                 was right, stop this daemon and run `quorate init --renew` to join it; if this \
                 side has the majority, the recovery was wrong: stop the other one"
            ),
            Self::OtherName { claimed, proved } => {
                write!(f, "it calls itself {claimed}, and its key belongs to {proved}")
            }
        }
    }
}

impl std::error::Error for HelloError {}

impl Hello {
    /// This process's hello, without an address.
    #[must_use]
    pub fn of(identity: &Identity, instance: u64, sequence: u64) -> Self {
        let Versions { oldest, newest } = SPOKEN;
        Self {
            version: oldest,
            newest: (newest != oldest).then_some(newest),
            release: Some(env!("CARGO_PKG_VERSION").into()),
            address: None,
            cluster: identity.cluster,
            generation: identity.generation,
            node: identity.node.clone(),
            storage: identity.storage,
            instance,
            sequence,
            boot: None,
            seen: None,
            doubled: false,
            former: None,
            hears_progress: false,
        }
    }

    /// Spells it.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a hello is names and numbers: JSON can spell them")
    }

    /// The versions the sender speaks.
    #[must_use]
    pub fn versions(&self) -> Versions {
        Versions { oldest: self.version, newest: self.newest.unwrap_or(self.version) }
    }

    /// Whether the sender knows a version that this release does not.
    #[must_use]
    pub fn is_newer(&self) -> bool {
        self.versions().newest > SPOKEN.newest
    }

    /// Reads a hello that has a version in common with us; of any other it reads the versions
    /// only. Words for people that nobody could repeat safely are left out.
    ///
    /// # Errors
    /// `Malformed` or `NoCommonVersion`.
    pub fn decode(bytes: &[u8]) -> Result<Self, HelloError> {
        #[derive(Deserialize)]
        struct Spoken {
            version: u64,
            #[serde(default)]
            newest: Option<u64>,
        }
        let malformed = |e: serde_json::Error| HelloError::Malformed(quoted(&e));
        let Spoken { version, newest } = serde_json::from_slice(bytes).map_err(malformed)?;
        let number = |version: u64| u32::try_from(version).unwrap_or(u32::MAX);
        let (oldest, newest) = (number(version), number(newest.unwrap_or(version)));
        let theirs = Versions { oldest, newest };
        if SPOKEN.common(theirs).is_none() {
            return Err(HelloError::NoCommonVersion(theirs));
        }
        let hello: Self = serde_json::from_slice(bytes).map_err(malformed)?;
        let release = hello.release.filter(|word| is_speakable(word, RELEASE_MAX));
        let address = hello.address.filter(|word| is_speakable(word, ADDRESS_MAX));
        let is_name = |name: &String| {
            name.len() <= BOOT_MAX && name.bytes().all(|byte| byte.is_ascii_hexdigit())
        };
        let boot = hello.boot.filter(is_name);
        Ok(Self { release, address, boot, ..hello })
    }

    /// Whether a session with `proved`, whose key the handshake proved, may begin.
    ///
    /// # Errors
    /// The first thing that does not fit `ours`.
    pub fn fits(&self, ours: &Self, proved: &NodeId) -> Result<(), HelloError> {
        if self.cluster != ours.cluster && self.former == Some(ours.cluster) {
            let Self { cluster: theirs, generation, .. } = *self;
            return Err(HelloError::Recovered { theirs, generation });
        }
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

/// One word that can stand in a sentence.
fn is_speakable(word: &str, bytes_max: usize) -> bool {
    (1..=bytes_max).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_graphic())
}
