//! Reads cluster.yaml, the one document every node shares, into a `Charter`.
//! Never makes up what is missing: names, ids, keys and disks are people's to give.

use std::sync::Arc;
use std::time::Duration;

use super::field::{Field, Reader, Source, Table};
use super::problem::Problem;
use super::words;
use super::{arrivals, keys, overrides, timing};
use crate::protocol::durable::Document;
use crate::protocol::membership::{
    Charter, Election, Failback, Member, MemberRole, Membership, MembershipError, Policy,
    VOTERS_MAX,
};
use crate::protocol::units::{ClusterId, Hash, NodeId, Pin, Position, StorageId, Term};

pub use super::template::{node_line, template};

/// No recovery begins above this; far more than elections and recoveries can use up is left.
const TERM_MAX: u64 = u64::MAX / 2;

/// The priority of a node that names none.
pub(crate) const PRIORITY_DEFAULT: u32 = 100;
/// How long a better node must live under `lowest-id` before it gets the mastership back.
pub(super) const FAILBACK_DEFAULT: Duration = Duration::from_secs(120);

const NAME_RULE: &str = "a name has 1 to 64 of the characters A-Z a-z 0-9 . _ -";
const ID_HINT: &str = "add a line `id: \"...\"` with 32 hexadecimal digits that no other cluster \
                       has, such as `openssl rand -hex 16` prints, and keep it for ever";
const KEY_HINT: &str = "`quorate init` on that machine prints its whole line, key and storage";

/// Reads a cluster.yaml. `file` is the name people know it by.
///
/// # Errors
/// The first thing that is wrong, with its place and what to do.
pub fn parse(text: &str, file: &str) -> Result<Charter, Problem> {
    read(text, file, Reader::Person)
}

/// Reads a document that the cluster agreed on. What only a later release knows is passed over,
/// and the charter says so: this node keeps and votes for the document, and does not lead under
/// it (R44).
///
/// # Errors
/// As [`parse`], for everything but unknown keys and words.
pub fn parse_agreed(text: &str, file: &str) -> Result<Charter, Problem> {
    read(text, file, Reader::Member)
}

fn read(text: &str, file: &str, reader: Reader) -> Result<Charter, Problem> {
    let source = Source::read(text, file, reader)?;
    let table = source.table(&keys::CLUSTER)?;
    for ignored in ["forced", "version", "term", "updated_at", "updated_by"] {
        table.find(ignored).map_or(Ok(()), |field| field.scalar())?;
    }
    let name = table.need("cluster", "add a line such as `cluster: shop`")?;
    let (election, needs_freshest) = election(table.find("election"))?;
    let charter = Charter {
        name: named(&name)?.as_str().into(),
        cluster: cluster_id(&table)?,
        generation: table.find("generation").map_or(Ok(1), |field| field.whole(1, u64::MAX))?,
        timing: timing::read(table.find("timing"))?,
        election,
        members: membership(&table, needs_freshest)?,
        maintenance: overrides::read(table.find("maintenance"))?,
        is_understood: true,
    };
    arrivals::invites(&table)?;
    Ok(Charter { is_understood: source.is_understood(), ..charter })
}

/// Reads a cluster.yaml as the document at `position`; the body is kept byte by byte.
///
/// # Errors
/// As [`parse`].
pub fn document(
    text: &str,
    file: &str,
    position: Position,
    revision: u64,
) -> Result<Document, Problem> {
    let charter = Arc::new(parse(text, file)?);
    let (hash, body) = (hash(text), text.into());
    Ok(Document { position, revision, hash, body, charter, byline: None })
}

/// What a forced recovery wrote into the document, until somebody removes it (R64).
#[must_use]
pub fn forced(body: &str) -> Option<String> {
    // Most documents need not be read again to know.
    body.contains("forced").then_some(())?;
    let source = Source::read(body, "cluster.yaml", Reader::Member).ok()?;
    let field = source.table(&keys::CLUSTER).ok()?.find("forced")?;
    field.as_text().map(str::to_owned)
}

/// The term that a forced recovery began with: who is founded from this text must not begin further
/// below what the cluster has than any node believes (R6).
///
/// # Errors
/// It is no number, or one that no cluster gets to.
pub fn known_term(text: &str, file: &str) -> Result<Term, Problem> {
    let source = Source::read(text, file, Reader::Person)?;
    let table = source.table(&keys::CLUSTER)?;
    table.find("term").map_or(Ok(0), |field| field.whole(0, TERM_MAX)).map(Term)
}

