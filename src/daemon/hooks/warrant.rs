//! Decides whom a new master has to fence: the last master, unless it gave mastership up itself.
//! Never fences anybody, and never forgets one that was lost because this node won after it.

use crate::protocol::units::NodeId;
use crate::wire::codes;
use crate::wire::control::EventReport;

/// What is known of the last master.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Warrant {
    /// Who was master last, and what became of it; none if nobody was seen.
    last: Option<(String, Fate)>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fate {
    /// It is master, or fell silent as one.
    MayAct,
    /// All that it ran as master is stopped: it said so, or it is this node.
    Released,
    /// What is known is older than this daemon: others may have been master since.
    Hearsay,
}

/// Whom to fence.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Target {
    /// Nobody may still act.
    Nobody,
    /// That node.
    Node(String),
    /// Somebody, and nobody knows who.
    Unknown,
}

impl Warrant {
    /// What was kept through a restart, oldest first.
    #[must_use]
    pub fn of_past<'a>(events: impl IntoIterator<Item = &'a EventReport>) -> Self {
        let masters = events.into_iter().filter_map(|event| event.change.as_ref()?.to.clone());
        Self { last: masters.last().map(|name| (name, Fate::Hearsay)) }
    }

    /// Takes in what happened. This node's own mastership changes nothing before it is `settle`d:
    /// until then the former master is still the one that counts.
    pub fn hear(&mut self, event: &EventReport) {
        let Some(change) = &event.change else { return };
        let is_released = event.reason.as_deref() == Some(codes::RELEASED);
        match (&change.from, &change.to) {
            (_, Some(to)) if *to == event.node => {}
            (_, Some(to)) => self.last = Some((to.clone(), Fate::MayAct)),
            (Some(from), None) if is_released => self.last = Some((from.clone(), Fate::Released)),
            (Some(_) | None, None) => {}
        }
    }

    /// Whoever was master before this node does not act any more.
    pub fn settle(&mut self, me: &NodeId) {
        self.last = Some((me.to_string(), Fate::Released));
    }

    /// Whom `me` has to fence before it acts.
    #[must_use]
    pub fn target(&self, me: &NodeId) -> Target {
        match &self.last {
            Some((_, Fate::Released)) => Target::Nobody,
            // Others may have been master while this daemon did not run.
            Some((name, Fate::Hearsay)) if name == me.as_str() => Target::Unknown,
            Some((name, Fate::MayAct | Fate::Hearsay)) => Target::Node(name.clone()),
            None => Target::Unknown,
        }
    }
}
