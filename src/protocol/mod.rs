//! Decides who is master: a pure function from what happens to what is to be done.
//! Never reads a clock, touches a disk or a socket, starts a thread or rolls its own dice; it is
//! compiled alone, as `no_std`, by a test.
//!
//! ```text
//!             Input                                Effects (by value, fields in order)
//!  tick, mail, disk, wishes  ──►  Node::step  ──►  orders · persist · mail · answers · events
//!                                    │
//!              time first ── input ── what became due ── what people are told ── invariants
//! ```
//!
//! New here? Ten conversations between nodes, in `tests/transcripts`, show all of it at work.
//!
//! # The promises
//!
//! - **P1 One master.** At any true time at most one node acts.
//! - **P2 One winner per term.** Terms of successive masters strictly rise.
//! - **P3 One vote per term,** for one disk, for ever.
//! - **P4 An acknowledged document is never lost** while a majority of disks survives.
//! - **P5 Nothing is said or counted before it is durable.**
//! - **P6 What runs under mastership is dead before the lease ends.**
//! - **P7 There is a master again** within a stated bound after a majority can talk.
//! - **P8 The preferred node leads** when it can, and returns only by handover.
//! - **P9 A planned handover costs round trips, not leases.**
//! - **P10 A minority, a stranger or a wiped node changes nothing.**
//! - **P11 A failed disk silences the node,** never the cluster.
//! - **P12 Whatever a peer sends, the node neither crashes nor grows beyond its limits.**
//!
//! # The rooms, in reading order: data, then rules, then roles, then the hub
//!
//! # Words
//!
//! | word | meaning |
//! |---|---|
//! | member | a node in the document: voter, witness or observer |
//! | voter | a member whose vote counts, with the disk the document names |
//! | term | a numbered mastership; at most one master each; the fencing token |
//! | master | the winner of a term; *acting* from `Order::Start` to `Order::Stop` |
//! | promise | a voter's word to vote for nobody else for a while |
//! | lease | the time a majority's promises give the master |
//! | quiet period | after a start: no vote until every old promise and lease must have run out |
//! | document | the replicated cluster.yaml; `accepted` makes quorums, `committed` the rest |
//! | charter | the document, parsed |
//! | position | (term, version): a document's place in history |
//! | handover | planned change of master: stop, release, successor stands |
//! | incumbent | whoever was master last, as far as a node knows |
//! | standby | a node that leaves the field to others, by the document |
//! | maintenance | while the document says so, mastership moves only when people move it |
//! | in sync | its data count as complete; where that is required nobody else may lead |
//! | rank | how many live voters are preferred to this node; it delays, never vetoes |

// data
pub mod units;
pub mod timing;
pub mod membership;
pub mod durable;
pub mod edit;
pub mod message;
pub mod alarm;
pub mod effects;
pub mod status;
// rules
pub mod mutant;
pub mod map;
pub mod order;
pub mod quorum;
pub(crate) mod roll;
pub mod lease;
pub(crate) mod deadline;
pub(crate) mod liveness;
pub(crate) mod register;
pub(crate) mod vote;
// what every node is
pub(crate) mod activity;
pub(crate) mod ledger;
pub(crate) mod voter;
pub(crate) mod preference;
pub(crate) mod standing;
pub(crate) mod ranking;
pub(crate) mod pledge;
// roles
pub(crate) mod turn;
pub(crate) mod follower;
pub(crate) mod candidate;
pub(crate) mod renewal;
pub(crate) mod publication;
pub(crate) mod handover;
pub(crate) mod change;
pub(crate) mod docket;
pub(crate) mod proposal;
pub(crate) mod master;
// the hub
pub(crate) mod belief;
pub(crate) mod errand;
pub(crate) mod inbox;
pub(crate) mod petition;
pub mod node;
pub(crate) mod view;
