//! What holds this node back from standing, and who goes before it (R13, R67, R69).
//! Never a word about anybody's vote: whoever stands out of turn can still win.

use core::time::Duration;

use crate::protocol::membership::Member;
use crate::protocol::mutant::Rule;
use crate::protocol::preference;
use crate::protocol::units::{Moment, NodeId};
use crate::protocol::voter::Voter;

impl Voter {
    /// Other voters that could lead and are heard, except the one whose promise just ran out.
    /// To one that is held back itself, others that are held back are rivals too.
    pub(crate) fn rivals(&self, now: Moment) -> impl Iterator<Item = &Member> {
        let lost = self.lost_master(now);
        let is_held_back = self.is_held_back(now);
        let heard = self.other_voters().filter(move |member| {
            let peer = self.heard(member, now);
            peer.is_some_and(|peer| is_held_back || peer.presence.is_electable)
        });
        heard.filter(move |member| member.may_lead() && Some(&member.id) != lost)
    }

    /// The holder of a promise that ran out, unless it was heard again since.
    fn lost_master(&self, now: Moment) -> Option<&NodeId> {
        let promise = self.promise.as_ref()?;
        let peer = self.peers.heard(&promise.holder, now, self.dead_after());
        let spoke_since = peer.is_some_and(|peer| {
            peer.last_heard.held_since(promise.renewed) >= self.timing().heartbeat()
        });
        (!spoke_since).then_some(&promise.holder)
    }

    pub(crate) fn rank(&self, now: Moment) -> u32 {
        preference::rank(self, self.rivals(now), now)
    }

    /// How long this process has run.
    pub(crate) fn age(&self, now: Moment) -> Duration {
        now.held_since(self.started)
    }

    /// Whether `id` was master last, as far as this node knows. One that was restarted knows only
    /// whom it voted for in its term, and a master voted for itself.
    pub(crate) fn is_incumbent(&self, id: &NodeId) -> bool {
        match &self.master_of {
            Some((_, master)) => master == id,
            None => self.durable().vote.as_ref() == Some(id),
        }
    }

    /// Whether this node may stand now without being asked to: always, or where mastership does
    /// not move by itself only as whoever was master last. Who ended a maintenance may have been
    /// told so by a master that died before it told anybody else of the commit: then the accepted
    /// document knows.
    pub(crate) fn may_stand_unasked(&self) -> bool {
        let [accepted, committed] = [&self.durable().accepted, &self.durable().committed];
        accepted.charter.moves_by_itself()
            || committed.charter.moves_by_itself()
            || self.is_incumbent(&self.me)
    }

    /// Whether somebody asked this node to stand, and waits for it.
    pub(crate) fn is_summoned(&self, now: Moment) -> bool {
        self.summoned.is_some_and(|until| !now.has_surely_reached(until))
    }

    /// Whether the committed document has this node leave the field to others.
    pub(crate) fn is_on_standby(&self) -> bool {
        let members = &self.durable().committed.charter.members;
        members.find(&self.me).is_some_and(|member| member.standby.is_some())
    }

    pub(crate) fn is_held_off(&self, now: Moment) -> bool {
        self.hold_off.is_some_and(|until| !now.has_surely_reached(until))
    }

    /// Whether this node leaves the field to others as long as there are any (R69).
    pub(crate) fn is_held_back(&self, now: Moment) -> bool {
        let is_alone = self.other_voters().next().is_none();
        !is_alone && (self.is_held_off(now) || !self.condition.is_healthy || self.is_on_standby())
    }

    /// Whether this node is a voter that may lead under the document it has (R13, R44).
    pub(crate) fn may_lead(&self) -> bool {
        let is_understood = self.durable().accepted.charter.is_understood;
        let may_lead = |own: &Member| own.may_lead() || !self.keeps(Rule::LeadersMayLead);
        is_understood && self.own_vote().is_some_and(may_lead)
    }

    /// Whether nothing forbids this node to lead (R13).
    pub(crate) fn is_able(&self) -> bool {
        self.may_lead() && !self.is_storage_failed() && !self.is_leaving
    }

    pub(crate) fn is_electable(&self, now: Moment) -> bool {
        self.is_able() && !self.is_held_back(now)
    }
}
