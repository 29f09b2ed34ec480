//! What people do to a cluster: move its mastership, take nodes away, edit its document.
//! Never breaks anything by itself; the protocol says no where it must.

use core::time::Duration;

use crate::protocol::effects::{Input, StepDownReason, Wish};
use crate::protocol::membership::MemberRole;
use crate::sim::charters::{self, Customs, Seat};
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
        let mut seats = charters::seats(running.committed(), self.plan.size);
        let mut settings = charters::settings(running.committed());
        if self.plan.churns && !self.draw.one_in(3) {
            self.change_seats(&mut seats);
        } else if self.plan.churns && self.is_stormy && self.draw.one_in(2) {
            self.change_customs(&mut settings.customs);
        } else {
            settings = self.draw.pick(&self.plan.settings);
        }
        self.edits += 1;
        if let Some(document) = charters::seated(&seats, settings, self.edits) {
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

    /// One node is for something else now, or comes, or goes, or votes with another disk; sometimes
    /// two do, which must be refused.
    fn change_seats(&mut self, seats: &mut [Seat]) {
        for _ in 0..if self.draw.one_in(5) { 2 } else { 1 } {
            let choices = [
                MemberRole::Voter,
                MemberRole::Voter,
                MemberRole::Observer,
                MemberRole::Observer,
                MemberRole::Witness,
            ];
            let unfinished: Vec<usize> =
                (0..seats.len()).filter(|n| self.waits(*n, seats)).collect();
            let node = match unfinished.as_slice() {
                [_, ..] if self.draw.one_in(2) => self.draw.pick(&unfinished),
                _ => self.draw.index(seats.len()),
            };
            let seat = &mut seats[node];
            let disk = self.disk_of(node);
            let is_known = seat.role.is_some() && seat.disk == disk;
            *seat = if !is_known && !self.draw.one_in(8) {
                Seat { role: Some(MemberRole::Observer), disk }
            } else if self.draw.one_in(8) {
                Seat { role: None, ..*seat }
            } else if seat.role == Some(MemberRole::Observer) && self.draw.one_in(2) {
                Seat { role: Some(MemberRole::Voter), ..*seat }
            } else {
                Seat { role: Some(self.draw.pick(&choices)), ..*seat }
            };
        }
    }

    fn disk_of(&self, node: usize) -> usize {
        charters::disk(self.machines[node].disk.record().identity.storage)
    }

    /// Whether a node does not vote yet, or not with the disk it has now.
    fn waits(&self, node: usize, seats: &[Seat]) -> bool {
        let seat = seats[node];
        let votes = matches!(seat.role, Some(MemberRole::Voter | MemberRole::Witness));
        !votes || seat.disk != self.disk_of(node)
    }
}
