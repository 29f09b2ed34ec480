//! Nodes, names and documents of a simulated cluster, built without any text format.
//! Never decides who votes: a plan does, and edits do.

use core::time::Duration;
use std::sync::Arc;

use crate::protocol::durable::{Document, Durable, Identity};
use crate::protocol::membership::{Charter, Election, Failback, Member, MemberRole};
use crate::protocol::membership::{Membership, Override, Policy, VOTERS_MAX};
use crate::protocol::timing::Timing;
use crate::protocol::units::{ClusterId, Hash, NodeId, Pin, Position, StorageId, Term};

/// The names of the nodes; the first is the preferred one.
pub(crate) const NAMES: [&str; VOTERS_MAX] = ["a", "b", "c", "d", "e", "f", "g", "h", "i"];
const CLUSTER: ClusterId = ClusterId([7; 16]);

/// The name of the node with this index.
pub(crate) fn name(index: usize) -> NodeId {
    thread_local! {
        static MADE: [NodeId; VOTERS_MAX] =
            NAMES.map(|name| NodeId::new(name).expect("the names are valid"));
    }
    MADE.with(|made| made[index].clone())
}

/// The index of the node with this name.
pub(crate) fn index(id: &NodeId) -> usize {
    let first = id.as_str().as_bytes()[0];
    let index = usize::from(first).wrapping_sub(usize::from(NAMES[0].as_bytes()[0]));
    assert_eq!(NAMES.get(index), Some(&id.as_str()), "nodes only speak of members");
    index
}

/// The first disk of the node with this index.
pub(crate) fn storage(index: usize) -> StorageId {
    storage_of(index)
}

/// Disks have numbers: the first ones have those of their nodes, then come the second ones.
pub(crate) const DISKS_MAX: usize = VOTERS_MAX * 3;

/// The number of this disk.
pub(crate) fn disk(storage: StorageId) -> usize {
    usize::from(storage.0[0]) - 1
}

/// The disk with this number.
pub(crate) fn storage_of(disk: usize) -> StorageId {
    StorageId([u8::try_from(disk).expect("a small number") + 1; 16])
}

/// The number of the disk that this node gets when the one with the number `disk` is lost, if it
/// gets one more.
pub(crate) fn next_disk(disk: usize) -> Option<usize> {
    Some(disk + VOTERS_MAX).filter(|next| *next < DISKS_MAX)
}

/// What a document says of one node.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seat {
    /// What it is for; none where the document does not name it.
    pub(crate) role: Option<MemberRole>,
    /// The number of its disk.
    pub(crate) disk: usize,
}

impl core::fmt::Debug for Seat {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self.role {
            Some(role) if self.disk < VOTERS_MAX => write!(f, "{role:?}"),
            Some(role) => write!(f, "{role:?}/{}", self.disk / VOTERS_MAX),
            None => write!(f, "-"),
        }
    }
}

fn member(index: usize, role: MemberRole, disk: usize) -> Member {
    Member {
        id: name(index),
        address: format!("{}:9901", NAMES[index]).into(),
        role,
        priority: priority(index),
        pin: Pin([u8::try_from(index).expect("at most nine"); 32]),
        storage: storage_of(disk),
        next_pin: None,
        is_in_sync: true,
        standby: None,
    }
}

/// Spreads a text over 32 bytes, so that other texts have other hashes.
fn hash(body: &str) -> Hash {
    let mut bytes = [0; 32];
    for (lane, chunk) in bytes.chunks_exact_mut(8).enumerate() {
        let mut mixed = 0xcbf2_9ce4_8422_2325_u64 ^ u64::try_from(lane).expect("four lanes");
        for byte in body.bytes() {
            mixed = (mixed ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        chunk.copy_from_slice(&mixed.to_le_bytes());
    }
    Hash(bytes)
}

/// The settings of a document.
pub(crate) fn settings(document: &Document) -> Settings {
    let charter = &document.charter;
    let marked = |is_marked: fn(&Member) -> bool| {
        let members = charter.members.all().filter(|member| is_marked(member));
        members.fold(0, |bits, member| bits | 1 << index(&member.id))
    };
    let customs = Customs {
        policy: charter.election.policy,
        is_automatic: charter.moves_by_itself(),
        standby: marked(|member| member.standby.is_some()),
        lagging: marked(|member| !member.is_in_sync),
    };
    Settings { timing: charter.timing, failback: charter.election.failback, customs }
}

/// What an edit may change here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Settings {
    /// The timing.
    pub(crate) timing: Timing,
    /// How long a better node must live before it gets the mastership back.
    pub(crate) failback: Failback,
    /// Who goes first, and who may go at all.
    pub(crate) customs: Customs,
}

impl Settings {
    /// These, and nothing out of the ordinary.
    pub(crate) const fn plain(timing: Timing, failback: Failback) -> Self {
        Self { timing, failback, customs: Customs::PLAIN }
    }
}

/// What a document says of who goes first, and of whom people took out. Nodes are bits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Customs {
    /// Who is preferred.
    pub(crate) policy: Policy,
    /// Whether mastership moves by itself.
    pub(crate) is_automatic: bool,
    /// Who is on standby.
    pub(crate) standby: u16,
    /// Whose data do not count as complete.
    pub(crate) lagging: u16,
}

