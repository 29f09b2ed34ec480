//! Owns the question who is at the other end of a local stream. The system answers it, and numbers
//! processes of a process namespace that is not ours zero.
//! Never decides who may do what.

use std::io;
use std::os::unix::net::UnixStream;

use nix::sys::socket::getsockopt;
use nix::sys::socket::sockopt::PeerCredentials;

/// Who connected, or made the socket and listens there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Credentials {
    /// The user it acted as then.
    pub user: u32,
    /// Its process, if that is one of those we see.
    pub pid: Option<i32>,
}

impl Credentials {
    /// Of the other end of `stream`.
    ///
    /// # Errors
    /// The system does not say.
    pub fn of_peer(stream: &UnixStream) -> io::Result<Self> {
        let peer = getsockopt(stream, PeerCredentials)?;
        Ok(Self { user: peer.uid(), pid: Some(peer.pid()).filter(|pid| *pid > 0) })
    }
}
