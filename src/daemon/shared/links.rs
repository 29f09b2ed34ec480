//! Opens the links to members: a voter's in a thread of its own, an observer's in the gallery.
//! Never decides who is a member, and never reaches one itself.

use std::io;
use std::sync::Arc;

use super::{Shared, lock};
use crate::daemon::gallery::{Errand, Gallery};
use crate::daemon::outbox::Outbox;
use crate::daemon::peer::{self, Link, Reached};
use crate::daemon::session::steps::Unsent;
use crate::daemon::spawn::spawn;
use crate::protocol::map::Map;
use crate::protocol::membership::Member;
use crate::protocol::units::NodeId;

impl Shared {
    /// Who watches only, by every document that counts; who no longer does leaves the gallery.
    pub(super) fn note_observers(&self, entries: &Map<&NodeId, Vec<&Member>>) {
        let watches = |(name, lines): (&&NodeId, &Vec<&Member>)| {
            (!lines.iter().any(|member| member.votes())).then(|| NodeId::clone(name))
        };
        let now = entries.iter().filter_map(watches).collect();
        let before = std::mem::replace(&mut *lock(&self.observers), now);
        let Some(gallery) = lock(&self.gallery).clone() else { return };
        let votes = |peer: &NodeId| entries.contains_key(peer) && !self.is_observer(peer);
        let risen = before.into_iter().filter(votes);
        risen.for_each(|peer| gallery.put(Errand::Rise(peer)));
    }

    /// Whether that member's sessions belong into the gallery.
    pub(crate) fn is_observer(&self, peer: &NodeId) -> bool {
        lock(&self.observers).binary_search(peer).is_ok()
    }

    /// The gallery, which is opened for the first observer.
    pub(crate) fn gallery(self: &Arc<Self>) -> io::Result<Arc<Gallery>> {
        let mut place = lock(&self.gallery);
        if let Some(gallery) = &*place {
            return Ok(Arc::clone(gallery));
        }
        let gallery = Gallery::open(self)?;
        *place = Some(Arc::clone(&gallery));
        Ok(gallery)
    }

    pub(super) fn new_link(self: &Arc<Self>, entries: &[&Member]) -> io::Result<Arc<Link>> {
        let link = Arc::new(Link::new(entries, Outbox::new(self.dead_after())?));
        if self.is_observer(&link.peer) {
            let gallery = self.gallery()?;
            *lock(&self.senders) += 1;
            gallery.put(Errand::Reach(Arc::clone(&link)));
            return Ok(link);
        }
        *lock(&self.senders) += 1;
        self.run_link(&link, None).inspect_err(|_| self.sender_has_ended())?;
        Ok(link)
    }

    /// Keeps a link in a thread of its own, which is counted among the senders already.
    pub(crate) fn run_link(
        self: &Arc<Self>,
        link: &Arc<Link>,
        at_hand: Option<(Reached, Unsent)>,
    ) -> io::Result<()> {
        let name = format!("send-{}", link.peer);
        let (shared, link) = (Arc::clone(self), Arc::clone(link));
        spawn(&name, move || {
            peer::run(&shared, &link, at_hand);
            shared.sender_has_ended();
        })
        .map(drop)
    }

    /// A link has ended, its mail sent as far as that was possible.
    pub(crate) fn sender_has_ended(&self) {
        *lock(&self.senders) -= 1;
        self.sender_ended.notify_all();
    }
}
