//! Owns this node's key: makes it, keeps it in two files, and refuses files others could have read.
//! Never decides whom to trust; `tls` does.
//!
//! The certificate is only a wrapper that TLS wants: what counts is the SHA-256 of the public key
//! inside it, the pin. Names and dates in it mean nothing.

use std::fmt;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rcgen::{CertificateParams, DnType};
use ring::digest;
use rustix::fs::OFlags;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::ParsedCertificate;
use rustls::sign::CertifiedKey;

use crate::daemon::durably;
use crate::daemon::suite::Signer;
use crate::protocol::units::{NodeId, Pin};

const KEY_FILE: &str = "node.key";
const CERTIFICATE_FILE: &str = "node.crt";
/// An Ed25519 key or its certificate takes less than 1 KiB.
const FILE_MAX: u64 = 16 << 10;
/// Characters on one line of PEM.
const PEM_LINE: usize = 64;

/// This node's private key and the certificate that shows its public one.
pub struct Keys {
    key: PrivatePkcs8KeyDer<'static>,
    certificate: CertificateDer<'static>,
    pin: Pin,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keys(SHA256:{})", self.pin)
    }
}

/// Why there is no usable key. Nothing was changed, unless a `Write` failed half way; then the
/// files under their final names are still whole or missing.
#[derive(Debug)]
pub enum KeyError {
    /// Not there yet.
    Missing(PathBuf),
    /// There already: a key is made once.
    Exists(PathBuf),
    /// The system refused to read.
    Read(PathBuf, io::Error),
    /// The system refused to write.
    Write(PathBuf, io::Error),
    /// A symbolic link, directory, device or pipe.
    NotAFile(PathBuf),
    /// Somebody else's file.
    WrongOwner {
        /// The file.
        path: PathBuf,
        /// Its owner.
        owner: u32,
        /// Who runs this process.
        user: u32,
    },
    /// Others may read the key, or write the certificate.
    TooOpen {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// Too large, not PEM, or not what the name says.
    Malformed(PathBuf, String),
    /// The certificate is that of another key.
    Mismatch(PathBuf),
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(path) => {
                write!(f, "{} is missing: run `quorate init`", path.display())
            }
            Self::Exists(path) => write!(
                f,
                "{} exists already; a node's key is made once: remove it only if this node shall \
                 become a new one",
                path.display()
            ),
            Self::Read(path, error) => write!(f, "cannot read {}: {error}", path.display()),
            Self::Write(path, error) => write!(
                f,
                "cannot write {}: {error}; make that possible, then run `quorate init` again",
                path.display()
            ),
            Self::NotAFile(path) => write!(
                f,
                "{} is not a regular file (links are refused): put the file itself there",
                path.display()
            ),
            Self::WrongOwner { path, owner, user } => write!(
                f,
                "{} belongs to user {owner} and this process runs as user {user}: run it as the \
                 owner, or give the file to user {user}",
                path.display()
            ),
            Self::TooOpen { path, mode } => write!(
                f,
                "{} has mode {mode:04o}, so others can reach it: run `chmod 0600 {}`; if others \
                 may have read the key, make a new one",
                path.display(),
                path.display()
            ),
            Self::Malformed(path, why) => write!(f, "{} is damaged: {why}", path.display()),
            Self::Mismatch(path) => write!(
                f,
                "{} does not belong to the key beside it: restore both from one backup",
                path.display()
            ),
        }
    }
}

impl std::error::Error for KeyError {}

impl Keys {
    /// A new Ed25519 key, with `node`'s name in its certificate for people.
    #[must_use]
    pub fn generate(node: &NodeId) -> Self {
        let key = Signer::generate();
        let signer = Signer::of(&key).expect("it was made this moment");
        Self::of(key, &signer, node)
    }

    fn of(key: PrivatePkcs8KeyDer<'static>, signer: &Signer, node: &NodeId) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, node.as_str());
        let certificate = params.self_signed(signer).expect("a key signs its own certificate");
        let certificate = certificate.der().clone();
        let pin = pin_of(&certificate).expect("rcgen writes well-formed certificates");
        Self { key, certificate, pin }
    }

