//! Where one message ends and the next begins: one byte of class, four of length (big-endian),
//! then so many bytes. Never holds more memory than what has arrived plus one chunk (H15), and
//! checks every length before it reserves anything for it (H14).

use std::fmt;
use std::io::{self, Read};

use crate::wire::codec::BODY_MAX;

/// Class and length.
const HEADER: usize = 5;
/// How much is reserved at a time, in bytes.
const CHUNK: usize = 16 << 10;

/// What a frame carries, which bounds its length.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Class {
    /// The first frame of a session, each way.
    Hello,
    /// A message without a document.
    Message,
    /// A message with a document.
    Document,
    /// What a node that wants to join asks.
    Join,
    /// What it is answered, perhaps with a document.
    Welcome,
    /// How many writes of its state the sender has on disk; before a message, to those who said
    /// that they take it (R54).
    Progress,
}

impl Class {
    /// The most bytes a frame of this class may carry (H14).
    #[must_use]
    pub fn limit(self) -> usize {
        match self {
            Self::Hello | Self::Join => 1 << 10,
            Self::Message => 4 << 10,
            Self::Document | Self::Welcome => BODY_MAX + (4 << 10),
            Self::Progress => 20,
        }
    }

    fn byte(self) -> u8 {
        match self {
            Self::Hello => b'H',
            Self::Message => b'M',
            Self::Document => b'D',
            Self::Join => b'J',
            Self::Welcome => b'W',
            Self::Progress => b'P',
        }
    }

    fn of(byte: u8) -> Option<Self> {
        let all =
            [Self::Hello, Self::Message, Self::Document, Self::Join, Self::Welcome, Self::Progress];
        all.into_iter().find(|class| class.byte() == byte)
    }
}

/// One whole frame.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Frame {
    /// What it carries.
    pub class: Class,
    /// The bytes, at least one.
    pub payload: Vec<u8>,
}

/// Why a stream has no next frame. The session cannot go on.
#[derive(Debug)]
pub enum FrameError {
    /// The stream ended between two frames.
    Ended,
    /// The stream ended inside a frame.
    CutShort,
    /// The class byte is none of ours.
    UnknownClass(u8),
    /// No bytes at all are announced or given.
    Empty,
    /// More bytes than the class allows are announced or given.
    TooLong {
        /// The class.
        class: Class,
        /// How many.
        length: u64,
    },
    /// The stream failed.
    Io(io::Error),
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ended => f.write_str("closed by the other side"),
            Self::CutShort => f.write_str("the stream ended inside a frame"),
            Self::UnknownClass(byte) => write!(f, "a frame of unknown class {byte:#04x}"),
            Self::Empty => f.write_str("an empty frame"),
            Self::TooLong { class, length } => write!(
                f,
                "a {class:?} frame of {length} bytes; at most {} are allowed",
                class.limit()
            ),
            Self::Io(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for FrameError {}

/// The header of a frame with `payload`; send it, then the payload.
///
/// # Errors
/// `Empty` or `TooLong`: the receiver would refuse it.
pub fn header(class: Class, payload: &[u8]) -> Result<[u8; HEADER], FrameError> {
    let length = checked(class, u64::try_from(payload.len()).unwrap_or(u64::MAX))?;
    let length = u32::try_from(length).expect("every class is limited far below 4 GiB");
    let [a, b, c, d] = length.to_be_bytes();
    Ok([class.byte(), a, b, c, d])
}

fn checked(class: Class, length: u64) -> Result<usize, FrameError> {
    match usize::try_from(length) {
        Ok(0) => Err(FrameError::Empty),
        Ok(size) if size <= class.limit() => Ok(size),
        Ok(_) | Err(_) => Err(FrameError::TooLong { class, length }),
    }
}

/// Cuts a stream into frames, over as many reads as it takes.
#[derive(Debug, Default)]
pub struct Frames {
    header: [u8; HEADER],
    have: usize,
    body: Option<Body>,
}

/// The frame that is arriving, its header checked.
#[derive(Debug)]
struct Body {
    class: Class,
    wanted: usize,
    bytes: Vec<u8>,
}

impl Frames {
    /// Whether a frame has begun and is not complete: then its deadline runs.
    #[must_use]
    pub fn is_inside(&self) -> bool {
        self.have > 0
    }

    /// What kind of frame is arriving, as soon as its header is there.
    #[must_use]
    pub fn announced(&self) -> Option<Class> {
        self.body.as_ref().map(|body| body.class)
    }

    /// Reads on. `None` means that the source would block.
    ///
    /// # Errors
    /// Whatever ends the session; see [`FrameError`].
    pub fn read(&mut self, source: &mut impl Read) -> Result<Option<Frame>, FrameError> {
        while self.have < HEADER {
            let Some(count) = self.some(source)? else { return Ok(None) };
            self.have += count;
            if self.have == HEADER {
                self.body = Some(Body::announced(self.header)?);
            }
        }
        while let Some(body) = &mut self.body {
            if body.bytes.len() == body.wanted {
                break;
            }
            if !body.read_some(source)? {
                return Ok(None);
            }
        }
        self.have = 0;
        Ok(self.body.take().map(|body| Frame { class: body.class, payload: body.bytes }))
    }

    /// Reads a part of the header; `None` means that the source would block.
    fn some(&mut self, source: &mut impl Read) -> Result<Option<usize>, FrameError> {
        match attempt(source, &mut self.header[self.have..])? {
            Some(0) if self.have == 0 => Err(FrameError::Ended),
            Some(0) => Err(FrameError::CutShort),
            count => Ok(count),
        }
    }
}

impl Body {
    fn announced(header: [u8; HEADER]) -> Result<Self, FrameError> {
        let [class, a, b, c, d] = header;
        let class = Class::of(class).ok_or(FrameError::UnknownClass(class))?;
        let wanted = checked(class, u64::from(u32::from_be_bytes([a, b, c, d])))?;
        Ok(Self { class, wanted, bytes: Vec::new() })
    }

    /// Reads at most one chunk; false means that the source would block.
    fn read_some(&mut self, source: &mut impl Read) -> Result<bool, FrameError> {
        let have = self.bytes.len();
        let room = CHUNK.min(self.wanted - have);
        self.bytes.reserve_exact(room);
        self.bytes.resize(have + room, 0);
        let outcome = attempt(source, &mut self.bytes[have..]);
        let count = outcome.as_ref().ok().copied().flatten().unwrap_or(0);
        self.bytes.truncate(have + count);
        match outcome? {
            Some(0) => Err(FrameError::CutShort),
            Some(_) => Ok(true),
            None => Ok(false),
        }
    }
}

/// One read; `None` means that the source would block.
fn attempt(source: &mut impl Read, into: &mut [u8]) -> Result<Option<usize>, FrameError> {
    loop {
        match source.read(into) {
            Ok(count) => return Ok(Some(count)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(Some(0)),
            Err(error) => return Err(FrameError::Io(error)),
        }
    }
}
