//! What a run may lack: one rule of the protocol, or one thing the protocol relies on.
//! Never switches anything itself; nodes, guards and clocks look at it.

use std::fmt;

use crate::protocol::mutant::Rule;

/// The one thing that is missing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Missing {
    /// A rule of the protocol.
    Rule(Rule),
    /// R33: the guard neither looks at the deadline nor notices that its daemon died.
    Guard,
    /// R20: the clock that runs on in suspend is not read; both stand still.
    BootClock,
}

impl Missing {
    /// Everything that may be missing.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        let rules = Rule::ALL.iter().copied().map(Self::Rule);
        rules.chain([Self::Guard, Self::BootClock])
    }

    /// The one with this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::all().find(|missing| missing.to_string() == name)
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rule(rule) => f.pad(&format!("{rule:?}")),
            Self::Guard | Self::BootClock => f.pad(&format!("{self:?}")),
        }
    }
}
