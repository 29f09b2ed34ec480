//! What a transcript remembers of one fact, and the words it has for it.
//! Never decides what is shown or folded; `story` does.

use crate::protocol::durable::Durable;
use crate::protocol::effects::{Answer, EditOutcome, Event, Order};
use crate::protocol::message::{Ballot, Candidacy, Message, Release, Verdict};
use crate::protocol::units::{NodeId, Term};
use crate::sim::history::Fact;

/// A fact that outlives the moment. Nodes are named by index.
pub(super) enum Note {
    /// A record reached the disk.
    Wrote { node: usize, before: Box<Durable>, after: Box<Durable> },
    /// A daemon started.
    Started { node: usize },
    /// The last of what acted in a term is gone.
    Died { term: Term },
    /// A node told of an event.
    Told { node: usize, event: Event },
    /// A daemon ordered its guard.
    Ordered { node: usize, order: Order },
    /// Something began to act.
    Began { node: usize, term: Term },
    /// A message left a node.
    Said { from: usize, to: usize, message: Message },
    /// Somebody's wish was answered.
    Answered { answer: Answer },
}

impl Note {
    /// The note about a fact, if it belongs into a transcript.
    pub(super) fn of(fact: &Fact<'_>) -> Option<Self> {
        match *fact {
            Fact::Wrote { node, before, after, .. } => {
                let [before, after] = [before, after].map(|record| Box::new(record.clone()));
                Some(Self::Wrote { node, before, after })
            }
            Fact::Started { node, .. } => Some(Self::Started { node }),
            Fact::Died { term, .. } => Some(Self::Died { term }),
            Fact::Told { node, event, .. } => Some(Self::Told { node, event: event.clone() }),
            Fact::Ordered { node, order, .. } => Some(Self::Ordered { node, order }),
            Fact::Began { node, term, .. } => Some(Self::Began { node, term }),
            Fact::Said { node, to, message, .. } => {
                Some(Self::Said { from: node, to, message: message.clone() })
            }
            Fact::Answered { answer, .. } => Some(Self::Answered { answer: answer.clone() }),
            _ => None,
        }
    }

    /// Of what happens in one instant, this is read in this order: what came to be, what a node
    /// makes of it, what it orders, what it says.
    pub(super) fn place(&self) -> u8 {
        match self {
            Self::Wrote { .. } | Self::Started { .. } | Self::Died { .. } => 0,
            Self::Told { .. } => 1,
            Self::Ordered { .. } | Self::Began { .. } => 2,
            Self::Said { .. } => 3,
            Self::Answered { .. } => 4,
        }
    }
}

/// What a node says, in words. Nothing for what only repeats that it lives.
pub(super) fn of_message(message: &Message) -> Option<String> {
    Some(match message {
        Message::Beat(_) | Message::Heartbeat(_) | Message::HeartbeatAck(_) => return None,
        Message::PreVote(asked) => format!("would you vote for me in {}?", of_candidacy(asked)),
        Message::Vote(asked) => format!("vote for me in {}", of_candidacy(asked)),
        Message::PreVoteReply(ballot) => of_ballot(ballot, "I would"),
        Message::VoteReply(ballot) => of_ballot(ballot, "you have my vote"),
        Message::Append(append) => {
            format!("take document {} of {:?}", append.document.position, append.term)
        }
        Message::AppendAck(ack) => format!("document {} is on my disk", ack.position),
        Message::Fetch(fetch) => format!("give me your document, I have {}", fetch.have),
        Message::Offer(offer) => format!("here is document {}", offer.document.position),
        Message::Release(release) => of_release(release),
        Message::TimeoutNow(release) => format!("stand now: I gave {:?} up", release.term),
        Message::Handover(handover) => match &handover.to {
            Some(to) => format!("somebody asks you to hand over to {to}"),
            None => "somebody asks you to hand over".to_owned(),
        },
        Message::Edit(edit) => format!("somebody edits revision {}", edit.revision),
        Message::EditReply(reply) => match &reply.outcome {
            EditOutcome::Committed { position, .. } => {
                format!("that edit is document {position}, on a majority of disks")
            }
            EditOutcome::Rejected(why) => format!("that edit is not taken: {why}"),
            EditOutcome::Unknown => "I cannot say what became of that edit".to_owned(),
        },
        Message::HandoverReply(reply) => match &reply.begun {
            Ok(to) => format!("handing over to {to}"),
            Err(why) => format!("not handing over: {why}"),
        },
    })
}

/// The reason of a refusal, if it is one.
pub(super) fn of_verdict(verdict: &Verdict) -> Option<String> {
    match verdict {
        Verdict::Granted => None,
        Verdict::Refused(why) => Some(why.to_string()),
    }
}

fn of_candidacy(asked: &Candidacy) -> String {
    let release = asked.release.as_ref();
    let release = release.map(|r| format!(", {} gave {:?} up", r.holder, r.term));
    format!("{:?}, with document {}{}", asked.term, asked.position, release.unwrap_or_default())
}

