//! Messages and inputs in few words, for traces.
//! Never says everything: what explains a run is said, what fills lines is not.

use crate::protocol::effects::Input;
use crate::protocol::message::{Ballot, Candidacy, Message, Presence, Verdict};

/// A message in few words.
pub(crate) fn of_message(message: &Message) -> String {
    match message {
        Message::Beat(presence) => format!("beat {}", of_presence(presence)),
        Message::Heartbeat(beat) => format!(
            "heartbeat {:?}#{} P={:?} at {} committed {}{} {}",
            beat.term,
            beat.sequence,
            beat.promise,
            beat.position,
            beat.committed,
            if beat.is_acting { " acting" } else { "" },
            of_presence(&beat.presence)
        ),
        Message::HeartbeatAck(ack) => format!(
            "heartbeat-ack {:?}#{} at {} {} {}",
            ack.term,
            ack.sequence,
            ack.position,
            of_verdict(&ack.verdict),
            of_presence(&ack.presence)
        ),
        Message::PreVote(asked) => format!("pre-vote? {}", of_candidacy(asked)),
        Message::Vote(asked) => format!("vote? {}", of_candidacy(asked)),
        Message::PreVoteReply(ballot) => format!("pre-vote: {}", of_ballot(ballot)),
        Message::VoteReply(ballot) => format!("vote: {}", of_ballot(ballot)),
        Message::Append(append) => {
            format!("append {:?} {}", append.term, append.document.position)
        }
        Message::AppendAck(ack) => format!("append-ack {:?} {}", ack.term, ack.position),
        Message::Fetch(fetch) => format!("fetch, has {}", fetch.have),
        Message::Offer(offer) => format!("offer {}", offer.document.position),
        Message::Edit(edit) => {
            format!("edit {:?} of revision {} nonce {:?}", edit.term, edit.revision, edit.nonce)
        }
        Message::Release(_)
        | Message::TimeoutNow(_)
        | Message::Handover(_)
        | Message::HandoverReply(_)
        | Message::EditReply(_) => format!("{message:?}"),
    }
}

/// An input in few words.
pub(crate) fn of_input(input: &Input) -> String {
    match input {
        Input::Received { from, message } => format!("{from}: {}", of_message(message)),
        Input::Asked {
            request,
            wish: crate::protocol::effects::Wish::Propose { revision, .. },
        } => {
            format!("asked {} to edit revision {revision}", request.0)
        }
        _ => format!("{input:?}"),
    }
}

fn of_verdict(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Granted => "yes".to_owned(),
        Verdict::Refused(refusal) => format!("no: {refusal}"),
    }
}

fn of_candidacy(asked: &Candidacy) -> String {
    let release = asked.release.as_ref().map(|r| format!(" after {} left {:?}", r.holder, r.term));
    format!("{:?} at {}{}", asked.term, asked.position, release.unwrap_or_default())
}

fn of_ballot(ballot: &Ballot) -> String {
    let verdict = of_verdict(&ballot.verdict);
    format!("{:?} {verdict} (is in {:?} at {})", ballot.candidacy, ballot.term, ballot.position)
}

fn of_presence(presence: &Presence) -> String {
    let flag = |is_so: bool, text: &'static str| if is_so { text } else { "" };
    let follows = presence.follows.as_ref().map(|id| format!(" follows {id}"));
    format!(
        "[{:?} {}{}{}{} hears {:?}]",
        presence.term,
        presence.position,
        flag(!presence.is_vote_ready, " not ready"),
        flag(!presence.is_electable, " not electable"),
        follows.unwrap_or_default(),
        presence.hears
    )
}
