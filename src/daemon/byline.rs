//! Owns what a document's byline says of whoever asked this node for it: the user, this node, the
//! wall clock; or of what the daemon did itself.
//! Never decides who may ask; the socket does.

use std::fs;

use crate::daemon::clock;
use crate::protocol::durable::Byline;
use crate::protocol::units::NodeId;
use crate::settings::users::name_of;

/// The byline of what `user` asks `node` for now.
#[must_use]
pub fn of(user: u32, node: &NodeId) -> Option<Byline> {
    let at_ms = clock::read().wall_ns / 1_000_000;
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let named =
        name_of(&users, user).and_then(|name| Byline::new(&format!("{name}@{node}"), at_ms));
    // A number says who it was where no name does.
    named.or_else(|| Byline::new(&format!("{user}@{node}"), at_ms))
}

/// The byline of what `node` does on its own account now: `quorate: alpha promoted pi`.
#[must_use]
pub fn of_daemon(node: &NodeId, deed: &str) -> Option<Byline> {
    let at_ms = clock::read().wall_ns / 1_000_000;
    let whole = Byline::new(&format!("quorate: {node} {deed}"), at_ms);
    // Two long names may not fit; which node it was does.
    whole.or_else(|| Byline::new(&format!("quorate: {node}"), at_ms))
}
