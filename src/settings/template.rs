//! Writes the parts of a cluster.yaml people begin with. Never writes over what people wrote.

use std::fmt::Write as _;

use super::cluster::PRIORITY_DEFAULT;
use super::words;
use crate::protocol::membership::{Member, MemberRole};
use crate::protocol::units::ClusterId;

/// The head of a new cluster.yaml, up to `nodes:`; one [`node_line`] for each node goes below.
/// `name` follows the rule of node names.
#[must_use]
pub fn template(name: &str, id: ClusterId) -> String {
    format!(
        "# The one document of this cluster. Every node starts from the same bytes.
# Check it with: quorate config check
cluster: \"{name}\"
id: \"{id}\"
generation: 1

# How fast a lost master is replaced: a preset, or single times. These are the defaults.
# timing: default     # or lan (100ms/600ms/150ms), wan (1s/8s/2s)
# timing: {{heartbeat: 500ms, dead_after: 4s, stop: 500ms, drift: 1%}}

# Who should be master when several could: the lowest id, once it has been up for `failback`.
# Other policies: priority, seniority, freshest, sticky (contrib/doc/policies.md).
# election: {{policy: lowest-id, failback: 2m}}     # failback: never keeps the master it has

# One line for each node, as `quorate init` printed it there.
nodes:
"
    )
}

/// The line of one node below `nodes:`, without its end of line.
#[must_use]
pub fn node_line(member: &Member) -> String {
    let Member { id, address, role, priority, pin, storage, .. } = member;
    let mut line = format!("  - {{id: \"{id}\", address: \"{address}\"");
    if *role != MemberRole::Voter {
        write!(line, ", role: {}", words::of_role(*role)).expect("writing to a String succeeds");
    }
    if *priority != PRIORITY_DEFAULT {
        write!(line, ", priority: {priority}").expect("writing to a String succeeds");
    }
    write!(line, ", key: \"SHA256:{pin}\", storage: \"{storage}\"}}")
        .expect("writing to a String succeeds");
    line
}
