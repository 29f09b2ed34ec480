//! What a local client or a peer asked for and waits to see done: transfer, step-down.
//! Never moves mastership itself; the master does, if every precondition holds.

use core::time::Duration;

use crate::protocol::activity::Activity;
use crate::protocol::effects::{Answer, StepDownReason, StopReason, Wish};
use crate::protocol::message::{Handover, HandoverRefusal, HandoverReply, Message};
use crate::protocol::node::{Node, Role};
use crate::protocol::units::{Moment, NodeId, Nonce, RequestId, Term};

/// A handover that a local client waits for.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Errand {
    request: RequestId,
    /// Repeated by the master's answer, if the wish went to another node.
    nonce: Option<Nonce>,
    /// The new master's term is above this.
    above: Term,
    deadline: Moment,
    /// What to say if no new master is seen in time.
    otherwise: Answer,
}

impl Errand {
    pub(crate) fn deadline(&self) -> Moment {
        self.deadline
    }
}

impl Node {
    pub(crate) fn ask(&mut self, now: Moment, request: RequestId, wish: Wish) {
        match wish {
            Wish::Transfer { to } => self.ask_transfer(now, request, to),
            Wish::StepDown { hold_off, reason } => {
                self.ask_step_down(now, request, hold_off, reason);
            }
            Wish::Propose { revision, document } => {
                self.ask_edit(now, request, revision, document);
            }
        }
    }

    fn answer(&mut self, request: RequestId, answer: Answer) {
        self.voter.effects.answers.push((request, answer));
    }

    fn ask_transfer(&mut self, now: Moment, request: RequestId, to: Option<NodeId>) {
        if self.errand.is_some() {
            return self.answer(request, Answer::HandoverRefused(HandoverRefusal::Underway));
        }
        if self.is_acting() {
            match self.begin_transfer(now, to) {
                Ok(_) => self.wait(now, request, None, Answer::HandoverUnknown),
                Err(why) => self.answer(request, Answer::HandoverRefused(why)),
            }
            return;
        }
        let master = self.belief.master.as_ref().map(|master| master.id.clone());
        if to.is_some() && to == master {
            let refusal = HandoverRefusal::AlreadyMaster;
            return self.answer(request, Answer::HandoverRefused(refusal));
        }
        // Without a master there is nobody to hand over: whoever shall lead is asked to stand.
        let me = &self.voter.me;
        let asked = master.unwrap_or_else(|| to.clone().unwrap_or_else(|| me.clone()));
        if asked == *me {
            match self.summon(now) {
                Ok(_) => self.wait(now, request, None, Answer::HandoverUnknown),
                Err(why) => self.answer(request, Answer::HandoverRefused(why)),
            }
        } else if self.voter.knows(&asked) {
            let nonce = self.voter.nonce();
            self.voter.send(&asked, Message::Handover(Handover { nonce, to }));
            self.wait(now, request, Some(nonce), Answer::HandoverUnknown);
        } else {
            self.answer(request, Answer::HandoverRefused(HandoverRefusal::NotElectable));
        }
    }

    /// Somebody wants this node to lead, and nobody does: it stands as soon as nothing binds it,
    /// for as long as anybody waits for that.
    fn summon(&mut self, now: Moment) -> Result<NodeId, HandoverRefusal> {
        if matches!(self.role, Role::Master(_)) || self.voter.activity != Activity::Idle {
            return Err(HandoverRefusal::Underway);
        }
        if !self.voter.is_able() {
            return Err(HandoverRefusal::NotElectable);
        }
        self.voter.summoned = Some(self.patience_ends(now));
        Ok(self.voter.me.clone())
    }

    fn ask_step_down(
        &mut self,
        now: Moment,
        request: RequestId,
        hold_off: Duration,
        reason: StepDownReason,
    ) {
        if !self.is_acting() {
            return self.answer(request, Answer::HandoverRefused(HandoverRefusal::NotMaster));
        }
        if reason == StepDownReason::GuardLost {
            self.end_at_once(now, reason);
            return self.answer(request, Answer::SteppedDown);
        }
        if self.errand.is_some() {
            return self.answer(request, Answer::HandoverRefused(HandoverRefusal::Underway));
        }
        match self.begin_handover(now, None, reason.into()) {
            Ok(_) => {
                self.voter.hold_off = Some(now.after(hold_off));
                self.wait(now, request, None, Answer::SteppedDown);
            }
            Err(why) => self.answer(request, Answer::HandoverRefused(why)),
        }
    }

