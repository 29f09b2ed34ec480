//! One seed from beginning to end: faults, then calm, then what the calm must show.
//! Never prints; whoever asked for the run does.

use core::time::Duration;

use crate::protocol::durable::Document;
use crate::protocol::effects::{Condition, Input, Wish};
use crate::protocol::membership::{Member, Membership, Policy};
use crate::protocol::units::Term;
use crate::sim::charters;
use crate::sim::clock::TrueTime;
use crate::sim::counters::Count;
use crate::sim::disk::Health;
use crate::sim::draw::Draw;
use crate::sim::faults::{Kind, Undo, both};
use crate::sim::missing::Missing;
use crate::sim::network::Weather;
use crate::sim::plan::{Ending, Plan};
use crate::sim::trace::Detail;
use crate::sim::world::{Due, World};

/// How long writes take in the calm.
pub(crate) const CALM_DISK: (Duration, Duration) =
    (Duration::from_micros(200), Duration::from_millis(4));
/// How far off clocks run in the calm.
const CALM_DRIFT_PPM: i64 = 200;
/// More terms than this in the time of a few promises are a cluster that does not come to rest.
const REFUSED_TERMS_MAX: u64 = 40;
/// So often a handover that was refused is asked for again.
const HANDOVER_TRIES: u32 = 20;

/// Runs one seed with all rules, or without one. The world tells what came of it.
pub(crate) fn run_seed(seed: u64, missing: Option<Missing>, detail: Detail) -> World {
    let mut draw = Draw::new(seed);
    let plan = Plan::draw(&mut draw);
    let mut world = World::new(plan, draw, missing, detail);
    world.live();
    world
}

impl World {
    /// The whole run.
    pub(crate) fn live(&mut self) {
        self.trace.note(self.now, format_args!("{:?}", self.plan));
        self.is_stormy = true;
        if !self.is_scripted {
            self.next_strike();
        }
        self.run_for(self.plan.stormy);
        self.calm_down();
        if !self.is_stranded() {
            self.put_in_order();
            self.end();
        }
        self.judge_edits();
        if self.plan.churns {
            self.counters.add(Count::ClustersThatChurned);
        }
        self.counters.lived = self.now.since(TrueTime::default());
    }

    /// What the calm must show.
    fn end(&mut self) {
        match self.plan.ending {
            Ending::Brief | Ending::AllWell => self.await_master(),
            Ending::MasterLost => self.lose_the_master(),
            Ending::WinnerDeaf => self.deafen_a_winner(),
            Ending::FollowerLost => self.lose_a_follower(),
            Ending::VoterRefuses => self.suffer_a_refuser(),
            Ending::FollowerReturns => self.miss_a_follower(),
            Ending::MasterSickens => self.sicken_the_master(),
        }
        if self.plan.ending != Ending::Brief {
            self.settle();
            if self.refuser.is_none() {
                self.watch();
                self.hand_over();
            }
        }
    }

    /// What the clients saw of their edits has an explanation, says a checker that is not ours.
    fn judge_edits(&mut self) {
        self.look_at_document();
        if self.broken.is_none() && !self.editing.record().is_linearizable() {
            let detail = format!("{:?}", self.editing.record());
            self.fail("P4", "edits take effect one after the other while they are asked", detail);
        }
    }

    /// Lets `span` of true time pass.
    pub(crate) fn run_for(&mut self, span: Duration) {
        let limit = self.now.after(span);
        while self.advance(limit) {}
    }

    /// Lets time pass until `is_so`, at most `span`. Says whether it came to be.
    pub(crate) fn run_until(&mut self, span: Duration, is_so: impl Fn(&Self) -> bool) -> bool {
        let limit = self.now.after(span);
        while !is_so(self) {
            if !self.advance(limit) {
                return is_so(self);
            }
        }
        true
    }

    /// All faults end now: links, disks, clocks and daemons are sound.
    fn calm_down(&mut self) {
        self.trace.note(self.now, format_args!("CALM"));
        self.epoch += 1;
        self.is_stormy = false;
        self.plan.disk = CALM_DISK;
        // What is still under way from before would be another fault.
        let soon = self.now.after(Weather::FAIR.delay_max);
        self.network.clear_up(soon);
        self.queue.forget_after(soon, |due| matches!(due, Due::Deliver { .. }));
        for node in 0..self.plan.size {
            for peer in 0..self.plan.size {
                if self.network.mend_wholly(node, peer) {
                    self.open_soon(node, peer);
                }
            }
            self.machines[node].disk.latency = CALM_DISK;
            self.resume(node);
            self.feed(node, Input::Condition(Condition::default()));
            let drift = [-CALM_DRIFT_PPM, 0, CALM_DRIFT_PPM];
            let rates = (self.draw.pick(&drift), self.draw.pick(&drift));
            self.set_clock_rates(node, rates);
            if self.machines[node].disk.health != Health::Sound {
                self.crash(node);
                self.machines[node].disk.health = Health::Sound;
            }
            self.queue.put(self.now, Due::Start { node });
        }
    }

