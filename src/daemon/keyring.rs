//! Owns which key this node shows: the present one to whoever calls, and on its own calls, while
//! its key changes, the next one first.
//! Never decides when the next one becomes the present one; `rotation` does.

use std::sync::{Arc, PoisonError, RwLock};

use rustls::ClientConfig;

use crate::daemon::tls::{self, Keys, Listening, Trust};
use crate::protocol::units::{NodeId, Pin};

/// The keys of this node that its network uses.
pub(crate) struct Keyring {
    /// Whose keys are good.
    trust: Arc<Trust>,
    shown: RwLock<Shown>,
}

#[derive(Clone)]
struct Shown {
    present: Arc<Keys>,
    next: Option<Arc<Keys>>,
    listening: Arc<Listening>,
}

/// How to call a member, and the key that is shown to it.
pub(crate) type Way = (Pin, Arc<ClientConfig>);

impl Keyring {
    /// Shows `keys` to those whom `trust` knows.
    pub(crate) fn new(keys: Keys, trust: &Arc<Trust>) -> Result<Self, rustls::Error> {
        let listening = Arc::new(Listening::new(&keys, trust)?);
        let shown = RwLock::new(Shown { present: Arc::new(keys), next: None, listening });
        Ok(Self { trust: Arc::clone(trust), shown })
    }

    /// How to answer callers.
    pub(crate) fn listening(&self) -> Arc<Listening> {
        self.shown().listening
    }

    /// The key that callers are shown.
    pub(crate) fn present(&self) -> Pin {
        self.shown().present.pin()
    }

    /// From now on own calls show this one first.
    pub(crate) fn offer(&self, next: Keys) {
        self.change(|shown| shown.next = Some(Arc::new(next)));
    }

    /// From now on this one is shown, and no other.
    pub(crate) fn show(&self, keys: Keys) -> Result<(), rustls::Error> {
        let listening = Arc::new(Listening::new(&keys, &self.trust)?);
        self.change(|shown| *shown = Shown { present: Arc::new(keys), next: None, listening });
        Ok(())
    }

    /// How to call `peer`: as it was called last, if that is with the right key still.
    pub(crate) fn way_to(
        &self,
        peer: &NodeId,
        refuses_next: bool,
        last: Option<Way>,
    ) -> Result<Way, rustls::Error> {
        let Shown { present, next, .. } = self.shown();
        let keys = next.filter(|_| !refuses_next).unwrap_or(present);
        match last.filter(|(pin, _)| *pin == keys.pin()) {
            Some(way) => Ok(way),
            None => Ok((keys.pin(), tls::dialing(&keys, &self.trust, peer)?)),
        }
    }

    fn shown(&self) -> Shown {
        self.shown.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn change(&self, change: impl FnOnce(&mut Shown)) {
        change(&mut self.shown.write().unwrap_or_else(PoisonError::into_inner));
    }
}
