//! The simulator: whole clusters in one thread and virtual time, one seed each, with everything
//! going wrong that may, and oracles that look after every event.
//! Never sleeps and never touches a clock, a disk or a socket of this machine.
//!
//! ```text
//! seed -> Draw -> Plan -> World --- events ---> Node::step ---> Effects
//!                           |                                      |
//!             faults, aims -+                     Fact -> oracles, counters, history
//! ```
//!
//! - `cargo test sim` runs a few hundred seeds and every mutant.
//! - `contrib/sim/sweep 1..100000` runs many, with progress, and goes on where it was stopped.
//! - `SIM_SEED=17 cargo test sim::replay -- --nocapture` runs one again.
//! - `SIM_SEEDS=1..3001 SIM_HASHES=F cargo test sim::sweep` keeps the hashes of these runs in F, or
//!   compares them with those kept there: what shall only be quicker changes none.
//! - `SIM_FILE=target/tmp/seed-17.sim cargo test sim::replay -- --nocapture` does so from the
//!   file that a failing run leaves; with `SIM_REDUCE=1` it leaves a smaller one beside it.
#![allow(clippy::wildcard_enum_match_arm, reason = "an oracle names what it judges")]
#![allow(clippy::print_stdout, reason = "tests report to whoever runs them")]

mod aims;
pub(crate) mod charters;
pub(crate) mod clock;
mod counters;
mod customs;
mod designs;
pub(crate) mod editing;
pub(crate) mod disk;
pub(crate) mod draw;
pub(crate) mod faults;
pub(crate) mod guard;
pub(crate) mod history;
mod lives;
mod lodging;
pub(crate) mod machine;
pub(crate) mod missing;
mod mutants;
pub(crate) mod network;
mod oracles;
mod people;
pub(crate) mod plan;
mod queue;
pub(crate) mod receipts;
mod replay;
mod run;
mod script;
mod scripts;
mod small_world;
mod sweep;
mod topics;
pub(crate) mod trace;
mod verdicts;
mod words;
pub(crate) mod world;
