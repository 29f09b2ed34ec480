//! Hooks: the programs of an admin that are told of a new role.
//! Never decides a role, and never starts a program that others could have written.

pub mod conductor;
pub mod occasion;
pub mod sound;

pub mod book;
pub mod outcome;
mod cues;
mod record;

mod performer;
pub mod warrant;

mod fence;
pub mod herald;
pub mod stage;
pub mod troupe;
