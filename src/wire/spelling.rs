//! The JSON spelling of the protocol's values, shared by messages and the state file.
//! Never checks what they mean together; the protocol's constructors and rules do.
//!
//! Names are strings of their own alphabet, identities lower-case hexadecimal, spans whole
//! nanoseconds. Unknown fields are skipped, so that a later release may add some; unknown
//! variants, missing fields and repeated fields are errors.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::protocol::durable::Identity;
use crate::protocol::message::{
    AppendAck, Ballot, Candidacy, Echo, Fetch, Handover, HandoverRefusal, HandoverReply, Heartbeat,
    HeartbeatAck, Presence, Refusal, Release, Released, Verdict,
};
use crate::protocol::units::{
    ClusterId, Hash, Moment, NodeId, Nonce, Pin, Position, StorageId, Term,
};

/// The most names one list may have.
pub(crate) const NAMES_MAX: usize = 64;

impl Serialize for NodeId {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for NodeId {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_str(NameVisitor)
    }
}

/// Reads a name without keeping a forbidden one: the error repeats nothing the peer sent.
struct NameVisitor;

impl de::Visitor<'_> for NameVisitor {
    type Value = NodeId;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a node's name")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<NodeId, E> {
        NodeId::new(text)
            .ok_or_else(|| E::custom("a node's name is 1 to 64 characters of [A-Za-z0-9._-]"))
    }
}

/// Spells fixed-size identities as lower-case hexadecimal.
macro_rules! hexadecimal {
    ($($name:ident),+) => {$(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                struct HexVisitor;

                impl de::Visitor<'_> for HexVisitor {
                    type Value = $name;

                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str("lower-case hexadecimal digits")
                    }

                    fn visit_str<E: de::Error>(self, text: &str) -> Result<$name, E> {
                        $name::from_hex(text).ok_or_else(|| {
                            E::custom("an identity has too few, too many or wrong digits")
                        })
                    }
                }

                from.deserialize_str(HexVisitor)
            }
        }
    )+};
}

hexadecimal!(ClusterId, StorageId, Hash, Pin);

/// Spells counters as plain numbers.
macro_rules! number {
    ($($name:ident),+) => {$(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_u64(self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                u64::deserialize(from).map($name)
            }
        }
    )+};
}

number!(Term, Nonce);

/// Spells a value by its mirror below. serde keeps mirror and value the same: a field or variant
/// that one of them lacks does not compile.
macro_rules! by_mirror {
    ($($value:ident as $mirror:ident),+ $(,)?) => {$(
        impl Serialize for $value {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                $mirror::serialize(self, to)
            }
        }

        impl<'de> Deserialize<'de> for $value {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                $mirror::deserialize(from)
            }
        }
    )+};
}
pub(super) use by_mirror;

by_mirror!(
    Position as PositionMirror,
    Moment as MomentMirror,
    Echo as EchoMirror,
    Identity as IdentityMirror,
    Presence as PresenceMirror,
    Heartbeat as HeartbeatMirror,
    HeartbeatAck as HeartbeatAckMirror,
    Candidacy as CandidacyMirror,
    Ballot as BallotMirror,
    Verdict as VerdictMirror,
    Refusal as RefusalMirror,
    AppendAck as AppendAckMirror,
    Fetch as FetchMirror,
    Release as ReleaseMirror,
    Released as ReleasedMirror,
    Handover as HandoverMirror,
    HandoverRefusal as HandoverRefusalMirror,
    HandoverReply as HandoverReplyMirror,
);

