//! Who should be master when several could: an order of candidates.
//! Never a veto (R68): the order only spaces out who asks first and whom a master hands over to.

use crate::protocol::membership::{Charter, Member, Policy};
use crate::protocol::units::NodeId;

/// Whether `one` is preferred to `other` under the charter's policy.
pub(crate) fn is_better(charter: &Charter, one: &Member, other: &NodeId) -> bool {
    match charter.election.policy {
        Policy::LowestId => one.id < *other,
    }
}

/// How many of the `rivals` are preferred to `me`: the number of staggers to wait (R67).
pub(crate) fn rank<'a>(
    charter: &Charter,
    me: &NodeId,
    rivals: impl Iterator<Item = &'a Member>,
) -> u32 {
    let better = rivals.filter(|rival| rival.id != *me && is_better(charter, rival, me)).count();
    u32::try_from(better).unwrap_or(u32::MAX)
}

/// Those of `candidates` in order of preference, best first.
pub(crate) fn order<'a>(
    charter: &Charter,
    candidates: impl Iterator<Item = &'a Member>,
) -> alloc::vec::Vec<&'a Member> {
    let mut ordered: alloc::vec::Vec<&Member> = candidates.collect();
    match charter.election.policy {
        Policy::LowestId => ordered.sort_by(|a, b| a.id.cmp(&b.id)),
    }
    ordered
}