fn of_ballot(ballot: &Ballot, yes: &str) -> String {
    match of_verdict(&ballot.verdict) {
        None => format!("yes, {yes} in {:?}", ballot.candidacy),
        Some(why) => format!("no, not in {:?}: {why}", ballot.candidacy),
    }
}

fn of_release(release: &Release) -> String {
    match &release.successor {
        Some(to) => format!("I gave {:?} up, and ask {to} to stand", release.term),
        None => format!("I gave {:?} up", release.term),
    }
}

/// What a node tells of itself, in words. Nothing for what the lines around it say already.
pub(super) fn of_event(event: &Event) -> Option<String> {
    Some(match event {
        Event::Standing { term } => format!("wants to be master in {term:?}"),
        Event::ElectionFailed { term, refusals, silent } => {
            let refused = refusals.iter().map(|(id, why)| format!("{id} refused ({why})"));
            let silent = silent.iter().map(|id| format!("{id} did not answer"));
            let reasons: Vec<String> = refused.chain(silent).collect();
            format!("is not elected in {term:?}: {}", reasons.join(", "))
        }
        Event::Won { term } => format!("has won {term:?}"),
        Event::Elected { term, timeline } => format!(
            "is elected in {term:?}: {} ms to notice, {} ms for votes, {} ms for the lease",
            timeline.detect.as_millis(),
            timeline.vote.as_millis(),
            timeline.commit.as_millis()
        ),
        Event::Demoted { term, reason } => format!("ends {term:?}: {reason}"),
        // The guard said so just before.
        Event::StopConfirmed { .. } => return None,
        Event::MasterChanged { to: Some(to), term, reason, .. } => {
            format!("master is {to} in {term:?}: {reason}")
        }
        Event::MasterChanged { to: None, reason, .. } => format!("knows no master: {reason}"),
        Event::QuorumChanged { has_quorum: true, have, .. } => {
            format!("hears a majority: {have} voters with itself")
        }
        Event::QuorumChanged { has_quorum: false, need, .. } => {
            format!("hears no majority, which is {need} voters")
        }
        Event::PeerChanged { peer, is_heard: true } => format!("hears {peer}"),
        Event::PeerChanged { peer, is_heard: false } => format!("no longer hears {peer}"),
        Event::HearingChanged { peer, hears_us: true } => format!("is heard by {peer} again"),
        Event::HearingChanged { peer, hears_us: false } => format!("is not heard by {peer}"),
        Event::DocumentCommitted { position, .. } => format!("document {position} is committed"),
        Event::HandoverBegun { to: Some(to), reason } => {
            format!("begins to hand over to {to}: {reason}")
        }
        Event::HandoverBegun { to: None, reason } => {
            format!("begins to hand over to nobody in particular: {reason}")
        }
        Event::Alarm(alarm) => format!("ALARM {alarm}"),
    })
}

/// What a new record on a disk changes, in words.
pub(super) fn of_write(before: &Durable, after: &Durable) -> Option<String> {
    let mut changes = Vec::new();
    if (before.term, &before.vote) != (after.term, &after.vote) {
        changes.push(format!("{:?}, {}", after.term, of_vote(after.vote.as_ref())));
    }
    if before.accepted.position != after.accepted.position {
        changes.push(format!("document {}", after.accepted.position));
    }
    if before.committed.position != after.committed.position {
        changes.push(format!("{} is committed", after.committed.position));
    }
    if before.promise_high_water != after.promise_high_water {
        let ms = after.promise_high_water.as_millis();
        changes.push(format!("longest promise {ms} ms"));
    }
    (!changes.is_empty()).then(|| format!("on disk: {}", changes.join("; ")))
}

/// What a starting daemon finds on its disk, in words.
pub(super) fn of_start(record: &Durable) -> String {
    let promise = match record.promise_high_water.as_millis() {
        0 => "promised nothing ever".to_owned(),
        ms => format!("once promised {ms} ms, so quiet as long"),
    };
    let vote = of_vote(record.vote.as_ref());
    let document = record.accepted.position;
    format!("starts: {:?}, {vote}; document {document}; {promise}", record.term)
}

fn of_vote(vote: Option<&NodeId>) -> String {
    vote.map_or_else(|| "no vote".to_owned(), |id| format!("vote for {id}"))
}

/// What somebody who asked is told, in words.
pub(super) fn of_answer(answer: &Answer) -> String {
    match answer {
        Answer::HandedOver { to, term } => {
            format!("the operator is told: handed over, {to} leads in {term:?}")
        }
        Answer::SteppedDown => "the operator is told: stepped down".to_owned(),
        Answer::HandoverRefused(why) => format!("the operator is told: not handed over, {why}"),
        Answer::HandoverUnknown => {
            "the operator is told: stopped, and no new master seen".to_owned()
        }
        Answer::Edited(EditOutcome::Committed { position, revision }) => {
            format!("the operator is told: committed at {position}, revision {revision}")
        }
        Answer::Edited(EditOutcome::Rejected(why)) => {
            format!("the operator is told: not taken, {why}")
        }
        Answer::Edited(EditOutcome::Unknown) => {
            "the operator is told: outcome unknown, it may still commit".to_owned()
        }
    }
}
