//! Tries everything that may happen in the small world, up to stated bounds, each state once.
//! Never knows what a state means; `moves` and the oracles do.
//!
//! States are found in the order of deviations spent. Whoever finds a state first found it with
//! the fewest, and from there everything can be done that could be done after spending more: so
//! one look at each state is enough.

use std::collections::{BTreeSet, VecDeque};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::protocol::units::Term;
use crate::sim::clock::TrueTime;
use crate::sim::replay::words_of;
use crate::sim::small_world::moves::{Kind, Move};
use crate::sim::small_world::state::{HEARTBEAT, Small};

/// How far a search goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// How many deviations from the schedule one history may have.
    pub(crate) deviations: usize,
    /// Of which kinds.
    pub(crate) kinds: &'static [Kind],
    /// How many heartbeats of true time it may last.
    pub(crate) beats: u32,
    /// How many terms it may add.
    pub(crate) terms: u64,
    /// How many states are looked at before the search gives up.
    pub(crate) states: usize,
    /// A word of progress after so many states; zero for none.
    pub(crate) progress: usize,
}

/// A broken sentence and how it came to that.
#[derive(Debug)]
pub(crate) struct Violation {
    /// What was broken, or what the protocol's own assertions said.
    pub(crate) what: String,
    /// All moves from the root.
    pub(crate) moves: Vec<Move>,
}

/// What a search saw.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// Different states by deviations spent.
    pub(crate) states: Vec<usize>,
    /// Moves made.
    pub(crate) moves: usize,
    /// The longest history, in moves.
    pub(crate) depth: u32,
    /// Moves not made because time was up, and because of the bound on terms.
    pub(crate) ends: (usize, usize),
    /// Whether every state within the bounds was looked at.
    pub(crate) is_complete: bool,
    /// The latest term seen.
    pub(crate) latest_term: Term,
    /// The most activations in one history.
    pub(crate) activations: usize,
    /// States after a release, and after the commit of an edit.
    pub(crate) releases: usize,
    pub(crate) edits: usize,
    /// The first broken sentence.
    pub(crate) violation: Option<Violation>,
}

impl Report {
    /// Different states in all.
    pub(crate) fn total(&self) -> usize {
        self.states.iter().sum()
    }

    /// Adds what another search saw.
    pub(crate) fn absorb(&mut self, other: &Self) {
        self.states.extend(&other.states);
        self.moves += other.moves;
        self.depth = self.depth.max(other.depth);
        self.latest_term = self.latest_term.max(other.latest_term);
        self.activations = self.activations.max(other.activations);
        self.releases += other.releases;
        self.edits += other.edits;
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let how = if self.is_complete { "complete" } else { "NOT complete" };
        write!(
            f,
            "{} states ({:?} by deviations), {} moves, depth {}, {} histories ended by time and \
             {} by terms; {how}; latest term {}, at most {} activations, {} states after a \
             release, {} after an edit",
            self.total(),
            self.states,
            self.moves,
            self.depth,
            self.ends.0,
            self.ends.1,
            self.latest_term,
            self.activations,
            self.releases,
            self.edits,
        )
    }
}

/// How a state was reached.
struct Step {
    parent: u32,
    by: Move,
    depth: u32,
}

/// A state and its number.
struct Found {
    small: Small,
    number: u32,
}

/// One search.
struct Search {
    bounds: Bounds,
    limit: TrueTime,
    last_term: Term,
    known: BTreeSet<u64>,
    steps: Vec<Step>,
    report: Report,
}

/// Looks at everything that may happen from `root` on.
pub(crate) fn search(root: &Small, bounds: Bounds) -> Report {
    let mut search = Search {
        bounds,
        limit: root.now.after(HEARTBEAT * bounds.beats),
        last_term: Term(root.latest_term().0 + bounds.terms),
        known: BTreeSet::from([root.fingerprint()]),
        steps: vec![Step { parent: 0, by: Move::Next, depth: 0 }],
        report: Report { states: vec![1], ..Report::default() },
    };
    if let Some(broken) = &root.broken {
        let what = format!("{} {}: {}", broken.promise, broken.sentence, broken.detail);
        search.report.violation = Some(Violation { what, moves: Vec::new() });
        return search.report;
    }
    search.report.is_complete = search.run(root.clone());
    search.report
}

