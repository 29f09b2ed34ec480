//! Owns what is known of every node from what was seen last, and the newest events.
//! Never asks a node and never acts on one.

use core::time::Duration;
use std::collections::VecDeque;

use crate::cli::commands::is_acting;
use crate::cli::demo::watcher::{Observation, Seen};
use crate::protocol::order;
use crate::wire::control::{EventReport, StatusReport};

/// How many lines of happenings are kept.
const LINES_MAX: usize = 100;

/// Up to so many nodes there is room to say who misses whom.
const FEW_NODES: usize = 4;

/// What is known of one node.
#[derive(Debug, Default)]
pub(super) struct Seat {
    /// Its newest status, if it answers.
    pub(super) status: Option<StatusReport>,
    /// When that was asked.
    pub(super) seen_at: Duration,
    /// When its present process began: what was seen before is of another one.
    began_at: Duration,
    /// The highest number of an event seen of its present process.
    last_seq: u64,
    /// When it last said that it acts no longer.
    pub(super) demoted_at: Option<Duration>,
    /// When it last said that it was elected.
    pub(super) elected_at: Option<Duration>,
}

impl Seat {
    /// Whether it acts as master, as far as it could be seen.
    pub(super) fn is_acting(&self) -> bool {
        self.status.as_ref().is_some_and(|status| is_acting(status, 0))
    }

    /// The name of the master it believes in.
    pub(super) fn believes_in(&self) -> Option<&str> {
        self.status.as_ref()?.master.as_ref().map(|master| master.id.as_str())
    }
}

/// Something worth a line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Line {
    /// When.
    pub(super) at: Duration,
    /// Who.
    pub(super) who: String,
    /// What.
    pub(super) what: String,
    /// `info`, `warning` or `alarm`; `you` for what the person did.
    pub(super) level: String,
}

/// What is known of all.
#[derive(Debug)]
pub(super) struct Board {
    /// Node by node.
    pub(super) seats: Vec<Seat>,
    /// The newest last.
    pub(super) lines: VecDeque<Line>,
}

impl Board {
    /// Nothing known yet.
    pub(super) fn new(nodes: usize) -> Self {
        let seats = core::iter::repeat_with(Seat::default).take(nodes).collect();
        Self { seats, lines: VecDeque::new() }
    }

    /// Learns from an observation.
    pub(super) fn take(&mut self, observation: Observation) {
        let Observation { node, at, seen } = observation;
        let seat = &mut self.seats[node];
        if at < seat.began_at {
            return;
        }
        match seen {
            Seen::Status(status) => {
                seat.status = Some(*status);
                seat.seen_at = at;
            }
            Seen::Nothing => {
                seat.status = None;
                seat.seen_at = at;
            }
            Seen::Event(event) => {
                if event.seq > seat.last_seq {
                    seat.last_seq = event.seq;
                    self.note_event(node, at, *event);
                }
            }
        }
    }

    /// Forgets a node whose process ended or is new: it counts its events from one again.
    pub(super) fn restart(&mut self, node: usize, at: Duration) {
        self.seats[node] = Seat { began_at: at, seen_at: at, ..Seat::default() };
    }

    fn note_event(&mut self, node: usize, at: Duration, event: EventReport) {
        let seat = &mut self.seats[node];
        match event.code.as_str() {
            "elected" => seat.elected_at = Some(at),
            "demoted" => seat.demoted_at = Some(at),
            _ => {}
        }
        if is_worth_a_line(&event, self.seats.len()) {
            let EventReport { node: who, message: what, level, .. } = event;
            self.add(Line { at, who, what, level });
        }
    }

    /// Adds a line of what the person did.
    pub(super) fn note(&mut self, at: Duration, what: String) {
        self.add(Line { at, who: "you".to_owned(), what, level: "you".to_owned() });
    }

    fn add(&mut self, line: Line) {
        if self.lines.len() == LINES_MAX {
            self.lines.pop_front();
        }
        self.lines.push_back(line);
    }

    /// The first two nodes that claim the same term, if ever there are any.
    pub(super) fn rivals(&self) -> Option<(usize, usize)> {
        let term = |index: usize| self.seats[index].status.as_ref().map(|status| status.term);
        let acting = |index: &usize| self.seats[*index].is_acting();
        let claims: Vec<usize> = (0..self.seats.len()).filter(acting).collect();
        let claims = order::sorted(claims, |one, other| term(*one).cmp(&term(*other)));
        let pair = claims.windows(2).find(|pair| term(pair[0]) == term(pair[1]));
        pair.map(|pair| (pair[0], pair[1]))
    }

    /// The node that acts as master; the one of the latest term if an older one is still shown.
    pub(super) fn acting(&self) -> Option<usize> {
        let term = |index: &usize| self.seats[*index].status.as_ref().map_or(0, |s| s.term);
        (0..self.seats.len()).filter(|index| self.seats[*index].is_acting()).max_by_key(term)
    }
}

/// What every node says about every other would drown what matters.
fn is_worth_a_line(event: &EventReport, nodes: usize) -> bool {
    match event.code.as_str() {
        "master-changed" | "peer-heard" | "document-committed" | "standing" => false,
        "peer-silent" => nodes <= FEW_NODES,
        _ => true,
    }
}
