//! The quantities the protocol speaks of: names, counters, instants.
//! Never converts to or from text formats beyond `Display`; settings and wire do that.

use alloc::string::String;
use alloc::sync::Arc;
use core::cmp::Ordering;
use core::fmt;
use core::time::Duration;

/// How far above our own term a message may reach before it is refused and reported (R6).
pub const TERM_JUMP_MAX: u64 = 1 << 20;

/// The name of a node: 1 to 64 characters of `[A-Za-z0-9._-]`, ordered by bytes.
#[derive(Clone)]
pub struct NodeId {
    /// The first eight bytes as a number: most comparisons end here. Names have no zero bytes,
    /// so padding with them keeps the order.
    head: u64,
    text: Arc<str>,
}

impl NodeId {
    /// The longest name, in bytes.
    pub const LENGTH_MAX: usize = 64;

    /// Accepts `text` as a name, or `None` if it is empty, too long or has a forbidden character.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        let fits = !text.is_empty() && text.len() <= Self::LENGTH_MAX;
        (fits && text.bytes().all(allowed)).then(|| {
            let head = text.bytes().chain(core::iter::repeat(0)).take(8);
            let head = head.fold(0, |head, byte| head << 8 | u64::from(byte));
            Self { head, text: text.into() }
        })
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl PartialEq for NodeId {
    fn eq(&self, other: &Self) -> bool {
        self.head == other.head && (Arc::ptr_eq(&self.text, &other.text) || self.text == other.text)
    }
}

impl Eq for NodeId {}

impl PartialOrd for NodeId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for NodeId {
    fn cmp(&self, other: &Self) -> Ordering {
        match self.head.cmp(&other.head) {
            Ordering::Equal if Arc::ptr_eq(&self.text, &other.text) => Ordering::Equal,
            Ordering::Equal => self.text.cmp(&other.text),
            Ordering::Less => Ordering::Less,
            Ordering::Greater => Ordering::Greater,
        }
    }
}

impl core::hash::Hash for NodeId {
    fn hash<H: core::hash::Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

macro_rules! opaque_bytes {
    ($(#[$doc:meta])* $name:ident, $size:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; $size]);

        impl $name {
            /// Reads the lower-case hexadecimal form `Display` writes.
            #[must_use]
            pub fn from_hex(text: &str) -> Option<Self> {
                let digits = text.as_bytes();
                if digits.len() != 2 * $size {
                    return None;
                }
                let mut bytes = [0; $size];
                for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
                    let [high, low] = [hex_digit(pair[0])?, hex_digit(pair[1])?];
                    *byte = high << 4 | low;
                }
                Some(Self(bytes))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().take(4).try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }
    };
}

fn hex_digit(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

opaque_bytes! {
    /// One cluster, for ever: random, made once; every handshake carries it.
    ClusterId, 16
}
opaque_bytes! {
    /// One life of one disk: random, made with the state file. A wiped disk has a new one (R52).
    StorageId, 16
}
opaque_bytes! {
    /// SHA-256 of a document's body: same position, same hash, or somebody alarms (P4).
    Hash, 32
}
opaque_bytes! {
    /// SHA-256 of a node's public key: who may speak as that node (R74).
    Pin, 32
}

/// Counts masterships: at most one master per term; the fencing token (P2).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Term(pub u64);

impl Term {
    /// The term after this one, or `None` at the end of the range (R6).
    #[must_use]
    pub fn next(self) -> Option<Self> {
        self.0.checked_add(1).map(Self)
    }

    /// Whether a peer's `other` is so far above ours that it must be a fault (R6).
    #[must_use]
    pub fn is_jump_to(self, other: Self) -> bool {
        other.0.saturating_sub(self.0) > TERM_JUMP_MAX
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "T{}", self.0)
    }
}

/// A document's place in history: the term of the master that wrote it, then a counter.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Position {
    /// Term of the master that wrote this document.
    pub term: Term,
    /// Counts every document, re-stamps included (R18).
    pub version: u64,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({}, {})", self.term, self.version)
    }
}

impl fmt::Debug for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// One reading of a node's two clocks (R20). Readings of different nodes or different boots
/// have nothing to do with each other.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Moment {
    /// `CLOCK_BOOTTIME`, nanoseconds: runs on in suspend, is slewed by NTP.
    pub boot_ns: u64,
    /// `CLOCK_MONOTONIC_RAW`, nanoseconds: stands still in suspend, is never slewed.
    pub raw_ns: u64,
}

