//! How control requests and answers lie on a byte stream: four bytes of length, most significant
//! first, then that many bytes of JSON, at most [`CONTROL_FRAME_MAX`]. A length beyond it is
//! refused before anything is allocated (H44). Never opens a socket and sets no deadline.

use core::fmt;
use std::io::{self, Read, Write};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::wire::codec::quoted;
use crate::wire::control::CONTROL_FRAME_MAX;

/// Why no frame could be read or written. After any of these the stream is of no more use.
#[derive(Debug)]
pub enum FrameError {
    /// The other side closed the stream between two frames.
    Closed,
    /// The stream failed, or its deadline passed, in the middle of things.
    Stream(io::Error),
    /// The frame is longer than allowed.
    TooLong {
        /// Its length in bytes.
        bytes: u64,
    },
    /// The frame is not the JSON that belongs here.
    Malformed(serde_json::Error),
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("the other side closed the connection"),
            Self::Stream(error) => write!(f, "{error}"),
            Self::TooLong { bytes } => {
                write!(f, "a frame of {bytes} bytes is beyond the limit of {CONTROL_FRAME_MAX}")
            }
            // These words go back in one frame, and the error repeats what it does not know.
            Self::Malformed(error) => {
                write!(f, "a frame is not what belongs here: {}", quoted(error))
            }
        }
    }
}

impl core::error::Error for FrameError {}

/// Reads one frame.
///
/// # Errors
/// See [`FrameError`]; a stream that ends within a frame is `Stream(UnexpectedEof)`.
pub fn read<T: DeserializeOwned>(from: &mut impl Read) -> Result<T, FrameError> {
    let mut header = [0; 4];
    read_header(from, &mut header)?;
    let length = u32::from_be_bytes(header);
    let length = match usize::try_from(length) {
        Ok(length) if length <= CONTROL_FRAME_MAX => length,
        Ok(_) | Err(_) => return Err(FrameError::TooLong { bytes: u64::from(length) }),
    };
    let mut body = vec![0; length];
    from.read_exact(&mut body).map_err(FrameError::Stream)?;
    serde_json::from_slice(&body).map_err(FrameError::Malformed)
}

/// Fills `header`; an end before its first byte is a clean close.
fn read_header(from: &mut impl Read, header: &mut [u8; 4]) -> Result<(), FrameError> {
    let first = loop {
        match from.read(&mut header[..1]) {
            Ok(count) => break count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(FrameError::Stream(error)),
        }
    };
    if first == 0 {
        return Err(FrameError::Closed);
    }
    from.read_exact(&mut header[1..]).map_err(FrameError::Stream)
}

/// Writes one frame in one piece and flushes it.
///
/// # Errors
/// `TooLong` before anything is written, or `Stream`.
pub fn write<T: Serialize>(to: &mut impl Write, value: &T) -> Result<(), FrameError> {
    let mut frame = vec![0; 4];
    serde_json::to_writer(&mut frame, value).map_err(FrameError::Malformed)?;
    let length = frame.len() - 4;
    let header = match u32::try_from(length) {
        Ok(header) if length <= CONTROL_FRAME_MAX => header,
        Ok(_) | Err(_) => {
            return Err(FrameError::TooLong { bytes: u64::try_from(length).unwrap_or(u64::MAX) });
        }
    };
    frame[..4].copy_from_slice(&header.to_be_bytes());
    to.write_all(&frame).and_then(|()| to.flush()).map_err(FrameError::Stream)
}
