//! Names: node.yaml and cluster.yaml, durations, addresses and places, with errors that say where
//! and what to do. Never opens a file or asks the environment; callers hand texts in.
//!
//! ```text
//! bytes --utf8--> text --yaml--> Tree --field--> Table, Field --cluster, node--> Charter,
//!                   |              |                 |                           NodeSettings
//!                   +--------------+--- Problem -----+---> a person: file:line:column, what is
//!                                (locate, suggest)         wrong, the nearest word, what to do
//! ```

pub mod address;
pub mod arrivals;
mod check;
pub mod cluster;
mod command;
pub mod duration;
mod field;
pub mod hooks;
pub mod http;
pub mod keys;
mod locate;
pub mod node;
pub mod paths;
mod overrides;
pub mod pen;
pub mod percent;
pub mod probe;
mod problem;
pub mod suggest;
mod template;
pub mod timing;
pub mod users;
mod utf8;
pub mod words;
mod yaml;

pub use check::{config_check, node_check};
pub use problem::Problem;
pub use utf8::text;
