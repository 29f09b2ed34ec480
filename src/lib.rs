//! quorate: exactly one master among a handful of machines, and never two.
//!
//! # Bird's eye
//!
//! ```text
//!           cli ── asks ──► unix socket ──┐
//!                                         ▼
//!   peers ◄── TLS ──► daemon ── Input ──► protocol ── Effects ──► daemon ──► disk, peers, log
//!                       ▲                                │
//!                    settings: node.yaml, cluster.yaml   └─ pure: same input, same effects
//! ```
//!
//! A node is a state machine: [`protocol::node::Node::step`] takes what happened and the time, and
//! returns what is to be done. The daemon does it; the simulator in `tests/sim` does it too, with
//! a thousand faults, and checks the promises after every event.
//!
//! # The six places
//!
//! | place | what it does | may use |
//! |---|---|---|
//! | [`protocol`] | **decides** who is master; no clock, disk, socket, thread or dice | `core`, `alloc` |
//! | [`wire`] | **spells** messages, records and requests as bytes | `protocol` |
//! | [`settings`] | **names** things: node.yaml, cluster.yaml, durations, paths | `protocol` |
//! | [`daemon`] | **does**: threads, disk, TLS, clocks, sockets; one file per outside thing | `protocol`, `wire`, `settings`, `keep` |
//! | [`keep`] | **keeps** what runs under mastership, and kills it in time | `protocol`'s units, `wire`, `daemon`'s clock, timer, processes and cgroup |
//! | [`cli`] | **asks** a daemon and shows the answer; the demo | `keep`, `wire`, `settings`, who is at the other end of a socket, what hooks are told, what the hardware watchdog is and when it fires, how a file is put in its place, what a node's files look like, `protocol`'s units and status |
//!
//! In `daemon` the room `http` answers load balancers, browsers and Prometheus: it reads what the
//! driver leaves behind, and nothing in `daemon` knows of it but `serve`, which opens it, and
//! `notify`, which asks it whether this daemon lives.
//!
//! `tests/tidy` holds the table against the code. New work goes where its verb is: a rule of the
//! election into `protocol`, a new field on the wire into `wire`, a new key of a file into
//! `settings`, a new system call into the one file of `daemon` that owns that thing.
//!
//! # What is not here
//!
//! No async runtime, no external store, no multicast, no global state, no wall clock in any
//! decision, no second lock around the protocol, no `unsafe`.

extern crate alloc;

pub mod protocol;
pub mod wire;
pub mod settings;
pub mod daemon;
pub mod keep;
pub mod cli;
