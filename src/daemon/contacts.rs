//! Owns what each member last said of itself at the beginning of a session, either way, and how its
//! own call to this node stands.
//! Never trusts it: the key says who it is, and the document says what it may.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::protocol::map::Map;
use crate::protocol::units::NodeId;
use crate::wire::hello::{Hello, SPOKEN};

/// What is known of one member.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Contact {
    /// The release it runs.
    pub release: Option<String>,
    /// The version of the protocol that is spoken with it; none before it said hello.
    pub protocol: Option<u32>,
    /// Where it says it listens.
    pub address: Option<String>,
    /// How its own call to this node stands, in words; none if it never called.
    pub call: Option<String>,
    /// How many of its messages only a later release knows.
    pub passed_over: u64,
    /// What the last of them was called.
    pub unknown: Option<String>,
}

/// What is known of all members.
#[derive(Debug, Default)]
pub(crate) struct Contacts(Mutex<Map<NodeId, Contact>>);

impl Contacts {
    /// `peer` said hello. Whether it names another address than before.
    pub(crate) fn met(&self, peer: &NodeId, hello: &Hello) -> bool {
        let mut all = self.lock();
        let contact = all.get_or_insert(peer.clone(), Contact::default());
        contact.release = hello.release.clone();
        contact.protocol = SPOKEN.common(hello.versions());
        let is_news = contact.address != hello.address;
        contact.address = hello.address.clone();
        is_news
    }

    /// How the call of `peer` stands now; true when that is news.
    pub(crate) fn called(&self, peer: &NodeId, words: String) -> bool {
        let mut all = self.lock();
        let contact = all.get_or_insert(peer.clone(), Contact::default());
        let is_news = contact.call.as_ref() != Some(&words);
        contact.call = Some(words);
        is_news
    }

    /// `peer` sent a message of that unknown kind; true if the last one was of another, or none.
    pub(crate) fn passed_over(&self, peer: &NodeId, kind: &str) -> bool {
        let mut all = self.lock();
        let contact = all.get_or_insert(peer.clone(), Contact::default());
        contact.passed_over += 1;
        let is_news = contact.unknown.as_deref() != Some(kind);
        contact.unknown = Some(kind.to_owned());
        is_news
    }

    /// What is known of `peer`.
    pub(crate) fn of(&self, peer: &NodeId) -> Contact {
        self.lock().get(peer).cloned().unwrap_or_default()
    }

    /// Forgets who is no member any more.
    pub(crate) fn retain(&self, is_member: impl Fn(&NodeId) -> bool) {
        self.lock().retain(|peer, _| is_member(peer));
    }

    fn lock(&self) -> MutexGuard<'_, Map<NodeId, Contact>> {
        // A thread that panics aborts the process; nothing half-changed is ever seen.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
