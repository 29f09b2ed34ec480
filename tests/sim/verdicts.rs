//! Whether a fact breaks a sentence: each judge sees one fact and what happened before it.
//! Never changes anything; the sentences are in `oracles`.

use crate::protocol::effects::{Answer, EditOutcome, Event, Order};
use crate::protocol::message::{Message, Refusal, Verdict};
use crate::protocol::units::{Position, Term};
use crate::sim::charters::{self, DISKS_MAX};
use crate::sim::clock::TrueTime;
use crate::sim::disk::Disk;
use crate::sim::history::{Fact, History, bit};
use crate::sim::machine::Machine;

/// The world as an oracle may see it.
pub(crate) struct View<'a> {
    /// True time.
    pub(crate) now: TrueTime,
    /// All machines.
    pub(crate) machines: &'a [Machine],
    /// All that happened before.
    pub(crate) history: &'a History,
}

impl View<'_> {
    /// Whether a majority of the document's own voters has it on disk, these disks included.
    fn is_on_a_majority(&self, position: Position, besides: u32) -> bool {
        let disks = self.history.held.get(&position).copied().unwrap_or(0) | besides;
        self.history.is_majority(disks, position)
    }
}

pub(crate) fn at_most_one_acts(view: &View<'_>, fact: &Fact<'_>) -> Option<String> {
    let began = matches!(fact, Fact::Began { .. } | Fact::TimePassed);
    let acting = || view.machines.iter().filter_map(|m| m.acting().map(|term| (&m.id, term)));
    (began && acting().nth(1).is_some()).then(|| format!("{:?}", acting().collect::<Vec<_>>()))
}

pub(crate) fn terms_of_acting_rise(view: &View<'_>, fact: &Fact<'_>) -> Option<String> {
    let Fact::Began { term, .. } = fact else { return None };
    let last = view.history.activations.last()?;
    (*term <= last.term).then(|| format!("{term} after {}", last.term))
}

pub(crate) fn one_winner_per_term(view: &View<'_>, fact: &Fact<'_>) -> Option<String> {
    let Fact::Told { node, event: Event::Won { term } | Event::Elected { term, .. } } = fact else {
        return None;
    };
    let first = view.history.winners.get(term).filter(|first| *first != node)?;
    Some(format!("term {term}: {} and {}", charters::name(*first), charters::name(*node)))
}

pub(crate) fn winners_have_votes_on_disk(view: &View<'_>, fact: &Fact<'_>) -> Option<String> {
    let Fact::Told { node, event: Event::Won { term } } = fact else { return None };
    let vote = |disk: &usize| view.history.votes_on_disk.get(&(*disk, *term)) == Some(node);
    let votes = (0..DISKS_MAX).filter(vote).fold(0_u32, |bits, disk| bits | 1 << disk);
    let is_won = view.history.is_majority(votes, view.history.accepted[*node]);
    (!is_won).then(|| format!("{} votes on disk in term {term}", votes.count_ones()))
}

pub(crate) fn one_vote_per_term(view: &View<'_>, fact: &Fact<'_>) -> Option<String> {
    let (key, vote) = match fact {
        Fact::Wrote { after, .. } => {
            let disk = charters::disk(after.identity.storage);
            ((disk, after.term), charters::index(after.vote.as_ref()?))
        }
        Fact::Said { to, message: Message::VoteReply(ballot), .. }
            if ballot.verdict == Verdict::Granted =>
        {
            ((charters::disk(ballot.storage), ballot.candidacy), *to)
        }
        _ => return None,
    };
    let earlier = [&view.history.votes_on_disk, &view.history.votes_said];
    let other = earlier.iter().find_map(|votes| votes.get(&key).filter(|v| **v != vote))?;
    Some(format!("term {}: {} and {}", key.1, charters::name(*other), charters::name(vote)))
}

pub(crate) fn disks_never_go_back(_: &View<'_>, fact: &Fact<'_>) -> Option<String> {
    let Fact::Wrote { before, after, .. } = fact else { return None };
    (!after.may_follow(before)).then(|| format!("{} after {}", brief(after), brief(before)))
}

fn brief(record: &crate::protocol::durable::Durable) -> String {
    format!(
        "#{} {:?} vote {:?} accepted {} committed {}",
        record.sequence,
        record.term,
        record.vote,
        record.accepted.position,
        record.committed.position
    )
}

