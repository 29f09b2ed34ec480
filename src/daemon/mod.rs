//! Does: everything a node touches in the world, each outside thing in exactly one file.
//! Never decides who is master; the protocol does, and the driver hands out what it says.
//!
//! # Threads
//!
//! Every thread is made through [`spawn`], has a name and a small stack, and lives until the
//! process ends; a panic in any of them ends the process. There is one lock, in [`driver`], held
//! for one turn of the node and never over anything that waits.
//!
//! | thread | owns | waits on | never |
//! |---|---|---|---|
//! | main | the daemon's life | a signal; then the node's release | touches the node but by `deliver` |
//! | `signals` | the caught signals | a signal | acts on one |
//! | `log` | stderr | a line | holds anybody up |
//! | `acting-log` | the acting log, if one is kept | a line | holds anybody up |
//! | `history` | the history | a line | holds anybody up |
//! | `papers` | the archive, the exported cluster.yaml | a committed document, a touched file | delays an election |
//! | `store` | the state file | a record from the driver, ten seconds | takes the lock while it writes |
//! | `patience` | the age of the write under way | one second | touches the disk |
//! | `listener` | the listening socket | callers | reads a byte |
//! | `meet` | one caller's handshake; ends with it | its socket | reads a message |
//! | `read-NAME` | the session of one caller that votes | its socket | answers a message |
//! | `call-NAME` | one handshake of ours; ends with it | its socket | sends a message |
//! | `send-NAME` | one outgoing session to a voter | its outbox, its socket | delays another peer |
//! | `observers`, if there are any | the sessions of all observers, both ways | their outboxes and sockets | waits for one of them |
//! | `control` | the unix socket | a connection, a free seat | speaks on one |
//! | `client` | one conversation, 32 at most | a request, 5 s | keeps the lock while it writes |
//! | `client`, after `hold` | one program under mastership, 128 at most | its words, its mailbox, its death | holds the core up |
//! | `http`, unless it is off | the listening socket | callers | reads a byte |
//! | `http-call` | one caller, 64 at most | its socket, 5 s | waits for the lock, for a yes or a no |
//! | `election` | the alarm | CLOCK_BOOTTIME | wakes up without a deadline |
//! | `health` | the runs of the health command, if there is one | one run, the interval | runs two at once |
//! | `position` | the runs of the position command, if there is one | one run, the interval | runs two at once |
//! | `hooks`, if there are any | the guard, the conductor | its guard, its mailbox, a retry | holds the core up |
//! | `event-hook` | the `event` hook, a guard for it | an event, a run | delays another hook |
//! | `lapse` | nothing | another document; two seconds, while an entry of it ends by itself | takes an entry without an end away |
//! | `newcomers` | who is to be promoted | an event, half a second if somebody is | judges who is ready |
//! | `moved` | which members moved | two seconds | believes an address it did not reach |
//! | `rotation` | the second key, while the key changes | being asked; a pause, while it changes | removes a key that is needed |
//! | `watchdog` | the count of standstills | one second | takes the lock |
//! | `notify`, if somebody listens | what the supervisor was told | an event, a quarter of its time | touches the disk |
//! | `reset`, if there is one | the hardware watchdog | an order, the next pet | holds the core up |
//!
//! # Start and stop
//!
//! Start: settings, the guard of hooks (before any thread), log, signals, limits, lock and keys,
//! state loaded and written back (R5), node, network, control socket, HTTP, then the threads:
//! hooks, patience, store, control, election, watchdog; last, the supervisor hears of it. A part
//! that does not start ends the daemon with a sentence and an exit code. Stop: a signal,
//! `Input::Leave`, wait for the release (at most about one lease), flush the mail, remove the
//! socket, exit.

// The life of the daemon.
pub mod failure;
pub mod init;
pub mod join;
pub mod limits;
pub mod rescue;
mod arrival;
mod node_yaml;
pub mod notify;
mod records;
pub mod serve;
pub mod signals;
pub mod spawn;

// The core and its clocks.
pub mod acting;
pub mod acting_log;
pub mod clock;
pub mod condition;
pub mod driver;
pub mod histogram;
pub mod holders;
pub mod lapse;
pub mod notice;
pub mod suspicion;
pub mod tallies;
pub mod timer;
pub mod watchdog;

// The disk.
pub mod admin_files;
pub mod annex;
pub mod binding;
pub mod directory;
pub(crate) mod durably;
pub mod history;
pub mod identity;
pub mod journal;
pub mod keys;
mod own_edits;
pub mod papers;
pub mod patience;
pub mod premises;
pub mod spare_keys;
pub mod store;
mod write_times;

// The network.
pub mod admission;
mod contacts;
pub mod doorway;
mod doubts;
mod gallery;
mod keyring;
mod listener;
pub mod lives;
pub mod network;
pub mod outbox;
mod peer;
mod promotion;
pub mod ranking;
mod rate;
pub mod relocation;
pub mod rotation;
mod session;
mod shared;
mod slots;
mod socket;
mod suite;
pub mod tls;
mod usher;
mod vigil;
pub mod waiting;

// How fit this node is.
pub mod fitness;
pub mod freshness;
pub mod health;
pub mod probe;
pub mod reset;
// Processes of this machine.
pub mod burial;
pub mod cgroup;
pub mod pinned;
pub mod processes;

// People and programs on this machine.
pub mod byline;
pub mod checkup;
pub mod control;
pub mod control_socket;
pub mod credentials;
pub mod events;
mod backing;
mod holding;
pub mod hooks;
pub mod http;
pub mod log;
mod newcomers;
pub mod report;
pub mod seats;

pub use init::{InitOptions, init};
pub use join::{JoinOptions, join};
pub use serve::{ServeOptions, serve};
