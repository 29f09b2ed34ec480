//! Decides whether one who comes to join is let in, by the committed document alone: a document, a
//! request and the time in, the next document or a refusal out.
//! Never proposes an edit; `usher` does. Never gives a name, key, address or disk that a member
//! has to anybody else (H37).

use std::iter;

use crate::daemon::doorway::{Arrival, Refusal};
use crate::protocol::durable::Document;
use crate::protocol::membership::{Member, MemberRole};
use crate::protocol::units::Hash;
use crate::settings::address::Address;
use crate::settings::arrivals::{self, Arrivals, Invite};
use crate::settings::cluster::PRIORITY_DEFAULT;
use crate::settings::pen::{self, Ink, Stroke};
use crate::settings::words;

/// How one is let in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Admission {
    /// By the document with this body, once it is committed.
    By(String),
    /// It is a member already, by the document as it is: it asked before, and its answer got lost.
    Already,
}

/// Whether that one may come in now; `now` is a time as those of the document are.
///
/// # Errors
/// Why not.
pub fn judge(document: &Document, arrival: &Arrival, now: &str) -> Result<Admission, Refusal> {
    let Arrival { request, pin, number, .. } = arrival;
    let charter = &document.charter;
    if request.cluster != charter.cluster {
        return untold(format!("its token is of cluster {}, this is another", request.cluster));
    }
    if let Some(member) = charter.members.all().find(|member| member.pins().any(|one| one == *pin))
    {
        return already(member, arrival);
    }
    let arrivals = arrivals::arrivals(&document.body)
        .map_err(|problem| Refusal::Later(format!("this node cannot tell: {problem}")))?;
    let name = request.invite().map(|id| id.to_string()).unwrap_or_default();
    let index = arrivals.invites.iter().position(|invite| invite.id == name);
    let invite = index.and_then(|index| arrivals.invites.get(index));
    // Without one, the proof is looked at all the same: the time says nothing about what is open.
    let is_shown = request.proof.shows(&invite.map_or(Hash([0; 32]), |open| open.secret), number);
    let (Some(index), Some(invite)) = (index, invite) else {
        return untold(format!("no invitation {name} is open: it was used, revoked or never made"));
    };
    if !is_shown {
        return untold(format!("it does not have the secret of invitation {name}"));
    }
    if invite.is_over(now) {
        return untold(format!("invitation {name} ended at {}", invite.until));
    }
    check(document, arrival, invite)?;
    let body = admitted(document, arrival, &arrivals, (index, now));
    body.map(Admission::By).map_err(|error| Refusal::Told(error.to_string()))
}

fn untold(why: String) -> Result<Admission, Refusal> {
    Err(Refusal::Untold(why))
}

/// One whose key is a member's: whoever asks again is answered again, as long as nothing can have
/// been lost with its disk.
fn already(member: &Member, arrival: &Arrival) -> Result<Admission, Refusal> {
    let request = &arrival.request;
    let is_same = member.id == request.node && member.storage == request.storage;
    if is_same && member.role == MemberRole::Observer {
        return Ok(Admission::Already);
    }
    Err(Refusal::Told(format!(
        "its key is that of member {} already, which is on another disk or called otherwise, or \
         votes: remove that node first, then join again",
        member.id
    )))
}

/// What the holder of an invitation may not take.
fn check(document: &Document, arrival: &Arrival, invite: &Invite) -> Result<(), Refusal> {
    let request = &arrival.request;
    let refuse = |why: String| Err(Refusal::Told(why));
    if let Some(name) = invite.name.as_ref().filter(|name| **name != request.node) {
        return refuse(format!(
            "the invitation is for {name}, and it calls itself {}",
            request.node
        ));
    }
    if !Address::parse(&request.address).is_ok_and(|address| address.is_specific()) {
        let address = request.address.escape_debug();
        return refuse(format!("nobody can reach it at `{address}`: name one with --advertise"));
    }
    for member in document.charter.members.all() {
        let taken = [
            (member.id == request.node, "name", "choose another with --name"),
            (member.storage == request.storage, "disk", "was this machine cloned?"),
            (
                member.address.eq_ignore_ascii_case(&request.address),
                "address",
                "name its own with --advertise",
            ),
        ];
        if let Some((_, what, advice)) = taken.into_iter().find(|(is_taken, ..)| *is_taken) {
            return refuse(format!("its {what} is that of member {} already: {advice}", member.id));
        }
    }
    Ok(())
}

/// The document with the newcomer, without its invitation and without those that are over.
fn admitted(
    document: &Document,
    arrival: &Arrival,
    arrivals: &Arrivals,
    (used, now): (usize, &str),
) -> Result<String, pen::PenError> {
    let request = &arrival.request;
    let invite = &arrivals.invites[used];
    let member = Member {
        id: request.node.clone(),
        address: request.address.as_str().into(),
        role: MemberRole::Observer,
        priority: PRIORITY_DEFAULT,
        pin: arrival.pin,
        storage: request.storage,
        next_pin: None,
        is_in_sync: true,
        standby: None,
    };
    let set = |key, word: &str| Stroke::SetOfNode(member.id.clone(), key, Ink::Word(word.into()));
    let becomes =
        (invite.role != MemberRole::Observer).then(|| set("becomes", words::of_role(invite.role)));
    let approval = becomes.is_some() && invite.is_manual;
    let marks = becomes.into_iter().chain(approval.then(|| set("approval", "manual")));
    // From the end, so that the places of the others stay.
    let is_gone = |(index, invite): &(usize, &Invite)| *index == used || invite.is_over(now);
    let gone = arrivals.invites.iter().enumerate().rev().filter(is_gone);
    let strokes: Vec<Stroke> = iter::once(Stroke::AddNode(member.clone()))
        .chain(marks)
        .chain(gone.map(|(index, _)| Stroke::RemoveItem("invites", index)))
        .collect();
    pen::write(&document.body, &strokes)
}
