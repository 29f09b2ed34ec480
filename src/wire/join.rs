//! What a node that has a token asks, in one small frame, and what it is answered, in one frame.
//! Never says whether to let it in; the daemon of the member that was asked does.
//!
//! An answer is a line of JSON; a welcome is followed by the body of the committed document.

use serde::{Deserialize, Serialize};

use crate::protocol::durable::Document;
use crate::protocol::units::{ClusterId, NodeId, StorageId};
use crate::wire::codec::{CharterOf, Header, WireError, quoted};
use crate::wire::proof::Proof;
use crate::wire::token::InviteId;

/// By this name a caller says in its first bytes that it comes to join, and in which version.
pub const PROTOCOL: &[u8] = b"quorate-join/1";
/// The longest address a node may want to be reached at: a DNS name and a port.
pub const ADDRESS_MAX: usize = 262;

/// Who wants to join. Its key is the one that the session proved.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct JoinRequest {
    /// The cluster of its token.
    pub cluster: ClusterId,
    /// The invitation of its token, as [`InviteId`] spells it.
    invite: String,
    /// What it wants to be called.
    pub node: NodeId,
    /// Where the others reach it, as `host:port`.
    pub address: String,
    /// Its disk.
    pub storage: StorageId,
    /// That it has the token.
    pub proof: Proof,
}

impl JoinRequest {
    /// What the node called `node`, with that disk, at that address, asks with its token.
    #[must_use]
    pub fn new(
        (cluster, invite): (ClusterId, InviteId),
        node: NodeId,
        address: String,
        storage: StorageId,
        proof: Proof,
    ) -> Self {
        Self { cluster, invite: invite.to_string(), node, address, storage, proof }
    }

    /// The invitation; none if it is no name of one.
    #[must_use]
    pub fn invite(&self) -> Option<InviteId> {
        InviteId::from_hex(&self.invite)
    }

    /// Spells it.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("names and numbers: JSON can spell them")
    }

    /// Reads what [`JoinRequest::encode`] wrote.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn decode(bytes: &[u8]) -> Result<Self, WireError> {
        let malformed = |error: &dyn std::fmt::Display| WireError::Malformed(quoted(error));
        let request: Self = serde_json::from_slice(bytes).map_err(|error| malformed(&error))?;
        let is_plain = request.address.bytes().all(|byte| byte.is_ascii_graphic());
        if request.address.len() > ADDRESS_MAX || !is_plain {
            return Err(malformed(&"the address is too long, or none"));
        }
        if request.invite().is_none() {
            return Err(malformed(&"the invitation has no name"));
        }
        Ok(request)
    }
}

/// What a node that wants to join is answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum JoinAnswer {
    /// It is a member now: by this document, which is committed.
    Welcome(Document),
    /// Not now: nothing was changed, or it is not known whether; ask again.
    Later(String),
    /// No. Whoever proved no token is not told why.
    No(String),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Line {
    Welcome { document: Header },
    Later { why: String },
    No { why: String },
}

impl JoinAnswer {
    /// Spells it.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let (line, body) = match self {
            Self::Welcome(document) => {
                (Line::Welcome { document: Header::of(document) }, Some(&document.body))
            }
            Self::Later(why) => (Line::Later { why: why.clone() }, None),
            Self::No(why) => (Line::No { why: why.clone() }, None),
        };
        let mut bytes = serde_json::to_vec(&line).expect("words and numbers: JSON can spell them");
        if let Some(body) = body {
            bytes.push(b'\n');
            bytes.extend(body.as_bytes());
        }
        bytes
    }

    /// Reads what [`JoinAnswer::encode`] wrote.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn decode(bytes: &[u8], charter_of: CharterOf<'_>) -> Result<Self, WireError> {
        let (line, body) = match bytes.iter().position(|byte| *byte == b'\n') {
            Some(end) => (&bytes[..end], Some(&bytes[end + 1..])),
            None => (bytes, None),
        };
        let line: Line =
            serde_json::from_slice(line).map_err(|error| WireError::Malformed(quoted(&error)))?;
        match (line, body) {
            (Line::Welcome { document }, Some(body)) => {
                document.joined(body, charter_of).map(Self::Welcome)
            }
            (Line::Welcome { .. }, None) => Err(WireError::NoBody),
            (Line::Later { why }, None) => Ok(Self::Later(quoted(&why))),
            (Line::No { why }, None) => Ok(Self::No(quoted(&why))),
            (Line::Later { .. } | Line::No { .. }, Some(_)) => Err(WireError::Trailing),
        }
    }
}