impl Moment {
    /// This moment plus `span` on both clocks.
    #[must_use]
    pub fn after(self, span: Duration) -> Self {
        let ns = as_ns(span);
        Self { boot_ns: self.boot_ns.saturating_add(ns), raw_ns: self.raw_ns.saturating_add(ns) }
    }

    /// This moment minus `span` on both clocks, not below zero.
    #[must_use]
    pub fn before(self, span: Duration) -> Self {
        let ns = as_ns(span);
        Self { boot_ns: self.boot_ns.saturating_sub(ns), raw_ns: self.raw_ns.saturating_sub(ns) }
    }

    /// Elapsed since `earlier` by the clock that ran more: the reading for holding power (R21).
    #[must_use]
    pub fn held_since(self, earlier: Self) -> Duration {
        let boot = self.boot_ns.saturating_sub(earlier.boot_ns);
        Duration::from_nanos(boot.max(self.raw_ns.saturating_sub(earlier.raw_ns)))
    }

    /// Elapsed since `earlier` by the clock that ran less: the reading for waiting (R21).
    #[must_use]
    pub fn waited_since(self, earlier: Self) -> Duration {
        let boot = self.boot_ns.saturating_sub(earlier.boot_ns);
        Duration::from_nanos(boot.min(self.raw_ns.saturating_sub(earlier.raw_ns)))
    }

    /// True when *either* clock reached `deadline`: power that ends then has ended (R21).
    #[must_use]
    pub fn may_have_reached(self, deadline: Self) -> bool {
        self.boot_ns >= deadline.boot_ns || self.raw_ns >= deadline.raw_ns
    }

    /// True when *both* clocks reached `deadline`: a wait until then is over (R21).
    #[must_use]
    pub fn has_surely_reached(self, deadline: Self) -> bool {
        self.boot_ns >= deadline.boot_ns && self.raw_ns >= deadline.raw_ns
    }

    /// The earlier reading, clock by clock: power ends with either (R21).
    #[must_use]
    pub fn earliest(self, other: Self) -> Self {
        Self { boot_ns: self.boot_ns.min(other.boot_ns), raw_ns: self.raw_ns.min(other.raw_ns) }
    }

    /// The later reading, clock by clock.
    #[must_use]
    pub fn latest(self, other: Self) -> Self {
        Self { boot_ns: self.boot_ns.max(other.boot_ns), raw_ns: self.raw_ns.max(other.raw_ns) }
    }
}

impl fmt::Debug for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [boot, raw] = [self.boot_ns / 1_000, self.raw_ns / 1_000];
        write!(f, "{boot}us")?;
        if boot == raw { Ok(()) } else { write!(f, "/{raw}us") }
    }
}

/// `span` in whole nanoseconds; everything beyond 584 years counts as that.
fn as_ns(span: Duration) -> u64 {
    let whole = span.as_secs().checked_mul(1_000_000_000);
    whole.and_then(|ns| ns.checked_add(span.subsec_nanos().into())).unwrap_or(u64::MAX)
}

/// A number a question carries and its answer repeats, so that nobody counts unasked answers.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Nonce(pub u64);

/// Names one request of a local client; the answer carries it back.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RequestId(pub u64);

/// Text a person wrote, which the protocol carries and never reads.
pub type Label = Arc<str>;

/// A reason in words, for people.
pub type Words = String;

/// The one seeded generator (splitmix64): all chance in the protocol comes from here.
#[derive(Clone, Hash, Debug)]
pub struct Chance {
    state: u64,
    #[cfg(test)]
    is_even: bool,
}

impl Chance {
    /// A generator whose whole future is `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            state: seed,
            #[cfg(test)]
            is_even: false,
        }
    }

    /// The same generator, but every span it draws is the middle of its range: for tests that
    /// look at all orders of events anyway.
    #[cfg(test)]
    pub(crate) fn evened(self) -> Self {
        Self { is_even: true, ..self }
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A span in `[0, limit)`; zero for a zero limit.
    pub fn span_below(&mut self, limit: Duration) -> Duration {
        #[cfg(test)]
        if self.is_even {
            return limit / 2;
        }
        Duration::from_nanos(self.bits().checked_rem(as_ns(limit)).unwrap_or(0))
    }
}
