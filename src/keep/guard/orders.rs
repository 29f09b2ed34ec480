//! Spells what the daemon and its guard say to each other, over the same line as front and keeper.
//! Never waits, and never says what a hook is for: the guard runs what it is given.
//!
//! ```text
//! daemon                                   guard
//!   │◄──────────────────────────── ready │  no earlier guard of this directory lives
//!   │── arm {until, kill, undo} ────────►│  what runs from now on acts as master
//!   │── run {charge} ───────────────────►│
//!   │◄─────────────── line …, ended {id} │
//!   │── extend {until, kill} … beat ────►│  ◄── beat, while anything runs or is armed
//!   │── stop {kill} ────────────────────►│  kills what runs, runs `undo`, until `kill`
//!   │◄────────────── ended {undo}, gone │  nothing lives any more
//! ```

use serde::{Deserialize, Serialize};

use crate::wire::hold::MomentReport;

/// A program to run to its end, with all it needs.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Charge {
    /// Names this run.
    pub id: u64,
    /// The program and its arguments.
    pub cmd: Vec<String>,
    /// All of its environment.
    pub environment: Vec<(String, String)>,
    /// What it reads.
    pub stdin: String,
    /// How long it may take.
    pub timeout_ms: u64,
}

/// What the guard is told.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// What runs from now on acts under mastership.
    Arm {
        /// Then it has to end.
        until: MomentReport,
        /// Then whatever lives is killed.
        kill: MomentReport,
        /// What is run between the two.
        undo: Option<Charge>,
    },
    /// The end moved.
    Extend {
        /// Then it has to end.
        until: MomentReport,
        /// Then whatever lives is killed.
        kill: MomentReport,
    },
    /// End it, undo it, and kill what lives at `kill`.
    Stop {
        /// Then whatever lives is killed.
        kill: MomentReport,
        /// What is run until then, if not what was said before.
        undo: Option<Charge>,
    },
    /// Run this. What it leaves behind is killed when it ends, unless it succeeded while armed.
    Run(Charge),
    /// The daemon lives.
    Beat,
}

/// What the daemon is told.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Report {
    /// It may be told to run something.
    Ready {
        /// What it may not do to defend itself.
        notes: Vec<String>,
    },
    /// A line that a program wrote.
    Line {
        /// The run.
        id: u64,
        /// Without its end.
        text: String,
    },
    /// A program ended, and with it what it left behind if that may not stay.
    Ended {
        /// The run.
        id: u64,
        /// How.
        end: End,
        /// Its last line, if it wrote any.
        last: Option<String>,
        /// How many bytes it wrote beyond what was passed on.
        dropped: u64,
        /// How long it took.
        took_ms: u64,
    },
    /// Nothing lives of what acted under mastership.
    Gone,
    /// The guard lives.
    Beat,
    /// The guard cannot do its work.
    Failed {
        /// Why.
        words: String,
    },
}

/// How a program ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// By itself, with this exit code.
    Code(u8),
    /// By this signal, from somebody else.
    Signal(i32),
    /// Killed at its time-out.
    TimedOut,
    /// Killed, or never begun, because mastership ended.
    Stopped,
    /// It could not be started; the last line says why.
    NotStarted,
}

impl End {
    /// Whether it did what it was for.
    #[must_use]
    pub fn is_success(self) -> bool {
        self == Self::Code(0)
    }
}