/// SHA-256 of a document's body.
///
/// # Panics
/// Never: a SHA-256 has 32 bytes.
#[must_use]
pub fn hash(body: &str) -> Hash {
    let digest = ring::digest::digest(&ring::digest::SHA256, body.as_bytes());
    Hash(digest.as_ref().try_into().expect("a SHA-256 has 32 bytes"))
}

/// A cluster's or node's name.
pub(super) fn named(field: &Field<'_>) -> Result<NodeId, Problem> {
    let text = field.text()?;
    NodeId::new(text).ok_or_else(|| {
        field.problem(format!("`{}` cannot be a name", text.escape_debug())).hint(NAME_RULE)
    })
}

fn cluster_id(table: &Table<'_>) -> Result<ClusterId, Problem> {
    let field = table.need("id", ID_HINT)?;
    let id = ClusterId::from_hex(field.text()?);
    id.ok_or_else(|| field.problem("`id` must be 32 digits of 0-9 a-f").hint(ID_HINT))
}

/// The election, and whether only nodes whose data count as complete may stand.
fn election(field: Option<Field<'_>>) -> Result<(Election, bool), Problem> {
    let Some(field) = field else {
        let failback = failback_of(Policy::LowestId);
        return Ok((Election { policy: Policy::LowestId, failback, is_automatic: true }, false));
    };
    let table = field.table(&keys::ELECTION)?;
    let policy = table.find("policy").map_or(Ok(Policy::LowestId), |word| policy(&word))?;
    let failback =
        table.find("failback").map_or(Ok(failback_of(policy)), |field| failback(&field))?;
    let switch = |key, default| table.find(key).map_or(Ok(default), |field| field.switch());
    let is_automatic = switch("auto_failover", true)?;
    let needs_freshest = switch("require_freshest", false)?;
    Ok((Election { policy, failback, is_automatic }, needs_freshest))
}

fn policy(field: &Field<'_>) -> Result<Policy, Problem> {
    let is_known = field.as_text().is_some_and(|word| words::policy(word).is_some());
    if !is_known && field.passes_over() {
        return Ok(Policy::LowestId);
    }
    field.one_of(&words::POLICIES, words::of_policy)
}

/// What holds where the document names no failback.
fn failback_of(policy: Policy) -> Failback {
    match policy {
        Policy::LowestId => Failback::After(FAILBACK_DEFAULT),
        Policy::Priority | Policy::Seniority | Policy::Freshest | Policy::Sticky => Failback::Never,
    }
}

fn failback(field: &Field<'_>) -> Result<Failback, Problem> {
    match field.as_text() {
        Some("never") => Ok(Failback::Never),
        Some("0") => Ok(Failback::After(Duration::ZERO)),
        _ if field.is_zero() => Ok(Failback::After(Duration::ZERO)),
        _ => field.duration().map(Failback::After).map_err(|problem| match problem.hint {
            Some(_) => problem,
            None => problem.hint("`never` and 0 are allowed too"),
        }),
    }
}

fn membership(table: &Table<'_>, needs_freshest: bool) -> Result<Membership, Problem> {
    let nodes = table.need("nodes", "add `nodes:` and below it one line for each node")?;
    let items = nodes.items().map_err(|problem| {
        problem.hint("below `nodes:`, write one line `  - {id: ..., address: ...}` for each node")
    })?;
    let lines =
        items.iter().map(|item| item.table(&keys::MEMBERS)).collect::<Result<Vec<_>, _>>()?;
    let member = |line| member(line, needs_freshest);
    let members = lines.iter().map(member).collect::<Result<Vec<_>, _>>()?;
    refuse_shared_addresses(&lines, &members)?;
    Membership::new(members.clone()).map_err(|error| match error {
        MembershipError::SameName(index) => {
            repeated(&lines, &members, index, "id", |a, b| a.id == b.id)
                .hint("each node has a name of its own: rename or remove one")
        }
        MembershipError::SameKey(index) => repeated_key(&lines, &members, index)
            .hint("each node has a key of its own: was a machine cloned, or a line copied?"),
        MembershipError::SameStorage(index) => {
            repeated(&lines, &members, index, "storage", |a, b| a.storage == b.storage)
                .hint("each node has a disk of its own: was a machine cloned, or a line copied?")
        }
        MembershipError::NobodyMayLead if needs_freshest => nodes
            .problem("no voter here has data that count as complete (`require_freshest: true`)")
            .hint("write `in_sync: true` in the line of each node whose data are complete"),
        MembershipError::NobodyMayLead => nodes
            .problem("no node here may lead")
            .hint("list at least one node; three that vote survive the loss of one"),
        MembershipError::TooManyVoters => {
            let votes = members.iter().filter(|member| member.votes()).count();
            let tenth = members.iter().enumerate().filter(|(_, m)| m.votes()).nth(VOTERS_MAX);
            let message = format!("{votes} nodes vote, and at most {VOTERS_MAX} may");
            tenth
                .map_or_else(
                    || nodes.problem(&*message),
                    |(index, _)| items[index].problem(&*message),
                )
                .hint("remove some: five voters already survive the loss of any two")
        }
    })
}

