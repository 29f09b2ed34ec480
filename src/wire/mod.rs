//! Spells: bytes in, values out, values in, bytes out. Never opens a socket.

pub mod archive;
pub mod backup;
pub mod circumstances;
pub mod codec;
pub mod codes;
pub mod control;
pub mod control_frame;
pub mod environment;
pub mod facts;
pub mod frame;
pub mod hello;
pub mod history;
pub mod hold;
pub mod join;
pub mod marks;
pub mod peers;
pub mod keys;
pub mod proof;
pub mod ranking;
pub mod record;
pub mod token;
mod edits;
mod fields;
mod reading;
mod spelling;
