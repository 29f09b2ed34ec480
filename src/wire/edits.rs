//! The JSON spelling of what became of an edit. Never checks what it means; the protocol does.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::protocol::edit::{EditOutcome, EditReply, Rejection};
use crate::protocol::membership::ChangeRefusal;
use crate::protocol::units::{NodeId, Nonce, Position};
use crate::wire::spelling::by_mirror;

by_mirror!(
    EditReply as EditReplyMirror,
    EditOutcome as EditOutcomeMirror,
    Rejection as RejectionMirror,
    ChangeRefusal as ChangeRefusalMirror,
);

#[derive(Serialize, Deserialize)]
#[serde(remote = "EditReply")]
struct EditReplyMirror {
    nonce: Nonce,
    outcome: EditOutcome,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "EditOutcome", rename_all = "kebab-case")]
enum EditOutcomeMirror {
    Committed { position: Position, revision: u64 },
    Rejected(Rejection),
    Unknown,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Rejection", rename_all = "kebab-case")]
enum RejectionMirror {
    NotMaster {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        master: Option<NodeId>,
    },
    RevisionMoved {
        now: u64,
    },
    EditPending,
    OtherCluster,
    Members(ChangeRefusal),
    LeaseTooShort,
    TooFarApart {
        #[serde(rename = "round_trip_ns", default, with = "some_nanoseconds")]
        #[serde(skip_serializing_if = "Option::is_none")]
        round_trip: Option<Duration>,
    },
    StorageFailed,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "ChangeRefusal", rename_all = "kebab-case")]
enum ChangeRefusalMirror {
    TwoAtOnce,
    MasterMustLead,
    NotAnObserver { node: NodeId },
    NotCaughtUp { node: NodeId },
    DocumentMissing { at: NodeId },
    OtherKey { node: NodeId },
    NoMajority { have: usize, need: usize },
}

/// A span that is there: whole nanoseconds, as elsewhere.
mod some_nanoseconds {
    use super::{Deserialize, Deserializer, Duration, Serialize, Serializer};

    #[expect(clippy::ref_option, reason = "serde asks for this signature")]
    pub(super) fn serialize<S: Serializer>(
        span: &Option<Duration>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        let nanoseconds = |span: Duration| u64::try_from(span.as_nanos()).unwrap_or(u64::MAX);
        span.map(nanoseconds).serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Duration>, D::Error> {
        Ok(Option::<u64>::deserialize(from)?.map(Duration::from_nanos))
    }
}