    /// Somebody acts within the limit (P7).
    fn await_master(&mut self) {
        let limit = self.plan.election_limit();
        self.await_master_within(limit);
    }

    fn await_master_within(&mut self, limit: Duration) {
        let came = self.run_until(limit, |world| world.acting().is_some());
        if !came && self.broken.is_none() {
            let detail = format!("nobody acts after {limit:?} of calm");
            self.fail("P7", "there is a master soon after a majority can talk", detail);
        }
    }

    fn lose_the_master(&mut self) {
        self.await_master();
        let Some(master) = self.acting().filter(|_| self.broken.is_none()) else { return };
        if !self.can_spare(master) {
            return;
        }
        if self.draw.one_in(2) {
            self.miss_an_edit(master);
            // The edit may have been about who votes.
            if !self.can_spare(master) {
                return;
            }
        }
        self.machines[master].is_gone = true;
        self.crash(master);
        self.run_until(self.plan.longest_promise(), |world| world.acting().is_none());
        self.await_master();
        self.counters.add(Count::LosersOfMasterRecovered);
    }

    /// One follower does not hear of the last edit of a master.
    fn miss_an_edit(&mut self, master: usize) {
        let beat = self.plan.settings[0].timing.heartbeat();
        let follower = (master + 1 + self.draw.index(self.plan.size - 1)) % self.plan.size;
        self.cut_for(both(master, follower).to_vec(), beat * 2);
        self.edit(master);
        self.run_for(beat);
    }

    fn deafen_a_winner(&mut self) {
        for node in 0..self.plan.size {
            self.crash(node);
            self.queue.put(self.now, Due::Start { node });
        }
        self.run_until(self.plan.longest_promise(), |world| world.acting().is_none());
        self.deafens_winner = true;
        let limit = self.plan.election_limit() + self.plan.longest_promise() * 2;
        self.await_master_within(limit);
        self.counters.add(Count::DeafWinnersRecovered);
    }

    fn lose_a_follower(&mut self) {
        self.await_master();
        let acting = self.acting();
        let follower = (0..self.plan.size).rev().find(|node| acting != Some(*node));
        if let Some(follower) = follower.filter(|follower| self.can_spare(*follower)) {
            self.machines[follower].is_gone = true;
            self.crash(follower);
        }
        self.await_master();
    }

    /// One voter that names a later term at every heartbeat ends no more than a term or two (L4).
    fn suffer_a_refuser(&mut self) {
        let refuser = self.draw.index(self.plan.size);
        if !self.can_spare(refuser) {
            return self.await_master();
        }
        self.refuser = Some(refuser);
        let before = self.highest_term().0;
        let limit = self.plan.election_limit() + self.plan.longest_promise() * 2;
        self.await_master_within(limit);
        self.run_for(self.plan.longest_promise() * 4);
        let terms = self.highest_term().0 - before;
        if terms > REFUSED_TERMS_MAX && self.broken.is_none() {
            let detail = format!("{terms} terms because of {}", charters::name(refuser));
            self.fail("P7", "one voter that refuses for ever ends few terms", detail);
        }
        self.counters.add(Count::RefusersSuffered);
    }

    /// A minority changes nothing, neither while it is away nor when it comes back (P10).
    fn miss_a_follower(&mut self) {
        self.await_master();
        self.settle();
        let Some(master) = self.acting().filter(|_| self.broken.is_none()) else { return };
        let others: Vec<usize> = (0..self.plan.size).filter(|node| *node != master).collect();
        let follower = self.draw.pick(&others);
        if !self.can_spare(follower) || self.may_fail_back(master) {
            return;
        }
        let before = (self.history.activations.len(), self.highest_term());
        let kinds = [Kind::Isolation, Kind::Deaf, Kind::Mute];
        let links = if self.draw.one_in(2) {
            both(master, follower).to_vec()
        } else {
            let kind = self.draw.pick(&kinds);
            self.links_of(kind, follower)
        };
        let promise = self.promise();
        let lasts = self.draw.between(promise, promise * 4);
        self.cut_for(links, lasts);
        self.run_until(lasts + promise * 3, |world| world.acting() != Some(master));
        let after = (self.history.activations.len(), self.highest_term());
        let is_same = after == before && self.acting() == Some(master);
        if !is_same && self.broken.is_none() {
            let detail = format!("{} missed: {:?}", charters::name(follower), self.acting());
            self.fail("P10", "a node that is cut off and comes back moves nothing", detail);
        }
        self.counters.add(Count::FollowersReturned);
    }