    /// Without a guard nobody would end what acts: that waits for no successor and no edit (R33).
    fn end_at_once(&mut self, now: Moment, reason: StepDownReason) {
        if let Role::Master(master) = &mut self.role
            && !master.is_saying_farewell()
        {
            master.leave(&mut self.voter, reason.into(), now);
        }
    }

    fn is_acting(&self) -> bool {
        self.voter.activity.is_acting()
    }

    fn begin_transfer(
        &mut self,
        now: Moment,
        to: Option<NodeId>,
    ) -> Result<NodeId, HandoverRefusal> {
        self.begin_handover(now, to, StopReason::TransferAsked)
    }

    /// Checks every precondition, and only then stops anything (R36).
    fn begin_handover(
        &mut self,
        now: Moment,
        to: Option<NodeId>,
        reason: StopReason,
    ) -> Result<NodeId, HandoverRefusal> {
        let Role::Master(master) = &mut self.role else { return Err(HandoverRefusal::NotMaster) };
        if !self.voter.activity.is_acting() {
            return Err(HandoverRefusal::NotMaster);
        }
        if master.is_saying_farewell() {
            return Err(HandoverRefusal::Underway);
        }
        if !master.is_settled() {
            return Err(HandoverRefusal::EditPending);
        }
        let prospect = master.prospect(&self.voter, now);
        let successor = match to {
            Some(id) => prospect.check(&id).map(|()| id)?,
            None => prospect.best().ok_or(HandoverRefusal::TooFewVoters)?,
        };
        master.hand_over(&mut self.voter, Some(successor.clone()), reason, now);
        Ok(successor)
    }

    fn wait(&mut self, now: Moment, request: RequestId, nonce: Option<Nonce>, otherwise: Answer) {
        let deadline = self.patience_ends(now);
        let above = self.belief.master.as_ref().map_or(self.voter.term(), |master| master.term);
        self.errand = Some(Errand { request, nonce, above, deadline, otherwise });
    }

    /// Until when a client waits for a new master.
    fn patience_ends(&self, now: Moment) -> Moment {
        let timing = self.voter.timing();
        now.after(timing.stop_budget()).after(timing.dead_after() * 2)
    }

    /// Another node passes an operator's wish on: to the master, or to whoever shall lead where
    /// there is none.
    pub(crate) fn on_handover(&mut self, now: Moment, from: &NodeId, asked: &Handover) {
        let is_for_me = asked.to.as_ref() == Some(&self.voter.me);
        let begun = if is_for_me && !self.is_acting() && self.belief.master.is_none() {
            self.summon(now)
        } else {
            self.begin_transfer(now, asked.to.clone())
        };
        let reply = HandoverReply { nonce: asked.nonce, begun };
        self.voter.send(from, Message::HandoverReply(reply));
    }

    pub(crate) fn on_handover_reply(&mut self, reply: &HandoverReply) {
        let is_ours = self.errand.as_ref().is_some_and(|e| e.nonce == Some(reply.nonce));
        if let (true, Err(why)) = (is_ours, &reply.begun)
            && let Some(errand) = self.errand.take()
        {
            self.answer(errand.request, Answer::HandoverRefused(why.clone()));
        }
    }

    /// Answers the waiting client once a later master is seen, or time is up.
    pub(crate) fn run_errand(&mut self, now: Moment) {
        let Some(errand) = &self.errand else { return };
        let seen = self.belief.master.as_ref().filter(|master| master.term > errand.above);
        let answer = match seen {
            Some(master) => Answer::HandedOver { to: master.id.clone(), term: master.term },
            None if now.has_surely_reached(errand.deadline) => errand.otherwise.clone(),
            None => return,
        };
        let request = errand.request;
        self.errand = None;
        self.answer(request, answer);
    }
}
