//! Spells what front and keeper say to each other: one JSON object a packet, over a socket pair
//! that keeps packets apart. Daemon and guard say theirs (`guard::orders`) the same way.
//! Never waits.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::{Errno, retry_on_intr};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recv, recvmsg, send, sendmsg,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::wire::hold::MomentReport;

/// No packet is longer.
pub(crate) const PACKET_BYTES_MAX: usize = 64 << 10;

/// What the keeper is told.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Order {
    /// Start it, if there is time. Comes first, perhaps after days, and brings what it reads as
    /// standard input.
    Begin {
        /// What it finds in its environment besides the keeper's.
        environment: Vec<(String, String)>,
        /// Then it has to end.
        until: MomentReport,
        /// Then it is killed.
        kill: MomentReport,
        /// Or that long after it was asked to end, if that is earlier.
        grace_ms: Option<u64>,
        /// The process group it joins; a new one if there is none.
        group: Option<i32>,
    },
    /// The end moved.
    Extend {
        /// Then it has to end.
        until: MomentReport,
        /// Then it is killed.
        kill: MomentReport,
    },
    /// End it; kill what is left then.
    Stop {
        /// Then it is killed.
        kill: MomentReport,
    },
    /// End it; kill what is left at the moment known.
    End,
    /// Kill it now.
    Kill,
    /// Pass this signal on.
    Signal {
        /// Its number.
        number: i32,
    },
}

/// What the front is told.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Report {
    /// The main program ended with this code, 128 and more if by a signal.
    Ended {
        /// The code.
        code: u8,
    },
    /// It was asked to end, or killed, though its main program had not ended by itself.
    Ending,
    /// Nothing was started: the time was over.
    TooLate,
    /// Nothing was started: the system refused.
    Failed {
        /// What it said.
        words: String,
    },
}

/// Says `word`; false if the other side does not take it now, or is gone.
pub(crate) fn say(line: impl AsFd, word: &impl Serialize) -> bool {
    let packet = serde_json::to_vec(word).expect("words have string keys only");
    send(line, &packet, SendFlags::DONTWAIT | SendFlags::NOSIGNAL).is_ok()
}

/// Says `word` and hands a descriptor over.
///
/// # Errors
/// What the system said.
pub(crate) fn hand(line: impl AsFd, word: &impl Serialize, fd: BorrowedFd<'_>) -> io::Result<()> {
    let packet = serde_json::to_vec(word).expect("words have string keys only");
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let fds = [fd];
    let has_room = control.push(SendAncillaryMessage::ScmRights(&fds));
    assert!(has_room, "the space was measured for one descriptor");
    sendmsg(line, &[IoSlice::new(&packet)], &mut control, SendFlags::NOSIGNAL)?;
    Ok(())
}

/// What was heard.
#[derive(Debug)]
pub(crate) enum Heard<T> {
    /// A word.
    Word(T),
    /// Nothing yet.
    Nothing,
    /// The other side is gone, or makes no sense.
    End,
}

/// The next word, if there is one already.
pub(crate) fn hear<T: DeserializeOwned>(line: impl AsFd) -> Heard<T> {
    let mut packet = vec![0; PACKET_BYTES_MAX];
    loop {
        match recv(&line, &mut packet[..], RecvFlags::DONTWAIT) {
            Ok((0, _)) => return Heard::End,
            Ok((length, _)) => {
                let word = serde_json::from_slice(&packet[..length.min(PACKET_BYTES_MAX)]);
                return word.map_or(Heard::End, Heard::Word);
            }
            // A reset says that the other side ended without reading all; what it said comes next.
            Err(Errno::INTR | Errno::CONNRESET) => {}
            Err(Errno::AGAIN) => return Heard::Nothing,
            Err(_) => return Heard::End,
        }
    }
}

/// Waits for the first word and the descriptor that comes with it.
///
/// # Errors
/// The other side is gone, or said something else.
pub(crate) fn receive<T: DeserializeOwned>(line: impl AsFd) -> io::Result<(T, OwnedFd)> {
    let mut packet = vec![0; PACKET_BYTES_MAX];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut parts = [IoSliceMut::new(&mut packet)];
    let flags = RecvFlags::CMSG_CLOEXEC;
    let length = retry_on_intr(|| recvmsg(&line, &mut parts, &mut control, flags))?.bytes;
    let fd = control.drain().find_map(|message| {
        let RecvAncillaryMessage::ScmRights(mut fds) = message else { return None };
        fds.next()
    });
    let fd = fd.ok_or_else(|| io::Error::other("no descriptor came"))?;
    Ok((serde_json::from_slice(&packet[..length])?, fd))
}