    /// A master whose work is out of order gives way to one whose work is in order; where no work
    /// is, there is a master all the same (R69).
    fn sicken_the_master(&mut self) {
        self.await_master();
        self.settle();
        let Some(master) = self.acting().filter(|_| self.broken.is_none()) else { return };
        let mut heirs = (0..self.plan.size).filter(|node| *node != master);
        if !heirs.any(|node| self.can_lead(node)) {
            return;
        }
        self.sicken(master);
        let limit = self.plan.election_limit() + self.plan.longest_promise() * 2;
        let gave_way = self.run_until(limit, |world| world.acting().is_some_and(|n| n != master));
        if !gave_way && self.broken.is_none() {
            let detail = format!("{} leads on", charters::name(master));
            self.fail("P8", "a master that is not healthy gives way to one that is", detail);
        }
        for node in 0..self.plan.size {
            self.crash(node);
            self.queue.put(self.now, Due::Start { node });
        }
        self.run_until(self.plan.longest_promise(), |world| world.acting().is_none());
        for node in 0..self.plan.size {
            self.sicken(node);
        }
        self.await_master_within(limit);
        for node in 0..self.plan.size {
            self.undo(Undo::Cure(node));
        }
        self.counters.add(Count::SickMastersRelieved);
    }

    /// Whether mastership may yet go to a better node by itself.
    fn may_fail_back(&self, master: usize) -> bool {
        let document = self.machines[master].node.as_ref().map(|node| node.committed());
        let is_due = document.and_then(charters::failback_after).is_some();
        is_due && !self.is_best(master)
    }

    /// The latest term that any node is in.
    fn highest_term(&self) -> Term {
        let nodes = self.machines.iter().filter_map(|machine| machine.node.as_ref());
        nodes.map(|node| node.durable().term).max().unwrap_or_default()
    }

    /// What the faults left behind comes to rest: hold-offs, half-done handovers, cool-downs.
    fn settle(&mut self) {
        let limit = self.plan.election_limit();
        self.run_for(limit);
        if !self.somebody_acts() && self.broken.is_none() {
            let detail = "somebody acted and then nobody, without a fault".to_owned();
            self.fail("P7", "there is a master soon after a majority can talk", detail);
        }
    }

    /// Whether somebody acts, now or after a handover that is under way.
    fn somebody_acts(&mut self) -> bool {
        let limit = self.plan.longest_promise();
        self.run_until(limit, |world| world.acting().is_some())
    }

    /// The newest document of each node, running or not.
    pub(crate) fn documents(&self) -> impl Iterator<Item = &Document> {
        (0..self.machines.len()).filter_map(|node| self.document_at(node))
    }

    /// The newest document of one node, unless that one was not set up yet.
    pub(crate) fn document_at(&self, node: usize) -> Option<&Document> {
        let machine = Some(&self.machines[node]).filter(|machine| !machine.is_away)?;
        let record = machine.node.as_ref().map(|node| node.durable());
        Some(&record.unwrap_or_else(|| machine.disk.record()).accepted)
    }

    /// The members of the newest document that any node has.
    pub(crate) fn members(&self) -> &Membership {
        let newest = self.documents().max_by_key(|document| document.position);
        &newest.expect("there is a machine").charter.members
    }

    /// Whether this node is whole, hears everybody, and may lead.
    pub(crate) fn can_lead(&self, node: usize) -> bool {
        let is_deaf = (0..self.plan.size).any(|peer| self.network.is_cut(peer, node));
        let member = self.members().find(&charters::name(node));
        !is_deaf && member.is_some_and(|member| member.may_lead() && self.is_whole(member))
    }

    /// Whether the cluster has a majority, and somebody who may lead, without `node`: by any of
    /// the documents there are, since the newest one may go with that node.
    pub(crate) fn can_spare(&self, node: usize) -> bool {
        self.documents().all(|document| self.is_enough_without(node, &document.charter.members))
    }

