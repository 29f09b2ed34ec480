//! Keeps: starts what runs under mastership, and sees all of it dead before the lease can end.
//! Never asks a daemon and never decides who is master; it knows one thing, until when.
//!
//! ```text
//! quorate run (front)  ── post: begin, extend, stop, kill ──►  keeper  ── launch ──►  CMD
//!   asks the daemon    ◄── ended, failed; the end of both ──   hold: by its own clocks
//!   │                                                          │
//!   └ sweeps what a dead keeper left behind                    └ tree: TERM, then KILL until
//!                                                                no child is left
//! ```
//!
//! - A front that waits for mastership has a keeper ready, which is in a control group of its own
//!   already. At the grant it looks at the clocks, starts CMD, born in that group, and leaves it.
//! - The front dies: the keeper's line to it ends, and the keeper kills. A stopped keeper is
//!   continued by the front's death.
//! - The keeper dies: the system kills CMD, and what it left behind becomes the front's children,
//!   which kills them.
//! - The keeper stands still: the front notices at the moment to kill, and kills it.
//! - No word comes: the keeper ends CMD at the last end it was told, by whichever of the two
//!   clocks is ahead (R21), also right after a suspend.
//!
//! The daemon is the front of a [`guard`], which runs hooks one after another instead of one CMD.
//!
//! Out of reach is what another service starts on CMD's behalf: a container, a unit, a cron job.

pub mod caught;
pub mod guard;
pub mod hold;
mod inherited;
pub mod keeper;
pub mod launch;
pub mod memory;
pub mod once;
pub mod post;
pub mod rounds;
pub mod tree;
pub mod words;

pub use crate::daemon::clock::{now, wall_seconds, wall_text};
pub use crate::daemon::timer::{Alarm, ring_at};
