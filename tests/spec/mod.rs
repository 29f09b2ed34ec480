//! What quorate promises, one sentence per test. A `Promises:` line above a test names the
//! promises it shows; `tidy` keeps both sides complete.
//! Never draws lots, but for the examples of `properties`: what searches is the simulator.

pub(crate) mod stage;
mod workshop;

mod acting;
mod acting_log;
mod archive;
mod arithmetic;
mod cli;
mod cgroup;
mod clock;
mod codes;
mod control;
pub(crate) mod crashes;
mod disks;
mod documents;
mod driver;
mod elections;
mod events;
mod fitness;
mod handovers;
mod health;
mod hearing;
mod history;
mod hold;
mod holders;
mod holding;
mod hooks;
mod init;
mod keys;
mod lapse;
mod leases;
mod limits;
pub(crate) mod linear;
mod log;
mod members;
mod network;
mod outbox;
mod papers;
mod patience;
mod policies;
mod preference;
mod properties;
mod report;
mod reset;
mod settings;
mod shapes;
mod rounds;
mod sleep;
mod store;
mod strangers;
mod timer;
mod transcripts;
mod votes;
mod watchdog;
mod wire;
