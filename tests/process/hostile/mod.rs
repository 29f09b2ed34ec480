//! Hostile peers with a good key, strangers without one, against real daemons; a canary watches
//! that mastership does not move, memory stays small and nothing is left behind.
//! Never believes that an attack arrived: each test first shows the daemon's own word for it.
//!
//! | file | who attacks |
//! |---|---|
//! | `lies` | a member that says what is not so, while the others have their majority (F113-F121) |
//! | `support` | a member whose voice would be needed, and must not count (F114-F116, F122) |
//! | `echoes` | a member that says again what was true once (F15, F16, F42, F87) |
//! | `strangers` | callers that prove no key of the cluster (H01-H09, H22) |
//! | `intruders` | callers that prove a member's key and then break the rules (H12-H28) |
//! | `newer` | a member of a later release (F80) |
//! | `hosts` | whoever listens where a member should (H04, H25, H30) |

mod canary;
mod peer;
mod actor;
mod session;
mod scene;

mod echoes;
mod hosts;
mod intruders;
mod lies;
mod newer;
mod strangers;
mod support;

pub(super) use session::{Session, call, framed};