    /// Makes the missing `node.crt` in `dir` from the `node.key` there: the pin stays the same,
    /// and it is what counts.
    ///
    /// # Errors
    /// The key is missing or unusable, or what the system said.
    pub fn mend(dir: &Path, node: &NodeId) -> Result<Self, KeyError> {
        let keys = Self::of_file(&dir.join(KEY_FILE), node)?;
        keys.write_certificate(dir)?;
        Ok(keys)
    }

    /// The key in that file, with a certificate that is only in memory.
    ///
    /// # Errors
    /// It is missing or unusable.
    pub(crate) fn of_file(path: &Path, node: &NodeId) -> Result<Self, KeyError> {
        let malformed = |why: String| KeyError::Malformed(path.to_owned(), why);
        let key = PrivatePkcs8KeyDer::from_pem_slice(&read_guarded(path, 0o077)?)
            .map_err(|e| malformed(e.to_string()))?;
        let signer = Signer::of(&key).map_err(|e| malformed(e.to_string()))?;
        Ok(Self::of(key, &signer, node))
    }

    /// Whether a `node.key` is in the directory `dir`, usable or not.
    #[must_use]
    pub fn is_in(dir: &Path) -> bool {
        fs::symlink_metadata(dir.join(KEY_FILE)).is_ok()
    }

    /// The private key's file in the directory `dir`.
    #[must_use]
    pub fn file_in(dir: &Path) -> PathBuf {
        dir.join(KEY_FILE)
    }

    /// Reads `node.key` and `node.crt` in the directory `dir`.
    ///
    /// # Errors
    /// The first thing that makes them unusable or untrustworthy.
    pub fn load(dir: &Path) -> Result<Self, KeyError> {
        let [key_path, certificate_path] = [dir.join(KEY_FILE), dir.join(CERTIFICATE_FILE)];
        let key = read_guarded(&key_path, 0o077)?;
        let certificate = read_guarded(&certificate_path, 0o022)?;
        let key = PrivatePkcs8KeyDer::from_pem_slice(&key)
            .map_err(|e| KeyError::Malformed(key_path.clone(), e.to_string()))?;
        let malformed = |why: String| KeyError::Malformed(certificate_path.clone(), why);
        let certificate =
            CertificateDer::from_pem_slice(&certificate).map_err(|e| malformed(e.to_string()))?;
        let pin = pin_of(&certificate).map_err(|e| malformed(e.to_string()))?;
        let signing = rustls::crypto::ring::sign::any_eddsa_type(&key)
            .map_err(|e| KeyError::Malformed(key_path, e.to_string()))?;
        CertifiedKey::new(vec![certificate.clone()], signing)
            .keys_match()
            .map_err(|_| KeyError::Mismatch(certificate_path))?;
        Ok(Self { key, certificate, pin })
    }

    /// Writes both files into `dir`, which is made if it is missing: key 0600, directory 0700.
    /// A certificate without its key says nothing and is replaced.
    ///
    /// # Errors
    /// `Exists` if there is a key already, or what the system said.
    pub fn save(&self, dir: &Path) -> Result<(), KeyError> {
        let made = DirBuilder::new().mode(0o700).create(dir);
        made.or_else(|error| if dir.is_dir() { Ok(()) } else { Err(error) }).map_err(at(dir))?;
        let [key_path, certificate_path] = [dir.join(KEY_FILE), dir.join(CERTIFICATE_FILE)];
        if fs::symlink_metadata(&key_path).is_ok() {
            return Err(KeyError::Exists(key_path));
        }
        if fs::symlink_metadata(&certificate_path).is_ok_and(|found| !found.is_file()) {
            return Err(KeyError::NotAFile(certificate_path));
        }
        // The key first: a certificate can be made from it again, and never the other way round.
        self.write_key(&key_path)?;
        self.write_certificate(dir)?;
        dir.parent().map_or(Ok(()), Self::sync)
    }

