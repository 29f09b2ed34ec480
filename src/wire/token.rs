//! An invitation as one word that a person can copy: which cluster, which invitation, its secret,
//! and where members answer with which keys. Never decides whether an invitation is still good;
//! the cluster's document does.
//!
//! ```text
//! qj1_  cluster 16 · invitation 4 · secret 16 · name · members (key 16, address) · checksum 4
//!       └────────────────────────── base64url, without padding ──────────────────────────────┘
//! ```
//!
//! A name or address is its length and its bytes. Of a member's key only the first half of its
//! fingerprint is here: nobody finds another key with the same 16 bytes, and the word stays short.

use std::fmt;
use std::path::PathBuf;

use ring::digest::{SHA256, digest};

use crate::protocol::units::{ClusterId, NodeId, Pin};

/// What every token of this version begins with; no shell and no double click breaks it.
const PREFIX: &str = "qj1_";
/// What the token of any version begins with.
const FAMILY: &str = "qj";
/// The longest token, in characters: nine members with long names fit.
pub const TOKEN_MAX: usize = 4_096;
/// How many members a token names at most.
pub const SEEDS_MAX: usize = 9;
/// Bytes at the end that say whether the rest is whole.
const CHECKSUM: usize = 4;
/// Below 64, in the order of RFC 4648 section 5.
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The public name of an invitation, in its token and in the document.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct InviteId(pub [u8; 4]);

impl InviteId {
    /// Reads the eight hexadecimal digits that `Display` writes.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        let fits = text.len() == 8 && text.bytes().all(is_hex);
        let number = u32::from_str_radix(text, 16).ok().filter(|_| fits)?;
        Some(Self(number.to_be_bytes()))
    }
}

impl fmt::Display for InviteId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", u32::from_be_bytes(self.0))
    }
}

impl fmt::Debug for InviteId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What only the token knows. It is not shown, and overwritten when it goes.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub [u8; 16]);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

/// Overwrites what nobody may find in memory later.
pub fn wipe(bytes: &mut [u8]) {
    bytes.fill(0);
    // Or the compiler would leave out what nobody reads.
    std::hint::black_box(bytes);
}

/// A member that may answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Seed {
    /// The first half of its key's fingerprint.
    pub pin: [u8; 16],
    /// Where it listens, as `host:port`.
    pub address: String,
}

impl Seed {
    /// The member with that key at that address.
    #[must_use]
    pub fn new(pin: &Pin, address: &str) -> Self {
        Self { pin: half(pin), address: address.to_owned() }
    }

    /// Whether `pin` may be this member's.
    #[must_use]
    pub fn is(&self, pin: &Pin) -> bool {
        self.pin == half(pin)
    }
}

fn half(pin: &Pin) -> [u8; 16] {
    std::array::from_fn(|at| pin.0[at])
}

/// An invitation, as its holder has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Token {
    /// The cluster.
    pub cluster: ClusterId,
    /// The invitation.
    pub invite: InviteId,
    /// What proves that one has the token.
    pub secret: Secret,
    /// What the node has to be called, if that was decided.
    pub name: Option<NodeId>,
    /// Who may answer: one at least.
    pub seeds: Vec<Seed>,
}

/// Where the token comes from.
#[derive(Clone, PartialEq, Eq)]
pub enum TokenFrom {
    /// The command line.
    Word(String),
    /// A file; `-` is stdin.
    File(PathBuf),
}

impl fmt::Debug for TokenFrom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Word(_) => f.write_str("Word"),
            Self::File(file) => f.debug_tuple("File").field(file).finish(),
        }
    }
}

/// Why a word is no token. Never repeats any of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TokenError {
    /// Nothing there.
    Empty,
    /// Something else.
    NotAToken,
    /// Of a release that knows more.
    OtherVersion,
    /// Longer than any token.
    TooLong,
    /// A part is missing or was changed on the way.
    Damaged,
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "there is no token: give the one word that `quorate invite` printed",
            Self::NotAToken => {
                "this is no token: it is one word that begins with qj1_, as `quorate invite` \
                 printed it"
            }
            Self::OtherVersion => {
                "this token is of another version: run the release that made it here too"
            }
            Self::TooLong => "this is longer than any token: copy one word only",
            Self::Damaged => {
                "this token is not whole: a part of it was lost or changed when it was copied; \
                 copy it again, to its last character"
            }
        })
    }
}

impl std::error::Error for TokenError {}

