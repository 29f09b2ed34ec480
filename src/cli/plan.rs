//! Decides in which steps one cluster.yaml becomes another, since only one voter may come or go in
//! one edit: newcomers enter as observers, then get their votes, then others lose theirs.
//! Never asks anybody: whether a step is taken is the master's decision.

use crate::protocol::membership::{Member, MemberRole, Membership};
use crate::protocol::units::NodeId;
use crate::settings::cluster;
use crate::settings::pen::{self, Ink, PenError, Stroke};
use crate::settings::words;

/// The name the text goes by in complaints.
const FILE: &str = "cluster.yaml";

/// One document on the way.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step {
    /// What happens, for people.
    pub title: String,
    /// The whole document after it.
    pub body: String,
}

/// The documents that lead from `before` to `after`, which is the last of them. One step does all
/// but the voters' changes, and is the only one where those need no others.
///
/// # Errors
/// No order of steps could be written.
pub fn steps(before: &str, after: &str) -> Result<Vec<Step>, PenError> {
    let read = |body: &str| cluster::parse_agreed(body, FILE).map_err(PenError::Wrong);
    let [old, new] = [read(before)?.members, read(after)?.members];
    let moves = Moves::between(&old, &new);
    let room_first = [&moves.leave, &moves.enter, &moves.promote, &moves.renew];
    let votes_first = [&moves.enter, &moves.promote, &moves.leave, &moves.renew];
    // Where a newcomer needs the place, the address or the key of one that goes, that one goes
    // first.
    written(before, after, &votes_first).or_else(|_| written(before, after, &room_first))
}

/// What the voters of both amount to, and what the change costs.
#[must_use]
pub fn arithmetic(before: &Membership, after: &Membership) -> String {
    let words = |members: &Membership| {
        let [count, need] = [members.voters().count(), members.majority()];
        let survived = match count.saturating_sub(need) {
            0 => "no loss is survived".to_owned(),
            1 => "the loss of 1 is survived".to_owned(),
            losses => format!("the loss of any {losses} is survived"),
        };
        let voters = if count == 1 { "voter" } else { "voters" };
        format!("{count} {voters}, {need} must agree, {survived}")
    };
    format!("{} -> {}", words(before), words(after))
}

/// Whether some node gets, loses or changes its vote.
#[must_use]
pub fn changes_voters(before: &Membership, after: &Membership) -> bool {
    !Moves::between(before, after).all().is_empty()
}

/// One change that the master can take in one edit.
enum Move {
    /// These become observers, so that everybody knows them.
    Enter(Vec<Member>),
    /// This observer gets its vote.
    Promote(NodeId, MemberRole),
    /// This voter goes.
    Remove(NodeId),
    /// This voter becomes an observer, perhaps with another key and disk.
    Demote(Member),
}

#[derive(Default)]
struct Moves {
    enter: Vec<Move>,
    promote: Vec<Move>,
    leave: Vec<Move>,
    /// Voters that come back with another key or disk.
    renew: Vec<Move>,
}

impl Moves {
    fn between(old: &Membership, new: &Membership) -> Self {
        let keeps = |members: &Membership, member: &Member| {
            let same = members.voter(&member.id, member.storage);
            same.is_some_and(|same| same.pins().any(|pin| pin == member.pin))
        };
        let mut moves = Self::default();
        let mut newcomers = Vec::new();
        for member in new.voters().filter(|member| !keeps(old, member)) {
            let promotion = Move::Promote(member.id.clone(), member.role);
            let known = old.find(&member.id);
            if known.is_some_and(Member::votes) {
                moves.renew.push(promotion);
                continue;
            }
            let is_ready =
                |known: &Member| (known.storage, known.pin) == (member.storage, member.pin);
            if !known.is_some_and(is_ready) {
                newcomers.push(member.clone());
            }
            moves.promote.push(promotion);
        }
        if !newcomers.is_empty() {
            moves.enter.push(Move::Enter(newcomers));
        }
        for member in old.voters().filter(|member| !keeps(new, member)) {
            moves.leave.push(match new.find(&member.id) {
                None => Move::Remove(member.id.clone()),
                Some(after) => Move::Demote(after.clone()),
            });
        }
        moves
    }

    fn all(&self) -> Vec<&Move> {
        [&self.enter, &self.promote, &self.leave, &self.renew].into_iter().flatten().collect()
    }
}

impl Move {
    fn title(&self) -> String {
        match self {
            Self::Enter(members) => {
                let names: Vec<_> = members.iter().map(|member| member.id.as_str()).collect();
                let verb =
                    if members.len() == 1 { "enters as an observer" } else { "enter as observers" };
                format!("{} {verb}", names.join(", "))
            }
            Self::Promote(id, MemberRole::Witness) => format!("{id} becomes a witness"),
            Self::Promote(id, MemberRole::Voter | MemberRole::Observer) => {
                format!("{id} becomes a voter")
            }
            Self::Remove(id) => format!("{id} is removed"),
            Self::Demote(member) => format!("{} becomes an observer", member.id),
        }
    }

    /// How the document changes; `after` has the lines of the newcomers.
    fn strokes(&self, before: &str, after: &str) -> Result<Vec<Stroke>, PenError> {
        let role = |id: &NodeId, role: MemberRole| {
            Stroke::SetOfNode(id.clone(), "role", Ink::Word(words::of_role(role).to_owned()))
        };
        Ok(match self {
            Self::Enter(members) => {
                let mut strokes = Vec::new();
                for member in members {
                    if pen::node_in(before, &member.id).is_ok() {
                        strokes.extend(renewed(member));
                    } else {
                        let line = pen::node_in(after, &member.id)?;
                        strokes.push(Stroke::AddItem("nodes", line));
                    }
                    strokes.push(role(&member.id, MemberRole::Observer));
                }
                strokes
            }
            Self::Promote(id, to) => {
                let over = ["becomes", "approval"].map(|key| Stroke::UnsetOfNode(id.clone(), key));
                over.into_iter().chain([role(id, *to)]).collect()
            }
            Self::Remove(id) => vec![Stroke::RemoveNode(id.clone())],
            Self::Demote(member) => {
                let mut strokes = renewed(member);
                strokes.push(role(&member.id, MemberRole::Observer));
                strokes
            }
        })
    }
}

/// The key and disk of the node as they shall be.
fn renewed(member: &Member) -> Vec<Stroke> {
    let set = |key, text: String| Stroke::SetOfNode(member.id.clone(), key, Ink::Text(text));
    vec![set("key", format!("SHA256:{}", member.pin)), set("storage", member.storage.to_string())]
}

/// The steps of `moves` in that order.
fn written(before: &str, after: &str, moves: &[&Vec<Move>]) -> Result<Vec<Step>, PenError> {
    let mut steps = Vec::new();
    let mut body = before.to_owned();
    let moves: Vec<&Move> = moves.iter().copied().flatten().collect();
    for (index, one) in moves.iter().enumerate() {
        let is_last = index + 1 == moves.len();
        body = if is_last {
            after.to_owned()
        } else {
            pen::write(&body, &one.strokes(&body, after)?)?
        };
        steps.push(Step { title: one.title(), body: body.clone() });
    }
    if steps.is_empty() {
        steps.push(Step { title: "the document changes".to_owned(), body: after.to_owned() });
    }
    Ok(steps)
}
