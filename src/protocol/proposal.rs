//! May an edit of the document be proposed?
//! Never spreads it; the master does.

use alloc::sync::Arc;
use core::time::Duration;

use crate::protocol::change;
use crate::protocol::durable::Document;
use crate::protocol::edit::Rejection;
use crate::protocol::membership::Charter;
use crate::protocol::mutant::Rule;
use crate::protocol::publication::Publication;
use crate::protocol::units::{Moment, Position, Term};
use crate::protocol::voter::Voter;

/// How a master stands towards an edit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Office<'a> {
    pub(crate) term: Term,
    /// An own-term document is committed and no other edit waits (R19).
    pub(crate) is_settled: bool,
    /// It has decided to end.
    pub(crate) is_ending: bool,
    /// The round trip within which a majority of the edited voters answers, if it was measured.
    pub(crate) round_trip: Option<Duration>,
    /// The lease that the edited document's voters would give now (R25).
    pub(crate) lease_end: Option<Moment>,
    /// The present document and who has it.
    pub(crate) publication: &'a Publication,
}

/// Everything that must hold before the master takes an edit (R19, R25, R43). Returns the
/// document as it will be spread.
pub(crate) fn judge(
    office: &Office<'_>,
    voter: &Voter,
    revision: u64,
    edited: &Document,
    now: Moment,
) -> Result<Document, Rejection> {
    let old = &voter.durable().accepted;
    if voter.is_storage_failed() {
        return Err(Rejection::StorageFailed);
    }
    let is_ready = voter.activity.is_acting() && office.is_settled;
    let is_early = !is_ready && !voter.keeps(Rule::EditAfterOwnCommit);
    if !voter.activity.is_acting() && !is_early || office.is_ending {
        return Err(Rejection::NotMaster { master: None });
    }
    if !office.is_settled && !is_early {
        return Err(Rejection::EditPending);
    }
    if revision != old.revision {
        return Err(Rejection::RevisionMoved { now: old.revision });
    }
    let [before, after] = [&old.charter, &edited.charter];
    let same = |charter: &Charter| (charter.name.clone(), charter.cluster, charter.generation);
    if same(before) != same(after) {
        return Err(Rejection::OtherCluster);
    }
    if !is_early {
        change::check(voter, office.publication, &after.members, now)
            .map_err(Rejection::Members)?;
    }
    match office.round_trip {
        Some(round_trip) if round_trip <= after.timing.slack() => {}
        round_trip => return Err(Rejection::TooFarApart { round_trip }),
    }
    // The new time to stop must fit into the lease that the old timing gave: what runs under it
    // is stopped by the new one from the commit on.
    let reserve = after.timing.activation_reserve().max(before.timing.activation_reserve());
    let is_short = office.lease_end.is_none_or(|end| now.may_have_reached(end.before(reserve)));
    if is_short && !is_early {
        return Err(Rejection::LeaseTooShort);
    }
    let term = office.term;
    let version = old.position.version.checked_add(1).ok_or(Rejection::EditPending)?;
    let revision = old.revision.checked_add(1).ok_or(Rejection::EditPending)?;
    let position = Position { term, version };
    let charter = Arc::clone(&edited.charter);
    Ok(Document { position, revision, charter, ..edited.clone() })
}
