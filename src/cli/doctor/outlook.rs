//! Decides what each single failure would do now: a node that fails, a link that is cut.
//! Never looks further than who hears whom at this moment.

use serde::Serialize;

use super::hearing::Hearing;
use crate::protocol::order;
use crate::wire::facts::FactsReport;

/// What one failure would do.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Consequence {
    /// Which one, such as `bravo fails`.
    pub event: String,
    /// What then.
    pub outcome: String,
    /// Whether nobody could be master then.
    #[serde(rename = "fatal")]
    pub is_fatal: bool,
    /// Whether another one would be.
    #[serde(rename = "change")]
    pub is_change: bool,
}

/// The cluster as the doctor sees it.
struct Scene<'a> {
    hearing: &'a Hearing,
    /// Who votes, and may lead.
    voters: Vec<(&'a str, bool)>,
    need: usize,
    master: Option<&'a str>,
    failover_ms: u64,
}

/// What is missing in a scene.
#[derive(Clone, Copy)]
enum Loss<'a> {
    Node(&'a str),
    Link(&'a str, &'a str),
}

impl Loss<'_> {
    fn takes(&self, node: &str) -> bool {
        matches!(self, Loss::Node(gone) if *gone == node)
    }

    fn cuts(&self, one: &str, other: &str) -> bool {
        match self {
            Loss::Node(_) => self.takes(one) || self.takes(other),
            Loss::Link(a, b) => (*a == one && *b == other) || (*a == other && *b == one),
        }
    }
}

/// What the failure of each voter that is there would do, and of each link between two of them.
#[must_use]
pub fn consequences(report: &FactsReport, hearing: &Hearing, failover_ms: u64) -> Vec<Consequence> {
    let status = &report.status;
    let own = report.member.as_deref().map(|role| (status.node.as_str(), role));
    let peers = status.peers.iter().map(|peer| (peer.id.as_str(), peer.role.as_str()));
    let votes = |(_, role): &(&str, &str)| *role != "observer";
    let voters = order::sorted(own.into_iter().chain(peers).filter(votes).collect(), Ord::cmp);
    let scene = Scene {
        hearing,
        voters: voters.iter().map(|(id, role)| (*id, *role == "voter")).collect(),
        need: status.quorum.need,
        master: status.master.as_ref().map(|master| master.id.as_str()),
        failover_ms,
    };
    let present = |id: &str| {
        id == status.node || scene.voters.iter().any(|(other, _)| hearing.is_both_ways(other, id))
    };
    let present: Vec<&str> =
        scene.voters.iter().map(|(id, _)| *id).filter(|id| present(id)).collect();
    let nodes = present.iter().map(|id| scene.after(Loss::Node(id)));
    let pairs = present.iter().enumerate();
    let pairs = pairs.flat_map(|(at, one)| present[at + 1..].iter().map(|other| (*one, *other)));
    let links = pairs.filter(|(one, other)| hearing.is_both_ways(one, other));
    nodes.chain(links.map(|(one, other)| scene.after(Loss::Link(one, other)))).collect()
}

impl Scene<'_> {
    /// How many voters would promise `node` not to vote for another.
    fn support(&self, node: &str, loss: Loss<'_>) -> usize {
        let others = self.voters.iter().map(|(id, _)| *id).filter(|id| *id != node);
        let heard = others
            .filter(|other| !loss.cuts(node, other) && self.hearing.is_both_ways(node, other));
        1 + heard.count()
    }

    fn after(&self, loss: Loss<'_>) -> Consequence {
        let Self { need, failover_ms, .. } = self;
        let event = match loss {
            Loss::Node(node) => format!("{node} fails"),
            Loss::Link(one, other) => format!("the link {one} - {other} is cut"),
        };
        let may = |id: &str| !loss.takes(id) && self.support(id, loss) >= *need;
        if let Some(master) = self.master.filter(|master| may(master)) {
            let left = self.support(master, loss);
            let all = self.voters.len();
            let outcome = format!(
                "{left} of {all} voters stay with it, {need} needed: {master} stays master"
            );
            return Consequence { event, outcome, is_fatal: false, is_change: false };
        }
        let heirs: Vec<&str> =
            self.voters.iter().filter(|(id, leads)| *leads && may(id)).map(|(id, _)| *id).collect();
        let is_fatal = heirs.is_empty();
        let outcome = if is_fatal {
            let most = self.voters.iter().filter(|(id, _)| !loss.takes(id));
            let most = most.map(|(id, _)| self.support(id, loss)).max().unwrap_or(0);
            format!("at most {most} voters hear each other, {need} needed: NOBODY is master")
        } else {
            format!("{} takes over, after about {failover_ms} ms", heirs.join(" or "))
        };
        Consequence { event, outcome, is_fatal, is_change: true }
    }
}
