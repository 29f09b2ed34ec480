//! What an operator does about a lost, copied or doubted disk, and about a lost majority: all of it
//! offline, on files. Never touches a state that a daemon uses, and never decides by itself that
//! one may be given up.
//!
//! ```text
//! backup ── FILE ──┬─▶ restore      one node, under a new storage id
//! state files ─────┴─▶ recover      a new generation from the best of them (R60-R64)
//! renew, confirm-moved              this disk is another one now; or it only moved
//! ```

mod backup;
mod census;
mod files;
mod moved;
mod recover;
mod renew;
mod rewrite;

pub use backup::{backup, restore};
pub use moved::confirm_moved;
pub use recover::recover;
pub use renew::renew;

pub(in crate::daemon) use renew::{WAY_BACK, set_aside};

/// The way back for a disk whose votes cannot be relied on.
pub(in crate::daemon) const RENEW: &str = "run `quorate init --renew`, which moves this state \
                                           away, gives the disk a new storage id, and says how it \
                                           gets back into the cluster";
