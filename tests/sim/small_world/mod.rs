//! The small world: everything that can happen to three nodes in a short time, tried out.
//! Never uses dice: where the simulator draws one of many futures, this looks at all of them.
//!
//! The nodes, guards, disks, facts and oracles are the simulator's. Time and order are not drawn:
//! in each instant whatever became due first happens first, and when nothing is due time passes
//! to the next instant at which a node or a guard has something to do. That is one history. All
//! others differ from it by *deviations*: a message held back, lost or repeated, a late tick, a
//! slow or failed write, a kill, a power loss, a stopped daemon, a cut link, an edit, a handover.
//! A search looks at **every** history with at most so many deviations, heartbeats of time and
//! new terms. What a deviation begins may end at any later time at no cost: held messages arrive
//! (or never do: then they are lost), daemons start or go on, links heal, slow writes end.
//!
//! What is left out: clocks run at the true rate and never stop; random spans are the middle of
//! their range; messages arrive in the instant they are sent unless held; children die at the
//! last allowed moment; a killed daemon's children live to their deadline; links fail only right
//! before a tick of one of their ends; daemons start, go on and links heal only between instants;
//! one edit and one handover; three voters; failback is off. The simulator draws all of that.
//!
//! - `cargo test small_world` takes seconds; `-- --nocapture` prints counts and traces.
//! - `MODEL_DEVIATIONS=3 MODEL_BEATS=7 cargo test --profile sweep small_world::asked -- \
//!   --nocapture` goes further, also with `MODEL_KINDS=Link,Death`, `MODEL_TERMS`,
//!   `MODEL_STATES`, `MODEL_ROOT=settled` or `founded`, and `MODEL_MUTANT=Rule`. States with fewer
//!   than all deviations are kept whole (about 12 KB each), the others as 40 bytes.

mod moves;
mod search;
mod state;

use std::env;

use crate::protocol::mutant::Rule;
use crate::protocol::units::Term;
use crate::sim::small_world::moves::{Kind, Move};
use crate::sim::small_world::search::{Bounds, Report, search, tell};
use crate::sim::small_world::state::Small;

/// What every `cargo test` looks at when one thing goes wrong, and when two do.
const ONE_DEVIATION: [(Root, Bounds); 2] =
    [(Root::Founded, bounds(1, 8, &Kind::ALL)), (Root::Settled, bounds(1, 9, &Kind::ALL))];
const TWO_DEVIATIONS: [(Root, Bounds); 2] = [
    (Root::Settled, bounds(2, 4, &[Kind::Wish, Kind::Death])),
    (Root::Settled, bounds(2, 5, &[Kind::Link, Kind::Death])),
];
/// The rules whose absence shows in the small world, and a search that shows it. The other three
/// need an edit of the timing, an oracle of liveness, or an instant that this grid of time does
/// not have; the simulator has them.
const NOTICED: [(Rule, Root, Bounds); 11] = [
    (Rule::DurableVote, Root::Founded, bounds(0, 8, &Kind::ALL)),
    (Rule::Restamp, Root::Founded, bounds(0, 8, &Kind::ALL)),
    (Rule::OneVotePerTerm, Root::Founded, bounds(1, 8, &Kind::ALL)),
    (Rule::PositionCheck, Root::Founded, bounds(1, 8, &Kind::ALL)),
    (Rule::FetchTerm, Root::Founded, bounds(1, 8, &Kind::ALL)),
    (Rule::PromiseBinds, Root::Settled, bounds(1, 9, &Kind::ALL)),
    (Rule::FinalRelease, Root::Settled, bounds(1, 9, &Kind::ALL)),
    (Rule::StopBeforeRelease, Root::Settled, bounds(1, 9, &Kind::ALL)),
    (Rule::StopBeforeExpiry, Root::Settled, bounds(1, 9, &Kind::ALL)),
    (Rule::QuietPeriod, Root::Settled, bounds(2, 5, &[Kind::Link, Kind::Death])),
    (Rule::LeaseFromSend, Root::Settled, bounds(2, 6, &[Kind::Link, Kind::Mail])),
];
const fn bounds(deviations: usize, beats: u32, kinds: &'static [Kind]) -> Bounds {
    Bounds { deviations, kinds, beats, terms: 3, states: 2_000_000, progress: 0 }
}

/// Where a search begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Root {
    /// The cluster was just founded; the daemons start.
    Founded,
    /// The preferred node acts, and everything is committed.
    Settled,
}

