//! The names, documents and records that examples are made of.
//! Never draws lots; `any` does.

use std::sync::Arc;

use quorate::protocol::durable::{Document, Identity};
use quorate::protocol::membership::{
    Charter, Election, Failback, Member, MemberRole, Membership, Policy,
};
use quorate::protocol::timing::Timing;
use quorate::protocol::units::{ClusterId, NodeId, Pin, Position, StorageId, Term};
use quorate::wire::codec::hash_of;

pub(crate) fn id(name: &str) -> NodeId {
    NodeId::new(name).unwrap()
}

pub(crate) fn charter() -> Charter {
    let member = Member {
        id: id("alpha"),
        address: "alpha:9901".into(),
        role: MemberRole::Voter,
        priority: 100,
        pin: Pin([1; 32]),
        storage: StorageId([2; 16]),
        next_pin: None,
        is_in_sync: true,
        standby: None,
    };
    Charter {
        name: "shop".into(),
        cluster: ClusterId([3; 16]),
        generation: 1,
        timing: Timing::LAN,
        election: Election {
            policy: Policy::LowestId,
            failback: Failback::Never,
            is_automatic: true,
        },
        members: Membership::new(vec![member]).unwrap(),
        maintenance: None,
        is_understood: true,
    }
}

pub(crate) fn charter_of(body: &str) -> Result<Charter, String> {
    if body.starts_with("bad") { Err("line 1: bad\u{1b}[2J".into()) } else { Ok(charter()) }
}

pub(crate) fn document(body: &str) -> Document {
    Document {
        position: Position { term: Term(4), version: 17 },
        revision: 3,
        hash: hash_of(body.as_bytes()),
        body: body.into(),
        charter: Arc::new(charter()),
        byline: None,
    }
}

pub(crate) fn identity() -> Identity {
    Identity {
        cluster: ClusterId([3; 16]),
        generation: 1,
        node: id("alpha"),
        storage: StorageId([2; 16]),
    }
}
