//! Peer frames: however a stream arrives, it is cut into the same frames, and no memory is held
//! for what was only announced. Never looks into a frame.

use std::io::{self, Read};

use quorate::wire::frame::{Class, Frame, FrameError, Frames, header};

use super::Target;

pub(super) const TARGET: Target = Target {
    name: "frames",
    check,
    seeds,
    words: &[
        "H",
        "M",
        "D",
        "J",
        "W",
        "\0\0\0\u{1}",
        "\0\0\u{4}\0",
        "\0\u{10}\0\0",
        "\0\u{10}\u{10}\0",
    ],
};

/// The most that is reserved beyond what has arrived.
const CHUNK: usize = 16 << 10;

/// The first byte says how the rest arrives.
fn check(bytes: &[u8]) -> bool {
    let Some((pace, stream)) = bytes.split_first() else { return false };
    let (at_once, end) = cut(stream);
    let (in_pieces, other_end) = cut(Pieces { left: stream, pace: *pace, turn: 0 });
    assert_eq!(at_once, in_pieces);
    assert_eq!(format!("{end:?}"), format!("{other_end:?}"));
    let again: Vec<u8> = at_once.iter().flat_map(spelled).collect();
    assert!(stream.starts_with(&again));
    match end {
        FrameError::Ended => assert_eq!(stream.len(), again.len()),
        FrameError::CutShort => assert!(stream.len() > again.len()),
        FrameError::UnknownClass(class) => assert_eq!(stream[again.len()], class),
        FrameError::Empty | FrameError::TooLong { .. } => assert!(stream.len() >= again.len() + 5),
        FrameError::Io(error) => panic!("the stream never fails: {error}"),
    }
    !at_once.is_empty()
}

/// Every frame, and why there is no next one.
fn cut(mut stream: impl Read) -> (Vec<Frame>, FrameError) {
    let mut frames = Frames::default();
    let mut found = Vec::new();
    loop {
        match frames.read(&mut stream) {
            Ok(Some(frame)) => {
                assert!(!frames.is_inside());
                assert!(frame.payload.capacity() <= frame.payload.len() + CHUNK);
                found.push(frame);
            }
            Ok(None) => {}
            Err(end) => {
                super::assert_speakable(&end.to_string());
                return (found, end);
            }
        }
    }
}

fn spelled(frame: &Frame) -> Vec<u8> {
    let header = header(frame.class, &frame.payload).expect("what was read may be sent");
    [&header[..], &frame.payload].concat()
}

/// A stream that would block, is interrupted, or gives a few bytes.
struct Pieces<'a> {
    left: &'a [u8],
    pace: u8,
    turn: u8,
}

impl Read for Pieces<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.turn = self.turn.wrapping_add(1);
        if !self.left.is_empty() && self.turn.is_multiple_of(3) {
            let interrupted = self.pace.is_multiple_of(2);
            let (often, seldom) = (io::ErrorKind::WouldBlock, io::ErrorKind::Interrupted);
            return Err(if interrupted { seldom } else { often }.into());
        }
        let count = self.left.len().min(into.len()).min(1 + usize::from(self.pace / 2));
        into[..count].copy_from_slice(&self.left[..count]);
        self.left = &self.left[count..];
        Ok(count)
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let frame = |class, payload: &[u8]| spelled(&Frame { class, payload: payload.to_vec() });
    let [hello, message, document] = [
        frame(Class::Hello, br#"{"version":1}"#),
        frame(Class::Message, &[b'm'; 300]),
        frame(Class::Document, &[b'd'; 5_000]),
    ];
    vec![
        [&[0], &hello[..], &message].concat(),
        [&[3], &hello[..], &document, &message].concat(),
        [&[40], &message[..message.len() - 1]].concat(),
        [&[9], &hello[..], b"GET / HTTP/1.1\r\n\r\n"].concat(),
        [&[7], &frame(Class::Join, &[b'j'; 700])[..], &frame(Class::Welcome, b"{}")].concat(),
        vec![1, b'D', 0, 16, 16, 0],
        vec![1, b'M', 0, 0, 16, 1],
    ]
}