pub(crate) fn one_content_per_position(view: &View<'_>, fact: &Fact<'_>) -> Option<String> {
    let document = match fact {
        Fact::Accepted { document, .. } => document,
        Fact::Wrote { after, .. } => &after.accepted,
        Fact::Said { message: Message::Append(append), .. } => &append.document,
        Fact::Said { message: Message::Offer(offer), .. } => &offer.document,
        _ => return None,
    };
    let known = view.history.documents.get(&document.position)?;
    (known.hash != document.hash).then(|| format!("two contents at {}", document.position))
}

pub(crate) fn masters_know_what_was_committed(view: &View<'_>, fact: &Fact<'_>) -> Option<String> {
    let Fact::Began { accepted, .. } = fact else { return None };
    let committed = view.history.committed;
    let is_lost = !view.history.descends(*accepted, committed);
    is_lost.then(|| format!("{accepted} does not descend from {committed}"))
}

pub(crate) fn masters_may_lead(view: &View<'_>, fact: &Fact<'_>) -> Option<String> {
    let Fact::Began { node, accepted, .. } = fact else { return None };
    let known = view.history.documents.get(accepted)?;
    let is_named = known.leads & 1 << node != 0;
    (!is_named).then(|| format!("{} leads under {accepted}", charters::name(*node)))
}

pub(crate) fn votes_go_to_newer_documents(view: &View<'_>, fact: &Fact<'_>) -> Option<String> {
    let Fact::Said { node, to, message: Message::VoteReply(ballot) } = fact else { return None };
    let key = (*node, *to, ballot.candidacy);
    let is_older = view.history.asked_with_older.get(&key).copied().unwrap_or_default();
    let [voter, candidate] = [*node, *to].map(charters::name);
    (is_older && ballot.verdict == Verdict::Granted)
        .then(|| format!("{voter} votes for {candidate} in {:?}", ballot.candidacy))
}

pub(crate) fn commits_are_one_line(view: &View<'_>, fact: &Fact<'_>) -> Option<String> {
    let position = committed_by(fact)?;
    let known = view.history.committed;
    let [earlier, later] = if position < known { [position, known] } else { [known, position] };
    let is_forked = !view.history.descends(later, earlier);
    is_forked.then(|| format!("{later} does not descend from {earlier}"))
}

/// The position that a fact shows to be committed.
fn committed_by(fact: &Fact<'_>) -> Option<Position> {
    match fact {
        Fact::Answered {
            answer: Answer::Edited(EditOutcome::Committed { position, .. }), ..
        } => Some(*position),
        Fact::Told { event: Event::DocumentCommitted { position, .. }, .. } => Some(*position),
        Fact::Wrote { after, .. } => Some(after.committed.position),
        _ => None,
    }
}

pub(crate) fn refused_edits_stay_out(view: &View<'_>, fact: &Fact<'_>) -> Option<String> {
    let history = view.history;
    let taken = match fact {
        Fact::Accepted { document, .. } if history.refused.contains(&document.hash) => {
            document.position
        }
        Fact::Answered { request, answer: Answer::Edited(EditOutcome::Rejected(_)) } => {
            let hash = history.asked_for.get(request)?;
            *history.documents.iter().find(|(_, known)| known.hash == *hash)?.0
        }
        _ => return None,
    };
    Some(format!("{taken} was refused"))
}

pub(crate) fn answers_name_their_edit(view: &View<'_>, fact: &Fact<'_>) -> Option<String> {
    let Fact::Answered { request, answer: Answer::Edited(outcome) } = fact else { return None };
    let EditOutcome::Committed { position, .. } = outcome else { return None };
    let there = view.history.documents.get(position).map(|known| known.hash);
    let is_other = there.as_ref() != view.history.asked_for.get(request);
    is_other.then(|| format!("{position} is another document"))
}

pub(crate) fn commits_are_on_a_majority(view: &View<'_>, fact: &Fact<'_>) -> Option<String> {
    let position = committed_by(fact)?;
    // A record that brings a document and its commit at once counts for itself.
    let besides = match fact {
        Fact::Wrote { after, .. } if after.accepted.position >= position => {
            bit(after.identity.storage)
        }
        _ => 0,
    };
    (!view.is_on_a_majority(position, besides)).then(|| format!("{position} is not"))
}

