//! Reads what a cluster.yaml says of those who are still to come: open invitations, and observers
//! that are to become more. Never decides who comes in; the daemon does.
//!
//! ```yaml
//! invites:
//!   - {id: "3f9a1c2e", role: voter, until: "2026-11-22T03:00:00Z", secret: "SHA256:…"}
//! nodes:
//!   - {id: "delta", address: "10.0.0.4:9901", role: observer, becomes: voter, key: …, storage: …}
//! ```

use super::cluster::named;
use super::field::{Field, Reader, Source, Table};
use super::problem::Problem;
use super::{keys, words};
use crate::protocol::membership::MemberRole;
use crate::protocol::units::{Hash, NodeId};

/// The most invitations that may be open at once (H39).
pub const INVITES_MAX: usize = 32;

const MORE: [MemberRole; 2] = [MemberRole::Voter, MemberRole::Witness];
/// The word of an invitation whose node an operator looks at first.
const MANUAL: &str = "manual";

const INVITE_HINT: &str = "`quorate invite` writes these lines: do not make one by hand";

/// One open invitation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Invite {
    /// Its public name, eight hexadecimal digits.
    pub id: String,
    /// What the node is to become.
    pub role: MemberRole,
    /// When it ends: RFC 3339 in UTC with whole seconds, so that text order is time order.
    pub until: String,
    /// The hash of its secret.
    pub secret: Hash,
    /// What the node has to be called, if that was decided.
    pub name: Option<NodeId>,
    /// Whether an operator approves the node's key before it becomes more than an observer.
    pub is_manual: bool,
}

impl Invite {
    /// Whether it is over at `now`, a time as `until` is one.
    #[must_use]
    pub fn is_over(&self, now: &str) -> bool {
        self.until.as_str() <= now
    }
}

/// An observer that is to become more.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Newcomer {
    /// Its name.
    pub id: NodeId,
    /// What it becomes.
    pub becomes: MemberRole,
    /// Whether nobody has to approve its key any more.
    pub is_approved: bool,
}

/// Everybody who is still to come.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Arrivals {
    /// The open invitations, in their order.
    pub invites: Vec<Invite>,
    /// The observers that become more, in the order of the nodes.
    pub newcomers: Vec<Newcomer>,
}

/// Who is still to come, by a document that the cluster agreed on.
///
/// # Errors
/// It is no cluster.yaml, or these parts of it are wrong.
pub fn arrivals(text: &str) -> Result<Arrivals, Problem> {
    let source = Source::read(text, "cluster.yaml", Reader::Member)?;
    let table = source.table(&keys::CLUSTER)?;
    let nodes = table.find("nodes").map_or(Ok(Vec::new()), |nodes| nodes.items())?;
    let newcomers = nodes.iter().map(|node| newcomer(&node.table(&keys::MEMBERS)?));
    Ok(Arrivals {
        invites: invites(&table)?,
        newcomers: newcomers.filter_map(Result::transpose).collect::<Result<_, _>>()?,
    })
}

/// The open invitations of a document.
pub(super) fn invites(table: &Table<'_>) -> Result<Vec<Invite>, Problem> {
    let Some(list) = table.find("invites") else { return Ok(Vec::new()) };
    let items = list.items()?;
    if items.len() > INVITES_MAX {
        let message = format!("{} invitations are open, at most {INVITES_MAX} may", items.len());
        return Err(items[INVITES_MAX].problem(message).hint("remove those nobody needs"));
    }
    let mut found: Vec<Invite> = Vec::new();
    for item in &items {
        let next = invite(&item.table(&keys::INVITES)?)?;
        if found.iter().any(|earlier| earlier.id == next.id) {
            return Err(item.problem(format!("invitation {} is there twice", next.id)));
        }
        found.push(next);
    }
    Ok(found)
}

fn invite(line: &Table<'_>) -> Result<Invite, Problem> {
    let id = line.need("id", INVITE_HINT)?;
    let until = line.need("until", INVITE_HINT)?;
    let secret = line.need("secret", INVITE_HINT)?;
    let wrong = |field: &Field<'_>, what: &str| field.expected(what).hint(INVITE_HINT);
    Ok(Invite {
        id: checked(&id, is_id).ok_or_else(|| wrong(&id, "8 digits of 0-9 a-f, in quotes"))?,
        role: match line.find("role") {
            Some(role) => role.one_of(&words::ROLES, words::of_role)?,
            None => MemberRole::Voter,
        },
        until: checked(&until, is_time)
            .ok_or_else(|| wrong(&until, "a time like \"2026-11-22T03:00:00Z\""))?,
        secret: secret
            .as_text()
            .and_then(|text| Hash::from_hex(text.strip_prefix("SHA256:")?))
            .ok_or_else(|| wrong(&secret, "`SHA256:` and 64 digits of 0-9 a-f"))?,
        name: line.find("name").map(|name| named(&name)).transpose()?,
        is_manual: match line.find("approval") {
            Some(approval) => approval.word(&[MANUAL]).map(|_| true)?,
            None => false,
        },
    })
}

fn checked(field: &Field<'_>, is_sound: impl Fn(&str) -> bool) -> Option<String> {
    field.as_text().filter(|text| is_sound(text)).map(str::to_owned)
}

fn is_id(text: &str) -> bool {
    text.len() == 8 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Of the one length and shape in which the order of texts is that of times.
fn is_time(text: &str) -> bool {
    const SHAPE: &[u8] = b"0000-00-00T00:00:00Z";
    let fits = |(byte, shape): (u8, &u8)| match shape {
        b'0' => byte.is_ascii_digit(),
        other => byte == *other,
    };
    text.len() == SHAPE.len() && text.bytes().zip(SHAPE).all(fits)
}

/// What a node's line says of what it becomes, if it is to become more than it is.
pub(super) fn newcomer(line: &Table<'_>) -> Result<Option<Newcomer>, Problem> {
    let approval = line.find("approval");
    let Some(becomes) = line.find("becomes") else {
        return match approval {
            Some(approval) => Err(approval.problem("`approval` goes with `becomes` only")),
            None => Ok(None),
        };
    };
    let more = becomes.one_of(&MORE, words::of_role)?;
    let role = line.find("role").and_then(|role| words::role(role.as_text()?));
    let is_observer = role == Some(MemberRole::Observer);
    if !is_observer {
        let message = "only an observer can be on its way to become more";
        return Err(becomes.problem(message).hint("remove `becomes`, or write `role: observer`"));
    }
    let is_approved = match approval {
        Some(approval) => approval.word(&[MANUAL]).map(|_| false)?,
        None => true,
    };
    let id = named(&line.need("id", "give the node a name: `id: alpha`")?)?;
    Ok(Some(Newcomer { id, becomes: more, is_approved }))
}
