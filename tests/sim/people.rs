//! What people do to a cluster: move its mastership, take nodes away, edit its document.
//! Never breaks anything by itself; the protocol says no where it must.

use core::time::Duration;

use crate::protocol::effects::{Input, StepDownReason, Wish};
use crate::protocol::membership::MemberRole;
use crate::sim::charters::{self, Customs};
use crate::sim::faults::Kind;
use crate::sim::world::World;

impl World {
    pub(crate) fn operate(&mut self, kind: Kind, at: usize) {
        match kind {
            Kind::Transfer => {
                let to = self.draw.one_in(2).then(|| self.draw.index(self.plan.size));
                self.ask(at, Wish::Transfer { to: to.map(charters::name) });
            }
            Kind::StepDown => {
                let hold_off = self.spell();
                let reason = StepDownReason::Operator;
                self.ask(at, Wish::StepDown { hold_off, reason });
            }
            Kind::Leave => self.feed(at, Input::Leave),
            _ => {
                let editor = self.acting().filter(|_| !self.draw.one_in(3)).unwrap_or(at);
                self.edit(editor);
                if self.draw.one_in(3) {
                    let soon = self.draw.skewed(Duration::ZERO, Duration::from_millis(20));
                    self.follow_up(soon, Kind::Edit, editor);
                }
            }
        }
    }

    /// Somebody edits the document at `node`, now and then by an outdated copy.
    pub(crate) fn edit(&mut self, node: usize) {
        let Some(running) = self.machines[node].node.as_ref() else { return };
        let seen = running.committed().revision;
        let revision = if self.draw.one_in(10) { seen.saturating_sub(1) } else { seen };
        let mut roles = charters::roles(running.committed());
        let mut settings = charters::settings(running.committed());
        if self.plan.churns && !self.draw.one_in(3) {
            self.change_roles(&mut roles);
        } else if self.plan.churns && self.is_stormy && self.draw.one_in(2) {
            self.change_customs(&mut settings.customs);
        } else {
            settings = self.draw.pick(&self.plan.settings);
        }
        self.edits += 1;
        if let Some(document) = charters::document_of(&roles, settings, self.edits) {
            self.ask(node, Wish::Propose { revision, document });
        }
    }

    /// Mastership moves by itself or no longer; a node goes on standby or comes back; its data
    /// count as complete or not.
    fn change_customs(&mut self, customs: &mut Customs) {
        let node = 1 << self.draw.index(self.plan.size);
        match self.draw.below(3) {
            0 => customs.is_automatic = !customs.is_automatic,
            1 => customs.standby ^= node,
            _ => customs.lagging ^= node,
        }
    }

    /// One node is for something else now; sometimes two are, which must be refused.
    fn change_roles(&mut self, roles: &mut [MemberRole]) {
        for _ in 0..if self.draw.one_in(5) { 2 } else { 1 } {
            let choices = [
                MemberRole::Voter,
                MemberRole::Voter,
                MemberRole::Observer,
                MemberRole::Observer,
                MemberRole::Witness,
            ];
            let node = self.draw.index(roles.len());
            roles[node] = self.draw.pick(&choices);
        }
    }
}
