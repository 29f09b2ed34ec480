//! What cryptography is spoken: one of each kind, the same on every machine, none to choose.
//! Never decides whom to trust; `tls` does.
//!
//! Both ends are quorate, so nothing else needs to be understood: what is not compiled in cannot be
//! negotiated, and P-256's tables and RSA alone would be a fifteenth of the static binary.

use std::sync::Arc;

use ring::error::KeyRejected;
use ring::rand::SystemRandom;
use ring::signature::{ED25519_PUBLIC_KEY_LEN, Ed25519KeyPair, KeyPair};
use rustls::crypto::ring::cipher_suite::TLS13_CHACHA20_POLY1305_SHA256;
use rustls::crypto::ring::kx_group::X25519;
use rustls::crypto::ring::sign::any_eddsa_type;
use rustls::crypto::{
    CryptoProvider, GetRandomFailed, KeyProvider, SecureRandom, WebPkiSupportedAlgorithms,
};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::SigningKey;
use rustls::{Error, SignatureScheme};
use webpki::ring::ED25519;

static SIGNATURES: WebPkiSupportedAlgorithms = WebPkiSupportedAlgorithms {
    all: &[ED25519],
    mapping: &[(SignatureScheme::ED25519, &[ED25519])],
};

/// ChaCha20-Poly1305 with X25519 and Ed25519: quick and free of side channels also on processors
/// without instructions for AES, such as a Raspberry Pi's.
pub(crate) fn provider() -> CryptoProvider {
    CryptoProvider {
        cipher_suites: vec![TLS13_CHACHA20_POLY1305_SHA256],
        kx_groups: vec![X25519],
        signature_verification_algorithms: SIGNATURES,
        secure_random: &System,
        key_provider: &System,
    }
}

#[derive(Debug)]
struct System;

impl SecureRandom for System {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), GetRandomFailed> {
        ring::rand::SecureRandom::fill(&SystemRandom::new(), buffer).map_err(|_| GetRandomFailed)
    }
}

impl KeyProvider for System {
    fn load_private_key(&self, key: PrivateKeyDer<'static>) -> Result<Arc<dyn SigningKey>, Error> {
        let PrivateKeyDer::Pkcs8(key) = &key else {
            return Err(Error::General("the key is not written as PKCS #8".into()));
        };
        any_eddsa_type(key)
    }
}

/// An Ed25519 key that signs its own certificate.
pub(crate) struct Signer {
    pair: Ed25519KeyPair,
    public: [u8; ED25519_PUBLIC_KEY_LEN],
}

impl Signer {
    /// A new one, written down as PKCS #8.
    pub(crate) fn generate() -> PrivatePkcs8KeyDer<'static> {
        let key = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new())
            .expect("the system has random bytes once it has booted");
        PrivatePkcs8KeyDer::from(key.as_ref().to_vec())
    }

    /// The one that was written down.
    ///
    /// # Errors
    /// It is no Ed25519 key.
    pub(crate) fn of(key: &PrivatePkcs8KeyDer<'_>) -> Result<Self, KeyRejected> {
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(key.secret_pkcs8_der())?;
        let public = pair.public_key().as_ref().try_into().expect("its length is fixed");
        Ok(Self { pair, public })
    }
}

impl rcgen::PublicKeyData for Signer {
    fn der_bytes(&self) -> &[u8] {
        &self.public
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        &rcgen::PKCS_ED25519
    }
}

impl rcgen::SigningKey for Signer {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        Ok(self.pair.sign(message).as_ref().to_vec())
    }
}
