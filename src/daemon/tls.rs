//! Whom to trust, and how TLS is set up: version 1.3, both sides with a key, no resumption.
//! Never asks a certificate for names or dates: a peer is who its public key is pinned for (R74).

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{ClientHello, NoServerSessionStorage};
use rustls::version::TLS13;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, DistinguishedName, Error,
    InvalidMessage, OtherError, ServerConfig, SignatureScheme,
};

pub use crate::daemon::keys::{KeyError, Keys};

use crate::daemon::keys::pin_of;
use crate::daemon::suite;
use crate::protocol::membership::Member;
use crate::protocol::units::{NodeId, Pin};
use crate::wire::codec::quoted;
use crate::wire::join::PROTOCOL;
use crate::wire::token::Seed;

/// Whose keys are trusted now. It changes with the document; running sessions are looked after
/// by the network.
#[derive(Debug, Default)]
pub struct Trust(RwLock<Vec<(Pin, NodeId)>>);

impl Trust {
    /// Trusts exactly the keys of `members`. A node may be there twice, and with several keys.
    pub fn set<'a>(&self, members: impl Iterator<Item = &'a Member>) {
        let with_name = |member: &'a Member| member.pins().map(|pin| (pin, member.id.clone()));
        let pins = members.flat_map(with_name).collect();
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = pins;
    }

    /// Whose key it is.
    #[must_use]
    pub fn holder(&self, pin: &Pin) -> Option<NodeId> {
        let pins = self.0.read().unwrap_or_else(PoisonError::into_inner);
        // Every pin is compared, each in constant time: the time says nothing about the list.
        let matching = pins.iter().filter(|(trusted, _)| is_same(trusted, pin));
        matching.fold(None, |_, (_, holder)| Some(holder.clone()))
    }

    /// Whose certificate it is, and its pin; any other is refused, with its pin in the reason.
    ///
    /// # Errors
    /// It is no certificate, or its key is nobody's.
    pub fn holder_of(&self, certificate: &CertificateDer<'_>) -> Result<(NodeId, Pin), Error> {
        let pin = pin_of(certificate)?;
        let holder = self.holder(&pin).ok_or_else(|| refusal(pin, Wanted::AnyMember))?;
        Ok((holder, pin))
    }
}

fn is_same(one: &Pin, other: &Pin) -> bool {
    one.0.iter().zip(&other.0).fold(0, |all, (a, b)| all | (a ^ b)) == 0
}

/// A key that is pinned for nobody, or not for the node that was wanted.
#[derive(Debug)]
struct WrongKey {
    presented: Pin,
    wanted: Wanted,
}

/// Whose key the other side has to show.
#[derive(Clone, Debug)]
enum Wanted {
    /// That node's, which was dialed.
    Node(NodeId),
    /// Some member's.
    AnyMember,
    /// One of those that a token names.
    OfToken(Vec<Seed>),
    /// Its own, whoever it is: it comes to join.
    Anybody,
}

impl fmt::Display for WrongKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.wanted {
            Wanted::Node(node) => write!(
                f,
                "wrong key: it presented SHA256:{}, which cluster.yaml does not list for {node}",
                self.presented
            ),
            Wanted::OfToken(_) => write!(
                f,
                "wrong key: it presented SHA256:{}, which the token does not name: another machine \
                 answers there, or the member has a new key",
                self.presented
            ),
            Wanted::AnyMember | Wanted::Anybody => write!(
                f,
                "unknown key: it presented SHA256:{}, which cluster.yaml lists for nobody",
                self.presented
            ),
        }
    }
}

impl std::error::Error for WrongKey {}

fn refusal(presented: Pin, wanted: Wanted) -> Error {
    let wrong = WrongKey { presented, wanted };
    CertificateError::Other(OtherError(Arc::new(wrong))).into()
}

/// What goes wrong in TLS, for people.
pub(crate) fn in_words(error: &Error) -> String {
    use rustls::AlertDescription as Alert;
    const UNTRUSTED: [Alert; 4] =
        [Alert::CertificateUnknown, Alert::UnknownCA, Alert::BadCertificate, Alert::AccessDenied];
    if let Error::InvalidCertificate(CertificateError::Other(reason)) = error {
        reason.to_string()
    } else if matches!(error, Error::InvalidMessage(InvalidMessage::InvalidContentType)) {
        "it does not speak quorate (no TLS)".into()
    } else if matches!(error, Error::AlertReceived(alert) if UNTRUSTED.contains(alert)) {
        "it does not trust this node's key; does its cluster.yaml list this node's pin?".into()
    } else {
        quoted(error)
    }
}