fn member(line: &Table<'_>, needs_freshest: bool) -> Result<Member, Problem> {
    let id = named(&line.need("id", "give the node a name: `id: alpha`")?)?;
    let address = line.need("address", "say where it listens: `address: \"10.0.0.1:9901\"`")?;
    address.specific_address()?;
    arrivals::newcomer(line)?;
    let priority = line.find("priority");
    let priority = priority.map(|field| field.whole(0, u32::MAX.into())).transpose()?;
    Ok(Member {
        id,
        address: address.text()?.into(),
        role: role(line)?,
        priority: priority
            .and_then(|number| u32::try_from(number).ok())
            .unwrap_or(PRIORITY_DEFAULT),
        pin: pin(&line.need("key", KEY_HINT)?, "`key`")?,
        next_pin: line.find("next_key").map(|field| pin(&field, "`next_key`")).transpose()?,
        storage: storage(line)?,
        is_in_sync: line.find("in_sync").map_or(Ok(false), |field| field.switch())?
            || !needs_freshest,
        standby: overrides::read(line.find("standby"))?,
    })
}

fn role(line: &Table<'_>) -> Result<MemberRole, Problem> {
    let Some(field) = line.find("role") else { return Ok(MemberRole::Voter) };
    field.one_of(&words::ROLES, words::of_role)
}

fn pin(field: &Field<'_>, key: &str) -> Result<Pin, Problem> {
    let pin = field.text()?.strip_prefix("SHA256:").and_then(Pin::from_hex);
    let rule = || format!("{key} must be `SHA256:` and 64 digits of 0-9 a-f");
    pin.ok_or_else(|| field.problem(rule()).hint(KEY_HINT))
}

fn storage(line: &Table<'_>) -> Result<StorageId, Problem> {
    let field = line.need("storage", KEY_HINT)?;
    let storage = StorageId::from_hex(field.text()?);
    storage.ok_or_else(|| field.problem("`storage` must be 32 digits of 0-9 a-f").hint(KEY_HINT))
}

/// Two nodes at one address could not both be reached (H67).
fn refuse_shared_addresses(lines: &[Table<'_>], members: &[Member]) -> Result<(), Problem> {
    let same = |a: &Member, b: &Member| a.address.eq_ignore_ascii_case(&b.address);
    let is_later = |index: &usize| members[..*index].iter().any(|m| same(m, &members[*index]));
    (0..members.len()).find(is_later).map_or(Ok(()), |index| {
        Err(repeated(lines, members, index, "address", same)
            .hint("each node listens somewhere of its own"))
    })
}

/// The member at `index` has a key of an earlier one, or the same twice.
fn repeated_key(lines: &[Table<'_>], members: &[Member], index: usize) -> Problem {
    let is_next = |pin: Pin| members[index].next_pin == Some(pin);
    if is_next(members[index].pin) {
        return lines[index].problem(format!("node {} has one key twice", index + 1));
    }
    let is_of_next = members[..index].iter().any(|earlier| earlier.pins().any(is_next));
    let key = if is_of_next { "next_key" } else { "key" };
    repeated(lines, members, index, key, |a, b| a.pins().any(|pin| b.pins().any(|p| p == pin)))
}

/// The member at `index` has the `key` of an earlier one.
fn repeated(
    lines: &[Table<'_>],
    members: &[Member],
    index: usize,
    key: &str,
    same: impl Fn(&Member, &Member) -> bool,
) -> Problem {
    let earlier = members[..index].iter().position(|member| same(member, &members[index]));
    let whose = earlier.map_or_else(String::new, |first| {
        format!(" of node {} (`{}`)", first + 1, members[first].id)
    });
    let message = format!("node {} has the `{key}`{whose}", index + 1);
    match lines[index].find(key) {
        Some(field) => field.problem(message),
        None => lines[index].problem(message),
    }
}
