//! What a run can tell about itself: the last lines, all lines, or one hash over all of them.
//! Never part of a decision; a run without a trace is the same run.

use core::fmt::Arguments;
use std::collections::VecDeque;

use crate::sim::clock::TrueTime;

/// So many lines are kept for a report.
const LINES_KEPT: usize = 40;

/// How much a run tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Detail {
    /// Nothing: the quick way.
    Silent,
    /// A hash over all lines, and the last of them.
    Kept,
    /// The same, and every line on standard output.
    Printed,
}

/// The lines of a run.
pub(crate) struct Trace {
    detail: Detail,
    last: VecDeque<String>,
    hash: u64,
    count: u64,
}

impl Trace {
    /// No lines yet.
    pub(crate) fn new(detail: Detail) -> Self {
        Self { detail, last: VecDeque::new(), hash: 0xcbf2_9ce4_8422_2325, count: 0 }
    }

    /// Whether anybody wants lines.
    pub(crate) fn is_wanted(&self) -> bool {
        self.detail != Detail::Silent
    }

    /// Adds a line, if anybody wants it.
    pub(crate) fn note(&mut self, now: TrueTime, line: Arguments<'_>) {
        if !self.is_wanted() {
            return;
        }
        let line = format!("{now} {line}");
        for byte in line.bytes() {
            self.hash = (self.hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        self.count += 1;
        if self.detail == Detail::Printed {
            println!("{line}");
        }
        if self.last.len() == LINES_KEPT {
            self.last.pop_front();
        }
        self.last.push_back(line);
    }

    /// How many lines there were, and a hash over all of them in order.
    pub(crate) fn digest(&self) -> (u64, u64) {
        (self.count, self.hash)
    }

    /// The last lines.
    pub(crate) fn last(&self) -> impl Iterator<Item = &String> {
        self.last.iter()
    }
}