impl Token {
    /// The one word.
    ///
    /// # Panics
    /// If it names nobody or too many, or has a name or address beyond 64 KiB: it cannot be made
    /// so from a document.
    #[must_use]
    pub fn spell(&self) -> String {
        assert!((1..=SEEDS_MAX).contains(&self.seeds.len()), "a token names some members");
        let mut bytes = [&self.cluster.0[..], &self.invite.0, &self.secret.0].concat();
        put(&mut bytes, self.name.as_ref().map_or("", NodeId::as_str));
        for seed in &self.seeds {
            bytes.extend(seed.pin);
            put(&mut bytes, &seed.address);
        }
        bytes.extend(checksum(&bytes));
        let text = format!("{PREFIX}{}", encoded(&bytes));
        wipe(&mut bytes);
        text
    }

    /// Reads a token; blanks and line ends anywhere in it are none of it.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, TokenError> {
        if text.len() > 2 * TOKEN_MAX {
            return Err(TokenError::TooLong);
        }
        let mut word: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
        let token = Self::read(&word);
        wipe(&mut word);
        token
    }

    fn read(word: &[u8]) -> Result<Self, TokenError> {
        if word.is_empty() {
            return Err(TokenError::Empty);
        }
        let Some(rest) = word.strip_prefix(PREFIX.as_bytes()) else {
            let digits = word.strip_prefix(FAMILY.as_bytes()).unwrap_or_default();
            let is_other = digits.first().is_some_and(u8::is_ascii_digit) && digits.contains(&b'_');
            return Err(if is_other { TokenError::OtherVersion } else { TokenError::NotAToken });
        };
        if word.len() > TOKEN_MAX {
            return Err(TokenError::TooLong);
        }
        let mut bytes = decoded(rest).ok_or(TokenError::Damaged)?;
        let token = Self::of(&bytes).ok_or(TokenError::Damaged);
        wipe(&mut bytes);
        token
    }

    fn of(bytes: &[u8]) -> Option<Self> {
        let (body, sum) = bytes.split_last_chunk::<CHECKSUM>()?;
        if *sum != checksum(body) {
            return None;
        }
        let rest = &mut &*body;
        let cluster = ClusterId(take(rest)?);
        let invite = InviteId(take(rest)?);
        let secret = Secret(take(rest)?);
        let name = match take_text(rest)? {
            "" => None,
            name => Some(NodeId::new(name)?),
        };
        let mut seeds = Vec::new();
        while !rest.is_empty() {
            let pin = take(rest)?;
            seeds.push(Seed { pin, address: take_text(rest)?.to_owned() });
        }
        let is_sound = (1..=SEEDS_MAX).contains(&seeds.len());
        is_sound.then_some(Self { cluster, invite, secret, name, seeds })
    }
}

fn checksum(body: &[u8]) -> [u8; CHECKSUM] {
    let sum = digest(&SHA256, &[PREFIX.as_bytes(), body].concat());
    std::array::from_fn(|at| sum.as_ref()[at])
}

fn put(bytes: &mut Vec<u8>, text: &str) {
    let length = u16::try_from(text.len()).expect("names and addresses are short");
    bytes.extend(length.to_be_bytes());
    bytes.extend(text.as_bytes());
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (first, others) = rest.split_first_chunk()?;
    *rest = others;
    Some(*first)
}

/// Printable text only: addresses are shown to people.
fn take_text<'a>(rest: &mut &'a [u8]) -> Option<&'a str> {
    let length = usize::from(u16::from_be_bytes(take(rest)?));
    let (text, others) = rest.split_at_checked(length)?;
    *rest = others;
    std::str::from_utf8(text).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_graphic()))
}

fn encoded(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let [a, b, c] = [0, 1, 2].map(|at| u32::from(group.get(at).copied().unwrap_or(0)));
        let bits = a << 16 | b << 8 | c;
        for place in 0..=group.len() {
            let sextet = usize::try_from(bits >> (18 - 6 * place) & 63).expect("below 64");
            text.push(char::from(ALPHABET[sextet]));
        }
    }
    text
}

/// `None` unless it is exactly what [`encoded`] writes.
fn decoded(text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 3);
    for group in text.chunks(4) {
        let mut bits = 0;
        for place in 0..4 {
            let sextet = match group.get(place) {
                Some(digit) => ALPHABET.iter().position(|known| known == digit)?,
                None => 0,
            };
            bits = bits << 6 | u32::try_from(sextet).ok()?;
        }
        let [_, three @ ..] = bits.to_be_bytes();
        let whole = (group.len() * 6) / 8;
        let is_exact = whole > 0 && three[whole..].iter().all(|rest| *rest == 0);
        bytes.extend(&three[..whole]);
        if !is_exact {
            return None;
        }
    }
    Some(bytes)
}