impl Root {
    fn grow(self, rule: Option<Rule>) -> Small {
        match self {
            Self::Founded => Small::founded(rule),
            Self::Settled => settled(rule),
        }
    }
}

/// A cluster in which the preferred node acts and everything is committed.
fn settled(rule: Option<Rule>) -> Small {
    let mut small = Small::founded(rule);
    let is_settled = |small: &Small| small.acting().is_some() && small.queue.is_empty();
    while !is_settled(&small) && small.broken.is_none() {
        let next = if small.queue.is_empty() { Move::Pass } else { Move::Next };
        small.make(next);
    }
    small
}

/// A number from the environment, or this.
fn number_or(name: &str, default: usize) -> usize {
    let Ok(text) = env::var(name) else { return default };
    text.parse().unwrap_or_else(|_| panic!("{name}={text} is not a number"))
}

/// Makes these searches; each must get through, and together they must see `states_min` different
/// states, second masters, releases and edits: fewer would mean that the world became poorer.
fn assert_holds(searches: &[(Root, Bounds)], states_min: usize) {
    let mut seen = Report::default();
    for (from, bounds) in searches {
        let root = from.grow(None);
        let report = search(&root, *bounds);
        println!("{from:?}, {bounds:?}:\n  {report}");
        if let Some(violation) = &report.violation {
            panic!("{}", tell(&root, violation));
        }
        assert!(report.is_complete, "out of states: {bounds:?} {report}");
        seen.absorb(&report);
    }
    assert!(seen.total() >= states_min, "{seen:?}");
    assert!(seen.activations >= 2 && seen.latest_term >= Term(2), "no second master: {seen:?}");
    assert!(seen.releases > 0 && seen.edits > 0, "nothing was wished for: {seen:?}");
}

#[test]
fn whatever_goes_wrong_once_in_the_small_world_breaks_nothing() {
    assert_holds(&ONE_DEVIATION, 120_000);
}

#[test]
fn whatever_goes_wrong_twice_in_the_small_world_breaks_nothing() {
    assert_holds(&TWO_DEVIATIONS, 500_000);
}

#[test]
fn the_small_world_notices_missing_rules() {
    let mut survivors = Vec::new();
    for (rule, from, bounds) in NOTICED {
        let root = from.grow(Some(rule));
        let report = search(&root, bounds);
        let Some(violation) = &report.violation else {
            survivors.push(rule);
            continue;
        };
        let spent = report.states.len() - 1;
        println!("==== without {rule:?}: {spent} deviations, found after {} moves", report.moves);
        println!("{}", tell(&root, violation));
    }
    assert!(survivors.is_empty(), "nothing notices that these are missing: {survivors:?}");
}

/// The kinds of deviations named in `MODEL_KINDS=Link,Death`, or all.
fn kinds_asked_for() -> &'static [Kind] {
    let Ok(text) = env::var("MODEL_KINDS") else { return &Kind::ALL };
    let kind = |name: &str| Kind::ALL.into_iter().find(|kind| format!("{kind:?}") == name);
    let kinds: Option<Vec<Kind>> = text.split(',').map(kind).collect();
    kinds.unwrap_or_else(|| panic!("MODEL_KINDS={text}: known are {:?}", Kind::ALL)).leak()
}

#[test]
fn asked_for_a_search_goes_as_far_as_it_is_told() {
    let text = env::var("MODEL_MUTANT").ok();
    let rule = text.map(|text| {
        let found = Rule::ALL.iter().copied().find(|rule| format!("{rule:?}") == text);
        found.unwrap_or_else(|| panic!("MODEL_MUTANT={text} is none of {:?}", Rule::ALL))
    });
    let is_founding = env::var("MODEL_ROOT").is_ok_and(|root| root == "founded");
    let root = if is_founding { Root::Founded } else { Root::Settled }.grow(rule);
    let bounds = Bounds {
        deviations: number_or("MODEL_DEVIATIONS", 0),
        kinds: kinds_asked_for(),
        beats: u32::try_from(number_or("MODEL_BEATS", 8)).expect("a short time"),
        terms: number_or("MODEL_TERMS", 3) as u64,
        states: number_or("MODEL_STATES", 4_000_000),
        progress: 100_000,
    };
    let report = search(&root, bounds);
    println!("{bounds:?}\n{report}");
    if let Some(violation) = &report.violation {
        panic!("{}", tell(&root, violation));
    }
    assert!(report.total() > 1, "{report}");
}
