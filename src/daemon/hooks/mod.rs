//! Hooks: the programs of an admin that are told of a new role.
//! Never decides a role, and never starts a program that others could have written.

pub mod occasion;
pub mod sound;
