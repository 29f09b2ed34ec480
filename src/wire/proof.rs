//! How the holder of a token shows that it has it, to one side of one session, without saying
//! anything that is worth something to anybody else or later.
//! Never keeps the secret: the document knows a hash of the public half, from which nobody can
//! make a proof.
//!
//! The token's secret is the seed of an Ed25519 key. Its public half goes over the wire with a
//! signature of a number that only the two ends of this very TLS session know.

use std::fmt;

use ring::digest::{SHA256, digest};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use serde::{Deserialize, Serialize};

use crate::protocol::units::{ClusterId, Hash};
use crate::wire::token::{InviteId, Secret, Token, wipe};

/// What the number of a session is exported under.
pub const EXPORT_LABEL: &[u8] = b"EXPORTER-quorate-join-1";
/// What all that is signed or hashed here begins with.
const CONTEXT: &[u8] = b"quorate join 1";

/// The number that only the two ends of a session know.
pub type SessionNumber = [u8; 32];

/// A public key and its signature of a session's number, hexadecimal.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// The public half of the token's key.
    pub key: Hash,
    /// The first half of the signature.
    pub signature: Hash,
    /// Its second half.
    pub rest: Hash,
}

impl fmt::Debug for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Proof")
    }
}

impl Proof {
    /// Shows in the session of that number that one has `token`.
    #[must_use]
    pub fn of(token: &Token, session: &SessionNumber) -> Self {
        let pair = pair(token.cluster, token.invite, &token.secret);
        let signature = pair.sign(&signed(session));
        let part = |from: usize| Hash(std::array::from_fn(|at| signature.as_ref()[from + at]));
        Self { key: public(&pair), signature: part(0), rest: part(32) }
    }

    /// Whether it shows, in the session of that number, the secret that the document knows by
    /// `hash`. How long that takes says nothing about how nearly it does.
    #[must_use]
    pub fn shows(&self, hash: &Hash, session: &SessionNumber) -> bool {
        let signature = [self.signature.0, self.rest.0].concat();
        let is_signed =
            UnparsedPublicKey::new(&ED25519, self.key.0).verify(&signed(session), &signature);
        let claimed = hash_of(&self.key);
        let difference = claimed.0.iter().zip(&hash.0).fold(0, |all, (a, b)| all | (a ^ b));
        is_signed.is_ok() & (difference == 0)
    }
}

/// What the document keeps of a token's secret.
#[must_use]
pub fn kept(cluster: ClusterId, invite: InviteId, secret: &Secret) -> Hash {
    hash_of(&public(&pair(cluster, invite, secret)))
}

fn pair(cluster: ClusterId, invite: InviteId, secret: &Secret) -> Ed25519KeyPair {
    let mut text = [CONTEXT, &cluster.0, &invite.0, &secret.0].concat();
    let seed = digest(&SHA256, &text);
    wipe(&mut text);
    Ed25519KeyPair::from_seed_unchecked(seed.as_ref()).expect("32 bytes are a seed")
}

fn public(pair: &Ed25519KeyPair) -> Hash {
    Hash(pair.public_key().as_ref().try_into().expect("a public key has 32 bytes"))
}

fn hash_of(key: &Hash) -> Hash {
    let sum = digest(&SHA256, &[CONTEXT, &key.0].concat());
    Hash(sum.as_ref().try_into().expect("a SHA-256 has 32 bytes"))
}

fn signed(session: &SessionNumber) -> Vec<u8> {
    [CONTEXT, session].concat()
}