    fn is_enough_without(&self, node: usize, members: &Membership) -> bool {
        let voters = members.voters().map(|member| (charters::index(&member.id), member));
        let others = voters.filter(|(other, member)| *other != node && self.is_whole(member));
        let others: Vec<&Member> = others.map(|(_, member)| member).collect();
        others.len() >= members.majority() && others.iter().any(|member| member.may_lead())
    }

    /// Whether the newest document has no majority of its voters' disks any more: an observer
    /// lost its disk in the moments between its last heartbeat and the edit that made it a voter.
    /// Nothing but a forced recovery helps then (R52), so there is nothing to wait for.
    fn is_stranded(&self) -> bool {
        let members = self.members();
        let whole = members.voters().filter(|member| self.is_whole(member));
        whole.count() < members.majority()
    }

    /// Mastership does not move without cause; the only cause left is the preferred node (P8).
    fn watch(&mut self) {
        let Some(master) = self.acting().filter(|_| self.broken.is_none()) else { return };
        let before = self.history.activations.len();
        self.run_for(self.plan.watch);
        if self.broken.is_some() {
            return;
        }
        let changes = &self.history.activations[before..];
        // Cool-downs differ, so the way back to the preferred node may have several steps.
        let leaders = [master].into_iter().chain(changes.iter().map(|change| change.node));
        if !leaders.is_sorted_by(|earlier, later| self.is_better(*later, *earlier)) {
            let detail = format!("{} led, then {changes:?}", charters::name(master));
            self.fail("P7", "in a settled network mastership does not move", detail);
            return;
        }
        if !changes.is_empty() {
            self.counters.add(Count::CalmFailbacks);
        }
        self.somebody_acts();
        let Some(leader) = self.acting() else {
            self.fail("P7", "in a settled network somebody acts", "nobody does".to_owned());
            return;
        };
        let document = self.machines[leader].node.as_ref().map(|node| node.committed().clone());
        let cooldown = document.as_ref().and_then(charters::failback_after);
        let margin = Duration::from_secs(2);
        // Short terms of the preferred node double its cool-down, up to sixteenfold (R41).
        let least = self.promise();
        if cooldown.is_some_and(|span| span.max(least) * 16 + margin < self.plan.watch)
            && !self.is_best(leader)
            && self.policy() != Policy::Seniority
        {
            let detail = format!("{} still leads", charters::name(leader));
            self.fail("P8", "the preferred node leads after its cool-down", detail);
        }
    }

    /// A planned handover costs round trips, not leases (P9).
    fn hand_over(&mut self) {
        let Some(master) = self.acting().filter(|_| self.broken.is_none()) else { return };
        let others = (0..self.plan.size).filter(|node| *node != master);
        let targets: Vec<usize> = others.filter(|node| self.can_lead(*node)).collect();
        let [_, ..] = targets.as_slice() else { return };
        let target = self.draw.pick(&targets);
        let timing = self.machines[master].node.as_ref().map(|n| n.committed().charter.timing);
        let Some(timing) = timing else { return };
        let before = self.history.activations.len();
        for _ in 0..HANDOVER_TRIES {
            if self.history.activations.len() == before && self.broken.is_none() {
                self.ask(master, Wish::Transfer { to: Some(charters::name(target)) });
                let patience = timing.heartbeat() * 2 + timing.stop() + timing.dead_after();
                self.run_until(patience, |world| world.history.activations.len() > before);
            }
        }
        if self.broken.is_some() {
            return;
        }
        let limit = (timing.dead_after() / 3).max(Duration::from_millis(100));
        let Some(next) = self.history.activations.get(before).copied() else {
            let detail = format!("answers: {:?}", self.answers.last());
            self.fail("P9", "a planned handover to a sound node is carried out", detail);
            return;
        };
        let last = self.history.activations[before - 1].term;
        let gap = self.history.endings.get(&last).map(|ended| next.at.since(*ended));
        // A failback that was just under way goes to a better node instead.
        let is_wanted = next.node == target || self.is_better(next.node, master);
        if !is_wanted || gap.is_none_or(|gap| gap > limit) {
            let detail = format!("{next:?} instead of {target} within {limit:?}: gap {gap:?}");
            self.fail("P9", "a planned handover costs round trips, not leases", detail);
            return;
        }
        self.counters.add(Count::CalmHandovers);
    }
}