impl Search {
    /// Says whether it got through.
    fn run(&mut self, root: Small) -> bool {
        let mut level = self.close(vec![Found { small: root, number: 0 }]);
        for spent in 1..=self.bounds.deviations {
            self.report.states.push(0);
            let mut next = Vec::new();
            for found in level {
                let kinds = self.bounds.kinds;
                let is_asked = |m: &Move| m.kind().is_some_and(|kind| kinds.contains(&kind));
                let deviations = found.small.moves().into_iter().filter(is_asked);
                let begun = deviations.filter_map(|to_do| self.attempt(&found, to_do)).collect();
                let closed = self.close(begun);
                if self.is_over() {
                    return false;
                }
                if spent < self.bounds.deviations {
                    next.extend(closed);
                }
            }
            level = next;
        }
        !self.is_over()
    }

    fn is_over(&self) -> bool {
        self.report.violation.is_some() || self.report.total() >= self.bounds.states
    }

    /// All new states that `begun` leads to without further deviations, and `begun`.
    fn close(&mut self, begun: Vec<Found>) -> Vec<Found> {
        let mut waiting = VecDeque::from(begun);
        let mut closed = Vec::new();
        while let Some(found) = waiting.pop_front() {
            for to_do in found.small.moves().into_iter().filter(|m| m.kind().is_none()) {
                waiting.extend(self.attempt(&found, to_do));
                if self.is_over() {
                    return closed;
                }
            }
            closed.push(found);
        }
        closed
    }

    /// Makes one move. Returns the state after it if that is new and within the bounds.
    fn attempt(&mut self, before: &Found, to_do: Move) -> Option<Found> {
        let mut small = before.small.clone();
        if to_do == Move::Pass && small.next_instant().is_none_or(|at| at > self.limit) {
            self.report.ends.0 += 1;
            return None;
        }
        self.report.moves += 1;
        let depth = self.steps[before.number as usize].depth + 1;
        self.report.depth = self.report.depth.max(depth);
        let step = Step { parent: before.number, by: to_do, depth };
        let made = catch_unwind(AssertUnwindSafe(|| small.make(to_do)));
        let what = match (&made, &small.broken) {
            (Err(cause), _) => Some(format!("panic: {}", words_of(&**cause))),
            (Ok(()), Some(b)) => Some(format!("{} {}: {}", b.promise, b.sentence, b.detail)),
            (Ok(()), None) => None,
        };
        if let Some(what) = what {
            self.steps.push(step);
            let moves = self.moves_to(self.steps.len() - 1);
            self.report.violation.get_or_insert(Violation { what, moves });
            return None;
        }
        if small.latest_term() > self.last_term {
            self.report.ends.1 += 1;
            return None;
        }
        if !self.known.insert(small.fingerprint()) {
            return None;
        }
        self.steps.push(step);
        self.note(&small);
        let number = u32::try_from(self.steps.len() - 1).expect("four billion states do not fit");
        Some(Found { small, number })
    }

    fn note(&mut self, small: &Small) {
        let report = &mut self.report;
        if let Some(count) = report.states.last_mut() {
            *count += 1;
        }
        report.latest_term = report.latest_term.max(small.latest_term());
        report.activations = report.activations.max(small.history.activations.len());
        report.releases += usize::from(!small.history.released.is_empty());
        report.edits += usize::from(small.has_committed_edit());
        if self.bounds.progress > 0 && report.total().is_multiple_of(self.bounds.progress) {
            println!("{report}");
        }
    }

    fn moves_to(&self, last: usize) -> Vec<Move> {
        let mut moves = Vec::new();
        let mut at = last;
        while at > 0 {
            moves.push(self.steps[at].by);
            at = self.steps[at].parent as usize;
        }
        moves.reverse();
        moves
    }
}

/// What happens on the way to a broken sentence, line by line; beats and ticks are left out.
pub(crate) fn tell(root: &Small, violation: &Violation) -> String {
    let mut small = root.clone();
    small.lines = Some(Vec::new());
    for to_do in &violation.moves {
        if catch_unwind(AssertUnwindSafe(|| small.make(*to_do))).is_err() {
            break;
        }
    }
    let is_noise = |line: &&String| {
        line.contains("<- Tick") || line.contains("beat [") || line.contains("Persisted")
    };
    let mut lines = small.lines.take().unwrap_or_default();
    lines.retain(|line| !is_noise(&line));
    lines.push(format!("BROKEN {}", violation.what));
    lines.join("\n")
}
