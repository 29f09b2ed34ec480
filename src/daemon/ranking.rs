//! Spells the order of those who could lead as the report that people read.
//! Never decides who leads.

use std::time::Duration;

use crate::protocol::membership::{MemberRole, Policy};
use crate::protocol::status::{Hindrance, Placing, Status};
use crate::settings::duration;
use crate::settings::words;
use crate::wire::ranking::{RankReport, RankingReport};

/// The ranking as this node sees it.
#[must_use]
pub fn report(status: &Status, ranking: &[Placing]) -> RankingReport {
    let place = |(index, placing): (usize, &Placing)| {
        let rank = u32::try_from(index + 1).ok().filter(|_| placing.hindrance.is_none());
        RankReport {
            id: placing.id.to_string(),
            rank,
            reason: match placing.hindrance {
                Some(hindrance) => hindered(hindrance).to_owned(),
                None => merit(status.policy, placing),
            },
            priority: placing.priority,
            freshness: placing.freshness,
            age_ms: u64::try_from(placing.age.as_millis()).unwrap_or(u64::MAX),
        }
    };
    RankingReport {
        policy: words::of_policy(status.policy).to_owned(),
        automatic: status.moves_by_itself,
        nodes: ranking.iter().enumerate().map(place).collect(),
    }
}

/// What the policy looks at.
fn merit(policy: Policy, placing: &Placing) -> String {
    let data = || {
        let known = placing.freshness.map(|freshness| format!("data at {freshness}"));
        known.unwrap_or_else(|| "freshness of its data not known".to_owned())
    };
    match policy {
        Policy::LowestId => "by its name".to_owned(),
        Policy::Priority => format!("priority {}, {}", placing.priority, data()),
        Policy::Seniority => {
            let age = Duration::from_secs(placing.age.as_secs());
            format!("up for {}, {}", duration::show(age), data())
        }
        Policy::Freshest => format!("{}, priority {}", data(), placing.priority),
        Policy::Sticky if placing.is_incumbent => "was master last".to_owned(),
        Policy::Sticky => "by its name".to_owned(),
    }
}

fn hindered(hindrance: Hindrance) -> &'static str {
    match hindrance {
        Hindrance::NeverLeads(MemberRole::Witness) => "a witness votes and never leads",
        Hindrance::NeverLeads(MemberRole::Observer | MemberRole::Voter) => {
            "an observer neither votes nor leads"
        }
        Hindrance::OutOfSync => "its data do not count as complete: no `in_sync: true`",
        Hindrance::Standby => "on standby: only if nobody else can",
        Hindrance::NotHeard => "not heard",
        Hindrance::Unhealthy => "its work is not in order: only if nobody else can",
        Hindrance::HeldOff => "holds off: it stepped down, is being stopped, or its disk failed",
        Hindrance::Unable => "cannot: it is being stopped, its disk failed, or is not its disk",
    }
}
