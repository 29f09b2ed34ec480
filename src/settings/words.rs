//! The words of documents for what has a few values: roles and policies, one table of each.
//! Never reads or writes a document, and never fills in what is not said.

use crate::protocol::membership::{MemberRole, Policy};

/// Every role.
pub const ROLES: [MemberRole; 3] = [MemberRole::Voter, MemberRole::Witness, MemberRole::Observer];

/// Every policy.
pub const POLICIES: [Policy; 5] =
    [Policy::LowestId, Policy::Priority, Policy::Seniority, Policy::Freshest, Policy::Sticky];

/// What a role is called.
#[must_use]
pub fn of_role(role: MemberRole) -> &'static str {
    match role {
        MemberRole::Voter => "voter",
        MemberRole::Witness => "witness",
        MemberRole::Observer => "observer",
    }
}

/// The role of that word.
#[must_use]
pub fn role(word: &str) -> Option<MemberRole> {
    ROLES.into_iter().find(|role| of_role(*role) == word)
}

/// What a policy is called.
#[must_use]
pub fn of_policy(policy: Policy) -> &'static str {
    match policy {
        Policy::LowestId => "lowest-id",
        Policy::Priority => "priority",
        Policy::Seniority => "seniority",
        Policy::Freshest => "freshest",
        Policy::Sticky => "sticky",
    }
}

/// The policy of that word.
#[must_use]
pub fn policy(word: &str) -> Option<Policy> {
    POLICIES.into_iter().find(|policy| of_policy(*policy) == word)
}

/// `1 voter`, `2 voters`.
#[must_use]
pub fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}