/// How to dial `wanted`.
///
/// # Errors
/// The key cannot sign; a loaded or generated one can.
pub fn dialing(
    keys: &Keys,
    trust: &Arc<Trust>,
    wanted: &NodeId,
) -> Result<Arc<ClientConfig>, Error> {
    caller(keys, Check::new(trust, Wanted::Node(wanted.clone())))
}

/// How to call a member that a token names, to join.
///
/// # Errors
/// As [`dialing`].
pub fn joining(keys: &Keys, seeds: &[Seed]) -> Result<Arc<ClientConfig>, Error> {
    let mut config = caller(keys, Check::new(&Arc::default(), Wanted::OfToken(seeds.to_vec())))?;
    Arc::make_mut(&mut config).alpn_protocols = vec![PROTOCOL.to_vec()];
    Ok(config)
}

fn caller(keys: &Keys, check: Check) -> Result<Arc<ClientConfig>, Error> {
    let provider = Arc::clone(&check.provider);
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(check))
        .with_client_auth_cert(keys.certificates(), keys.key())?;
    config.resumption = Resumption::disabled();
    config.enable_sni = false;
    Ok(Arc::new(config))
}

/// How to answer whoever dials.
///
/// # Errors
/// The key cannot sign; a loaded or generated one can.
pub fn listening(keys: &Keys, trust: &Arc<Trust>) -> Result<Arc<ServerConfig>, Error> {
    called(keys, Check::new(trust, Wanted::AnyMember))
}

/// How to answer callers: those that come to join may have any key, all others one of the
/// document's.
#[derive(Debug)]
pub struct Listening {
    members: Arc<ServerConfig>,
    newcomers: Arc<ServerConfig>,
}

impl Listening {
    /// With this node's key, for whoever is trusted.
    ///
    /// # Errors
    /// As [`listening`].
    pub fn new(keys: &Keys, trust: &Arc<Trust>) -> Result<Self, Error> {
        let mut newcomers = called(keys, Check::new(trust, Wanted::Anybody))?;
        Arc::make_mut(&mut newcomers).alpn_protocols = vec![PROTOCOL.to_vec()];
        Ok(Self { members: listening(keys, trust)?, newcomers })
    }

    /// How to answer a caller with those first words.
    pub(crate) fn answering(&self, hello: &ClientHello<'_>) -> Arc<ServerConfig> {
        let comes_to_join = hello.alpn().is_some_and(|mut names| names.any(|n| n == PROTOCOL));
        Arc::clone(if comes_to_join { &self.newcomers } else { &self.members })
    }
}

fn called(keys: &Keys, check: Check) -> Result<Arc<ServerConfig>, Error> {
    let provider = Arc::clone(&check.provider);
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13])?
        .with_client_cert_verifier(Arc::new(check))
        .with_single_cert(keys.certificates(), keys.key())?;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(Arc::new(config))
}

/// The name every dialer calls; nobody looks at it.
pub(crate) fn server_name() -> ServerName<'static> {
    ServerName::try_from("quorate").expect("a plain word is a DNS name")
}

/// Checks the other side's key and that it really holds it.
#[derive(Debug)]
struct Check {
    trust: Arc<Trust>,
    wanted: Wanted,
    provider: Arc<CryptoProvider>,
}

impl Check {
    fn new(trust: &Arc<Trust>, wanted: Wanted) -> Self {
        let provider = Arc::new(suite::provider());
        Self { trust: Arc::clone(trust), wanted, provider }
    }

    fn key(&self, certificate: &CertificateDer<'_>) -> Result<(), Error> {
        let pin = pin_of(certificate)?;
        let is_good = match &self.wanted {
            Wanted::Node(wanted) => self.trust.holder(&pin).as_ref() == Some(wanted),
            Wanted::AnyMember => self.trust.holder(&pin).is_some(),
            Wanted::OfToken(seeds) => seeds.iter().any(|seed| seed.is(&pin)),
            Wanted::Anybody => true,
        };
        if is_good { Ok(()) } else { Err(refusal(pin, self.wanted.clone())) }
    }

    fn signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }
}

/// TLS 1.2 is not even compiled in; its signatures are refused all the same.
fn no_tls12() -> Error {
    Error::General("TLS 1.2 is not spoken here".into())
}

impl ServerCertVerifier for Check {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.key(end_entity).map(|()| ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(no_tls12())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }
}

impl ClientCertVerifier for Check {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.key(end_entity).map(|()| ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(no_tls12())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }
}