pub(crate) fn acts_under_own_document(view: &View<'_>, fact: &Fact<'_>) -> Option<String> {
    let Fact::Began { node, term, accepted } = fact else { return None };
    let is_own = accepted.term == *term;
    let disks = view.history.held.get(accepted).copied().unwrap_or(0).count_ones();
    let is_held = view.is_on_a_majority(*accepted, 0);
    (!is_own || !is_held)
        .then(|| format!("{} in {term:?} with {accepted} on {disks} disks", charters::name(*node)))
}

pub(crate) fn acting_is_promised(view: &View<'_>, fact: &Fact<'_>) -> Option<String> {
    if !matches!(fact, Fact::TimePassed | Fact::Began { .. }) {
        return None;
    }
    let uncovered = |(node, machine): (usize, &Machine)| {
        let term = machine.acting()?;
        let history = view.history;
        let bound = history.bound_to(node, view.now);
        let is_covered = match fact {
            Fact::Began { node: new, accepted, .. } if *new == node => {
                history.is_majority(bound | 1 << history.disks[node], *accepted)
            }
            _ => history.is_majority_for(bound, node),
        };
        let id = &machine.id;
        (!is_covered).then(|| format!("{id} acts in {term:?} on the promises of {bound:b}"))
    };
    view.machines.iter().enumerate().find_map(uncovered)
}

/// The vote a message gives away, if it does: (voter, candidate).
fn vote_in(fact: &Fact<'_>) -> Option<(usize, usize)> {
    match fact {
        Fact::Said { node, to, message: Message::VoteReply(ballot) } => {
            (ballot.verdict == Verdict::Granted).then_some((*node, *to))
        }
        Fact::Said { node, message: Message::Vote(_), .. } => Some((*node, *node)),
        _ => None,
    }
}

pub(crate) fn votes_keep_promises(view: &View<'_>, fact: &Fact<'_>) -> Option<String> {
    let (voter, candidate) = vote_in(fact)?;
    let vows = view.history.vows.get(view.history.disks[voter])?.iter().enumerate();
    let mut running = vows.filter_map(|(holder, vow)| Some((holder, (*vow)?)));
    let (holder, vow) = running
        .find(|(holder, vow)| *holder != candidate && *holder != voter && vow.until > view.now)?;
    let [voter, holder, candidate] = [voter, holder, candidate].map(charters::name);
    Some(format!("{voter} votes for {candidate}, promised to {holder} until {}", vow.until))
}

pub(crate) fn living_children_bind(view: &View<'_>, fact: &Fact<'_>) -> Option<String> {
    if let Fact::Ordered { node, order: Order::Start { term, .. } } = fact {
        let living = view.machines[*node].guard.children()?.term;
        return Some(format!("starts {term:?} while children of {living:?} live"));
    }
    let (voter, candidate) = vote_in(fact)?;
    let living = view.machines[voter].guard.children()?.term;
    if view.history.is_idle_vote(voter, candidate) {
        return None;
    }
    Some(format!("{} votes while children of {living:?} live", charters::name(voter)))
}

pub(crate) fn begins_with_a_lease(view: &View<'_>, fact: &Fact<'_>) -> Option<String> {
    let Fact::Ordered { node, order: Order::Start { term, until, .. } } = fact else { return None };
    let machine = &view.machines[*node];
    let heartbeat = machine.node.as_ref()?.committed().charter.timing.heartbeat();
    let needed = machine.clocks.read(view.now).after(heartbeat * 2);
    let is_enough = needed.boot_ns <= until.boot_ns && needed.raw_ns <= until.raw_ns;
    (!is_enough).then(|| format!("{} begins in {term:?}", machine.id))
}

pub(crate) fn refusals_move_no_term(view: &View<'_>, fact: &Fact<'_>) -> Option<String> {
    let Fact::Said { node, to, message: Message::VoteReply(ballot) } = fact else { return None };
    let Verdict::Refused(refusal) = &ballot.verdict else { return None };
    let is_bound = matches!(
        refusal,
        Refusal::Promised { .. }
            | Refusal::QuietPeriod { .. }
            | Refusal::LeaseHolder { .. }
            | Refusal::StillStopping
            | Refusal::StorageFailed
    );
    let before = view.history.asked_in.get(&(*node, *to, ballot.candidacy))?;
    let has_moved = is_bound && ballot.term != *before;
    has_moved.then(|| format!("{} went to {:?}: {refusal}", charters::name(*node), ballot.term))
}

