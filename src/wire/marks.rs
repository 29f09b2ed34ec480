//! What a state file keeps beside the node's record: where this disk belongs, how far the disks of
//! the others have come, and why this one may not speak. The protocol never sees any of it.
//! Never decides anything; daemon::binding, daemon::annex and daemon::arrival do.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::protocol::membership::{Member, MemberRole};
use crate::protocol::units::{ClusterId, NodeId, Pin, StorageId};

/// Everything that is kept.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub struct Marks {
    /// The machine and directory this state was written on (R53).
    #[serde(default, skip_serializing_if = "Binding::is_empty")]
    pub binding: Binding,
    /// How far the disk of each other voter has come (R54).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub seen: BTreeMap<NodeId, Seen>,
    /// Why nothing this disk says may count any more, until it gets a new storage id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspended: Option<String>,
    /// The cluster that a forced recovery made this one from (R62).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub former: Option<Former>,
}

impl Marks {
    /// Whether there is nothing to keep.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What tells one machine, and one directory on it, from another: hashes, since a machine's id is
/// nobody else's to know. What cannot be read is missing.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub struct Binding {
    /// Of /etc/machine-id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine: Option<String>,
    /// Of the serial number that the firmware or the hypervisor gives the machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<String>,
    /// The inode of the state directory, on file systems where it stays the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inode: Option<u64>,
}

impl Binding {
    /// Whether nothing could be read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// How far one disk has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Seen {
    /// Which disk.
    pub storage: StorageId,
    /// How many writes of its state are known of.
    pub sequence: u64,
}

/// A cluster that is no more, and whose members shall be told so.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Former {
    /// Its identity.
    pub cluster: ClusterId,
    /// Its generation.
    pub generation: u64,
    /// The keys of its members.
    pub keys: BTreeMap<NodeId, Pin>,
}

impl Former {
    /// Its members as far as trusting their keys goes: they are reached nowhere and count nowhere.
    pub fn members(&self) -> impl Iterator<Item = Member> {
        self.keys.iter().map(|(id, pin)| Member {
            id: id.clone(),
            address: "".into(),
            role: MemberRole::Observer,
            priority: 0,
            pin: *pin,
            storage: StorageId([0; 16]),
            is_in_sync: true,
            next_pin: None,
            standby: None,
        })
    }
}