    /// Writes the private key alone into that file, mode 0600, in place of what is there.
    pub(crate) fn write_key(&self, path: &Path) -> Result<(), KeyError> {
        let key = pem("PRIVATE KEY", self.key.secret_pkcs8_der());
        durably::replace(path, key.as_bytes(), durably::SECRET).map_err(at(path))
    }

    /// What was made, renamed or removed in the directory `dir` stays so.
    pub(crate) fn sync(dir: &Path) -> Result<(), KeyError> {
        durably::sync(dir).map_err(at(dir))
    }

    fn write_certificate(&self, dir: &Path) -> Result<(), KeyError> {
        let path = dir.join(CERTIFICATE_FILE);
        let text = pem("CERTIFICATE", &self.certificate);
        durably::replace(&path, text.as_bytes(), durably::SECRET).map_err(at(&path))
    }

    /// The SHA-256 of the public key: this node in the others' documents.
    #[must_use]
    pub fn pin(&self) -> Pin {
        self.pin
    }

    pub(crate) fn certificates(&self) -> Vec<CertificateDer<'static>> {
        vec![self.certificate.clone()]
    }

    pub(crate) fn key(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::Pkcs8(self.key.clone_key())
    }
}

/// The pin of the public key in `certificate`: SHA-256 over its SubjectPublicKeyInfo.
///
/// # Errors
/// It is no certificate.
pub(crate) fn pin_of(certificate: &CertificateDer<'_>) -> Result<Pin, rustls::Error> {
    let public = ParsedCertificate::try_from(certificate)?.subject_public_key_info();
    let sum = digest::digest(&digest::SHA256, &public);
    Ok(Pin(sum.as_ref().try_into().expect("SHA-256 has 32 bytes")))
}

/// Reads a small regular file of ours that nobody else could touch in the ways of `forbidden`.
fn read_guarded(path: &Path, forbidden: u32) -> Result<Vec<u8>, KeyError> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let flags = i32::try_from(flags.bits()).expect("open flags are small");
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path);
    let file = file.map_err(|error| {
        if error.kind() == io::ErrorKind::NotFound {
            KeyError::Missing(path.into())
        } else if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) {
            // What `O_NOFOLLOW` answers for a link.
            KeyError::NotAFile(path.into())
        } else {
            KeyError::Read(path.into(), error)
        }
    })?;
    let about = file.metadata().map_err(|error| KeyError::Read(path.into(), error))?;
    let [owner, user] = [about.uid(), rustix::process::geteuid().as_raw()];
    let mode = about.mode() & 0o7777;
    if !about.is_file() {
        return Err(KeyError::NotAFile(path.into()));
    }
    if owner != user {
        return Err(KeyError::WrongOwner { path: path.into(), owner, user });
    }
    if mode & forbidden != 0 {
        return Err(KeyError::TooOpen { path: path.into(), mode });
    }
    let mut bytes = Vec::new();
    let read = file.take(FILE_MAX + 1).read_to_end(&mut bytes);
    match read.map_err(|error| KeyError::Read(path.into(), error))? {
        size if u64::try_from(size).is_ok_and(|size| size <= FILE_MAX) => Ok(bytes),
        _ => Err(KeyError::Malformed(path.into(), "it is too large".into())),
    }
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> KeyError {
    let path = path.to_owned();
    move |error| KeyError::Write(path, error)
}

/// RFC 7468 text.
fn pem(label: &str, der: &[u8]) -> String {
    let encoded = base64(der);
    let mut text = format!("-----BEGIN {label}-----\n");
    for line in encoded.as_bytes().chunks(PEM_LINE) {
        text.extend(line.iter().copied().map(char::from));
        text.push('\n');
    }
    text + "-----END " + label + "-----\n"
}

/// RFC 4648 with padding; the reader comes with rustls, a writer does not.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let [a, b, c] = [0, 1, 2].map(|at| u32::from(group.get(at).copied().unwrap_or(0)));
        let bits = a << 16 | b << 8 | c;
        for place in 0..4 {
            let sextet = usize::try_from(bits >> (18 - 6 * place) & 63).expect("below 64");
            text.push(if place <= group.len() { char::from(ALPHABET[sextet]) } else { '=' });
        }
    }
    text
}