pub(crate) fn handovers_lead_to_the_next(_: &View<'_>, fact: &Fact<'_>) -> Option<String> {
    let Fact::Said { node, message: Message::Vote(asked), .. } = fact else { return None };
    let released = asked.release.as_ref()?.term;
    let is_next = released.next() == Some(asked.term);
    let name = charters::name(*node);
    (!is_next).then(|| format!("{name} stands in {:?} on the end of {released:?}", asked.term))
}

pub(crate) fn said_after_written(view: &View<'_>, fact: &Fact<'_>) -> Option<String> {
    let Fact::Said { node, to, message } = fact else { return None };
    let disk = &view.machines[*node].disk;
    let is_written = match message {
        Message::Vote(asked) => has_vote(disk, asked.term, *node),
        Message::VoteReply(ballot) if ballot.verdict == Verdict::Granted => {
            has_vote(disk, ballot.candidacy, *to)
        }
        Message::AppendAck(ack) => {
            let accepted = &disk.record().accepted;
            accepted.position > ack.position
                || (accepted.position == ack.position && accepted.hash == ack.hash)
        }
        Message::HeartbeatAck(ack) if ack.verdict == Verdict::Granted => {
            let record = disk.record();
            let receipt = view.history.receipt(*node, *to, ack.term, ack.sequence);
            let promise = receipt.map_or(core::time::Duration::ZERO, |receipt| receipt.promise);
            let has_term =
                record.term > ack.term || record.term == ack.term && record.vote.is_some();
            has_term && record.promise_high_water >= promise
        }
        Message::Heartbeat(beat) => has_vote(disk, beat.term, *node),
        _ => true,
    };
    (!is_written).then(|| format!("on disk is {}", brief(disk.record())))
}

/// A later term on disk does as well: no other vote can ever be given in this one.
fn has_vote(disk: &Disk, term: Term, candidate: usize) -> bool {
    let record = disk.record();
    let is_for = record.vote.as_ref().is_some_and(|vote| charters::index(vote) == candidate);
    record.term > term || record.term == term && is_for
}

pub(crate) fn released_when_dead(view: &View<'_>, fact: &Fact<'_>) -> Option<String> {
    let Fact::Said {
        node, message: Message::Release(release) | Message::TimeoutNow(release), ..
    } = fact
    else {
        return None;
    };
    let living = view.machines[*node].guard.children()?.term;
    Some(format!("{:?} released while children of {living:?} live", release.term))
}

pub(crate) fn released_for_ever(view: &View<'_>, fact: &Fact<'_>) -> Option<String> {
    let (node, term) = match fact {
        Fact::Said { node, message: Message::Heartbeat(beat), .. } => (*node, beat.term),
        Fact::Began { node, term, .. } => (*node, *term),
        // A heartbeat that was under way when its sender released binds nobody (R38).
        Fact::Said { node, to, message: Message::HeartbeatAck(ack) }
            if ack.verdict == Verdict::Granted =>
        {
            let receipt = view.history.receipt(*node, *to, ack.term, ack.sequence)?;
            let words = format!("{} got a promise in {:?}", charters::name(*to), ack.term);
            return receipt.is_after_release.then_some(words);
        }
        _ => return None,
    };
    let is_released = view.history.released.contains(&(node, term));
    is_released.then(|| format!("{} used {term:?} after its release", charters::name(node)))
}

pub(crate) fn failed_disks_are_silent(view: &View<'_>, fact: &Fact<'_>) -> Option<String> {
    let Fact::Said { node, message, .. } = fact else { return None };
    if !view.machines[*node].knows_disk_failed {
        return None;
    }
    let says = match message {
        Message::VoteReply(ballot) | Message::PreVoteReply(ballot) => {
            ballot.verdict == Verdict::Granted
        }
        Message::HeartbeatAck(ack) => ack.verdict == Verdict::Granted,
        Message::PreVote(_) | Message::Vote(_) | Message::AppendAck(_) => true,
        _ => false,
    };
    says.then(|| format!("{} said {message:?}", charters::name(*node)))
}
