//! Decides who hears whom, by what this node hears and by what the others say: a matrix of
//! directions, and what each dead one probably comes from. Never asks anybody.

use std::collections::BTreeSet;

use super::facts::{Finding, Weight};
use crate::protocol::map::Map;
use crate::wire::codes::doctor as codes;
use crate::wire::control::PeerReport;
use crate::wire::facts::FactsReport;

/// Who hears whom, as far as this node can know.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hearing {
    /// Every member, by name.
    pub members: BTreeSet<String>,
    /// For listener and speaker: whether the first hears the second.
    known: Map<(String, String), bool>,
}

impl Hearing {
    /// As `report` shows it.
    #[must_use]
    pub fn of(report: &FactsReport) -> Self {
        let status = &report.status;
        let me = &status.node;
        let counts = |role: &str| role != "observer";
        let mut voters: BTreeSet<&str> = BTreeSet::new();
        voters.extend(status.peers.iter().filter(|p| counts(&p.role)).map(|p| p.id.as_str()));
        if report.member.as_deref().is_some_and(counts) {
            voters.insert(me);
        }
        let mut known = Map::default();
        for peer in &status.peers {
            known.insert((me.clone(), peer.id.clone()), peer.heard);
            if let Some(hears_us) = peer.hears_us {
                known.insert((peer.id.clone(), me.clone()), hears_us);
            }
            // Peers say which voters they hear.
            for other in voters.iter().filter(|other| peer.heard && **other != peer.id) {
                let hears = peer.hears.iter().any(|heard| heard == other);
                known.get_or_insert((peer.id.clone(), (*other).to_owned()), hears);
            }
        }
        let mut members = BTreeSet::new();
        members.extend(status.peers.iter().map(|peer| &peer.id).chain([me]).cloned());
        Self { members, known }
    }

    /// Whether `listener` hears `speaker`; none if nobody can say.
    #[must_use]
    pub fn hears(&self, listener: &str, speaker: &str) -> Option<bool> {
        self.known.get(&(listener.to_owned(), speaker.to_owned())).copied()
    }

    /// Whether both are known to hear each other.
    #[must_use]
    pub fn is_both_ways(&self, one: &str, other: &str) -> bool {
        self.hears(one, other) == Some(true) && self.hears(other, one) == Some(true)
    }

    /// Whether nobody hears it of whom that is known.
    fn is_silent(&self, speaker: &str) -> bool {
        let others = self.members.iter().filter(|other| *other != speaker);
        others.filter_map(|other| self.hears(other, speaker)).all(|hears| !hears)
    }
}

/// What is wrong with the links.
pub(super) fn findings(report: &FactsReport, hearing: &Hearing) -> Vec<Finding> {
    let me = report.status.node.as_str();
    let mut found = Vec::new();
    for peer in &report.status.peers {
        if hearing.is_silent(&peer.id) {
            found.push(silent(me, peer));
        } else {
            found.extend(own_link(me, peer));
        }
    }
    for ((listener, speaker), hears) in hearing.known.iter() {
        let is_ours = listener == me || speaker == me;
        if !hears && !is_ours && !hearing.is_silent(speaker) {
            found.push(Finding::new(
                Weight::Problem,
                codes::LINK_DEAD,
                format!("{listener} does not hear {speaker}"),
                format!(
                    "run quorate doctor on {speaker}: its call to {listener} fails, by a firewall, \
                     a route, the address or the key of {listener}"
                ),
            ));
        }
    }
    found
}

/// Nobody hears it: it is down, or cut off from all.
fn silent(me: &str, peer: &PeerReport) -> Finding {
    let (cause, advice) = cause(peer);
    Finding::new(
        Weight::Problem,
        codes::NODE_SILENT,
        format!("nobody hears {}; {me} calls it at {}: {cause}", peer.id, peer.address),
        advice,
    )
}

/// The two directions between this node and `peer`.
fn own_link(me: &str, peer: &PeerReport) -> Vec<Finding> {
    let mut found = Vec::new();
    let PeerReport { id, address, .. } = peer;
    if peer.hears_us == Some(false) || (peer.link != "connected" && peer.heard) {
        let (cause, advice) = cause(peer);
        found.push(Finding::new(
            Weight::Problem,
            codes::LINK_DEAD,
            format!("{id} does not hear {me}, which calls it at {address}: {cause}"),
            advice,
        ));
    }
    if !peer.heard {
        let call = peer.said.call.as_deref().unwrap_or("it never called");
        found.push(Finding::new(
            Weight::Problem,
            codes::LINK_DEAD,
            format!("{me} does not hear {id}: {call}"),
            format!(
                "look at the firewall before {me} and at its `listen` and `address`; quorate \
                 doctor on {id} says why its call fails"
            ),
        ));
    }
    found
}

/// Why the call of this node to `peer` does not work, and where to look.
fn cause(peer: &PeerReport) -> (String, String) {
    let PeerReport { id, address, link, .. } = peer;
    let has = |word: &str| link.contains(word);
    let advice = if link == "connected" {
        format!("its daemon stands still, or what is sent is dropped on the way: look at {id}")
    } else if has("does not resolve") {
        format!("the name in `address: {address}` has no address here: mend DNS or the document")
    } else if has("protocol version") {
        "run releases that share a protocol version on both".to_owned()
    } else if has("key") {
        format!("compare the `key` of both in cluster.yaml with what they have; is {id} cloned?")
    } else if has("refused:") {
        format!("it is not the node that the document means: look at {id} and at its state")
    } else if has("connection refused") {
        format!(
            "the machine answers and nothing listens there: start quorate on {id}, or mend \
                 its `listen` or its `address`"
        )
    } else if has("no answer") || has("no route") || has("took too long") {
        format!(
            "the machine is down, or a firewall or route between drops it: try {address} by \
                 hand"
        )
    } else {
        format!("look at quorate on {id}, and at the network between")
    };
    (link.clone(), advice)
}