impl Customs {
    /// Everybody may lead, the lowest name first.
    pub(crate) const PLAIN: Self =
        Self { policy: Policy::LowestId, is_automatic: true, standby: 0, lagging: 0 };

    /// The same policy, and nothing out of the ordinary.
    pub(crate) fn in_order(self) -> Self {
        Self { policy: self.policy, ..Self::PLAIN }
    }
}

/// The priority of the node with this index: they are not in the order of the names.
pub(crate) fn priority(index: usize) -> u32 {
    [100, 300, 200][index % 3]
}

/// A document of `size` voters with this content; `number` makes its bytes unlike all others.
pub(crate) fn document(size: usize, settings: Settings, number: u64) -> Document {
    document_of(&vec![MemberRole::Voter; size], settings, number).expect("somebody may lead")
}

/// What each node is for in a document, in the order of their names.
pub(crate) fn roles(document: &Document) -> Vec<MemberRole> {
    document.charter.members.all().map(|member| member.role).collect()
}

/// What a document says of each of `size` nodes, in the order of their names.
pub(crate) fn seats(document: &Document, size: usize) -> Vec<Seat> {
    let members = &document.charter.members;
    let seat = |index| match members.find(&name(index)) {
        Some(member) => Seat { role: Some(member.role), disk: disk(member.storage) },
        None => Seat { role: None, disk: index },
    };
    (0..size).map(seat).collect()
}

/// The same with a role for each node, on its first disk; none if nobody could lead.
pub(crate) fn document_of(
    roles: &[MemberRole],
    settings: Settings,
    number: u64,
) -> Option<Document> {
    let seat = |(disk, role): (usize, &MemberRole)| Seat { role: Some(*role), disk };
    seated(&roles.iter().enumerate().map(seat).collect::<Vec<_>>(), settings, number)
}

/// The same with a seat for each node; none if nobody could lead.
pub(crate) fn seated(seats: &[Seat], settings: Settings, number: u64) -> Option<Document> {
    let members = seats.iter().enumerate().filter_map(|(index, seat)| {
        let is_in = |bits: u16| bits & 1 << index != 0;
        Some(Member {
            is_in_sync: !is_in(settings.customs.lagging),
            standby: is_in(settings.customs.standby).then(Override::default),
            ..member(index, seat.role?, seat.disk)
        })
    });
    let members = Membership::new(members.collect()).ok()?;
    let body = format!("edit {number}: {settings:?} {seats:?}");
    let charter = Charter {
        name: "sim".into(),
        cluster: CLUSTER,
        generation: 1,
        timing: settings.timing,
        election: Election {
            policy: settings.customs.policy,
            failback: settings.failback,
            is_automatic: settings.customs.is_automatic,
        },
        members,
        maintenance: None,
        is_understood: true,
    };
    Some(Document {
        position: Position { term: Term(0), version: 1 },
        revision: 1,
        hash: hash(&body),
        body: body.into(),
        charter: Arc::new(charter),
        byline: None,
    })
}

/// The first record of the node with this index.
pub(crate) fn founding(index: usize, document: &Document) -> Durable {
    let identity =
        Identity { cluster: CLUSTER, generation: 1, node: name(index), storage: storage(index) };
    Durable::founding(identity, document.clone())
}

/// The first record of a node on another disk: nothing is remembered but a document (R52).
pub(crate) fn refounded(index: usize, disk: usize, document: &Document) -> Durable {
    let mut record = founding(index, document);
    record.identity.storage = storage_of(disk);
    record
}

/// The failback of a charter as a span, if there is one.
pub(crate) fn failback_after(document: &Document) -> Option<Duration> {
    match document.charter.election.failback {
        Failback::After(span) => Some(span),
        Failback::Never => None,
    }
}