#[derive(Serialize, Deserialize)]
#[serde(remote = "Position")]
struct PositionMirror {
    term: Term,
    version: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Moment")]
struct MomentMirror {
    boot_ns: u64,
    raw_ns: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Echo")]
struct EchoMirror {
    reading: Moment,
    #[serde(rename = "held_ns", with = "nanoseconds")]
    held: Duration,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Identity")]
struct IdentityMirror {
    cluster: ClusterId,
    generation: u64,
    node: NodeId,
    storage: StorageId,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Presence")]
struct PresenceMirror {
    term: Term,
    position: Position,
    storage: StorageId,
    #[serde(rename = "vote_ready")]
    is_vote_ready: bool,
    #[serde(rename = "electable")]
    is_electable: bool,
    #[serde(rename = "healthy", default = "unless_it_says")]
    is_healthy: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    freshness: Option<u64>,
    #[serde(default, rename = "age_ns", with = "nanoseconds")]
    age: Duration,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    follows: Option<NodeId>,
    #[serde(with = "few_names")]
    hears: Arc<[NodeId]>,
    reading: Moment,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    echo: Option<Echo>,
}

/// The first release knows no health: its nodes are well.
fn unless_it_says() -> bool {
    true
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Heartbeat")]
struct HeartbeatMirror {
    term: Term,
    sequence: u64,
    #[serde(rename = "promise_ns", with = "nanoseconds")]
    promise: Duration,
    position: Position,
    hash: Hash,
    committed: Position,
    #[serde(rename = "acting")]
    is_acting: bool,
    presence: Presence,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "HeartbeatAck")]
struct HeartbeatAckMirror {
    term: Term,
    sequence: u64,
    position: Position,
    hash: Hash,
    verdict: Verdict,
    presence: Presence,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Candidacy")]
struct CandidacyMirror {
    term: Term,
    position: Position,
    storage: StorageId,
    nonce: Nonce,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    release: Option<Released>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Ballot")]
struct BallotMirror {
    candidacy: Term,
    nonce: Nonce,
    term: Term,
    position: Position,
    storage: StorageId,
    verdict: Verdict,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Verdict", rename_all = "kebab-case")]
enum VerdictMirror {
    Granted,
    Refused(Refusal),
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Refusal", rename_all = "kebab-case")]
enum RefusalMirror {
    StaleTerm {
        mine: Term,
    },
    TermJump {
        mine: Term,
    },
    AlreadyVoted {
        by: NodeId,
    },
    PositionBehind {
        mine: Position,
    },
    PositionConflict {
        at: Position,
    },
    Promised {
        to: NodeId,
        #[serde(rename = "remaining_ns", with = "nanoseconds")]
        remaining: Duration,
    },
    LeaseHolder {
        #[serde(rename = "remaining_ns", with = "nanoseconds")]
        remaining: Duration,
    },
    StillStopping,
    QuietPeriod {
        #[serde(rename = "remaining_ns", with = "nanoseconds")]
        remaining: Duration,
    },
    StorageFailed,
    NotAVoter,
    SecondMaster {
        first: NodeId,
    },
    Released,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "AppendAck")]
struct AppendAckMirror {
    term: Term,
    position: Position,
    hash: Hash,
    storage: StorageId,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Fetch")]
struct FetchMirror {
    have: Position,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Release")]
struct ReleaseMirror {
    term: Term,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    successor: Option<NodeId>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Released")]
struct ReleasedMirror {
    holder: NodeId,
    term: Term,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Handover")]
struct HandoverMirror {
    nonce: Nonce,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    to: Option<NodeId>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "HandoverRefusal", rename_all = "kebab-case")]
enum HandoverRefusalMirror {
    NotMaster,
    NotElectable,
    AlreadyMaster,
    NotFresh,
    Behind,
    NotReady,
    HeldOff,
    Unhealthy,
    SeesNoMajority,
    TooFewVoters,
    EditPending,
    Underway,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "HandoverReply")]
struct HandoverReplyMirror {
    nonce: Nonce,
    #[serde(with = "outcome")]
    begun: Result<NodeId, HandoverRefusal>,
}

/// A list of names that ends as soon as it is too long.
mod few_names {
    use super::*;

    pub(super) fn serialize<S: Serializer>(names: &[NodeId], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(names)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Arc<[NodeId]>, D::Error> {
        from.deserialize_seq(Names).map(Arc::from)
    }

    struct Names;

    impl<'de> de::Visitor<'de> for Names {
        type Value = Vec<NodeId>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(f, "at most {NAMES_MAX} names")
        }

        fn visit_seq<A: de::SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
            let mut names = Vec::new();
            while let Some(name) = list.next_element()? {
                if names.len() == NAMES_MAX {
                    return Err(de::Error::invalid_length(NAMES_MAX + 1, &self));
                }
                names.push(name);
            }
            Ok(names)
        }
    }
}

/// Spans as whole nanoseconds; more than 584 years count as that.
pub(crate) mod nanoseconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(span: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(u64::try_from(span.as_nanos()).unwrap_or(u64::MAX))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        u64::deserialize(from).map(Duration::from_nanos)
    }
}

/// A handover's outcome: `{"towards": NAME}` or `{"refused": REASON}`.
mod outcome {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::protocol::message::HandoverRefusal;
    use crate::protocol::units::NodeId;

    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    enum Outcome {
        Towards(NodeId),
        Refused(HandoverRefusal),
    }

    type Begun = Result<NodeId, HandoverRefusal>;

    pub(super) fn serialize<S: Serializer>(begun: &Begun, to: S) -> Result<S::Ok, S::Error> {
        let outcome = match begun.clone() {
            Ok(node) => Outcome::Towards(node),
            Err(refusal) => Outcome::Refused(refusal),
        };
        outcome.serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Begun, D::Error> {
        Ok(match Outcome::deserialize(from)? {
            Outcome::Towards(node) => Ok(node),
            Outcome::Refused(refusal) => Err(refusal),
        })
    }
}
